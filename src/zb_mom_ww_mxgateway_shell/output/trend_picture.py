"""A picture of the history of a few tags: numbers of one unit share a chart, each Boolean has its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from zb_mom_ww_mxgateway.safety.known_range import TagRange
from zb_mom_ww_mxgateway.times import shown, zone_text
from zb_mom_ww_mxgateway_console.render.forms import counted, safe
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, cut_middle, one_line, padded, width
from zb_mom_ww_mxgateway_shell.output.axis import BOOLEAN, Axis, time_ticks, value_axis
from zb_mom_ww_mxgateway_shell.output.chart import (
    Curve,
    Limit,
    Line,
    Range,
    chart,
    in_view,
    label_columns,
    legend,
    range_of,
)
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.tag_texts import LEAST_DESCRIPTION, UNIT_WIDTH, cut_tag
from zb_mom_ww_mxgateway_shell.samples.history import moment
from zb_mom_ww_mxgateway_shell.samples.intervals import Interval

_LOWEST, _HIGHEST = 2, 12
_BOOLEAN_HEIGHT = 3
_TAG_WIDTH = 8
_LABELS_PART = 3
"""The part of the columns that labels with a unit have at most: a third."""
_FEWEST_COLUMNS = 4
MOST_TAGS = 6
"""Curves that eyes can tell apart."""
LETTERS = "ABCDEF"


@dataclass(frozen=True, slots=True)
class ChartedTag:
    """One tag of a picture."""

    tag: str
    text: str
    """Its value as text; empty where there is none."""
    state: str
    """Quality and age of the value, or why there is none."""
    intervals: Sequence[Interval]
    boolean: bool
    unit: str = ""
    alarm_limits: Sequence[Limit] = ()
    """Limits of its own alarms: drawn where they are in view."""
    description: str = ""
    decimals: int = 0
    """Decimals of the tag."""
    range: TagRange = (None, None)
    """The range of the tag."""
    connection: str = ""
    """The connection with which the tag begins, with the colon; empty for none."""

    @property
    def short_unit(self) -> str:
        """The unit as it is shown: short, and safe for a terminal."""
        return cut(one_line(self.unit), UNIT_WIDTH)


@dataclass(frozen=True)
class Panel:
    """The tags of one chart, with their places among all tags."""

    tags: Sequence[tuple[int, ChartedTag]]
    window: tuple[float, float]
    wanted: Sequence[Limit]
    """Limits that are in view whatever the values are."""
    fits_limits: bool
    """Whether the limits of alarms are, too."""
    fits_range: bool = False
    """Whether the axis has the range of the tags."""

    @property
    def boolean(self) -> bool:
        return self.tags[0][1].boolean

    @property
    def unit(self) -> str:
        return self.tags[0][1].short_unit

    @property
    def several(self) -> bool:
        return len(self.tags) > 1

    @property
    def limits(self) -> list[Limit]:
        """Every limit that may be drawn; none twice."""
        own = [limit for _, each in self.tags for limit in each.alarm_limits]
        return [] if self.boolean else list(dict.fromkeys([*self.wanted, *own]))

    @cached_property
    def extent(self) -> Range:
        """The lowest and the highest value in view."""
        return range_of([shown for _, each in self.tags for shown in in_view(each.intervals, *self.window)])

    @cached_property
    def rows_beside(self) -> int:
        """Rows in addition to the chart: headings, a line under it, and one for each of several tags in doubt."""
        doubtful = (any(each.mood != "good" for each in in_view(tag.intervals, *self.window)) for _, tag in self.tags)
        return len(self.tags) + 1 + (sum(doubtful) if self.several else 0)

    def axis(self, most: int) -> Axis | None:
        """Return the axis with at most `most` ticks; None where nothing is known."""
        if self.boolean:
            return BOOLEAN
        ends = [end for end in (self.extent.low, self.extent.high) if end is not None]
        ends += [limit.value for limit in (self.limits if self.fits_limits else self.wanted)]
        if self.fits_range:
            ends += [end for _, each in self.tags for end in each.range if end is not None]
        return value_axis(min(ends), max(ends), most) if ends else None

    def curves(self) -> list[Curve]:
        """Return the curves; several have letters and colours."""
        if not self.several:
            return [Curve(self.tags[0][1].intervals)]
        return [Curve(each.intervals, LETTERS[place], f"series{place + 1}") for place, each in self.tags]


def panels_of(
    tags: Sequence[ChartedTag],
    window: tuple[float, float],
    *,
    apart: bool,
    limits: Sequence[Limit] = (),
    fits_limits: bool = False,
    fits_range: bool = False,
) -> list[Panel]:
    """Return the charts for these tags; `apart` gives each its own. The first one of numbers has the `limits`."""
    groups: dict[object, list[tuple[int, ChartedTag]]] = {}
    for place, each in enumerate(tags):
        groups.setdefault(place if apart or each.boolean else each.unit, []).append((place, each))
    # A limit has the unit of the first numbers.
    limited = next((name for name, group in groups.items() if not group[0][1].boolean), None)
    return [
        Panel(group, window, limits if name == limited else (), fits_limits, fits_range)
        for name, group in groups.items()
    ]


def picture_of(panels: Sequence[Panel], columns: int, rows: int, *, braille: bool) -> list[Line]:
    """Return lines of at most so many columns and rows; a line says how many charts have no room."""
    whole, panels = panels, _fitting(panels, rows)
    heights = _heights(panels, rows - (len(panels) < len(whole)))
    axes = [panel.axis(max(3, height // 2 + 1)) for panel, height in zip(panels, heights, strict=True)]
    # The legend has the unit, too: the axis does without one that leaves too little room.
    units = [
        panel.unit if label_columns(axis, panel.unit) <= columns // _LABELS_PART else ""
        for axis, panel in zip(axes, panels, strict=True)
    ]
    labels = max(map(label_columns, axes, units))
    most = max((len(panel.tags) for panel in panels if panel.several), default=-1)
    # Beside the curves: the axis, and a place for the letters.
    room = max(_FEWEST_COLUMNS, columns - labels - 2 - (most + 1))
    start, end = (shown(moment(at)) for at in panels[0].window)
    ticks = [(round(part * (room - 1)), text) for part, text in time_ticks(start, end, room)]
    lines: list[Line] = []
    for panel, axis, height, unit in zip(panels, axes, heights, units, strict=True):
        for place, each in panel.tags:
            text = _heading(panel, place, each, columns)
            role = f"series{place + 1}" if panel.several else "good"
            lines.append([(role, text if braille else text.replace("…", "~"))])
        lines += chart(
            panel.curves(),
            *panel.window,
            room,
            height,
            axis=axis,
            labels=labels,
            unit=unit,
            limits=panel.limits,
            ticks=[x for x, _ in ticks],
            braille=braille,
        )
    lines.append([("good", _clock(ticks, zone_text(moment(panels[0].window[1])), labels + 2, columns))])
    if left := len(whole) - len(panels):
        lines.append([("good", cut(f"  and {counted(left, 'more chart')}: the screen is too low", columns))])
    if text := legend(lines):
        lines.append([("good", cut_middle(f"  {text}", columns))])
    return lines


def _fitting(panels: Sequence[Panel], rows: int) -> Sequence[Panel]:
    """Return the first charts for which there is room; at least one."""
    needed = list(accumulate(panel.rows_beside + _LOWEST for panel in panels))
    if needed[-1] + 2 <= rows:
        return panels
    return panels[: max(1, sum(each + 3 <= rows for each in needed))]


def _heights(panels: Sequence[Panel], rows: int) -> list[int]:
    """Return the height of each chart, so that all fit if that is possible."""
    # The times and the legend come once.
    rest = rows - 2 - sum(panel.rows_beside for panel in panels)
    each = max(_LOWEST, rest // len(panels))
    booleans = min(_BOOLEAN_HEIGHT, each)
    numbers = [panel for panel in panels if not panel.boolean]
    rest -= booleans * (len(panels) - len(numbers))
    height = min(_HIGHEST, max(_LOWEST, rest // len(numbers))) if numbers else 0
    return [booleans if panel.boolean else height for panel in panels]


def heading(panel: Panel, place: int, each: ChartedTag) -> str:
    """Return what is said of a tag: its letter and name, the value now, its extent in view, and its description."""
    text = f"{_letter(panel, place)}{each.tag}  {_value(each, each.short_unit)}{each.state}{_extent(panel, each)}"
    return f"{safe(text)}  {one_line(each.description)}".rstrip()


def _letter(panel: Panel, place: int) -> str:
    return f"{LETTERS[place]} " if panel.several else ""


def _value(each: ChartedTag, unit: str) -> str:
    return f"{each.text}{f' {unit}' if unit else ''}  " if each.text else ""


def _extent(panel: Panel, each: ChartedTag) -> str:
    known = range_of(in_view(each.intervals, *panel.window))
    if each.boolean or known.low is None:
        return ""
    low, high = (decimal_text(end, each.decimals) for end in (known.low, known.high))
    return f"  min {low}  max {high}"


def _heading(panel: Panel, place: int, each: ChartedTag, columns: int) -> str:
    """Return the heading in so many columns: first the description goes, then the beginning of the tag, then the
    extent, then the unit.

    The value is whole: half of a number is another one.
    """
    letter = f"  {_letter(panel, place)}"
    whole = f"{_value(each, each.short_unit)}{each.state}"
    texts = (f"{whole}{_extent(panel, each)}", whole, f"{_value(each, '')}{each.state}")
    room = columns - len(letter) - 2
    text = next((safe(text) for text in texts if width(safe(text)) + _TAG_WIDTH <= room), safe(texts[-1]))
    tag = cut_tag(safe(each.tag), safe(each.connection), max(_TAG_WIDTH, room - width(text)))
    line = cut(f"{letter}{tag}  {text}", columns)
    # A column is left free, as in other tables.
    left = columns - 1 - width(line) - 2
    if left < LEAST_DESCRIPTION or text != safe(texts[0]):
        return line
    return f"{line}  {cut(one_line(each.description), left)}".rstrip()


def _clock(ticks: Sequence[tuple[int, str]], zone: str, indent: int, columns: int) -> str:
    """Return the zone, and the times under their ticks."""
    line = zone
    for x, text in ticks:
        at = min(max(0, indent + x - len(text) // 2), columns - len(text))
        if at > len(line):
            line = padded(line, at) + text
    return line
