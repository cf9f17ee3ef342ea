"""The samples of a wait as a line drawing (SVG), readable without colour: values, limits, gaps, and the write.

A value holds until the next one. Nothing is drawn where it is unknown, and a broken line where it is doubtful.
"""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from zb_mom_ww_mxgateway_console.text.terminal_text import cut, cut_middle, safe, shortened, width
from zb_mom_ww_mxgateway_shell.evidence.report_text import (
    ReportClock,
    list_of,
    mapping_of,
    moment_of,
    number_of,
    shown_value,
    text_of,
)
from zb_mom_ww_mxgateway_shell.output.axis import BOOLEAN, Axis, value_axis
from zb_mom_ww_mxgateway_shell.output.scale import share

Mood = Literal["good", "uncertain", "stale", "bad"]

_WIDTH, _HEIGHT = 680, 236
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 92, 26, 40
_MOST_LEVELS, _MOST_TIMES = 6, 8
_MOST_NAMES = 8
"""Different texts that get a level of their own; more are one level."""
_MOST_GAPS = 20
"""Gaps between two points that are drawn apart."""
_LONGEST_TITLE = 120
_WIDE = frozenset("@%MWmw")
"""Letters that are wider than others of one column."""
_BOUNDS = {"equal": "=", "low": "low", "high": "high", "band_low": "low", "band_high": "high"}


@dataclass(frozen=True, slots=True)
class _TrendPoint:
    at: float
    """Seconds since the start."""
    level: float | None
    """Where it is drawn; None without a value that can be."""
    mood: Mood
    text: str


@dataclass(frozen=True, slots=True)
class TrendDrawing:
    """A drawing, and the same in words."""

    svg: str
    caption: str
    summary: str


def trend_of(series: Mapping[str, Any], clock: ReportClock, number: int) -> TrendDrawing:
    """Return the drawing of a ``samples`` entry of a record; `number` makes its names unique on a page."""
    return _Drawing(series, clock, number).trend()


