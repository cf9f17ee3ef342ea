"""The watched items as rows: for the panel above the prompt and for the full screen.

A row shows the latest value of the live session and the newest samples of the history. Rows are made only for what is
in view, and only when it is drawn: the rate of events costs nothing here.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.times import exact_nanoseconds
from zb_mom_ww_mxgateway_console.render.forms import narrow_number, one_line, safe, value_text
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, cut_middle, padded, width
from zb_mom_ww_mxgateway_shell.output.alignment import aligned
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.scale import sparkline
from zb_mom_ww_mxgateway_shell.output.tag_texts import (
    LEAST_DESCRIPTION,
    NoTexts,
    TagTexts,
    cut_tag,
    description_of,
    numbers_text,
    shown_value,
    unit_of,
    with_descriptions,
)
from zb_mom_ww_mxgateway_shell.output.value_text import (
    freshness,
    quality_text,
    reason_lines,
    reason_text,
    value_record,
)

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue, UnseenWrite
    from zb_mom_ww_mxgateway_shell.samples.history import History

COLUMNS = ("item", "tag", "value", "unit", "quality", "age", "changes", "description")
_WHERE_KNOWN = ("unit", "description")
"""Columns that are shown where something is known."""
_ITEM, _TAG, _VALUE, _UNIT, _QUALITY, _AGE, _CHANGES, _DESCRIPTION = range(len(COLUMNS))
_SAMPLES = 12
_VALUE_WIDTH = 40
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[-+]\d+)?")
"""A number as it is shown; a text such as 007 is none."""
_Key = tuple[int, int]
_Each = TypeVar("_Each")


@dataclass(frozen=True, slots=True)
class Row:
    """One watched item as text, with the status of its value."""

    cells: tuple[str, str, str, str, str, str]
    """Handle, tag, value, quality, age, changes; the quality is a word alone."""
    mood: str
    """``good``, ``bad``, ``uncertain``, ``stale`` or ``none``: decides the colour."""
    unit: str = ""
    """Empty where it is unknown, as the description."""
    description: str = ""
    reason: str = ""
    """Why the value is not good; empty where no status tells."""
    connection: str = ""
    """The connection with which its tag begins, with the colon; empty for none."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Texts under COLUMNS."""
        return (*self.cells[:_UNIT], self.unit, *self.cells[_UNIT:], self.description)


