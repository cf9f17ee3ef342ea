"""Reads lines of standard input as they come; a pending read does not keep the program from ending."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")

_CHUNK = 65_536


class StandardInput:
    """Reads on a daemon thread: a line that never comes does not hold up an interrupted program."""

    def __init__(self) -> None:
        self._rest = b""
        self._ended = False

    async def line(self) -> bytes | None:
        """Return the next line with its line end; None at the end of the input. Cancelling loses no input."""
        while b"\n" not in self._rest and not self._ended:
            chunk = await self._read()
            self._ended = not chunk
            self._rest += chunk
        line, newline, self._rest = self._rest.partition(b"\n")
        return line + newline or None

    async def text(self) -> str | None:
        """Return the next line as text; None at the end of the input. Raise UnicodeDecodeError if it is not text."""
        line = await self.line()
        return None if line is None else line.decode(sys.stdin.encoding or "utf-8")

    async def _read(self) -> bytes:
        loop = asyncio.get_running_loop()
        read: asyncio.Future[bytes] = loop.create_future()

        def settle(chunk: bytes) -> None:
            if not read.done():
                read.set_result(chunk)

        def work() -> None:
            # Bypass the buffer: a thread that still reads would hold its lock while Python exits. os.read would
            # return another encoding than sys.stdin names on a Windows console.
            raw = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)
            try:
                chunk = raw.read(_CHUNK) or b""
            except OSError:
                chunk = b""
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(settle, chunk)

        threading.Thread(target=work, name="standard input", daemon=True).start()
        return await read


class CancelSafeReader(Generic[T]):
    """Items of an iterator, one by one; a wait that is cancelled or times out loses none."""

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source
        self._next: asyncio.Future[T | None] | None = None

    async def next(self, patience: float | None) -> T | None:
        """Return the next item; None at the end, or if it has not come after `patience` seconds."""
        self._next = self._next or asyncio.ensure_future(self._following())
        done, _ = await asyncio.wait([self._next], timeout=patience)
        if not done:
            return None
        found, self._next = self._next, None
        return found.result()

    async def _following(self) -> T | None:
        return await anext(self._source, None)

    def close(self) -> None:
        """Stop waiting for the next item."""
        if self._next is not None:
            self._next.cancel()
