"""The watched items as rows: for the panel above the prompt and for the full screen.

Rows are made from what the live session holds, only for what is in view, and only when it is drawn: the
rate of events costs nothing here.
"""

import math
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.handles import Item
from zb_mom_ww_mxgateway_cli.output import safe, value_text
from zb_mom_ww_mxgateway_shell.bars import bars
from zb_mom_ww_mxgateway_shell.values_said import freshness, quality_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue

COLUMNS = ("item", "tag", "value", "quality", "age", "changes")
_SAMPLES = 12
_VALUE_WIDTH = 40
_Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """One watched item as text, and what may be said of its value."""

    cells: tuple[str, ...]
    """Under COLUMNS."""
    mood: str
    """``good``, ``bad``, ``uncertain``, ``stale`` or ``none``: how it is coloured."""


class Panel:
    """What is watched on one connection."""

    def __init__(self, live: "LiveSession") -> None:
        self._live = live
        self._keys: dict[_Key, None] = {}
        self._seen: dict[_Key, int] = {}
        self._history: dict[_Key, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, items: Iterable[Item]) -> None:
        """Watches these too."""
        for item in items:
            self._keys[item.key] = None

    def remove(self, items: Iterable[Item] | None = None) -> int:
        """Watches these, or all, no longer; says how many those were."""
        gone = list(self._keys) if items is None else [item.key for item in items if item.key in self._keys]
        for key in gone:
            del self._keys[key]
            self._seen.pop(key, None)
            self._history.pop(key, None)
        return len(gone)

    @property
    def items(self) -> list[Item]:
        """What is watched, in the order it was asked for; without items that were removed meanwhile."""
        known = self._live.session.handles.items
        return [known[key] for key in self._keys if key in known]

    @property
    def is_still(self) -> str:
        """Why nothing moves, where the session is not live; else empty."""
        state = self._live.state.value
        return "" if state == "live" else f"{state}: {self._live.lost or ''}".rstrip(": ")

    @property
    def events(self) -> int:
        """How many events have come: as long as it stays, no value changes."""
        return self._live.events

    def value(self, item: Item) -> "LiveValue | None":
        """The latest value held."""
        return self._live.latest(*item.key)

    def rows(self, items: Sequence[Item]) -> list[Row]:
        """Rows of these items, as things stand now."""
        return [self._row(item) for item in items]

    def _row(self, item: Item) -> Row:
        value = self._live.latest(*item.key)
        if value is None:
            return Row((str(item.item_handle), safe(item.tag), "", _why_none(item), "", ""), "none")
        text = value_text(value.value)
        if len(text) > _VALUE_WIDTH:
            text = text[: _VALUE_WIDTH - 1] + "…"
        mood = "stale" if value.stale_since is not None else value.quality_word
        cells = (str(item.item_handle), safe(item.tag), text, quality_text(value), freshness(value, item))
        return Row((*cells, f"{value.changes:>6} {self._bars(item.key, value)}"), mood)

    def _bars(self, key: _Key, value: "LiveValue") -> str:
        history = self._history.setdefault(key, deque(maxlen=_SAMPLES))
        if self._seen.get(key) != value.changes:
            self._seen[key] = value.changes
            if isinstance(value.value, int | float) and math.isfinite(value.value):
                history.append(float(value.value))
        return bars(history)


def _why_none(item: Item) -> str:
    return "no value yet" if item.advised else "not advised"


def fitted(rows: Sequence[Row], width: int, hidden: Collection[str] = ()) -> list[tuple[str, str]]:
    """Lines with their moods, headed, at most `width` columns wide: first the bars go, then tags are cut.

    Value, quality and age are never cut away.
    """
    shown = [index for index, name in enumerate(COLUMNS) if name not in hidden]
    cells = [COLUMNS, *(row.cells for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(COLUMNS))]

    def total() -> int:
        return sum(widths[column] for column in shown) + 2 * len(shown)

    for droppable in (5, 0):
        if total() > width and droppable in shown:
            shown.remove(droppable)
    if total() > width:
        widths[1] = max(8, widths[1] - (total() - width))
    if total() > width:
        widths[2] = max(6, widths[2] - (total() - width))

    def line(row: Sequence[str]) -> str:
        return ("  " + "  ".join(cut(row[column], widths[column]).ljust(widths[column]) for column in shown)).rstrip()

    return [(line(COLUMNS), "head"), *((line(row.cells), row.mood) for row in rows)]


def cut(text: str, width: int) -> str:
    """A text in at most `width` columns: the end of a tag says more than its middle."""
    if len(text) <= width:
        return text
    return f"{text[: (width - 1) // 2]}…{text[len(text) - (width - 1 - (width - 1) // 2) :]}"
