"""The alarms of a run: every transition while it runs is an entry of its step, asked for or not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.live.alarm_feed import AlarmFeedLost, AlarmListRead, AlarmNews
from zb_mom_ww_mxgateway.models.alarms import AlarmTransition
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway_console.render.forms import one_line, source_time_form, value_form
from zb_mom_ww_mxgateway_shell.evidence.record_format import ALARM, ALARMS_BACK, ALARMS_LOST
from zb_mom_ww_mxgateway_shell.feeds.alarm_states import alarm_line
from zb_mom_ww_mxgateway_shell.samples.alarm_monitor import news_text
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context

_LOOK_SECONDS = 0.25
_READY_SECONDS = 2.0
"""How long a run waits for the list of alarms before its first line: what is raised later than that is then told."""


@asynccontextmanager
async def alarms_kept(context: Context, log: RunLog) -> AsyncIterator[None]:
    """Keep the alarms of all connections while this is open, if a record or a report of the run is wanted."""
    if not log.keeps_alarms(context):
        yield
        return
    entries = AlarmEntries(context, log)
    entries.look()
    if context.current is not None:
        with suppress(MxGatewayError):  # It is told below.
            await context.current.alarms.ready(_READY_SECONDS)
    task = asyncio.create_task(entries.keep_looking(), name="alarms of the run")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        entries.close()


class AlarmEntries:
    """Adds the news of alarms to the record of the run and to its log, each to the step in which it arrives."""

    def __init__(self, context: Context, log: RunLog) -> None:
        self._context = context
        self._log = log
        self._followed: dict[GatewayConnection, Callable[[AlarmNews], None]] = {}

    async def keep_looking(self) -> None:
        """Look at the connections now and then, until this is cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """Follow the alarms of every connection that is open, and say once where there are none."""
        for connected in self._context.connections.values():
            feed = connected.alarms
            if connected not in self._followed:
                self._context.start_alarms(connected)
                self._followed[connected] = listener = partial(self._add, connected)
                feed.listeners.append(listener)
            if feed.has_ended and feed.error is not None and not feed.is_refusal_told:
                feed.is_refusal_told = True
                text = one_line(f"alarms are not recorded: {feed.error}")
                self._context.alert(text)
                self._record(ALARMS_LOST, connected, text=text)

    def close(self) -> None:
        """Look a last time, and follow no more."""
        self.look()
        for connected, listener in self._followed.items():
            connected.alarms.listeners.remove(listener)

    def _add(self, connected: GatewayConnection, news: AlarmNews) -> None:
        match news:
            case AlarmTransition():
                self._log.add_alarm(alarm_line(news))
                self._record(ALARM, connected, **_form(news))
            case AlarmFeedLost():
                self._log.add_alarm(news_text(news))
                self._record(ALARMS_LOST, connected, text=news_text(news))
            case AlarmListRead(is_first=False):
                self._log.add_alarm(news_text(news))
                new = [each.reference for each in news.new]
                self._record(ALARMS_BACK, connected, text=news_text(news), new=new)

    def _record(self, command: str, connected: GatewayConnection, **facts: Any) -> None:
        record, file = self._context.record, self._context.file
        if record is not None:
            of_step = {"id": file.step_id or None, "step": file.step or None}
            record.add({"command": command, "connection": connected.name, **of_step, **facts})


def _form(transition: AlarmTransition) -> dict[str, Any]:
    return {
        "comment": transition.comment or None,
        "description": transition.description,
        "kind": name_of(transition.kind).casefold(),
        "original_at": source_time_form(transition.raised_at_ns),
        "reference": transition.reference,
        "severity": transition.severity,
        "transition_at": source_time_form(transition.at_ns),
        "user": transition.operator or None,
        "value": value_form(transition.current_value),
    }
