"""Line under the prompt: help for the line being typed, and the state of the connection."""

import asyncio
import re

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.output import Output

from zb_mom_ww_mxgateway.live.session import LiveSession
from zb_mom_ww_mxgateway.live.values import LiveState
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, safe, width
from zb_mom_ww_mxgateway_shell.output.revert_text import countdown_text
from zb_mom_ww_mxgateway_shell.state.arming_text import arming_text
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.editing import LineEditor
from zb_mom_ww_mxgateway_shell.terminal.styles import style_of_line
from zb_mom_ww_mxgateway_shell.terminal.typed_line import TypedLine

_USAGE_COLUMNS = 20
_GLOB_COLUMNS = 24
_ALARMS = re.compile(r"(?<= · )alarms [^·]*[^· ]")


class Toolbar:
    """Text of the toolbar, new at every redraw."""

    def __init__(self, context: Context, output: Output, typed: TypedLine, editor: LineEditor) -> None:
        self._context = context
        self._output = output
        self._typed = typed
        self._editor = editor
        self._rate = _Rate()

    def figures(self) -> str:
        """Return the state of the connection."""
        context, live = self._context, self._context.live
        figures = context.state
        if live is not None:
            # A narrow screen cuts the end, so the important figures come first.
            figures += f" · {arming_text(context.connected.arming, _GLOB_COLUMNS)}"
            if pending := context.connected.changes.pending:
                more = f" and {len(pending) - 1} more" if len(pending) > 1 else ""
                figures += f" · reverts {safe(pending[0].tag)} in {countdown_text(pending[0])}{more}"
            figures += f" · gaps {live.gaps}"
            figures += " · recording" if context.connected.recording else ""
            if alarms := context.connected.alarms.figure:
                figures += f" · {alarms}"
            figures += f" · {self._rate.of(live)} ev/s"
            if live.round_trip is not None and live.state is LiveState.LIVE:
                figures += f" · rtt {live.round_trip * 1000:.1f} ms"
        elif context.connections:
            figures += f" · use NAME: {safe(', '.join(context.connections))}"
        return figures

    def state_line(self) -> StyleAndTextTuples:
        """Return as much of the state of the connection as fits: the toolbar where no line is typed."""
        return self._colored(cut(f" {self.figures()}", self._output.get_size().columns))

    def text(self) -> StyleAndTextTuples:
        """Return as much of the text as fits."""
        return self._colored(self._plain_text())

    def _colored(self, text: str) -> StyleAndTextTuples:
        """Return a text with the number of alarms in the colour of the most urgent one."""
        current = self._context.current
        style = style_of_line(current.alarms.figure) if current is not None else ""
        found = _ALARMS.search(text) if style else None
        if found is None:
            return [("", text)]
        return [("", text[: found.start()]), (style, found[0]), ("", text[found.end() :])]

    def _plain_text(self) -> str:
        line, figures = self._editor.text or self._editor.missed_search, self.figures()
        mode = f" {name}" if (name := self._editor.vi_mode) else ""
        columns = self._output.get_size().columns
        room = columns - width(mode) - width(figures) - 4
        if room >= _USAGE_COLUMNS:
            return f"{mode} {self._line_help(line, room)}   {figures}"
        # Too narrow for both: help for a line being typed comes first.
        return cut(f"{mode} {self._line_help(line, columns - width(mode) - 1) if line else figures}", columns)

    def _line_help(self, line: str, room: int) -> str:
        if missed := self._editor.missed_search:
            return cut(f"no earlier line has {safe(missed)}", room)
        if count := sum(bool(each.strip()) for each in line.splitlines()[1:]):
            return cut(f"{count + 1} lines: Enter shows the effect of each, and asks", room)
        wrong = self._typed.mistake(line) if line else None
        return cut(safe(wrong.message), room) if wrong else self._typed.usage(line, room)


class _Rate:
    """Events per second over the last second."""

    def __init__(self) -> None:
        self._live: LiveSession | None = None
        self._at = 0.0
        self._events = 0
        self._shown = 0

    def of(self, live: LiveSession) -> int:
        if live is not self._live:
            self._live, self._at, self._shown = live, 0.0, 0
        now = asyncio.get_running_loop().time()
        if now - self._at >= 1.0:
            self._shown = max(0, round((live.events - self._events) / (now - self._at))) if self._at else 0
            self._at, self._events = now, live.events
        return self._shown
