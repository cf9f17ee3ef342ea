"""Reads and writes by tag name, each in its own session."""

import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.errors import (
    MxAccessError,
    MxGatewayAuthorizationError,
    MxGatewayError,
)
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.times import exact_nanoseconds
from zb_mom_ww_mxgateway.value_types import type_of_tag
from zb_mom_ww_mxgateway.values import Array, Typed
from zb_mom_ww_mxgateway_cli.options import check_count, lines_of, not_blank, seconds
from zb_mom_ww_mxgateway_cli.running import Runner, gateway_options, milliseconds_since
from zb_mom_ww_mxgateway_console.render.forms import (
    EntriesFailed,
    ExpectationNotMet,
    error_form,
    source_time_form,
    status_form,
    value_form,
    value_text,
)
from zb_mom_ww_mxgateway_console.render.refusals import (
    Refusal,
    expected_text,
    refusal_meaning,
    refusal_of,
    refusal_reason,
)
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_console.render.text_values import parse_typed
from zb_mom_ww_mxgateway_console.render.write_results import verdict_of, word_of_error

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession, LiveValue, ReadResult, Session, WriteResult

CLIENT_NAME = "mxgw-py"
TIMEOUT = 30.0
"""Seconds for a tag's value, or for a write and its outcome."""
_LONGEST_READ = 3600.0
"""The most seconds that a gateway waits for a tag."""
# Seconds to close the session when the command is done.
_CLOSE_TIMEOUT = 5.0
# Seconds for a look at the galaxy: a refusal without it is one, too.
_GALAXY_SECONDS = 2.0


@click.command(
    epilog="""\b
Opens a session, registers, reads, and closes it: on a fresh session the
first value of a tag takes 3 to 8 s. In a session that is open: read-bulk.
Exit code 3 when any tag could not be read; all are tried, and all printed.

\b
JSON: an object a tag, in the order given: cached, error (null, or why there
is no value), ok, quality, quality_word, source_timestamp, statuses, tag,
value; and an error after them when a tag could not be read."""
)
@click.argument("names", metavar="TAG...", nargs=-1, callback=not_blank)
@click.option("--items-file", type=click.Path(), metavar="FILE", help="More tags, one a line; - is standard input.")
@click.option(
    "--timeout", "timeout", callback=seconds, default="30s", show_default=True, metavar="DURATION", help="For a tag."
)
@gateway_options
def read(runner: Runner, names: tuple[str, ...], items_file: str | None, timeout: float) -> None:
    """Read tags by name, in one step."""
    lines = [] if items_file is None else [line.strip() for line in lines_of(items_file, "--items-file")]
    tags = [*names, *filter(None, lines)]
    check_count(tags, "TAG", "--items-file")
    if timeout > _LONGEST_READ:
        raise click.BadParameter("at most 1h: the gateway waits no longer for a tag", param_hint="'--timeout'")
    runner.report.is_list = True

    async def action(client: "GatewayClient") -> None:
        async with _session(client, runner.report) as session:
            server = await session.register(CLIENT_NAME)
            results = await session.read_bulk(server, tags, int(timeout * 1000))
            for result in results:
                runner.report.line(_read_form(result), _read_text(result))
            if failed := sum(not result.was_successful for result in results):
                raise EntriesFailed(f"read: {failed} of {len(results)} failed")

    runner.run(action)


@asynccontextmanager
async def _session(client: "GatewayClient", report: Report) -> "AsyncIterator[Session]":
    """Open a session and close it at the end. A failure to close is a notice: what was done is done."""
    from zb_mom_ww_mxgateway import OpenSessionOptions

    session = await client.open_session(OpenSessionOptions(client_session_name=CLIENT_NAME))
    try:
        yield session
    finally:
        await _close(session, report)


async def _close(session: "Session", report: Report) -> None:
    try:
        await session.close(timeout=_CLOSE_TIMEOUT)
    except MxGatewayError as error:
        report.notice(f"the session could not be closed and will expire: {error}")


