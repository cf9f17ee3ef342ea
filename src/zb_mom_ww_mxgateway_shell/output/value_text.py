"""A value in words, and for JSON: never without its quality and its age."""

from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.status import first_failed
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import (
    age_text,
    safe,
    source_time_form,
    status_form,
    value_form,
    value_text,
)
from zb_mom_ww_mxgateway_console.text.terminal_text import shortened

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue, Reading, UnseenWrite


def sample_text(item: Item, value: "LiveValue", written: "UnseenWrite | None" = None) -> str:
    """One value with its quality and age, safe for a terminal; `written` is what was written of it and not seen."""
    said = f"{safe(item.tag)}   {value_text(value.value)}   {quality_text(value)}   {freshness(value, item)}"
    return f"{said}, {written_text(written)}" if written else said


def written_text(written: "UnseenWrite | float | None") -> str:
    """That the value held is from before a write, or before one so many seconds ago; empty where it is not."""
    if written is None:
        return ""
    return f"was written {age_text(written if isinstance(written, float) else written.ago)} ago, not seen yet"


def quality_text(value: "LiveValue | Reading") -> str:
    """Quality in words, with the first failed status where there is one; safe for a terminal."""
    failed = first_failed(value.statuses)
    return safe(shortened(f"{value.quality_word}: {failed}")) if failed else value.quality_word


def freshness(value: "LiveValue", item: Item | None = None) -> str:
    """The age, or since when nobody knows whether the value still holds; of a suspended item, that it is one."""
    if value.stale_since is not None:
        why = "suspended" if item is not None and item.suspended else "stale"
        return f"{why} for {age_text(clock.monotonic() - value.stale_since)}"
    if value.ahead:
        return f"source time {age_text(value.ahead)} in the future"
    return age_text(value.age)


def value_record(item: Item, value: "LiveValue | None", written: "UnseenWrite | None" = None) -> dict[str, Any]:
    """An item and its latest value for JSON; `written` is what was written of it and not seen."""
    record: dict[str, Any] = {
        "advised": item.advised,
        "item_handle": item.item_handle,
        "server_handle": item.server_handle,
        "suspended": item.suspended,
        "tag": item.tag,
    }
    if written is not None:
        record["written_seconds_ago"] = round(written.ago, 3)
    if value is not None:
        record |= {**value_fields(value), "statuses": [status_form(status) for status in value.statuses]}
    return record


def value_fields(value: "LiveValue") -> dict[str, Any]:
    """A value with its quality, times and doubt, for JSON."""
    return {
        "age_seconds": None if value.ahead else round(value.age, 3),
        "quality": value.quality,
        "quality_word": value.quality_word,
        "source_timestamp": source_time_form(value.source_time_ns),
        "stale": value.stale_since is not None,
        "value": value_form(value.value),
    }
