"""The question before a write at this terminal: it shows the selection, and ends with it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from zb_mom_ww_mxgateway.safety.selection import Selection
from zb_mom_ww_mxgateway_shell.output.selection_panel import hint_text, panel_lines, question_text
from zb_mom_ww_mxgateway_shell.terminal.live_question import (
    LiveQuestion,
    QuestionVoid,
    SomebodyTypes,
    terminal_taken,
)

_IN_THE_BACKGROUND = (
    "it was made in the background while a line is being typed, so nobody can be asked: await it at the prompt, or put "
    "it into a file that declares requires write"
)


class SelectionQuestions:
    """Asks about one selection after the other."""

    def __init__(
        self,
        input: Input,
        output: Output,
        show: Callable[[str], None],
        record: Callable[[str], None],
        stepped_back: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        """`show` writes a line to the terminal, on which no application runs then; `record` copies what was typed.

        The view of the command that runs leaves the terminal within `stepped_back`.
        """
        self._input = input
        self._output = output
        self._show = show
        self._record = record
        self._stepped_back = stepped_back
        self._one_at_a_time = asyncio.Lock()

    async def over(self) -> None:
        """Wait until no question is open. Await it before another application has the terminal: one of two that read
        keys at the same time would take those of the other, and the keyboard with it."""
        async with self._one_at_a_time:
            pass

    async def ask(self, selection: Selection, where: str) -> str:
        """Return the answer, typed after the selection was shown; empty where there is none or the selection is void.

        `where` names the connection.
        """
        try:
            async with self._one_at_a_time, self._stepped_back(), terminal_taken():
                if selection.void():
                    return ""
                for line in panel_lines(selection, where):
                    self._show(line)
                text = question_text(selection, where)
                question = LiveQuestion(
                    text,
                    self._input,
                    self._output,
                    void=selection.void,
                    hint=lambda: hint_text(selection),
                )
                answer = await question.answer()
                self._record(f"{text} {answer}")
                return answer
        except QuestionVoid:
            pass  # The selection says why.
        except SomebodyTypes:
            selection.call_off(_IN_THE_BACKGROUND)
        return ""
