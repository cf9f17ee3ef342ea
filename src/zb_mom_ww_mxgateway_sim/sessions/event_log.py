"""A session's events: numbered, kept for replay, and handed to at most one subscriber."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.refusal import StreamEnded
from zb_mom_ww_mxgateway_sim.wire.codec import timestamp

RING_EVENTS = 1024
RING_SECONDS = 300.0
# Bytes; the rest waits for the next drain.
_LARGEST_DRAIN = 15 * 1024 * 1024


T = TypeVar("T")


class SubscriberQueue(Generic[T]):
    """One attached stream. Its queue holds what grpc has not yet been handed."""

    def __init__(self, first: Iterable[T], size: int) -> None:
        self._first = deque(first)
        self._queue: deque[T] = deque()
        self._size = size
        self._something = asyncio.Event()
        self._ended: StreamEnded | None = None

    def offer(self, event: T) -> bool:
        """Queues an event; False when there is no room for it."""
        if len(self._queue) >= self._size:
            return False
        self._queue.append(event)
        self._something.set()
        return True

    def end(self, ended: StreamEnded) -> None:
        """Ends the stream: a regular end comes after what is queued, any other at once."""
        if self._ended is None:
            self._ended = ended
            self._something.set()

    async def next(self) -> T:
        """The next event for this subscriber; raises Ended."""
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
    """Numbers the events from 1 without holes, keeps the last ones, and feeds the subscriber."""

    def __init__(self, session_id: str, clock: TimeSource, queue_size: int, on_overflow: Callable[[], None]) -> None:
        self._session_id = session_id
        self._clock = clock
        self._queue_size = queue_size
        self._on_overflow = on_overflow
        self._ring: deque[tuple[float, pb.MxEvent]] = deque(maxlen=RING_EVENTS)
        self._last = 0
        # Up to here someone was given the events, or could have been.
        self._delivered = 0
        self._attached_before = False
        self.subscription: SubscriberQueue[pb.MxEvent] | None = None

    @property
    def last_sequence(self) -> int:
        return self._last

    def append(self, event: pb.MxEvent) -> None:
        """Publishes an event, filling in what the session knows of it."""
        self._last += 1
        event.session_id = self._session_id
        event.worker_sequence = self._last
        timestamp(self._clock.now(), event.worker_timestamp)
        event.gateway_receive_timestamp.CopyFrom(event.worker_timestamp)
        self._ring.append((self._clock.monotonic(), event))
        if self.subscription is None:
            return
        self._delivered = self._last
        if not self.subscription.offer(event):
            self.overflow()

    def overflow(self) -> None:
        """The subscriber, if there is one, has fallen behind too far."""
        if self.subscription is not None:
            text = f"EventQueueOverflow: more than {self._queue_size} events are waiting"
            self.detach(StreamEnded("RESOURCE_EXHAUSTED", text))
            self._on_overflow()

    def attach(self, after: int) -> SubscriberQueue[pb.MxEvent]:
        """Attaches the subscriber; ``after`` 0 starts afresh, else what came after it is replayed first.

        The first subscriber ever is given what nobody could have had before.
        """
        self._drop_expired()
        first: list[pb.MxEvent] = []
        if after:
            first = self._replay_after(after)
        elif not self._attached_before:
            first = self._replay_after(self._delivered)
        self._attached_before = True
        self._delivered = self._last
        self.subscription = SubscriberQueue(first, self._queue_size)
        return self.subscription

    def detach(self, ended: StreamEnded | None = None) -> None:
        """Takes the subscriber off, telling it why if it does not know."""
        subscription, self.subscription = self.subscription, None
        if subscription is not None and ended is not None:
            subscription.end(ended)

    def drain(self, limit: int) -> list[pb.MxEvent]:
        """Takes events that wait for a subscriber: at most so many, 0 is all that fit into one reply."""
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
        """Empties the ring: nothing before now can be replayed."""
        self._ring.clear()

    def _replay_after(self, after: int) -> list[pb.MxEvent]:
        kept = [event for _, event in self._ring if event.worker_sequence > after]
        oldest = self._ring[0][1].worker_sequence if self._ring else 0
        if after >= self._last or (oldest and oldest <= after + 1):
            return kept
        gap = pb.MxEvent(
            session_id=self._session_id,
            gateway_receive_timestamp=Timestamp(),
            replay_gap=pb.ReplayGap(requested_after_sequence=after, oldest_available_sequence=oldest),
        )
        timestamp(self._clock.now(), gap.gateway_receive_timestamp)
        return [gap, *kept]

    def _drop_expired(self) -> None:
        limit = self._clock.monotonic() - RING_SECONDS
        while self._ring and self._ring[0][0] < limit:
            self._ring.popleft()
