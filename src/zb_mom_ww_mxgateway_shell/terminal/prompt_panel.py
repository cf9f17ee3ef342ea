"""What stays in view above the prompt: the watched values of the current connection, those of others that were named
with it, and the trend."""

import asyncio

from prompt_toolkit.formatted_text import OneStyleAndTextTuple, StyleAndTextTuples
from prompt_toolkit.output import Output

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_shell.output.results import Chart
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.watched_connections import watch_view

_LEAST_CHART = 6
"""Rows of the smallest trend that says something."""
_CHART_SECONDS = 0.25
"""How long a drawn trend is good: keys that are typed fast do not draw it again."""

Lines = list[list[OneStyleAndTextTuple]]


class PromptPanel:
    """The panel, drawn anew at every redraw."""

    def __init__(self, context: Context, output: Output) -> None:
        self._context = context
        self._output = output
        self._drawn: tuple[object, ...] = ()
        self._view = watch_view(context)
        self._chart: tuple[tuple[object, ...], float, Lines] = ((), 0.0, [])

    def __bool__(self) -> bool:
        """Whether something is in it."""
        return len(self._view) > 0 or self._trend is not None

    def above(self) -> StyleAndTextTuples:
        """Return it as it is above the prompt: in half of the screen, or in two thirds of it with a trend."""
        rows = self._output.get_size().rows
        return self.text((rows * 2 // 3 if self._trend is not None else rows // 2) - 2)

    def text(self, rows: int) -> StyleAndTextTuples:
        """Return it in at most so many rows; nothing if nothing is watched."""
        if not self:
            return []
        columns = self._output.get_size().columns - 1
        trend = self._trend if rows > _LEAST_CHART else None
        shown: Lines = []
        if len(self._view):
            room = max(2, rows - _LEAST_CHART) if trend is not None else rows
            lines = self._view.lines(columns, room, more="and {} more: watch --full shows all")
            shown += [[(f"class:mood.{mood}", line)] for line, mood in lines]
        if trend is not None:
            shown += self._charted(trend, columns, rows - len(shown))
        return [piece for line in shown for piece in (*line, ("", "\n"))][:-1]

    async def changed(self) -> None:
        """Wait until a value in it may have changed."""
        if not self:
            await asyncio.Event().wait()  # keep_redrawn cancels this and asks again.
            return
        await self._view.changed_since(self._drawn)
        self._drawn = self._view.version

    @property
    def _trend(self) -> Chart | None:
        """The trend above the prompt; that of the current connection."""
        return self._context.current.trend if self._context.current is not None else None

    def _charted(self, trend: Chart, columns: int, rows: int) -> Lines:
        of, now = (trend, columns, rows), clock.monotonic()
        if self._chart[0] != of or now - self._chart[1] > _CHART_SECONDS:
            lines = trend.chart(columns, rows)
            drawn: Lines = [[(f"class:mood.{mood}" if mood else "", text) for mood, text in line] for line in lines]
            self._chart = of, now, drawn
        return self._chart[2]
