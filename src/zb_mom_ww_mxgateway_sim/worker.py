"""A session's worker: its one MXAccess object with server handles, items and subscriptions."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import status
from .agenda import Agenda, Appointment
from .clock import Clock
from .points import Binding, Point, Points, Reading, nothing
from .status import MxRefusal, Status
from .writing import Writes

Delay = tuple[float, float] | None
_READ_TIMEOUT = 10.0
# First data changes come at most so fast, after so many at once: all of 20,000 at once would overflow any queue.
_PACE, _BURST = 1 / 5000, 2000
_OUT_OF_RANGE = "Value does not fall within the expected range"


class Audience(Protocol):
    """Who is told what happens to a worker's items."""

    def data_changed(self, item: "Item", reading: Reading) -> None: ...

    def write_completed(self, item: "Item", reading: Reading) -> None: ...


@dataclass(slots=True, eq=False)
class Item:
    """One item of one server handle. Primed once its first data change was sent."""

    server_handle: int
    handle: int
    address: str
    binding: Binding
    advised: bool = False
    supervisory: bool = False
    first: Appointment | None = None
    last: Reading | None = None
    listener: Callable[[Point], None] | None = None


@dataclass(slots=True)
class Server:
    """One registered client: its items, by handles that are never used twice."""

    handle: int
    client_name: str
    items: dict[int, Item] = field(default_factory=dict)
    # Those that are advised, by folded address, in the order they were.
    advised: dict[str, dict[Item, None]] = field(default_factory=dict)
    last_item: int = 0


@dataclass(frozen=True, slots=True)
class Read:
    """One answer of ReadBulk; without a reading the time ran out."""

    item_handle: int
    reading: Reading | None
    cached: bool


@dataclass(frozen=True, slots=True)
class Plant:
    """What a worker reaches of the plant, and how fast it is."""

    points: Points
    writes: Writes
    agenda: Agenda
    clock: Clock
    random: random.Random
    first_change_delay: Delay = None


