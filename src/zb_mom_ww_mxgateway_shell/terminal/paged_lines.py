"""Lines of results at the prompt: printed, or a page at a time where they are longer than the screen."""

import asyncio
from collections.abc import Callable, Sequence

from prompt_toolkit.formatted_text import StyleAndTextTuples

from zb_mom_ww_mxgateway_console.render.forms import counted, safe
from zb_mom_ww_mxgateway_console.text.terminal_text import retold
from zb_mom_ww_mxgateway_shell.output.results import Listing, Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.terminal.console import Console
from zb_mom_ww_mxgateway_shell.terminal.held_keys import HeldKeys
from zb_mom_ww_mxgateway_shell.terminal.pager import Pager
from zb_mom_ww_mxgateway_shell.terminal.surroundings import Screen

_LINES_AT_ONCE = 50
_BELOW = 2
"""Rows of the prompt and its toolbar."""


class PagedLines:
    """Shows the lines of one result after the other."""

    def __init__(
        self,
        context: Context,
        console: Console,
        keys: HeldKeys,
        screen: Screen,
        panel: Callable[[], StyleAndTextTuples],
        *,
        is_dumb: bool,
    ) -> None:
        """`panel` returns what stands above the prompt."""
        self._context = context
        self._console = console
        self._keys = keys
        self._screen = screen
        self._output = screen.output
        self._panel = panel
        self._is_dumb = is_dumb
        self._listed: list[str] = []
        """Lines of a list that is longer than the screen, for the result that ends it."""
        self._printed = 0
        """How many of them are on the screen."""

    async def show(self, lines: Sequence[str], style: str = "", *, fold: bool = True, at_end: bool = False) -> None:
        """Print lines, or page them; with `at_end` the last ones are in view first."""
        await self.show_styled([(line, style) for line in lines], fold=fold, at_end=at_end)

    async def show_styled(self, lines: Sequence[tuple[str, str]], *, fold: bool = True, at_end: bool = False) -> None:
        """Print lines, each with its style, or page them."""
        texts = [line for line, _ in lines]
        listed, self._listed, printed = self._listed, [], self._printed
        if listed or self._is_longer(texts):
            await self._page([*listed, *texts], printed if listed else 0, at_end=at_end)
            return
        for number, (line, style) in enumerate(lines, start=1):
            self._console.print(line, style, fold=fold)
            if number % _LINES_AT_ONCE == 0:
                await asyncio.sleep(0)  # Ctrl-C may come meanwhile.

    async def follow(self, listing: Listing) -> Result:
        """Print the lines of a list as they come, while they fit the screen; what is longer comes with its result."""
        lines: list[str] = []
        room, self._printed, self._listed = self._room(), 0, []

        def take(line: str) -> None:
            nonlocal room
            lines.append(line)
            room -= len(self._console.rows(line))
            if room >= 0 or not self._pages:
                self._printed = len(lines)
                self._console.print(line)

        try:
            result = await listing.follow(take)
        except asyncio.CancelledError:
            if left := len(lines) - self._printed:
                self._console.print(f"  … {counted(left, 'more line')}, not shown")
            raise
        self._listed = lines if len(lines) > self._printed else []
        return result

    @property
    def _pages(self) -> bool:
        return self._context.settings.pager == "on" and not self._is_dumb

    def _is_longer(self, lines: Sequence[str]) -> bool:
        """Return whether lines, as they are folded, are longer than the screen."""
        if not self._pages:
            return False
        room = self._room()
        return len(lines) > room or sum(len(self._console.rows(line)) for line in lines) > room

    def _room(self) -> int:
        """Return the rows above the prompt, and above what stands there."""
        shown = self._panel()
        panel = sum(text.count("\n") for _, text, *_ in shown) + bool(shown)
        return self._output.get_size().rows - _BELOW - panel

    async def _page(self, lines: Sequence[str], copied: int, *, at_end: bool) -> None:
        for line in lines[copied:]:
            self._context.spool.line(line)
        shown, takes_mouse = [retold(line, safe(line)) for line in lines], self._context.settings.mouse == "on"
        with self._console.held():
            await Pager(shown, self._screen, self._keys, at_end=at_end, takes_mouse=takes_mouse).run()
        self._console.print(f"({counted(len(lines), 'line')})")