def _read_form(result: "ReadResult") -> dict[str, Any]:
    return {
        "cached": result.was_cached,
        "error": None if result.was_successful else result.error_message or "no reason given",
        "ok": result.was_successful,
        "quality": result.quality,
        "quality_word": result.quality_word,
        "source_timestamp": source_time_form(result.source_time_ns),
        "statuses": [status_form(status) for status in result.statuses],
        "tag": result.tag_address,
        "value": value_form(result.value),
    }


def _read_text(result: "ReadResult") -> str:
    if not result.was_successful:
        return f"{result.tag_address}  NOT READ: {result.error_message or 'no reason given'}"
    taken = [exact_nanoseconds(result.source_time_ns)] if result.source_time_ns else []
    return "  ".join([result.tag_address, value_text(result.value), result.quality_word, *taken])


def write_by_name(
    runner: Runner,
    tag: str,
    text: str,
    type_name: str | None,
    user_id: int,
    timeout: float,
    expected: str | bool = False,
) -> None:
    """Write in one step: session, register, add, advise, first value, write, outcome, close.

    `expected` is the status with which the plant is to refuse it; True for any, False where it is to be written.
    """
    named = None if type_name is None else _value(text, type_name)  # before anything is sent

    async def action(client: "GatewayClient") -> None:
        from zb_mom_ww_mxgateway import LiveSession

        async with _session(client, runner.report) as session:
            live = await LiveSession.open(client, session)
            runner.decide_by(live)
            try:
                await _written(runner, client, live, tag, text, named, user_id, timeout, expected)
            except Exception as error:
                runner.keep(error)
                raise
            finally:
                await _close(session, runner.report)
                await live.aclose()

    runner.run(action)


async def _written(
    runner: Runner,
    client: "GatewayClient",
    live: "LiveSession",
    tag: str,
    text: str,
    named: Typed | None,
    user_id: int,
    timeout: float,
    expected: str | bool,
) -> None:
    from zb_mom_ww_mxgateway.safety.write_note import given  # Lazy: reading needs none of it.

    started, report = time.perf_counter(), runner.report
    form: dict[str, Any] = {}
    try:
        async with runner.interruptible("write") as calls:
            (item,) = await live.subscribe_tags([tag], await live.session.register(CLIENT_NAME), timeout=timeout)
            before = await live.first_value(item, timeout=timeout)
            value = _value_for(text, named, before)
            if value is None:
                raise _without_type(live, tag, before)
            form = {
                "before": value_form(before.value),
                "outcome": "not sent",
                "result": None,
                "tag": tag,
                "type": value.type,
                "user_id": user_id,
                "value": value_form(value),
            }
            report.summary |= form
            with given(expects_refusal=bool(expected)):
                result = await _outcome(live.write_and_confirm(*item.key, value, user_id, timeout=timeout), expected)
    except MxGatewayError as error:
        if form:
            is_accepted = any(call.is_interrupted for call in calls)
            outcome = "accepted" if is_accepted else "unknown" if error.outcome_unknown else "not sent"
            report.summary |= {"outcome": outcome, "result": word_of_error(error)}
        raise
    form |= {
        "accepted_ms": _milliseconds(result.accepted_after),
        "completed_ms": _milliseconds(result.completed_after),
        "error": error_form(result.error) if result.error else None,
        "milliseconds": milliseconds_since(started),
        "outcome": result.outcome.value,
        "result": verdict_of(result).word,
        "statuses": [status_form(status) for status in result.statuses],
    }
    report.summary |= {name: part for name, part in form.items() if name != "error"}
    outcome = result.outcome.value
    security = await _security_of(client, tag) if outcome == "refused" else None
    if expected and outcome in ("completed", "refused"):
        _judge_refusal(report, refusal_of(result, security), expected, form)
        return
    if outcome == "completed":
        shown = f"{tag}   {value_text(before.value)} → {value_text(value)}   completed"
        report.line({**form, "ok": True}, f"{shown} after {form['completed_ms']:.0f} ms")
        return
    known: dict[str, Any] = {
        "endpoint": live.session.endpoint,
        "call": "write",
        "statuses": result.statuses,
    }
    if outcome == "refused":
        said = "; ".join(filter(None, (refusal_meaning(result, security), refusal_reason(result))))
        raise MxAccessError(f"write: REFUSED: {said}; {tag} did not take {value_text(value)}", **known)
    if outcome == "accepted":
        reason = f"the write of {tag} was accepted, and its completion was not seen within {timeout:g} s"
        raise MxGatewayError(f"outcome unknown: {reason}", outcome_unknown=True, **known)
    reason = str(result.error or "the session was lost").removeprefix("outcome unknown: ")
    raise MxGatewayError(f"outcome unknown: the write of {tag}: {reason}", outcome_unknown=True, **known)


