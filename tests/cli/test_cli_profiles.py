"""``--profile``: the operator shell's file of profiles names the gateway for one-shot commands, too."""

import dataclasses
from pathlib import Path
from typing import Any

import click
import pytest
from cli_process import KEY, Drive, Run

from zb_mom_ww_mxgateway_cli.gateways import Gateways
from zb_mom_ww_mxgateway_cli.running import CommandRun, Runner, gateway_options
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.connect.profiles import with_key
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_sim import SimulatedGateway

SMOKE = ("smoke", "--item", "TestChildObject.TestInt", "--profile", "plant")


@pytest.fixture
def profiles(tmp_path: Path, environment: dict[str, str], gateway: SimulatedGateway) -> Path:
    """A file with one profile, of a gateway that nothing else names."""
    del environment["MXGATEWAY_ENDPOINT"], environment["MXGATEWAY_API_KEY"]
    (tmp_path / "key").write_text(KEY.text, encoding="utf-8")
    path = tmp_path / "profiles.toml"
    path.write_text(
        f'[settings]\ntiming = "on"\n\n[profiles.plant]\nendpoint = "{gateway.endpoint}"\nplaintext = true\n',
        encoding="utf-8",
    )
    environment["MXGATEWAY_PROFILES"] = str(path)
    return path


def add(profiles: Path, line: str) -> None:
    with profiles.open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


async def test_a_profile_names_gateway_trust_and_key(profiles: Path, mxgw_py: Run, tmp_path: Path) -> None:
    add(profiles, f"api_key_file = '{tmp_path / 'key'}'")
    ran = await mxgw_py(*SMOKE)
    assert (ran.code, ran.err) == (0, "")


async def test_an_option_beside_it_counts_more_but_names_no_other_gateway(profiles: Path, mxgw_py: Run) -> None:
    add(profiles, "api_key_prompt = true")
    assert (await mxgw_py(*SMOKE, "--api-key-env", "MY_KEY", MY_KEY=KEY.text)).code == 0
    other = await mxgw_py(*SMOKE, "--endpoint", "localhost:1")
    assert other.code == 2
    assert "--profile and --endpoint exclude each other" in other.err


async def test_a_key_prompt_needs_a_terminal(profiles: Path, mxgw_py: Run) -> None:
    add(profiles, "api_key_prompt = true")
    ran = await mxgw_py(*SMOKE)
    assert ran.code == 4
    assert ran.err == "mxgw-py: no key: the profile plant asks for it, and nobody can be asked here\n"


async def test_a_key_from_a_keyring_that_is_not_installed(profiles: Path, mxgw_py: Run, tmp_path: Path) -> None:
    add(profiles, 'api_key_keyring = "service/user"')
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "keyring.py").write_text("raise ImportError('none here')\n", encoding="utf-8")
    ran = await mxgw_py(*SMOKE, PYTHONPATH=str(tmp_path / "none"))
    assert ran.code == 4
    assert "keyring is not installed" in ran.err


async def test_a_read_only_profile_writes_nothing(
    profiles: Path, mxgw_py: Run, tmp_path: Path, gateway: SimulatedGateway
) -> None:
    add(profiles, f"api_key_file = '{tmp_path / 'key'}'\nread_only = true")
    gateway.raise_alarm("ZB!Area.Object.Hi")
    ran = await mxgw_py("acknowledge-alarm", "--profile", "plant", "--reference", "ZB!Area.Object.Hi")
    assert ran.code == 5
    assert "the profile plant is read-only" in ran.err


async def test_a_read_only_profile_lets_a_call_read_and_not_write(
    profiles: Path, mxgw_py: Run, tmp_path: Path, gateway: SimulatedGateway
) -> None:
    add(profiles, f"api_key_file = '{tmp_path / 'key'}'\nread_only = true")
    opened = await mxgw_py("open-session", "--profile", "plant")
    at = ["--profile", "plant", "--session-id", opened.out.strip()]
    assert (await mxgw_py("call", "register", '{"client_name": "a"}', *at)).code == 0
    assert (await mxgw_py("call", "add_item", '{"server_handle": 1, "item_definition": "A"}', *at)).code == 0
    ran = await mxgw_py("call", "write", '{"server_handle": 1, "item_handle": 1, "value": {"int32_value": 5}}', *at)
    assert (ran.code, gateway.writes) == (5, ())
    assert "the profile plant is read-only" in ran.err


async def test_an_unknown_profile_and_a_mistake_in_the_file_are_reported_with_their_place(
    profiles: Path, mxgw_py: Run
) -> None:
    unknown = await mxgw_py("smoke", "--item", "A.B", "--profile", "plnt")
    assert unknown.code == 2
    assert f"no profile plnt in {profiles}; did you mean plant?" in unknown.err
    add(profiles, 'endpont = "x:1"')
    wrong = await mxgw_py(*SMOKE, "--json")
    assert wrong.code == 2
    assert f"{profiles}:7: unknown key endpont; did you mean endpoint?" in wrong.json[0]["error"]["message"]


