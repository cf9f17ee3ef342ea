"""Runs commands: their options, connections and work, and an orderly end in every case."""

import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import click

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.recordings.columns import format_of
from zb_mom_ww_mxgateway_cli.gateways import CommandConnection, Gateways
from zb_mom_ww_mxgateway_cli.write_policy import GuardedRun, WritePolicy
from zb_mom_ww_mxgateway_console.connect.options import (
    Connection,
    connection_of_line,
    connection_options,
    names_another_gateway,
    profile_option,
)
from zb_mom_ww_mxgateway_console.connect.write_options import WriteConsent, consent_of_line, write_options
from zb_mom_ww_mxgateway_console.process.log_options import log_options
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_console.render.report_formats import REPORT_FORMATTERS
from zb_mom_ww_mxgateway_console.render.write_results import NOTHING_WRITTEN

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from zb_mom_ww_mxgateway import GatewayClient, LiveSession, Session
    from zb_mom_ww_mxgateway.live.followed_writes import FollowedCall
    from zb_mom_ww_mxgateway_console.connect.profiles import Profile


class CommandRun(NamedTuple):
    """One command line that runs; click's context object."""

    report: Report
    gateways: Gateways
    in_batch: bool = False
    """Whether it is a line of a batch: its streams need an end, and it does not read standard input."""


class Runner:
    """Runs the work of a command on a connected client."""

    def __init__(
        self, connection: Connection, command_run: CommandRun, policy: WritePolicy | None, consent: WriteConsent
    ) -> None:
        """With a `policy` its writes are guarded, by what the `consent` allows."""
        self.connection = connection
        self.report = command_run.report
        self.in_batch = command_run.in_batch
        self._gateways = command_run.gateways
        self._policy = policy
        self._consent = consent
        self._connected: CommandConnection | None = None

    def run(self, action: Callable[["GatewayClient"], Awaitable[None]], *, is_endless: bool = False) -> None:
        """Connect if necessary, and await `action`. Raise its errors, and click.Abort for Ctrl-C.

        One that `is_endless` waits for whatever comes; of any other it is told where it waits long for an answer.
        """
        self._run(lambda connection: action(connection.client), is_endless=is_endless)

    def run_in(
        self, session_id: str, action: Callable[["Session"], Awaitable[None]], *, is_endless: bool = False
    ) -> None:
        """Run `action`, like :meth:`run`, on a session that was opened elsewhere."""
        self._run(lambda connection: action(connection.attached(session_id)), is_endless=is_endless)

    def decide_by(self, live: "LiveSession") -> None:
        """Let the values of a live session decide about the writes of this command, if they are guarded."""
        if self._connected is not None:
            self._connected.guard.live = live

    def keep(self, error: Exception) -> None:
        """Have this error of the command reported, also where its orderly end is interrupted."""
        if self._connected is not None:
            self._connected.failure = error

    @asynccontextmanager
    async def interruptible(self, call: str) -> "AsyncIterator[list[FollowedCall]]":
        """Around a call that changes the plant, and what it needs before: if it is cancelled, raise with
        ``outcome_unknown`` where it was sent, and click.Abort where it was not.

        Yield the list of the writes in it that wait for their completion.
        """
        import asyncio

        from zb_mom_ww_mxgateway.live.followed_writes import followed_writes

        assert self._connected is not None, "what changes the plant runs on a connection"
        guard = self._connected.guard
        calls: list[FollowedCall] = []
        try:
            with followed_writes() as calls:
                yield calls
        except asyncio.CancelledError:
            if not guard.is_sent:
                raise click.Abort(NOTHING_WRITTEN) from None
            is_accepted = any(each.is_interrupted for each in calls)
            after = "after it was accepted and before its completion came" if is_accepted else "before its answer came"
            raise MxGatewayError(
                f"outcome unknown: {call} was interrupted {after}",
                endpoint=self._connected.client.options.endpoint,
                call=call,
                outcome_unknown=True,
            ) from None

    def _run(self, action: Callable[[CommandConnection], Awaitable[None]], *, is_endless: bool) -> None:
        async def connected(connection: CommandConnection) -> None:
            self._connected = connection
            await action(connection)

        options = self.connection.client_options()
        self.report.api_key = options.api_key
        command = GuardedRun(click.get_current_context().command_path, self._consent, self.report)
        self._gateways.run(options, self._policy, command, connected, is_endless=is_endless)

    def answer(
        self,
        session_id: str,
        known: dict[str, Any],
        call: Callable[["Session"], Awaitable[dict[str, Any]]],
        text: str,
        shown: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> None:
        """Make one call on an open session and print its answer: what was `known`, what it found, and its duration.

        `text` is the answer for a person, with ``{fields}`` of the JSON object, as `shown` returns them.
        """

        async def action(session: "Session") -> None:
            started = time.perf_counter()
            found = await call(session)
            taken = {"milliseconds": milliseconds_since(started), "ok": True, "session_id": session_id}
            form = {**known, **found, **taken}
            self.report.line(form, text.format(**shown(form)))

        self.run_in(session_id, action)


def milliseconds_since(started: float) -> float:
    """Return the milliseconds since that ``time.perf_counter()``."""
    return round((time.perf_counter() - started) * 1000, 3)


class FormOrFile(click.ParamType):  # type: ignore[type-arg]  # generic only in newer versions of click
    """An output form, or the file of a recording, by its ending."""

    name = "form|file"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> str | Path:
        if isinstance(value, Path) or value in REPORT_FORMATTERS:
            return cast("str | Path", value)
        if format_of(Path(value).suffix) is None:
            forms = ", ".join(REPORT_FORMATTERS)
            self.fail(
                f"{value!r} is none of {forms}, and no file that ends with .csv, .jsonl or .parquet.", param, context
            )
        return Path(value)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(REPORT_FORMATTERS)}|FILE]"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem]":
        from click.shell_completion import CompletionItem

        forms = [CompletionItem(name) for name in REPORT_FORMATTERS if name.startswith(incomplete)]
        return [*forms, CompletionItem(incomplete, type="file")]