async def _outcome(writing: "Awaitable[WriteResult]", expected: str | bool) -> "WriteResult":
    """Return the outcome of a write; where a refusal is `expected`, also that of a key which may not write."""
    try:
        return await writing
    except MxGatewayAuthorizationError as error:
        if not expected:
            raise
        from zb_mom_ww_mxgateway import WriteOutcome, WriteResult

        return WriteResult(WriteOutcome.REFUSED, statuses=error.statuses, error=error)


async def _security_of(client: "GatewayClient", tag: str) -> int | None:
    """Return the security classification of a tag, to explain a refusal; None where the galaxy does not tell soon."""
    import asyncio  # Lazy: it would take a fifth of the time of --help.

    from zb_mom_ww_mxgateway.galaxy_objects import object_beginning

    name = tag.partition("[")[0]
    with suppress(MxGatewayError, TimeoutError):
        async with asyncio.timeout(_GALAXY_SECONDS):
            owner, _ = await object_beginning(client, name, name.rpartition(".")[0])
        attributes = owner.attributes if owner else ()
        found = (each for each in attributes if tag_key(each.full_tag_reference) == tag_key(name))
        return next((each.security_classification for each in found), None)
    return None


def _judge_refusal(report: Report, refusal: Refusal | None, expected: str | bool, form: dict[str, Any]) -> None:
    """Report a write that was to be refused; raise ExpectationNotMet if it was written, or refused otherwise."""
    is_met = refusal is not None and refusal.is_as(expected)
    report.summary["refused_by"] = form["refused_by"] = refusal.by if refusal else None
    if is_met and refusal is not None:
        report.line({**form, "ok": True}, f"{form['tag']}   as expected {refusal.text}")
        return
    actual = refusal.text if refusal else "WRITTEN"
    raise ExpectationNotMet(f"expected the write of {form['tag']} {expected_text(expected)}, and it was {actual}")


def _without_type(live: "LiveSession", tag: str, before: "LiveValue") -> MxAccessError:
    reason = "; ".join(str(status) for status in before.statuses) or f"its quality is {before.quality_word}"
    return MxAccessError(
        f"write: {tag} has no value that shows its type ({reason}); nothing was written; name it with --type",
        endpoint=live.session.endpoint,
        call="write",
        statuses=before.statuses,
    )


def _value_for(text: str, named: Typed | None, before: "LiveValue") -> Typed | None:
    """Return the value for a tag with its present value; None if neither shows a type. Raise click.BadParameter."""
    is_array = None if before.value is None else isinstance(before.value, Array)
    if named is not None and is_array in (None, isinstance(named.value, list)):
        return named
    own = type_of_tag(before.data_type, before.variant_type)
    type_name = named.type if named else own and own.name
    return _value(text, type_name, is_array) if type_name else None


def _value(text: str, type_name: str, is_array: bool | None = None) -> Typed:
    """Return the typed value for a tag of that type; raise click.BadParameter if it does not fit."""
    try:
        return parse_typed(type_name, text, is_array=is_array)
    except ValueError as error:
        raise click.BadParameter(f"{text!r}: {error}", param_hint="'VALUE'") from None


def _milliseconds(seconds_taken: float | None) -> float | None:
    return None if seconds_taken is None else round(seconds_taken * 1000, 3)
