"""The Python pane: ptpython on the shell's own event loop and objects."""

import asyncio
import builtins
from collections.abc import Awaitable, Callable
from typing import Any

from prompt_toolkit.document import Document
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output
from ptpython.repl import PythonRepl, ReplExit
from ptpython.utils import unindent_code

from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.interrupts import INTERRUPT, Interrupted, interruptible

HIDDEN = ("__name__", "__builtins__", "get_ptpython", "exit")


class Pane(PythonRepl):
    """One visit to Python.

    ptpython's own ``embed`` reads in another thread, needs ``add_signal_handler`` and cannot be left
    with ``exit()`` from a coroutine; so the loop is here, and the rest is ptpython's.
    """

    def __init__(self, namespace: dict[str, Any], input: Input, output: Output) -> None:
        super().__init__(get_globals=lambda: namespace, input=input, output=output)
        self.confirm_exit = False
        self.enable_input_validation = True
        self.show_status_bar = False
        self.terminal_title = None

    async def visit(self) -> None:
        """Reads and runs until exit() or Ctrl-D."""
        self._add_to_namespace()
        try:
            while True:
                try:
                    text = await self.app.run_async(handle_sigint=False)
                except EOFError:
                    return
                except KeyboardInterrupt:
                    self.default_buffer.document = Document()
                    continue
                # Ctrl-Z and Enter, as Windows users leave Python.
                if text.lstrip().startswith("\x1a"):
                    return
                text = unindent_code(text)
                if text.strip() and not await self._run(text):
                    return
        finally:
            self._remove_from_namespace()

    async def _run(self, text: str) -> bool:
        """Runs one input; False when it asked to leave."""
        try:
            result = await interruptible(self.eval_async(text), INTERRUPT)
        except (ReplExit, SystemExit):
            return False
        except Interrupted:
            self._handle_keyboard_interrupt(KeyboardInterrupt())
        except Exception as error:
            self._handle_exception(error)
        else:
            if result is not None:
                self._show_result(result)
        self.current_statement_index += 1
        self.signatures = []
        return True


def namespace_of(context: Context, mx: Callable[[str], Awaitable[Any]]) -> dict[str, Any]:
    """What Python sees: the shell's objects as they are now, and the names set on earlier visits."""
    return {
        "__name__": "__main__",
        "__builtins__": builtins,
        "asyncio": asyncio,
        **context.names,
        "client": context.client,
        "session": context.live.session if context.live else None,
        "live": context.live,
        "items": context.items,
        "mx": mx,
        "_": context.last,
    }
