"""Subscribers of one event stream, each with a bounded queue and a named overflow policy."""

import asyncio
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Self

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayError, MxGatewaySessionError
from zb_mom_ww_mxgateway.models.events import MxEvent


class Overflow(Enum):
    """Policy for a subscriber's queue that is full. The stream and the other subscribers never wait."""

    DROP_OLDEST = "drop-oldest"
    """The oldest event goes, counted in :attr:`Subscription.dropped`."""
    LATEST = "latest"
    """Only the newest event of each item and family is kept; older ones are counted."""
    DISCONNECT = "disconnect"
    """The subscription ends with MxGatewaySessionError once what is queued has been read."""


class Subscription:
    """One subscriber: an async iterator of events and an async context manager. Made by ``live.subscribe()``.

    It ends with :meth:`aclose`, and when nothing holds it any more.
    """

    def __init__(
        self,
        wanted: Callable[[MxEvent], bool],
        queue_size: int,
        overflow: Overflow,
        on_close: Callable[["Subscription"], None],
    ) -> None:
        if isinstance(queue_size, bool) or not isinstance(queue_size, int) or queue_size < 1:
            raise MxGatewayArgumentError(f"queue_size must be a whole number of at least 1, not {queue_size!r}")
        self.dropped: int = 0
        """Events that this subscriber lost because it was slow."""
        self._wanted = wanted
        self._queue_size = queue_size
        self._overflow = overflow
        self._on_close = on_close
        # Keyed by arrival, or by item and family where only the newest counts.
        self._queue: OrderedDict[object, MxEvent] = OrderedDict()
        self._arrivals = 0
        self._ready = asyncio.Event()
        self._ended = False
        self._error: MxGatewayError | None = None

    def _put(self, event: MxEvent) -> None:
        """Offer an event; never waits."""
        if self._ended or not self._picks(event):
            return
        self._arrivals += 1
        key: object = self._arrivals
        if self._overflow is Overflow.LATEST:
            key = (event.family, event.server_handle, event.item_handle)
            if self._queue.pop(key, None) is not None:
                self.dropped += 1
        if len(self._queue) >= self._queue_size:
            self.dropped += 1
            if self._overflow is Overflow.DISCONNECT:
                self._end(MxGatewaySessionError(f"this subscriber fell {self._queue_size} events behind and was ended"))
                return
            self._queue.popitem(last=False)
        self._queue[key] = event
        self._ready.set()

    def _picks(self, event: MxEvent) -> bool:
        try:
            return self._wanted(event)
        except (Exception, asyncio.CancelledError) as error:
            # The subscriber's mistake: the stream and the other subscribers go on.
            failure = MxGatewayError(f"this subscriber's filter failed: {error!r}")
            failure.__cause__ = error
            self._end(failure)
            return False

    def _end(self, error: MxGatewayError | None = None) -> None:
        """End it: the reader gets the queued events, then `error` or the end."""
        if not self._ended:
            self._ended, self._error = True, error
            self._ready.set()
            self._on_close(self)

    @property
    def waiting(self) -> int:
        """Events that wait to be read."""
        return len(self._queue)

    async def __anext__(self) -> MxEvent:
        while not self._queue:
            if self._ended:
                if self._error is not None:
                    error, self._error = self._error, None
                    raise error
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._queue.popitem(last=False)[1]

    def take(self) -> list[MxEvent]:
        """Return all queued events at once, in order; never waits."""
        events = list(self._queue.values())
        self._queue.clear()
        return events

    async def batch(self) -> list[MxEvent]:
        """Return all queued events, and wait if there are none; empty at the end. Raises as iterating does.

        Cheaper than one event after another where thousands come a second.
        """
        try:
            first = await anext(self)
        except StopAsyncIteration:
            return []
        return [first, *self.take()]

    def __aiter__(self) -> Self:
        return self

    async def aclose(self) -> None:
        """End it and drop what is queued. Idempotent."""
        self._end()
        self._queue.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


class Subscribers:
    """The subscribers of one stream, in the order in which they were added. One that was just dropped is none."""

    def __init__(self) -> None:
        self._all: dict[weakref.ref[Subscription], None] = {}

    def add(self, wanted: Callable[[MxEvent], bool], queue_size: int, overflow: Overflow) -> Subscription:
        """Return a new subscriber, which is one until it is closed or dropped."""
        subscribers = self._all  # Not self: a subscriber that is dropped goes at once.

        def forget(reference: "weakref.ref[Subscription]") -> None:
            subscribers.pop(reference, None)

        made = Subscription(wanted, queue_size, overflow, lambda closed: forget(weakref.ref(closed)))
        subscribers[weakref.ref(made, forget)] = None
        return made

    def __iter__(self) -> Iterator[Subscription]:
        return iter([each for reference in tuple(self._all) if (each := reference()) is not None])

    def __len__(self) -> int:
        return len(self._all)
