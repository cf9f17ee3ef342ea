"""Rows of recordings: made of events and moments, and their text as CSV or JSON Lines with the same columns."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, TypeAlias

from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.events import EventFamily, EventHeader, MxEvent
from zb_mom_ww_mxgateway.recordings.columns import COLUMNS, VALUE, TextFormat
from zb_mom_ww_mxgateway.redaction import may_hold_secret
from zb_mom_ww_mxgateway.status import hresult_text, name_of, quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.recordings.event_samples import gap_text, lost_in, samples_of, was_read_again
from zb_mom_ww_mxgateway_console.render.csv_records import csv_record
from zb_mom_ww_mxgateway_console.render.event_forms import reading_text
from zb_mom_ww_mxgateway_console.render.forms import redacted, value_form

Key: TypeAlias = tuple[int, int]
Row: TypeAlias = tuple[Any, ...]
"""A cell for each of ``COLUMNS``."""

_DATA = frozenset({EventFamily.ON_DATA_CHANGE, EventFamily.ON_BUFFERED_DATA_CHANGE})


def wall_clock_ahead() -> float:
    """Return the seconds from the library's clock to the wall clock."""
    return time.time() - clock.monotonic()


def rows_of(entries: Iterable[MxEvent | Row], tag_of: Callable[[Key], str]) -> Iterator[Row]:
    """Yield a row for every sample, every gap and every other event; rows among the events stay as they are."""
    ahead = wall_clock_ahead()
    # Texts that several samples of an event share are made once.
    known: dict[int, tuple[EventHeader, Row]] = {}
    for entry in entries:
        if isinstance(entry, tuple):
            yield entry
            continue
        header = entry.header
        if header.family not in _DATA:
            yield _row_of_other(entry, ahead, tag_of)
            continue
        found = known.get(id(header))
        if found is None:
            key = header.server_handle, header.item_handle
            words = (tag_of(key) or None, name_of(header.data_type), _statuses(header.statuses), *key)
            found = known[id(header)] = header, words
        tag, data_type, statuses, server, item = found[1]
        received = iso((entry.received_at + ahead) * 1e9)
        kind = "read" if was_read_again(entry) else "sample"
        for sample in samples_of(entry):
            yield (
                kind,
                received,
                tag,
                sample.value,
                sample.quality,
                quality_word(sample.quality),
                iso(sample.source_time_ns) if sample.source_time_ns else None,
                data_type,
                statuses,
                entry.worker_sequence or None,
                server,
                item,
                None,
                None,
            )


def _row_of_other(event: MxEvent, ahead: float, tag_of: Callable[[Key], str]) -> Row:
    """Return the row of a gap, or of an event that brings no sample, such as the completion of a write."""
    if (gap := event.replay_gap) is not None:
        return mark_row("gap", event.received_at + ahead, gap_text(gap), lost_in(gap))
    key = event.server_handle, event.item_handle
    return (
        "event",
        iso((event.received_at + ahead) * 1e9),
        tag_of(key) or None,
        event.value,
        None,
        None,
        iso(event.source_time_ns) if event.source_time_ns else None,
        name_of(event.data_type) if event.value is not None else None,
        _statuses(event.statuses),
        event.worker_sequence or None,
        *(handle or None for handle in key),
        None,
        _note_of_other(event),
    )


def _note_of_other(event: MxEvent) -> str:
    """Return the family, and what no column has: an alarm, or a failure."""
    more = reading_text(event) if event.body else hresult_text(event.hresult) if event.hresult else ""
    return f"{name_of(event.family)}{f': {more}' if more else ''}"


def mark_row(kind: str, at: float, text: str, lost: int | None = None, tag: str = "", key: Key | None = None) -> Row:
    """Return a row about a moment, `at` seconds of the wall clock, for one item or for all."""
    return (kind, iso(at * 1e9), tag or None, *(None,) * 7, *(key or (None, None)), lost, text)


def held_row(tag: str, key: Key, value: LiveValue) -> Row:
    """Return a row for a value that was known before the file began."""
    stale = None if value.stale_since is None else "stale: it may have changed"
    return (
        "held",
        iso((time.time() - (clock.monotonic() - value.received_at)) * 1e9),
        tag,
        value.value,
        value.quality,
        value.quality_word,
        iso(value.source_time_ns) if value.source_time_ns else None,
        name_of(value.data_type),
        _statuses(value.statuses),
        None,
        *key,
        None,
        stale,
    )


def text_of(rows: Iterable[Row], form: TextFormat, *, raw: bool = False) -> str:
    """Return the rows as lines; for `raw` see :func:`csv_record`."""
    if form == "csv":
        return "".join(csv_record(row, raw=raw) + "\n" for row in rows)
    return "".join(
        _object(dict(zip(COLUMNS, (*row[:VALUE], value_form(row[VALUE]), *row[VALUE + 1 :]), strict=True))) + "\n"
        for row in rows
    )


def heading(form: TextFormat) -> str:
    """Return the heading of a file; empty where the format has none."""
    return ",".join(COLUMNS) + "\n" if form == "csv" else ""


_encode = json.JSONEncoder(allow_nan=False).encode


def _object(form: dict[str, Any]) -> str:
    line = _encode(form)
    return line if not may_hold_secret(line) else _encode(redacted(form))


def _statuses(statuses: Iterable[Any]) -> str | None:
    return "; ".join(str(status) for status in statuses if status.failed) or None


def iso(time_ns: float) -> str | int:
    """Return ``2026-10-02T08:14:00.250000Z``; the nanoseconds as a number outside the years 1 to 9999."""
    seconds, rest = divmod(int(time_ns), 1_000_000_000)
    try:
        return f"{_second(seconds)}.{rest // 1000:06d}Z"
    except OverflowError:
        return int(time_ns)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).isoformat()[:19]
