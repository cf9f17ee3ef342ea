"""Intervals drawn as a chart of characters: braille dots, or plain ones where there is no braille.

Not a plotting library: those join with a line what is unknown.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from zb_mom_ww_mxgateway_console.render.forms import narrow_number
from zb_mom_ww_mxgateway_shell.output.scale import between, share
from zb_mom_ww_mxgateway_shell.samples.intervals import MOODS, Interval, ValueStatus

Line: TypeAlias = list[tuple[ValueStatus, str]]
"""Pieces of one line, each with its status."""

# Bits of a braille cell's dots, by row and column.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_STRIP: dict[ValueStatus, str] = {"none": " ", "good": "─", "uncertain": "?", "stale": "~", "bad": "!", "gap": "x"}
_PLAIN = {"─": "-", "┤": "|", "│": "|", "└": "+"}
_LABEL = 10


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and the highest value in view; None where there is none."""

    low: float | None
    high: float | None


def in_view(intervals: Sequence[Interval], start: float, end: float) -> list[Interval]:
    """Return the intervals between two times."""
    return [interval for interval in intervals if interval.end > start and interval.start < end]


def range_of(intervals: Sequence[Interval]) -> Range:
    """Return the lowest and the highest value."""
    values = [interval.value for interval in intervals if interval.value is not None]
    return Range(min(values), max(values)) if values else Range(None, None)


def chart(
    intervals: Sequence[Interval],
    start: float,
    end: float,
    width: int,
    height: int,
    *,
    boolean: bool = False,
    braille: bool = True,
) -> list[Line]:
    """Return `height` lines of at most `width` columns, and a line under them with the status of each column.

    Time goes from left to right, `start` to `end`. A value holds until the next one. Nothing is drawn where it is
    unknown; the line is broken where it is doubtful. Booleans are always between false and true.
    """
    columns = max(4, width - _LABEL - 2)
    shown = in_view(intervals, start, end)
    known = Range(0.0, 1.0) if boolean else range_of(shown)
    plot = _Plot(columns, height, known)
    step = (end - start) / (columns * 2)
    position = 0
    for x in range(columns * 2):
        first, last = start + x * step, start + (x + 1) * step
        while position < len(shown) and shown[position].end <= first:
            position += 1
        stop = position
        while stop < len(shown) and shown[stop].start < last:
            stop += 1
        plot.column(x, shown[position:stop])
    lines = [
        [("good", _label(label, braille)), *_runs(plot.cells(row, braille), plot.moods)]
        for row, label in enumerate(_boolean_labels(height) if boolean else _labels(known, height))
    ]
    strip = [_STRIP[mood] for mood in plot.moods]
    under = [_plain(character, braille) for character in strip]
    lines.append([("good", _plain(" " * _LABEL + " └", braille)), *_runs(under, plot.moods)])
    return lines


def legend(lines: Sequence[Line]) -> str:
    """Return what the marks under the charts mean; empty where there are none."""
    seen = {mood for line in lines for mood, _ in line}
    words = {"uncertain": "? uncertain", "bad": "! bad", "stale": "~ stale", "gap": "x gap: nothing is known"}
    return "   ".join(text for mood, text in words.items() if mood in seen)


class _Plot:
    """The dots of a chart."""

    def __init__(self, columns: int, height: int, known: Range) -> None:
        self._rows = height * 4
        self._low, self._high = known.low or 0.0, known.high or 0.0
        self._bits = [[0] * columns for _ in range(height)]
        self.moods: list[ValueStatus] = ["none"] * columns
        self._before: int | None = None

    def column(self, x: int, inside: Sequence[Interval]) -> None:
        """Draw one column: everything between the lowest and the highest value of its time."""
        moods = [interval.mood for interval in inside]
        mood: ValueStatus = max(moods, key=MOODS.index) if moods else "none"
        if MOODS.index(mood) > MOODS.index(self.moods[x // 2]):
            self.moods[x // 2] = mood
        heights = [self._height(interval.value) for interval in inside if interval.value is not None]
        if not heights:
            self._before = None
            return
        last = heights[-1]
        # Connect to the column before: a value that jumps is one line.
        if self._before is not None:
            heights.append(self._before)
        self._before = last
        if mood == "good" or (x % 4 < 2 if mood == "stale" else x % 2 == 0):
            for y in range(min(heights), max(heights) + 1):
                self._bits[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
        if inside[-1].value is None:
            self._before = None

    def _height(self, value: float) -> int:
        """Return the row of a value, from 0 at the top."""
        return round((1 - share(value, self._low, self._high)) * (self._rows - 1))

    def cells(self, row: int, braille: bool) -> list[str]:
        if braille:
            return [chr(0x2800 + bits) if bits else " " for bits in self._bits[row]]
        return ["*" if bits else " " for bits in self._bits[row]]


def _labels(known: Range, height: int) -> list[str]:
    labels = [""] * height
    if known.low is None or known.high is None:
        return labels
    if known.low == known.high:
        labels[height // 2] = _number(known.low)
        return labels
    labels[0], labels[-1] = _number(known.high), _number(known.low)
    if height >= 5:
        # A place between two values rather than a value: a few digits are enough.
        digits = next((n for n in range(5, 9) if f"{known.low:.{n}g}" != f"{known.high:.{n}g}"), 9)
        middle = between(known.low, known.high, 1 - (height // 2) / (height - 1))
        rounded = float(f"{middle:.{digits}g}")
        # The largest double cannot be rounded up.
        labels[height // 2] = _number(rounded if math.isfinite(rounded) else middle)
    return labels


def _boolean_labels(height: int) -> list[str]:
    return ["true", *[""] * (height - 2), "false"]


def _number(value: float) -> str:
    return narrow_number(value, _LABEL).removesuffix(".0")


def _label(text: str, braille: bool) -> str:
    return _plain(f"{text:>{_LABEL}} {'┤' if text else '│'}", braille)


def _plain(text: str, braille: bool) -> str:
    return text if braille else "".join(_PLAIN.get(character, character) for character in text)


def _runs(cells: Sequence[str], moods: Sequence[ValueStatus]) -> Line:
    """Join neighbours of the same status."""
    line: Line = []
    for cell, mood in zip(cells, moods, strict=True):
        if line and line[-1][0] == mood:
            line[-1] = (mood, line[-1][1] + cell)
        else:
            line.append((mood, cell))
    return line
