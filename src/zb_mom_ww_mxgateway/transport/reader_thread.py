"""Reading a session's event stream in a thread, so that it is drained whatever the event loop does.

The gateway faults a session whose events nobody takes. So one small thread takes them, on gRPC's
synchronous API, and puts them into a buffer that the loop empties when it comes to it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc

from zb_mom_ww_mxgateway.system import clock

# What an entry of the buffer needs beside its bytes: tuple, time and headers of the objects.
_ENTRY_BYTES = 128
# Seconds.
_ON_THE_HEELS = 0.01

# Where events come one by one, to wait for each costs more than to read it: so after each that had to be waited for
# (seconds), others may gather (seconds, by whether many do), but no more than a quarter of the bytes that HTTP/2
# sends unasked: that would hold the gateway up. It is only done while the reader on the loop waits too; a thread that
# waits for a busy loop to let it run would take that for a pause in the stream.
_WAITED = 0.0002
_SHORT, _LONG, _LEAST, _MANY = 0.005, 0.02, 0.004, 20
_ROOM = 16_384

Arrived = tuple[float, bytes]
"""One message as it came: when, in seconds of :func:`clock.monotonic`, and its bytes."""


class EventBuffer:
    """Between the reading thread and the event loop: bounded by the bytes it may hold.

    When it is full the oldest go, and :meth:`take` says how many. A waiting loop is woken at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self._loop = loop
        self._limit = limit
        # Held where more than one step must be seen as one; adding an entry is a single step, and the usual one.
        self._lock = threading.Lock()
        self._entries: deque[Arrived] = deque()
        # Each written by one side alone: what came, by the thread; what went, by whoever takes or drops, locked.
        self._came = 0
        self._went = 0
        self._count = 0
        self._dropped = 0
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.is_awaited = False
        """Whether its reader on the loop has nothing to do but wait; else it may be what the thread waits for."""
        self.is_asking = False
        """Whether the thread waits for the next message, and has put in all that it got."""
        self.is_urgent: threading.Event = threading.Event()
        """Set while somebody wants all that has arrived: the thread then lets nothing gather."""
        self.attached: asyncio.Future[bool] = loop.create_future()
        """Whether the gateway has proven that it has taken the stream, when that is settled."""

    # In the thread.

    def put(self, at: float, data: bytes) -> bool:
        """Adds a message that came at that time; False when nobody will ever take it."""
        self._came += len(data) + _ENTRY_BYTES
        self._count += 1
        self._entries.append((at, data))
        if self._came - self._went > self._limit:
            self._drop()
        # Asked after the entry is in: who waits says so first, and then looks for entries once more.
        if self._waiter is not None:
            with self._lock:
                waiter, self._waiter = self._waiter, None
            self._wake(waiter)
        return not self._loop.is_closed()

    def _drop(self) -> None:
        with self._lock:
            while self._came - self._went > self._limit and len(self._entries) > 1:
                self._went += len(self._entries.popleft()[1]) + _ENTRY_BYTES
                self._dropped += 1

    @property
    def came(self) -> int:
        """How many messages have been put in, ever."""
        return self._count

    @property
    def came_bytes(self) -> int:
        """What they took together, about."""
        return self._came

    def attach(self, proven: bool) -> None:
        """The gateway has answered that it took the stream, or gave no answer that says so."""
        with suppress(RuntimeError):  # the loop is closed
            # Had it refused, that would come on the heels of the proof.
            self._loop.call_soon_threadsafe(self._loop.call_later, _ON_THE_HEELS, self._set_attached, proven)

    def _set_attached(self, proven: bool) -> None:
        if not self._ended:
            self._settle(proven)

    def _settle(self, proven: bool) -> None:
        if not self.attached.done():
            self.attached.set_result(proven)

    def end(self, error: Exception | None) -> None:
        """Nothing comes any more: the stream ended, or broke with `error`."""
        with self._lock:
            self._ended, self._error = True, error
            waiter, self._waiter = self._waiter, None
        self._wake(waiter)
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._settle, False)

    def _wake(self, waiter: asyncio.Future[None] | None) -> bool:
        if waiter is not None:
            try:
                self._loop.call_soon_threadsafe(_resolve, waiter)
            except RuntimeError:  # the loop is closed
                return False
        return True

    # On the loop.

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def ended(self) -> bool:
        """True when nothing more will be put in."""
        return self._ended

    @property
    def oldest(self) -> Arrived | None:
        """What has waited longest; None when nothing waits."""
        try:
            return self._entries[0]
        except IndexError:
            return None

    def take(self, into: deque[Arrived]) -> int:
        """Moves all that has come since the last time; says how many were dropped before the first of them."""
        with self._lock:
            entries = self._entries
            went = 0
            for _ in range(len(entries)):
                arrived = entries.popleft()
                went += len(arrived[1]) + _ENTRY_BYTES
                into.append(arrived)
            self._went += went
            dropped, self._dropped = self._dropped, 0
        return dropped

    async def filled(self) -> None:
        """Waits until there is something to take, or the end."""
        with self._lock:
            waiter = self._waiter = self._waiter or self._loop.create_future()
            if self._entries or self._ended:
                self._waiter = None
                _resolve(waiter)  # another reader may wait for it too
        await asyncio.shield(waiter)

    def raise_error(self) -> None:
        """Raises what broke the stream, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class ReadingThread:
    """Reads one server stream, on a synchronous channel of its own, into a buffer until it ends or is cancelled."""

    def __init__(
        self, channel: grpc.Channel, call: Any, buffer: EventBuffer, ask: Callable[[], Any] | None = None
    ) -> None:
        """`call` is one on that channel that gives bytes; `ask` makes another one there, which the gateway can only
        answer when it has taken the stream."""
        self._ask = ask
        self._channel: grpc.Channel | None = channel
        if ask is not None:
            ask().add_done_callback(lambda done: buffer.attach(_answered(done)))
        # A daemon: a program that forgets to close its client can still leave.
        threading.Thread(target=self._run, args=(call, buffer), name="reading events", daemon=True).start()

    def _run(self, call: Any, buffer: EventBuffer) -> None:
        error: Exception | None = None
        try:
            error = _read(call, buffer)
        finally:
            self.cancel()
            buffer.end(error)
            _take_the_rest(call)

    def ask(self, tell: Callable[[bool], None]) -> Callable[[], object]:
        """Asks the gateway for an answer on the stream's own connection; tells, in another thread, whether one came.
        Gives what ends the asking."""
        ask = self._ask
        try:
            asked = ask() if ask else None
        except ValueError:  # the channel is closed
            asked = None
        if asked is None:
            tell(False)
            return lambda: None
        asked.add_done_callback(lambda done: tell(done.code() not in _NO_ANSWER))
        return asked.cancel  # type: ignore[no-any-return]  # gRPC's future is untyped

    def cancel(self) -> None:
        """Ends the call, and the thread with it; from any thread, at any time."""
        channel, self._channel, self._ask = self._channel, None, None
        if channel is not None:
            channel.close()


_NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def _answered(done: Any) -> bool:
    """Whether the gateway answered a command for a session that it has, whatever the key or the worker may do."""
    return done.code() in (
        grpc.StatusCode.OK,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
    )


def _read(call: Any, buffer: EventBuffer) -> Exception | None:
    """Puts in all that comes; gives what broke it, which holds nothing of the call, or None where it just ended."""
    put, now_by = buffer.put, clock.monotonic
    try:
        before = since = now_by()
        events = size = 0
        buffer.is_asking = True
        for data in call:
            buffer.is_asking = False
            now = now_by()
            if not put(now, data):
                break
            events += 1
            size += len(data)
            if now - before > _WAITED and buffer.is_awaited:
                pause = min(_LONG if events >= _MANY else _SHORT, (now - since) * _ROOM / (size or 1))
                since, events, size = now, 0, 0
                if pause >= _LEAST:
                    buffer.is_urgent.wait(pause)
                    now = now_by()
            before = now
            buffer.is_asking = True
    except grpc.RpcError as broken:
        # As grpc.aio would raise it: the call itself, which is what is raised here, is not kept.
        error = grpc.aio.AioRpcError(broken.code(), grpc.aio.Metadata(), grpc.aio.Metadata(), details=broken.details())
        broken.__traceback__ = None  # which holds the call, which is what is raised: nobody else would let it go
        return error
    except Exception as broken:
        return broken.with_traceback(None)
    finally:
        buffer.is_asking = False
    return None


def _take_the_rest(call: Any) -> None:
    """Takes what is still due of a call that has ended: gRPC keeps a call and its connection until the last event of it
    is taken, and its reader stops at the status, which may come before the answer to the sending or the headers."""
    state: Any = getattr(call, "_state", None)
    take = getattr(call, "_consume_next_event", None)
    with suppress(grpc.RpcError):
        if take is None or not hasattr(state, "due"):
            # Another gRPC than the ones that this was written for: what it offers to everybody.
            call.initial_metadata()
            return
        while state.due:
            take()
