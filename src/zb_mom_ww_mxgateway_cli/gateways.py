"""The connections of one command line, which stay open until its end."""

import gc
import signal
import threading
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import click

from zb_mom_ww_mxgateway.errors import MxGatewayTransportError, MxGatewayWarning
from zb_mom_ww_mxgateway_cli.guarded_writes import GuardedWrites
from zb_mom_ww_mxgateway_cli.write_policy import GuardedRun, WritePolicy
from zb_mom_ww_mxgateway_console.process import endings
from zb_mom_ww_mxgateway_console.process.standard_streams import silence_grpc
from zb_mom_ww_mxgateway_console.render.report import Report

if TYPE_CHECKING:
    import asyncio

    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, Session

Action = Callable[["CommandConnection"], Awaitable[None]]


class CommandConnection:
    """One connection, with the guard of its writes, and the sessions that were attached to."""

    def __init__(self, options: "ClientOptions", policy: WritePolicy | None) -> None:
        self.guard: GuardedWrites = GuardedWrites(policy, self)
        self.failure: Exception | None = None
        """The error of the command that runs: a signal in the orderly end behind it must not hide it."""
        self._options = replace(options, write_guard=self.guard)
        self._client: GatewayClient | None = None
        self._sessions: dict[str, Session] = {}

    async def connect(self, report: Report) -> None:
        """Connect if it is not connected. Raise the library's errors."""
        from zb_mom_ww_mxgateway import GatewayClient  # Lazy: it loads gRPC, which only calls need.

        if self._client is not None:
            return
        self._client = await GatewayClient.connect(self._options)
        known = self._client.trust.known
        if known and self._client.trust.is_first_use:
            remembered = " and remembered" if self._options.remember_certificate else ""
            report.notice(f"certificate {known.sha256} of {known.endpoint} trusted on first use{remembered}")

    @property
    def client(self) -> "GatewayClient":
        """The client, once it is connected."""
        assert self._client is not None, "what needs a client runs on a connection"
        return self._client

    def attached(self, session_id: str) -> "Session":
        """Return a session that was opened elsewhere. It is kept: what it has seen says which tag a handle is."""
        self._sessions = {kept: session for kept, session in self._sessions.items() if not session.closed}
        if session_id not in self._sessions:
            self._sessions[session_id] = self.client.attach(session_id)
        return self._sessions[session_id]

    async def aclose(self) -> None:
        """Close the connection, then the journal of its writes."""
        if self._client is not None:
            await self._client.close()
        await self.guard.aclose()


class Gateways:
    """The connections of one command line: one for each set of options, open until the end.

    They share one event loop, which is created with the first call.
    """

    def __init__(self) -> None:
        self.interrupted = False
        """Whether Ctrl-C ended the last action, whatever it raised."""
        self._loop: asyncio.Runner | None = None
        self._all: dict[tuple[ClientOptions, WritePolicy | None], CommandConnection] = {}
        self._kept = ExitStack()

    def keep(self, log: AbstractContextManager[None]) -> None:
        """Enter the log of this command line, and leave it when the connections are closed."""
        self._kept.enter_context(log)

    def run(
        self,
        options: "ClientOptions",
        policy: WritePolicy | None,
        command: GuardedRun,
        action: Action,
        *,
        is_endless: bool = False,
    ) -> None:
        """Await `action` on a connected client. Raise its errors, and click.Abort for Ctrl-C and its like.

        With a policy, its writes are guarded by it and by what the command says of them. It is told where it waits long
        for the gateway; of one that `is_endless`, only while it connects.
        """
        import asyncio  # Lazy: it would take a fifth of the time of --help.

        silence_grpc()
        self._loop = self._loop or asyncio.Runner()
        key = options, policy
        if key not in self._all:
            self._all[key] = CommandConnection(*key)
        gateway = self._all[key]
        gateway.guard.begin(command)
        gateway.failure = None
        try:
            with _library_warnings(command.report):
                self._loop.run(self._acted(key, command, action, is_endless=is_endless))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise gateway.failure or click.Abort() from None

    async def _acted(
        self,
        key: tuple["ClientOptions", WritePolicy | None],
        command: GuardedRun,
        action: Action,
        *,
        is_endless: bool,
    ) -> None:
        import asyncio

        from zb_mom_ww_mxgateway_console.process.slow_answers import told_while_slow  # Lazy, as asyncio.

        gateway = self._all[key]
        try:
            with _ended_by_signals(asyncio.get_running_loop(), asyncio.current_task()):
                tell, endpoint = command.report.warning, key[0].endpoint
                with told_while_slow(f"connecting to {endpoint}", tell):
                    await gateway.connect(command.report)
                if not gc.isenabled():
                    # What is there now stays: the collector need not look at it again.
                    gc.freeze()
                    gc.enable()
                with nullcontext() if is_endless else told_while_slow(f"{command.command} at {endpoint}", tell):
                    await action(gateway)
        except MxGatewayTransportError as error:
            gateway.failure = error
            # The connection is broken: the next line opens another, and gets its own error.
            await self._all.pop(key).aclose()
            raise
        finally:
            task = asyncio.current_task()
            self.interrupted = task is not None and task.cancelling() > 0

    async def _disconnected(self) -> None:
        while self._all:
            await self._all.popitem()[1].aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc_info: object) -> None:
        with self._kept:
            if self._loop is not None:
                try:
                    self._loop.run(self._disconnected())
                except KeyboardInterrupt:
                    if kind is None:
                        raise  # Otherwise the error of the command says more.
                finally:
                    self._loop.close()


_REPEATED_SECONDS = 1.0


@contextmanager
def _ended_by_signals(loop: "asyncio.AbstractEventLoop", task: "asyncio.Task[Any] | None") -> Iterator[None]:
    """Let Ctrl-C and requests to end cancel the task.

    If that is not enough, as in a print that waits for its reader, another signal a second later ends that, too.
    """
    if task is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    from zb_mom_ww_mxgateway_console.process.wakeups import woken_by_signals  # Lazy, as asyncio.

    first: list[float] = []

    def handler(number: int, frame: object) -> None:
        if not first:
            first.append(time.monotonic())
            loop.call_soon_threadsafe(task.cancel)
        elif time.monotonic() - first[0] > _REPEATED_SECONDS:
            raise KeyboardInterrupt

    numbers = endings.numbers(endings.ENDING)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        numbers.remove(signal.SIGINT)  # a background job of a shell
    former = [(number, signal.signal(number, handler)) for number in numbers]
    try:
        with woken_by_signals(loop):
            yield
    finally:
        # A repeated signal must not kill the process before it reports the outcome of the call.
        if not first:
            for number, before in former:
                signal.signal(number, before)


@contextmanager
def _library_warnings(report: Report) -> Iterator[None]:
    """Show each warning of the library as one line, also a repeated one: it is about another session."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", MxGatewayWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any) -> None:
            if issubclass(category, MxGatewayWarning):
                report.warning(str(message))
            else:
                others(message, category, *where)

        warnings.showwarning = show  # type: ignore[assignment]  # *where: file and line, passed on
        yield
