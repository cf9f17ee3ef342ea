"""Curves drawn as a chart of characters: braille dots, or plain ones where there is no braille.

Not a plotting library: those join with a line what is unknown.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from zb_mom_ww_mxgateway_console.text.terminal_text import width as columns_of
from zb_mom_ww_mxgateway_shell.output.axis import Axis
from zb_mom_ww_mxgateway_shell.output.scale import share
from zb_mom_ww_mxgateway_shell.samples.intervals import MOODS, Interval, ValueStatus

Line: TypeAlias = list[tuple[str, str]]
"""Pieces of one line, each with its role, which decides its colour."""

# Bits of a braille cell's dots, by row and column.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_STRIP: dict[ValueStatus, str] = {"none": " ", "good": "─", "uncertain": "?", "stale": "~", "bad": "!", "gap": "x"}
_PLAIN = str.maketrans({"─": "-", "┤": "|", "│": "|", "└": "+", "┬": "+", "╌": "."})
_LETTER_EVERY = 20
"""Columns between two letters on a curve."""


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and the highest value in view; None where there is none."""

    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Curve:
    """The intervals of one tag in a chart."""

    intervals: Sequence[Interval]
    letter: str = ""
    """Its name in a chart of several; empty for the only one."""
    role: str = ""
    """Its colour; empty for that of the status of its values."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A line at a value."""

    value: float
    name: str

    @property
    def text(self) -> str:
        return f"{self.name} {self.value:.12g}"


def in_view(intervals: Sequence[Interval], start: float, end: float) -> list[Interval]:
    """Return the intervals between two times; they are in order, and none overlaps another."""
    first = bisect_right(intervals, start, key=lambda interval: interval.end)
    return list(intervals[first : bisect_left(intervals, end, lo=first, key=lambda interval: interval.start)])


def range_of(intervals: Sequence[Interval]) -> Range:
    """Return the lowest and the highest value."""
    values = [interval.value for interval in intervals if interval.value is not None]
    return Range(min(values), max(values)) if values else Range(None, None)


def chart(
    curves: Sequence[Curve],
    start: float,
    end: float,
    columns: int,
    height: int,
    *,
    axis: Axis | None,
    labels: int,
    unit: str = "",
    limits: Sequence[Limit] = (),
    ticks: Collection[int] = (),
    braille: bool = True,
) -> list[Line]:
    """Return `height` lines with so many columns for the curves, one or more, and lines under them with their status.

    Time goes from left to right, `start` to `end`; `ticks` are marked columns. A value holds until the next one.
    Nothing is drawn where it is unknown; the line is broken where it is doubtful. Labels of the axis, the upper one
    with the unit, have `labels` columns on the left; the letters of several curves are on the right.
    """
    plots = [_Plot(columns, height, axis) for _ in curves]
    for curve, plot in zip(curves, plots, strict=True):
        _draw(plot, in_view(curve.intervals, start, end), start, (end - start) / (columns * 2))
    cells = _Cells(columns, height)
    for curve, plot in zip(curves, plots, strict=True):
        cells.add(plot, curve, braille)
    for number, (curve, plot) in enumerate(zip(curves, plots, strict=True)):
        if curve.letter and braille:
            cells.letters(plot, curve, number)
    for row, text in _limit_texts(axis, plots[0], limits).items():
        cells.limit(row, text)
    texts = _label_texts(axis, plots[0], unit)
    lines = [
        [
            ("good", f"{_right_aligned(texts.get(row, ''), labels)} {'┤' if row in texts else '│'}"),
            *cells.runs(row),
            *([("good", " "), *ends] if (ends := _ends(curves, plots, row)) else []),
        ]
        for row in range(height)
    ]
    several = len(curves) > 1
    moods: Sequence[ValueStatus] = ["good"] * columns if several else plots[0].moods
    under = ["┬" if x in ticks and mood in ("none", "good") else _STRIP[mood] for x, mood in enumerate(moods)]
    lines.append([("good", " " * labels + " └"), *_runs(under, moods)])
    for curve, plot in zip(curves, plots, strict=True) if several else ():
        strip = [_STRIP[mood] if mood not in ("none", "good") else " " for mood in plot.moods]
        if any(mark != " " for mark in strip):
            lines.append([(curve.role, f"{curve.letter:>{labels}}  "), *_runs(strip, plot.moods)])
    return lines if braille else [[(role, text.translate(_PLAIN)) for role, text in line] for line in lines]


def label_columns(axis: Axis | None, unit: str) -> int:
    """Return the columns that the labels of an axis need."""
    if axis is None:
        return 0
    return max(columns_of(text) for _, text in axis.ticks) + (columns_of(unit) + 1 if unit else 0)


def legend(lines: Sequence[Line]) -> str:
    """Return what the marks under the charts mean; empty where there are none."""
    return legend_text({role for line in lines for role, _ in line})


def legend_text(seen: Collection[str]) -> str:
    """Return what the marks of these statuses mean."""
    words = {"uncertain": "? uncertain", "bad": "! bad", "stale": "~ stale", "gap": "x gap: nothing is known"}
    return "   ".join(text for mood, text in words.items() if mood in seen)


