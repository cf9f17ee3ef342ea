"""Commands for sessions: open, close, stream events, smoke test."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.recordings.columns import format_of
from zb_mom_ww_mxgateway_cli.options import end_options, not_blank, seconds, sendable, session_id_option
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options, milliseconds_since, recording_options

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, Session

SEQUENCE = click.IntRange(0, 2**64 - 1)


@click.command(
    epilog="""\b
Prints the session's id alone: S=$(mxgw-py open-session). The session stays
open for 30 minutes after its last use: close it with close-session.

\b
JSON: {"backend_name": "…", "capabilities": ["…"],
"default_command_timeout": 30.0, "gateway_protocol_version": 3,
"milliseconds": 4.2, "ok": true, "session_id": "session-…",
"worker_process_id": 4711, "worker_protocol_version": 1}"""
)
@click.option(
    "--name", default="mxgw-py", callback=sendable, show_default=True, help="Shown in the gateway's dashboard and log."
)
@click.option("--command-timeout", callback=seconds, metavar="DURATION", help="For one command [the gateway's].")
@gateway_options
def open_session(runner: Runner, name: str, command_timeout: float | None) -> None:
    """Open a session and leave it open."""

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway import OpenSessionOptions

        started = time.perf_counter()
        session = await client.open_session(
            OpenSessionOptions(client_session_name=name, command_timeout=command_timeout)
        )
        info = session.info
        form = {
            "backend_name": info.backend_name,
            "capabilities": list(info.capabilities),
            "default_command_timeout": info.default_command_timeout,
            "gateway_protocol_version": info.gateway_protocol_version,
            "milliseconds": milliseconds_since(started),
            "ok": True,
            "session_id": info.session_id,
            "worker_process_id": info.worker_process_id,
            "worker_protocol_version": info.worker_protocol_version,
        }
        runner.report.line(form, info.session_id)

    runner.run(action)


@click.command(
    epilog="""\b
A session that the gateway does not know (any more) is an error, exit code 3.

\b
JSON: {"milliseconds": 1.9, "ok": true, "session_id": "session-…"}"""
)
@session_id_option
@gateway_options
def close_session(runner: Runner, session_id: str) -> None:
    """Close a session, with its worker, items and user ids."""

    async def call(session: "Session") -> dict[str, Any]:
        await session.close(missing_ok=False)
        return {}

    runner.answer(session_id, {}, call, "closed")


@click.command(
    epilog="""\b
A session has one event stream. When that ends, it lives 30 s more.

\b
JSON: one object an event: body (null; or of buffered data data_type,
qualities, timestamps, values; or of an alarm what stream-alarms shows),
data_type, family, gateway_receive_timestamp, hresult, item_handle, quality,
quality_word (null without a quality), replay_gap (null, or
oldest_available_sequence and requested_after_sequence), server_handle,
source_timestamp, statuses (each category, detail, detected_by,
diagnostic_text, success), value, variant_type, worker_sequence.

\b
With --output FILE one object at the end: dropped (here), file, gaps, lost (at
least), lost_is_known, milliseconds, ok, samples, session_id."""
)
@session_id_option
@click.option("--after", type=SEQUENCE, default=0, metavar="SEQ", help="Resume after this worker sequence.")
@click.option("--append", is_flag=True, help="Add to the recording that --output names, if it is there.")
@end_options("--max-events", "events")
@recording_options
def stream_events(
    runner: Runner,
    session_id: str,
    after: int,
    append: bool,
    most: int | None,
    duration: float | None,
    recording: Path | None,
) -> None:
    """Print the events of an open session, one a line, or record them to a file."""
    if append and recording is None:
        raise click.UsageError("--append is for a recording: --output FILE.csv names it")

    async def action(session: "Session") -> None:
        from zb_mom_ww_mxgateway_cli.commands.streaming import Rendering, print_stream, stream_ended
        from zb_mom_ww_mxgateway_console.render.event_forms import EVENT_COLUMNS, event_form, event_text

        ended = stream_ended(session.endpoint)
        if recording is not None:
            await _record(runner, session, recording, ended, after, append, most, duration)
            return
        stream = session.stream_events(after=after)
        await print_stream(
            stream, runner.report, Rendering(event_form, event_text, EVENT_COLUMNS), ended, most, duration
        )

    runner.run_in(session_id, action, is_endless=True)


async def _record(
    runner: Runner,
    session: "Session",
    path: Path,
    ended: Exception,
    after: int,
    append: bool,
    most: int | None,
    duration: float | None,
) -> None:
    import asyncio  # Lazy: it would take a fifth of the time of --help.

    from zb_mom_ww_mxgateway_cli.commands.recorded_stream import EventRecorder, record_stream
    from zb_mom_ww_mxgateway_console.recordings.opening import open_recording

    def tag_of(key: tuple[int, int]) -> str:
        item = session.handles.items.get(key)
        return item.tag if item else ""

    form = format_of(path.suffix)
    assert form is not None  # The option takes no other file.
    started = time.perf_counter()
    opened = await asyncio.to_thread(open_recording, path, form, append=append)
    recorder = EventRecorder(runner.report, path, opened, tag_of)
    recorder.begin(session.session_id, session.endpoint)
    try:
        await record_stream(session.stream_events(after=after), recorder, ended, most, duration)
    except BaseException:
        runner.report.summary = recorder.form
        runner.report.notice(f"{path}: {recorder.text}")
        raise
    taken = {"milliseconds": milliseconds_since(started), "ok": True, "session_id": session.session_id}
    runner.report.line(recorder.form | taken, f"{path}: {recorder.text}")


@click.command(
    epilog="""\b
JSON: one object a step, {"milliseconds": 1.9, "ok": true, "step": "advise"},
with its result: session_id (open), server_handle (register), item_handle
(add-item), event (first-event; as in stream-events). Then a summary:
endpoint, event, item, item_handle, milliseconds, ok, server_handle,
session_id, steps, and error if a step failed."""
)
@click.option("--item", required=True, callback=not_blank, metavar="TAG", help="E.g. TestChildObject.TestInt.")
@click.option(
    "--timeout",
    callback=seconds,
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
        from zb_mom_ww_mxgateway_cli.commands.smoke import Smoke

        await Smoke(client, runner.report, item, timeout).run()

    runner.run(action)
