"""What stays in view around a view that fills the screen: the panel, the newest message, the connection's state."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import AnyContainer, ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.styles import BaseStyle

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.text.terminal_text import cut, safe
from zb_mom_ww_mxgateway_shell.terminal.abilities import silence_cursor_warning
from zb_mom_ww_mxgateway_shell.terminal.styles import style_of_line

_MESSAGE_SECONDS = 30.0
_LEAST_ROWS = 16
"""Rows of the smallest screen that has room for the panel."""


class NewestMessage:
    """The newest line that came by itself, for a while."""

    def __init__(self) -> None:
        self._text, self._at = "", float("-inf")

    def take(self, text: str) -> None:
        """Take another one."""
        self._text, self._at = text, clock.monotonic()

    @property
    def text(self) -> str:
        """The message; empty where it is old."""
        return self._text if clock.monotonic() - self._at < _MESSAGE_SECONDS else ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Windows of one line, and a panel, with their height."""

    output: Output
    panel: Callable[[int], StyleAndTextTuples]
    """Returns the panel in at most so many rows."""
    state_line: Callable[[], StyleAndTextTuples]
    """Returns the state of the connection, as much as fits."""
    message: NewestMessage
    waiting: Callable[[], tuple[int, str, str]]
    """Returns how many lines wait until the view is left, and the newest with its style."""

    def panel_window(self) -> ConditionalContainer:
        """Return the window of the panel, which is there as long as something is in it."""
        window = Window(FormattedTextControl(self._panel), dont_extend_height=True)
        return ConditionalContainer(window, Condition(lambda: bool(self._panel())))

    def message_window(self) -> ConditionalContainer:
        """Return the window of the newest message, which is there while it is new."""
        control = FormattedTextControl(lambda: [("", self._cut(self._message()[0]))])
        window = Window(control, height=1, style=lambda: self._message()[1])
        return ConditionalContainer(window, Condition(lambda: bool(self._message()[0])))

    def _message(self) -> tuple[str, str]:
        """Return the newest line that came, with the number of lines that wait, and its style."""
        count, newest, style = self.waiting()
        if not count:
            newest, style = self.message.text, style_of_line(self.message.text)
        return f"{count} lines came, the newest: {newest}" if count > 1 else newest, style or "class:problem"

    def state_window(self) -> Window:
        """Return the window of the state of the connection."""
        return Window(FormattedTextControl(self.state_line), height=1)

    def rows(self, *, with_panel: bool) -> int:
        """Return how many rows they take now."""
        shown = self._panel() if with_panel else []
        panel = sum(text.count("\n") for _, text, *_ in shown) + bool(shown)
        return 1 + bool(self._message()[0]) + panel

    def _panel(self) -> StyleAndTextTuples:
        rows = self.output.get_size().rows
        return self.panel(rows // 4) if rows >= _LEAST_ROWS else []

    def _cut(self, text: str) -> str:
        return cut(safe(text), self.output.get_size().columns - 1)


class Screen(NamedTuple):
    """What a view that fills the screen needs of the terminal."""

    input: Input
    output: Output
    style: BaseStyle
    around: Surroundings

    def filled(self, rows: Sequence[AnyContainer], keys: KeyBindings, *, takes_mouse: bool) -> Application[None]:
        """Return an application that fills the screen with these, one below the other."""
        app: Application[None] = Application(
            layout=Layout(HSplit(rows)),
            key_bindings=keys,
            style=self.style,
            full_screen=True,
            mouse_support=takes_mouse,
            input=self.input,
            output=self.output,
        )
        silence_cursor_warning(app)
        return app
