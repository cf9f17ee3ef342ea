"""A session's events: numbered, kept for replay, and delivered to at most one subscriber."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import StreamEnded
from zb_mom_ww_mxgateway_sim.wire.codec import timestamp

RING_EVENTS = 1024
RING_SECONDS = 300.0
# Bytes of one drained reply; other events wait for the next drain.
_LARGEST_DRAIN = 15 * 1024 * 1024


T = TypeVar("T")


class SubscriberQueue(Generic[T]):
    """The queue of one attached stream: events that grpc has not taken yet."""

    def __init__(self, first: Iterable[T], size: int) -> None:
        self._first = deque(first)
        self._queue: deque[T] = deque()
        self._size = size
        self._something = asyncio.Event()
        self._ended: StreamEnded | None = None

    @property
    def waiting(self) -> int:
        """Number of events in the queue."""
        return len(self._queue)

    def offer(self, event: T) -> bool:
        """Queue an event. Return False if there is no room for it."""
        if len(self._queue) >= self._size:
            return False
        self._queue.append(event)
        self._something.set()
        return True

    def end(self, ended: StreamEnded) -> None:
        """End the stream: a regular end comes after the queued events, any other at once."""
        if self._ended is None:
            self._ended = ended
            self._something.set()

    async def next(self) -> T:
        """Wait for the next event and return it. Raise StreamEnded at the end."""
        while True:
            if self._ended is not None and self._ended.code is not None:
                raise self._ended
            if self._first:
                return self._first.popleft()
            if self._queue:
                return self._queue.popleft()
            if self._ended is not None:
                raise self._ended
            self._something.clear()
            await self._something.wait()


class EventLog:
    """Events numbered from 1 without holes. The last ones are kept for replay."""

    def __init__(self, session_id: str, clock: TimeSource, queue_size: int, on_overflow: Callable[[], None]) -> None:
        self._session_id = session_id
        self._clock = clock
        self._queue_size = queue_size
        self._on_overflow = on_overflow
        self._ring: deque[tuple[float, pb.MxEvent]] = deque(maxlen=RING_EVENTS)
        self._last = 0
        # Events up to this number were delivered, or were queued for a subscriber.
        self._delivered = 0
        self._attached_before = False
        self.subscriber: SubscriberQueue[pb.MxEvent] | None = None

    @property
    def last_sequence(self) -> int:
        """Number of the newest event; 0 before the first."""
        return self._last

    def append(self, event: pb.MxEvent) -> None:
        """Number an event, complete it with the session's fields, and publish it."""
        self._last += 1
        event.session_id = self._session_id
        event.worker_sequence = self._last
        timestamp(self._clock.now(), event.worker_timestamp)
        event.gateway_receive_timestamp.CopyFrom(event.worker_timestamp)
        self._ring.append((self._clock.monotonic(), event))
        if self.subscriber is None:
            return
        self._delivered = self._last
        if not self.subscriber.offer(event):
            self.overflow()

    def overflow(self) -> None:
        """Disconnect the subscriber, if any, because its queue is full."""
        if self.subscriber is not None:
            text = f"EventQueueOverflow: more than {self._queue_size} events are waiting"
            self.detach(StreamEnded("RESOURCE_EXHAUSTED", text))
            self._on_overflow()

    def attach(self, after: int) -> SubscriberQueue[pb.MxEvent]:
        """Attach the subscriber. ``after`` 0 starts afresh; any other number replays the events after it first.

        The first subscriber of the session also gets the events from before it, unless they were drained.
        """
        self._drop_expired()
        first: list[pb.MxEvent] = []
        if after:
            first = self._replay_after(after)
        elif not self._attached_before:
            first = self._replay_after(self._delivered)
        self._attached_before = True
        self._delivered = self._last
        self.subscriber = SubscriberQueue(first, self._queue_size)
        return self.subscriber

    def detach(self, ended: StreamEnded | None = None) -> None:
        """Detach the subscriber, if any. ``ended`` ends its stream."""
        subscriber, self.subscriber = self.subscriber, None
        if subscriber is not None and ended is not None:
            subscriber.end(ended)

    def drain(self, limit: int) -> list[pb.MxEvent]:
        """Take events that no subscriber got: at most ``limit``, or with 0 all that fit into one reply."""
        self._drop_expired()
        waiting = [event for _, event in self._ring if event.worker_sequence > self._delivered]
        taken: list[pb.MxEvent] = []
        size = 0
        for event in waiting[: limit or None]:
            size += event.ByteSize()
            if taken and size > _LARGEST_DRAIN:
                break
            taken.append(event)
        if taken:
            self._delivered = taken[-1].worker_sequence
        return taken

    def forget(self) -> None:
        """Empty the ring: no earlier event can be replayed."""
        self._ring.clear()

    def _replay_after(self, after: int) -> list[pb.MxEvent]:
        kept = [event for _, event in self._ring if event.worker_sequence > after]
        oldest = self._ring[0][1].worker_sequence if self._ring else 0
        if after >= self._last or (oldest and oldest <= after + 1):
            return kept
        gap = pb.MxEvent(
            session_id=self._session_id,
            replay_gap=pb.ReplayGap(requested_after_sequence=after, oldest_available_sequence=oldest),
        )
        timestamp(self._clock.now(), gap.gateway_receive_timestamp)
        return [gap, *kept]

    def _drop_expired(self) -> None:
        limit = self._clock.monotonic() - RING_SECONDS
        while self._ring and self._ring[0][0] < limit:
            self._ring.popleft()
