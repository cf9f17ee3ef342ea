"""Current values: a point for each attribute in use, and the lookup of points by address."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakValueDictionary

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.model import Attribute, tag_key
from zb_mom_ww_mxgateway_sim.plant.status import Status
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value, coerce
from zb_mom_ww_mxgateway_sim.runtime.clock import moment

_ADDRESS = re.compile(r"(?P<path>[^\[\]]+)(?P<brackets>\[(?P<index>-?\d*)\])?")

PointListener = Callable[["Point"], None]


@dataclass(frozen=True, slots=True)
class TagReading:
    """A value with its quality, source time (UTC nanoseconds) and statuses."""

    value: Value
    type: NativeType | None
    is_array: bool
    quality: int
    time_ns: int
    statuses: tuple[Status, ...] = (status.OK,)
    # Sent unchanged in place of the value: a value that no tag type can hold.
    message: pb.MxValue | None = None

    @property
    def timestamp(self) -> datetime:
        """``time_ns`` as an aware datetime."""
        return moment(self.time_ns)


class Point:
    """The value of one attribute, and the listeners to its changes."""

    __slots__ = (
        "__weakref__",
        "attribute",
        "forced",
        "led",
        "listeners",
        "moved_at_tick",
        "moves",
        "on_write",
        "reading",
        "reference",
    )

    def __init__(self, reference: str, attribute: Attribute, reading: TagReading) -> None:
        self.reference: str = reference
        self.attribute: Attribute = attribute
        self.reading: TagReading = reading
        # In the order in which they were added.
        self.listeners: dict[PointListener, None] = {}
        # Called for a write that does not simply set the value: a valve begins to travel.
        self.on_write: Callable[[Value], None] | None = None
        # Whether it follows its signal or reacts to other tags; a write or ``set`` ends that.
        self.moves: bool = self.is_moving
        # The tick of its last step along the signal.
        self.moved_at_tick: int = -1
        # Whether ``set`` keeps it from the process until it is written.
        self.forced: bool = False
        # Whether the user's own logic has set it: the process leaves it alone until it is written.
        self.led: bool = False

    @property
    def is_moving(self) -> bool:
        """Whether the attribute moves by itself."""
        return self.attribute.signal is not None or self.attribute.reaction is not None

    @property
    def value(self) -> Value:
        """The current value."""
        return self.reading.value

    def update(
        self,
        value: Value,
        time_ns: int,
        quality: int = status.GOOD,
        statuses: tuple[Status, ...] = (status.OK,),
        message: pb.MxValue | None = None,
    ) -> None:
        """Take a value of the right type. Call the listeners if anything but the time has changed."""
        old = self.reading
        self.reading = TagReading(value, old.type, old.is_array, quality, time_ns, statuses, message)
        if (old.value, old.quality, old.statuses, old.message) != (value, quality, statuses, message):
            for listener in list(self.listeners):
                listener(self)


@dataclass(frozen=True, slots=True)
class Binding:
    """Target of an item's address: a point, one element of it (from 0), or the reason why there is none."""

    point: Point | None = None
    element: int | None = None
    fault: Status | None = None

    def of(self, reading: TagReading) -> TagReading:
        """Return the part of the point's reading that the address selects."""
        if self.element is None:
            return reading
        value = reading.value
        if not isinstance(value, tuple) or not 0 <= self.element < len(value):
            return nothing(reading.time_ns, status.INDEX_OUT_OF_RANGE)
        return TagReading(value[self.element], reading.type, False, reading.quality, reading.time_ns, reading.statuses)


def nothing(time_ns: int, fault: Status) -> TagReading:
    """Return a bad reading without a value, with the reason."""
    return TagReading(None, None, False, status.BAD, time_ns, (fault,))


class PointStore:
    """Points, made when they are first used. A point that is neither used nor changed is dropped again."""

    def __init__(self, hierarchy: Hierarchy, now: Callable[[], int]) -> None:
        self._hierarchy = hierarchy
        self._now = now
        self._alive: WeakValueDictionary[str, Point] = WeakValueDictionary()
        self._kept: dict[str, Point] = {}
        self._started = now()
        self.on_new: Callable[[Point], None] | None = None
        self.on_seen: Callable[[Point], None] | None = None
        self.on_unset: Callable[[Point], None] | None = None

    def find(self, path: str) -> Point | None:
        """Return the up-to-date point of ``Object.Attribute``, without brackets, in any letter case."""
        point = self._point(path)
        if point is not None:
            self.refresh(point)
        return point

    def _point(self, path: str) -> Point | None:
        folded = tag_key(path)
        point = self._alive.get(folded)
        if point is None:
            found = self._hierarchy.attribute(folded)
            if found is None:
                return None
            plant_object, attribute = found
            reading = TagReading(
                plant_object.initial_value(attribute),
                attribute.type,
                attribute.is_array,
                attribute.quality,
                self._started,
            )
            point = Point(f"{plant_object.tag_name}.{attribute.name}", attribute, reading)
            self._alive[folded] = point
            if self.on_new is not None:
                self.on_new(point)
        return point

    def refresh(self, point: Point) -> None:
        """Bring a point up to date: without listeners it moves only when it is read."""
        if self.on_seen is not None:
            self.on_seen(point)

    def keep(self, point: Point) -> None:
        """Keep the point as long as the plant lives, because it was changed."""
        self._kept[tag_key(point.reference)] = point

    def bind(self, address: str, *, append_brackets: bool) -> Binding:
        """Return the target of an address. A bare array is taken whole if ``append_brackets``, else it is a fault.

        The point may be out of date; call ``refresh`` before reading it.
        """
        parts = _ADDRESS.fullmatch(address.strip())
        point = self._point(parts["path"]) if parts else None
        if parts is None or point is None:
            return Binding(fault=status.NO_SUCH_REFERENCE)
        if not point.attribute.is_array:
            return Binding(point) if parts["brackets"] is None else Binding(fault=status.NOT_AN_ARRAY)
        if parts["brackets"] is None:
            return Binding(point) if append_brackets else Binding(fault=status.BARE_ARRAY)
        if parts["index"] == "":
            return Binding(point)
        return Binding(point, element=int(parts["index"]) - 1)

    def set(
        self,
        path: str,
        value: object,
        quality: int,
        time_ns: int | None,
        statuses: tuple[Status, ...],
        message: pb.MxValue | None = None,
    ) -> None:
        """Set a tag from outside the process; None means no value. Raise KeyError or CoercionError."""
        point = self.find(path)
        if point is None:
            raise KeyError(path)
        held = None if value is None else coerce(value, point.attribute.type, array=point.attribute.is_array)
        point.moves = False
        point.forced = True
        self.keep(point)
        point.update(held, self._now() if time_ns is None else time_ns, quality, statuses, message)

    def unset(self, path: str) -> None:
        """Let a tag move again that was set. Raise KeyError."""
        point = self.find(path)
        if point is None:
            raise KeyError(path)
        point.forced = point.led = False
        point.moves = point.is_moving
        if self.on_unset is not None:
            self.on_unset(point)

    def lead(self, path: str, value: object, quality: int) -> None:
        """Set a tag from the user's own logic, unless ``set`` holds it. Raise KeyError or CoercionError."""
        point = self.find(path)
        if point is None:
            raise KeyError(path)
        held = None if value is None else coerce(value, point.attribute.type, array=point.attribute.is_array)
        if point.forced:
            return
        point.moves = False
        point.led = True
        self.keep(point)
        if (held, quality) != (point.value, point.reading.quality):
            point.update(held, self._now(), quality)
