"""Thread that reads a session's event stream, so that it is drained whatever the event loop does.

The gateway faults a session whose events are not read. So one small thread takes them, with gRPC's synchronous API, and
puts them into a buffer that the loop empties when it can.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import grpc

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.transport.urgency import Urgency

# Bytes of an entry of the buffer in addition to its message: tuple, time and headers of the objects.
_ENTRY_BYTES = 128
# Seconds after a proof in which the gateway's refusal of the stream may still come.
_REJECT_GRACE_SECONDS = 0.01

# Where events come one by one, waiting for each costs more than reading it. So after an event that had to be waited for
# (seconds), others may gather (seconds, by whether many do), but no more than half of the bytes that HTTP/2 sends
# unasked: more would delay the gateway. That is only done while nobody waits for what comes next, and while the reader
# on the loop waits, too: a thread that waits for a busy loop to let it run would take that for a pause in the stream.
_WAITED = 0.0002
_SHORT, _LONG, _LEAST, _MANY = 0.005, 0.04, 0.004, 20
_ROOM = 32_768

Arrived = tuple[float, bytes]
"""One message as it came: when, in seconds of :func:`clock.monotonic`, and its bytes."""


class EventBuffer:
    """Buffer between the reading thread and the event loop, bounded by the bytes it may hold.

    When it is full the oldest go, and :meth:`take` says how many. A waiting loop is woken at once.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int, urgency: Urgency | None = None) -> None:
        self._loop = loop
        self._limit = limit
        # Held where several steps must be seen as one; adding an entry is a single step, and the usual one.
        self._lock = threading.Lock()
        self._entries: deque[Arrived] = deque()
        # Bytes in and out. Only the thread writes the first; the caller that takes or drops writes the second, locked.
        self._came = 0
        self._went = 0
        self._count = 0
        self._dropped = 0
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.is_awaited = False
        """Whether its reader on the loop only waits; else the thread may be waiting for that reader."""
        self.is_asking = False
        """Whether the thread waits for the next message, and has put in all that it got."""
        self.urgency: Urgency = urgency or Urgency()
        """Who waits for what comes next."""
        self.attached: asyncio.Future[bool] = loop.create_future()
        """Whether the gateway has proven that it has taken the stream, when that is settled."""
        self.is_misread: bool = False
        """Whether the gateway called the request for that proof invalid."""

    # In the thread.

    def put(self, at: float, data: bytes) -> bool:
        """Add a message that came at that time; return False if it will never be taken."""
        self._came += len(data) + _ENTRY_BYTES
        self._count += 1
        self._entries.append((at, data))
        if self._came - self._went > self._limit:
            self._drop()
        # Asked after the entry is in: a reader sets the waiter first, and then looks for entries once more.
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
        """Bytes of all messages that have been put in, about."""
        return self._came

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the messages that wait, about."""
        return max(0, self._came - self._went)

    def attach(self, proven: bool) -> None:
        """Note whether the gateway's answer proves that it has taken the stream."""
        with suppress(RuntimeError):  # the loop is closed
            # A refusal of the stream would come right after the proof.
            self._loop.call_soon_threadsafe(self._loop.call_later, _REJECT_GRACE_SECONDS, self._set_attached, proven)

    def _set_attached(self, proven: bool) -> None:
        if not self._ended:
            self._settle(proven)

    def _settle(self, proven: bool) -> None:
        if not self.attached.done():
            self.attached.set_result(proven)

    def end(self, error: Exception | None) -> None:
        """Note that nothing comes any more: the stream ended, or broke with `error`."""
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

    def take(self, into: deque[Arrived]) -> int:
        """Move all that has come since the last time; return how many were dropped before the first of them."""
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
        """Wait until there is something to take, or the end."""
        with self._lock:
            waiter = self._waiter = self._waiter or self._loop.create_future()
            if self._entries or self._ended:
                self._waiter = None
                _resolve(waiter)  # another reader may wait for it too
        await asyncio.shield(waiter)

    def raise_error(self) -> None:
        """Raise what broke the stream, once."""
        error, self._error = self._error, None
        if error is not None:
            raise error


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)


class ReadingThread:
    """Reads one server stream, on a separate synchronous channel, into a buffer until it ends or is cancelled."""

    def __init__(
        self, channel: grpc.Channel, call: Any, buffer: EventBuffer, ask: Callable[[], Any] | None = None
    ) -> None:
        """`call` is the stream's call on that channel, which gives bytes; `ask` makes another call there, which the
        gateway can only answer when it has taken the stream."""
        self._ask = ask
        self._channel: grpc.Channel | None = channel
        if ask is not None:
            ask().add_done_callback(partial(_note_answer, buffer))
        # A daemon: a program that forgets to close its client can still exit.
        threading.Thread(target=self._run, args=(call, buffer), name="reading events", daemon=True).start()

    def _run(self, call: Any, buffer: EventBuffer) -> None:
        error: Exception | None = None
        try:
            error = _read(call, buffer)
        finally:
            self.cancel()
            buffer.end(error)
            _take_the_rest(call)

    def ask(self, report: Callable[[bool], None]) -> Callable[[], object]:
        """Ask the gateway for an answer on the stream's own connection; return what ends the asking.

        `report` is called in another thread with whether an answer came.
        """
        ask = self._ask
        try:
            asked = ask() if ask else None
        except ValueError:  # the channel is closed
            asked = None
        if asked is None:
            report(False)
            return lambda: None
        asked.add_done_callback(lambda done: report(done.code() not in _NO_ANSWER))
        return asked.cancel  # type: ignore[no-any-return]  # gRPC's future is untyped

    def cancel(self) -> None:
        """End the call, and the thread with it; from any thread, at any time."""
        channel, self._channel, self._ask = self._channel, None, None
        if channel is not None:
            channel.close()


_NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)


def _note_answer(buffer: EventBuffer, done: Any) -> None:
    buffer.is_misread = done.code() is grpc.StatusCode.INVALID_ARGUMENT
    buffer.attach(_answered(done))


def _answered(done: Any) -> bool:
    """Return whether the gateway answered for a session that it has, whatever key and worker allow."""
    return done.code() in (
        grpc.StatusCode.OK,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
    )


def _read(call: Any, buffer: EventBuffer) -> Exception | None:
    """Put in all that comes; return what broke the stream, which holds nothing of the call, or None at its end."""
    put, now_by, is_urgent = buffer.put, clock.monotonic, buffer.urgency.is_raised
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
                    is_urgent.wait(pause)
                    now = now_by()
            before = now
            buffer.is_asking = True
    except grpc.RpcError as broken:
        # As grpc.aio would raise it: what is raised here is the call itself, which must not be kept.
        error = grpc.aio.AioRpcError(broken.code(), grpc.aio.Metadata(), grpc.aio.Metadata(), details=broken.details())
        broken.__traceback__ = None  # it holds the call, which is what is raised, in a cycle
        return error
    except Exception as broken:
        return broken.with_traceback(None)
    finally:
        buffer.is_asking = False
    return None


def _take_the_rest(call: Any) -> None:
    """Take what is still due of a call that has ended.

    gRPC keeps a call and its connection until the last event of it is taken, and its reader stops at the status, which
    may come before the answer to the sending or the headers.
    """
    state: Any = getattr(call, "_state", None)
    take = getattr(call, "_consume_next_event", None)
    with suppress(grpc.RpcError):
        if take is None or not hasattr(state, "due"):
            # Another gRPC than those that this was written for: its public way.
            call.initial_metadata()
            return
        while state.due:
            take()
