"""A profiles file that is made, changed, broken and removed while the shell runs."""

from pathlib import Path

import pytest
from shell_terminal import ENTER, TAB, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.context import Context


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MXGATEWAY_PROFILES", "profiles.toml")
    return Path("profiles.toml")


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def _remove(file: Path) -> None:
    file.unlink()


def _profile(endpoint: str, *more: str) -> str:
    return "\n".join(("[profiles.plantA]", f'endpoint = "{endpoint}"', "plaintext = true", *more, ""))


async def test_a_profile_is_there_as_soon_as_its_file_is(tmp_path: Path, file: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen, endpoint = sh.terminal, sh.gateway.endpoint
        await screen.enter("connect plantA", "no profile plantA")
        _write(file, _profile(endpoint))
        await screen.prompted()
        screen.type("connect pl" + TAB)
        await screen.shows("demo> connect plantA")
        await screen.enter("", f"connected to {endpoint}", "plantA (read-only)>")
        await screen.enter("profiles", "plantA   ", "variable MXGATEWAY_API_KEY")
        # The terms of a new connection are those that the file has now; those of an open one stay.
        await screen.enter("arm Plant.*", "plantA (armed")
        _write(file, _profile(endpoint, "read_only = true"))
        await screen.enter("arm Plant.Tank1.*", "Plant.Tank1.*")
        await screen.enter("connect plantA", "plantA (read-only)>")
        await screen.enter("arm Plant.*", "the profile plantA is read-only")
        _remove(file)
        await screen.enter("connect plantA", "no profile plantA")


async def test_a_mistake_in_the_file_is_told_where_a_profile_is_asked_for(tmp_path: Path, file: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen, endpoint = sh.terminal, sh.gateway.endpoint
        _write(file, _profile(endpoint, "colour = 'red'"))
        await screen.enter("connect plantA", "profiles.toml:4: unknown key colour; did you mean color?")
        await screen.enter("profiles", "unknown key colour")
        # Completion offers nothing, and the toolbar says why.
        await screen.prompted()
        screen.type("connect plantA --plain")
        await until(lambda: "unknown key" in screen.text.rstrip().split("\n")[-1], lambda: screen.text)
        screen.type("\x15")
        # Other lines do not care.
        await screen.enter("echo all the same", "\nall the same")
        _write(file, _profile(endpoint, "color = 'red'"))
        await screen.enter("connect plantA", f"connected to {endpoint}")


async def test_aliases_of_the_file_are_those_that_it_has_now_and_typed_ones_stay(tmp_path: Path, file: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("alias mine echo typed here", "mine stands for")
        _write(file, '[aliases]\nnew = "echo from the file"\nmine = "echo from the file, too"\n')
        await screen.prompted()
        screen.type("ne" + TAB)
        await screen.shows("demo> new")
        screen.type(ENTER)
        await screen.shows("\nfrom the file\n")
        await screen.enter("mine", "\ntyped here\n")
        _write(file, '[aliases]\nnew = "echo changed there"\n')
        await screen.enter("new", "\nchanged there\n")
        await screen.enter("unalias new", "new is no longer an alias")
        _write(file, '[aliases]\nnew = "echo changed there"\nother = "status"\n')
        await screen.enter("new", "no command new")
        _write(file, "")
        await screen.enter("other", "no command other")
        await screen.enter("mine", "\ntyped here\n")


def test_a_run_keeps_to_the_profiles_with_which_it_was_checked(file: Path) -> None:
    _write(file, _profile("one:1"))
    contexts = [Context(all_commands(), interactive=interactive) for interactive in (False, True)]
    for each in contexts:
        each.load_profiles()
    _write(file, _profile("another:22"))
    assert [each.profiles.named("plantA").connection.endpoint for each in contexts] == ["one:1", "another:22"]


def test_what_the_file_said_before_a_mistake_is_not_used(file: Path) -> None:
    context = Context(all_commands(), interactive=True)
    _write(file, _profile("one:1"))
    assert list(context.profiles.profiles) == ["plantA"]
    _write(file, "[profiles.plantA\n")
    for _ in range(2):
        with pytest.raises(ShellError, match=r"profiles\.toml:1"):
            _ = context.profiles
