"""Items of a server handle, and what is reported of them: at once, in batches, or not at all for a while."""

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
# First data changes come at most so fast, after so many at once: all of 20,000 at once would overflow any queue.
_SECONDS_PER_FIRST_CHANGE, _BURST = 1 / 5000, 2000
# So many first changes of a command for many items in one turn of the loop.
_FIRST_CHANGES_PER_TURN = 20
# Seconds between the batches of a server handle's buffered items, until it is told otherwise.
BUFFER_INTERVAL = 1.0


@dataclass(slots=True, eq=False)
class WorkerItem:
    """One item of one server handle. ``last`` is what was reported last: None before its first data change."""

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
    # Of a buffered item: what waits for the end of the interval, in the order it came about.
    buffer: list[TagReading] | None = None
    flush: Timer | None = None


@dataclass(slots=True)
class Registration:
    """One registered client: its items, by handles that are never used twice."""

    handle: int
    client_name: str
    items: dict[int, WorkerItem] = field(default_factory=dict)
    # Those that are advised, by folded address, in the order they were.
    advised: dict[str, dict[WorkerItem, None]] = field(default_factory=dict)
    last_item: int = 0
    buffer_interval: float = BUFFER_INTERVAL


class EventSink(Protocol):
    """Who is told what happens to a worker's items."""

    def data_changed(self, item: WorkerItem, reading: TagReading) -> None: ...

    def buffered_data_changed(self, item: WorkerItem, readings: list[TagReading]) -> None: ...

    def write_completed(self, item: WorkerItem, reading: TagReading) -> None: ...


@dataclass(frozen=True, slots=True)
class PlantAccess:
    """What a worker reaches of the plant, and how fast it is."""

    points: PointStore
    writes: WriteQueue
    timers: TimerQueue
    clock: TimeSource
    random: random.Random
    first_change_delay: Delay = None


class ItemReporter:
    """Tells the audience of one worker what its advised items have."""

    def __init__(self, plant: PlantAccess, sink: EventSink) -> None:
        self._plant = plant
        self._sink = sink
        # What this session has had contact with: it comes at once the next time.
        self._contacted: set[str] = set()
        self._next_slot = 0.0
        self._after_reply: list[tuple[Registration, WorkerItem]] | None = None

    def begin(self, server: Registration, item: WorkerItem) -> None:
        """Begins to report an item that is not advised."""
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
        """A command for many items is answered first, and then reports what they have."""
        begun: list[tuple[Registration, WorkerItem]] = []
        self._after_reply = begun
        try:
            yield
        finally:
            self._after_reply = None
            # Later in the turn of the loop that begins with the reply.
            asyncio.get_running_loop().call_later(0, self._first_changes, deque(begun))

    def _first_changes(self, begun: deque[tuple[Registration, WorkerItem]]) -> None:
        # A few at a time: the reply leaves meanwhile, and whoever else asks is not kept waiting.
        for _ in range(min(_FIRST_CHANGES_PER_TURN, len(begun))):
            server, item = begun.popleft()
            if item.advised and item.listener is None:
                self._first_change(server, item)
        if begun:
            asyncio.get_running_loop().call_soon(self._first_changes, begun)

    def stop(self, server: Registration, item: WorkerItem) -> None:
        """Ends reporting the item; what was buffered is lost."""
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
        """A suspended item reports its value now, and what follows."""
        item.suspended = False
        if item.first is None:
            self._report(server, item, self.current(item))

    def current(self, item: WorkerItem) -> TagReading:
        """What the item has now."""
        point = item.binding.point
        if point is None:
            return nothing(self._plant.clock.now(), item.binding.fault or status.NO_SUCH_REFERENCE)
        self._plant.points.refresh(point)
        return item.binding.of(point.reading)

    def meet(self, item: WorkerItem) -> None:
        """There was contact with the item's tag: it comes at once the next time."""
        self._contacted.add(tag_key(item.address))

    def first_delay(self, item: WorkerItem) -> float:
        """How long the first contact with the item's tag takes, in seconds."""
        delay = self._plant.first_change_delay
        if delay is None or tag_key(item.address) in self._contacted:
            return 0.0
        return self._plant.random.uniform(*delay)

    def _pacing_delay(self) -> float:
        """How long a first data change waits for those of the items before it: a burst is free, the rest is paced."""
        now = self._plant.clock.monotonic()
        self._next_slot = max(self._next_slot, now) + _SECONDS_PER_FIRST_CHANGE
        return max(0.0, self._next_slot - now - _BURST * _SECONDS_PER_FIRST_CHANGE)

    def _first_change(self, server: Registration, item: WorkerItem) -> None:
        """The item's first data change, and the subscription to those that follow."""
        item.first = None
        self.meet(item)
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
        # An element's neighbours are not its business.
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
            self._sink.buffered_data_changed(item, readings)
