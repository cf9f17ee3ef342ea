"""Output on the terminal: plain lines, above the line being typed."""

from collections.abc import Sequence

from prompt_toolkit.application import get_app_or_none, in_terminal, run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output import Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import BaseStyle, default_ui_style, merge_styles

from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST_LINE, shortened
from zb_mom_ww_mxgateway_shell.output.transcript import Transcript
from zb_mom_ww_mxgateway_shell.output.wrapping import folded


class Console:
    """The one object that writes lines to the terminal. It strips control characters and keys from every text."""

    def __init__(self, output: Output, spool: Transcript, style: BaseStyle) -> None:
        self._output = output
        self._spool = spool
        # Merged once: prompt_toolkit's shortcut merges for every line, which takes some milliseconds.
        self._style = merge_styles([default_ui_style(), style])

    def rows(self, line: str, *, fold: bool = True) -> list[str]:
        """Return a line as the screen shows it, folded if it is longer than the screen is wide."""
        return folded(safe(shortened(line, LONGEST_LINE)), self._output.get_size().columns) if fold else [safe(line)]

    def print(self, line: str, style: str = "", *, fold: bool = True) -> None:
        """Write a line, folded if it is longer than the screen is wide; only while no prompt is open."""
        self.print_rows(line, self.rows(line, fold=fold), style)

    def print_rows(self, line: str, rows: Sequence[str], style: str = "") -> None:
        """Write a line as these rows of the screen; only while no prompt is open."""
        self._spool.line(line)
        text = FormattedText([(style, "\n".join(rows) + "\n")])

        def write() -> None:
            print_formatted_text(self._output, text, self._style)

        app = get_app_or_none()
        if app is None or app.loop is None:
            write()
        else:
            # One print for all: each print above an open prompt redraws it.
            app.loop.call_soon_threadsafe(lambda: run_in_terminal(write))

    def write(self, line: str) -> None:
        """Write a line, folded, now: only while no application has the terminal."""
        self._spool.line(line)
        print_formatted_text(self._output, FormattedText([("", "\n".join(self.rows(line)) + "\n")]), self._style)

    async def print_above(self, line: str, style: str = "") -> None:
        """Write a line above an open prompt and keep the text being typed."""
        app = get_app_or_none()
        if app is None or not app.is_running:
            self.print(line, style)
            return
        async with in_terminal():
            self.print(line, style)
