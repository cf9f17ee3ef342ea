"""Row actions of the full screen: why, trend and a write, as typed at the prompt, and back."""

from pathlib import Path

import pytest
from shell_terminal import CTRL_C, ENTER, Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms

LEVEL, SETPOINT, INT = "Plant.Tank1.Level", "Plant.Tank1.LevelSP", "TestChildObject.TestInt"
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
        await screen.shows("w why · t trend · e write")
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
        screen.type("e")
        await screen.prompted()
        await screen.shows(f"> write {SETPOINT}")
        screen.type(f"61{ENTER}")
        await screen.shows("blocked locally", "nothing was sent", BACK)
        screen.type(f"q{ENTER}")
        await screen.prompted()
        await screen.enter(f"arm {SETPOINT}", "armed")
        await selected(sh, SETPOINT)
        screen.type("e")
        await screen.prompted()
        screen.type(f"61{ENTER}")
        await screen.shows(f"send 61.0 to {SETPOINT}? [y/N]")
        screen.type(f"y{ENTER}")
        await screen.shows("completed", BACK)
        screen.type(ENTER)
        await screen.shows("1-1 of 1", "61")
        # Ctrl-C instead of a value changes nothing, and goes back.
        screen.type("e")
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
        screen.type(ENTER + "e")
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
