"""Trends: the history of a few tags, redrawn at the prompt, one picture in a file."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_of_day
from zb_mom_ww_mxgateway_shell.feeds.trend_result import TrendResult, has_braille, save
from zb_mom_ww_mxgateway_shell.feeds.trend_view import TrendView
from zb_mom_ww_mxgateway_shell.output.chart import Limit, Line, in_view, range_of
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text
from zb_mom_ww_mxgateway_shell.output.trend_picture import ChartedTag, panels_of
from zb_mom_ww_mxgateway_shell.output.value_text import freshness, quality_text
from zb_mom_ww_mxgateway_shell.samples.history import moment
from zb_mom_ww_mxgateway_shell.samples.interval_series import IntervalSeries
from zb_mom_ww_mxgateway_shell.samples.intervals import Interval
from zb_mom_ww_mxgateway_shell.samples.sample_stream import Key
from zb_mom_ww_mxgateway_shell.state.trend_facts import TrendFacts, facts_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_LEAST_SPAN = 5.0


@dataclass(frozen=True, slots=True)
class TrendItem:
    """One item of a trend."""

    connected: "GatewayConnection"
    item: Item
    is_named: bool = False
    """Whether it was named with its connection, and is shown with it."""

    @property
    def tag(self) -> str:
        """Its tag as it is shown."""
        return f"{self.connected.name}:{self.item.tag}" if self.is_named else self.item.tag

    @property
    def key(self) -> tuple[str, Key]:
        return self.connected.name, self.item.key


@dataclass(slots=True)
class Trend:
    """A trend to be followed."""

    items: Sequence[TrendItem]
    view: TrendView
    duration: float | None = None
    """Seconds."""
    limits: Sequence[Limit] = ()
    apart: bool = False
    """Whether each tag has its own chart."""
    fits_range: bool = False
    """Whether the axis has the range of the tags."""
    file: Path | None = None
    """Where the last picture is saved."""
    drawn: bool = False
    """Whether a terminal has drawn it in place."""
    facts: Mapping[str, TrendFacts] = field(default_factory=dict)
    """Units, ranges and limits of alarms, by tag as it is shown, as soon as they are known."""
    series: dict[tuple[str, Key], IntervalSeries] = field(default_factory=dict)
    """What was looked at so far."""

    async def follow(self, show: Callable[[str], None]) -> TrendResult:
        """Wait until its end and return the picture; cancelling ends it."""
        learning = asyncio.create_task(self.learn(), name="units of a trend")
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

    async def learn(self) -> None:
        """Ask the galaxy for units, ranges and limits of alarms."""
        of_each = {each.connected.name: each.connected for each in self.items}
        known: dict[str, TrendFacts] = {}
        for connected in of_each.values():
            own = [each for each in self.items if each.connected is connected]
            found = await facts_of(connected, [each.item.tag for each in own])
            known |= {each.tag: found[each.item.tag] for each in own if each.item.tag in found}
        self.facts = known

    def result(self) -> TrendResult:
        """Return the picture of now; save it if that is asked for, or raise ShellError."""
        made = self._now()
        if self.file is not None:
            save(made, self.file)
        return made

    def _now(self) -> TrendResult:
        now = clock.monotonic()
        start, end = self.view.window(now)
        tags = [self._charted_tag(item, start, now) for item in self.items]
        if self.view.end is None:
            first = min((each.intervals[0].start for each in tags if each.intervals), default=end)
            # From the first sample on, but at least a few seconds.
            start = max(start, min(first, end - min(self.view.span, _LEAST_SPAN)))
        panels = panels_of(
            tags,
            (start, end),
            apart=self.apart,
            limits=self.limits,
            fits_limits=self.view.fits_limits,
            fits_range=self.fits_range,
        )
        return TrendResult(tags, panels, (start, end), self.drawn, self.file)

    def picture(self, columns: int, rows: int) -> list[Line]:
        """Return as many lines of it as fit."""
        self.drawn = True
        return [*self.chart(columns, rows - 1), [("good", self._hint(columns))]]

    def chart(self, columns: int, rows: int) -> list[Line]:
        """Return as many lines of it as fit, without the keys."""
        for each in self.items:
            each.connected.facts.want([each.item.tag])
        return self._now().picture(columns, rows)

    def is_about(self, connection: object) -> bool:
        """Return whether it shows something of that connection."""
        return any(each.connected is connection for each in self.items)

    def turn(self, key: str) -> None:
        """Move or zoom the view by a key."""
        seen = [each.connected.history.of(each.item.key).events for each in self.items]
        since = min(each.connected.history.since for each in self.items)
        first = min((events[0].received_at for events in seen if events), default=since)
        self.view.turn(key, first, clock.monotonic())

    def _hint(self, columns: int) -> str:
        """Return the keys, in words if there is room."""
        arrows, zoom = ("←→", "↑↓") if has_braille() else ("left right", "up down")
        moved = [] if self.view.end is None else [f"until {_time_text(self.view.end)}", "End now"]
        more = [f"{arrows} move", f"{zoom} zoom ({self.view.text})"]
        more += ["Tab limits"] if any(each.alarm_limits for each in self.facts.values()) else []
        dot = " · " if has_braille() else " - "
        hints: Sequence[Sequence[str]] = ([*moved, *more], [*moved, arrows, zoom], moved, moved[1:], [])
        texts = [f"  {dot.join([*hint, 'Ctrl-C ends'])}" for hint in hints]
        return next((text for text in texts if len(text) < columns), texts[-1][:columns])

    def _charted_tag(self, shown: TrendItem, start: float, now: float) -> ChartedTag:
        connected, item = shown.connected, shown.item
        value = connected.live.latest(*item.key)
        series = self.series.setdefault(shown.key, IntervalSeries(connected.history, item.key))
        intervals = series.since(start, now if value else None, value.stale_since if value else None)
        known = self.facts.get(shown.tag) or TrendFacts()
        boolean = isinstance(value and value.value, bool)
        texts = connected.facts.seen(item.tag, value and value.value, *_ends(intervals, self.view.window(now)))
        decimals = texts.decimals
        if self.view.end is not None:
            text, state = _then(intervals, self.view.end, boolean, decimals)
        elif value is None:
            text, state = "", "not advised" if not item.advised else "no value yet"
        else:
            text, state = decimal_text(value.value, decimals), f"{quality_text(value)}  {freshness(value, item)}"
        # What was too slow for this picture comes with a later one.
        unit, limits = known.unit or texts.units, known.alarm_limits
        return ChartedTag(
            shown.tag,
            text,
            state,
            intervals,
            boolean,
            unit,
            limits,
            texts.description,
            decimals,
            known.range,
            f"{connected.name}:" if shown.is_named else "",
        )


def _ends(intervals: Sequence[Interval], window: tuple[float, float]) -> Iterator[float | None]:
    """Yield the lowest and the highest value in view."""
    known = range_of(in_view(intervals, *window))
    yield from (known.low, known.high)


def _then(intervals: Sequence[Interval], at: float, boolean: bool, decimals: int) -> tuple[str, str]:
    """Return the value at a time as text, and its state."""
    then = next((each for each in reversed(intervals) if each.start <= at <= each.end), None)
    if then is None or then.value is None:
        return "", f"nothing known at {_time_text(at)}"
    return decimal_text(bool(then.value) if boolean else then.value, decimals), f"{then.mood}  at {_time_text(at)}"


def _time_text(at: float) -> str:
    return time_of_day(moment(at))
