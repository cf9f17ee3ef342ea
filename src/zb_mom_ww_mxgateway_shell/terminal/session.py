"""The prompt: reads lines, runs them, shows what comes back, and says what happens meanwhile."""

import asyncio
from pathlib import Path
from typing import Any

import platformdirs
from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app_session
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.styles import Style

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.live import LiveSession
from zb_mom_ww_mxgateway.live_values import LiveChange, LiveState
from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_cli.output import ExitCode
from zb_mom_ww_mxgateway_shell.commands.connection import connection_text
from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.interrupts import INTERRUPT, Interrupted, interruptible
from zb_mom_ww_mxgateway_shell.results import Feed, Result
from zb_mom_ww_mxgateway_shell.statements import Statement, interruption, problem_lines, run
from zb_mom_ww_mxgateway_shell.terminal.completion import ShellCompleter, usage_of
from zb_mom_ww_mxgateway_shell.terminal.console import Console
from zb_mom_ww_mxgateway_shell.terminal.watch_view import WatchView
from zb_mom_ww_mxgateway_shell.watching import Watch

_STYLE = Style.from_dict({"bottom-toolbar": "noreverse", "prompt.lost": "ansired bold", "problem": "ansired"})
_REFRESH_SECONDS = 0.5


class SecretKeepingHistory(FileHistory):
    """A history file that never holds a line with a key in it."""

    def store_string(self, string: str) -> None:
        if redact(string) == string:
            super().store_string(string)


