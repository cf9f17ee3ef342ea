"""Performs the lines of a run: follows feeds, and tries a write again after ``finally`` where that is safe."""

import asyncio
from collections.abc import Awaitable, Callable

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.output.problems import message_of
from zb_mom_ww_mxgateway_shell.output.results import Feed, Pending, Result, Stepwise
from zb_mom_ww_mxgateway_shell.scripts.executor import Follow, LineRun, Outcome
from zb_mom_ww_mxgateway_shell.scripts.reporter import RunReporter
from zb_mom_ww_mxgateway_shell.scripts.run_signals import RunSignals
from zb_mom_ww_mxgateway_shell.state.context import Context

_NEXT_SESSION_SECONDS, _NEXT_SESSION_LOOK = 30.0, 0.2
"""How long the lines after ``finally`` wait for a session that replaces a lost one, and how often they look."""

Perform = Callable[[LineRun, Follow], Awaitable[Outcome]]
"""Runs a line."""


class LinePerformer:
    """Performs one line after another."""

    def __init__(
        self,
        context: Context,
        output: RunReporter,
        signals: RunSignals,
        failed: Callable[[BaseException], None],
        perform: Perform,
    ) -> None:
        """`failed` takes an error of a background task."""
        self._context = context
        self._output = output
        self._signals = signals
        self._failed_in_background = failed
        self._perform = perform

    async def performed(self, line: LineRun, *, is_ending: bool) -> Outcome:
        """Run a line; after ``finally``, repeat a write on the next session if it was surely not carried out.

        That is so if its session or connection had just been lost. What may have happened is not repeated.
        """
        until, is_reported = clock.monotonic() + _NEXT_SESSION_SECONDS, False
        while True:
            outcome = await self._performed_once(line)
            error = outcome.error
            if not isinstance(error, MxGatewayError) or not (
                is_ending and self._is_tried_again(outcome.command, error)
            ):
                return outcome
            if clock.monotonic() > until:
                return outcome
            if not is_reported:
                self._output.alert(f"not carried out, trying again: {message_of(error)}")
                is_reported = True
            await asyncio.sleep(_NEXT_SESSION_LOOK)
            line.invocation = None  # Parse it again: its handles belong to the lost session.

    async def _performed_once(self, line: LineRun) -> Outcome:
        """Run a line, and tell what it waits for until it ends or has a feed, which tells it."""
        telling = asyncio.create_task(self._output.tell_wait(line.progress), name="progress")

        async def follow(feed: Feed) -> Result:
            nonlocal telling
            await self._end(telling)
            if isinstance(feed, Stepwise):
                telling = asyncio.create_task(self._output.tell_wait(feed.step), name="progress")
            return await self._follow(feed)

        try:
            return await self._perform(line, follow)
        finally:
            await self._end(telling)

    async def _end(self, showing: "asyncio.Task[None]") -> None:
        showing.cancel()
        await asyncio.wait([showing])
        if not showing.cancelled() and (error := showing.exception()):
            self._failed_in_background(error)

    def _is_tried_again(self, command: Command | None, error: MxGatewayError) -> bool:
        live = self._context.live
        is_lost = error.never_reached and live is not None and live.state.value != "closed"
        return command is not None and command.traits.retried_in_finally and is_lost

    async def _follow(self, feed: Feed) -> Result:
        if isinstance(feed, Pending):
            showing = asyncio.create_task(self._output.follow_progress(feed), name="progress")
            try:
                return await feed.follow(self._output.live)
            finally:
                await self._end(showing)
        self._signals.is_looking = True
        try:
            return await feed.follow(self._output.live)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._signals.came or task is None:
                raise
            # Ctrl-C ends an endless feed: what it has seen is its result.
            task.uncancel()
            return feed.result()
        finally:
            self._signals.is_looking = False
