"""profile save NAME: the connection in use as a profile, without its key."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from shell_lines import follow, run
from shell_process import ShellProcess
from shell_terminal import ENTER, shell

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.state import profiles
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

READ_ONLY = ConnectionTerms()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "profiles.toml"
    monkeypatch.setenv("MXGATEWAY_PROFILES", str(path))
    return path


def put(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


async def test_a_person_saves_the_connection_and_connects_by_it(tmp_path: Path, file: Path) -> None:
    async with shell(tmp_path, terms=READ_ONLY) as sh:
        screen, endpoint = sh.terminal, sh.gateway.endpoint
        await screen.enter("profile save plantA", f"profile plantA: {endpoint}, key: variable MXGATEWAY_API_KEY")
        await screen.shows("writes: armed", "connect plantA connects by it")
        assert text_of(file) == (f'[profiles.plantA]\nendpoint = "{endpoint}"\nplaintext = true\n')
        if os.name == "posix":
            assert mode_of(file) == 0o600
        await screen.enter("connect plantA", "plantA (read-only)>")
        # The same again changes nothing, and asks nothing.
        await screen.enter("set timing on", "timing on")
        await screen.enter("profile save plantA", " ms)")
        assert "[y/N]" not in screen.text


async def test_another_profile_of_that_name_is_replaced_only_if_a_person_agrees(tmp_path: Path, file: Path) -> None:
    text = (
        '# Mine.\n[settings]\ntiming = "on"\n\n[profiles.plantA]\nendpoint = "other:1"\narms = [\n  "A.*",\n]\n\n'
        '# The second.\n[profiles.plantB]\nendpoint = "b:1"\n'
    )
    put(file, text)
    async with shell(tmp_path, columns=40, terms=READ_ONLY) as sh:
        screen = sh.terminal
        await screen.enter("profile save plantA", "replace the profile plantA? [y/N]")
        screen.type(f"n{ENTER}")
        await screen.shows("not confirmed; the profile plantA is as it was")
        assert text_of(file) == text
        await screen.enter("profile save plantA", "[y/N]")
        screen.type(f"y{ENTER}")
        await screen.shows("connect plantA connects by it")
        table = f'[profiles.plantA]\nendpoint = "{sh.gateway.endpoint}"\nplaintext = true\n'
        assert text_of(file) == (
            f'# Mine.\n[settings]\ntiming = "on"\n\n{table}\n# The second.\n[profiles.plantB]\nendpoint = "b:1"\n'
        )
        await screen.enter("profiles", "b:1")


async def saved(context: Context, file: Path, name: str) -> dict[str, Any]:
    await run(context, f"profile save {name}", follow)
    return dict(profiles.read_file(file).content["profiles"][name])


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ({"api_key_file": "key.txt"}, {"api_key_file": "{folder}/key.txt"}),
        ({"api_key_env": "PLANT_KEY"}, {"api_key_env": "PLANT_KEY"}),
        ({}, {}),
    ],
)
async def test_the_source_of_the_key_is_kept_and_never_the_key(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], source: dict[str, str]
) -> None:
    monkeypatch.chdir(tmp_path)
    async with SimulatedGateway(certificate_directory=tmp_path / "certificate") as gateway:
        key = gateway.api_key or ""
        (tmp_path / "key.txt").write_text(key, encoding="utf-8")
        monkeypatch.setenv("PLANT_KEY", key)
        monkeypatch.setenv("MXGATEWAY_API_KEY", key)
        context = Context(all_commands(), interactive=False)
        known = tmp_path / "known"
        await context.connect(
            Connection(endpoint=gateway.endpoint, known_gateways=str(known), connect_timeout=5, **given)  # type: ignore[arg-type]
        )
        try:
            table = await saved(context, file, "plantA")
        finally:
            await context.disconnect()
    expected = {name: text.format(folder=tmp_path) for name, text in source.items()}
    assert table == expected | {"endpoint": gateway.endpoint, "known_gateways": str(known), "connect_timeout": 5}
    assert key not in text_of(file)


async def test_a_copy_of_a_profile_has_all_that_it_says_and_no_key_that_was_typed(tmp_path: Path, file: Path) -> None:
    async with SimulatedGateway(plaintext=True) as gateway:
        put(
            file,
            f'[profiles.plantA]\nendpoint = "{gateway.endpoint}"\nplaintext = true\napi_key_prompt = true\n'
            'read_only = true\ncolor = "red"\nmcp = ["Plant.*"]\n',
        )
        context = Context(all_commands(), interactive=True)
        context.load_profiles()

        async def typed(question: str) -> str:
            return gateway.api_key or ""

        context.ask_secret = typed
        await run(context, "connect plantA", follow)
        try:
            copy = await saved(context, file, "copy")
        finally:
            await context.disconnect()
    content = profiles.read_file(file).content["profiles"]
    assert copy == content["plantA"]
    assert (gateway.api_key or "no key") not in text_of(file)


async def test_what_cannot_be_saved_is_refused_and_nothing_is_changed(tmp_path: Path, file: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        with pytest.raises(ShellError, match="not connected"):
            await run(context, "profile save plantA", follow)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=READ_ONLY)
        context.assume_yes = True
        try:
            for name in ("a.b", "mxgw_abc_def123456789"):
                with pytest.raises(InputError, match="letters, digits, - and _ only"):
                    await run(context, f"profile save {name}", follow)
            for text, why in (
                ('[profiles]\nplantB.endpoint = "b:1"\nplantA.endpoint = "a:1"\n', "not a table of its own"),
                ("[profiles.plantA]\nendpoint = 5\n", r"profiles\.toml:2: endpoint must be a text"),
            ):
                put(file, text)
                with pytest.raises(ShellError, match=why):
                    await run(context, "profile save plantB", follow)
                assert text_of(file) == text
        finally:
            await context.disconnect()


async def test_a_file_saves_only_the_gateway_that_it_was_started_with(tmp_path: Path) -> None:
    options = {"plaintext": True, "api_keys": ()}
    async with SimulatedGateway(**options) as gateway, SimulatedGateway(**options) as other:
        shell_run = ShellProcess(tmp_path).on(gateway)
        shell_run.environment["MXGATEWAY_PROFILES"] = str(tmp_path / "profiles.toml")
        put(tmp_path / "profiles.toml", "")
        (tmp_path / "try.mxs").write_text(
            f"profile save here\nconnect {other.endpoint} --plaintext\nprofile save there\n", encoding="utf-8"
        )
        done = await shell_run("--plaintext", "-c", "try.mxs")
        assert done.code == 5, done
        assert "a file may save a profile only for the gateway that it was started with" in done.err
        assert "[profiles.there]" not in (tmp_path / "profiles.toml").read_text(encoding="utf-8")
        assert "[profiles.here]" in (tmp_path / "profiles.toml").read_text(encoding="utf-8")
