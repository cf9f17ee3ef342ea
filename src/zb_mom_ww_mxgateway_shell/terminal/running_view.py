"""View while a command runs: the panel, its picture or what it waits for, what is typed ahead, and the toolbar."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition, is_done, renderer_height_is_known
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.input import DummyInput
from prompt_toolkit.key_binding import KeyPress
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import ConditionalContainer, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.styles import BaseStyle

from zb_mom_ww_mxgateway_console.text.terminal_text import cut_start, safe
from zb_mom_ww_mxgateway_shell.output.results import Movable, Pending, Picture, Result
from zb_mom_ww_mxgateway_shell.terminal.abilities import silence_cursor_warning
from zb_mom_ww_mxgateway_shell.terminal.held_keys import HeldKeys
from zb_mom_ww_mxgateway_shell.terminal.redrawing import leave, run_redrawn

T = TypeVar("T")

_SHOWN_AFTER = 0.2
"""Seconds after which a command that still runs is shown: most end before, and nothing flickers."""
_AHEAD = "  typed ahead: "
_UNSEEN = "hidden, maybe a secret"
_MOVING = {
    Keys.Left: "left",
    Keys.Right: "right",
    Keys.Up: "up",
    Keys.Down: "down",
    Keys.PageUp: "pageup",
    Keys.PageDown: "pagedown",
    Keys.Home: "home",
    Keys.End: "end",
    Keys.Tab: "tab",
}
"""Keys that no line begins with."""


class RunningView:
    """View of one command after the other. The keyboard is read by :class:`HeldKeys`, also without a view."""

    def __init__(
        self,
        keys: HeldKeys,
        output: Output,
        style: BaseStyle,
        *,
        panel: Callable[[int], StyleAndTextTuples],
        state_line: Callable[[], StyleAndTextTuples],
        flush: Callable[[], object],
        hides: Callable[[], bool],
        is_dumb: bool,
    ) -> None:
        """`panel` returns the watched values in at most so many rows, `state_line` the state of the connection, `hides`
        whether what is typed ahead may be a secret; `flush` writes the lines that were printed while the view was
        leaving. Nothing is shown on a dumb terminal.
        """
        self._held = keys
        self._output = output
        self._style = style
        self._panel = panel
        self._state_line = state_line
        self._flush = flush
        self._feed: Picture | None = None
        self._progress: Callable[[], str] = lambda: ""
        self._news = asyncio.Event()
        self._task: asyncio.Future[Any] | None = None
        self._away = int(is_dumb)
        self._hides = hides
        self._is_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._app: Application[None] | None = None
        self._shown: asyncio.Task[None] | None = None
        self._failed: BaseException | None = None
        self._panel_of: tuple[int, StyleAndTextTuples] = (-1, [])
        keys.take, keys.changed, keys.cursor_row = self._take, self._redraw, self._cursor_row

    async def during(self, work: Awaitable[T], progress: Callable[[], str]) -> T:
        """Await `work`, and show after a moment what it waits for; raise its error, or that of a failed redraw.

        `progress` returns that in one line. What has arrived is held, and Ctrl-C among it stops the work. Await
        :meth:`leave` afterwards, however it ended.
        """
        self._held.resume()
        self._task = task = asyncio.ensure_future(work)
        self._progress, self._failed, self._is_due = progress, None, False

        def due() -> None:
            self._is_due = True
            self._open()

        self._timer = timer = asyncio.get_running_loop().call_later(_SHOWN_AFTER, due)
        try:
            return await task
        except asyncio.CancelledError:
            if self._task is task:
                self._held.stay()
            if self._failed is not None:
                raise self._failed from None
            raise
        finally:
            timer.cancel()

    async def leave(self) -> None:
        """Show the command no longer, also where it still cleans up."""
        if self._timer is not None:
            self._timer.cancel()  # Work that cleans up lasts longer than its line.
        self._task, self._feed, self._is_due = None, None, False
        await self._close()

    async def follow(self, feed: Picture) -> Result:
        """Show a picture to its end, or until Ctrl-C or q; raises the error that ended the session."""
        task = asyncio.current_task()
        self._feed = feed
        self._open()
        try:
            return await feed.follow(lambda line: self._news.set())
        except asyncio.CancelledError:
            self._held.stay()
            if self._failed is not None or task is None:
                raise
            task.uncancel()  # Ctrl-C ends a picture; what it has shown is its result.
            return feed.result()
        finally:
            if self._feed is feed:
                # The progress of a wait disappears; carets of its result point at the line above.
                await self._close(stays=not isinstance(feed, Pending) and self._failed is None)
                self._feed = None

    @asynccontextmanager
    async def stepped_back(self) -> AsyncIterator[None]:
        """Leave the terminal to a question or another view while this is open."""
        self._away += 1
        self._held.withhold()  # What was typed before a question does not answer it.
        await self._close()
        try:
            yield
        finally:
            self._away -= 1
            if self._is_due or self._feed is not None:
                self._open()

    # The application.

    def _open(self) -> None:
        if self._shown is not None or self._away:
            return
        self._app = self._app or self._made()
        self._app.erase_when_done = True
        self._shown = asyncio.create_task(run_redrawn(self._app, self._changed), name="running view")
        self._shown.add_done_callback(self._ended)

    async def _close(self, *, stays: bool = False) -> None:
        """Leave the terminal; with `stays` the last picture stays on the screen."""
        shown, app = self._shown, self._app
        if shown is None or app is None:
            return
        # What was printed up to now comes first.
        await asyncio.sleep(0)
        self._shown = None
        app.erase_when_done = not stays
        if app.is_running:
            leave(app)
        else:
            shown.cancel()
        await asyncio.wait([shown])
        self._flush()

    def _ended(self, shown: "asyncio.Task[None]") -> None:
        if shown.cancelled() or (error := shown.exception()) is None:
            return
        # Values that no longer change must not look fresh.
        self._failed = error
        self._shown = None
        self._call_off()

    def _call_off(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _made(self) -> Application[None]:
        # Behind what is ours: a filter keeps each one that was put behind it, and prompt_toolkit keeps its own.
        running = ~is_done
        toolbar = Window(FormattedTextControl(self._state_line), style="class:bottom-toolbar", height=1)
        app: Application[None] = Application(
            layout=Layout(
                HSplit(
                    [
                        ConditionalContainer(
                            Window(FormattedTextControl(self._above), dont_extend_height=True),
                            Condition(lambda: bool(self._above())) & running,
                        ),
                        Window(FormattedTextControl(self._text), dont_extend_height=True, wrap_lines=True),
                        ConditionalContainer(
                            Window(FormattedTextControl(self._ahead), dont_extend_height=True),
                            Condition(lambda: bool(self._held.text)) & running,
                        ),
                        ConditionalContainer(Window(), running & renderer_height_is_known),
                        ConditionalContainer(toolbar, running),
                    ]
                )
            ),
            style=self._style,
            input=_NoKeys(),
            output=self._output,
        )
        silence_cursor_warning(app)
        return app

    async def _changed(self) -> None:
        await self._news.wait()
        self._news.clear()

    # What it shows.

    def _above(self) -> StyleAndTextTuples:
        """Return the panel, in half of the screen, or a third where a picture needs its room."""
        drawn = self._app.render_counter if self._app else 0
        if self._panel_of[0] != drawn:
            rows = self._output.get_size().rows // (2 if self._feed is None else 3) - 2
            self._panel_of = drawn, self._panel(rows)
        return self._panel_of[1]

    def _text(self) -> StyleAndTextTuples:
        size = self._output.get_size()
        if self._feed is None:
            return [("", f"  {self._progress()} · Ctrl-C")]
        above = self._above() if self._app is not None and not self._app.is_done else []
        taken = sum(text.count("\n") for _, text, *_ in above) + bool(above)
        shown: StyleAndTextTuples = []
        for line in self._feed.picture(size.columns, max(2, size.rows - 2 - taken - bool(self._held.text))):
            shown += [*((f"class:mood.{mood}" if mood else "", text) for mood, text in line), ("", "\n")]
        return shown[:-1]

    def _ahead(self) -> StyleAndTextTuples:
        typed = _UNSEEN if self._hides() else safe(self._held.text.replace("\n", "⏎"))
        room = self._output.get_size().columns - len(_AHEAD) - 1
        return [("", f"{_AHEAD}{cut_start(typed, room)}")]

    # Keys.

    def _take(self, key: KeyPress) -> bool:
        """Take a key that ends or moves a picture."""
        if self._feed is not None and key.key == "q" and not self._held.text:
            self._call_off()
        elif isinstance(self._feed, Movable) and key.key in _MOVING:
            self._feed.turn(_MOVING[Keys(key.key)])
            self._redraw()
        else:
            return False
        return True

    def _redraw(self) -> None:
        if self._app is not None and self._app.is_running:
            self._app.invalidate()

    def _cursor_row(self, row: int) -> None:
        if self._app is not None and self._app.renderer.waiting_for_cpr:
            self._app.renderer.report_absolute_cursor_row(row)


class _NoKeys(DummyInput):
    """An input without keys that is not at its end."""

    @property
    def closed(self) -> bool:
        return False
