"""Picture on the terminal, redrawn in place until its feed ends or Ctrl-C.

Text typed meanwhile appears below it, and afterwards at the prompt.
"""

import asyncio
from collections.abc import Callable

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import Input
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.key_binding.key_processor import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.styles import BaseStyle

from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_console.text.terminal_text import cut_start
from zb_mom_ww_mxgateway_shell.output.results import Movable, Pending, Picture, Result
from zb_mom_ww_mxgateway_shell.terminal.abilities import silence_cursor_warning
from zb_mom_ww_mxgateway_shell.terminal.redrawing import leave, run_redrawn

_MOVING = ("left", "right", "up", "down", "pageup", "pagedown", "home", "end", "tab")
"""Keys that no line begins with."""


class PictureView:
    """View of one picture."""

    def __init__(self, feed: Picture, input: Input, output: Output, style: BaseStyle) -> None:
        self._feed = feed
        self._input = input
        self._output = output
        self._new = asyncio.Event()
        self._ahead: list[KeyPress] = []
        self._app: Application[None] = Application(
            layout=Layout(Window(FormattedTextControl(self._text), dont_extend_height=True, wrap_lines=True)),
            style=style,
            key_bindings=self._keys(),
            # The progress of a wait disappears; carets of its result point at the line above.
            erase_when_done=isinstance(feed, Pending),
            input=input,
            output=output,
        )
        silence_cursor_warning(self._app)

    async def run(self) -> Result:
        """Show the picture to its end; raises the error that ended the session, or of a failed redraw."""
        follower = asyncio.create_task(self._followed(), name="picture")
        follower.add_done_callback(lambda _: leave(self._app))
        try:
            await run_redrawn(self._app, self._changed)
        finally:
            follower.cancel()
            await asyncio.wait([follower])
            # These keys come before those that arrived too late for this view.
            store_typeahead(self._input, [*self._ahead, *get_typeahead(self._input)])
        if not follower.cancelled():
            return follower.result()
        return self._feed.result()

    async def _followed(self) -> Result:
        return await self._feed.follow(self._show)

    def _show(self, line: str) -> None:
        self._new.set()

    async def _changed(self) -> None:
        await self._new.wait()
        self._new.clear()

    def _text(self) -> StyleAndTextTuples:
        size = self._output.get_size()
        shown: StyleAndTextTuples = []
        for line in self._feed.picture(size.columns, size.rows - 1 - bool(self._ahead)):
            shown += [*((f"class:mood.{mood}" if mood else "", text) for mood, text in line), ("", "\n")]
        if self._ahead and not self._app.is_done:
            typed = safe(self._typed().replace("\r", "⏎"))
            return [*shown, ("", cut_start(f"  typed ahead: {typed}", size.columns - 1))]
        return shown[:-1]

    def _turned(self, key: str) -> Callable[[KeyPressEvent], None]:
        """Return what a key does that moves the picture."""

        def turned(event: KeyPressEvent) -> None:
            assert isinstance(self._feed, Movable)
            self._feed.turn(key)
            event.app.invalidate()

        return turned

    def _typed(self) -> str:
        return "".join(press.data for press in self._ahead)

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        @keys.add("q", filter=Condition(lambda: not self._ahead))
        def _(event: KeyPressEvent) -> None:
            # Ctrl-C also stops the lines entered meanwhile: they appear at the prompt and do not run.
            text = self._typed().replace("\r", "\n").rstrip("\n")
            self._ahead = [KeyPress(Keys.BracketedPaste, text)] if text else []
            event.app.exit()

        @keys.add("backspace")
        def _(event: KeyPressEvent) -> None:
            del self._ahead[-1:]

        for key in _MOVING if isinstance(self._feed, Movable) else ():
            keys.add(key)(self._turned(key))

        @keys.add("<any>")
        def _(event: KeyPressEvent) -> None:
            (press,) = event.key_sequence
            if press.data.isprintable() or press.key in (Keys.ControlM, Keys.BracketedPaste):
                self._ahead.append(press)

        return keys
