"""The latest value of every advised item: held, doubted, confirmed, and shown to waits."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.live.gateway_clock import GatewayClock
from zb_mom_ww_mxgateway.live.values import CLOCKS_MAY_DIFFER, LiveValue
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.models.handles import HandleChange, Item
from zb_mom_ww_mxgateway.models.results import ReadResult
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.system import clock

# Entries of one call that reads again what may be old.
_CHUNK = 500
# Values of items that no reply has named, or not yet: as many as one command can add.
_MOST_UNKNOWN = arguments.BULK_LIMIT

Key = tuple[int, int]


class ValueObserver(Protocol):
    """Sees the values of items as they come, in the order of the stream, such as a wait. Its methods must not block."""

    def see(self, value: LiveValue) -> None:
        """Take a value, or one that is known again to hold."""

    def doubt(self) -> None:
        """Take that it is unknown from now on whether the value of an item still holds."""

    def fail(self, error: BaseException) -> None:
        """Take that nothing comes any more."""


class ValueCache:
    """Values of the items of a live session, by server and item handle."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._values: dict[Key, LiveValue] = {}
        self._waits: dict[Key, list[ValueObserver]] = {}
        # Items of which a change may have been lost: a stream that goes on does not confirm them.
        self._missed: set[Key] = set()
        # By item with a doubtful value: when it became so, as `number` counts.
        self._doubted: dict[Key, int] = {}
        self.number: int = 0
        """Count of events and of times that values became doubtful; it orders what is new."""
        self._losses = 0
        # Values whose item no reply has named; the first is the oldest.
        self._unknown: dict[Key, None] = {}
        self._gateway_clock = GatewayClock()
        self.on_change: Callable[[Key, LiveValue], None] = lambda key, value: None
        """Called with every change."""

    # What the stream brings.

    def lateness(self, event: MxEvent) -> float | None:
        """Return by how many seconds an event came later than the fastest ones did; None where it does not tell.

        One that waited on its way, for a process that was stopped, came that much later.
        """
        if not (event.gateway_receive_time_ns and event.received_at):
            return None
        return self._gateway_clock.take(event.gateway_receive_time_ns, event.received_at)

    def take(self, event: MxEvent, late: float = 0.0, doubtful_since: float | None = None) -> None:
        """Take a data change, the event of `number`, that came so `late`; with `doubtful_since` it may be from long
        ago."""
        header = event.header
        key = header.server_handle, header.item_handle
        item = self._session.handles.items.get(key)
        before = self._values.get(key)
        value = LiveValue.of(event, item.tag if item else "", (before.changes if before else 0) + 1)
        if value is not None:
            if item is None and key not in self._unknown:
                self._unknown[key] = None
                if len(self._unknown) > _MOST_UNKNOWN:
                    self.drop(next(iter(self._unknown)))
            value.age_when_received += late
            if before is not None:
                is_same = (value.value, value.quality, value.source_time_ns) == (
                    before.value,
                    before.quality,
                    before.source_time_ns,
                )
                value.changed_at = before.changed_at if is_same else self._changed_at(key, self.number)
            if item and item.suspended:
                value.stale_since = value.received_at
                self._hold(key, value)
                self._missed.add(key)
                self._doubted[key] = self.number
            elif doubtful_since is not None:
                value.stale_since = doubtful_since
                self._hold(key, value)
            else:
                self._hold(key, value)

    def _changed_at(self, key: Key, number: int) -> int:
        """Return the mark of a change that the event of `number` shows.

        Where changes were lost, it may have been at any time since the value was last known to hold.
        """
        return self._doubted.get(key, number) if key in self._missed else number

    def _hold(self, key: Key, value: LiveValue) -> None:
        is_change = self._values.get(key) is not value
        self._values[key] = value
        self._missed.discard(key)
        self._doubted.pop(key, None)
        self._show(key, value)
        if is_change:
            self.on_change(key, value)

    def _show(self, key: Key, value: LiveValue) -> None:
        if (waits := self._waits.get(key)) and self.shown(key):
            for wait in tuple(waits):
                wait.see(value)

    def shown(self, key: Key) -> LiveValue | None:
        """Return the value that waits see: a late change of an unadvised item must not start a wait."""
        item = self._session.handles.items.get(key)
        return self._values.get(key) if item and item.advised else None

    def follow(self, changes: Sequence[HandleChange]) -> None:
        """Follow changes of handles: a value whose item is gone is not kept."""
        for change in changes:
            key = change.server_handle, change.item_handle
            if change.what in ("removed", "unadvised"):
                self.drop(key)
            elif change.what == "suspended":
                self._missed.add(key)
                self._losses += 1
                self.number += 1
                self._doubt(key, clock.monotonic())
            elif change.what == "activated":
                # Its data change may have come before the reply.
                value = self._values.get(key)
                if value is not None and value.stale_since == value.received_at:
                    value.stale_since = None
                    self._hold(key, value)
            elif change.what == "advised" and key in self._values:
                self._show(key, self._values[key])
            elif change.what == "unregistered":
                for each in {*self._values, *self._waits}:
                    if each[0] == change.server_handle:
                        self.drop(each)
            elif change.what == "added" and key in self._values:
                # Its first data change came before the reply that named it.
                self._values[key].tag = change.name
                self._unknown.pop(key, None)

    def drop(self, key: Key) -> None:
        """Drop the value of an item that is gone, or reports no more."""
        self._values.pop(key, None)
        self._missed.discard(key)
        self._doubted.pop(key, None)
        self._unknown.pop(key, None)
        for wait in tuple(self._waits.get(key, ())):
            wait.doubt()

    # What may be old.

    def doubt(self, since: float | None = None, *, missed: bool = False) -> None:
        """Mark all values as stale, from now on or `since` then, and break every wait.

        With `missed`, changes were lost, so that each value has to come, or to be read, again.
        """
        began = clock.monotonic() if since is None else since
        self.number += 1
        if missed:
            self._missed |= self._values.keys()
            self._losses += 1
        for key in {*self._values, *self._waits}:
            self._doubt(key, began)

    def _doubt(self, key: Key, since: float) -> None:
        value = self._values.get(key)
        if value is not None:
            self._doubted.setdefault(key, self.number)
            if value.stale_since is None:
                value.stale_since = max(since, value.received_at)
        for wait in tuple(self._waits.get(key, ())):
            wait.doubt()

    def confirm(self) -> None:
        """Confirm the values, except those missed before: the stream goes on where it had stopped."""
        for key, value in self._values.items():
            if value.stale_since is not None and key not in self._missed:
                value.stale_since = None
                self._doubted.pop(key, None)
                self._show(key, value)

    async def read_again(self, may_hold: Callable[[], bool]) -> None:
        """Read values that may be old; take nothing that comes while `may_hold` says no.

        A value that differs counts as the next event, unless changes of it were lost.
        """
        try:
            by_server: dict[int, list[Item]] = {}
            for key, value in self._values.items():
                item = self._session.handles.items.get(key)
                # The text of a tag in a context, or of a buffered item, is not one that can be read.
                can_be_read = item and item.advised and not (item.suspended or item.context or item.buffered)
                if value.stale_since is not None and item and can_be_read:
                    by_server.setdefault(item.server_handle, []).append(item)
            for server, items in by_server.items():
                for start in range(0, len(items), _CHUNK):
                    await self._read_some(server, items[start : start + _CHUNK], may_hold)
        except MxGatewayError:
            pass  # They stay stale; after the next sign of life they are read again.

    async def _read_some(self, server: int, items: Sequence[Item], may_hold: Callable[[], bool]) -> None:
        before, losses = [self._values.get(item.key) for item in items], self._losses
        results = await self._session.read_bulk(server, [item.definition for item in items])
        for item, held, result in zip(items, before, results, strict=True):
            # A data change that came meanwhile is newer.
            if held is None or held is not self._values.get(item.key) or held.stale_since is None:
                continue
            # A change that was lost while the answer came may be newer, too.
            if not result.was_successful or not may_hold() or item.suspended or losses != self._losses:
                continue
            if (result.value, result.quality, result.source_time_ns) == (held.value, held.quality, held.source_time_ns):
                held.stale_since = None
                self._hold(item.key, held)
            else:
                age = self._age_of(result)
                changed_at = self._changed_at(item.key, self.number + 1)
                self._hold(item.key, LiveValue.read(item.tag, result, held, age or 0.0, changed_at))

    def _age_of(self, result: ReadResult) -> float | None:
        return self._gateway_clock.age_of(result.source_time_ns) if result.source_time_ns else None

    def age_of(self, result: ReadResult) -> float | None:
        """Return seconds since the source took a value that was read, by the gateway's clock as far as it is known.

        None where that is unknown, as the source's clock is ahead.
        """
        age = self._age_of(result)
        return None if age is None or age < -CLOCKS_MAY_DIFFER else max(0.0, age)

    # For readers and waits.

    def latest(self, key: Key) -> LiveValue | None:
        """Return the latest value of an item; None before its first data change, and when it is not advised."""
        item = self._session.handles.items.get(key)
        # A change may still be on its way when an item is unadvised: it is no latest value.
        return None if item and not item.advised else self._values.get(key)

    @contextmanager
    def shown_to(self, wait: ValueObserver, key: Key) -> Iterator[None]:
        """Show the item's values to `wait` as they come."""
        self._waits.setdefault(key, []).append(wait)
        try:
            yield
        finally:
            self._waits[key].remove(wait)
            if not self._waits[key]:
                del self._waits[key]

    def end(self, error: MxGatewayError) -> None:
        """End every wait with `error`: nothing comes any more."""
        self.doubt()
        for wait in [each for waits in self._waits.values() for each in waits]:
            wait.fail(error)
