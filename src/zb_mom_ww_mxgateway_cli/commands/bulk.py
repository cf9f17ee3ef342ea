"""Results of bulk calls: a failure is shown at its entry, and counted at the end."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from zb_mom_ww_mxgateway.status import hresult_text
from zb_mom_ww_mxgateway.times import exact_nanoseconds
from zb_mom_ww_mxgateway_cli.running import milliseconds_since
from zb_mom_ww_mxgateway_console.render.forms import (
    EntriesFailed,
    source_time_form,
    status_form,
    value_form,
    value_text,
)
from zb_mom_ww_mxgateway_console.render.refusals import denial_meaning
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_console.render.write_results import WriteVerdict

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import BulkWriteResult, ReadResult, Session, SubscribeResult

R = TypeVar("R", "SubscribeResult", "ReadResult", "BulkWriteResult")


class Results(NamedTuple, Generic[R]):
    """Shows the results of one type of bulk call."""

    call: str
    form: Callable[[R], dict[str, Any]]
    text: Callable[[R], str]


async def print_bulk(
    report: Report, session: "Session", server_handle: int, results: Results[R], call: Awaitable[Sequence[R]]
) -> None:
    """Await a bulk call and print the outcome of every entry; raise EntriesFailed if any was refused."""
    started = time.perf_counter()
    given = await call
    failed = sum(not result.was_successful for result in given)
    forms = [results.form(result) for result in given]
    form = {
        "failed": failed,
        "milliseconds": milliseconds_since(started),
        "results": forms,
        "server_handle": server_handle,
        "session_id": session.session_id,
    }
    if not report.formatter.reports_errors:
        for one, result in zip(forms, given, strict=True):
            report.line(one, results.text(result))
    elif not failed:  # Else the error has them all.
        report.line({**form, "ok": True}, "")
    check_failed(report, results.call, form, failed, len(given))


def check_failed(report: Report, call: str, form: dict[str, Any], failed: int, count: int) -> None:
    """Raise EntriesFailed, with `form` in the report, if any entry failed."""
    if failed:
        report.summary |= form
        raise EntriesFailed(f"{call}: {failed} of {count} failed")


def _subscribed_form(result: "SubscribeResult") -> dict[str, Any]:
    return {
        "error_message": result.error_message,
        "item_handle": result.item_handle,
        "tag": result.tag_address,
        "tag_address": result.tag_address,
        "was_successful": result.was_successful,
    }


def _subscribed_text(result: "SubscribeResult") -> str:
    return f"{_handle(result)}  {result.tag_address}  {_failure(result) or 'advised'}"


def _read_form(result: "ReadResult") -> dict[str, Any]:
    return {
        "cached": result.was_cached,
        "error_message": result.error_message,
        "item_handle": result.item_handle,
        "quality": result.quality,
        "quality_word": result.quality_word,
        "source_timestamp": source_time_form(result.source_time_ns),
        "statuses": [status_form(status) for status in result.statuses],
        "tag": result.tag_address,
        "tag_address": result.tag_address,
        "value": value_form(result.value),
        "was_cached": result.was_cached,
        "was_successful": result.was_successful,
    }


def _read_text(result: "ReadResult") -> str:
    if not result.was_successful:
        return f"{result.tag_address}  {_failure(result)}"
    taken = [exact_nanoseconds(result.source_time_ns)] if result.source_time_ns else []
    cached = ["cached"] if result.was_cached else []
    return "  ".join([result.tag_address, value_text(result.value), result.quality_word, *taken, *cached])


def _written_form(result: "BulkWriteResult") -> dict[str, Any]:
    return {
        "error_message": result.error_message,
        "hresult": None if result.hresult is None else hresult_text(result.hresult),
        "item_handle": result.item_handle,
        "result": (WriteVerdict.ACCEPTED if result.was_successful else WriteVerdict.REFUSED_THERE).word,
        "statuses": [status_form(status) for status in result.statuses],
        "was_successful": result.was_successful,
    }


def _written_text(result: "BulkWriteResult") -> str:
    if result.was_successful:
        return f"{_handle(result)}  accepted"
    said = filter(None, (denial_meaning(result.statuses, result.hresult), result.error_message))
    return f"{_handle(result)}  REFUSED: {'; '.join(said) or 'no reason given'}"


def _handle(result: "SubscribeResult | BulkWriteResult") -> str:
    return f"{result.item_handle or '-':>6}"


def _failure(result: "SubscribeResult | ReadResult") -> str:
    """Return why an entry failed; empty if it did not."""
    return "" if result.was_successful else f"failed: {result.error_message or 'no reason given'}"


SUBSCRIBED: "Results[SubscribeResult]" = Results("subscribe_bulk", _subscribed_form, _subscribed_text)
READ: "Results[ReadResult]" = Results("read_bulk", _read_form, _read_text)


def written(call: str) -> "Results[BulkWriteResult]":
    """Return how the results of a bulk write are shown."""
    return Results(call, _written_form, _written_text)
