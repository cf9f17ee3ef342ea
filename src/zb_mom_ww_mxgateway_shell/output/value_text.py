"""Values as text and for JSON, always with quality and age."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.status import first_failed
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_of_day, time_text
from zb_mom_ww_mxgateway_console.render.forms import (
    age_text,
    safe,
    source_time_form,
    status_form,
    value_form,
    value_text,
)
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, cut_start, retold, shortened, width
from zb_mom_ww_mxgateway_shell.output.alignment import SampleColumns
from zb_mom_ww_mxgateway_shell.output.tag_texts import NOTHING_KNOWN, fact_fields, shown_value
from zb_mom_ww_mxgateway_shell.samples.history import moment

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue, Reading, ReadResult, UnseenWrite


_MOST_NAMED = 3
_LEAST_NAME = 10
"""Columns of the tags of a reason that does not fit."""
_FIELDS = ("age_seconds", "quality", "quality_word", "received_at", "source_timestamp", "stale", "value")
VALUE_COLUMNS = (
    *_FIELDS,
    *("advised", "description", "item_handle", "server_handle", "statuses", "suspended", "tag", "unit"),
    "written_seconds_ago",
)
"""The keys of a record of an item with its value."""


def sample_text(
    item: Item,
    value: "LiveValue",
    unseen: "UnseenWrite | None" = None,
    facts: TagFacts = NOTHING_KNOWN,
    *,
    columns: SampleColumns,
) -> str:
    """Return a value with its unit, quality and age, safe for a terminal; `unseen` is a write whose effect was not seen
    yet."""
    tag, known = columns.cells(safe(item.tag), shown_value(value.value, facts))
    text = f"{tag}   {known}   {quality_text(value)}   {freshness(value, item)}"
    return f"{text}, {written_text(unseen)}" if unseen else text


def clock_text(at: float) -> str:
    """Return a moment, in monotonic seconds, as the time of day to the millisecond, with its zone."""
    return time_of_day(moment(at), milliseconds=True)


def with_time(line: str) -> str:
    """Return a line that came by itself behind the time of day, which is that of its arrival."""
    return retold(line, f"{time_of_day(datetime.now(UTC))}  {line}")


def written_text(write: "UnseenWrite | float | None") -> str:
    """Return that a value is from before a write, or before one so many seconds ago; empty if it is not."""
    if write is None:
        return ""
    return f"was written {age_text(write if isinstance(write, float) else write.ago)} ago, not seen yet"


def whole_text(value: Any) -> str:
    """Return a value whole, safe for a terminal: several as lines, an item by its tag."""
    if isinstance(value, Item):
        return safe(value.tag)
    if isinstance(value, list | tuple):
        return "\n".join(map(whole_text, value))
    return safe(value) if isinstance(value, str) else value_text(value)


def quality_text(value: "LiveValue | Reading | ReadResult") -> str:
    """Return the quality, with the first failed status if there is one; safe for a terminal."""
    failed = first_failed(value.statuses)
    return safe(shortened(f"{value.quality_word}: {failed}")) if failed else value.quality_word


def reason_text(value: "LiveValue | Reading") -> str:
    """Return why a value is not good, safe for a terminal: its first failed status, or what its quality tells.

    What it means comes first, because a narrow screen cuts the end off.
    """
    failed = first_failed(value.statuses)
    if failed is None and value.quality_word == "good":
        return ""
    from zb_mom_ww_mxgateway_console.render import status_meanings  # Lazy: most runs never need them.

    if failed is None:
        return status_meanings.quality_reason(value.quality)
    meaning = failed.diagnostic_text or status_meanings.status_meaning(failed, where=False)
    return safe(shortened(f"{meaning} ({replace(failed, diagnostic_text='')})"))


def reason_lines(doubts: Iterable[tuple[str, str, str]], columns: int | None = None) -> list[str]:
    """Return a line for each reason why values are not good, under the table that has only the word.

    Each doubt is a tag, the word of its quality, and the reason; one without a reason gives no line. In so many
    `columns` the starts of the tags are cut before the reason is.
    """
    tags: dict[tuple[str, str], list[str]] = {}
    for tag, word, reason in doubts:
        if reason:
            tags.setdefault((word, reason), []).append(safe(tag))
    lines: list[str] = []
    for (word, reason), names in tags.items():
        named, told = _named(names), f" {word}: {reason}"
        if columns is not None:
            named = cut_start(named, max(_LEAST_NAME, columns - width(told)))
        lines.append(f"{named}{told}" if columns is None else cut(f"{named}{told}", columns))
    return lines


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MOST_NAMED])} and {more} more"


def freshness(value: "LiveValue", item: Item | None = None) -> str:
    """Return the age, or since when the value is stale, or that its item is suspended."""
    if value.stale_since is not None:
        why = "suspended" if item is not None and item.suspended else "stale"
        return f"{why} for {age_text(clock.monotonic() - value.stale_since)}"
    if value.ahead:
        return f"source time {age_text(value.ahead)} in the future"
    return age_text(value.age)


def value_record(
    item: Item, value: "LiveValue | None", unseen: "UnseenWrite | None" = None, facts: TagFacts = NOTHING_KNOWN
) -> dict[str, Any]:
    """Return an item and its latest value for JSON, null for what is unknown; `unseen` is a write whose effect was not
    seen yet. Every record has VALUE_COLUMNS."""
    return {
        "advised": item.advised,
        "item_handle": item.item_handle,
        "server_handle": item.server_handle,
        "statuses": [status_form(status) for status in value.statuses] if value is not None else [],
        "suspended": item.suspended,
        "tag": item.tag,
        "written_seconds_ago": None if unseen is None else round(unseen.ago, 3),
        **fact_fields(facts),
        **(dict.fromkeys(_FIELDS) if value is None else value_fields(value)),
    }


def value_fields(value: "LiveValue") -> dict[str, Any]:
    """Return a value with quality, times and doubt for JSON."""
    return {
        "age_seconds": None if value.ahead else round(value.age, 3),
        "quality": value.quality,
        "quality_word": value.quality_word,
        "received_at": time_text(moment(value.received_at)),
        "source_timestamp": source_time_form(value.source_time_ns),
        "stale": value.stale_since is not None,
        "value": value_form(value.value),
    }
