"""A program that was forked, with what a process of asyncio has: its streams, its end, signals to it."""

import asyncio
import contextlib
import functools
import os
import signal


class StartedProgram:
    """One program that may still run, named as in `asyncio.subprocess.Process`; killed if its loop ends before it."""

    def __init__(self, status: asyncio.StreamReader, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin: asyncio.StreamWriter | None = None
        self.stdout: asyncio.StreamReader | None = None
        self.stderr: asyncio.StreamReader | None = None
        self._end = asyncio.create_task(self._ended(status))

    @classmethod
    async def of(cls, status: int, *, stdin: int | None, stdout: int | None, stderr: int | None) -> "StartedProgram":
        """Our ends of its pipes, and of that which tells its number and then how it ended."""
        tells = await _reader(status)
        started = cls(tells, int(await tells.readline()))
        if stdin is not None:
            loop = asyncio.get_running_loop()
            protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
            transport, _ = await loop.connect_write_pipe(lambda: protocol, os.fdopen(stdin, "wb", 0))
            started.stdin = asyncio.StreamWriter(transport, protocol, None, loop)
        started.stdout = None if stdout is None else await _reader(stdout)
        started.stderr = None if stderr is None else await _reader(stderr)
        return started

    async def _ended(self, status: asyncio.StreamReader) -> int:
        try:
            self.returncode = int(await status.read())
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):  # It has ended, and only that was not read yet.
                os.kill(self.pid, signal.SIGKILL)
            raise
        finally:
            if self.stdin is not None:
                self.stdin.close()
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._end)

    async def communicate(self, given: bytes | None = None) -> tuple[bytes | None, bytes | None]:
        if given is not None:
            assert self.stdin is not None
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.stdin.write(given)
                await self.stdin.drain()
            self.stdin.close()

        async def all_of(stream: asyncio.StreamReader | None) -> bytes | None:
            return None if stream is None else await stream.read()

        said = await asyncio.gather(all_of(self.stdout), all_of(self.stderr))
        await self.wait()
        return said[0], said[1]

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # as above
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def _reader(number: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    protocol = functools.partial(asyncio.StreamReaderProtocol, reader)
    await asyncio.get_running_loop().connect_read_pipe(protocol, os.fdopen(number, "rb", 0))
    return reader
