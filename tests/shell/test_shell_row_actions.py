"""Row actions of the full screen: why, trend and a write, as typed at the prompt, and back."""

from pathlib import Path

import pytest
from shell_terminal import CTRL_C, ENTER, Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.watch_view import WatchedItem
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.terminal.row_actions import ACTIONS, action_of

LEVEL, SETPOINT, INT = "Plant.Tank1.Level", "Plant.Tank1.LevelSP", "TestChildObject.TestInt"
CTRL_U = "\x15"
BACK = "Enter goes back to the full screen"


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


async def selected(sh: Shell, *tags: str) -> None:
    """Opens the full screen with these tags, and selects the first."""
    await sh.terminal.enter(f"watch {' '.join(tags)} --full", f"1-{len(tags)} of {len(tags)}")
    sh.terminal.type(ENTER)
    await until(lambda: row_of(sh), lambda: sh.terminal.text)


def row_of(sh: Shell) -> str:
    """The selected row."""
    return next((line for line in sh.terminal.text.split("\n") if line.startswith("> ")), "")


@pytest.mark.parametrize("columns", [110, 40])
async def test_why_is_shown_at_the_prompt_and_enter_goes_back_to_the_same_row(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns) as sh:
        screen = sh.terminal
        sh.gateway.set(INT, 5, quality=0)
        await selected(sh, INT, LEVEL)
        await screen.shows("w why · t trend · W write")
        screen.type("w")
        await screen.shows(f"demo> why {INT}", "bad", BACK)
        assert all(len(line) <= columns for line in screen.text.split("\n"))
        screen.type(ENTER)
        await screen.shows("1-2 of 2")
        assert ("TestInt" in row_of(sh), "bad" in row_of(sh)) == (True, True)
        # To stay at the prompt is another answer.
        screen.type("w")
        await screen.shows(BACK)
        screen.type(f"q{ENTER}")
        await screen.prompted()
        await screen.enter("echo here", "\nhere")


def test_no_command_that_is_typed_at_the_screen_begins_a_write() -> None:
    begun = {name[0] for name in all_commands().commands}
    assert [name for key, name in ACTIONS.items() if key in begun] == ["why", "trend"]


