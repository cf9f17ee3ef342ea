"""A shell at a terminal, typed into and read from a real screen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pyte
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.history import History, InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from shell_lines import SIMULATED
from shell_screen import Screen, text_on
from shell_waiting import DEADLINE, until

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.state.connection_terms import ConnectionTerms
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.prompt import Prompt
from zb_mom_ww_mxgateway_sim import SimulatedGateway

COLUMNS, ROWS = 110, 40
BACKSPACE, CTRL_C, CTRL_D, ENTER, TAB = "\x7f", "\x03", "\x04", "\r", "\t"


class Terminal:
    """A screen and a keyboard."""

    reports = True
    """Whether it says where its cursor is when it is asked."""

    def __init__(self, keys: PipeInput, columns: int = COLUMNS) -> None:
        self.screen = Screen(columns, ROWS)
        self._stream = pyte.Stream(self.screen)
        self._keys = keys
        self.raw = ""
        self._text: str | None = None
        self._later: list[bytes] = []
        self._typing: asyncio.Task[None] | None = None
        self.encoding = "utf-8"
        self.takes_lines: Callable[[], bool] = lambda: True
        """Whether something reads what is typed, and does not only hold it until a command has ended."""
        self.is_prompted: Callable[[], bool] = lambda: True
        """Whether the prompt reads it, with its history."""
        self.reading: Callable[[], object] = lambda: None
        """Returns what becomes of that which is being read; another one for each line."""

    def write(self, text: str) -> None:
        self.raw += text
        if self.reports and "\x1b[6n" in text:
            # A terminal tells where its cursor is, and so how much room there is for a toolbar.
            self._keys.send_text(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
        self._stream.feed(text)
        self._text = None

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True

    @property
    def text(self) -> str:
        # Kept until something is written: a wait asks every 10 ms.
        if self._text is None:
            self._text = text_on(self.screen)
        return self._text

    @property
    def unfolded(self) -> str:
        """The screen as one line: where a text is folded depends on the numbers in it."""
        return " ".join(self.text.split())

    def type(self, text: str | bytes) -> None:
        """Types as a person who looks does: a line once something reads it, everything else at once."""
        data = text if isinstance(text, bytes) else text.encode()
        is_line = data.endswith(ENTER.encode()) and not self.takes_lines()
        if is_line or (self._later and not data.startswith(CTRL_C.encode())):
            self._later.append(data)
            if self._typing is None:
                self._typing = asyncio.create_task(self._type_later(), name="typing")
        else:
            self._keys.send_bytes(data)

    async def _type_later(self) -> None:
        while self._later:
            await until(self.takes_lines, lambda: f"something that reads a line:\n{self.text}")
            read = self.reading()
            self._keys.send_bytes(self._later.pop(0))
            if self._later:
                await until(lambda read=read: read is None or self.reading() is not read, lambda: "the line read")
        self._typing = None

    def type_ahead(self, text: str) -> None:
        """Types whatever the shell does meanwhile."""
        self._keys.send_text(text)

    async def shows(self, *wanted: str, timeout: float = DEADLINE) -> str:
        """Waits until all of it stands on the screen, folded at the end of a line or not."""
        await until(
            lambda: all(text in self.text or text in self.unfolded for text in wanted),
            lambda: f"{wanted} on the screen:\n{self.text}",
            timeout=timeout,
        )
        return self.text

    async def prompted(self) -> None:
        """Waits until the prompt reads what is typed and has its history."""
        await until(self.is_prompted, lambda: f"the prompt:\n{self.text}")

    async def gone(self, unwanted: str) -> None:
        """Waits until it no longer stands on the screen."""
        await until(lambda: unwanted not in self.text, lambda: f"{unwanted!r} gone from the screen:\n{self.text}")

    async def enter(self, line: str, *wanted: str) -> str:
        """Types a line, once something reads it, and waits for what it shows."""
        await until(self.takes_lines, lambda: f"something that reads a line:\n{self.text}")
        read = self.reading()
        self.type(line + ENTER)
        await until(lambda: read is None or self.reading() is not read, lambda: f"the line read:\n{self.text}")
        return await self.shows(*wanted)


class Shell:
    """A shell at a terminal, on a simulated gateway."""

    def __init__(self, terminal: Terminal, context: Context, gateway: SimulatedGateway) -> None:
        self.terminal = terminal
        self.context = context
        self.gateway = gateway
        self.exit_code: ExitCode | None = None
        self.prompt: Prompt | None = None


@asynccontextmanager
async def shell(
    tmp_path: Path,
    *,
    cursor_reports: bool = False,
    columns: int = COLUMNS,
    history: History | None = None,
    terms: ConnectionTerms = SIMULATED,
    **simulated: Any,
) -> AsyncIterator[Shell]:
    """A prompt on a simulated gateway made with the options `simulated`; by other `terms` it is to be armed."""
    with create_pipe_input() as keys:
        terminal = Terminal(keys, columns)
        output = Vt100_Output(
            terminal,  # type: ignore[arg-type]
            lambda: Size(rows=ROWS, columns=columns),
            default_color_depth=ColorDepth.from_env(),
            enable_cpr=cursor_reports,
        )
        with create_app_session(input=keys, output=output) as session:
            async with SimulatedGateway(plaintext=True, api_keys=(), **simulated) as gateway:
                context = Context(all_commands(), interactive=True)
                await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "demo", terms=terms)
                prompt = Prompt(context, debug=False, history=history or InMemoryHistory())
                made = Shell(terminal, context, gateway)
                made.prompt = prompt

                def is_prompted() -> bool:
                    # A key such as Up finds only lines that are there by then.
                    loading, app = prompt._prompt.default_buffer._load_history_task, prompt._prompt.app
                    reads = app.is_running and app.future is not None and not app.future.done()
                    return reads and loading is not None and loading.done()

                terminal.is_prompted = is_prompted
                terminal.reading = lambda: session.app and session.app.future

                def takes_lines() -> bool:
                    app = session.app
                    ended = app is None or app.future is None or app.future.done()
                    return not ended and app is not prompt._view._app

                terminal.takes_lines = takes_lines
                running = asyncio.create_task(prompt.run())
                try:
                    await terminal.shows("demo>" if terms.open_for_all else "demo (read-only)>")
                    yield made
                finally:
                    context.ask, context.leaving = None, True
                    terminal.type(CTRL_C + CTRL_D)
                    try:
                        made.exit_code = await asyncio.wait_for(running, 10)
                    finally:
                        await context.disconnect()
