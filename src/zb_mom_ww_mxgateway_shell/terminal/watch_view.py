"""A watch on the terminal: a table redrawn in place, at most ten times a second, until it ends or Ctrl-C."""

import asyncio
from contextlib import suppress

from prompt_toolkit.application import Application
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.output import Output

from zb_mom_ww_mxgateway_shell.watching import Watch, Watched

_REDRAW_SECONDS = 0.1
_IDLE_REDRAWS = 5  # ages move on even when no value does


class WatchView:
    """Shows one watch."""

    def __init__(self, watch: Watch, input: Input, output: Output) -> None:
        self._watch = watch
        self._dirty = True
        keys = KeyBindings()

        @keys.add("c-c")
        @keys.add("q")
        def _(event: KeyPressEvent) -> None:
            event.app.exit()

        self._app: Application[None] = Application(
            layout=Layout(Window(FormattedTextControl(self._text), dont_extend_height=True, wrap_lines=True)),
            key_bindings=keys,
            input=input,
            output=output,
        )

    async def run(self) -> Watched:
        """Shows the watch to its end; raises what the session was lost to."""
        follower = asyncio.create_task(self._watch.follow(self._show), name="watch")
        redrawer = asyncio.create_task(self._redraw(), name="watch redraw")
        follower.add_done_callback(lambda _: self._leave())
        try:
            await self._app.run_async(handle_sigint=False)
        finally:
            for task in (follower, redrawer):
                task.cancel()
            await asyncio.wait([follower, redrawer])
        if not follower.cancelled():
            return follower.result()
        return self._watch.result()

    def _show(self, line: str) -> None:
        self._dirty = True

    async def _redraw(self) -> None:
        idle = 0
        while True:
            await asyncio.sleep(_REDRAW_SECONDS)
            idle += 1
            if self._dirty or idle >= _IDLE_REDRAWS:
                self._dirty, idle = False, 0
                self._app.invalidate()

    def _leave(self) -> None:
        # Not running yet, or left by a key already.
        with suppress(Exception):
            self._app.exit()

    def _text(self) -> str:
        live = self._watch.live
        state = "" if live.state.value == "live" else f"\n  {live.state.value}: {live.lost}"
        return "\n".join(self._watch.lines()) + state + "\n  Ctrl-C ends"
