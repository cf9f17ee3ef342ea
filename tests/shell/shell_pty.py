"""mxgw-shell as a process at a terminal of its own, which can be resized and taken away."""

import asyncio
import fcntl
import os
import pty
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import prepared_programs
import pyte
from shell_process import ShellProcess
from shell_screen import text_on
from shell_waiting import until
from started_programs import StartedProgram

from zb_mom_ww_mxgateway_sim import SimulatedGateway


class OwnTerminal:
    """The process, its screen and its keyboard."""

    def __init__(
        self, process: asyncio.subprocess.Process | StartedProgram, master: int, columns: int, rows: int
    ) -> None:
        self.process = process
        self.raw = ""
        self._text: str | None = None
        self._master: int | None = master
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        asyncio.get_running_loop().add_reader(master, self._read)

    def _read(self) -> None:
        assert self._master is not None
        try:
            data = os.read(self._master, 65536)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._master)
            return
        self.raw += data.decode(errors="replace")
        before, *asked = data.split(b"\x1b[6n")
        self._stream.feed(before)
        for after in asked:
            # A terminal tells where its cursor is when it is asked.
            self.type(f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R")
            self._stream.feed(after)
        self._text = None

    @property
    def text(self) -> str:
        # Kept until something is written: a wait asks every 10 ms.
        if self._text is None:
            self._text = text_on(self._screen)
        return self._text

    def type(self, text: str) -> None:
        assert self._master is not None
        os.write(self._master, text.encode())

    async def shows(self, *wanted: str) -> str:
        """Waits until all of it stands on the screen."""
        await until(lambda: all(text in self.text for text in wanted), lambda: f"{wanted} on the screen:\n{self.text}")
        return self.text

    def _asks(self) -> bool:
        """Whether a prompt or a question stands there with nothing typed behind it."""
        cursor, rows = self._screen.cursor, self._screen.display
        # The question about a write stands at its cursor; its hint comes below as soon as it takes an answer.
        return rows[cursor.y][: cursor.x].rstrip().endswith((">", ":", "?", "]")) or any(
            row.lstrip().startswith("void in") for row in rows[cursor.y :]
        )

    async def enter(self, line: str, *wanted: str) -> str:
        """Types a line once it is asked for (before, it would be held for review), and waits for what it shows."""
        await until(self._asks, lambda: f"a prompt or a question:\n{self.text}")
        row = self._screen.cursor.y
        before = self._screen.display[: row + 1]
        self.type(line + "\r")
        # Until then the next line would be typed as if nothing had been.
        await until(lambda: self._screen.display[: row + 1] != before, lambda: f"the line read:\n{self.text}")
        return await self.shows(*wanted)

    async def leave(self) -> None:
        """Presses Ctrl-D once a prompt waits for it: before, it would be lost to the system's own line editing."""
        assert self._master is not None
        master = self._master
        await until(lambda: not termios.tcgetattr(master)[3] & termios.ICANON)
        self.type("\x04")

    def resize(self, columns: int, rows: int) -> None:
        """As a window's edge that is dragged."""
        assert self._master is not None
        self._screen.resize(rows, columns)
        self._text = None
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def take_away(self) -> None:
        """As a window that is closed, or a connection that is lost."""
        if self._master is not None:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            self._master = None

    async def ended(self) -> int:
        """The exit code, once it has ended."""
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def at_a_terminal(
    process: ShellProcess,
    gateway: SimulatedGateway,
    *arguments: str,
    columns: int = 100,
    rows: int = 30,
    term: str | None = "xterm",
) -> AsyncIterator[OwnTerminal]:
    """mxgw-shell at a terminal that it has to itself: with these arguments, or else on this gateway. `term`
    is what TERM says; None for nothing."""
    if not arguments:
        process.on(gateway)
        arguments = ("--plaintext",)
    elif {"-c", "-e", "--python"} & set(arguments):
        arguments = process.armed_for(*arguments)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    started = await prepared_programs.start(
        "zb_mom_ww_mxgateway_shell",
        arguments,
        environment={
            name: value for name, value in (process.environment | {"TERM": term}).items() if value is not None
        },
        folder=process.folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        own_terminal=True,
    )
    os.close(slave)
    terminal = OwnTerminal(started, master, columns, rows)
    try:
        yield terminal
    finally:
        terminal.take_away()
        with suppress(ProcessLookupError):
            if started.returncode is None:
                try:
                    async with asyncio.timeout(30):
                        await started.wait()
                except TimeoutError:
                    started.kill()
        await started.wait()
