"""The tags that react to others, at work. A tag reacts from the first use of it, or of a tag that it reacts to."""

import math
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Protocol

from zb_mom_ww_mxgateway_sim.plant.model import tag_key
from zb_mom_ww_mxgateway_sim.plant.point_store import Point, PointStore, TagReading
from zb_mom_ww_mxgateway_sim.plant.reaction_checks import ReactingTag
from zb_mom_ww_mxgateway_sim.plant.reactions import COMPARISONS, Follows, Reference, Travels, When
from zb_mom_ww_mxgateway_sim.plant.signal_shapes import rounded
from zb_mom_ww_mxgateway_sim.plant.status import BAD, is_bad
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, coerce, coerce_scalar
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue

Sources = Mapping[Reference, Point]

# The rounding of floats, as part of a way.
_REACHED = 1e-9


class ReactingTags:
    """Carries out the reactions of tags to others."""

    def __init__(self, points: PointStore, clock: TimeSource, timers: TimerQueue) -> None:
        self._points = points
        self._clock = clock
        self._timers = timers
        self._sources: dict[str, tuple[str, ...]] = {}
        self._reacting_to: dict[str, list[str]] = {}
        self._ranks: dict[str, int] = {}
        # Points in use for the first time, while their neighbours are looked for.
        self._new: list[Point] | None = None
        self._due: deque[_Reacting] = deque()
        self._is_reacting = False
        self._travelling: list[_Travelling] = []
        # By their ``tag_key``.
        self._begun: dict[str, _Reacting] = {}

    def add(self, tags: Iterable[ReactingTag]) -> None:
        """Let these tags react, too; each comes after those that it reacts to."""
        for tag in tags:
            self._ranks[tag.key] = len(self._ranks)
            self._sources[tag.key] = tag.sources
            for source in tag.sources:
                self._reacting_to.setdefault(source, []).append(tag.key)

    def adopt(self, point: Point) -> None:
        """Take in a new point: if it reacts, or if others react to it, all of these begin."""
        key = tag_key(point.reference)
        if key not in self._sources and key not in self._reacting_to:
            return
        if self._new is not None:
            self._new.append(point)
            return
        self._new = [point]
        begun: dict[str, Point] = {}
        try:
            while self._new:
                point = self._new.pop()
                key = tag_key(point.reference)
                begun[key] = point
                self._points.keep(point)
                for name in (*self._sources.get(key, ()), *self._reacting_to.get(key, ())):
                    self._points.find(name)
        finally:
            self._new = None
        for key in sorted(begun.keys() & self._sources.keys(), key=self._ranks.__getitem__):
            self._begin(begun[key])

    def _begin(self, point: Point) -> None:
        reaction = point.attribute.reaction
        sources: dict[Reference, Point] = {}
        for reference in reaction.references if reaction else ():
            source = self._points.find(reference.name)
            assert source is not None
            self._points.keep(source)
            sources[reference] = source
        match reaction:
            case Follows():
                self._connect(_Following(point, reaction, sources, self._clock, self._timers), sources)
            case Travels():
                travelling = _Travelling(point, reaction, sources, self._clock)
                self._travelling.append(travelling)
                self._connect(travelling, sources)
            case When():
                self._connect(_Switching(point, reaction, sources, self._clock), sources)

    def _connect(self, reacting: "_Reacting", sources: dict[Reference, Point]) -> None:
        reacting.begin()
        self._begun[tag_key(reacting.point.reference)] = reacting

        def changed(source: Point) -> None:
            self._react(reacting)

        for source in sources.values():
            source.listeners[changed] = None

    def _react(self, reacting: "_Reacting") -> None:
        """Let the tag react, after those that are due before it. No recursion: a chain of tags may be long."""
        self._due.append(reacting)
        if self._is_reacting:
            return
        self._is_reacting = True
        try:
            while self._due:
                due = self._due.popleft()
                if due.point.moves:
                    due.react()
        finally:
            self._is_reacting = False
            self._due.clear()

    def resume(self, point: Point) -> None:
        """Let a tag that was held react to what the others are now."""
        reacting = self._begun.get(tag_key(point.reference))
        if reacting is not None:
            self._react(reacting)

    def tick(self) -> None:
        """Move the tags that travel."""
        for travelling in self._travelling:
            travelling.move()


