"""Results and problems of lines at the prompt: as lines, as a page, as a picture, or on a full screen."""

import asyncio
from collections.abc import Awaitable, Callable

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.output.problems import Statement, problem_lines
from zb_mom_ww_mxgateway_shell.output.results import Feed, Listing, Picture, Result
from zb_mom_ww_mxgateway_shell.output.watch_results import FullScreen
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.watched_connections import watch_view
from zb_mom_ww_mxgateway_shell.terminal.console import Console
from zb_mom_ww_mxgateway_shell.terminal.full_watch import FullWatch
from zb_mom_ww_mxgateway_shell.terminal.paged_lines import PagedLines
from zb_mom_ww_mxgateway_shell.terminal.running_view import RunningView
from zb_mom_ww_mxgateway_shell.terminal.screen_visits import ScreenVisits
from zb_mom_ww_mxgateway_shell.terminal.surroundings import Screen


class ShownResults:
    """Shows the results of lines, one after the other."""

    def __init__(
        self,
        context: Context,
        console: Console,
        screen: Screen,
        lines: PagedLines,
        view: RunningView,
        visits: ScreenVisits,
        questions_over: Callable[[], Awaitable[None]],
        *,
        debug: bool,
    ) -> None:
        """`questions_over` waits until no question about a write is open. `debug` shows tracebacks."""
        self._context = context
        self._console = console
        self._screen = screen
        self._lines = lines
        self._view = view
        self._visits = visits
        self._questions_over = questions_over
        self._debug = debug

    def report_problem(self, error: Exception, line: str, width: int) -> None:
        """Report the problem of a line; `width` is that of the prompt before it."""
        for shown in problem_lines(error, Statement(line, 0), debug=self._debug, indent=width):
            self._console.print(shown, "class:problem", fold=not shown.endswith("^"))

    async def show(self, result: Result | None, *, acts: bool = True) -> None:
        """Show a result. With `acts` a full screen may be left for a line about one of its rows."""
        if result is None:
            return
        if isinstance(result, FullScreen) and self._context.has_screen:
            view = FullWatch(
                watch_view(self._context),  # Of whatever connection is the current one when a key acts on a row.
                self._screen,
                takes_mouse=self._context.settings.mouse == "on",
                write_raw=self._context.write_raw,
                acts=acts,
            )
            await self._visits.visit(view)
            return
        style = "" if result.exit_code is ExitCode.DONE else "class:problem"
        formatter = self._context.settings.formatter
        at_end = getattr(result, "newest_last", False)
        await self._lines.show(formatter.lines(result), style, fold=formatter.for_people, at_end=at_end)
        for remark in formatter.remarks(result):
            self._console.print(remark, "class:problem")

    async def follow(self, feed: Feed) -> Result:
        """Show what keeps coming until it ends; return its result, which was not shown."""
        for_people = self._context.settings.formatter.for_people
        if isinstance(feed, Picture) and for_people and self._context.has_screen:
            await self._questions_over()
            return await self._view.follow(feed)
        try:
            if isinstance(feed, Listing) and for_people:
                return await self._lines.follow(feed)
            return await feed.follow(self._console.print if for_people else lambda line: None)
        except asyncio.CancelledError:
            # Ctrl-C ends an endless feed.
            await self.show(feed.result())
            raise
