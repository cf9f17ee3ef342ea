"""Trends: the history of a few tags as charts, redrawn at the prompt, one picture in a file."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, local, safe, value_form, value_text
from zb_mom_ww_mxgateway_console.text.terminal_text import cut_middle, cut_start, width
from zb_mom_ww_mxgateway_shell.output.chart import Line, chart, in_view, legend, range_of
from zb_mom_ww_mxgateway_shell.output.value_text import freshness, quality_text
from zb_mom_ww_mxgateway_shell.samples.history import History, moment
from zb_mom_ww_mxgateway_shell.samples.intervals import Interval, intervals_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession

_HEIGHTS = (3, 10)
_FILE_HEIGHT = 8
_LEAST_SPAN = 5.0
_TAG_WIDTH = 8


@dataclass(slots=True)
class Trend:
    """A trend to be followed."""

    live: "LiveSession"
    history: History
    items: list[Item]
    span: float
    """Seconds in view."""
    duration: float | None = None
    """Seconds."""
    drawn: bool = False
    """Whether a terminal has drawn it in place."""

    async def follow(self, show: Callable[[str], None]) -> "TrendResult":
        """Wait until its end and return the picture; cancelling ends it."""
        if self.duration is None:
            await asyncio.Event().wait()
        else:
            await clock.sleep(self.duration)
        return self.result()

    def result(self) -> "TrendResult":
        """Return the picture of now."""
        now = clock.monotonic()
        return TrendResult([self._charted_tag(item, now) for item in self.items], self.span, now, self.drawn)

    def picture(self, columns: int, rows: int) -> list[Line]:
        """Return as many lines of it as fit."""
        self.drawn = True
        lines = self.result().picture(columns, rows - 1)
        return [*lines, [("good", cut_middle("  Ctrl-C ends", columns))]]

    def _charted_tag(self, item: Item, now: float) -> "ChartedTag":
        seen = self.history.of(item.key, since=now - self.span)
        value = self.live.latest(*item.key)
        intervals = intervals_of(seen, value.stale_since if value else None, now if value else None)
        if value is None:
            text = "not advised" if not item.advised else "no value yet"
        else:
            text = f"{value_text(value.value)}  {quality_text(value)}  {freshness(value, item)}"
        return ChartedTag(item.tag, text, intervals, isinstance(value and value.value, bool))


@dataclass(frozen=True, slots=True)
class ChartedTag:
    """One tag of a picture."""

    tag: str
    text: str
    """The value now in words."""
    intervals: Sequence[Interval]
    boolean: bool


@dataclass(frozen=True, slots=True)
class TrendResult:
    """A picture of a trend."""

    tags: Sequence[ChartedTag]
    span: float
    end: float
    """Monotonic seconds."""
    drawn: bool
    """Whether the picture is on the screen already."""
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        return [[interval.value for interval in in_view(each.intervals, *self._times)] for each in self.tags]

    @property
    def _times(self) -> tuple[float, float]:
        first = min((each.intervals[0].start for each in self.tags if each.intervals), default=self.end)
        # From the first sample on, but at least a few seconds.
        return max(self.end - self.span, min(first, self.end - min(self.span, _LEAST_SPAN))), self.end

    def lines(self) -> list[str]:
        if self.drawn:
            return []
        columns = min(100, shutil.get_terminal_size((80, 24)).columns - 8)
        height = 2 + _FILE_HEIGHT * len(self.tags) + 2 * len(self.tags)
        return ["".join(text for _, text in line).rstrip() for line in self.picture(columns, height)]

    def picture(self, columns: int, rows: int) -> list[Line]:
        """Return lines that fit."""
        least, most = _HEIGHTS
        # For each tag a heading and a strip; the times and the legend once.
        height = min(most, max(least, (rows - 2) // len(self.tags) - 2))
        braille = _has_braille()
        lines: list[Line] = []
        for each in self.tags:
            known = range_of(in_view(each.intervals, *self._times))
            is_plain = each.boolean or known.low is None
            extent = "" if is_plain else f"  min {value_text(known.low)}  max {value_text(known.high)}"
            if width(each.text) + len(extent) + _TAG_WIDTH + 4 > columns:
                extent = ""  # The axis shows it too, and half of a number is another number.
            text = safe(f"{each.text}{extent}")
            tag = cut_start(safe(each.tag), max(_TAG_WIDTH, columns - width(text) - 4))
            lines.append([("good", cut_middle(f"  {tag}  {text}", columns))])
            lines += chart(each.intervals, *self._times, columns, height, boolean=each.boolean, braille=braille)
        lines.append([("good", self._clock(columns))])
        if text := legend(lines):
            lines.append([("good", cut_middle(f"  {text}", columns))])
        return lines

    def _clock(self, columns: int) -> str:
        first, last = (f"{local(moment(at)):%H:%M:%S}" for at in self._times)
        return f"{first:>20}{last:>{max(9, columns - 20)}}"

    def form(self) -> Any:
        return {
            "end": time_text(moment(self.end)),
            "seconds": round(self._times[1] - self._times[0], 3),
            "tags": [
                {
                    "max": value_form(known.high),
                    "min": value_form(known.low),
                    "stretches": [
                        {
                            "end": time_text(moment(interval.end)),
                            "mood": interval.mood,
                            "start": time_text(moment(interval.start)),
                            "value": value_form(interval.value),
                        }
                        for interval in shown
                    ],
                    "tag": each.tag,
                }
                for each in self.tags
                for shown in [in_view(each.intervals, *self._times)]
                for known in [range_of(shown)]
            ],
        }


def _has_braille() -> bool:
    try:
        "⣿─".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
