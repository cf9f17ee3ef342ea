"""The view of a trend: moved and zoomed by keys, at the prompt."""

import re
from pathlib import Path

import pytest
from shell_terminal import CTRL_C, ENTER, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.feeds.trend_view import TrendView

LEVEL = "Plant.Tank1.Level"
LEFT, RIGHT, UP, DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
HOME, END, PAGE_UP, TAB = "\x1b[H", "\x1b[F", "\x1b[5~", "\t"


@pytest.mark.parametrize(
    ("keys", "span", "end"),
    [
        (["left"], 60, 985),
        (["left", "left", "right"], 60, 985),
        (["left", "right"], 60, None),
        (["pageup"], 60, 940),
        (["pageup", "pagedown"], 60, None),
        (["home"], 60, 160),
        (["home", "left"], 60, 160),
        (["home", "end"], 60, None),
        (["up"], 30, None),
        (["up", "up", "down"], 30, None),
        # The middle stays where it is.
        (["pageup", "up"], 30, 925),
        # What is longer than the history shows no more of it.
        (["down"] * 9, 900, None),
        (["up"] * 20, 1, None),
    ],
)
def test_keys_move_and_zoom_within_what_was_seen(keys: list[str], span: float, end: float | None) -> None:
    view = TrendView(60.0)
    for key in keys:
        view.turn(key, since=100.0, now=1_000.0)
    assert (view.span, view.end) == (span, end)
    assert view.window(1_000.0)[1] == (end or 1_000.0)


def test_a_history_that_is_shorter_than_the_view_cannot_be_left() -> None:
    view = TrendView(60.0)
    for key in ("left", "pageup", "home"):
        view.turn(key, since=990.0, now=1_000.0)
        assert view.end is None


async def test_keys_turn_the_picture_and_what_is_typed_waits(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        screen.type(f"trend {LEVEL} --span 2s" + ENTER)
        await screen.shows(f"{LEVEL}  61", "←→ move · ↑↓ zoom (2s) · Tab limits · Ctrl-C ends")
        screen.type(UP)
        await screen.shows("zoom (1s)")
        await until(lambda: re.search(r"min 61\.\d+  max 61\.[5-9]", screen.text), lambda: screen.text)
        screen.type(HOME)
        stopped = await screen.shows("until ", "End now", f"{LEVEL}  61", " %  good  at ")
        screen.type_ahead("stat" + LEFT + "us" + ENTER)
        assert "at " in stopped
        await screen.shows("typed ahead: status")
        # The limits of the tag's alarms come into view.
        screen.type(END + TAB)
        await screen.shows("HiHi 90", "Lo 20", "100 % ┤")
        await screen.gone("until ")
        screen.type(TAB)
        await screen.gone("HiHi 90")
        screen.type(CTRL_C)
        await screen.shows("demo> status")


async def test_on_a_narrow_screen_the_hints_are_short(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=40) as sh:
        sh.terminal.type(f"trend {LEVEL} --span 1s" + ENTER)
        await sh.terminal.shows("  ←→ · ↑↓ · Ctrl-C ends")
        await until(lambda: re.search(r"│|61\.5|62", sh.terminal.text), lambda: sh.terminal.text)
        sh.terminal.type(HOME)
        await until(lambda: re.search(r"  until \d\d:\d\d:\d\dZ · End now · Ctrl-C ends|←→", sh.terminal.text))
        assert all(len(line) <= 40 for line in sh.terminal.text.split("\n"))
        sh.terminal.type(CTRL_C)
        await sh.terminal.shows("ends\ndemo>")
