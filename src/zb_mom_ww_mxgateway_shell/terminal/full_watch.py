"""Full-screen watch: scroll, select, sort, filter, pause, columns."""

import asyncio
from dataclasses import replace

from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, Window

from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import age_text
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, cut_middle, safe
from zb_mom_ww_mxgateway_shell.output.terminal_signals import WriteRaw, copied
from zb_mom_ww_mxgateway_shell.output.value_text import whole_text
from zb_mom_ww_mxgateway_shell.output.watch_table import Row, fitted, row_reasons
from zb_mom_ww_mxgateway_shell.output.watch_view import ItemKey, WatchedItem, WatchView
from zb_mom_ww_mxgateway_shell.output.wrapping import folded
from zb_mom_ww_mxgateway_shell.terminal.help_page import HelpPage
from zb_mom_ww_mxgateway_shell.terminal.mouse import ScrolledRows
from zb_mom_ww_mxgateway_shell.terminal.redrawing import run_redrawn
from zb_mom_ww_mxgateway_shell.terminal.row_actions import ACTIONS, RowAction, action_of
from zb_mom_ww_mxgateway_shell.terminal.scrolling import Scroll, bind_scrolling
from zb_mom_ww_mxgateway_shell.terminal.search_field import SearchField, bind_search
from zb_mom_ww_mxgateway_shell.terminal.surroundings import Screen

_SORT_SECONDS = 1.0
_SORTS = ("as asked", "tag", "quality", "age", "changes")
_HIDDEN: tuple[tuple[str, ...], ...] = (
    (),
    ("item",),
    ("changes",),
    ("item", "changes"),
    ("item", "changes", "description"),
)
_DETAIL_LINES = 4
"""Most lines about the selected row."""
_NOTE_SECONDS = 3.0
_KEYS = {
    "q": "leaves",
    "s": "sorts",
    "r": "reverses",
    "/": "filters",
    "p": "pauses",
    "b": "only bad",
    "c": "columns",
}
_ROW_KEYS = ACTIONS | {"y": "copies", "Enter": "leaves the row"}
"""Keys while a row is selected."""
_HELP = (
    "q            leaves; what is watched stays watched",
    "arrows j k   move by a line; PgUp PgDn space by a page; g G to the ends",
    "Enter        selects a row, or none; the arrows move the selection, and its whole value is below the table",
    "w t W        why, trend, write: of that row, at the prompt",
    "y            copies its value to the clipboard, if the terminal lets it",
    "mouse        after set mouse on: the wheel scrolls, a click selects; Shift selects text as otherwise",
    "s            sorts by the next of: order of watch, tag, quality (worst first), age, changes",
    "r            reverses the order",
    "/            filters by a part of the tag; Enter applies it, an empty filter shows all",
    "p            pauses: values and ages freeze; the stream is still read",
    "b            shows only doubtful values: bad, uncertain, stale, or none",
    "c            changes the columns: without item, changes, both, and the description, too",
    "?            this page; Esc closes it",
)