class Worker:
    """The MXAccess calls. Each raises MxRefusal where MXAccess refuses."""

    def __init__(self, plant: Plant, audience: Audience) -> None:
        self._plant = plant
        self._audience = audience
        self._servers: dict[int, Server] = {}
        self._last_server = 0
        # What this session has had contact with: it comes at once the next time.
        self._met: set[str] = set()
        self._line = 0.0

    def register(self, client_name: str) -> int:
        """A new server handle."""
        self._last_server += 1
        self._servers[self._last_server] = Server(self._last_server, client_name)
        return self._last_server

    def unregister(self, server_handle: int) -> None:
        """Forgets the server handle and its items."""
        server = self._server(server_handle)
        for item in list(server.items.values()):
            self._silence(item)
        del self._servers[server_handle]

    def add_item(self, server_handle: int, definition: str, context: str = "") -> int:
        """A new item handle, also for a name that nothing has: that comes out when it is advised."""
        server = self._server(server_handle)
        return self._add(server, full_address(definition, context), append_brackets=True).handle

    def _add(self, server: Server, address: str, *, append_brackets: bool) -> Item:
        server.last_item += 1
        binding = self._plant.points.bind(address, append_brackets=append_brackets)
        item = server.items[server.last_item] = Item(server.handle, server.last_item, address, binding)
        return item

    def remove_item(self, server_handle: int, item_handle: int) -> None:
        """Forgets the item; its handle is not used again."""
        item = self.item(server_handle, item_handle)
        self._silence(item)
        del self._servers[server_handle].items[item_handle]

    def advise(self, server_handle: int, item_handle: int, *, supervisory: bool = False) -> None:
        """Begins to report the item; one that is reported already goes on as it did."""
        item = self.item(server_handle, item_handle)
        item.supervisory = item.supervisory or supervisory
        if not item.advised:
            item.advised = True
            self._servers[server_handle].advised.setdefault(item.address.casefold(), {})[item] = None
            delay = self._first_delay(item) + self._wait_in_line()
            if delay > 0:
                item.first = self._plant.agenda.after(delay, lambda: self._begin(item))
            else:
                # The event may reach the client before the reply that tells it the handle.
                self._begin(item)

    def un_advise(self, server_handle: int, item_handle: int) -> None:
        """Ends reporting the item."""
        item = self.item(server_handle, item_handle)
        if not item.advised:
            raise MxRefusal(f"item {item_handle} is not advised")
        self._silence(item)

    def write(
        self,
        server_handle: int,
        item_handle: int,
        value: Callable[[], object],
        *,
        user_id: int = 0,
        time_ns: int | None = None,
    ) -> None:
        """Accepts a write to a writable item; what becomes of it is an OnWriteComplete."""
        item = self.writable(server_handle, item_handle)

        def completed(statuses: tuple[Status, ...]) -> None:
            if self._has(item):
                now = self._plant.clock.now()
                self._audience.write_completed(item, Reading(None, None, False, status.GOOD, now, statuses))

        # Who it was counts only under supervisory advise.
        recorded = user_id if item.supervisory else 0
        self._plant.writes.accept(item.binding, value, completed, user_id=recorded, time_ns=time_ns)

    async def read(self, server_handle: int, addresses: Sequence[str], timeout: float) -> list[Read]:
        """What advised items had last; the others are subscribed to together for as long as their first values take.

        Time-out 0 is the default one. When cancelled, the short subscriptions end too.
        """
        server = self._server(server_handle)
        limit = timeout or _READ_TIMEOUT
        found = [
            self._cached(server, address) or self._add(server, address, append_brackets=False) for address in addresses
        ]
        fresh = {item.handle: self._first_delay(item) for item in found if isinstance(item, Item)}
        try:
            wait = min(max(fresh.values(), default=0.0), limit)
            if wait > 0:
                await self._plant.clock.sleep(wait)
            return [
                one if isinstance(one, Read) else self._first_look(one, in_time=fresh[one.handle] <= limit)
                for one in found
            ]
        finally:
            for handle in fresh:
                server.items.pop(handle, None)

    def _cached(self, server: Server, address: str) -> Read | None:
        for item in server.advised.get(address.casefold(), ()):
            if item.last is not None:
                return Read(item.handle, item.last, cached=True)
        return None

    def _first_look(self, item: Item, *, in_time: bool) -> Read:
        if in_time:
            self._met.add(item.address.casefold())
        return Read(item.handle, self._look(item) if in_time else None, cached=False)

    def item(self, server_handle: int, item_handle: int) -> Item:
        """The item of these handles; MxRefusal if there is none."""
        item = self._server(server_handle).items.get(item_handle)
        if item is None:
            raise MxRefusal(
                f"item handle {item_handle} is not one of server handle {server_handle}",
                statuses=(status.INVALID_ARGUMENT,),
            )
        return item

    def writable(self, server_handle: int, item_handle: int) -> Item:
        """The item of these handles if MXAccess takes writes to it: not before its first data change."""
        item = self.item(server_handle, item_handle)
        if item.last is None:
            raise MxRefusal(_OUT_OF_RANGE, statuses=(status.INVALID_ARGUMENT,))
        return item

    def close(self) -> None:
        """Ends all reporting."""
        for handle in list(self._servers):
            self.unregister(handle)

    def _server(self, server_handle: int) -> Server:
        server = self._servers.get(server_handle)
        if server is None:
            raise MxRefusal(f"server handle {server_handle} is not registered", statuses=(status.INVALID_ARGUMENT,))
        return server

    def _has(self, item: Item) -> bool:
        server = self._servers.get(item.server_handle)
        return server is not None and server.items.get(item.handle) is item

    def _first_delay(self, item: Item) -> float:
        delay = self._plant.first_change_delay
        if delay is None or item.address.casefold() in self._met:
            return 0.0
        return self._plant.random.uniform(*delay)

    def _wait_in_line(self) -> float:
        """How long a first data change waits for those of the items before it: a burst is free, the rest is paced."""
        now = self._plant.clock.monotonic()
        self._line = max(self._line, now) + _PACE
        return max(0.0, self._line - now - _BURST * _PACE)

    def _begin(self, item: Item) -> None:
        """The item's first data change, and the subscription to those that follow."""
        item.first = None
        self._met.add(item.address.casefold())
        point = item.binding.point
        if point is not None:

            def changed(point: Point) -> None:
                self._changed(item, point)

            item.listener = changed
            self._plant.points.refresh(point)
            point.listeners[changed] = None
        self._report(item, self._look(item))

    def _look(self, item: Item) -> Reading:
        point = item.binding.point
        if point is None:
            return nothing(self._plant.clock.now(), item.binding.fault or status.NO_SUCH_REFERENCE)
        self._plant.points.refresh(point)
        return item.binding.of(point.reading)

    def _changed(self, item: Item, point: Point) -> None:
        reading = item.binding.of(point.reading)
        old = item.last
        # An element's neighbours are not its business.
        if (
            item.binding.element is None
            or old is None
            or (old.value, old.quality, old.statuses) != (reading.value, reading.quality, reading.statuses)
        ):
            self._report(item, reading)

    def _report(self, item: Item, reading: Reading) -> None:
        item.last = reading
        self._audience.data_changed(item, reading)

    def _silence(self, item: Item) -> None:
        self._servers[item.server_handle].advised.get(item.address.casefold(), {}).pop(item, None)
        item.advised = False
        item.supervisory = False
        if item.first is not None:
            item.first.cancel()
            item.first = None
        if item.listener is not None and item.binding.point is not None:
            item.binding.point.listeners.pop(item.listener, None)
            item.listener = None


def full_address(definition: str, context: str) -> str:
    """The address that a definition has in a context, of AddItem2."""
    return f"{context.rstrip('.')}.{definition.lstrip('.')}" if context else definition