def history_at(path: Path) -> History:
    """The history in a file; in memory where there can be no file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return SecretKeepingHistory(str(path))


class Prompt:
    """The shell at a terminal."""

    def __init__(self, context: Context, *, debug: bool, history: History) -> None:
        session = get_app_session()
        self._context = context
        self._debug = debug
        self._input, self._output = session.input, session.output
        self._console = Console(self._output)
        self._rate = _Rate()
        self._prompt: PromptSession[str] = PromptSession(
            message=self._message,
            completer=ShellCompleter(context),
            complete_while_typing=True,
            bottom_toolbar=self._toolbar,
            refresh_interval=_REFRESH_SECONDS,
            history=history,
            style=_STYLE,
            input=self._input,
            output=self._output,
        )
        context.open_pane = self._open_pane

    async def run(self) -> ExitCode:
        """Reads and runs lines until exit or Ctrl-D."""
        self._greet()
        self._context.say_by(self._console.print)
        watcher = asyncio.create_task(self._tell_changes(), name="state changes")
        try:
            while not self._context.leaving:
                try:
                    line = await self._prompt.prompt_async(handle_sigint=False)
                except KeyboardInterrupt:
                    continue
                except EOFError:
                    break
                await self._one(line)
        finally:
            watcher.cancel()
            await asyncio.wait([watcher])
        if not watcher.cancelled() and (error := watcher.exception()):
            raise error
        self._say_what_is_open()
        return ExitCode.DONE

    async def _one(self, line: str) -> None:
        try:
            result = await interruptible(run(self._context, line, self._follow), INTERRUPT)
        except Interrupted:
            self._console.print(str(interruption(self._context, line)))
        except Exception as error:
            width = len(self._prompt_text())
            for shown in problem_lines(error, Statement(line, 0), debug=self._debug, indent=width):
                self._console.print(shown, "class:problem")
        else:
            self._show(result)

    def _show(self, result: Result | None) -> None:
        if result is not None:
            style = "" if result.exit_code is ExitCode.DONE else "class:problem"
            for shown in result.lines():
                self._console.print(shown, style)

    async def _follow(self, feed: Feed) -> Result:
        if isinstance(feed, Watch):
            return await WatchView(feed, self._input, self._output).run()
        try:
            return await feed.follow(self._console.print)
        except asyncio.CancelledError:
            # Ctrl-C is how an endless feed ends.
            self._show(feed.result())
            raise

    async def _open_pane(self) -> None:
        from zb_mom_ww_mxgateway_shell.terminal.pane import HIDDEN, Pane, namespace_of

        async def mx(line: str) -> Any:
            """Runs a line of the shell; shows and returns its result."""
            result = await run(self._context, line, self._follow)
            self._show(result)
            return result and result.value

        namespace = namespace_of(self._context, mx)
        given = dict(namespace)
        await Pane(namespace, self._input, self._output).visit()
        self._context.names |= {
            name: value
            for name, value in namespace.items()
            if name not in HIDDEN and not (name in given and given[name] is value) and not name.startswith("_")
        }

    # What is always in view.

    def _prompt_text(self) -> str:
        context = self._context
        state = context.state
        shown = f"{context.name}:{state}" if state not in ("ready", "not connected") else context.name
        return f"{shown or 'mxgw'}> " if context.live else "mxgw> "

    def _message(self) -> Any:
        return [("" if self._context.state in ("ready", "not connected") else "class:prompt.lost", self._prompt_text())]

    def _toolbar(self) -> str:
        context = self._context
        line = self._prompt.default_buffer.text
        live = context.live
        figures = (
            f"{context.state} · {self._rate.of(live)} ev/s · gaps {live.gaps} · items {len(context.items)}"
            if live
            else context.state
        )
        return f" {usage_of(context, line)}     {figures}"

    def _greet(self) -> None:
        context = self._context
        where = connection_text(context) if context.live else "not connected: connect HOST:PORT"
        if context.name == "demo":
            where = f"simulated gateway at {where}"
        self._console.print(f"mxgw-shell {__version__}   {where}")
        if context.live:
            session = context.live.session.session_id
            self._console.print(f"{session[:14]}…  {context.state}          type help, or press Tab")

    def _say_what_is_open(self) -> None:
        context = self._context
        if context.live:
            advised = sum(item.advised for item in context.items)
            self._console.print(f"closing {context.live.session.session_id} ({advised} items advised)")

    # What happens meanwhile.

    async def _tell_changes(self) -> None:
        """Says above the prompt when the stream is lost, resumed or has a gap."""
        told: LiveSession | None = None
        while True:
            live = self._context.live
            if live is None or live is told:
                await asyncio.sleep(_REFRESH_SECONDS / 2)
                continue
            told = live
            before = live.state
            async for change in live.changes():
                if self._context.live is live:
                    await self._tell(live, change, before)
                    before = change.state

    async def _tell(self, live: LiveSession, change: LiveChange, before: LiveState) -> None:
        if change.lost_events:
            text = f"GAP {change.lost_events} events lost: values are stale until they are read again"
            await self._console.print_above(text, "class:problem")
        elif change.missing:
            text = f"no longer there: {', '.join(change.missing)}"
            await self._console.print_above(text, "class:problem")
        elif change.state is before:
            pass
        elif change.state is LiveState.STALE:
            await self._console.print_above(f"event stream lost, resuming: {change.lost}", "class:problem")
        elif change.state is LiveState.REBUILDING:
            text = f"session lost, opening another with the same items: {change.lost}"
            await self._console.print_above(text, "class:problem")
        elif change.state is LiveState.LIVE and before is LiveState.REBUILDING:
            text = f"{live.session.session_id} has taken its place: {len(self._context.items)} items added again"
            await self._console.print_above(text)
        elif change.state is LiveState.LIVE:
            await self._console.print_above(f"event stream resumed after sequence {live.last_sequence}")
        elif change.state is LiveState.CLOSED and change.lost:
            text = f"session lost: {change.lost}; connect opens a new one"
            await self._console.print_above(text, "class:problem")


class _Rate:
    """Events a second, over about the last second."""

    def __init__(self) -> None:
        self._at = 0.0
        self._events = 0
        self._shown = 0

    def of(self, live: LiveSession) -> int:
        now = asyncio.get_running_loop().time()
        if now - self._at >= 1.0:
            self._shown = max(0, round((live.events - self._events) / (now - self._at))) if self._at else 0
            self._at, self._events = now, live.events
        return self._shown


async def at_prompt(context: Context, *, debug: bool) -> ExitCode:
    """Runs the shell at the terminal of this process."""
    history = history_at(platformdirs.user_state_path("mxgw") / "history")
    return await Prompt(context, debug=debug, history=history).run()
