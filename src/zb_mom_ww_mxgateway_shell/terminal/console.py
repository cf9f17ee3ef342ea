"""Output on the terminal: plain lines, above the line being typed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from prompt_toolkit.application import get_app_or_none, run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import BaseStyle, default_ui_style, merge_styles

from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST_LINE, retold, shortened
from zb_mom_ww_mxgateway_shell.output.transcript import Transcript
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.terminal.styles import style_of_line


class Console:
    """The one object that writes lines to the terminal. It strips control characters and keys from every text."""

    def __init__(self, output: Output, spool: Transcript, style: BaseStyle) -> None:
        self._output = output
        self._spool = spool
        # Merged once: prompt_toolkit's shortcut merges for every line, which takes some milliseconds.
        self._style = merge_styles([default_ui_style(), style])
        self._waiting: list[tuple[str, str]] = []
        self._is_held = False

    def rows(self, line: str, *, fold: bool = True) -> list[str]:
        """Return a line as the screen shows it, folded if it is longer than the screen is wide."""
        if not fold:
            return [safe(line)]
        return folded(retold(line, safe(shortened(line, LONGEST_LINE))), self._output.get_size().columns)

    def print(self, line: str, style: str = "", *, fold: bool = True) -> None:
        """Write a line, folded if it is longer than the screen is wide; above the prompt or view that is open."""
        self.print_rows(line, self.rows(line, fold=fold), style)

    def print_rows(self, line: str, rows: Sequence[str], style: str = "") -> None:
        """Write a line as these rows of the screen; above the prompt or view that is open."""
        self._spool.line(line)
        self._put(rows, style_of_line(line) or style)

    def show(self, line: str, style: str = "", *, fold: bool) -> None:
        """Write a line that is copied elsewhere; above the prompt or view that is open."""
        self._put(self.rows(line, fold=fold), style_of_line(line) or style)

    @property
    def columns(self) -> int:
        """Columns of the screen."""
        return self._output.get_size().columns

    def _put(self, rows: Sequence[str], style: str) -> None:
        self._waiting.append((style, "\n".join(rows) + "\n"))
        app = get_app_or_none()
        if self._is_held:
            return
        if app is None or app.loop is None:
            self.flush()
        elif len(self._waiting) == 1:
            # One print for all that comes at once: each print above an application redraws it.
            app.loop.call_soon_threadsafe(lambda: run_in_terminal(self.flush))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Write nothing while this is open, as a view fills the screen: the lines follow it."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
            self.flush()

    def waiting(self) -> tuple[int, str, str]:
        """Return how many lines follow the view that fills the screen, and the newest with its style; 0 for no view."""
        if not (self._is_held and self._waiting):
            return 0, "", ""
        style, text = self._waiting[-1]
        return len(self._waiting), " ".join(text.split()), style

    def flush(self) -> None:
        """Write the lines that wait for an application to make room, now."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            print_formatted_text(self._output, FormattedText(waiting), self._style)

    def clear(self) -> None:
        """Clear the screen: only while no application has the terminal."""
        self.flush()
        self._output.erase_screen()
        self._output.cursor_goto(0, 0)
        self._output.flush()

    def write(self, line: str) -> None:
        """Write a line, folded, now: only while no application has the terminal."""
        self._spool.line(line)
        self._waiting.append(("", "\n".join(self.rows(line)) + "\n"))
        self.flush()
