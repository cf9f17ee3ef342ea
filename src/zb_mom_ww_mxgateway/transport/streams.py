"""Server streams as async iterators."""

import asyncio
import threading
import weakref
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Generic, Self, TypeVar

import grpc.aio

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.transport.reader_thread import Arrived, EventBuffer, ReadingThread
from zb_mom_ww_mxgateway.transport.urgency import Urgency

T = TypeVar("T")

# Seconds between wake-ups of the loop, except the first after a pause: each costs as much as several events.
_WAKE_INTERVAL = 0.005
# Events that are decoded in a row; then other tasks on the loop get their turn.
_FAIR_SHARE = 256
# Bytes that the gateway may send before the reader has taken those it sent earlier: HTTP/2's window of a stream.
_WINDOW = 65_536
# Turns of other threads without a message after which the reading thread counts as having nothing left to put in: it
# was woken before them for everything that had arrived.
_QUIET_TURNS = 4


class MessageStream(Generic[T]):
    """A server stream as an async iterator.

    The call is cancelled when the stream is closed, when the consuming task is cancelled, and when an ``async for``
    over it is left. `call` is a call that has been started; `decode` turns a message into what is yielded; `translate`
    turns gRPC's failure into an error of the library. After :meth:`aclose` a waiting reader sees the end, not an error.
    """

    def __init__(
        self,
        call: Any,
        decode: Callable[[Any], T],
        translate: Callable[[Exception], Exception | None],
        on_close: Callable[["MessageStream[T]", BaseException | None], None] = lambda stream, error: None,
    ) -> None:
        self._call = call
        self._decode = decode
        self._translate = translate
        self._on_close = on_close
        self._closed = False
        self._broken: Exception | None = None
        # Cancels the call of a stream that is dropped without being closed or looped over.
        self._dropped = weakref.finalize(self, call.cancel)
        self._dropped.atexit = False

    async def _next(self) -> T:
        # Not as an iterator: that and the call would hold each other.
        message = await self._call.read()
        if message is grpc.aio.EOF:
            raise StopAsyncIteration
        return self._decode(message)

    async def __anext__(self) -> T:
        if self._closed:
            raise StopAsyncIteration
        try:
            return await self._next()
        except StopAsyncIteration:
            self._end(None)
            raise
        except asyncio.CancelledError as cancelled:
            closed = self._closed
            self._end(cancelled)
            task = asyncio.current_task()
            # A call cancelled by aclose() looks to its reader like a cancelled task, which it is not.
            if not (task and task.cancelling()):
                if closed:
                    raise StopAsyncIteration from None
                if self._broken is not None:
                    cancelled.__traceback__ = None  # which holds the call
                    raise self._broken from None
            raise
        except Exception as error:
            closed = self._closed
            self._end(error)
            if closed:
                raise StopAsyncIteration from None
            translated = self._translate(error)
            if translated is None:
                raise
            try:
                raise translated from translated.__cause__
            finally:
                del translated  # it and its traceback would hold each other, and this stream

    def __aiter__(self) -> AsyncIterator[T]:
        # Not self: the generator ends when the loop over it is left, and the call with it, even where the stream itself
        # is still held.
        return self._iterate()

    async def _iterate(self) -> AsyncGenerator[T, None]:
        try:
            while True:
                try:
                    item = await self.__anext__()
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._end(asyncio.CancelledError())

    def _end(self, error: BaseException | None) -> None:
        if not self._closed:
            self._closed = True
            self._call.cancel()
            self._dropped.detach()
            # A call keeps its connection for as long as it is referenced, and streams may be kept for long.
            self._call = None
            self._on_close(self, error)

    def break_off(self, error: Exception) -> None:
        """End it because its connection is given up: its reader gets `error`."""
        if not self._closed:
            self._broken = error
            self._call.cancel()

    @property
    def closed(self) -> bool:
        """True once it has ended, for any reason."""
        return self._closed

    async def aclose(self) -> None:
        """Cancel the call. Idempotent; may be called while another task reads."""
        self._end(asyncio.CancelledError())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


