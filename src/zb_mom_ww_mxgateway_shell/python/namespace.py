"""What Python in the shell has: the shell's own objects under their names, and Ctrl-C that ends code as well."""

import asyncio
import builtins
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.variables import OWN_NAMES, value_of
from zb_mom_ww_mxgateway_shell.output.results import Result, problems_of
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted
from zb_mom_ww_mxgateway_shell.process.tasks import UnaskedTasks
from zb_mom_ww_mxgateway_shell.scripts.executor import UNSURE, Follow, LineRun, Outcome
from zb_mom_ww_mxgateway_shell.state.context import BoundContext, Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

HIDDEN = ("__name__", "__builtins__", "get_ptpython", "exit", "__file__")
Show = Callable[[Result | None], Awaitable[None]]
"""How a front end shows a result."""


def not_done(result: Result) -> ShellError:
    """What a line raises that ended by itself, and not as asked for: by the lines that say what was not done, where
    there are such."""
    return ShellError(" ".join(problems_of(result) or result.lines()), result.exit_code)


class PythonNames:
    """The global names of Python code on the shell's context."""

    def __init__(self, context: Context, follow: Follow, show: Show) -> None:
        self._context = context
        self._follow = follow
        self._show = show
        self.namespace: dict[str, Any] = {
            "__name__": "__main__",
            "__builtins__": builtins,
            "asyncio": asyncio,
            **{name: value_of(value) for name, value in context.names.items()},
            "mx": self.mx,
        }
        self.refresh()
        self._given = dict(self.namespace)

    def mx(self, line: str) -> Coroutine[Any, Any, Any]:
        """Runs a line of the shell, shows its result and returns its value.

        It is for the connection that is current at this call, whenever a task comes to it. Raises what is wrong with
        it, and ShellError for what was refused, or of which nothing is known.
        """
        context = BoundContext(self._context)

        async def mx() -> Any:  # So Python calls it where an await is forgotten.
            result = (await self.run(context, line)).unwrap()
            if result is not None and result.exit_code != 0:
                raise not_done(result)
            await self._show(result)
            return result and result.value

        return mx()

    async def run(self, context: Context, line: str) -> Outcome:
        """Runs a line of the shell; the names are as it left them."""
        try:
            return await LineRun(context, line).run(self._follow)
        finally:
            self.refresh()

    def tasks_told(self) -> UnaskedTasks:
        """Says in a line what tasks fail with that nobody asks."""
        return UnaskedTasks(lambda error: self._context.alert(f"in the background: {type(error).__name__}: {error}"))

    def refresh(self) -> None:
        """Puts the shell's objects under their names, as they are now."""
        context = self._context
        live = context.live
        self.namespace |= {
            "client": context.client,
            "session": live.session if live else None,
            "live": live,
            "items": context.items,
            "_": context.last,
        }

    def said_of_writes(self, since: float) -> str:
        """What is to be said of code that was interrupted, if it has asked for a write since then (monotonic seconds),
        by a line or by the library, of which it is not known how it ended; else nothing."""
        return UNSURE if any(_is_unsure(each, since) for each in self._context.connections.values()) else ""

    def take_back(self) -> None:
        """Gives the context the names that were set, and the last result."""
        given, context = self._given, self._context
        context.names |= {
            name: value
            for name, value in self.namespace.items()
            if name not in HIDDEN and not (name in given and given[name] is value) and not name.startswith("_")
        }
        for name in OWN_NAMES:
            context.names.pop(name, None)
        context.last = self.namespace.get("_")


def _is_unsure(connected: "GatewayConnection", since: float) -> bool:
    # The live session knows how its own writes ended; of others nobody here does.
    own = connected.live.session.session_id
    others = (at for session_id, at in connected.arming.asked_in.items() if session_id != own)
    return any(at >= since for at in others) or connected.live.unsettled_writes(since) > 0


async def ended_by_itself(work: Awaitable[Any]) -> Any:
    """Awaits code of a person's; KeyboardInterrupt and SystemExit, which would end the event loop, become Interrupted
    and :class:`Left`."""
    try:
        return await work
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None
    except SystemExit as error:
        raise Left(error.code) from None


class Left(Exception):
    """The code asked to leave: ``exit()``."""

    def __init__(self, code: Any) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def ctrl_c_ends_code_of(filename: str) -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt in code of that file while it runs, in the present task.

    While it awaits, and so the loop runs, the handler that was there has its turn.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    task = asyncio.current_task()
    former = signal.getsignal(signal.SIGINT)

    def handler(number: int, frame: FrameType | None) -> None:
        if _runs(filename, frame) and asyncio.current_task() is task:
            raise KeyboardInterrupt
        if callable(former):
            former(number, frame)

    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _runs(filename: str, frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == filename:
            return True
        frame = frame.f_back
    return False
