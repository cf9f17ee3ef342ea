"""Outcomes of writes for a person, for JSON, as an error and as an exit code."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxAccessError, MxGatewayError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, error_form, status_form, value_form, value_text
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.doubtful_writes import MAY_STILL_HAPPEN

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue, WriteResult


def before_text(before: "LiveValue") -> str:
    """Return the value before a write."""
    return f"{value_text(before.value)}{' (stale)' if before.stale_since else ''}"


def given_text(at: datetime | None, signers: str) -> str:
    """Return what is written with a value, behind it: its source time, and who signs."""
    return "".join(f", {part}" for part in (f"at {time_text(at)}" if at else "", signers) if part)


def outcome_code(result: "WriteResult") -> ExitCode:
    """Return the exit code of an outcome."""
    return {"completed": ExitCode.DONE, "refused": ExitCode.REFUSED}.get(result.outcome.value, ExitCode.UNKNOWN)


def outcome_text(result: "WriteResult", timeout: float) -> str:
    """Return an outcome in words; `timeout` is how many seconds were given to it."""
    accepted = f"accepted {_milliseconds(result.accepted_after)} ms" if result.accepted_after is not None else ""
    match result.outcome.value:
        case "completed":
            return f"{accepted}, completed {_milliseconds(result.completed_after)} ms"
        case "refused":
            reason = "; ".join(map(str, result.statuses)) or str(result.error)
            return f"{accepted}{', ' if accepted else ''}REFUSED: {reason}"
        case "accepted" if result.ambiguous:
            return (
                f"{accepted}; effect unknown: an earlier write to this item is unresolved, so no completion can be "
                "matched to this one"
            )
        case "accepted":
            return f"{accepted}, not completed within {timeout:g} s: effect unknown"
    lost = str(result.error or "the event stream was interrupted").removeprefix("outcome unknown: ")
    late = "" if accepted else f", and {MAY_STILL_HAPPEN}"
    return f"{accepted}{', then ' if accepted else ''}outcome UNKNOWN: {lost}. It was not sent again{late}"


def keep_doubt(
    context: Context, result: "WriteResult", item: Item, value: object, before: "LiveValue", sent_at: float
) -> None:
    """Keep a write whose outcome is unknown, so that what is seen of it later is reported."""
    connected = context.current
    if connected is None or context.is_disconnected:
        return  # Closed meanwhile: the write has its outcome all the same.
    if result.outcome.value == "unknown" and not same_value(value, before.value):
        connected.doubtful_writes.add(item, value, sent_at)
    elif connected.doubtful():
        connected.doubtful_writes.forget(item)


def outcome_problem(result: "WriteResult", item: Item, timeout: float, endpoint: str) -> MxGatewayError | None:
    """Return the write's error as ``last-error`` shows it; None for a completed write."""
    if result.outcome.value == "completed":
        return None
    if result.error is not None and not result.statuses:
        return result.error
    refused = result.outcome.value == "refused"
    kind = MxAccessError if refused else MxGatewayError
    return kind(
        f"write of {item.tag}: {outcome_text(result, timeout)}",
        call="write",
        statuses=result.statuses,
        hresult=result.error.hresult if result.error else None,
        reply=result.error.reply if result.error else None,
        correlation_id=result.error.correlation_id if result.error else None,
        endpoint=endpoint,
        outcome_unknown=not refused,
    )


def outcome_record(
    item: Item,
    before: "LiveValue",
    value: Any,
    result: "WriteResult",
    *,
    at: datetime | None = None,
    signers: str = "",
) -> dict[str, Any]:
    """Return the JSON form of a write; `value` is the form of what was written."""
    return {
        "accepted_ms": _milliseconds(result.accepted_after),
        "before": value_form(before.value),
        "completed_ms": _milliseconds(result.completed_after),
        "error": error_form(result.error) if result.error else None,
        "item_handle": item.item_handle,
        "outcome": result.outcome.value,
        "server_handle": item.server_handle,
        "signed_by": signers or None,
        "source_time": at and time_text(at),
        "statuses": [status_form(status) for status in result.statuses],
        "tag": item.tag,
        "value": value,
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))
