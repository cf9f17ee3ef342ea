"""Long results, a page at a time, on the event loop: the stream is read meanwhile."""

import asyncio
from collections.abc import Sequence

from prompt_toolkit.filters import Condition, Filter
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyProcessor
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Window

from zb_mom_ww_mxgateway_console.text.terminal_text import cut, cut_start, safe, width
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.terminal.held_keys import HeldKeys
from zb_mom_ww_mxgateway_shell.terminal.mouse import ScrolledRows
from zb_mom_ww_mxgateway_shell.terminal.redrawing import run_redrawn
from zb_mom_ww_mxgateway_shell.terminal.scrolling import Scroll, bind_scrolling
from zb_mom_ww_mxgateway_shell.terminal.search_field import SearchField, bind_search
from zb_mom_ww_mxgateway_shell.terminal.styles import style_of_line
from zb_mom_ww_mxgateway_shell.terminal.surroundings import Screen

_AHEAD_KEYS = (" · Enter leaves with it at the prompt, Esc drops it", " · Enter leaves, Esc drops it", "")
"""From the longest; the first that fits is shown."""
_KEYS = "q leaves · space, PgUp, PgDn, arrows, Home, G move · / finds, N next"
"""Keys with which no command begins."""


class Pager:
    """View of lines until q, folded to the present width of the screen.

    What is typed and is no key of it belongs to the next prompt: it is shown, and stands there for review.
    """

    def __init__(
        self,
        lines: Sequence[str],
        screen: Screen,
        keys: HeldKeys,
        *,
        at_end: bool = False,
        takes_mouse: bool = False,
    ) -> None:
        """What is around the screen stays in view, too; `keys` keep what is typed for the next prompt. With `at_end`
        the last lines are in view first."""
        self._whole = lines
        self._held = keys
        self._ahead = ""
        """What is typed for the next prompt."""
        self._is_at_end = at_end
        self._rows_of_lines: Sequence[tuple[int, str]] = ()
        """Each row with the number of its line."""
        self._width = 0
        self._around = around = screen.around
        self._output = screen.output
        self._scroll = Scroll()
        self._needle = SearchField()
        self._missed = ""
        """The text of a search that has just found nothing."""
        self._app = screen.filled(
            [
                around.panel_window(),
                Window(ScrolledRows(self._page, self._scroll)),
                Window(FormattedTextControl(self._status), height=1),
                around.message_window(),
                around.state_window(),
            ],
            self._keys(),
            takes_mouse=takes_mouse,
        )
        self._app.key_processor.before_key_press += self._forget_missed

    async def run(self) -> None:
        """Show the lines until q or Ctrl-C."""
        try:
            await run_redrawn(self._app, asyncio.Event().wait)
        finally:
            self._held.keep(self._ahead)

    def _rows(self) -> int:
        return max(1, self._output.get_size().rows - 1 - self._around.rows(with_panel=True))

    def _fit(self) -> None:
        columns = self._output.get_size().columns
        if columns != self._width:
            self._width = columns
            self._rows_of_lines = [
                (number, row) for number, line in enumerate(self._whole) for row in folded(line, columns)
            ]
            self._scroll.count = len(self._rows_of_lines)
            if self._is_at_end:
                self._scroll.to(self._scroll.count)
                self._is_at_end = False

    def _page(self) -> StyleAndTextTuples:
        self._fit()
        first = self._scroll.first(self._rows())
        shown: StyleAndTextTuples = []
        for number, row in self._rows_of_lines[first : first + self._rows()]:
            shown.append(("reverse" if self._is_found(number) else style_of_line(self._whole[number]), row + "\n"))
        return shown

    def _status(self) -> StyleAndTextTuples:
        if self._needle.is_open:
            return [("reverse", f" /{safe(self._needle.text)} ")]
        if self._ahead:
            return [("reverse", self._ahead_text())]
        if self._missed:
            return [("reverse", cut(f" not found: {safe(self._missed)} · / finds another, q leaves ", self._width))]
        first, count = self._scroll.first(self._rows()), self._scroll.count
        text = f" {first + 1}-{min(count, first + self._rows())} of {count} · {_KEYS} "
        return [("reverse", text if len(text) <= self._width else f"{text.partition(' · space')[0]}, space continues ")]

    def _ahead_text(self) -> str:
        """Return what is typed for the next prompt, and the keys for it where there is room."""
        typed = safe(self._ahead.replace("\n", "⏎"))
        texts = (f" typed ahead: {typed}{keys} " for keys in _AHEAD_KEYS)
        cut_short = f" typed ahead: {cut_start(typed, self._width - 16)} "
        return next((text for text in texts if width(text) <= self._width), cut_short)

    def _forget_missed(self, processor: KeyProcessor) -> None:
        self._missed = ""

    def _is_found(self, number: int) -> bool:
        """Return whether a line has the text that is searched, wherever it is folded."""
        return bool(self._needle.text) and self._needle.text.casefold() in self._whole[number].casefold()

    def _find(self, start: int) -> None:
        numbers = [number for number, _ in self._rows_of_lines]
        for index in [*range(start, len(numbers)), *range(start)]:
            begins_line = index == 0 or numbers[index - 1] != numbers[index]
            if begins_line and self._is_found(numbers[index]):
                self._scroll.to(index)
                return
        self._missed = self._needle.text

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        searching, ahead = Condition(lambda: self._needle.is_open), Condition(lambda: bool(self._ahead))
        typing = searching | ahead
        bind_scrolling(keys, self._scroll, self._rows, ~typing, takes_commands=True)
        bind_search(keys, self._needle, when=~ahead, entered=lambda: self._find(self._scroll.first(self._rows())))
        self._bind_ahead(keys, ~searching, ahead)

        @keys.add("q", filter=~typing)
        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            event.app.exit()

        @keys.add("N", filter=~typing)
        def _(event: KeyPressEvent) -> None:
            self._find(self._scroll.first(self._rows()) + 1)

        return keys

    def _bind_ahead(self, keys: KeyBindings, when: Filter, is_ahead: Filter) -> None:
        """Add the keys for what is typed for the next prompt."""

        @keys.add("<any>", filter=when)
        def _(event: KeyPressEvent) -> None:
            self._ahead += event.data if len(event.data) == 1 and event.data.isprintable() else ""

        @keys.add(Keys.BracketedPaste, filter=when)
        def _(event: KeyPressEvent) -> None:
            self._ahead += event.data.replace("\r\n", "\n").replace("\r", "\n")

        @keys.add("backspace", filter=is_ahead)
        def _(event: KeyPressEvent) -> None:
            self._ahead = self._ahead[:-1]

        @keys.add("escape", filter=is_ahead, eager=True)
        @keys.add("c-u", filter=is_ahead)
        def _(event: KeyPressEvent) -> None:
            self._ahead = ""

        @keys.add("enter", filter=is_ahead)
        def _(event: KeyPressEvent) -> None:
            self._ahead = self._ahead.removesuffix("\n") + "\n"  # What is typed behind it is another line.
            event.app.exit()
