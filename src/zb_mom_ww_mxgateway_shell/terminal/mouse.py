"""The mouse in full screens: it scrolls, and selects a row."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout import FormattedTextControl
from prompt_toolkit.mouse_events import MouseEvent, MouseEventType

from zb_mom_ww_mxgateway_shell.terminal.scrolling import Scroll

if TYPE_CHECKING:
    from prompt_toolkit.key_binding.key_bindings import NotImplementedOrNone

_ROWS = 3
"""ScrolledRows by which one turn of the wheel scrolls."""


class ScrolledRows(FormattedTextControl):
    """Lines of a long list: the wheel scrolls them, and a click tells the line below it, from 0."""

    def __init__(
        self, text: Callable[[], StyleAndTextTuples], scroll: Scroll, clicked: Callable[[int], None] | None = None
    ) -> None:
        super().__init__(text)
        self._scroll = scroll
        self._clicked = clicked

    def mouse_handler(self, mouse_event: MouseEvent) -> "NotImplementedOrNone":
        match mouse_event.event_type:
            case MouseEventType.SCROLL_UP:
                self._scroll.by(-_ROWS)
            case MouseEventType.SCROLL_DOWN:
                self._scroll.by(_ROWS)
            case MouseEventType.MOUSE_UP if self._clicked is not None:
                self._clicked(mouse_event.position.y)
            case _:
                return NotImplemented
        return None
