"""Long results, a page at a time, on the event loop: the stream is read meanwhile."""

import asyncio
from collections.abc import Sequence

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.styles import BaseStyle

from zb_mom_ww_mxgateway_console.text.terminal_text import safe
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.terminal.abilities import silence_cursor_warning
from zb_mom_ww_mxgateway_shell.terminal.mouse import ScrolledRows
from zb_mom_ww_mxgateway_shell.terminal.redrawing import run_redrawn
from zb_mom_ww_mxgateway_shell.terminal.scrolling import Scroll, bind_scrolling
from zb_mom_ww_mxgateway_shell.terminal.search_field import SearchField, bind_search
from zb_mom_ww_mxgateway_shell.terminal.surroundings import Surroundings

_KEYS = "q leaves · space, PgUp, PgDn, arrows, g, G move · / finds, n next"


class Pager:
    """View of lines until q. With `fold`, lines longer than the present width of the screen are folded."""

    def __init__(
        self,
        lines: Sequence[str],
        input: Input,
        output: Output,
        style: BaseStyle,
        around: Surroundings,
        *,
        fold: bool,
        takes_mouse: bool = False,
    ) -> None:
        """`around` stays in view, too."""
        self._whole = lines
        self._fold = fold
        self._lines: Sequence[str] = ()
        self._width = 0
        self._output = output
        self._around = around
        self._scroll = Scroll()
        self._needle = SearchField()
        self._app: Application[None] = Application(
            layout=Layout(
                HSplit(
                    [
                        around.panel_window(),
                        Window(ScrolledRows(self._page, self._scroll)),
                        Window(FormattedTextControl(self._status), height=1),
                        around.message_window(),
                        around.figures_window(),
                    ]
                )
            ),
            key_bindings=self._keys(),
            style=style,
            full_screen=True,
            mouse_support=takes_mouse,
            input=input,
            output=output,
        )
        silence_cursor_warning(self._app)

    async def run(self) -> None:
        """Show the lines until q or Ctrl-C."""
        await run_redrawn(self._app, asyncio.Event().wait)

    def _rows(self) -> int:
        return max(1, self._output.get_size().rows - 1 - self._around.rows(with_panel=True))

    def _fit(self) -> None:
        width = self._output.get_size().columns
        if width != self._width:
            self._width = width
            self._lines = [part for line in self._whole for part in (folded(line, width) if self._fold else [line])]
            self._scroll.count = len(self._lines)

    def _page(self) -> StyleAndTextTuples:
        self._fit()
        first = self._scroll.first(self._rows())
        shown: StyleAndTextTuples = []
        for line in self._lines[first : first + self._rows()]:
            found = self._needle.text and self._needle.text.casefold() in line.casefold()
            shown.append(("reverse" if found else "", line + "\n"))
        return shown

    def _status(self) -> StyleAndTextTuples:
        if self._needle.is_open:
            return [("reverse", f" /{safe(self._needle.text)} ")]
        first = self._scroll.first(self._rows())
        last = min(len(self._lines), first + self._rows())
        text = f" {first + 1}-{last} of {len(self._lines)} · {_KEYS} "
        return [("reverse", text if len(text) <= self._width else f"{text.partition(' · space')[0]}, space continues ")]

    def _find(self, start: int) -> None:
        folded = self._needle.text.casefold()
        for index in [*range(start, len(self._lines)), *range(start)]:
            if folded and folded in self._lines[index].casefold():
                self._scroll.to(index)
                return

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        typing = Condition(lambda: self._needle.is_open)
        bind_scrolling(keys, self._scroll, self._rows, ~typing)
        bind_search(keys, self._needle, entered=lambda: self._find(self._scroll.first(self._rows())))

        @keys.add("q", filter=~typing)
        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            event.app.exit()

        @keys.add("n", filter=~typing)
        def _(event: KeyPressEvent) -> None:
            self._find(self._scroll.first(self._rows()) + 1)

        return keys
