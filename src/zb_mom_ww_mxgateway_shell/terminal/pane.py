"""The Python pane: ptpython on the shell's own event loop and objects."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import TypeAlias

from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import OneStyleAndTextTuple
from prompt_toolkit.formatted_text.utils import fragment_list_to_text
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import print_formatted_text
from ptpython.printer import OutputPrinter
from ptpython.repl import PythonRepl, ReplExit
from ptpython.utils import unindent_code

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.process.endings import INTERRUPT
from zb_mom_ww_mxgateway_console.text.terminal_text import safe, shortened
from zb_mom_ww_mxgateway_shell.errors import NO_PROGRAMS, ShellError
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, interruptible, on_signals
from zb_mom_ww_mxgateway_shell.python.namespace import ExitCalled, PythonNames, ctrl_c_ends_code_of, ended_by_itself
from zb_mom_ww_mxgateway_shell.terminal.abilities import silence_cursor_warning
from zb_mom_ww_mxgateway_shell.terminal.held_keys import HeldKeys
from zb_mom_ww_mxgateway_shell.terminal.histories import HistoryInMemory
from zb_mom_ww_mxgateway_shell.terminal.line_search import restore_line_after_search
from zb_mom_ww_mxgateway_shell.terminal.typed_text import SafeTextProcessor

# File name under which ptpython compiles typed input.
_FILENAME = "<stdin>"
# Most characters of a result or traceback: some screens.
_LONGEST = 20_000


class Pane(PythonRepl):
    """One visit to Python.

    ptpython's own ``embed`` reads in another thread, needs ``add_signal_handler`` and cannot be left with
    ``exit()`` from a coroutine. So the loop is here, and the rest is ptpython's.
    """

    def __init__(
        self,
        names: PythonNames,
        input: Input,
        output: Output,
        questions_over: Callable[[], Awaitable[None]],
        keys: HeldKeys,
        *,
        vi_mode: bool = False,
        debug: bool = False,
    ) -> None:
        """`questions_over` waits until no question about a write has the terminal; `keys` holds what is typed while
        code runs.
        """
        own_keys = KeyBindings()
        super().__init__(
            get_globals=lambda: names.namespace,
            input=input,
            output=output,
            extra_key_bindings=own_keys,
            vi_mode=vi_mode,
            _extra_buffer_processors=[SafeTextProcessor()],
        )
        silence_cursor_warning(self.app)
        restore_line_after_search(self.app, self.default_buffer, own_keys)
        self.history = self.default_buffer.history = HistoryInMemory()
        self._names = names
        self._questions_over = questions_over
        self._keys = keys
        self._debug = debug
        self.confirm_exit = False
        self.enable_input_validation = True
        self.enable_open_in_editor = False  # It would start a program.
        self.show_status_bar = vi_mode  # It shows the mode.
        self.terminal_title = None

    def _get_output_printer(self) -> OutputPrinter:
        return _Printer(
            output=self.app.output,
            input=self.app.input,
            style=self._current_style,
            style_transformation=self.style_transformation,
            title=self.title,
        )

    async def visit(self) -> None:
        """Read and run input until exit() or Ctrl-D."""
        self._add_to_namespace()
        self._keys.settle()
        self._introduce()
        try:
            # Ctrl-C between two inputs has nothing to stop and must not close the pane.
            with on_signals(INTERRUPT, lambda: None), self._names.reporting_tasks():
                await self._read_and_run()
        finally:
            self._remove_from_namespace()
            self._names.take_back()

    def _introduce(self) -> None:
        """Say what there is."""
        columns = self.app.output.get_size().columns
        rows = [row for line in self._names.introduction() for row in folded(safe(line), columns)]
        print_formatted_text(self.app.output, [("", "".join(f"{row}\n" for row in rows))], self._current_style)

    async def _read_and_run(self) -> None:
        while True:
            await self._questions_over()
            self._keys.hand_over()
            try:
                text = await self.app.run_async(handle_sigint=False, set_exception_handler=False)
            except EOFError:
                return
            except KeyboardInterrupt:
                self.default_buffer.document = Document()
                continue
            # Windows users leave Python with Ctrl-Z and Enter.
            if text.lstrip().startswith("\x1a"):
                return
            text = unindent_code(text)
            if text.strip() and not await self._run(text):
                return

    async def _run(self, text: str) -> bool:
        """Run one input; return False if it asked to leave."""
        if text.lstrip().startswith("!"):  # ptpython would hand it to the operating system.
            self.app.output.write(f"{NO_PROGRAMS}\n\n")
            self.app.output.flush()
            return True
        started = clock.monotonic()
        try:
            try:
                await interruptible(self._evaluated(text), INTERRUPT)
            finally:
                self._keys.settle()
        except (ReplExit, ExitCalled):
            return False
        except Interrupted:
            self._handle_keyboard_interrupt(KeyboardInterrupt())
            if warning := self._names.describe_writes(started):
                self.app.output.write(f"{warning}\n\n")
                self.app.output.flush()
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # no error of typed code may close the shell
            if isinstance(error, ShellError | MxGatewayError) and not self._debug:
                _hide_inner_frames(error)
            self._handle_exception(error)
        self.current_statement_index += 1
        self.signatures = []
        return True

    async def _evaluated(self, text: str) -> None:
        # Ctrl-C among what has arrived ends it.
        self._keys.resume()

        async def shown() -> None:
            result = await self.eval_async(text)
            if result is not None:
                self._show_result(result)

        with ctrl_c_ends_code_of(_FILENAME):
            await ended_by_itself(shown())


Fragments: TypeAlias = Generator[OneStyleAndTextTuple, None, None]


class _Printer(OutputPrinter):
    """Output of results and errors as ptpython formats them; only plain text without a key gets colours."""

    def _format_result_output(
        self, result: object, *, reformat: bool, highlight: bool, line_length: int, paginate: bool
    ) -> Fragments:
        made = super()._format_result_output(
            result, reformat=reformat, highlight=highlight, line_length=line_length, paginate=paginate
        )
        return _plain(made)

    def _format_exception_output(self, e: BaseException, highlight: bool) -> Fragments:
        return _plain(super()._format_exception_output(e, highlight))


def _plain(fragments: Iterable[OneStyleAndTextTuple]) -> Fragments:
    whole = list(fragments)
    text = fragment_list_to_text(whole)
    # Checks the whole text: the highlighter splits a key into several words.
    shown = shortened("\n".join(safe(line) for line in text.expandtabs().split("\n")), _LONGEST)
    yield from whole if shown == text else [("", shown)]


def _hide_inner_frames(error: BaseException) -> None:
    """Remove the shell's inner frames and causes from an error that is one line for people."""
    error.__cause__ = error.__context__ = None
    last, frame = None, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == _FILENAME:
            last = frame
        frame = frame.tb_next
    if last is not None:
        last.tb_next = None
