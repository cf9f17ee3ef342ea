"""The alarms of the user's own tags, raised and cleared as the values pass their limits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from zb_mom_ww_mxgateway_sim.plant.alarm_limits import AlarmLimit
from zb_mom_ww_mxgateway_sim.plant.model import tag_key
from zb_mom_ww_mxgateway_sim.plant.point_store import Point, PointStore
from zb_mom_ww_mxgateway_sim.plant.status import is_bad
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource


@dataclass(frozen=True, slots=True)
class AlarmedTag:
    """One tag with alarms, and the object whose ``InAlarm`` they set; an object of the built-in plant sets its own."""

    name: str
    limits: tuple[AlarmLimit, ...]
    owner: str


class LimitAlarms:
    """Sets ``InAlarm`` of each alarm, unless it is held by ``SimulatedGateway.set``."""

    def __init__(self, points: PointStore, clock: TimeSource) -> None:
        self._points = points
        self._clock = clock
        self._due: dict[_Watch, None] = {}
        # What sets an ``InAlarm``, of an alarm or of an object, by its ``tag_key``.
        self._setters: dict[str, Callable[[], None]] = {}
        # The ``InAlarm`` of all alarms of an object, by its ``tag_key``.
        self._of_object: dict[str, list[Point]] = {}

    def add(self, tags: Iterable[AlarmedTag]) -> None:
        """Watch these tags, too."""
        for tag in tags:
            for limit in tag.limits:
                self._watch(tag, limit)

    def _watch(self, tag: AlarmedTag, limit: AlarmLimit) -> None:
        alarm = f"{tag.name}.{limit.name}"
        watch = _Watch(limit, self._kept(tag.name), self._kept(f"{alarm}.Limit"), self._kept(f"{alarm}.InAlarm"))
        object_alarms = self._of_object.setdefault(tag_key(tag.owner), [])
        object_alarms.append(watch.in_alarm)

        def changed(point: Point) -> None:
            watch.judge(self._clock.now())

        def switched(point: Point) -> None:
            # An alarm that was cleared by hand comes back, if its reason is still there.
            self._due[watch] = None
            self._show_object(tag.owner, object_alarms)

        self._setters[tag_key(watch.in_alarm.reference)] = lambda: watch.judge(self._clock.now())
        self._setters[tag_key(f"{tag.owner}.InAlarm")] = lambda: self._show_object(tag.owner, object_alarms)
        watch.in_alarm.listeners[switched] = None
        watch.point.listeners[changed] = None
        watch.limit_point.listeners[changed] = None
        watch.judge(self._clock.now())

    def resume(self, point: Point) -> None:
        """Set an ``InAlarm`` that was held."""
        setter = self._setters.get(tag_key(point.reference))
        if setter is not None:
            setter()

    def tick(self) -> None:
        """Judge again what was changed by hand."""
        due, self._due = self._due, {}
        for watch in due:
            watch.judge(self._clock.now())

    def _show_object(self, owner: str, alarms: list[Point]) -> None:
        point = self._points.find(f"{owner}.InAlarm") if owner else None
        if point is not None and not point.forced:
            self._points.keep(point)
            point.update(any(alarm.value for alarm in alarms), self._clock.now())

    def _kept(self, name: str) -> Point:
        point = self._points.find(name)
        assert point is not None
        self._points.keep(point)
        return point


@dataclass(frozen=True, slots=True, eq=False)
class _Watch:
    """One alarm with its points."""

    limit: AlarmLimit
    point: Point
    limit_point: Point
    in_alarm: Point

    def judge(self, now: int) -> None:
        """Set ``InAlarm`` by the value. A value that is missing or bad changes nothing."""
        value, limit, before = self.point.value, self.limit_point.value, bool(self.in_alarm.value)
        known = isinstance(value, bool | int | float) and isinstance(limit, bool | int | float)
        if self.in_alarm.forced or is_bad(self.point.reading.quality) or not known:
            return
        assert isinstance(value, bool | int | float)
        assert isinstance(limit, bool | int | float)
        holds = self.limit.holds(value, limit, before=before)
        if holds is not before:
            self.in_alarm.update(holds, now)