class _Drawing:
    def __init__(self, series: Mapping[str, Any], clock: ReportClock, number: int) -> None:
        self._series, self._clock, self._id = series, clock, f"trend{number}"
        self._raw = [mapping_of(each) for each in list_of(series.get("points"))]
        self._names = self._levels_of_texts()
        start, end = moment_of(series.get("started_at")), moment_of(series.get("ended_at"))
        times = [time for each in self._raw if (time := moment_of(each.get("at"))) is not None]
        self._start: datetime | None = start or min(times, default=end)
        self._written = [at for each in list_of(series.get("written_at")) if (at := self._seconds(each)) is not None]
        self._end = max([self._seconds(series.get("ended_at")) or 0.0, *map(self._seconds_of, times)], default=0.0)
        self._end = self._end if self._end > 0 else 1.0
        # A write from just before belongs into the picture; an older one is named under it.
        self._begin = min([0.0, *(each for each in self._written if each >= -self._end)])
        self._points = [self._point(each) for each in self._raw]
        self._bounds = list(self._bound_lines())
        levels = [each.level for each in self._points if each.level is not None]
        levels += [level for _, level in self._bounds]
        if self._is_boolean:
            levels += [0.0, 1.0]
        self._axis = Axis(0.0, 1.0, ()) if not levels else value_axis(min(levels), max(levels), _MOST_LEVELS)
        if self._is_boolean:
            self._axis = BOOLEAN
        elif self._names:
            names = [(level, _one(text)) for text, level in list(self._names.items())[:_MOST_NAMES]]
            self._axis = Axis(min(levels), max(levels), names)

    @property
    def _is_boolean(self) -> bool:
        return bool(self._raw) and all(isinstance(each.get("value"), bool) for each in self._raw)

    def trend(self) -> TrendDrawing:
        tag, condition = text_of(self._series.get("tag")), text_of(self._series.get("condition"))
        title = condition if condition.startswith(tag) else f"{tag}: {condition}".rstrip(": ")
        summary = self._summary()
        parts = [
            f'<svg class="trend" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
            f'aria-labelledby="{self._id}-title {self._id}-desc">',
            f'<title id="{self._id}-title">{_escaped(title)}</title>',
            f'<desc id="{self._id}-desc">{_escaped(summary)}</desc>',
            f'<defs><pattern id="{self._id}-hatch" width="6" height="6" patternUnits="userSpaceOnUse" '
            'patternTransform="rotate(45)"><path class="hatch" d="M0 0V6"/></pattern></defs>',
            f'<rect class="frame" x="{_LEFT}" y="{_TOP}" width="{_WIDTH - _LEFT - _RIGHT}" '
            f'height="{_HEIGHT - _TOP - _BOTTOM}"/>',
            *self._gap_areas(),
            *self._axes(tag),
            *self._limit_lines(),
            *self._write_lines(),
            *self._paths(),
            *map(self._mark, self._points),
            "</svg>",
        ]
        return TrendDrawing("\n".join(parts), title, summary)

    # Values and times

    def _seconds_of(self, at: datetime) -> float:
        return (at - self._start).total_seconds() if self._start is not None else 0.0

    def _seconds(self, at: Any) -> float | None:
        moment = moment_of(at)
        return None if moment is None else self._seconds_of(moment)

    def _levels_of_texts(self) -> dict[str, float]:
        """Return a level for each text among the values."""
        texts = [_name(each.get("value")) for each in self._raw if isinstance(each.get("value"), str | list | Mapping)]
        return {text: float(level) for level, text in enumerate(dict.fromkeys(texts))}

    def _point(self, said: Mapping[str, Any]) -> _TrendPoint:
        value, quality = said.get("value"), text_of(said.get("quality")) or "unknown"
        level = number_of(value) if not self._names else self._names.get(_name(value))
        mood: Mood = "good" if quality in ("good", "192") else "uncertain" if quality == "uncertain" else "bad"
        if mood == "good" and said.get("stale"):
            mood = "stale"
        source = f", source {self._clock.short(said['source_at'])}" if said.get("source_at") else ""
        stale = ", stale" if said.get("stale") else ""
        text = f"{self._clock.short(said.get('at'))}: {_name(value)}, {quality}{stale}{source}"
        at = self._seconds(said.get("at"))
        return _TrendPoint(0.0 if at is None else at, level, mood, text)

    def _bound_lines(self) -> Iterator[tuple[str, float]]:
        for each in map(mapping_of, list_of(self._series.get("bounds"))):
            if not self._names and (level := number_of(each.get("value"))) is not None:
                kind = text_of(each.get("kind"))
                value = bool(level) if self._is_boolean else each.get("value")
                yield f"{_BOUNDS.get(kind, kind)} {shown_value(value)}", level

    # Places

    def _x(self, at: float) -> float:
        return _LEFT + share(at, self._begin, self._end) * (_WIDTH - _LEFT - _RIGHT)

    def _y(self, level: float) -> float:
        room = _HEIGHT - _TOP - _BOTTOM - 16
        return _TOP + 8 + (1 - share(level, self._axis.low, self._axis.high)) * room

    # Parts of the drawing

    def _gap_areas(self) -> Iterator[str]:
        for each, began, ended in self._gaps():
            left = self._x(began)
            wide = max(1.5, self._x(ended) - left)
            kind = text_of(each.get("kind")) or "gap"
            yield (
                f'<g class="gap"><title>{_escaped(self._gap_text(each))}</title>'
                f'<rect x="{left:.1f}" y="{_TOP}" width="{wide:.1f}" height="{_HEIGHT - _TOP - _BOTTOM}" '
                f'fill="url(#{self._id}-hatch)"/>'
                f'<text x="{left + wide / 2:.1f}" y="{_HEIGHT - _BOTTOM - 4}" text-anchor="middle">'
                f"{_escaped(cut(kind, 8))}</text></g>"
            )

    def _gaps(self) -> Iterator[tuple[Mapping[str, Any], float, float]]:
        for each in map(mapping_of, list_of(self._series.get("gaps"))):
            began, ended = self._seconds(each.get("from")), self._seconds(each.get("to"))
            if began is not None:
                yield each, began, self._end if ended is None else ended

    def _gap_text(self, gap: Mapping[str, Any]) -> str:
        kind = text_of(gap.get("kind")) or "gap"
        return f"{kind} from {self._clock.short(gap.get('from'))} to {self._clock.short(gap.get('to'))}"

    def _axes(self, tag: str) -> Iterator[str]:
        bottom = _HEIGHT - _BOTTOM
        for at, seconds in value_axis(self._begin, self._end, _MOST_TIMES).ticks:
            if not self._begin <= at <= self._end:
                continue
            x = self._x(at)
            yield f'<path class="tick" d="M{x:.1f} {bottom}v4"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{seconds}</text>'
        began = self._clock.short(self._series.get("started_at"))
        label = f"seconds since {began} ({self._clock.zone})"
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        yield f'<text class="label" x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{_escaped(label)}</text>'
        text = f"value of {cut_middle(_one(tag), 80)}"
        yield f'<text class="label" x="4" y="14"{_fitted(text, _WIDTH - 8)}>{_escaped(text)}</text>'
        for level, text in self._axis.ticks:
            y = self._y(level)
            yield f'<path class="tick" d="M{_LEFT} {y:.1f}h-4"/>'
            text = cut(text, 16)
            room = _fitted(text, _LEFT - 9)
            yield f'<text x="{_LEFT - 7}" y="{y + 3.5:.1f}" text-anchor="end"{room}>{_escaped(text)}</text>'

    def _limit_lines(self) -> Iterator[str]:
        below = math.inf
        for text, level in sorted(self._bounds, key=lambda each: self._y(each[1])):
            y = self._y(level)
            # Labels of limits that are close to each other stay apart.
            below = y + 3.5 if math.isinf(below) else max(y + 3.5, below + 12)
            yield (
                f'<g class="limit"><title>{_escaped(f"limit {text}")}</title>'
                f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>'
                f'<text x="{_WIDTH - _RIGHT + 5}" y="{below:.1f}"{_fitted(cut(text, 15), _RIGHT - 7)}>'
                f"{_escaped(cut(text, 15))}</text></g>"
            )

    def _write_lines(self) -> Iterator[str]:
        for at in self._written:
            if at >= self._begin:
                x = self._x(at)
                yield (
                    f'<g class="written"><title>{_escaped(f"write sent {_signed(at)}")}</title>'
                    f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}"/>'
                    f'<path class="arrow" d="M{x - 4:.1f} {_TOP}h8l-4 7z"/>'
                    f'<text x="{x + 6:.1f}" y="{_TOP + 11}">write</text></g>'
                )

    def _paths(self) -> Iterator[str]:
        """Yield the lines between the points: whole where the value is good and known to hold, else broken."""
        lines: dict[bool, list[str]] = {True: [], False: []}
        gaps = sorted((began, ended) for _, began, ended in self._gaps())
        passed = 0
        pen: tuple[bool, float, float] | None = None
        for index, point in enumerate(self._points):
            if point.level is None:
                pen = None
                continue
            following = self._points[index + 1].at if index + 1 < len(self._points) else self._end
            while passed < len(gaps) and gaps[passed][1] <= point.at:
                passed += 1
            began, y = self._x(point.at), self._y(point.level)
            for left, right, is_known in _between(point.at, following, gaps[passed : passed + _MOST_GAPS]):
                is_sure = is_known and point.mood == "good"
                x, ended = self._x(left), self._x(right)
                line = lines[is_sure]
                if pen is None or pen[0] is not is_sure:
                    before = pen[2] if pen is not None and x == began else y
                    line.append(f"M{x:.1f} {before:.1f}")
                line.append(f"{'' if pen and pen[2] == y else f'V{y:.1f}'}H{ended:.1f}")
                pen = is_sure, ended, y
        for is_sure, line in lines.items():
            if line:
                yield f'<path class="{"sure" if is_sure else "doubtful"}" d="{"".join(line)}"/>'

    def _mark(self, point: _TrendPoint) -> str:
        """Return the mark of one point: a dot, or another shape where the value is doubtful."""
        x = self._x(point.at)
        y = self._y(point.level) if point.level is not None else float(_HEIGHT - _BOTTOM)
        shape = {
            "good": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.9"/>',
            "stale": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"/>',
            "uncertain": f'<path d="M{x - 3.5:.1f} {y + 3:.1f}h7l-3.5 -6.5z"/>',
            "bad": f'<path d="M{x - 3:.1f} {y - 3:.1f}l6 6m0 -6l-6 6"/>',
        }[point.mood]
        return f'<g class="point {point.mood}"><title>{_escaped(point.text)}</title>{shape}</g>'

    # In words

    def _summary(self) -> str:
        count, omitted = len(self._raw), number_of(self._series.get("omitted")) or 0
        parts = [f"{count} value{'' if count == 1 else 's'} over {_number(round(self._end, 3))} s"]
        if omitted:
            parts.append(f"{omitted:.0f} more are not in the record: extremes were kept")
        numbers = [each.level for each in self._points if each.level is not None]
        if numbers and not self._names and not self._is_boolean:
            parts.append(f"lowest {_number(min(numbers))}, highest {_number(max(numbers))}")
        if self._raw:
            first, last = _name(self._raw[0].get("value")), _name(self._raw[-1].get("value"))
            parts.append(f"first {_one(first)}, last {_one(last)}")
        parts += [f"limit {text}" for text, _ in self._bounds]
        parts += [f"write sent {_signed(at)}" for at in self._written]
        moods = [each.mood for each in self._points]
        parts += [f"{moods.count(mood)} {mood}" for mood in ("bad", "uncertain", "stale") if mood in moods]
        parts += [self._gap_text(each) for each, _, _ in self._gaps()]
        return "; ".join(parts)


