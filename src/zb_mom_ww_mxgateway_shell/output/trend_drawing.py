"""A picture of a trend as a drawing for a file: in colours for paper, readable without them."""

from collections.abc import Iterator, Sequence

from zb_mom_ww_mxgateway.times import date_and_time, shown, zone_text
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, width
from zb_mom_ww_mxgateway_shell.output.axis import Axis, time_ticks
from zb_mom_ww_mxgateway_shell.output.chart import in_view, label_columns, legend_text
from zb_mom_ww_mxgateway_shell.output.drawing import CHARACTER, Area, Drawing, Label, Part, Stroke
from zb_mom_ww_mxgateway_shell.output.scale import share
from zb_mom_ww_mxgateway_shell.output.themes import THEMES
from zb_mom_ww_mxgateway_shell.output.trend_picture import LETTERS, Panel, heading
from zb_mom_ww_mxgateway_shell.samples.history import moment
from zb_mom_ww_mxgateway_shell.samples.intervals import Interval, ValueStatus

_WIDTH, _LINE, _MARGIN = 900, 18, 12
_HEIGHT, _BOOLEAN_HEIGHT = 240, 60
_TICKS = 6
_COLORS = THEMES["light"]
_GRID, _INK = "#d0d0d0", "#000000"
_MARKS: dict[ValueStatus, tuple[str, str]] = {
    "uncertain": ("?", _COLORS.doubt),
    "stale": ("~", _COLORS.doubt),
    "bad": ("!", _COLORS.bad),
    "gap": ("x", _COLORS.bad),
}
_MOST_IN_A_COLUMN = 4
"""Points of one column that are drawn: the first, the lowest, the highest and the last."""


def drawing_of(panels: Sequence[Panel]) -> Drawing:
    """Return the drawing of a picture."""
    axes = [panel.axis(_TICKS) for panel in panels]
    labels = max(label_columns(axis, panel.unit) for axis, panel in zip(axes, panels, strict=True))
    sketch = _Sketch(panels[0].window, _MARGIN + (labels + 1) * CHARACTER)
    for panel, axis in zip(panels, axes, strict=True):
        sketch.panel(panel, axis)
    sketch.end()
    names = ", ".join(each.tag for panel in panels for _, each in panel.tags)
    span = " to ".join(date_and_time(moment(at)) for at in panels[0].window)
    texts = [heading(panel, place, each) for panel in panels for place, each in panel.tags]
    return Drawing(_WIDTH, round(sketch.y), sketch.parts, f"{names}: {span}", "; ".join(texts))


