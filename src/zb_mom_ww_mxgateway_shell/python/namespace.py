"""The names that Python code has in the shell, and Ctrl-C that ends such code."""

import asyncio
import builtins
import signal
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.kept_secrets import without_kept
from zb_mom_ww_mxgateway_shell.errors import Failure, NotMet, ShellError
from zb_mom_ww_mxgateway_shell.language.variables import OWN_NAMES, VariableWord, value_of
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.output.results import Result, problems_of, returned_by
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted
from zb_mom_ww_mxgateway_shell.process.tasks import UnawaitedTasks
from zb_mom_ww_mxgateway_shell.scripts.executor import UNSURE, Follow, LineRun, Outcome, command_of
from zb_mom_ww_mxgateway_shell.state.bound_context import BoundContext
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.standing_checks import CheckOutcome

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_MOST_NAMED = 5
"""Names of a person that the introduction has."""
HIDDEN = ("__name__", "__builtins__", "get_ptpython", "exit", "__file__")
Show = Callable[[Result | None], Awaitable[None]]
"""Shows a result, in the way of a front end."""


def not_done(result: Result) -> ShellError:
    """Return the error for a line whose result says that it was not done."""
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
            **{name: value_of(value) for name, value in context.names.items() if not _is_secret(value)},
            "mx": self.mx,
        }
        self.refresh()
        self._given = dict(self.namespace)

    def mx(self, line: str) -> Coroutine[Any, Any, Any]:
        """Run a line of the shell, show its result and return its value; of tags that were read, with their quality.

        It uses the connection that is current at this call, even if a task runs it later. Raise the errors of the line,
        and ShellError if it was refused or its outcome is unknown.
        """
        context = BoundContext(self._context)

        async def mx() -> Any:  # Python names it so in the warning about a forgotten await.
            result = (await self.run(context, line)).unwrap()
            if result is not None and result.exit_code != 0:
                raise not_done(result)
            await self._show(result)
            return result and returned_by(result)

        return mx()

    def introduction(self) -> list[str]:
        """Return two lines that say what there is."""
        own = [name for name in self._context.names if name in self.namespace]
        named = ", ".join(own[:_MOST_NAMED]) + (f" and {len(own) - _MOST_NAMED} more" if own[_MOST_NAMED:] else "")
        names = f"live, session, client, items, asyncio, _{f', and {named}' if named else ''}"
        none = "" if self._context.live else f" ({self._context.state}: live, session and client are None)"
        return [
            f"Python on this session: {names}{none}",
            'await mx("read TAG") runs a line of the shell; live["TAG"] has value, quality, age; exit() goes back',
        ]

    async def run(self, context: Context, line: str, statement: Statement | None = None) -> Outcome:
        """Run a line of the shell, and update the names afterwards.

        Without a person at a prompt it fails, too, where a check that stands is broken, or was when its step ended.
        """
        standing, outcome = context.file.standing, Outcome(None)
        try:
            command = command_of(context, line)
            if command is not None and command.traits.begins_step:
                await self.end_standing()
            standing.statement = statement or Statement(line, 0)
            outcome = await LineRun(context, line, statement).run(self._follow)
            if outcome.error is None and not context.interactive:
                self._raise_first(self._told(standing.look()))
        except NotMet as error:
            context.failure = Failure(error, line)
            return outcome._replace(error=error)
        finally:
            self.refresh()
        return outcome

    async def end_standing(self) -> None:
        """End the checks that stand until the step ends: show what they saw, or raise NotMet for one that is broken."""
        outcomes = self._told(await self._context.file.standing.end())
        for each in outcomes:
            await self._show(each.result)
        self._raise_first(outcomes)

    def _told(self, outcomes: Sequence[CheckOutcome]) -> Sequence[CheckOutcome]:
        """Return the outcomes of checks that are over, once they are told to whoever keeps them."""
        for each in outcomes:
            self.tell_check(each)
        return outcomes

    def tell_check(self, outcome: CheckOutcome) -> None:
        """Keep the outcome of a check that is over, where somebody wants it."""

    def _raise_first(self, outcomes: Sequence[CheckOutcome]) -> None:
        """Raise the error of the first broken check; report those of the others."""
        broken = [each.error for each in outcomes if each.error is not None]
        for other in broken[1:]:
            self._context.alert(str(other))
        if broken:
            raise broken[0]

    def reporting_tasks(self) -> UnawaitedTasks:
        """Return a context in which failures of tasks that nobody awaits are reported, a line each."""
        return UnawaitedTasks(lambda error: self._context.alert(f"in the background: {type(error).__name__}: {error}"))

    def refresh(self) -> None:
        """Update the names of the shell's objects."""
        context = self._context
        live = context.live
        self.namespace |= {
            "client": context.client,
            "session": live.session if live else None,
            "live": live,
            "items": context.items,
            "_": context.last,
        }

    def describe_writes(self, since: float) -> str:
        """Return the warning for interrupted code; empty unless it started a write whose effect is unknown.

        Writes count `since` then (monotonic seconds), by a line of the shell or by the library.
        """
        connections = self._context.connections.values()
        if any(_is_unsure(each, since) for each in connections):
            return UNSURE
        count = sum(each.live.unsettled_writes(since) for each in connections)
        writes = "a write was" if count == 1 else f"{count} writes were"
        return f"{writes} accepted, and no completion was seen: effect unknown" if count else ""

    def take_back(self) -> None:
        """Copy the names that were set, and the last result, to the context."""
        given, context = self._given, self._context
        context.names |= {
            name: value
            for name, value in self.namespace.items()
            if name not in HIDDEN and not (name in given and given[name] is value) and not name.startswith("_")
        }
        for name in OWN_NAMES:
            context.names.pop(name, None)
        context.last = self.namespace.get("_")


def _is_secret(value: Any) -> bool:
    """Return whether a value holds a secret, which only lines of the shell get."""
    return isinstance(value, VariableWord) and without_kept(value.text) != value.text


def _is_unsure(connected: "GatewayConnection", since: float) -> bool:
    # The live session knows how its own writes ended; for other sessions that is unknown here.
    own = connected.live.session.session_id
    others = (at for session_id, at in connected.desk.records.sent_in.items() if session_id != own)
    return any(at >= since for at in others) or connected.live.unsettled_writes(since, unanswered=True) > 0


async def ended_by_itself(work: Awaitable[Any]) -> Any:
    """Await a person's code. KeyboardInterrupt and SystemExit, which would end the event loop, become Interrupted and
    :class:`ExitCalled`."""
    try:
        return await work
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None
    except SystemExit as error:
        raise ExitCalled(error.code) from None


class ExitCalled(Exception):
    """The code called ``exit()``."""

    def __init__(self, code: Any) -> None:
        super().__init__(code)
        self.code = code


@contextmanager
def ctrl_c_ends_code_of(filename: str) -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt in code of that file, while it runs in the present task.

    While it awaits, and the loop runs, the former handler is called.
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
