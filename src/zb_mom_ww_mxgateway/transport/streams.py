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

T = TypeVar("T")

# The loop is woken at once when nothing came for a while, and then at most this often (seconds): each
# wake-up costs as much as several events.
_WAKE_INTERVAL = 0.005
# Events that are decoded in a row; then others on the loop get their turn.
_FAIR_SHARE = 256
# Bytes that the gateway may send before the reader has taken those it sent earlier: HTTP/2's window of a stream.
_WINDOW = 65_536
# Turns of other threads in which nothing may come before the reading thread counts as having nothing left to put in:
# it was woken before them for whatever had arrived.
_QUIET_TURNS = 4


class MessageStream(Generic[T]):
    """A server stream as an async iterator. The call is cancelled when it is closed, when the consuming
    task is cancelled, and when an ``async for`` over it is left.

    `call` is a call that has been started; `decode` turns a message into what is yielded; `translate` turns
    the transport's failure into ours. After :meth:`aclose` a waiting reader sees the end, not an error.
    """

    def __init__(
        self,
        call: Any,
        decode: Callable[[Any], T],
        translate: Callable[[Exception], Exception | None],
        on_close: Callable[["MessageStream[T]"], None] = lambda stream: None,
    ) -> None:
        self._call = call
        self._decode = decode
        self._translate = translate
        self._on_close = on_close
        self._closed = False
        self._broken: Exception | None = None
        # For a stream that is dropped without being closed or looped over.
        self._dropped = weakref.finalize(self, call.cancel)
        self._dropped.atexit = False

    async def _next(self) -> T:
        # Not as an iterator, which the call would hold, and it the call.
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
            self._end()
            raise
        except asyncio.CancelledError as cancelled:
            closed = self._closed
            self._end()
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
            self._end()
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
        # Not self: the generator goes when the loop over it is left, and takes the call with it,
        # even where the stream itself is still held.
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
            self._end()

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._call.cancel()
            self._dropped.detach()
            # A call keeps its connection for as long as somebody has it, over or not; and streams may be kept for long.
            self._call = None
            self._on_close(self)

    def break_off(self, error: Exception) -> None:
        """Its connection is given up: its reader gets `error`."""
        if not self._closed:
            self._broken = error
            self._call.cancel()

    @property
    def closed(self) -> bool:
        """True once it has ended, for whatever reason."""
        return self._closed

    async def aclose(self) -> None:
        """Cancels the call. Idempotent; may be called while another task reads."""
        self._end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


