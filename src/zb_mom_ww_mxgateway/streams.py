"""Server streams as async iterators."""

import asyncio
import weakref
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, Self, TypeVar

from zb_mom_ww_mxgateway.reading import Arrived, EventBuffer, ReadingThread

T = TypeVar("T")

# The loop is woken at once when nothing came for a while, and then at most this often (seconds): each
# wake-up costs as much as several events.
_WAKE_INTERVAL = 0.005
# Events that are decoded in a row; then others on the loop get their turn.
_FAIR_SHARE = 256


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
        self._messages = self._arriving()
        # For a stream that is dropped without being closed or looped over.
        weakref.finalize(self, call.cancel).atexit = False

    def _arriving(self) -> Any:
        return aiter(self._call)

    async def _next(self) -> T:
        return self._decode(await anext(self._messages))

    async def __anext__(self) -> T:
        if self._closed:
            raise StopAsyncIteration
        try:
            return await self._next()
        except StopAsyncIteration:
            self._end()
            raise
        except asyncio.CancelledError:
            closed = self._closed
            self._end()
            task = asyncio.current_task()
            # A call cancelled by aclose() looks to its reader like a cancelled task, which it is not.
            if closed and not (task and task.cancelling()):
                raise StopAsyncIteration from None
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
            self._on_close(self)

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
        super().__init__(start(self._buffer), lambda message: message, translate, on_close)

    def _arriving(self) -> Any:
        return None  # they wait in the buffer

    async def _next(self) -> T:
        while not self._ready:
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
        if early > 0 and len(buffer) < _FAIR_SHARE:
            await asyncio.sleep(early)
        if not buffer and not buffer.ended:
            await buffer.filled()
        buffer.is_awaited = False
        ended = buffer.ended
        if buffer.take(self._batch):
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
        """When the oldest of what has come and is not yet handed over came, in monotonic seconds; 0 if that is the end,
        None if it is nothing."""
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
        answer: asyncio.Future[bool] = self._loop.create_future()

        def settle(came: bool) -> None:
            if not answer.done():
                answer.set_result(came)

        def tell(came: bool) -> None:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(settle, came)

        give_up = self._call.ask(tell)
        try:
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            return False
        finally:
            give_up()

    def _end(self) -> None:
        super()._end()
        self._batch.clear()
        self._ready.clear()
        self._buffer.end(None)
