"""The line editor: the mode of vi in the toolbar and in Python, and a screen that is cleared."""

from pathlib import Path

import pytest
from shell_terminal import ENTER, Terminal, shell
from shell_waiting import until

ESCAPE = "\x1b"


def _last_line(screen: Terminal) -> str:
    """The toolbar."""
    return screen.text.rstrip().split("\n")[-1]


async def _has_mode(screen: Terminal, mode: str) -> None:
    await until(lambda: _last_line(screen).startswith(f" {mode} "), lambda: f"{mode} below:\n{screen.text}")


@pytest.mark.parametrize("columns", [40, 110])
@pytest.mark.parametrize("without_color", [False, True])
async def test_the_mode_of_vi_begins_the_toolbar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int, without_color: bool
) -> None:
    if without_color:
        monkeypatch.setenv("NO_COLOR", "1")
    async with shell(tmp_path, columns=columns, cursor_reports=True) as sh:
        screen = sh.terminal
        await screen.shows("ready · armed")
        assert "INSERT" not in screen.text
        await screen.enter("set keys vi", "\nkeys vi")
        await _has_mode(screen, "INSERT")
        assert "ready" in _last_line(screen)
        screen.type("echo one two")
        screen.type(ESCAPE)
        await _has_mode(screen, "NORMAL")
        screen.type("0v")
        await _has_mode(screen, "VISUAL")
        screen.type(ESCAPE)
        await _has_mode(screen, "NORMAL")
        screen.type("r")
        await _has_mode(screen, "REPLACE")
        screen.type("e")
        await _has_mode(screen, "NORMAL")
        screen.type("R")
        await _has_mode(screen, "REPLACE")
        screen.type(ESCAPE)
        await _has_mode(screen, "NORMAL")
        screen.type("A three" + ENTER)
        await screen.shows("\none two three\n")
        await _has_mode(screen, "INSERT")
        assert all(len(line) <= columns for line in screen.text.split("\n"))
        await screen.enter("set keys emacs", "\nkeys emacs")
        await until(lambda: "INSERT" not in _last_line(screen), lambda: screen.text)


async def test_python_has_the_keys_of_the_setting_and_shows_the_mode(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await screen.enter("set keys vi", "\nkeys vi")
        await screen.enter("py", "Vi (INSERT)")
        await until(screen.takes_lines)
        screen.type("'here'x")
        screen.type(ESCAPE)
        await screen.shows("Vi (NAV)")
        screen.type("x" + ENTER)
        await screen.shows("'here'\n'here'")
        await screen.enter("exit()", "demo>")
        await screen.enter("set keys emacs", "\nkeys emacs")
        await screen.enter("py", ">>>")
        await screen.enter("'ther' + 'e'", "'there'")
        await screen.gone("Vi (")
        await screen.enter("exit()")


async def test_clear_clears_the_screen_and_keeps_what_is_watched_and_the_last_result(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await screen.enter("watch TestChildObject.TestInt", "good")
        await screen.enter("echo before", "\nbefore")
        await screen.enter("clear")
        await screen.gone("before")
        await screen.prompted()
        await screen.shows("TestChildObject.TestInt", "demo>")
        assert screen.text.startswith("  item  tag")
        assert sh.context.last == "before"
        await screen.enter("copy table", "copied, if the terminal lets it: before")


async def test_clear_in_python_clears_the_screen(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("py", ">>>")
        await screen.enter("await mx('clear')")
        await screen.gone("type help")
        await screen.enter("exit()", "demo>")