class WatchTable:
    """The watched items of one connection."""

    def __init__(self, live: "LiveSession", history: "History", texts: TagTexts | None = None, name: str = "") -> None:
        """`texts` are the units and descriptions of the tags, `name` is that of the connection."""
        self.live = live
        self.texts = texts or NoTexts()
        self.name = name
        self._history = history
        self._keys: dict[_Key, bool] = {}
        """Whether each item was named with its connection."""

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, items: Iterable[Item], *, named: bool = False) -> None:
        """Add items to the table; with `named` they were named with the connection, and are shown with it."""
        for item in items:
            self._keys[item.key] = named or self._keys.get(item.key, False)

    def remove(self, items: Iterable[Item] | None = None) -> int:
        """Remove these items, or all; return how many of them were in the table."""
        removed = list(self._keys) if items is None else [item.key for item in items if item.key in self._keys]
        for key in removed:
            del self._keys[key]
        return len(removed)

    @property
    def items(self) -> list[Item]:
        """The watched items in the order in which they were added, without those removed from the session meanwhile."""
        known = self.live.session.handles.items
        return [known[key] for key in self._keys if key in known]

    @property
    def named_count(self) -> int:
        """Number of items that were named with the connection."""
        return sum(self._keys.values())

    @property
    def named_items(self) -> list[Item]:
        """Those of the items that were named with the connection."""
        return [item for item in self.items if self._keys[item.key]]

    def label(self, item: Item) -> str:
        """Return the tag of an item, behind its connection if it was named so."""
        return f"{self.name}:{item.tag}" if self._keys.get(item.key) else item.tag

    def shown(self, item: Item) -> Item:
        """Return an item under the tag by which it is shown."""
        return replace(item, tag=self.label(item))

    @property
    def pause_reason(self) -> str:
        """Why no value changes, where the session is not live; else empty."""
        state = self.live.state.value
        return "" if state == "live" else one_line(f"{state}: {self.live.lost or ''}".rstrip(": "))

    @property
    def version(self) -> tuple[object, ...]:
        """Equal as long as no event has arrived and the state of the session is the same. Ages change all the same."""
        return self.live, self.live.events, self.live.state

    async def changed_since(self, version: tuple[object, ...]) -> None:
        """Wait until :attr:`version` is another one; return at once if it is already."""
        while self.version == version:
            await self.live.changed()

    def value(self, item: Item) -> "LiveValue | None":
        """Return the latest value of an item."""
        return self.live.latest(*item.key)

    def record(self, item: Item) -> dict[str, Any]:
        """Return an item with its latest value, and unit and description where they are known, for JSON."""
        facts = self.texts.known(item.tag)
        return value_record(self.shown(item), self.value(item), self.unseen_write(item), facts)

    def unseen_write(self, item: Item) -> "UnseenWrite | None":
        """Return the write to an item whose effect was not seen yet: its latest value is from before."""
        return self.live.unseen_write(*item.key)

    def rows(self, items: Sequence[Item]) -> list[Row]:
        """Return the rows of these items as they are now. Units and descriptions come with a later call."""
        self._history.catch_up()
        self.texts.want(item.tag for item in items)
        return [self._row(item) for item in items]

    def details(self, item: Item, value: "LiveValue | None") -> tuple[str, str]:
        """Return what is known of an item with this value, in a line; and its value, range and limits of alarms in
        another one."""
        self.texts.want_numbers(item.tag)
        facts = self.texts.known(item.tag)
        if value is None:
            return f"  {safe(self.label(item))}   {_why_none(item)}   {description_of(facts)}".rstrip(), ""
        at = f"source time {exact_nanoseconds(value.source_time_ns)}" if value.source_time_ns else ""
        parts = (safe(self.label(item)), quality_text(value), at, description_of(facts))
        known = "   ".join(filter(None, (shown_value(value.value, facts), numbers_text(facts))))
        return f"  {'   '.join(filter(None, parts))}", f"  {known}"

    def lines(self, columns: int, rows: int, *, more: str) -> list[tuple[str, str]]:
        """Return as many lines as fit, with moods; then how many items are left out, and why no value changes.

        `more` has ``{}`` for the number of items that are left out.
        """
        return table_lines_of(self.items, self.rows, self.pause_reason, columns, rows, more=more)

    def _row(self, item: Item) -> Row:
        value, facts = self.live.latest(*item.key), self.texts.known(item.tag)
        unit, described, tag = unit_of(facts), description_of(facts), safe(self.label(item))
        head = f"{safe(self.name)}:" if self._keys.get(item.key) else ""
        if value is None:
            unknown = (str(item.item_handle), tag, "", _why_none(item), "", "")
            return Row(unknown, "none", unit, described, connection=head)
        text = cut(decimal_text(value.value, self.texts.seen(item.tag, value.value).decimals), _VALUE_WIDTH)
        mood = "stale" if value.stale_since is not None else value.quality_word
        age = f"{freshness(value, item)}{', before the write' if self.unseen_write(item) else ''}"
        known = (str(item.item_handle), tag, text, value.quality_word, age)
        newest = sparkline(self._history.newest_numbers(item.key, _SAMPLES))
        return Row((*known, f"{value.changes:>6} {newest}"), mood, unit, described, reason_text(value), head)


def table_lines_of(
    items: Sequence[_Each],
    rows_of: Callable[[Sequence[_Each]], list[Row]],
    reason: str,
    columns: int,
    rows: int,
    *,
    more: str,
) -> list[tuple[str, str]]:
    """Return as many lines of items as fit, as :meth:`WatchTable.lines`; `reason` says why no value changes."""
    room = max(2, rows - 1 - bool(reason))
    shown = items if len(items) <= room else items[: room - 1]
    made = rows_of(shown)
    lines = fitted(made, columns)
    if len(shown) < len(items):
        lines.append((cut_middle(f"  {more.format(len(items) - len(shown))}", columns), "good"))
    free = max(0, rows - len(lines) - bool(reason))
    lines += [(f"  {line}", "bad") for line in row_reasons(made, columns - 2)[:free]]
    if reason:
        lines.append((cut_middle(f"  {reason}", columns), "bad"))
    return lines


