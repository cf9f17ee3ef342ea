"""The commands of ``mxgw-py``.

A command is a click function with ``@gateway_options``: it checks its arguments, and gives its runner an
action for the connected client. Exit codes, errors and JSON come from the runner and its report.
"""

import os
import platform
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.values import INT32, TYPE_NAMES, Typed
from zb_mom_ww_mxgateway.version import GATEWAY_PROTOCOL_VERSION, __version__
from zb_mom_ww_mxgateway_cli.output import ExitCode, value_form
from zb_mom_ww_mxgateway_cli.report import Report
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options, report_options
from zb_mom_ww_mxgateway_cli.text_values import parse_duration, parse_value

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient

HANDLE = click.IntRange(1, INT32[1])
SEQUENCE = click.IntRange(0, 2**64 - 1)


def _seconds(context: click.Context, parameter: click.Parameter, text: str | None) -> float | None:
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None


def _not_blank(context: click.Context, parameter: click.Parameter, text: str) -> str:
    if not text.strip():
        raise click.BadParameter("must not be empty", context, parameter)
    return text


session_id_option: Callable[..., Any] = click.option(
    "--session-id", required=True, callback=_not_blank, metavar="ID", help="The session's id: session-…"
)


@click.group(
    invoke_without_command=True,
    epilog="""\b
Exit codes:
  0  done                             4    cannot connect or authenticate
  1  expectation not met              5    refused by a local guard
  2  usage                            6    outcome unknown; never sent again
  3  refused by gateway or MXAccess   130  interrupted

\b
With --json everything is one JSON object a line on standard output, with
sorted keys and times in UTC. An error is the last line, also there:
{"error": {"exit_code": 3, "message": "…", "type": "…", …}, "ok": false}""",
)
@click.version_option(__version__, prog_name="mxgw-py", message="%(prog)s %(version)s")
@click.pass_context
def mxgw_py(context: click.Context) -> None:
    """One-shot commands for an MXAccess gateway. mxgw-shell keeps a session."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(ExitCode.USAGE)


@mxgw_py.command(epilog='JSON: {"gateway_protocol_version": 3, "ok": true, "python": "3.12.1", "version": "0.1.0"}')
@report_options
def version(report: Report) -> None:
    """The version of this tool."""
    form = {
        "gateway_protocol_version": GATEWAY_PROTOCOL_VERSION,
        "ok": True,
        "python": platform.python_version(),
        "version": __version__,
    }
    report.line(form, f"mxgw-py {__version__}")


@mxgw_py.command(
    epilog="""\b
JSON: one object a step, {"milliseconds": 1.9, "ok": true, "step": "advise"},
with what it found: session_id (open), server_handle (register), item_handle
(add-item), event (first-event; as in stream-events). Then a summary:
endpoint, event, item, item_handle, milliseconds, ok, server_handle,
session_id, steps, and error if a step failed."""
)
@click.option("--item", required=True, callback=_not_blank, metavar="TAG", help="E.g. TestChildObject.TestInt.")
@click.option(
    "--timeout",
    callback=_seconds,
    default="30s",
    metavar="DURATION",
    show_default=True,
    help="For all steps up to the first event. On a fresh session that alone takes 3 to 8 s.",
)
@gateway_options
def smoke(runner: Runner, item: str, timeout: float) -> None:
    """Try everything once: from open to the first value.

    Opens a session, registers, adds and advises the item, waits for its first value, closes the session.
    """

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway_cli.smoke import Smoke

        await Smoke(client, runner.report, item, timeout).run()

    runner.run(action)


@mxgw_py.command(
    epilog="""\b
A session has one event stream. When that ends, it lives 30 s more.

\b
JSON: one object an event: data_type, family, gateway_receive_timestamp,
hresult, item_handle, quality, quality_word (null where there is no quality),
replay_gap (null, or oldest_available_sequence and requested_after_sequence),
server_handle, source_timestamp, statuses (each category, detail, detected_by,
diagnostic_text, success), value, variant_type, worker_sequence."""
)
@session_id_option
@click.option("--after", type=SEQUENCE, default=0, metavar="SEQ", help="Resume after this worker sequence.")
@click.option("--max-events", type=click.IntRange(1), metavar="N", help="End after so many events.")
@click.option("--duration", callback=_seconds, metavar="DURATION", help="End after so long, e.g. 10s or 2m.")
@gateway_options
def stream_events(runner: Runner, session_id: str, after: int, max_events: int | None, duration: float | None) -> None:
    """Print the events of an open session, one a line."""

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway_cli.streaming import print_events

        stream = client.attach(session_id).stream_events(after=after)
        await print_events(stream, client.options.endpoint, runner.report, max_events, duration)

    runner.run(action)


@mxgw_py.command(
    epilog="""\b
Accepted means that MXAccess took the write. How it ended is told by an
ON_WRITE_COMPLETE event of the session. The item must be advised before.

\b
JSON: {"item_handle": 1, "milliseconds": 2.6, "ok": true,
"outcome": "accepted", "server_handle": 1, "session_id": "session-…",
"type": "int32", "user_id": 0, "value": 123}"""
)
@session_id_option
@click.option("--server-handle", type=HANDLE, required=True)
@click.option("--item-handle", type=HANDLE, required=True)
@click.option("--type", "type_name", type=click.Choice(TYPE_NAMES), required=True)
@click.option("--value", "text", required=True, help="true or false; a number; text; a time like 2026-10-02T08:14:00Z.")
@click.option("--user-id", type=click.IntRange(0, INT32[1]), default=0, show_default=True)
@gateway_options
def write(
    runner: Runner, session_id: str, server_handle: int, item_handle: int, type_name: str, text: str, user_id: int
) -> None:
    """Write a value to an item of an open session."""
    try:
        value = parse_value(type_name, text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--value'") from None

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway_cli.doubt import unknown_if_interrupted

        started = time.perf_counter()
        async with unknown_if_interrupted("write"):
            await client.attach(session_id).write(server_handle, item_handle, Typed(type_name, value), user_id)
        form = {
            "item_handle": item_handle,
            "milliseconds": round((time.perf_counter() - started) * 1000, 3),
            "ok": True,
            "outcome": "accepted",
            "server_handle": server_handle,
            "session_id": session_id,
            "type": type_name,
            "user_id": user_id,
            "value": value_form(value),
        }
        runner.report.line(form, "accepted")

    runner.run(action)


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code; whatever goes wrong has then been reported."""
    report = Report()
    code: int
    try:
        code = mxgw_py.main(arguments, "mxgw-py", standalone_mode=False, obj=report) or ExitCode.DONE
    except Exception as error:
        if isinstance(error, click.UsageError):
            # It may come before the options were read.
            report.json = report.json or "--json" in arguments
        code = report.error(error)
    if report.reader_stuck:
        # The interpreter would wait for the print that waits for the reader.
        os._exit(code)
    return code
