"""A page of help in front of a view that fills the screen, and its keys."""

from collections.abc import Callable, Sequence

from prompt_toolkit.filters import Condition, Filter
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import ConditionalContainer, Window

from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.terminal.mouse import ScrolledRows
from zb_mom_ww_mxgateway_shell.terminal.scrolling import Scroll, bind_scrolling


class HelpPage:
    """Lines, and whether they are shown. While they are, the keys of the view behind them must not act."""

    def __init__(self, lines: Sequence[str], columns: Callable[[], int], rows: Callable[[], int]) -> None:
        """`columns` and `rows` return how much room the page has now."""
        self._lines = lines
        self._columns = columns
        self._rows = rows
        self._scroll = Scroll()
        self.is_open = False
        self.opened = Condition(lambda: self.is_open)

    def window(self) -> ConditionalContainer:
        """Return the window of the page, which is there while it is open."""
        return ConditionalContainer(Window(ScrolledRows(self._text, self._scroll)), self.opened)

    def hint(self) -> str:
        """Return the keys of the page that matter now."""
        more = " · arrows move" if self._scroll.count > self._rows() else ""
        return f"Esc closes the help{more}"

    def bind(self, keys: KeyBindings, when: Filter) -> None:
        """Add the keys: ``?`` opens the page `when` that may be, and Esc, ``?``, ``q`` and Enter close it."""

        @keys.add("?", filter=~self.opened & when)
        def _(event: KeyPressEvent) -> None:
            self.is_open = True
            self._scroll.to(0)

        def close(event: KeyPressEvent) -> None:
            self.is_open = False

        for key in ("escape", "?", "q", "enter"):
            # Escape begins the sequences of other keys: eager does not wait for their rest.
            keys.add(key, filter=self.opened, eager=key == "escape")(close)
        bind_scrolling(keys, self._scroll, self._rows, self.opened)

    def _text(self) -> StyleAndTextTuples:
        rows = [row for line in self._lines for row in folded(line, self._columns())]
        self._scroll.count = len(rows)
        first = self._scroll.first(self._rows())
        return [("", "\n".join(rows[first : first + self._rows()]))]
