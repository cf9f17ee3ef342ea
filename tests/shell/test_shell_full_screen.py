"""The full screen: a row is selected by keys or the mouse, looked at whole, and copied."""

import base64
import re
from pathlib import Path

import pytest
from shell_terminal import ENTER, Terminal, shell
from shell_waiting import until

STRING = "TestChildObject.TestString"
_DOWN, _WHEEL_DOWN, _WHEEL_UP = "\x1b[B", "\x1b[<65;5;5M", "\x1b[<64;5;5M"
_ESCAPE = "\x1b"
_MOUSE_ON, _MOUSE_OFF = "\x1b[?1000h", "\x1b[?1000l"


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("TMUX", raising=False)


def _click(line: int) -> str:
    """A click on a line of the screen, from 1."""
    return f"\x1b[<0;10;{line}M\x1b[<0;10;{line}m"


def _selected(screen: Terminal) -> str:
    """The tag in the row with the mark."""
    marked = [line for line in screen.text.split("\n") if line.startswith("> ")]
    return next(word for word in marked[0].split() if "." in word) if marked else ""


def _status(screen: Terminal) -> str:
    """The line below the values: their place, order and filter."""
    return next(line for line in screen.text.split("\n") if re.match(r" \d+-\d+ of ", line))


async def test_keys_select_a_row_show_it_whole_and_copy_its_value(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=80) as sh:
        screen = sh.terminal
        await sh.context.catalogue.loaded(20)
        sh.gateway.set(STRING, f"start {'x' * 100} end")
        await screen.enter(f"watch Plant.Tank1.Level {STRING} --full", "1-2 of 2")
        screen.type("y")
        await screen.shows("Enter selects a row")
        screen.type(ENTER)
        await screen.shows("Plant.Tank1.Level   good   source time ", "Feed tank")
        assert re.search(r"^  6[0-9.]+ %(   range |$)", screen.text, re.MULTILINE)
        screen.type(_DOWN + _DOWN)
        await until(lambda: _selected(screen) == "…ct.TestString", lambda: screen.text)
        await screen.shows("xxx end")
        screen.type("y")
        await screen.shows("copied, if the terminal lets it")
        (data,) = re.findall(r"\x1b\]52;c;([^\x1b]*)\x1b", screen.raw)
        assert base64.b64decode(data).decode() == f"start {'x' * 100} end"
        screen.type(ENTER)
        await until(lambda: not _selected(screen), lambda: screen.text)
        await screen.gone("source time")
        assert _MOUSE_ON not in screen.raw


async def test_the_mouse_scrolls_and_selects_where_a_person_has_set_it(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("set mouse on", "mouse on")
        assert _MOUSE_ON not in screen.raw
        await screen.enter("watch Plant.* --full", "1-36 of ")
        assert screen.raw.rfind(_MOUSE_ON) > 0
        screen.type(_WHEEL_DOWN)
        await screen.shows("4-39 of ")
        fourth = screen.text.split("\n")[4]
        screen.type(_click(5))
        await until(lambda: _selected(screen) == fourth.split()[1], lambda: screen.text)
        # The headings are no row, and a second click ends it.
        screen.type(_click(1) + _WHEEL_UP)
        await screen.shows(" 1-3")
        screen.type(_click(8))
        await until(lambda: not _selected(screen), lambda: screen.text)
        screen.type("q")
        await until(lambda: screen.raw.rfind(_MOUSE_OFF) > screen.raw.rfind(_MOUSE_ON))


async def test_the_selection_follows_its_tag_and_stays_in_view(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("watch Plant.* --full", "1-36 of ")
        screen.type(ENTER)
        await until(lambda: bool(_selected(screen)))
        first = _selected(screen)
        screen.type("r")
        await until(lambda: not _selected(screen), lambda: screen.text)
        screen.type("r")
        await until(lambda: _selected(screen) == first, lambda: screen.text)
        screen.type("j" * 50)
        await screen.gone("\n 1-3")
        await until(lambda: _selected(screen) not in ("", first), lambda: screen.text)
        # A row that a filter hides is not selected.
        screen.type("/TestNothing" + ENTER)
        await screen.shows("none ")
        assert "source time" not in screen.text


@pytest.mark.parametrize("columns", [40, 110])
async def test_esc_closes_the_help_and_keys_do_not_act_behind_it(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns) as sh:
        screen = sh.terminal
        await screen.enter("set mouse on", "mouse on")
        await screen.enter("watch Plant.* --full", "1-36 of ")
        before = _status(screen)
        screen.type("?")
        await screen.shows("this page; Esc closes it", "Esc closes the help")
        # Sort, reverse, only bad, columns, pause, filter, ends, select, the mouse: of the values behind, nothing moves.
        screen.type("srbcp/G" + _DOWN + _WHEEL_DOWN + _click(5) + "y")
        screen.type(_ESCAPE)
        await screen.shows("q leaves" if columns > 40 else "? explains", "1-36 of ")
        assert _status(screen) == before
        assert not _selected(screen)
        for closing in ("?", "q", ENTER):
            screen.type("?")
            await screen.shows("Esc closes the help")
            screen.type(closing)
            await screen.gone("Esc closes the help")
            assert not _selected(screen)
        # Another Esc changes nothing, and q leaves.
        screen.type(_ESCAPE)
        screen.type("s")
        await screen.shows("by tag")
        screen.type("q")
        await screen.shows("demo>")


async def test_help_that_is_longer_than_the_screen_is_moved(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=20) as sh:
        screen = sh.terminal
        await screen.enter("watch Plant.* --full", " · ? e")
        screen.type("?")
        await screen.shows("arrows move", "q            leaves")
        screen.type("G")
        await screen.shows("this page;")
        screen.type("g")
        await screen.shows("q            leaves")
        screen.type("qq")


async def test_the_mouse_scrolls_a_long_result(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("set mouse on", "mouse on")
        await screen.enter("help all", "1-38 of")
        screen.type(_WHEEL_DOWN)
        await screen.shows(" 4-41 of")
        screen.type("q")
        await screen.shows("lines)")
