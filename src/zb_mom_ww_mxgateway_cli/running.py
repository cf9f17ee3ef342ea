"""Runs commands: their options, connections and work, and an orderly end in every case."""

import functools
import os
import signal
import threading
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

import click

from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayTransportError, MxGatewayWarning
from zb_mom_ww_mxgateway_console.connect.options import (
    Connection,
    connection_of_line,
    connection_options,
    profile_option,
)
from zb_mom_ww_mxgateway_console.process import endings
from zb_mom_ww_mxgateway_console.process.log_options import log_options
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_console.render.report_formats import REPORT_FORMATTERS

if TYPE_CHECKING:
    import asyncio

    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient, Session

Action = Callable[["GatewayClient"], Awaitable[None]]


class Gateways:
    """The connections of one command line: one for each set of options, open until the end.

    They share one event loop, which is created with the first call.
    """

    def __init__(self) -> None:
        self.interrupted = False
        """Whether Ctrl-C ended the last action, whatever it raised."""
        self._loop: asyncio.Runner | None = None
        self._clients: dict[ClientOptions, GatewayClient] = {}
        self._kept = ExitStack()

    def keep(self, log: AbstractContextManager[None]) -> None:
        """Enter the log of this command line, and leave it when the connections are closed."""
        self._kept.enter_context(log)

    def run(self, options: "ClientOptions", report: Report, action: Action) -> None:
        """Await `action` on a connected client. Raise its errors, and click.Abort for Ctrl-C and its like."""
        import asyncio  # Lazy: it would take a fifth of the time of --help.

        # The library raises gRPC's errors; what gRPC logs as well would come between the lines.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        self._loop = self._loop or asyncio.Runner()
        try:
            with _library_warnings(report):
                self._loop.run(self._acted(options, report, action))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise click.Abort from None

    async def _acted(self, options: "ClientOptions", report: Report, action: Action) -> None:
        import asyncio

        try:
            with _ended_by_signals(asyncio.get_running_loop(), asyncio.current_task()):
                await action(await self._connected(options, report))
        except MxGatewayTransportError:
            # The connection is broken: the next line opens another, and gets its own error.
            broken = self._clients.pop(options, None)
            if broken is not None:
                await broken.close()
            raise
        finally:
            task = asyncio.current_task()
            self.interrupted = task is not None and task.cancelling() > 0

    async def _connected(self, options: "ClientOptions", report: Report) -> "GatewayClient":
        from zb_mom_ww_mxgateway import GatewayClient  # Lazy: it loads gRPC, which only calls need.

        client = self._clients.get(options)
        if client is None:
            client = self._clients[options] = await GatewayClient.connect(options)
            known = client.trust.known
            if known and client.trust.is_first_use:
                remembered = " and remembered" if options.remember_certificate else ""
                report.notice(f"certificate {known.sha256} of {known.endpoint} trusted on first use{remembered}")
        return client

    async def _disconnected(self) -> None:
        while self._clients:
            await self._clients.popitem()[1].close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._kept:
            if self._loop is not None:
                try:
                    self._loop.run(self._disconnected())
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


@dataclass(frozen=True, slots=True)
class CommandRun:
    """One command line that runs; click's context object."""

    report: Report
    gateways: Gateways
    in_batch: bool = False
    """Whether it is a line of a batch: its streams need an end, and it does not read standard input."""


@asynccontextmanager
async def unknown_if_interrupted(call: str, endpoint: str) -> AsyncIterator[None]:
    """Around a call that changes the plant there: raise with ``outcome_unknown`` if it is cancelled."""
    import asyncio

    try:
        yield
    except asyncio.CancelledError:
        raise MxGatewayError(
            f"outcome unknown: {call} was interrupted before its answer came",
            endpoint=endpoint,
            call=call,
            outcome_unknown=True,
        ) from None