class _Plot:
    """The dots of a curve."""

    def __init__(self, columns: int, height: int, axis: Axis | None) -> None:
        self._rows = height * 4
        self._low, self._high = (axis.low, axis.high) if axis else (0.0, 0.0)
        self.bits = [[0] * columns for _ in range(height)]
        self.moods: list[ValueStatus] = ["none"] * columns
        self.last: int | None = None
        """The height of its last value; None where it has none at the end."""

    def column(self, x: int, inside: Sequence[Interval]) -> None:
        """Draw one column: everything between the lowest and the highest value of its time."""
        moods = [interval.mood for interval in inside]
        mood: ValueStatus = max(moods, key=MOODS.index) if moods else "none"
        if MOODS.index(mood) > MOODS.index(self.moods[x // 2]):
            self.moods[x // 2] = mood
        heights = [self.height_of(interval.value) for interval in inside if interval.value is not None]
        if not heights:
            self.last = None
            return
        last = heights[-1]
        # Connect to the column before: a value that jumps is one line.
        if self.last is not None:
            heights.append(self.last)
        self.last = last
        if mood == "good" or (x % 4 < 2 if mood == "stale" else x % 2 == 0):
            for y in range(min(heights), max(heights) + 1):
                self.bits[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        if inside[-1].value is None:
            self.last = None

    def height_of(self, value: float) -> int:
        """Return the row of dots of a value, from 0 at the top."""
        return round((1 - share(value, self._low, self._high)) * (self._rows - 1))


def _draw(plot: _Plot, shown: Sequence[Interval], start: float, step: float) -> None:
    position = 0
    for x in range(len(plot.moods) * 2):
        first, last = start + x * step, start + (x + 1) * step
        while position < len(shown) and shown[position].end <= first:
            position += 1
        stop = position
        while stop < len(shown) and shown[stop].start < last:
            stop += 1
        plot.column(x, shown[position:stop])


class _Cells:
    """The characters of a chart, each with its role."""

    def __init__(self, columns: int, height: int) -> None:
        self._bits = [[0] * columns for _ in range(height)]
        self._texts = [[" "] * columns for _ in range(height)]
        self._roles = [["none"] * columns for _ in range(height)]

    def add(self, plot: _Plot, curve: Curve, braille: bool) -> None:
        """Add the dots of a curve; where several meet, the cell has the dots of all."""
        for row, bits in enumerate(plot.bits):
            for x, dots in enumerate(bits):
                if dots:
                    self._bits[row][x] |= dots
                    plain = curve.letter.lower() or "*"
                    self._put(row, x, chr(0x2800 + self._bits[row][x]) if braille else plain, curve, plot)

    def letters(self, plot: _Plot, curve: Curve, number: int) -> None:
        """Put the curve's letter on it here and there, for eyes and screens without colour."""
        columns = len(plot.moods)
        for x in range((7 * number + _LETTER_EVERY // 2) % _LETTER_EVERY, columns, _LETTER_EVERY):
            row = next((row for row, bits in enumerate(plot.bits) if bits[x]), None)
            if row is not None:
                self._put(row, x, curve.letter, curve, plot)

    def _put(self, row: int, x: int, text: str, curve: Curve, plot: _Plot) -> None:
        self._texts[row][x] = text
        self._roles[row][x] = curve.role or plot.moods[x]

    def limit(self, row: int, text: str) -> None:
        """Draw a line with its text through a row, behind the curves."""
        texts, roles = self._texts[row], self._roles[row]
        free = {x for x, cell in enumerate(texts) if cell == " "}
        for x in free:
            texts[x], roles[x] = "╌", "limit"
        room = len(text) + 2
        at = next((at for at in range(1, len(texts) - room) if free.issuperset(range(at, at + room))), None)
        if at is not None:
            texts[at : at + room] = f" {text} "

    def runs(self, row: int) -> Line:
        return _runs(self._texts[row], self._roles[row])


def _right_aligned(text: str, columns: int) -> str:
    return " " * (columns - columns_of(text)) + text


def _label_texts(axis: Axis | None, plot: _Plot, unit: str) -> dict[int, str]:
    """Return the labels by their line; the upper one has the unit."""
    texts: dict[int, str] = {}
    for place, text in reversed(axis.ticks) if axis else ():
        after = f" {unit}" if unit and not texts else " " * (columns_of(unit) + 1 if unit else 0)
        texts.setdefault(plot.height_of(place) // 4, f"{text}{after}")
    return texts


def _limit_texts(axis: Axis | None, plot: _Plot, limits: Sequence[Limit]) -> dict[int, str]:
    """Return the names of the limits in view by their line."""
    texts: dict[int, str] = {}
    for limit in limits:
        if axis is not None and axis.low <= limit.value <= axis.high:
            row = plot.height_of(limit.value) // 4
            texts[row] = f"{texts[row]}, {limit.text}" if row in texts else limit.text
    return texts


def _ends(curves: Sequence[Curve], plots: Sequence[_Plot], row: int) -> Line:
    """Return the letters of the curves that end in a line."""
    return [
        (curve.role, curve.letter)
        for curve, plot in zip(curves, plots, strict=True)
        if curve.letter and plot.last is not None and plot.last // 4 == row
    ]


def _runs(cells: Sequence[str], roles: Sequence[str]) -> Line:
    """Join neighbours of the same role."""
    line: Line = []
    for cell, role in zip(cells, roles, strict=True):
        if line and line[-1][0] == role:
            line[-1] = (role, line[-1][1] + cell)
        else:
            line.append((role, cell))
    return line
