"""The worker of a session: one MXAccess object with server handles, items and users."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.model import tag_key
from zb_mom_ww_mxgateway_sim.plant.point_store import TagReading
from zb_mom_ww_mxgateway_sim.plant.status import MxRefusal, Status
from zb_mom_ww_mxgateway_sim.sessions.items import EventSink, ItemReporter, PlantAccess, Registration, WorkerItem
from zb_mom_ww_mxgateway_sim.sessions.users import GalaxyUsers, UserIds
from zb_mom_ww_mxgateway_sim.sessions.write_queue import Clearance, WriteAuthor

_READ_TIMEOUT = 10.0
_OUT_OF_RANGE = "Value does not fall within the expected range"


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """One result of ReadBulk; without a reading its time ran out."""

    item_handle: int
    reading: TagReading | None
    cached: bool


class Worker:
    """The calls of MXAccess. Each raises MxRefusal where MXAccess refuses."""

    def __init__(self, plant: PlantAccess, galaxy: GalaxyUsers, sink: EventSink) -> None:
        self._plant = plant
        self._galaxy = galaxy
        self._sink = sink
        self._reporter = ItemReporter(plant, sink)
        self._users = UserIds()
        self._servers: dict[int, Registration] = {}
        self._last_server = 0

    @property
    def items(self) -> list[WorkerItem]:
        """Items of all server handles, in the order in which they were added to each."""
        return [item for server in self._servers.values() for item in server.items.values()]

    def register(self, client_name: str) -> int:
        """Return a new server handle."""
        self._last_server += 1
        self._servers[self._last_server] = Registration(self._last_server, client_name)
        return self._last_server

    def unregister(self, server_handle: int) -> None:
        """Drop the server handle with its items and users."""
        server = self._server(server_handle)
        for item in list(server.items.values()):
            self._reporter.stop(server, item)
        self._users.forget(server_handle)
        del self._servers[server_handle]

    # ------------------------------------------------------------ items

    def add_item(self, server_handle: int, definition: str, context: str = "", *, buffered: bool = False) -> int:
        """Return a new item handle, even for an unknown tag: that shows when the item is advised."""
        server = self._server(server_handle)
        item = self._add(server, full_address(definition, context), append_brackets=True)
        if buffered:
            point = item.binding.point
            if point is not None and point.attribute.is_array and item.binding.element is None:
                del server.items[item.handle]
                raise MxRefusal(f"{item.address} is an array; only single values are buffered")
            item.buffer = []
        return item.handle

    def _add(self, server: Registration, address: str, *, append_brackets: bool) -> WorkerItem:
        server.last_item += 1
        binding = self._plant.points.bind(address, append_brackets=append_brackets)
        item = server.items[server.last_item] = WorkerItem(server.handle, server.last_item, address, binding)
        return item

    def remove_item(self, server_handle: int, item_handle: int) -> None:
        """Drop the item. Its handle is not used again."""
        item = self.item(server_handle, item_handle)
        server = self._servers[server_handle]
        self._reporter.stop(server, item)
        del server.items[item_handle]

    def set_buffered_update_interval(self, server_handle: int, milliseconds: int) -> None:
        """Set the interval of this server handle's buffered items, rounded up to 100 ms, from the next one on."""
        server = self._server(server_handle)
        if milliseconds < 1:
            raise MxRefusal(f"an update interval of {milliseconds} ms; use 1 or more")
        server.buffer_interval = -(-milliseconds // 100) / 10

    def advise(self, server_handle: int, item_handle: int, *, supervisory: bool = False) -> None:
        """Advise the item. An advised item stays as it is."""
        item = self.item(server_handle, item_handle)
        item.supervisory = item.supervisory or supervisory
        if not item.advised:
            self._reporter.start(self._servers[server_handle], item)

    def first_changes_after_reply(self) -> AbstractContextManager[None]:
        """Let the first changes of the items that are advised inside follow the reply to the command."""
        return self._reporter.first_changes_after_reply()

    def un_advise(self, server_handle: int, item_handle: int) -> None:
        """Unadvise the item."""
        item = self._advised(server_handle, item_handle)
        self._reporter.stop(self._servers[server_handle], item)

    def suspend(self, server_handle: int, item_handle: int) -> Status:
        """Suspend the item: it reports nothing until it is activated."""
        self._advised(server_handle, item_handle).suspended = True
        return status.OK

    def activate(self, server_handle: int, item_handle: int) -> Status:
        """End a suspension. The item reports its current value first."""
        item = self._advised(server_handle, item_handle)
        if item.suspended:
            self._reporter.activate(self._servers[server_handle], item)
        return status.OK

    def item(self, server_handle: int, item_handle: int) -> WorkerItem:
        """Return the item of these handles. Raise MxRefusal if there is none."""
        item = self._server(server_handle).items.get(item_handle)
        if item is None:
            raise MxRefusal(
                f"item handle {item_handle} is not one of server handle {server_handle}",
                statuses=(status.INVALID_ARGUMENT,),
            )
        return item

    def _advised(self, server_handle: int, item_handle: int) -> WorkerItem:
        item = self.item(server_handle, item_handle)
        if not item.advised:
            raise MxRefusal(f"item {item_handle} is not advised")
        return item

    # ------------------------------------------------------------ users and writes

    def authenticate(self, server_handle: int, name: str, password: str) -> int:
        """Return a user id for this server handle."""
        server = self._server(server_handle)
        return self._users.give(server.handle, self._galaxy.authenticate(name, password))

    def user_by_guid(self, server_handle: int, guid: str) -> int:
        """Return the user id of that ArchestrA user for this server handle."""
        server = self._server(server_handle)
        return self._users.give(server.handle, self._galaxy.by_guid(guid))

    def author(self, server_handle: int, user_id: int, verifier_id: int) -> WriteAuthor:
        """Return the users of a secured write. Raise MxRefusal 0x80004021 unless the ids are this server handle's."""
        user = self._users.name(self._server(server_handle).handle, user_id)
        if verifier_id == 0:
            return WriteAuthor(user_id, 0, Clearance.SECURED)
        verifier = self._users.name(server_handle, verifier_id)
        return WriteAuthor(user_id, verifier_id, Clearance.SECURED if verifier == user else Clearance.VERIFIED)

    def write(
        self,
        server_handle: int,
        item_handle: int,
        value: Callable[[], object],
        *,
        author: WriteAuthor,
        time_ns: int | None = None,
    ) -> None:
        """Accept a write to a writable item. An OnWriteComplete event reports its outcome."""
        item = self.writable(server_handle, item_handle)

        def completed(statuses: tuple[Status, ...]) -> None:
            if self._has(item):
                now = self._plant.clock.now()
                self._sink.write_completed(item, TagReading(None, None, False, status.GOOD, now, statuses))

        if author.clearance is Clearance.PLAIN and not item.supervisory:
            # MXAccess records the user of a plain write only under supervisory advise.
            author = WriteAuthor()
        self._plant.writes.accept(item.binding, value, completed, author=author, time_ns=time_ns)

    def writable(self, server_handle: int, item_handle: int) -> WorkerItem:
        """Return the item of these handles. Raise MxRefusal before its first data change: it takes no write then."""
        item = self.item(server_handle, item_handle)
        if item.last is None:
            raise MxRefusal(_OUT_OF_RANGE, statuses=(status.INVALID_ARGUMENT,))
        return item

    # ------------------------------------------------------------ reading

    async def read(self, server_handle: int, addresses: Sequence[str], timeout: float) -> list[ReadAnswer]:
        """Read tags: from the last data change of advised items, and through short subscriptions to all others.

        Time-out 0 means the worker's default. Cancelling ends the short subscriptions, too.
        """
        server = self._server(server_handle)
        limit = timeout or _READ_TIMEOUT
        found = [
            self._cached(server, address) or self._add(server, address, append_brackets=False) for address in addresses
        ]
        fresh = {item.handle: self._reporter.first_delay(item) for item in found if isinstance(item, WorkerItem)}
        try:
            wait = min(max(fresh.values(), default=0.0), limit)
            if wait > 0:
                await self._plant.clock.sleep(wait)
            return [
                one if isinstance(one, ReadAnswer) else self._first_reading(one, in_time=fresh[one.handle] <= limit)
                for one in found
            ]
        finally:
            for handle in fresh:
                server.items.pop(handle, None)

    def _cached(self, server: Registration, address: str) -> ReadAnswer | None:
        for item in server.advised.get(tag_key(address), ()):
            if item.last is not None:
                return ReadAnswer(item.handle, item.last, cached=True)
        return None

    def _first_reading(self, item: WorkerItem, *, in_time: bool) -> ReadAnswer:
        if in_time:
            self._reporter.mark_read(item)
        return ReadAnswer(item.handle, self._reporter.current(item) if in_time else None, cached=False)

    def close(self) -> None:
        """Drop all server handles."""
        for handle in list(self._servers):
            self.unregister(handle)

    def _server(self, server_handle: int) -> Registration:
        server = self._servers.get(server_handle)
        if server is None:
            raise MxRefusal(f"server handle {server_handle} is not registered", statuses=(status.INVALID_ARGUMENT,))
        return server

    def _has(self, item: WorkerItem) -> bool:
        server = self._servers.get(item.server_handle)
        return server is not None and server.items.get(item.handle) is item


def full_address(definition: str, context: str) -> str:
    """Return the address of a definition in the context of AddItem2."""
    return f"{context.rstrip('.')}.{definition.lstrip('.')}" if context else definition
