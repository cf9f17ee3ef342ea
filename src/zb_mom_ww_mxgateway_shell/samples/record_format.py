"""Samples and marks as rows of a file: CSV or JSON Lines with the same columns."""

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.events import EventHeader, MxEvent
from zb_mom_ww_mxgateway.redaction import may_hold_secret
from zb_mom_ww_mxgateway.status import name_of, quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.csv_records import csv_record
from zb_mom_ww_mxgateway_console.render.forms import redacted, value_form
from zb_mom_ww_mxgateway_shell.samples.sample_stream import Key, SampleMark, samples_of, was_read_again

Format: TypeAlias = Literal["csv", "jsonl"]
Row: TypeAlias = tuple[Any, ...]

COLUMNS = (
    "kind",
    "received",
    "tag",
    "value",
    "quality",
    "quality_word",
    "source_timestamp",
    "data_type",
    "status",
    "worker_sequence",
    "server_handle",
    "item_handle",
    "lost",
    "note",
)
"""``kind``: start, held (known before the start), sample, read (again, after a loss), gap, dropped, stale, live,
closed, stop; torn for what was left of a row that was cut off before the file was continued. Times are ISO 8601 in UTC,
``received`` by this machine's clock; one that no calendar has is a number, of nanoseconds since 1970."""

_ENDINGS: Mapping[str, Format] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


def format_of(suffix: str) -> Format | None:
    """Return the format of a file by its suffix."""
    return _ENDINGS.get(suffix.casefold())


def rows_of(entries: Iterable[MxEvent | SampleMark], tag_of: Callable[[Key], str]) -> Iterator[Row]:
    """Yield a row for every sample and every mark."""
    # From monotonic seconds to nanoseconds of the wall clock.
    ahead = time.time() - clock.monotonic()
    # Texts that several samples of an event share are made once.
    known: dict[int, tuple[EventHeader, Row]] = {}
    for entry in entries:
        if isinstance(entry, SampleMark):
            yield mark_row(entry.kind, entry.at + ahead, entry.text, entry.lost, entry.tag, entry.key)
            continue
        header = entry.header
        found = known.get(id(header))
        if found is None:
            key = header.server_handle, header.item_handle
            words = (tag_of(key), name_of(header.data_type), _statuses(header.statuses), *key)
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


def text_of(rows: Iterable[Row], form: Format, *, raw: bool = False) -> str:
    """Return the rows as lines; for `raw` see :func:`csv_record`."""
    if form == "csv":
        return "".join(csv_record(row, raw=raw) + "\n" for row in rows)
    return "".join(
        _object(dict(zip(COLUMNS, (*row[:_VALUE], value_form(row[_VALUE]), *row[_VALUE + 1 :]), strict=True))) + "\n"
        for row in rows
    )


def heading(form: Format) -> str:
    """Return the heading of a file; empty where the format has none."""
    return ",".join(COLUMNS) + "\n" if form == "csv" else ""


_VALUE = COLUMNS.index("value")
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