def _between(start: float, end: float, gaps: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float, bool]]:
    """Yield the parts of a stretch of time, and whether the value is known to hold in it: not in a gap."""
    at = start
    for began, ended in gaps:
        if ended <= at or began >= end:
            continue
        if began > at:
            yield at, began, True
        yield max(at, began), min(end, ended), False
        at = min(end, ended)
    if at < end or at == start:
        yield at, max(at, end), True


def _number(value: float) -> str:
    text = f"{value:.6g}"
    return "0" if text == "-0" else text


def _signed(at: float) -> str:
    if abs(at) < 0.0005:
        return "at the start"
    return f"{_number(round(abs(at), 3))} s {'after' if at >= 0 else 'before'} the start"


def _name(value: Any) -> str:
    return value if isinstance(value, str) else shown_value(value)


def _one(text: str) -> str:
    return safe(shortened(text, _LONGEST_TITLE))


def _fitted(text: str, room: int) -> str:
    """Return the attributes that keep a text within so many units, if it may be wider."""
    estimated = 7 * width(text) + 4 * sum(character in _WIDE for character in text)
    return f' textLength="{room}" lengthAdjust="spacingAndGlyphs"' if estimated > room else ""


def _escaped(text: str) -> str:
    return html.escape(safe(shortened(text, 4 * _LONGEST_TITLE)))