class _Reacting(Protocol):
    point: Point

    def begin(self) -> None:
        """Take the first value, as if the others had had theirs for long."""

    def react(self) -> None:
        """React to a change of one of the others."""


class _Following:
    def __init__(self, point: Point, follows: Follows, sources: Sources, clock: TimeSource, timers: TimerQueue) -> None:
        self.point = point
        self._delay = follows.delay
        self._source = sources[follows.source]
        self._clock = clock
        self._timers = timers

    def begin(self) -> None:
        _take(self.point, self._source.reading, self._clock.now())

    def react(self) -> None:
        reading = self._source.reading
        if self._delay:
            self._timers.after(self._delay, lambda: self._take_late(reading))
        else:
            _take(self.point, reading, self._clock.now())

    def _take_late(self, reading: TagReading) -> None:
        if self.point.moves:
            _take(self.point, reading, self._clock.now())


class _Switching:
    def __init__(self, point: Point, when: When, sources: Sources, clock: TimeSource) -> None:
        self.point = point
        self._when = when
        self._sources = sources
        self._compared = sources[when.source]
        self._operand = coerce_scalar(when.operand, self._compared.attribute.type)
        self._clock = clock

    def begin(self) -> None:
        self.react()

    def react(self) -> None:
        now = self._clock.now()
        reading = self._compared.reading
        if not _is_known(reading):
            self.point.update(self.point.value, now, _doubtful(reading.quality), reading.statuses)
            return
        holds = COMPARISONS[self._when.comparison](reading.value, self._operand)
        chosen = self._when.then if holds else self._when.otherwise
        if isinstance(chosen, Reference):
            _take(self.point, self._sources[chosen].reading, now)
        else:
            self.point.update(chosen, now, self.point.attribute.quality)


class _Travelling:
    def __init__(self, point: Point, travels: Travels, sources: Sources, clock: TimeSource) -> None:
        self.point = point
        self._travels = travels
        self._source = sources[travels.source]
        self._clock = clock
        self._target = self._from = travels.low
        self._left_at = clock.monotonic()

    def begin(self) -> None:
        self._target = self._from = self._wanted()
        self._show()

    def react(self) -> None:
        self._from, self._left_at = self._position(), self._clock.monotonic()
        self._target = self._wanted()
        self._show()

    def move(self) -> None:
        if self._from != self._target and self.point.moves:
            self._show()

    def _wanted(self) -> float:
        """Return the place that the other tag wants; the last one if it wants none."""
        travels, reading = self._travels, self._source.reading
        if not _is_known(reading) or not isinstance(reading.value, bool | int | float):
            return self._target
        if isinstance(reading.value, bool):
            return travels.high if reading.value else travels.low
        return min(travels.high, max(travels.low, reading.value))

    def _position(self) -> float:
        travels = self._travels
        reach = (self._clock.monotonic() - self._left_at) / travels.time * (travels.high - travels.low)
        way = self._target - self._from
        # A place that is reached is exact.
        return self._target if abs(way) <= reach + _REACHED else self._from + math.copysign(reach, way)

    def _show(self) -> None:
        position = self._position()
        if position == self._target:
            self._from = position
        reading = self._source.reading
        quality = self.point.attribute.quality if _is_known(reading) else _doubtful(reading.quality)
        value = rounded(position, self._travels.high - self._travels.low, self.point.attribute.type)
        if (value, quality) != (self.point.value, self.point.reading.quality):
            self.point.update(value, self._clock.now(), quality)


def _take(point: Point, reading: TagReading, now: int) -> None:
    """Give the point the value and quality of another tag."""
    try:
        value = None if reading.value is None else coerce(reading.value, point.attribute.type, array=reading.is_array)
    except CoercionError:
        # A Double can be too large for an Integer.
        point.update(None, now, BAD)
        return
    point.update(value, now, reading.quality, reading.statuses)


def _is_known(reading: TagReading) -> bool:
    return reading.value is not None and not is_bad(reading.quality)


def _doubtful(quality: int) -> int:
    """Return the quality of a tag that reacts to one of this quality, whose value is unknown."""
    return quality if is_bad(quality) else BAD