def report_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``, ``--output`` and ``--debug`` to a click command, which gets its Report as `report`."""
    return _report_options(function, records=False)


def _report_options(function: Callable[..., Any], *, records: bool) -> Callable[..., Any]:
    """Add the options; with `records` the command gets the file that ``--output`` names, or None, as
    `recording`."""

    def choose_debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            context.obj.report.debug = True

    def choose_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            choose_output(context, parameter, "jsonl")

    def choose_output(context: click.Context, parameter: click.Parameter, value: str | Path | None) -> Path | None:
        if value is None or isinstance(value, Path):
            return value
        report: Report = context.obj.report
        if context.obj.in_batch and value != report.output:
            raise click.UsageError("lines of a batch are answered by JSON, an object a line")
        if report.output not in ("", value):
            raise click.UsageError("--json is --output jsonl: name one form of the output")
        report.choose(value)
        return None

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
            "recording",
            type=FormOrFile() if records else click.Choice(list(REPORT_FORMATTERS)),
            is_eager=True,
            expose_value=records,
            callback=choose_output,
            help=f"How results look: {', '.join(descriptions)}, or {last}."
            + " Or a file that ends with .csv, .jsonl or .parquet, which gets them as a recording." * records,
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
    return _gateway_options(function, records=False)


def recording_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that connects and may record; it gets them as `runner` and `recording`, the file."""
    return _gateway_options(function, records=True)


def _gateway_options(function: Callable[..., Any], *, records: bool) -> Callable[..., Any]:
    @profile_option
    @connection_options
    @functools.partial(_report_options, records=records)
    @functools.wraps(function)
    def with_runner(
        connection: Connection,
        profile: str | None,
        report: Report,
        consent: WriteConsent | None = None,
        **arguments: Any,
    ) -> Any:
        command_run: CommandRun = click.get_current_context().obj
        is_guarded = False
        if command_run.in_batch:
            is_guarded, consent = consent_of_line(consent, is_elsewhere=names_another_gateway(connection, profile))
            connection, profile = connection_of_line(connection, profile)
        consent = consent or WriteConsent()
        guarding: Profile | None = None
        if profile is not None:
            from zb_mom_ww_mxgateway_console.connect.profiles import by_profile  # Lazy: most calls name none.

            connection = by_profile(profile, connection)
            guarding = connection.profile
        policy = WritePolicy.of(guarding, consent) if is_guarded or guarding or consent.is_guarding else None
        if policy is None and consent.reason:
            raise click.UsageError("--reason is for the journal, which --profile, --arm or --limits begins")
        return function(runner=Runner(connection, command_run, policy, consent), **arguments)

    return with_runner


def consent_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--arm``, ``--reason``, ``--limits`` and ``--yes``; the command gets them as one WriteConsent, `consent`."""

    @click.option("--yes", "assume_yes", is_flag=True, help="Agree to a write that the limits want confirmed by yes.")
    @functools.wraps(function)
    def with_yes(consent: WriteConsent, assume_yes: bool, **arguments: Any) -> Any:
        return function(consent=consent._replace(assume_yes=assume_yes), **arguments)

    return write_options(with_yes)


def writing_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a command that connects and may write; it gets them as one Runner, `runner`."""
    return consent_options(gateway_options(function))
