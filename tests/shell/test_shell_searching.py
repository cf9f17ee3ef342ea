"""Searches, of earlier lines and of a long result: given up, accepted, and without a match."""

from pathlib import Path

import pytest
from prompt_toolkit.history import InMemoryHistory
from shell_terminal import BACKSPACE, CTRL_C, ENTER, shell
from shell_waiting import until

CTRL_G, CTRL_R = "\x07", "\x12"
ESCAPE = "\x1b"
DOWN = "\x1b[B"
_WRITES = ("write Plant.Tank1.LevelSP 11", "write Plant.Tank1.LevelSP 12", "status")


@pytest.mark.parametrize("given_up", [CTRL_G, CTRL_C])
@pytest.mark.parametrize("keys", ["emacs", "vi"])
async def test_a_search_that_is_given_up_leaves_the_line_from_before_it(
    tmp_path: Path, keys: str, given_up: str
) -> None:
    async with shell(tmp_path, history=InMemoryHistory(_WRITES)) as sh:
        screen = sh.terminal
        await screen.enter(f"set keys {keys}", f"\nkeys {keys}")
        await screen.prompted()
        screen.type("echo here")
        await screen.shows("demo> echo here")
        screen.type(f"{CTRL_R}SP{CTRL_R}{CTRL_R}")
        await screen.shows("`SP': write Plant.Tank1.LevelSP 11")
        screen.type(given_up)
        await screen.shows("demo> echo here")
        await screen.gone("write Plant")
        if keys == "vi":
            screen.type("A")  # It is in normal mode.
        await screen.enter("!", "\nhere!")
        assert not sh.gateway.writes


async def test_a_search_that_is_given_up_before_anything_was_typed_leaves_an_empty_line(tmp_path: Path) -> None:
    async with shell(tmp_path, history=InMemoryHistory(_WRITES)) as sh:
        screen = sh.terminal
        await screen.prompted()
        screen.type(f"{CTRL_R}SP{CTRL_R}")
        await screen.shows("`SP': write Plant.Tank1.LevelSP 11")
        screen.type(CTRL_G)
        await screen.gone("write Plant")
        await screen.enter("echo nothing else", "\nnothing else")
        assert not sh.gateway.writes


@pytest.mark.parametrize("columns", [40, 110])
async def test_a_search_of_earlier_lines_without_a_match_says_so(tmp_path: Path, columns: int) -> None:
    history = InMemoryHistory(["echo one", "echo two"])
    async with shell(tmp_path, history=history, columns=columns, cursor_reports=True) as sh:
        screen = sh.terminal
        await screen.prompted()
        screen.type(f"{CTRL_R}ECHO")
        await screen.shows("`ECHO': echo two")
        assert "no earlier line" not in screen.text
        screen.type("x")
        await screen.shows("no earlier line has ECHOx")
        screen.type(BACKSPACE + CTRL_R)
        await screen.shows("`ECHO': echo one")
        await screen.gone("no earlier line")
        screen.type(CTRL_G)
        await screen.gone("echo")


async def test_a_line_that_is_found_is_whole_on_a_narrow_screen(tmp_path: Path) -> None:
    async with shell(tmp_path, history=InMemoryHistory(_WRITES), columns=40, cursor_reports=True) as sh:
        screen = sh.terminal
        await screen.prompted()
        screen.type(f"{CTRL_R}SP")
        await screen.shows("`SP': write Plant.Tank\n1.LevelSP 12")
        screen.type(CTRL_R)
        await screen.shows("`SP': write Plant.Tank\n1.LevelSP 11")
        screen.type(CTRL_G)
        await screen.gone("LevelSP")


async def test_in_vi_backspace_in_an_empty_search_gives_it_up(tmp_path: Path) -> None:
    async with shell(tmp_path, history=InMemoryHistory(_WRITES)) as sh:
        screen = sh.terminal
        await screen.enter("set keys vi", "\nkeys vi")
        await screen.prompted()
        screen.type(f"{CTRL_R}SP{CTRL_R}")
        await screen.shows("`SP': write Plant.Tank1.LevelSP 11")
        screen.type(BACKSPACE * 3)
        await screen.gone("write Plant")


async def test_an_accepted_search_still_leaves_what_was_found(tmp_path: Path) -> None:
    async with shell(tmp_path, history=InMemoryHistory(["echo one", "echo two"])) as sh:
        screen = sh.terminal
        await screen.prompted()
        screen.type(f"{CTRL_R}echo{CTRL_R}{ENTER}")
        await screen.shows("demo> echo one\n")
        await screen.gone("search")
        screen.type(ENTER)
        await screen.shows("\none\n")


async def test_a_search_given_up_in_python_leaves_the_line_from_before_it(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("py", ">>>")
        await screen.enter("'fir' + 'st'", "first")
        await screen.enter("'sec' + 'ond'", "second")
        await until(screen.takes_lines)
        screen.type("'he' + 're'")
        await screen.shows(">>> 'he' + 're'")
        screen.type(f"{CTRL_R}sec{CTRL_R}")
        await until(lambda: screen.text.count("'sec' + 'ond'") == 2, lambda: screen.text)
        screen.type(CTRL_G)
        await screen.gone("search")
        await screen.enter("", "\n'here'")
        await screen.enter("exit()")


async def test_a_search_of_a_long_result_without_a_match_says_so(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter("help all", " 1-38 of")
        screen.type("/nothingofthekind" + ENTER)
        await screen.shows(" not found: nothingofthekind · / finds another, q leaves")
        screen.type("N")
        await screen.shows(" not found: nothingofthekind")
        screen.type(DOWN)
        await screen.shows(" 2-39 of")
        # Esc gives a search up, and the next one begins empty.
        screen.type("/else" + ESCAPE)
        await screen.shows(" 2-39 of")
        screen.type("/write-elements" + ENTER)
        await until(lambda: screen.text.split("\n")[0].startswith("  write-elements"), lambda: screen.text)
        screen.type("q")
        await screen.shows("lines)")


async def test_a_search_of_a_long_result_finds_what_is_folded(tmp_path: Path) -> None:
    async with shell(tmp_path, columns=40) as sh:
        screen = sh.terminal
        await screen.enter("help all", " 1-38 of")
        screen.type("/by some of its elements" + ENTER)
        await until(lambda: screen.text.split("\n")[0].startswith("  write-elements"), lambda: screen.text)
        assert "by some of its elements" not in screen.text
        screen.type("/not there at all, and longer than the screen is wide" + ENTER)
        await screen.shows(" not found: not there at all")
        assert all(len(line) <= 40 for line in screen.text.split("\n"))
        screen.type("q")
        await screen.shows("lines)")