async def test_a_trend_of_the_row_ends_by_q_and_leads_back(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await selected(sh, LEVEL)
        screen.type("t")
        await screen.shows(f"trend {LEVEL}", "Ctrl-C ends")
        screen.type("q")
        await screen.shows(BACK)
        screen.type(ENTER)
        await screen.shows("1-1 of 1")


async def test_a_write_goes_the_whole_way_of_the_prompt(tmp_path: Path) -> None:
    async with shell(tmp_path, terms=ConnectionTerms()) as sh:
        screen = sh.terminal
        await selected(sh, SETPOINT)
        screen.type("W")
        await screen.prompted()
        await screen.shows(f"> write {SETPOINT}")
        screen.type(f"61{ENTER}")
        await screen.shows("blocked locally", "nothing was sent", BACK)
        screen.type(f"q{ENTER}")
        await screen.prompted()
        await screen.enter(f"arm {SETPOINT}", "armed")
        await selected(sh, SETPOINT)
        screen.type("W")
        await screen.prompted()
        screen.type(f"61{ENTER}")
        await screen.shows(f"send 61.0 to {SETPOINT}? [y/N]")
        screen.type(f"y{ENTER}")
        await screen.shows("completed", BACK)
        screen.type(ENTER)
        await screen.shows("1-1 of 1", "61")
        # Ctrl-C instead of a value changes nothing, and goes back.
        screen.type("W")
        await screen.prompted()
        screen.type(f"5{CTRL_C}")
        await screen.shows("1-1 of 1")


async def test_a_row_is_selected_first_and_one_of_another_connection_waits_for_use(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        demo = sh.context.connected
        await sh.context.connect(demo.connection, "plantB", terms=demo.terms)
        await screen.enter(f"watch demo:{SETPOINT} {LEVEL} --full", "1-2 of 2")
        screen.type("w")
        await screen.shows("Enter selects a row, w: why")
        screen.type(ENTER + "W")
        await screen.shows("it is of demo: use demo first")
        screen.type("t")
        await screen.shows(f"trend demo:{SETPOINT}", "Ctrl-C ends")
        screen.type(CTRL_C)
        await screen.shows(BACK)
        screen.type(CTRL_C)
        await screen.prompted()


async def test_lines_that_were_typed_ahead_are_not_the_answer(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await selected(sh, LEVEL)
        screen.type("t")
        await screen.shows("Ctrl-C ends")
        screen.type_ahead("echo later\r")
        await screen.shows("typed ahead: echo later")
        screen.type(CTRL_C)
        await screen.prompted()
        await until(lambda: "> echo later" in screen.text, lambda: screen.text)
        assert BACK not in screen.text


async def test_another_line_instead_of_an_answer_stands_at_the_prompt(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await selected(sh, LEVEL)
        screen.type("w")
        await screen.shows(BACK)
        screen.type(f"write {SETPOINT} 7{ENTER}")
        await screen.prompted()
        await screen.shows(f"demo> write {SETPOINT} 7")
        assert "1-1 of 1" not in screen.text
        screen.type(CTRL_U)
        await screen.enter("echo here", "\nhere")
        assert SETPOINT not in [item.tag for item in sh.context.items]


async def test_no_key_acts_on_a_row_of_before(tmp_path: Path) -> None:
    """The line about a row can be made another one, which changes what is in view."""
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        demo = sh.context.connected
        await sh.context.connect(demo.connection, "plantB", terms=demo.terms)
        sh.context.current = demo
        await selected(sh, f"demo:{INT}")
        screen.type("W")
        await screen.shows(f"demo> write {INT}")
        await screen.prompted()
        screen.type(f"{CTRL_U}use plantB{ENTER}")
        await screen.shows(BACK)
        screen.type(f"{ENTER}e")
        await screen.shows("1-1 of 1", f"demo:{INT}   good   source time")
        screen.type("W")
        await screen.shows("it is of demo: use demo first")


async def test_a_row_that_comes_while_it_is_paused_moves_no_other(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await selected(sh, LEVEL, INT)
        screen.type("jrp")
        await screen.shows("PAUSED")
        screen.type("W")
        await screen.shows(f"demo> write {INT}")
        await screen.prompted()
        # The newest is the first in this order.
        screen.type(f"{CTRL_U}watch {SETPOINT}{ENTER}")
        await screen.shows(BACK)
        screen.type(ENTER)
        await screen.shows("PAUSED", "(3 watched)")
        await until(lambda: INT in row_of(sh), lambda: screen.text)
        screen.type("p")
        await screen.shows("1-3 of 3")
        await until(lambda: INT in row_of(sh), lambda: screen.text)


@pytest.mark.parametrize("tag", ["3", "1/3", "-x", "a*", "demo:a", "a b", LEVEL])
async def test_a_line_about_a_row_means_its_tag(tmp_path: Path, tag: str) -> None:
    async with shell(tmp_path) as sh:
        session = sh.context.session
        server = await session.register("first")
        item = session.handles.items[server, await session.add_item(server, tag)]
        for number in (1, 2, 3):
            await session.add_item(server, f"Plant.Tank{number}.Level")
        table = sh.context.connected.panel
        for key in ACTIONS:
            action = action_of(key, WatchedItem(table, item))
            assert action is not None
            line = f"{action.line}string:5" if action.is_begun else action.line
            found = sh.context.registry.parse(line, sh.context)
            assert found is not None
            (target,) = [each[0] if isinstance(each, list) else each for each in found.positional[:1]]
            assert (target.item, target.connection) == (item, ""), line


async def test_a_write_goes_to_the_server_of_the_row(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        session = sh.context.session
        servers = [await session.register(name) for name in ("first", "second")]
        items = [session.handles.items[server, await session.add_item(server, INT)] for server in servers]
        lines = [action_of("W", WatchedItem(sh.context.connected.panel, item)) for item in items]
        assert [each and each.line for each in lines] == [f"write {INT} ", f"write {INT} --server 2 "]
        found = sh.context.registry.parse(f"write {INT} --server 2 5", sh.context)
        assert found is not None
        assert found.positional[0].item == items[1]
