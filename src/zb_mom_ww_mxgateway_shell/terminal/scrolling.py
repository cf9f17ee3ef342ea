"""Rows of a long list in view, and the keys that move them."""

from collections.abc import Callable

from prompt_toolkit.filters import FilterOrBool
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


class Scroll:
    """First row in view of `count` rows."""

    def __init__(self) -> None:
        self.count = 0
        self._first = 0

    def first(self, rows: int) -> int:
        """Return the first row in view if `rows` fit."""
        self._first = max(0, min(self._first, self.count - rows))
        return self._first

    def by(self, rows: int) -> None:
        """Move down, or up with a negative number."""
        self._first = max(0, self._first + rows)

    def to(self, row: int) -> None:
        """Put a row first."""
        self._first = row


def bind_scrolling(
    keys: KeyBindings, scroll: Scroll, rows: Callable[[], int], when: FilterOrBool, *, takes_commands: bool = False
) -> None:
    """Add the moving keys. A view that `takes_commands` has none of the letters with which a command begins."""

    def bind(names: tuple[str, ...], move: Callable[[], None]) -> None:
        for name in names:
            if takes_commands and name.islower() and len(name) == 1:
                continue

            def act(event: KeyPressEvent) -> None:
                move()

            keys.add(name, filter=when)(act)

    bind(("down", "j"), lambda: scroll.by(1))
    bind(("up", "k"), lambda: scroll.by(-1))
    bind(("pagedown", " "), lambda: scroll.by(rows()))
    bind(("pageup", "b"), lambda: scroll.by(-rows()))
    bind(("home", "g"), lambda: scroll.to(0))
    bind(("end", "G"), lambda: scroll.to(scroll.count))