class EventStream(MessageStream[T]):
    """A session's events, read by a separate thread and handed over in batches.

    What the thread has read waits in a buffer of `limit` bytes. When that is full, the oldest messages are dropped, and
    `gap` makes the message that replaces them, from the last one handed over and the first one kept. `decode` turns
    several messages into what is yielded; it may raise for a single message. `on_batch` is called with the number of
    messages of each batch. Events gather for some milliseconds before they are handed over, except while `urgency` is
    raised.
    """

    def __init__(
        self,
        start: Callable[[EventBuffer], ReadingThread],
        limit: int,
        decode: Callable[[Sequence[Arrived]], Sequence[T]],
        gap: Callable[[Arrived | None, Arrived], Arrived],
        translate: Callable[[Exception], Exception | None],
        on_close: Callable[["MessageStream[T]", BaseException | None], None] = lambda stream, error: None,
        on_batch: Callable[[int], None] = lambda count: None,
        urgency: Urgency | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = EventBuffer(self._loop, limit, urgency)
        self._batch: deque[Arrived] = deque()
        self._ready: deque[T] = deque()
        self._decode_all = decode
        self._share = _FAIR_SHARE
        self._gap = gap
        self._on_batch = on_batch
        self._last: Arrived | None = None
        self._next_take = 0.0
        # Messages taken out of the buffer, or dropped from it.
        self._taken = 0
        self._waiting_for: list[tuple[int, asyncio.Future[None]]] = []
        super().__init__(start(self._buffer), lambda message: message, translate, on_close)

    async def _next(self) -> T:
        while not self._ready:
            if self._waiting_for:
                self._release_passed()
            if self._batch:
                await asyncio.sleep(0)  # other tasks on the loop get their turn
            else:
                await self._refill()
            self._decode_some()
        return self._ready.popleft()

    def _decode_some(self) -> None:
        batch = self._batch
        some = [batch.popleft() for _ in range(min(self._share, len(batch)))]
        if not some:
            return
        try:
            self._ready.extend(self._decode_all(some))
        except Exception:
            if len(some) == 1:
                raise
            # Messages before the one that fails are whole: from here on each is decoded by itself.
            self._share = 1
            batch.extendleft(reversed(some))
            return
        self._last = some[-1]

    async def _refill(self) -> None:
        buffer = self._buffer
        early = self._next_take - self._loop.time()
        gathers = early > 0 and len(buffer) < _FAIR_SHARE and not buffer.urgency.is_raised.is_set()
        if buffer and not gathers:
            await asyncio.sleep(0)  # other tasks get their turn also where more has always come by now
        buffer.is_awaited = True
        if gathers:
            await asyncio.sleep(early)
        if not buffer and not buffer.ended:
            await buffer.filled()
        buffer.is_awaited = False
        ended = buffer.ended
        dropped = buffer.take(self._batch)
        self._taken += dropped + len(self._batch)
        if self._batch:
            self._on_batch(len(self._batch))
        if dropped:
            self._batch.appendleft(self._gap(self._last, self._batch[0]))
        self._next_take = self._loop.time() + _WAKE_INTERVAL
        if ended and not self._batch:
            buffer.raise_error()
            raise StopAsyncIteration

    async def _iterate(self) -> AsyncGenerator[T, None]:
        # As the base does it, but without a coroutine for each event.
        ready = self._ready
        try:
            while True:
                try:
                    yield await self.__anext__()
                except StopAsyncIteration:
                    return
                while ready:
                    yield ready.popleft()
        finally:
            self._end(asyncio.CancelledError())

    @property
    def ended(self) -> bool:
        """True when nothing more will come than what has come."""
        return self._buffer.ended

    @property
    def is_misread(self) -> bool:
        """Whether the gateway called the ping of ``stream_events_proven()`` invalid."""
        return self._buffer.is_misread

    @property
    def waiting(self) -> tuple[int, int]:
        """Messages that have come and were not handed over yet, and about how many bytes of the buffer they fill."""
        return len(self._buffer) + len(self._batch) + len(self._ready), self._buffer.waiting_bytes

    async def attached(self) -> bool:
        """Wait until the gateway has proven that it has taken the stream; return False when it surely will not.

        Only a stream of ``stream_events_proven()`` gets that proof; any other waits until it ends.
        """
        return await asyncio.shield(self._buffer.attached)

    async def answers(self, timeout: float) -> bool:
        """Return whether the gateway answers on this stream's own connection within `timeout` seconds.

        Only a stream of ``stream_events_proven()`` can ask.
        """
        if self._closed:
            return False
        answer: asyncio.Future[bool] = self._loop.create_future()
        give_up = self._call.ask(partial(self._set_result, answer))
        try:
            async with clock.timeout(timeout):
                return await answer
        except TimeoutError:
            return False
        finally:
            give_up()

    async def caught_up(self, timeout: float) -> bool:
        """Wait until all that had arrived when this was called is handed over, and its reader is done with it.

        Returns False where that is unknown within `timeout` seconds. Events that are on their way in the connection, in
        the operating system or in gRPC come before the answer to a question that is asked on the same connection. Those
        that the reading thread has by then are counted, and waited for. It takes one round trip. The stream must be one
        of ``stream_events_proven()``, and be read.
        """
        with self._buffer.urgency.raised():
            try:
                async with clock.timeout(timeout):
                    if not await self._all_is_in(timeout):
                        return False
                    passed = self._loop.create_future()
                    self._waiting_for.append((self._buffer.came, passed))
                    if self._buffer.is_awaited and not self._buffer:
                        self._release_passed()
                    await passed
            except TimeoutError:
                return False
        return not self._closed

    async def _all_is_in(self, timeout: float) -> bool:
        """Return whether all that had arrived is in the buffer now."""
        buffer = self._buffer
        while True:
            before = buffer.came_bytes
            if not await self.answers(timeout):
                return False
            # All is in this process; the thread takes it message by message. Where messages never cease, it has passed
            # the last of them when it has taken more than can have waited.
            answered, quiet = buffer.came_bytes, 0
            while quiet < _QUIET_TURNS and buffer.came_bytes - answered < _WINDOW:
                came = buffer.came
                await self._turn_of_another_thread()
                quiet = quiet + 1 if buffer.is_asking and came == buffer.came else 0
                if self._closed or buffer.ended:
                    return False
            # A gateway that waited for a full window has more, which may be old.
            if buffer.came_bytes - before < _WINDOW // 2:
                return True

    async def _turn_of_another_thread(self) -> None:
        # Not of a pool, whose threads a slow disk may occupy.
        had = self._loop.create_future()
        threading.Thread(target=self._set_result, args=(had, None), name="a turn", daemon=True).start()
        await had

    def _set_result(self, waiting: asyncio.Future[Any], what: object) -> None:
        """Set the result that is waited for, from another thread."""

        def settle() -> None:
            if not waiting.done():
                waiting.set_result(what)

        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(settle)

    def _release_passed(self) -> None:
        """Release those who wait for what the reader has passed: it is back for more, so it is done with that."""
        passed = self._taken - len(self._batch) - len(self._ready)
        for entry in tuple(self._waiting_for):
            if passed >= entry[0]:
                self._waiting_for.remove(entry)
                if not entry[1].done():
                    entry[1].set_result(None)

    def _end(self, error: BaseException | None) -> None:
        super()._end(error)
        self._batch.clear()
        self._ready.clear()
        self._buffer.end(None)
        for _, passed in self._waiting_for:
            if not passed.done():
                passed.set_result(None)
        self._waiting_for.clear()