class _Sketch:
    """Parts of a drawing, from top to bottom."""

    def __init__(self, window: tuple[float, float], left: float) -> None:
        self.parts: list[Part] = []
        self.y: float = _MARGIN
        self._window = window
        self._left, self._right = left, _WIDTH - _MARGIN - (len(LETTERS) + 1) * CHARACTER
        start, end = (shown(moment(at)) for at in window)
        self._ticks = time_ticks(start, end, int((self._right - left) / CHARACTER))
        self._date = f"{start:%Y-%m-%d} {zone_text(start)}"
        self._seen: set[ValueStatus] = set()

    def _text(self, text: str, color: str = _INK) -> None:
        self.y += _LINE
        self.parts.append(Label(_MARGIN, self.y - 4, cut(text, (_WIDTH - 2 * _MARGIN) // CHARACTER), color))

    def panel(self, panel: Panel, axis: Axis | None) -> None:
        """Add a chart with its legend."""
        for place, each in panel.tags:
            self._text(heading(panel, place, each), _color(panel, place))
        top = self.y + 8
        bottom = top + (_BOOLEAN_HEIGHT if panel.boolean else _HEIGHT)
        self._grid(panel, axis, top, bottom)
        self.y = bottom + 4
        for place, each in panel.tags:
            shown = in_view(each.intervals, *self._window)
            if axis is not None:
                self.parts += self._curve(shown, axis, top, bottom, _color(panel, place))
                if panel.several and shown and (value := shown[-1].value) is not None:
                    x = self._right + 4 + CHARACTER * [number for number, _ in panel.tags].index(place)
                    y = _level(value, axis, top, bottom) + 5
                    self.parts.append(Label(x, y, LETTERS[place], _color(panel, place)))
            self._strip(LETTERS[place] if panel.several else "", shown)
        self.y += 8

    def _x(self, at: float) -> float:
        return self._left + share(at, *self._window) * (self._right - self._left)

    def _grid(self, panel: Panel, axis: Axis | None, top: float, bottom: float) -> None:
        for part, _ in self._ticks:
            x = self._left + part * (self._right - self._left)
            self.parts.append(Stroke([(x, top), (x, bottom)], _GRID))
        ticks = list(axis.ticks) if axis else []
        for place, text in ticks:
            y = _level(place, axis, top, bottom) if axis else bottom
            unit = f" {panel.unit}" if panel.unit and place == ticks[-1][0] else ""
            behind = CHARACTER * (width(panel.unit) + 1) if panel.unit and not unit else 0
            self.parts.append(Stroke([(self._left, y), (self._right, y)], _GRID))
            self.parts.append(Label(self._left - 6 - behind, y + 5, f"{text}{unit}", _INK, "end"))
        frame = [(self._left, top), (self._left, bottom), (self._right, bottom)]
        self.parts.append(Stroke(frame, _INK))
        for limit in panel.limits if axis else ():
            if axis and axis.low <= limit.value <= axis.high:
                y = _level(limit.value, axis, top, bottom)
                self.parts.append(Stroke([(self._left, y), (self._right, y)], _COLORS.bad, is_broken=True))
                above = y - _LINE > top
                self.parts.append(Label(self._left + 6, y - 4 if above else y + _LINE - 3, limit.text, _COLORS.bad))

    def _curve(self, shown: Sequence[Interval], axis: Axis, top: float, bottom: float, color: str) -> Iterator[Stroke]:
        """Yield the lines of one tag: broken where the value is doubtful, none where it is unknown."""
        points: list[tuple[float, float]] = []
        is_broken, ends = False, 0.0
        for interval in shown:
            is_doubtful, goes_on = interval.mood != "good", interval.value is not None and ends >= interval.start
            if points and (not goes_on or is_doubtful is not is_broken):
                yield Stroke(_thinned(points), color, 2, is_broken)
                points = points[-1:] if goes_on else []
            if interval.value is not None:
                y = _level(interval.value, axis, top, bottom)
                points += [(self._x(interval.start), y), (self._x(interval.end), y)]
            is_broken, ends = is_doubtful, interval.end
        if points:
            yield Stroke(_thinned(points), color, 2, is_broken)

    def _strip(self, letter: str, shown: Sequence[Interval]) -> None:
        """Add a line with the marks of what is doubtful, if anything is."""
        doubtful = [interval for interval in shown if interval.mood in _MARKS]
        if not doubtful:
            return
        self.parts.append(Label(self._left - 6, self.y + 12, letter, _INK, "end"))
        for interval in doubtful:
            self._seen.add(interval.mood)
            mark, color = _MARKS[interval.mood]
            x, wide = self._x(interval.start), max(1.0, self._x(interval.end) - self._x(interval.start))
            self.parts.append(Area(x, self.y + 12, wide, 3, color))
            if wide >= CHARACTER:
                self.parts.append(Label(x + wide / 2, self.y + 10, mark, color, "middle"))
        self.y += _LINE

    def end(self) -> None:
        """Add the times, and what the marks mean."""
        self.y += _LINE
        for part, text in self._ticks:
            x = self._left + part * (self._right - self._left)
            self.parts.append(Label(x, self.y - 4, text, _INK, "middle"))
        self.parts.append(Label(_WIDTH - _MARGIN, self.y + _LINE - 4, self._date, _INK, "end"))
        self._text(legend_text(self._seen))
        self.y += _MARGIN


def _color(panel: Panel, place: int) -> str:
    return _COLORS.series[place if panel.several else 0]


def _level(value: float, axis: Axis, top: float, bottom: float) -> float:
    return bottom - share(value, axis.low, axis.high) * (bottom - top)


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return points that look the same: of each column the first, the lowest, the highest and the last."""
    made: list[tuple[float, float]] = []
    column: list[tuple[float, float]] = []

    def close() -> None:
        if len(column) > _MOST_IN_A_COLUMN:
            x = column[0][0]
            ends = min(column, key=lambda point: point[1]), max(column, key=lambda point: point[1])
            made.extend((x, y) for _, y in (column[0], *ends))
            made.extend([(x, column[-1][1]), column[-1]])
        else:
            made.extend(column)

    for point in points:
        if column and int(point[0]) != int(column[0][0]):
            close()
            column.clear()
        column.append(point)
    close()
    return made