class Runner:
    """Runs the work of a command on a connected client."""

    def __init__(self, connection: Connection, command_run: CommandRun) -> None:
        self.connection = connection
        self.report = command_run.report
        self.in_batch = command_run.in_batch
        self._gateways = command_run.gateways

    def run(self, action: Action) -> None:
        """Connect if necessary, and await `action`. Raise its errors, and click.Abort for Ctrl-C."""
        options = self.connection.client_options()
        self.report.api_key = options.api_key
        self._gateways.run(options, self.report, action)

    def run_in(self, session_id: str, action: Callable[["Session"], Awaitable[None]]) -> None:
        """Run `action`, like :meth:`run`, on a session that was opened elsewhere."""

        async def in_session(client: "GatewayClient") -> None:
            await action(client.attach(session_id))

        self.run(in_session)

    def answer(
        self,
        session_id: str,
        known: dict[str, Any],
        call: Callable[["Session"], Awaitable[dict[str, Any]]],
        text: str,
    ) -> None:
        """Make one call on an open session and print its answer: what was `known`, what it found, and its duration.

        `text` is the answer for a person, with ``{fields}`` of the JSON object.
        """

        async def action(session: "Session") -> None:
            started = time.perf_counter()
            found = await call(session)
            taken = {"milliseconds": milliseconds_since(started), "ok": True, "session_id": session_id}
            form = {**known, **found, **taken}
            self.report.line(form, text.format(**form))

        self.run_in(session_id, action)


def milliseconds_since(started: float) -> float:
    """Return the milliseconds since that ``time.perf_counter()``."""
    return round((time.perf_counter() - started) * 1000, 3)


def report_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``, ``--output`` and ``--debug`` to a click command, which gets its Report as `report`."""

    def choose_debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            context.obj.report.debug = True

    def choose_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            choose_output(context, parameter, "jsonl")

    def choose_output(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        if value is None:
            return
        report: Report = context.obj.report
        if context.obj.in_batch and value != report.output:
            raise click.UsageError("lines of a batch are answered by JSON, an object a line")
        if report.output not in ("", value):
            raise click.UsageError("--json is --output jsonl: name one form of the output")
        report.choose(value)

    *descriptions, last = (each.description for each in REPORT_FORMATTERS.values())
    # Eager: an error in any other option is then reported in the form that was asked for.
    options = [
        click.option(
            "--json",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=choose_json,
            help="One JSON object a line; as --output jsonl.",
        ),
        click.option(
            "--output",
            type=click.Choice(list(REPORT_FORMATTERS)),
            is_eager=True,
            expose_value=False,
            callback=choose_output,
            help=f"How results look: {', '.join(descriptions)}, or {last}.",
        ),
        click.option(
            "--debug",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=choose_debug,
            help="Show a traceback with every error.",
        ),
    ]

    def keep(log: AbstractContextManager[None]) -> None:
        command_run: CommandRun = click.get_current_context().obj
        if command_run.in_batch:
            raise click.UsageError("--log-file is for the whole batch: mxgw-py batch --log-file FILE")
        command_run.gateways.keep(log)

    @log_options("mxgw-py", keep)
    @functools.wraps(function)
    def with_report(**arguments: Any) -> Any:
        return function(report=click.get_current_context().obj.report, **arguments)

    decorated: Any = with_report
    for option in reversed(options):
        decorated = option(decorated)
    return cast("Callable[..., Any]", decorated)


def form_asked_for(arguments: Sequence[str]) -> str:
    """Return the output form that a command line asks for whose options could not be read; empty for none."""
    words = f" {' '.join(arguments)} ".replace("=", " ")
    named = (name for name in REPORT_FORMATTERS if f" --output {name} " in words)
    return next(named, "jsonl" if "--json" in arguments else "")


def gateway_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that connects; it gets them as one Runner, `runner`."""

    @profile_option
    @connection_options
    @report_options
    @functools.wraps(function)
    def with_runner(connection: Connection, profile: str | None, report: Report, **arguments: Any) -> Any:
        command_run: CommandRun = click.get_current_context().obj
        if command_run.in_batch:
            connection, profile = connection_of_line(connection, profile)
        if profile is not None:
            from zb_mom_ww_mxgateway_console.connect.profiles import by_profile  # Lazy: most calls name none.

            connection = by_profile(profile, connection)
        return function(runner=Runner(connection, command_run), **arguments)

    return with_runner
