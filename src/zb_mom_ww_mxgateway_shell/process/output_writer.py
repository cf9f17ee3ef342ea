"""Standard output and standard error, written by a thread that can be abandoned.

A reader that has stopped (a pipe that is full, a terminal after Ctrl-S) then holds up only the output.
"""

import asyncio
import io
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from zb_mom_ww_mxgateway_console.process.standard_streams import give_up_output

ROOM = 1 << 20
"""Bytes that may wait for a reader before the run waits, too."""
_MOST = 64 << 20
_PATIENCE_SECONDS = 10.0
"""How long a reader may take nothing while more than ROOM waits for it."""
_ASIDE_SECONDS = 0.5
"""How long a line for standard error waits behind a standard output that takes nothing."""
_PIECE = 4096
_NOT_READY_SECONDS = 0.02

Wrote = Callable[[int], None]


class OutputWriter:
    """Writes texts to both streams in the order they come. It never blocks and never raises."""

    def __init__(self) -> None:
        self.problem = ""
        """Why standard output is no longer written, and further text for it is dropped; empty while it is written."""
        self.is_problem_reported = False
        """Whether the problem was reported."""
        self._lane = _Lane(self._failed)
        self._aside: _Lane | None = None
        self._gave_up = False
        self._streams: tuple[Any, Any] | None = None

    @property
    def _out(self) -> Any:
        return self._both()[0]

    @property
    def _err(self) -> Any:
        return self._both()[1]

    def _both(self) -> tuple[Any, Any]:
        # Taken with the first text: Python code may replace them later.
        self._streams = self._streams or (sys.stdout, sys.stderr)
        return self._streams

    @property
    def is_terminal(self) -> bool:
        """Whether standard output is a terminal."""
        return sys.stdout.isatty()

    @property
    def columns(self) -> int:
        """Columns of the terminal; 80 without one."""
        try:
            return os.get_terminal_size().columns or 80
        except OSError:
            return 80

    @property
    def can_overwrite(self) -> bool:
        """Whether a line can be written over the one before."""
        return self.is_terminal

    def out(self, text: str) -> None:
        """Queue a text for standard output."""
        if text and not self.problem:
            self._lane.put(self._out, text)

    def err(self, text: str) -> None:
        """Queue a text for standard error."""
        if self._aside is None and self._lane.stalled_seconds > _ASIDE_SECONDS:
            self._step_aside()
        (self._aside or self._lane).put(self._err, text)

    @contextmanager
    def as_standard_streams(self) -> Iterator[None]:
        """Take what Python code prints while this is open, in order with the other texts."""
        out, err = self._both()
        sys.stdout, sys.stderr = _Printed(out, self.out, self), _Printed(err, self.err, self)
        try:
            yield
        finally:
            sys.stdout, sys.stderr = out, err

    @property
    def pending(self) -> int:
        """Characters that no reader has taken yet."""
        return 0 if self._gave_up else self._lane.pending

    @property
    def is_stuck(self) -> bool:
        """Whether too much has waited for too long; standard output is given up then."""
        waits, patience = self.pending, _PATIENCE_SECONDS
        if waits > _MOST:
            patience = 1.0
        if not self.problem and waits > ROOM and self._lane.stalled_seconds > patience:
            self.give_up()
        return self._gave_up

    def give_up(self) -> None:
        """Give up standard output: drop what its reader has not taken."""
        if not self._gave_up:
            self._gave_up = True
            self.problem = self.problem or "standard output is stuck: its reader takes nothing"
            self._step_aside()
            self._lane.drop()

    async def moved(self) -> None:
        """Give the reader a moment to take something."""
        await self._lane.settled(0.05)

    async def drained(self, patience: float | None) -> bool:
        """Wait until everything is written; None for `patience` waits for ever.

        Return False if the reader took nothing for `patience` seconds, and standard output was given up.
        """
        while self.pending:
            if patience is not None and self._lane.stalled_seconds > patience:
                self.give_up()
                break
            await self._lane.settled(0.25)
        if self._aside is not None:
            await self._aside.settled(1.0)
        return not self._gave_up

    def _step_aside(self) -> None:
        if self._aside is None:
            self._aside = _Lane(lambda stream, error: None)
            for stream, text in self._lane.taken_from(self._err):
                self._aside.put(stream, text)

    def _failed(self, stream: Any, error: Exception) -> None:
        if stream is self._out:
            is_closed = isinstance(error, OSError) and give_up_output(error)
            self.problem = "standard output was closed" if is_closed else _cannot_write(error)


