"""Trends: the history of a few tags, redrawn at the prompt, one picture in a file."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, value_form, value_text
from zb_mom_ww_mxgateway_console.text.terminal_text import cut_middle
from zb_mom_ww_mxgateway_shell.output.chart import Limit, Line, in_view, range_of
from zb_mom_ww_mxgateway_shell.output.trend_picture import ChartedTag, Panel, panels_of, picture_of
from zb_mom_ww_mxgateway_shell.output.value_text import freshness, quality_text
from zb_mom_ww_mxgateway_shell.samples.history import moment
from zb_mom_ww_mxgateway_shell.samples.intervals import intervals_of
from zb_mom_ww_mxgateway_shell.state.trend_facts import TrendFacts, facts_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_FILE_HEIGHT = 8
_LEAST_SPAN = 5.0


@dataclass(slots=True)
class Trend:
    """A trend to be followed."""

    connected: "GatewayConnection"
    items: list[Item]
    span: float
    """Seconds in view."""
    duration: float | None = None
    """Seconds."""
    limits: Sequence[Limit] = ()
    apart: bool = False
    """Whether each tag has its own chart."""
    drawn: bool = False
    """Whether a terminal has drawn it in place."""
    facts: Mapping[str, TrendFacts] = field(default_factory=dict)
    """Units and limits of alarms, by tag, as soon as they are known."""

    async def follow(self, show: Callable[[str], None]) -> "TrendResult":
        """Wait until its end and return the picture; cancelling ends it."""
        learning = asyncio.create_task(self._learn(), name="units of a trend")
        try:
            if self.duration is None:
                await asyncio.Event().wait()
            else:
                await clock.sleep(self.duration)
            await learning
        finally:
            learning.cancel()
            await asyncio.wait([learning])
        return self.result()

    async def _learn(self) -> None:
        self.facts = await facts_of(self.connected, [item.tag for item in self.items])

    def result(self) -> "TrendResult":
        """Return the picture of now."""
        now = clock.monotonic()
        tags = [self._charted_tag(item, now) for item in self.items]
        return TrendResult(tags, self.span, now, self.drawn, self.limits, self.apart)

    def picture(self, columns: int, rows: int) -> list[Line]:
        """Return as many lines of it as fit."""
        self.drawn = True
        lines = self.result().picture(columns, rows - 1)
        return [*lines, [("good", cut_middle("  Ctrl-C ends", columns))]]

    def _charted_tag(self, item: Item, now: float) -> ChartedTag:
        seen = self.connected.history.of(item.key, since=now - self.span)
        value = self.connected.live.latest(*item.key)
        intervals = intervals_of(seen, value.stale_since if value else None, now if value else None)
        known = self.facts.get(item.tag) or TrendFacts()
        if value is None:
            text = "not advised" if not item.advised else "no value yet"
        else:
            unit = f" {known.unit}" if known.unit else ""
            text = f"{value_text(value.value)}{unit}  {quality_text(value)}  {freshness(value, item)}"
        boolean = isinstance(value and value.value, bool)
        return ChartedTag(item.tag, text, intervals, boolean, known.unit, known.alarm_limits)


@dataclass(frozen=True)
class TrendResult:
    """A picture of a trend."""

    tags: Sequence[ChartedTag]
    span: float
    end: float
    """Monotonic seconds."""
    drawn: bool
    """Whether the picture is on the screen already."""
    limits: Sequence[Limit] = ()
    apart: bool = False
    exit_code: ExitCode = ExitCode.DONE

    @property
    def value(self) -> Any:
        return [[interval.value for interval in in_view(each.intervals, *self.window)] for each in self.tags]

    @cached_property
    def window(self) -> tuple[float, float]:
        """Start and end of the picture, in monotonic seconds."""
        first = min((each.intervals[0].start for each in self.tags if each.intervals), default=self.end)
        # From the first sample on, but at least a few seconds.
        return max(self.end - self.span, min(first, self.end - min(self.span, _LEAST_SPAN))), self.end

    def lines(self) -> list[str]:
        if self.drawn:
            return []
        columns = min(100, shutil.get_terminal_size((80, 24)).columns - 8)
        height = 2 + sum(_FILE_HEIGHT + len(panel.tags) + 1 for panel in self._panels)
        return ["".join(text for _, text in line).rstrip() for line in self.picture(columns, height)]

    @cached_property
    def _panels(self) -> list[Panel]:
        return panels_of(self.tags, self.window, apart=self.apart, limits=self.limits)

    def picture(self, columns: int, rows: int) -> list[Line]:
        """Return lines that fit."""
        return picture_of(self._panels, columns, rows, braille=_has_braille())

    def form(self) -> Any:
        return {
            "end": time_text(moment(self.end)),
            "seconds": round(self.window[1] - self.window[0], 3),
            "tags": [
                {
                    "alarm_limits": {limit.name: value_form(limit.value) for limit in each.alarm_limits},
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
                    "unit": each.unit or None,
                }
                for each in self.tags
                for shown in [in_view(each.intervals, *self.window)]
                for known in [range_of(shown)]
            ],
        }


def _has_braille() -> bool:
    try:
        "⣿─╌┬".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
