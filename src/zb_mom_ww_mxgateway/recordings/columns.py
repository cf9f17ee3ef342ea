"""The columns and the formats of recordings."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

Format: TypeAlias = Literal["csv", "jsonl", "parquet"]
TextFormat: TypeAlias = Literal["csv", "jsonl"]

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
"""``kind``: start, held (known before the start), sample, read (again, after a loss), event (of another kind), gap,
dropped, stale, live, closed, stop; torn for what was left of a row that was cut off. Times are ISO 8601 in UTC,
``received`` by this machine's clock; one that no calendar has is a number, of nanoseconds since 1970."""

VALUE = COLUMNS.index("value")

NEEDED = frozenset({"kind", "received", "tag", "value"})
"""Columns without which a file is no recording."""

_ENDINGS: Mapping[str, Format] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}


def format_of(suffix: str) -> Format | None:
    """Return the format of a file by its suffix."""
    return _ENDINGS.get(suffix.casefold())
