"""The pager at the prompt: what it pages, what comes while it is open, and what is typed into it."""

from pathlib import Path

import pytest
from shell_terminal import ENTER, shell
from shell_waiting import until

INT = "TestChildObject.TestInt"
ESCAPE = "\x1b"
HOME = "\x1b[H"


async def test_a_command_that_is_typed_into_it_neither_acts_nor_vanishes(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("help all", "q leaves", "1-")
        screen.type(f"write {INT} q5/gn")
        await screen.shows(f"typed ahead: write {INT} q5/gn · Enter leaves with it at the prompt, Esc drops it")
        screen.type("\x7f\x7f\x7f\x7f\x7f5")
        await screen.shows(f"typed ahead: write {INT} 5 ·")
        screen.type(ESCAPE)
        await screen.shows("q leaves", "1-")
        screen.type(f"write {INT} 5")
        await screen.shows(f"typed ahead: write {INT} 5 ·")
        screen.type_ahead(ENTER)
        await screen.prompted()
        await screen.shows("lines)", f"demo> write {INT} 5")
        assert not sh.gateway.mutating_calls
        await screen.enter("", "→ 5")


async def test_no_command_loses_its_beginning_to_a_key_of_the_pager(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("help all", "q leaves", "1-")
        for name in {name[0]: name for name in sh.context.registry.commands}.values():
            screen.type(f"{name} x")
            await screen.shows(f"typed ahead: {name} x ·")
            screen.type(ESCAPE)
            await screen.shows("q leaves", "1-")
        screen.type(" ")
        await until(lambda: " 1-" not in screen.text, lambda: screen.text)
        screen.type("/journal" + ENTER)
        await screen.shows("journal")
        before = screen.text
        screen.type("N")
        await until(lambda: screen.text != before, lambda: screen.text)
        screen.type("G")
        await screen.shows("help", "q leaves")
        screen.type("q")
        await screen.prompted()
        assert screen.text.rstrip().rpartition("\n")[2] == "demo>"


async def test_the_keys_for_what_is_typed_into_it_are_shown_on_a_narrow_screen_too(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=80) as sh:
        await sh.terminal.enter("help all", "q leaves")
        sh.terminal.type(f"write {INT} 5")
        await sh.terminal.shows(f"typed ahead: write {INT} 5 · Enter leaves, Esc drops it")


async def test_what_comes_with_the_key_that_leaves_waits_for_a_look(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("help all", "q leaves")
        screen.type_ahead(f"qwrite {INT} 5{ENTER}")
        await screen.shows("lines)", f"demo> write {INT} 5")
        assert not sh.gateway.mutating_calls


async def test_two_lines_that_are_typed_into_it_stay_two(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("help all", "q leaves")
        screen.type_ahead(f"write {INT} 5{ENTER}0{ENTER}")
        await screen.prompted()
        await screen.enter("", f"WRITES  write {INT} 5", "no command 0", "run these 2 lines? [y/N]")
        await screen.enter("n", "nothing was run")
        assert not sh.gateway.mutating_calls


async def test_a_paste_into_it_waits_for_a_look(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("help all", "q leaves")
        screen.type(f"\x1b[200~register one\nwrite {INT} 6\n\x1b[201~")
        await screen.shows(f"typed ahead: register one⏎write {INT} 6⏎")
        screen.type_ahead(ENTER)
        await screen.prompted()
        await screen.enter("", f"WRITES  write {INT} 6", "run these 2 lines? [y/N]")
        await screen.enter("n", "nothing was run")
        assert not sh.gateway.mutating_calls


async def test_the_newest_line_that_comes_is_in_view_with_their_number(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await until(lambda: sh.context.connected.alarms.is_complete)
        await screen.enter("help all", "q leaves")
        sh.gateway.raise_alarm("ZB!North.A.Hi", severity=300)
        await screen.shows("ZB!North.A.Hi", "q leaves")
        sh.context.notice("a line of a background task")
        await screen.shows("2 lines came, the newest: a line of a background task")
        screen.type("q")
        await screen.prompted()
        await screen.shows("lines)", "ZB!North.A.Hi", "a line of a background task")


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize(
    ("line", "output", "last"),
    [
        ("find *", "table", " objects"),
        ("find --tags *", "json", '"type": "String"}]}'),
        ("help write", "table", "example: write "),
    ],
)
async def test_whatever_is_longer_than_the_screen_is_paged(
    tmp_path: Path, columns: int, line: str, output: str, last: str
) -> None:
    async with shell(tmp_path, cursor_reports=True, columns=columns) as sh:
        screen = sh.terminal
        await until(lambda: sh.context.catalogue.is_complete)
        sh.context.settings.change("output", output)
        await screen.enter(line, "q leaves")
        screen.type("G")
        await screen.shows(last)
        assert all(len(row) <= columns for row in screen.text.split("\n"))
        screen.type("q")
        await screen.prompted()
        await screen.shows(" line")


async def test_a_review_that_is_longer_than_the_screen_is_paged(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        screen.type("\x1b[200~" + "register one\n" * 45 + "\x1b[201~" + ENTER)
        await screen.shows("q leaves", "register one")
        screen.type("q")
        await screen.shows("run these 45 lines? [y/N]")
        await screen.enter("n", "nothing was run")


async def test_a_long_history_opens_where_the_newest_is(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter(f"watch {INT}", "good")
        item = sh.context.items[0]
        for number in range(1, 61):
            sh.gateway.set(INT, number)
            await until(lambda number=number: sh.context.connected.live.latest(*item.key).value == number)
        await screen.enter("unwatch", "no longer watched")
        await screen.enter(f"history {INT}", "q leaves", "  60  ", "changes seen since")
        screen.type(HOME)
        await screen.shows("1-", "value")
        screen.type("q")
        await screen.prompted()