async def test_a_batch_takes_the_profile_for_its_lines(profiles: Path, drive: Drive, tmp_path: Path) -> None:
    add(profiles, f"api_key_file = '{tmp_path / 'key'}'")
    driver = await drive("--profile", "plant")
    (answer,) = await driver.ask("open-session")
    assert answer["ok"] is True
    # Another gateway is not the profile's: neither its key nor its plaintext holds there.
    async with SimulatedGateway(plaintext=True, api_keys=[KEY]) as other:
        at_other = f"open-session --endpoint {other.endpoint}"
        (answer,) = await driver.ask(at_other, "--plaintext")
        assert (answer["error"]["exit_code"], answer["error"]["grpc_code"]) == (4, "UNAUTHENTICATED")
        (answer,) = await driver.ask(at_other, "--plaintext --api-key-file", f"'{tmp_path / 'key'}'")
        assert answer["ok"] is True
        (answer,) = await driver.ask(at_other, "--profile plant")
        assert "--profile and --endpoint exclude each other" in answer["error"]["message"]
    assert await driver.end() == (0, "")


async def test_a_batch_with_a_profile_that_cannot_be_runs_no_line(profiles: Path, drive: Drive) -> None:
    driver = await drive("--profile", "plnt")
    code, said = await driver.end()
    assert (code, f"no profile plnt in {profiles}; did you mean plant?" in said) == (2, True)


HOME, AWAY = "home:5001", "away:5001"


@pytest.mark.parametrize(
    ("batch", "line", "expected"),
    [
        ({"endpoint": HOME, "api_key_env": "K"}, [], {"endpoint": HOME, "api_key_env": "K"}),
        ({"endpoint": HOME, "api_key_env": "K"}, ["--endpoint", AWAY], {"endpoint": AWAY}),
        ({"endpoint": "HOME:5001", "api_key_env": "K"}, ["--endpoint", HOME], {"endpoint": HOME, "api_key_env": "K"}),
        (
            {"endpoint": HOME, "api_key_file": "f", "plaintext": True},
            ["--endpoint", AWAY],
            {"endpoint": AWAY, "plaintext": True},
        ),
        ({"api_key_env": "K"}, ["--endpoint", AWAY], {"endpoint": AWAY, "api_key_env": "K"}),
        ({"endpoint": HOME, "api_key_env": "K"}, ["--api-key-file", "f"], {"endpoint": HOME, "api_key_file": "f"}),
        (
            {"profile": "plant", "api_key_env": "K"},
            ["--endpoint", AWAY, "--api-key-env", "L"],
            {"endpoint": AWAY, "api_key_env": "L"},
        ),
        ({"profile": "plant", "api_key_env": "K"}, ["--endpoint", AWAY], {"endpoint": AWAY}),
    ],
)
def test_a_line_that_names_its_gateway_sends_no_key_of_another(
    batch: dict[str, Any], line: list[str], expected: dict[str, Any]
) -> None:
    assert said(batch, line) == Connection(**expected)


def test_a_line_with_a_profile_of_its_own_takes_all_from_it(
    profiles: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MXGATEWAY_PROFILES", environment["MXGATEWAY_PROFILES"])
    add(profiles, f'[profiles.tls]\nendpoint = "{AWAY}"\napi_key_env = "OWN"\n')
    batch = {"endpoint": HOME, "api_key_file": "f", "plaintext": True, "connect_timeout": 5.0}
    made = said(batch, ["--profile", "tls", "--connect-timeout", "7"])
    shown = (made.endpoint, made.api_key_env, made.api_key_file, made.plaintext, made.connect_timeout)
    assert shown == (AWAY, "OWN", None, False, 7.0)


def said(batch: dict[str, Any], line: list[str]) -> Connection:
    """The connection of a line's command, in a batch with those options."""
    made: list[Connection] = []

    @click.command()
    @gateway_options
    def probe(runner: Runner) -> None:
        made.append(runner.connection)

    with Gateways() as gateways:
        command_run = CommandRun(Report(), gateways, in_batch=True)
        probe.main(line, standalone_mode=False, obj=command_run, default_map=batch)
    return made[0]


async def test_short_help(mxgw_py: Run) -> None:
    for words in ((), ("write",)):
        short, long = await mxgw_py(*words, "-h"), await mxgw_py(*words, "--help")
        assert (short.code, short.out) == (0, long.out)


def test_a_source_named_later_takes_the_place_of_a_key_that_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", "mxgw_other_one")
    given = with_key(Connection(endpoint="x:1", api_key_file="away"), "mxgw_given_one")
    assert given.api_key() == "mxgw_given_one"
    assert dataclasses.replace(given, plaintext=True).api_key() == "mxgw_given_one"
    assert dataclasses.replace(given, api_key_env="OTHER").api_key() == "mxgw_other_one"
