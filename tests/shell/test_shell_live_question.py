"""A question that counts only what was typed after it was shown, and that ends by itself when it is void."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application, create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.input.typeahead import store_typeahead
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.output.plain_text import PlainTextOutput
from prompt_toolkit.output.vt100 import Vt100_Output
from shell_terminal import BACKSPACE, CTRL_C, CTRL_D, ENTER, ROWS, Terminal
from shell_waiting import DEADLINE, until

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_shell.terminal.live_question import LiveQuestion, QuestionVoid, SomebodyTypes, terminal_taken

QUESTION = "write 65.0? [y/N]"


class Asked:
    """A question at a terminal, and why it is void."""

    def __init__(self, terminal: Terminal, keys: PipeInput, output: Vt100_Output | PlainTextOutput) -> None:
        self.terminal = terminal
        self.keys = keys
        self.why_void = ""
        self.question = LiveQuestion(
            QUESTION, keys, output, void=lambda: self.why_void, hint=lambda: "void in 30 s, or when a value changes"
        )

    def ask(self) -> "asyncio.Task[str]":
        return asyncio.create_task(self.question.answer())


@asynccontextmanager
async def a_question(kind: type[Terminal] = Terminal) -> AsyncIterator[Asked]:
    with create_pipe_input() as keys:
        terminal = kind(keys, 80)
        output = Vt100_Output(terminal, lambda: Size(rows=ROWS, columns=80), enable_cpr=False)  # type: ignore[arg-type]
        with create_app_session(input=keys, output=output):
            yield Asked(terminal, keys, output)


async def test_it_is_answered_by_what_is_typed_after_it_was_shown() -> None:
    async with a_question() as asked:
        answer = asked.ask()
        await asked.terminal.shows(QUESTION, "void in 30 s")
        asked.terminal.type("yet" + BACKSPACE + "s")
        await asked.terminal.shows(f"{QUESTION} yes")
        asked.terminal.type(ENTER)
        assert await answer == "yes"
        assert "void in" not in asked.terminal.text
        assert f"{QUESTION} yes" in asked.terminal.text


class QuickToAnswer(Terminal):
    """Types an answer in the moment in which the hint is on the screen."""

    has_answered = False

    def write(self, text: str) -> None:
        super().write(text)
        if not self.has_answered and "void in 30 s" in self.text:
            self.has_answered = True
            self.type("n" + ENTER)


async def test_what_is_typed_as_soon_as_the_hint_is_shown_answers_it() -> None:
    async with a_question(QuickToAnswer) as asked:
        store_typeahead(asked.keys, [KeyPress("y"), KeyPress(Keys.ControlM)])
        assert await asyncio.wait_for(asked.ask(), DEADLINE) == "n"


@pytest.mark.parametrize("keys", [ENTER, CTRL_C, CTRL_D, "yes" + CTRL_C])
async def test_no_answer_is_empty(keys: str) -> None:
    async with a_question() as asked:
        answer = asked.ask()
        await asked.terminal.shows(QUESTION)
        asked.terminal.type(keys)
        assert await answer == ""


async def test_what_was_typed_ahead_answers_nothing() -> None:
    async with a_question() as asked:
        store_typeahead(asked.keys, [KeyPress("y"), KeyPress(Keys.ControlM)])
        asked.terminal.type("y" + ENTER)
        answer = asked.ask()
        await asked.terminal.shows(QUESTION, "typed before this question, and dropped")
        assert not answer.done()
        asked.terminal.type("n" + ENTER)
        assert await answer == "n"


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def with_sleep(self) -> float:
        return self.now

    def without_sleep(self) -> float:
        return self.now


async def test_it_waits_until_the_keyboard_is_quiet() -> None:
    """As in a paste that comes in pieces over a slow line: it is over before the question is shown."""
    hand = HandClock()
    async with a_question() as asked:
        with clock.replaced(hand):
            answer = asked.ask()
            await asked.terminal.shows("…")
            for count in range(1, 6):
                asked.terminal.type("y" + ENTER)
                await until(lambda count=count: asked.question._dropped == 2 * count)
                hand.now += 0.15
                await asyncio.sleep(0.1)  # It looks meanwhile, and does not take this for quiet.
                assert QUESTION not in asked.terminal.text
            hand.now += 0.15
            await asked.terminal.shows(QUESTION, "dropped")
            asked.terminal.type(CTRL_C)
            assert await answer == ""


async def test_a_paste_is_no_answer() -> None:
    async with a_question() as asked:
        answer = asked.ask()
        await asked.terminal.shows(QUESTION)
        asked.terminal.type("\x1b[200~yes\x1b[201~n" + ENTER)
        assert await answer == "n"


@pytest.mark.parametrize("is_shown", [True, False])
async def test_a_void_question_ends_by_itself(is_shown: bool) -> None:
    async with a_question() as asked:
        answer = asked.ask()
        if is_shown:
            await asked.terminal.shows(QUESTION)
            asked.terminal.type("ye")
            await asked.terminal.shows(f"{QUESTION} ye")
        asked.why_void = "Plant.Tank1.Level went bad"
        with pytest.raises(QuestionVoid, match="went bad"):
            await answer


async def test_a_question_that_is_void_with_its_last_key_has_no_answer() -> None:
    async with a_question() as asked:
        asked.question._void = lambda: (
            "it changed" if asked.question._typed and not asked.question._app.is_running else ""
        )
        answer = asked.ask()
        await asked.terminal.shows(QUESTION)
        asked.terminal.type("y" + ENTER)
        with pytest.raises(QuestionVoid, match="it changed"):
            await answer


async def test_cancelling_ends_it() -> None:
    async with a_question() as asked:
        answer = asked.ask()
        await asked.terminal.shows(QUESTION)
        answer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answer
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "question"]


async def test_nobody_is_asked_in_the_middle_of_a_line() -> None:
    async with a_question() as asked:
        prompt: PromptSession[str] = PromptSession("demo> ")
        reading = asyncio.create_task(prompt.prompt_async())
        await asked.terminal.shows("demo>")
        with pytest.raises(SomebodyTypes):
            async with terminal_taken():
                pytest.fail("it must not be taken")
        asked.terminal.type("read" + ENTER)
        assert await reading == "read"
        async with terminal_taken():
            pass


async def test_a_view_steps_back_for_a_question() -> None:
    async with a_question() as asked:
        view: Application[None] = Application(input=asked.keys, output=asked.question._output)
        showing = asyncio.create_task(view.run_async())
        await until(lambda: view.is_running)
        async with terminal_taken():
            answer = asked.ask()
            await asked.terminal.shows(QUESTION)
            asked.terminal.type("y" + ENTER)
            assert await answer == "y"
        view.exit()
        await showing


async def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    with create_pipe_input() as keys:
        terminal = Terminal(keys, 80)
        output = PlainTextOutput(terminal)  # type: ignore[arg-type]
        with create_app_session(input=keys, output=output):
            asked = Asked(terminal, keys, output)
            answer = asked.ask()
            await terminal.shows(QUESTION)
            terminal.type("yes" + ENTER)
            assert await answer == "yes"
            assert terminal.raw == f"{QUESTION} yes\n"