class EventStream(MessageStream[T]):
    """A session's events, read by a thread of their own and handed over in batches.

    What the thread has read waits in a buffer of `limit` bytes; when that is full the oldest go, and `gap` makes
    the message that stands in their place, out of the last one that was handed over and the first one kept.
    `decode` turns several messages into what is yielded; of one message alone it may raise.
    """

    def __init__(
        self,
        start: Callable[[EventBuffer], ReadingThread],
        limit: int,
        decode: Callable[[Sequence[Arrived]], Sequence[T]],
        gap: Callable[[Arrived | None, Arrived], Arrived],
        translate: Callable[[Exception], Exception | None],
        on_close: Callable[["MessageStream[T]"], None] = lambda stream: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._buffer = EventBuffer(self._loop, limit)
        self._batch: deque[Arrived] = deque()
        self._ready: deque[T] = deque()
        self._decode_all = decode
        self._share = _FAIR_SHARE
        self._gap = gap
        self._last: Arrived | None = None
        self._next_take = 0.0
        # Messages taken out of the buffer, or dropped from it.
        self._taken = 0
        self._passers: list[tuple[int, asyncio.Future[None]]] = []
        super().__init__(start(self._buffer), lambda message: message, translate, on_close)

    async def _next(self) -> T:
        while not self._ready:
            if self._passers:
                self._let_pass()
            if self._batch:
                await asyncio.sleep(0)  # others on the loop get their turn
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
            # Those before the one that fails are whole: from here on each by itself.
            self._share = 1
            batch.extendleft(reversed(some))
            return
        self._last = some[-1]

    async def _refill(self) -> None:
        buffer = self._buffer
        buffer.is_awaited = True
        early = self._next_take - self._loop.time()
        if early > 0 and len(buffer) < _FAIR_SHARE and not self._passers:
            await asyncio.sleep(early)
        if not buffer and not buffer.ended:
            await buffer.filled()
        buffer.is_awaited = False
        ended = buffer.ended
        dropped = buffer.take(self._batch)
        self._taken += dropped + len(self._batch)
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
            self._end()

    @property
    def ended(self) -> bool:
        """True when nothing more comes than what has come."""
        return self._buffer.ended

    @property
    def behind_since(self) -> float | None:
        """When the oldest of what has come and is not yet handed over came, in seconds of :func:`clock.monotonic`; 0 if
        that is the end, None if it is nothing."""
        oldest = self._batch[0] if self._batch else self._buffer.oldest
        if oldest is None:
            return 0.0 if self.ended else None
        return oldest[0]

    async def attached(self) -> bool:
        """Waits until the gateway has proven that it has taken the stream (True), or until it is clear that it
        will not; for ever, if it was not asked to."""
        return await asyncio.shield(self._buffer.attached)

    async def answers(self, timeout: float) -> bool:
        """Whether the gateway gives an answer on this stream's own connection within so many seconds; one that was
        not to be proven has none to ask for."""
        if self._closed:
            return False
        answer: asyncio.Future[bool] = self._loop.create_future()
        give_up = self._call.ask(partial(self._tell, answer))
        try:
            async with clock.timeout(timeout):
                return await answer
        except TimeoutError:
            return False
        finally:
            give_up()

    async def caught_up(self, timeout: float) -> bool:
        """Waits until all that had arrived here when this was called has been handed over, and what it led to in the
        reader of this stream is done; False where that is not known within so many seconds.

        What is on the way of the connection, or waits in the operating system or in gRPC, comes before the answer to
        a question that is asked on the same connection. What the reading thread has of it then is counted, and waited
        for. Takes the time of one question and answer. The stream must have been opened to be proven, and be read.
        """
        urgent = self._buffer.is_urgent
        urgent.set()
        try:
            async with clock.timeout(timeout):
                if not await self._all_is_in(timeout):
                    return False
                passed = self._loop.create_future()
                self._passers.append((self._buffer.came, passed))
                if self._buffer.is_awaited and not self._buffer:
                    self._let_pass()
                await passed
        except TimeoutError:
            return False
        finally:
            urgent.clear()
        return not self._closed

    async def _all_is_in(self, timeout: float) -> bool:
        """Whether all that had arrived is in the buffer now."""
        buffer = self._buffer
        while True:
            before = buffer.came_bytes
            if not await self.answers(timeout):
                return False
            # It is in this process; the thread takes it message by message. Where messages never end to come, it has
            # passed the last of them when it has taken more than can have waited.
            answered, quiet = buffer.came_bytes, 0
            while quiet < _QUIET_TURNS and buffer.came_bytes - answered < _WINDOW:
                came = buffer.came
                await self._turn_of_another_thread()
                quiet = quiet + 1 if buffer.is_asking and came == buffer.came else 0
                if self._closed or buffer.ended:
                    return False
            # A gateway that was held up by a full window has more, which it may have sent long ago.
            if buffer.came_bytes - before < _WINDOW // 2:
                return True

    async def _turn_of_another_thread(self) -> None:
        # Not of a pool: what occupies its threads, a slow disk, would occupy this.
        had = self._loop.create_future()
        threading.Thread(target=self._tell, args=(had, None), name="a turn", daemon=True).start()
        await had

    def _tell(self, waiting: asyncio.Future[Any], what: object) -> None:
        """In another thread: gives what is waited for."""

        def settle() -> None:
            if not waiting.done():
                waiting.set_result(what)

        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(settle)

    def _let_pass(self) -> None:
        """Its reader is back for more: it is done with everything before."""
        passed = self._taken - len(self._batch) - len(self._ready)
        for entry in tuple(self._passers):
            if passed >= entry[0]:
                self._passers.remove(entry)
                if not entry[1].done():
                    entry[1].set_result(None)

    def _end(self) -> None:
        super()._end()
        self._batch.clear()
        self._ready.clear()
        self._buffer.end(None)
        for _, passed in self._passers:
            if not passed.done():
                passed.set_result(None)
        self._passers.clear()
