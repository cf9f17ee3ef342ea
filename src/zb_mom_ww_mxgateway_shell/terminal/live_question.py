"""A question that only an answer typed after it was shown can answer, and that ends by itself when it is void."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from prompt_toolkit.application import Application, get_app_or_none, in_terminal
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPress, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import BufferControl, FormattedTextControl, Layout, Window
from prompt_toolkit.output import DummyOutput, Output

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, safe
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.terminal.abilities import is_dumb, silence_cursor_warning
from zb_mom_ww_mxgateway_shell.terminal.redrawing import leave

_QUIET_SECONDS = 0.2
"""How long nothing must have been typed before the question is shown: what is typed ahead, or comes of a paste over a
slow line, is over then."""
_LOOK_SECONDS = 0.1
_LONGEST = 1_000
"""Characters of an answer."""


class QuestionVoid(Exception):
    """The question was void before it was answered; the text says why."""


class LiveQuestion:
    """One question on one line. Nothing is completed, recalled or pasted: each character is typed."""

    def __init__(
        self, question: str, input: Input, output: Output, *, void: Callable[[], str], hint: Callable[[], str]
    ) -> None:
        """`void` returns why the question is void, empty while it is not; `hint` is shown below the question as soon as
        what is typed answers it.
        """
        self._question = safe(question)
        self._void = void
        self._hint = hint
        self._input = input
        self._output = output
        self._is_dumb = is_dumb()
        self._is_shown = False
        self._accepts = False
        self._typed = ""
        self._dropped = 0
        self._last_key_at = 0.0
        self._app: Application[str] = Application(
            layout=Layout(Window(FormattedTextControl(self._text), dont_extend_height=True, wrap_lines=True)),
            key_bindings=self._keys(),
            input=input,
            output=DummyOutput() if self._is_dumb else output,
        )
        silence_cursor_warning(self._app)

    async def answer(self) -> str:
        """Return what is typed after the question was shown, without spaces around it; empty for Ctrl-C and Ctrl-D.

        Raises QuestionVoid as soon as the question is void, also in the moment in which Enter is pressed.
        """
        self._count_dropped(get_typeahead(self._input))
        self._last_key_at = clock.monotonic()
        self._app.after_render += self._rendered
        watching = asyncio.create_task(self._watch(), name="question")
        watching.add_done_callback(lambda _: leave(self._app))
        answer: str | None = ""
        try:
            with suppress(EOFError):  # The terminal is gone.
                answer = await self._app.run_async(handle_sigint=False)
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            self._echo("\n")
        if not watching.cancelled() and (error := watching.exception()):
            raise error
        if reason := self._void():
            raise QuestionVoid(reason)
        return (answer or "").strip()

    async def _watch(self) -> None:
        """Show the question when the keyboard is quiet; raise QuestionVoid when it is void."""
        while True:
            if reason := self._void():
                raise QuestionVoid(reason)
            if not self._is_shown and clock.monotonic() - self._last_key_at >= _QUIET_SECONDS:
                self._is_shown = True
            self._app.invalidate()
            await asyncio.sleep(_LOOK_SECONDS)

    def _rendered(self, _: object) -> None:
        """Drop what had arrived before the first picture, and before the first one with the question."""
        if self._accepts:
            return
        arrived = [*self._input.read_keys(), *self._input.flush_keys()]
        self._count_dropped(arrived)
        # What was asked of the terminal itself is answered by keys, too.
        self._app.key_processor.feed_multiple([key for key in arrived if key.key == Keys.CPRResponse])
        self._app.key_processor.process_keys()
        if self._is_shown:
            self._accepts = True
            self._app.invalidate()
            self._echo(f"{self._question} ")

    def _count_dropped(self, keys: Sequence[KeyPress]) -> None:
        if typed := sum(key.key != Keys.CPRResponse for key in keys):
            self._dropped += typed
            self._last_key_at = clock.monotonic()

    def _text(self) -> StyleAndTextTuples:
        if not self._is_shown:
            return [("", "…")]
        columns = self._output.get_size().columns
        question = "\n".join(folded(self._question, columns - 1))
        shown: StyleAndTextTuples = [("", f"{question} {safe(self._typed)}"), ("[SetCursorPosition]", "")]
        if self._app.is_done or not self._accepts:
            return shown
        dropped = "typed before this question, and dropped; " if self._dropped else ""
        return [*shown, ("", f"\n  {cut(safe(dropped + self._hint()), columns - 3)}")]

    def _echo(self, text: str) -> None:
        """Write to a terminal that shows only lines; any other shows the application."""
        if self._is_dumb:
            self._output.write(text)
            self._output.flush()

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        accepts = Condition(lambda: self._accepts)

        @keys.add("c-c")
        @keys.add("c-d")
        def _(event: KeyPressEvent) -> None:
            event.app.exit(result="")

        @keys.add("<any>", filter=~accepts)
        def _(event: KeyPressEvent) -> None:
            self._count_dropped(event.key_sequence)

        @keys.add("enter", filter=accepts)
        def _(event: KeyPressEvent) -> None:
            event.app.exit(result=self._typed)

        @keys.add("backspace", filter=accepts)
        def _(event: KeyPressEvent) -> None:
            if self._typed:
                self._typed = self._typed[:-1]
                self._echo("\b \b")

        @keys.add("<any>", filter=accepts)
        def _(event: KeyPressEvent) -> None:
            (press,) = event.key_sequence
            if press.key != Keys.BracketedPaste and press.data.isprintable() and len(self._typed) < _LONGEST:
                self._typed += press.data
                self._echo(press.data)

        return keys


class SomebodyTypes(Exception):
    """A line is being typed at this terminal."""


@asynccontextmanager
async def terminal_taken() -> AsyncIterator[None]:
    """Have the terminal for a question, while a view such as that of a wait steps back.

    Raises SomebodyTypes where a person is typing a line: a question in its middle would get an answer to another one.
    """
    app = get_app_or_none()
    if app is None or not app.is_running:
        yield
        return
    if isinstance(app.layout.current_control, BufferControl):
        raise SomebodyTypes
    async with in_terminal():
        yield
