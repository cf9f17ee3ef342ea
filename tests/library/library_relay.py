"""A relay between client and gateway that counts connections and silences them, and listeners that are no gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self


class Relay:
    """Passes every connection on to `target`, byte for byte. An async context manager."""

    def __init__(self, target: str) -> None:
        self._host, _, port = target.rpartition(":")
        self._port = int(port)
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.silent: set[int] = set()
        """Of these, by number from 1, nothing is passed on any more, either way; nor that they were closed."""

    @property
    def endpoint(self) -> str:
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        number = self.connections
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._copy(number, reader, far_writer))
                both.create_task(self._copy(number, far_reader, writer))
        except* (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)

    async def _copy(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                if number not in self.silent:
                    writer.write(data)
                    await writer.drain()
            while number in self.silent:  # noqa: ASYNC110 - until the relay ends, or the test says otherwise
                await asyncio.sleep(0.01)
        finally:
            with suppress(Exception):
                writer.close()


@asynccontextmanager
async def listener(answer: bytes | None) -> AsyncIterator[str]:
    """Something that listens but is no gateway: answers with these bytes and hangs up, or never (None)."""
    stop = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            if answer is None:
                await stop.wait()
            else:
                await reader.read(1)
                writer.write(answer)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield f"{host}:{port}"
    finally:
        stop.set()
        server.close()
