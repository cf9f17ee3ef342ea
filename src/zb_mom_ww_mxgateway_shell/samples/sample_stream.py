"""Lossless sample stream of a session, with marks for gaps and doubt.

History and recordings both read it, so that none of them shows less doubt than another.
"""

import asyncio
import math
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue
from zb_mom_ww_mxgateway.models.events import EventFamily, EventHeader, MxEvent
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.recordings.event_samples import gap_text, lost_in

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Changes, LiveChange, LiveSession

Key: TypeAlias = tuple[int, int]

_DATA = frozenset({EventFamily.ON_DATA_CHANGE, EventFamily.ON_BUFFERED_DATA_CHANGE})


class SampleMark(NamedTuple):
    """A time about which nothing, or nothing certain, is known."""

    kind: Literal["gap", "stale", "live", "dropped", "closed"]
    at: float
    """Monotonic seconds."""
    text: str
    since: float | None = None
    """For a loss: when the last event before it arrived, where one did."""
    lost: int | None = None
    """Number of lost events; None where it is unknown, and for a mark that is not a loss."""
    key: Key | None = None
    """The item concerned; None for all."""
    tag: str = ""
    """Tag of that item."""
    noticed: float | None = None
    """When it was noticed that the stream had been dead since then: samples from between are in doubt, too."""


def number_of(value: Any) -> float | None:
    """Return a value as a number: a Boolean is 0 or 1. None for one that is not a finite number."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value) if isinstance(value, bool) else value
    return None


class SampleStream:
    """The events of a live session for some items or all. Up to `queue_size` events wait to be taken."""

    def __init__(self, live: "LiveSession", keys: Collection[Key] | None = None, *, queue_size: int) -> None:
        self._live = live
        self._keys = None if keys is None else frozenset(keys)
        self._events = live.subscribe(self._wants, queue_size=queue_size)
        self._dropped = 0
        self._marks: list[SampleMark] = []
        self._last_at: float | None = None
        # Values that are in doubt since a break, by item, until something newer is known.
        self._doubted: dict[Key, LiveValue] = {}
        self._after_loss = False
        self.watcher = asyncio.create_task(self._watch_state(live.state, live.changes()), name="sample stream")

    def _wants(self, event: MxEvent) -> bool:
        header = event.header
        if header.replay_gap is not None:
            return True
        if header.family not in _DATA:
            return False
        return self._keys is None or (header.server_handle, header.item_handle) in self._keys

    def take(self) -> list[MxEvent | SampleMark]:
        """Return everything that has arrived since the last call, in order."""
        events = self._events.take()
        marks, self._marks = self._marks, []
        lost, self._dropped = self._events.dropped - self._dropped, self._events.dropped
        is_plain = not (marks or lost or self._doubted) and all(event.header.replay_gap is None for event in events)
        taken: list[MxEvent | SampleMark] = []
        if is_plain:
            taken += events
        else:
            if lost:
                text = f"GAP {lost} events came faster than they could be kept here"
                # The oldest events were dropped: those that are left arrived later.
                at = events[0].received_at if events else clock.monotonic()
                taken.append(self._lose("dropped", at, text, lost))
            for event in events:
                # The time of arrival may be long before an event is taken from the stream.
                while marks and marks[0].at <= event.received_at:
                    taken.append(marks.pop(0))
                taken.append(self._seen(event))
            taken += marks
            taken += self._read_again()
        if events:
            self._last_at = events[-1].received_at
        return taken

    def _seen(self, event: MxEvent) -> MxEvent | SampleMark:
        if (gap := event.replay_gap) is None:
            self._last_at = event.received_at
            self._doubted.pop((event.server_handle, event.item_handle), None)
            return event
        return self._lose("gap", event.received_at, gap_text(gap), lost_in(gap))

    def _lose(self, kind: Literal["gap", "dropped"], at: float, text: str, lost: int | None) -> SampleMark:
        self._after_loss = True
        self._doubt()
        return SampleMark(kind, at, text, self._last_at, lost)

    def _doubt(self) -> None:
        for key in self._live.session.handles.items:
            if self._takes(key) and (value := self._live.latest(*key)):
                self._doubted.setdefault(key, value)

    def _read_again(self) -> Iterator[MxEvent]:
        """Yield values in doubt that the session has read again, and after a loss those that were confirmed."""
        for key, held in list(self._doubted.items()):
            value = self._live.latest(*key)
            if value is not None and value.stale_since is not None:
                continue
            del self._doubted[key]
            if value is not None and (self._after_loss or value is not held):
                header = EventHeader(
                    EventFamily.ON_DATA_CHANGE,
                    *key,
                    value.quality,
                    value.statuses,
                    value.data_type,
                    value.variant_type,
                )
                yield MxEvent(header, 0, value.value, value.source_time_ns, received_at=clock.monotonic())
        self._after_loss = self._after_loss and bool(self._doubted)

    async def _watch_state(self, before: LiveState, changes: "Changes") -> None:
        async for change in changes:
            if change.item is not None:
                self._mark_item(change.item, change.suspended, change.since or clock.monotonic())
                continue
            if change.slept:
                before = change.state
                self._doubt()
                at = self._asleep_since(change)
                self._marks.append(SampleMark("stale", at, f"{change.lost}: nothing is known of that time"))
                continue
            if change.state is before:
                continue
            before, now = change.state, clock.monotonic() if change.since is None else change.since
            why = f": {change.lost}" if change.lost else ""
            match change.state:
                case LiveState.STALE:
                    self._doubt()
                    text = f"event stream lost{why}"
                    self._marks.append(SampleMark("stale", now, text, noticed=clock.monotonic()))
                case LiveState.REBUILDING:
                    self._doubt()
                    self._marks.append(SampleMark("stale", now, f"session lost{why}"))
                case LiveState.LIVE:
                    self._marks.append(SampleMark("live", now, "live again"))
                case LiveState.CLOSED:
                    self._marks.append(SampleMark("closed", now, f"the session ended{why}"))

    def _asleep_since(self, change: "LiveChange") -> float:
        """Return since when the machine slept, as far as is known: not before the last event it received."""
        now = clock.monotonic()
        held = (self._live.latest(*key) for key in self._live.session.handles.items if self._takes(key))
        came = [self._last_at or 0.0, *(value.received_at for value in held if value is not None)]
        since = now if change.since is None else change.since
        # After the last event, not at the same time.
        return math.nextafter(max(since, *(at for at in came if at <= now - change.slept), 0.0), math.inf)

    def _takes(self, key: Key) -> bool:
        return self._keys is None or key in self._keys

    def _mark_item(self, key: Key, suspended: bool, at: float) -> None:
        item = self._live.session.handles.items.get(key)
        if item is None or not self._takes(key):
            return
        kind: Literal["stale", "live"] = "stale" if suspended else "live"
        text = "suspended: nothing is reported of it" if suspended else "no longer suspended"
        self._marks.append(SampleMark(kind, at, f"{item.tag} {text}", key=key, tag=item.tag))

    async def aclose(self) -> None:
        """Stop. Idempotent."""
        self.watcher.cancel()
        await asyncio.wait([self.watcher])
        await self._events.aclose()