class FullWatch:
    """Full-screen view of a panel, until q."""

    def __init__(
        self,
        panel: WatchView,
        screen: Screen,
        *,
        takes_mouse: bool = False,
        write_raw: WriteRaw | None = None,
        acts: bool = True,
    ) -> None:
        """What is around the screen stays in view, but for the panel; `write_raw` writes a control sequence to the
        terminal. With `acts` a key leaves it for a line about the selected row."""
        self._panel = panel
        self._around = around = screen.around
        self._output = output = screen.output
        self._scroll = Scroll()
        self._sort = 0
        self._reversed = False
        self._only_bad = False
        self._hidden = 0
        self._filter = SearchField()
        self._help = HelpPage(_HELP, lambda: output.get_size().columns, self._rows)
        self._in_view: list[WatchedItem] = []
        self._selected: ItemKey | None = None
        self._write_raw = write_raw
        self._note, self._noted_at = "", float("-inf")
        # Row and value of each item at the time of the pause.
        self._frozen: dict[ItemKey, tuple[Row, LiveValue | None]] | None = None
        self._frozen_at = 0.0
        self._drawn: tuple[object, ...] = ()
        self._order: list[WatchedItem] = []
        self._ordered_at = float("-inf")
        self._acts = acts
        self._action: RowAction | None = None
        self._app = screen.filled(
            [
                self._help.window(),
                ConditionalContainer(Window(ScrolledRows(self._page, self._scroll, self._clicked)), ~self._help.opened),
                ConditionalContainer(
                    Window(FormattedTextControl(self._details), height=self._extra),
                    Condition(lambda: self._extra() > 0),
                ),
                Window(FormattedTextControl(self._status), height=1),
                around.message_window(),
                around.state_window(),
                Window(FormattedTextControl(self._hint), height=1),
            ],
            self._keys(),
            takes_mouse=takes_mouse,
        )

    async def run(self) -> RowAction | None:
        """Show the panel until a person leaves it, or wants something done with a row; return that.

        It can be shown again, as it was left. Raises the error of a failed redraw.
        """
        self._action = None
        # Nothing acts on rows of before: meanwhile the current connection may be another one.
        self._order, self._in_view = [], []
        self._again()
        await run_redrawn(self._app, self._changed)
        return self._action

    async def _changed(self) -> None:
        await self._panel.changed_since(self._drawn)
        self._drawn = self._panel.version

    def _rows(self) -> int:
        # The other lines: headings, position, keys.
        return max(1, self._output.get_size().rows - 3 - self._around.rows(with_panel=False) - self._extra())

    def _extra(self) -> int:
        """Return the lines about the selected row; none where they would leave no room for others."""
        if self._help.is_open or self._output.get_size().rows < 4 + 2 * _DETAIL_LINES:
            return 0
        return len(self._detail_lines())

    def _value(self, item: WatchedItem) -> LiveValue | None:
        if self._frozen is None:
            return self._panel.value(item)
        return self._frozen[item.key][1] if item.key in self._frozen else None

    def _items(self) -> list[WatchedItem]:
        now = asyncio.get_running_loop().time()
        if now - self._ordered_at >= _SORT_SECONDS:
            items = [item for item in self._panel.items if tag_key(self._filter.text) in tag_key(item.tag)]
            if self._frozen is not None:
                items = [item for item in items if item.key in self._frozen]
            if self._only_bad:
                items = [item for item in items if self._rank(item)[0]]
            if self._sort:
                items.sort(key=self._sort_key)
            self._order, self._ordered_at = items[::-1] if self._reversed else items, now
        return self._order

    def _selection(self) -> WatchedItem | None:
        """Return the selected item; None where none is, or it is not shown any more."""
        return next((item for item in self._order if item.key == self._selected), None)

    def _detail_lines(self) -> list[str]:
        item = self._selection()
        if item is None:
            return []
        columns = self._output.get_size().columns
        head, value = self._panel.details(item, self._value(item))
        lines = [cut(head, columns), *(folded(value, columns) if value else [])]
        return lines if len(lines) <= _DETAIL_LINES else [*lines[: _DETAIL_LINES - 1], "  …"]

    def _details(self) -> StyleAndTextTuples:
        return [("", "\n".join(self._detail_lines()))]

    def _clicked(self, line: int) -> None:
        """Select the row of a line of the page; the first line has the headings."""
        if 0 < line <= len(self._in_view):
            self._select(self._in_view[line - 1])

    def _select(self, item: WatchedItem | None) -> None:
        self._selected = None if item is None or item.key == self._selected else item.key

    def _move(self, rows: int) -> None:
        """Move the selection, and keep it in view."""
        keys = [item.key for item in self._order]
        if self._selected not in keys:
            return
        place = max(0, min(len(keys) - 1, keys.index(self._selected) + rows))
        self._selected = keys[place]
        first, room = self._scroll.first(self._rows()), self._rows()
        if not first <= place < first + room:
            self._scroll.to(place if place < first else place - room + 1)

    def _copy(self) -> None:
        """Copy the whole value of the selected row."""
        item = self._selection()
        value = None if item is None else self._value(item)
        if item is None:
            note = "Enter selects a row, y copies its value"
        elif value is None or self._write_raw is None:
            note = "not copied: no value yet" if value is None else "not copied: this terminal has no clipboard"
        else:
            try:
                self._write_raw(copied(whole_text(value.value)))
                note = "copied, if the terminal lets it"
            except ValueError as error:
                note = f"not copied: {error}"
        self._tell(note)

    def _tell(self, note: str) -> None:
        self._note, self._noted_at = note, clock.monotonic()

    def _act(self, key: str) -> None:
        """Leave for a line about the selected row."""
        row = self._selection()
        self._action = None if row is None else action_of(key, row)
        if row is None:
            self._tell(f"Enter selects a row, {key}: {ACTIONS[key]}")
        elif self._action is None:
            self._tell(f"it is of {row.table.name}: use {row.table.name} first")
        else:
            self._app.exit()

    def _rank(self, item: WatchedItem) -> tuple[int, str]:
        value = self._value(item)
        if value is None:
            return 3, ""
        if value.stale_since is not None:
            return 2, ""
        return {"good": 0, "uncertain": 1}.get(value.quality_word, 3), value.quality_word

    def _sort_key(self, item: WatchedItem) -> tuple[float, str]:
        value = self._value(item)
        folded = tag_key(item.tag)
        match _SORTS[self._sort]:
            case "quality":
                return -self._rank(item)[0], folded
            case "age":
                return (-value.age if value else float("-inf")), folded
            case "changes":
                return (-value.changes if value else 1), folded
        return 0, folded

    def _page(self) -> StyleAndTextTuples:
        width = self._output.get_size().columns
        items = self._items()
        self._scroll.count = len(items)
        first = self._scroll.first(self._rows())
        items = self._in_view = items[first : first + self._rows()]
        rows = self._panel.rows(items) if self._frozen is None else [self._frozen[item.key][0] for item in items]
        selected = [None, *(item.key == self._selected for item in items)]
        shown: StyleAndTextTuples = []
        for (line, mood), is_selected in zip(fitted(rows, width, _HIDDEN[self._hidden]), selected, strict=True):
            # The mark shows it without colours, too.
            mark, style = (">", "reverse") if is_selected else (line[:1], "")
            shown += [(f"class:mood.{mood} {style}", f"{mark}{line[1:]}"), ("", "\n")]
        for reason in row_reasons(rows, width - 2)[: self._rows() - len(rows)]:
            shown += [("class:mood.bad", f"  {reason}"), ("", "\n")]
        return shown

    def _status(self) -> StyleAndTextTuples:
        if self._filter.is_open:
            return [("reverse", f" /{safe(self._filter.text)} ")]
        count, watched = self._scroll.count, len(self._panel)
        first = self._scroll.first(self._rows())
        parts = [f"{first + 1}-{min(count, first + self._rows())} of {count}" if count else "none"]
        if count < watched:
            parts[0] += f" ({watched} watched)"
        parts.append(_SORTS[self._sort] if not self._sort else f"by {_SORTS[self._sort]}")
        if self._reversed:
            parts.append("reversed")
        if self._filter.text:
            parts.append(f"/{safe(self._filter.text)}")
        if self._only_bad:
            parts.append("only bad")
        # The reason of a standstill comes first; a long one must not hide the rest.
        if reason := self._panel.pause_reason:
            parts.insert(0, cut_middle(reason, max(20, self._output.get_size().columns - 50)))
        if self._frozen is not None:
            parts.insert(0, f"PAUSED {age_text(clock.monotonic() - self._frozen_at)} ago")
        if clock.monotonic() - self._noted_at < _NOTE_SECONDS:
            parts.insert(0, self._note)
        text = f" {' · '.join(parts)} "
        return [("reverse", text)]

    def _hint(self) -> StyleAndTextTuples:
        """Return the keys, with their meaning if there is room."""
        if self._help.is_open:
            return [("", f" {self._help.hint()}")]
        keys = _ROW_KEYS if self._acts and self._selection() is not None else _KEYS
        words = [f"{key} {what}" for key, what in keys.items()]
        texts = [" · ".join([*words, "? more"]), f"{' '.join(keys)} · ? explains"]
        if keys is _ROW_KEYS:
            texts.insert(1, " · ".join([*words[: len(ACTIONS)], "? more"]))
        width = self._output.get_size().columns
        return [("", f" {next((text for text in texts if len(text) < width), texts[-1])}")]

    def _again(self) -> None:
        self._ordered_at = float("-inf")

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        # What acts on the values: not while a filter is typed or the help is in front of them.
        looking = ~Condition(lambda: self._filter.is_open) & ~self._help.opened
        self._help.bind(keys, looking)
        # b is "only bad" here, so page up is on its own key alone.
        bind_scrolling(keys, self._scroll, self._rows, looking)
        # Later bindings come first.
        selecting = Condition(lambda: self._selection() is not None) & looking
        for name, rows in (("down", 1), ("j", 1), ("up", -1), ("k", -1)):

            def move(event: KeyPressEvent, rows: int = rows) -> None:
                self._move(rows)

            keys.add(name, filter=selecting)(move)

        @keys.add("enter", filter=looking)
        def _(event: KeyPressEvent) -> None:
            self._select(self._selection() or next(iter(self._in_view), None))

        @keys.add("y", filter=looking)
        def _(event: KeyPressEvent) -> None:
            self._copy()

        for key in ACTIONS if self._acts else ():

            def act(event: KeyPressEvent, key: str = key) -> None:
                self._act(key)

            keys.add(key, filter=looking)(act)

        bind_search(keys, self._filter, when=looking, changed=self._again, ends=("enter", "escape"))

        @keys.add("q", filter=looking)
        @keys.add("c-c")
        def _(event: KeyPressEvent) -> None:
            event.app.exit()

        @keys.add("s", filter=looking)
        def _(event: KeyPressEvent) -> None:
            self._sort = (self._sort + 1) % len(_SORTS)
            self._again()

        @keys.add("r", filter=looking)
        def _(event: KeyPressEvent) -> None:
            self._reversed = not self._reversed
            self._again()

        @keys.add("b", filter=looking)
        def _(event: KeyPressEvent) -> None:
            self._only_bad = not self._only_bad
            self._again()

        @keys.add("c", filter=looking)
        def _(event: KeyPressEvent) -> None:
            self._hidden = (self._hidden + 1) % len(_HIDDEN)

        @keys.add("p", filter=looking)
        def _(event: KeyPressEvent) -> None:
            self._again()
            if self._frozen is not None:
                self._frozen = None
                return
            items = self._panel.items
            values = [(value := self._panel.value(item)) and replace(value) for item in items]
            rows = self._panel.rows(items)
            self._frozen_at = clock.monotonic()
            self._frozen = {item.key: (row, value) for item, row, value in zip(items, rows, values, strict=True)}

        return keys