class _Lane:
    """A queue of texts and the thread that writes them."""

    def __init__(self, failed: Callable[[Any, Exception], None]) -> None:
        self._failed = failed
        self._queue: deque[tuple[Any, str]] = deque()
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._moved_at = time.monotonic()
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []
        self.pending = 0

    @property
    def stalled_seconds(self) -> float:
        """Seconds since a reader took something, while something waits for it."""
        return time.monotonic() - self._moved_at if self.pending else 0.0

    def put(self, stream: Any, text: str) -> None:
        with self._condition:
            if not self.pending:
                self._moved_at = time.monotonic()
            self._queue.append((stream, text))
            self.pending += len(text)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="output", daemon=True)
                self._thread.start()
            self._condition.notify()

    def taken_from(self, stream: Any) -> list[tuple[Any, str]]:
        """Remove and return what waits for a stream, except what is being written."""
        with self._condition:
            taken = [each for each in self._queue if each[0] is stream]
            self._queue = deque(each for each in self._queue if each[0] is not stream)
            self.pending -= sum(len(text) for _, text in taken)
        return taken

    def drop(self) -> None:
        with self._condition:
            self._queue.clear()
            self.pending = 0

    async def settled(self, seconds: float) -> None:
        """Wait until the queue is empty, for at most so many seconds."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        with self._condition:
            if not self.pending:
                return
            self._waiters.append((loop, waiter))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await waiter

    def _run(self) -> None:
        while True:
            with self._condition:
                while not self._queue:
                    self._condition.wait()
                stream, text = self._queue.popleft()
            try:
                _write(stream, text, self._moved)
            except OSError as error:
                self._failed(stream, error)
            except ValueError:  # the stream was closed
                pass
            except Exception as error:  # a stream that Python code made; the thread must go on
                self._failed(stream, error)
            with self._condition:
                self.pending = max(0, self.pending - len(text))
                self._moved_at = time.monotonic()
                waiters = self._waiters if not self.pending else []
                if waiters:
                    self._waiters = []
            for loop, waiter in waiters:
                with suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(_settle, waiter)

    def _moved(self, count: int) -> None:
        self._moved_at = time.monotonic()


_OWN = ("write", "writelines", "writable", "flush", "close", "closed", "_beneath", "_give", "_writer", "__class__")
"""Attributes of the wrapper; all others are those of the stream beneath."""


class _Printed(io.TextIOBase):
    """A standard stream for Python code: it passes text to a writer, and is otherwise the stream beneath."""

    def __init__(self, beneath: Any, give: Callable[[str], None], writer: OutputWriter) -> None:
        self._beneath = beneath
        self._give = give
        self._writer = writer

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            # As any text stream does; here, not in the thread that writes.
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        while self._writer.pending > ROOM and not self._writer.is_stuck:
            time.sleep(_NOT_READY_SECONDS)
        self._give(text)
        return len(text)

    def writable(self) -> bool:
        return True

    def __getattribute__(self, name: str) -> Any:
        if name in _OWN or name.startswith("__"):
            return super().__getattribute__(name)
        return getattr(self._beneath, name)


def _settle(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _write(stream: Any, text: str, wrote: Wrote) -> None:
    """Write all of it, bypassing the stream's buffer: its lock would be held by this thread when Python exits."""
    if stream is None:
        return
    buffer = getattr(stream, "buffer", None)
    if buffer is None:
        stream.write(text)
        stream.flush()
        return
    raw = getattr(buffer, "raw", buffer)
    data = (text.replace("\n", os.linesep) if sys.platform == "win32" else text).encode(
        stream.encoding or "utf-8", "backslashreplace"
    )
    left = memoryview(data)
    while left:
        count = raw.write(left[: _end_of_piece(left)])
        if count is None:  # another program made the pipe non-blocking
            time.sleep(_NOT_READY_SECONDS)
            continue
        wrote(count)
        left = left[count:]


def _end_of_piece(data: memoryview) -> int:
    """Return where a piece of whole characters ends: a Windows console decodes each piece separately."""
    end = _PIECE
    while len(data) > end > _PIECE - 4 and data[end] & 0xC0 == 0x80:
        end -= 1
    return end


def _cannot_write(error: Exception) -> str:
    why = error.strerror or error if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    return f"standard output cannot be written: {why}"
