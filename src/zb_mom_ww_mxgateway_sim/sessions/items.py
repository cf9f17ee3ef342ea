"""Items of a server handle, and the reporting of their changes: at once, in batches, or suspended."""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.model import tag_key
from zb_mom_ww_mxgateway_sim.plant.point_store import Binding, Point, PointStore, TagReading, nothing
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import Timer, TimerQueue
from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteQueue

Delay = tuple[float, float] | None
# Pace of first data changes after a burst: 20,000 at once would overflow every queue.
_SECONDS_PER_FIRST_CHANGE, _BURST = 1 / 5000, 2000
# First changes of a bulk command in one turn of the event loop.
_FIRST_CHANGES_PER_TURN = 20
# Default of SetBufferedUpdateInterval, in seconds.
BUFFER_INTERVAL = 1.0


@dataclass(slots=True, eq=False)
class WorkerItem:
    """One item of one server handle. ``last`` is the last reported reading, None before the first data change."""

    server_handle: int
    handle: int
    address: str
    binding: Binding
    advised: bool = False
    supervisory: bool = False
    suspended: bool = False
    first: Timer | None = None
    last: TagReading | None = None
    listener: Callable[[Point], None] | None = None
    # Readings of a buffered item that wait for the end of the interval; None for other items.
    buffer: list[TagReading] | None = None
    flush: Timer | None = None


@dataclass(slots=True)
class Registration:
    """One registered server handle and its items. Item handles are never used twice."""

    handle: int
    client_name: str
    items: dict[int, WorkerItem] = field(default_factory=dict)
    # Advised items by the ``tag_key`` of their address, in the order in which they were advised.
    advised: dict[str, dict[WorkerItem, None]] = field(default_factory=dict)
    last_item: int = 0
    buffer_interval: float = BUFFER_INTERVAL


class EventSink(Protocol):
    """The receiver of the events of a worker's items."""

    def data_changed(self, item: WorkerItem, reading: TagReading) -> None:
        """Take a data change."""

    def buffered_data_changed(self, item: WorkerItem, reading: TagReading) -> None:
        """Take one sample of a buffered item."""

    def write_completed(self, item: WorkerItem, reading: TagReading) -> None:
        """Take the completion of a write."""


@dataclass(frozen=True, slots=True)
class PlantAccess:
    """The parts of the plant that a worker uses, and their delays."""

    points: PointStore
    writes: WriteQueue
    timers: TimerQueue
    clock: TimeSource
    random: random.Random
    first_change_delay: Delay = None


class ItemReporter:
    """Reports the readings of one worker's advised items."""

    def __init__(self, plant: PlantAccess, sink: EventSink) -> None:
        self._plant = plant
        self._sink = sink
        # Tags (by ``tag_key``) that this session has read before: their next first change has no delay.
        self._read_before: set[str] = set()
        self._next_slot = 0.0
        self._after_reply: list[tuple[Registration, WorkerItem]] | None = None

    def start(self, server: Registration, item: WorkerItem) -> None:
        """Advise an item that is not advised."""
        item.advised = True
        server.advised.setdefault(tag_key(item.address), {})[item] = None
        delay = self.first_delay(item) + self._pacing_delay()
        if delay > 0:
            item.first = self._plant.timers.after(delay, lambda: self._first_change(server, item))
        elif self._after_reply is not None:
            self._after_reply.append((server, item))
        else:
            # The event may reach the client before the reply that tells it the handle.
            self._first_change(server, item)

    @contextmanager
    def first_changes_after_reply(self) -> Iterator[None]:
        """Let the first changes of the items that are advised inside follow the reply to the command."""
        begun: list[tuple[Registration, WorkerItem]] = []
        self._after_reply = begun
        try:
            yield
        finally:
            self._after_reply = None
            # In a later turn of the event loop, after the reply.
            asyncio.get_running_loop().call_later(0, self._first_changes, deque(begun))

    def _first_changes(self, begun: deque[tuple[Registration, WorkerItem]]) -> None:
        # A few at a time, so that the reply leaves and other calls are served.
        for _ in range(min(_FIRST_CHANGES_PER_TURN, len(begun))):
            server, item = begun.popleft()
            if item.advised and item.listener is None:
                self._first_change(server, item)
        if begun:
            asyncio.get_running_loop().call_soon(self._first_changes, begun)

    def stop(self, server: Registration, item: WorkerItem) -> None:
        """Unadvise the item. Its buffered readings are lost."""
        server.advised.get(tag_key(item.address), {}).pop(item, None)
        item.advised = item.supervisory = item.suspended = False
        for timer in (item.first, item.flush):
            if timer is not None:
                timer.cancel()
        item.first = item.flush = None
        if item.buffer is not None:
            item.buffer.clear()
        if item.listener is not None and item.binding.point is not None:
            item.binding.point.listeners.pop(item.listener, None)
            item.listener = None

    def activate(self, server: Registration, item: WorkerItem) -> None:
        """End a suspension: report the current value, and all that follow."""
        item.suspended = False
        if item.first is None:
            self._report(server, item, self.current(item))

    def current(self, item: WorkerItem) -> TagReading:
        """Return the current reading of the item."""
        point = item.binding.point
        if point is None:
            return nothing(self._plant.clock.now(), item.binding.fault or status.NO_SUCH_REFERENCE)
        self._plant.points.refresh(point)
        return item.binding.of(point.reading)

    def mark_read(self, item: WorkerItem) -> None:
        """Note that the session has read the tag: its next first change has no delay."""
        self._read_before.add(tag_key(item.address))

    def first_delay(self, item: WorkerItem) -> float:
        """Return the seconds that the first change of the item takes."""
        if tag_key(item.address) in self._read_before:
            return 0.0
        point, delay = item.binding.point, self._plant.first_change_delay
        own = 0.0 if point is None else point.attribute.first_change_delay
        return own if delay is None else max(own, self._plant.random.uniform(*delay))

    def _pacing_delay(self) -> float:
        """Return the seconds that a first change waits for those before it: none in a burst, then at the pace."""
        now = self._plant.clock.monotonic()
        self._next_slot = max(self._next_slot, now) + _SECONDS_PER_FIRST_CHANGE
        return max(0.0, self._next_slot - now - _BURST * _SECONDS_PER_FIRST_CHANGE)

    def _first_change(self, server: Registration, item: WorkerItem) -> None:
        """Report the item's first data change, and listen to the changes that follow."""
        item.first = None
        self.mark_read(item)
        point = item.binding.point
        if point is not None:

            def changed(point: Point) -> None:
                self._changed(server, item, point)

            item.listener = changed
            self._plant.points.refresh(point)
            point.listeners[changed] = None
        self._report(server, item, self.current(item))

    def _changed(self, server: Registration, item: WorkerItem, point: Point) -> None:
        reading = item.binding.of(point.reading)
        old = item.last
        # A change of another element of the array is no change of this one.
        if (
            item.binding.element is None
            or old is None
            or (old.value, old.quality, old.statuses) != (reading.value, reading.quality, reading.statuses)
        ):
            self._report(server, item, reading)

    def _report(self, server: Registration, item: WorkerItem, reading: TagReading) -> None:
        if item.suspended:
            return
        item.last = reading
        if item.buffer is None:
            self._sink.data_changed(item, reading)
            return
        item.buffer.append(reading)
        if item.flush is None:
            item.flush = self._plant.timers.after(server.buffer_interval, lambda: self._flush(item))

    def _flush(self, item: WorkerItem) -> None:
        item.flush = None
        if item.buffer:
            readings, item.buffer = item.buffer, []
            for reading in readings:
                self._sink.buffered_data_changed(item, reading)
