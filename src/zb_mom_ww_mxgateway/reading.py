"""Reading a session's event stream in a thread, so that it is drained whatever the event loop does.

The gateway faults a session whose events nobody takes. So one small thread takes them, on gRPC's
synchronous API, and puts them into a buffer that the loop empties when it comes to it.
"""

import asyncio
import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any, NamedTuple

import grpc

# What an entry of the buffer needs beside its bytes: tuple, time and headers of the objects.
_ENTRY_BYTES = 128
# Seconds.
_ON_THE_HEELS = 0.01
# Seconds: events that come closer than this share their time, and the memory for it.
_RESOLUTION = 0.001


class Arrived(NamedTuple):
    """One message as it came."""

    at: float
    """Monotonic seconds."""
    data: bytes


class EventBuffer:
    """Between the reading thread and the event loop: bounded by the bytes it may hold.

    When it is full the oldest go, and :meth:`take` says how many. A waiting loop is woken at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int) -> None:
        self._loop = loop
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: deque[Arrived] = deque()
        self._bytes = 0
        self._dropped = 0
        self._now = 0.0
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.attached: asyncio.Future[bool] = loop.create_future()
        """Whether the gateway has proven that it has taken the stream, when that is settled."""

    # In the thread.

    def put(self, data: bytes) -> bool:
        """Adds a message; False when nobody will ever take it."""
        now = time.monotonic()
        if now - self._now > _RESOLUTION:
            self._now = now
        with self._lock:
            self._entries.append(Arrived(self._now, data))
            self._bytes += len(data) + _ENTRY_BYTES
            while self._bytes > self._limit and len(self._entries) > 1:
                self._bytes -= len(self._entries.popleft().data) + _ENTRY_BYTES
                self._dropped += 1
            waiter, self._waiter = self._waiter, None
        return self._wake(waiter) and not self._loop.is_closed()

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

    def take(self) -> tuple[deque[Arrived], int]:
        """All that has come since the last time, and how many were dropped before the first of them."""
        with self._lock:
            entries, self._entries = self._entries, deque()
            dropped, self._dropped = self._dropped, 0
            self._bytes = 0
        return entries, dropped

    async def filled(self) -> None:
        """Waits until there is something to take, or the end."""
        with self._lock:
            if self._entries or self._ended:
                return
            self._waiter = self._waiter or self._loop.create_future()
            waiter = self._waiter
        await asyncio.shield(waiter)  # another reader may wait for it too

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

    def __init__(self, channel: grpc.Channel, call: Any, buffer: EventBuffer, proof: Any = None) -> None:
        """`call` is one on that channel that gives bytes; `proof` is a call made after it there, which the
        gateway can only answer when it has taken the stream."""
        if proof is not None:
            proof.add_done_callback(lambda done: buffer.attach(_answered(done)))
        # A daemon: a program that forgets to close its client can still leave.
        self._thread = threading.Thread(target=_read, args=(channel, call, buffer), name="reading events", daemon=True)
        self._thread.start()
        self._channel = channel

    def cancel(self) -> None:
        """Ends the call, and the thread with it; from any thread, at any time."""
        # Cancelling the call would let its reader leave without the end of it, which keeps the connection open.
        self._channel.close()


def _answered(done: Any) -> bool:
    """Whether the gateway answered a command for a session that it has, whatever the key or the worker may do."""
    return done.code() in (
        grpc.StatusCode.OK,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
    )


def _read(channel: grpc.Channel, call: Any, buffer: EventBuffer) -> None:
    error: Exception | None = None
    try:
        for data in call:
            if not buffer.put(data):
                break
    except grpc.RpcError as broken:
        # As grpc.aio would raise it: the call itself, which is what is raised here, is not kept.
        error = grpc.aio.AioRpcError(broken.code(), grpc.aio.Metadata(), grpc.aio.Metadata(), details=broken.details())
        # What is not taken of a call's end keeps its connection open.
        call.initial_metadata()
        broken.__traceback__ = None  # which holds the call, which is what is raised: nobody else would let it go
    except Exception as broken:
        error = broken
    finally:
        channel.close()
        buffer.end(error)