def _why_none(item: Item) -> str:
    return "no value yet" if item.advised else "not advised"


def row_reasons(rows: Sequence[Row], columns: int | None = None) -> list[str]:
    """Return a line for each reason why values of these rows are not good, at most `columns` wide."""
    return reason_lines(((row.cells[1], row.cells[3], row.reason) for row in rows), columns)


def full_table(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of all columns, without those in which nothing is known; descriptions have at most the
    room that the screen leaves."""
    shown = [index for index in range(_DESCRIPTION) if COLUMNS[index] not in _unknown(rows)]
    cells = [[row.columns[index] for index in shown] for row in rows]
    return with_descriptions([COLUMNS[index] for index in shown], cells, [row.description for row in rows])


def _unknown(rows: Sequence[Row]) -> list[str]:
    return [name for name in _WHERE_KNOWN if not any(row.columns[COLUMNS.index(name)] for row in rows)]


def fitted(rows: Sequence[Row], columns: int, hidden: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return a heading and the rows as lines with their moods, at most `columns` (39 or more) wide.

    First descriptions are cut and go, then the sparklines go, then the handles, then tags are cut, then the units go.
    A quality, the age, and how long it has been stale are never cut away. Numbers are aligned at the decimal point as
    long as there is room for that.
    """
    shown = [index for index, name in enumerate(COLUMNS) if name not in (*hidden, *_unknown(rows))]
    plain = [list(COLUMNS), *(list(row.columns) for row in rows)]
    cells = [list(row) for row in plain]
    for row, text in zip(cells[1:], aligned([row[_VALUE] for row in plain[1:]]), strict=True):
        row[_VALUE] = text
    widths = [max(width(row[column]) for row in cells) for column in range(len(COLUMNS))]

    def over() -> int:
        return sum(widths[column] for column in shown) + 2 * len(shown) - columns

    def narrow(column: int, least: int) -> None:
        widths[column] = min(widths[column], max(least, widths[column] - max(0, over())))

    def drop(column: int) -> None:
        if over() > 0 and column in shown:
            shown.remove(column)

    if _DESCRIPTION in shown:
        narrow(_DESCRIPTION, LEAST_DESCRIPTION)
    for droppable in (_DESCRIPTION, _CHANGES, _ITEM):
        drop(droppable)
    narrow(_TAG, 16)
    if over() > 0:
        for row, unaligned in zip(cells, plain, strict=True):
            row[_VALUE] = unaligned[_VALUE]
        widths[_VALUE] = max(width(row[_VALUE]) for row in cells)
    narrow(_TAG, 8)
    drop(_UNIT)
    narrow(_VALUE, 6)
    if over() > 0:
        for row in cells:
            row[_AGE] = row[_AGE].replace(" for ", " ")
        widths[_AGE] = max(width(row[_AGE]) for row in cells)
    narrow(_TAG, 5)
    narrow(_VALUE, 5)
    # What was dropped since may have left room.
    widths[_TAG] = min(max(width(row[_TAG]) for row in cells), widths[_TAG] + max(0, -over()))

    def cell(row: Sequence[str], column: int, head: str) -> str:
        text, room = row[column], widths[column]
        if width(text) <= room:
            return padded(text, room)
        if column == _TAG:
            return padded(cut_tag(text, head, room), room)
        if column == _DESCRIPTION:
            return padded(cut(text, room), room)
        return padded(_rounded(text, room) if column == _VALUE else cut_middle(text, room), room)

    def line(row: Sequence[str], head: str) -> str:
        return ("  " + "  ".join(cell(row, column, head) for column in shown)).rstrip()

    heads, moods = ("", *(row.connection for row in rows)), ("head", *(row.mood for row in rows))
    return [(line(row, head), mood) for row, head, mood in zip(cells, heads, moods, strict=True)]


def _rounded(text: str, columns: int) -> str:
    """Return a value in at most so many columns: a number is rounded and marked, because half of it is another one."""
    if not _NUMBER.fullmatch(text):
        return cut_middle(text, columns)
    number = float(text)
    plain = value_text(number)  # Without the zeros that only its tag's decimals ask for.
    if "." in text and len(plain) <= columns:
        return plain
    rounded = f"≈{narrow_number(number, columns - 1)}"
    return rounded if len(rounded) <= columns else "…"
