"""The alarms of one connection at a prompt: new ones as lines, their number for the toolbar."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.live.alarm_feed import AlarmFeed, AlarmFeedLost, AlarmListRead, AlarmNews
from zb_mom_ww_mxgateway.models.alarms import (
    ActiveAlarm,
    AlarmProviderMode,
    AlarmProviderStatus,
    AlarmTransition,
    AlarmTransitionKind,
)
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_text
from zb_mom_ww_mxgateway_console.render.forms import one_line, value_text
from zb_mom_ww_mxgateway_console.text.terminal_text import AlarmLine

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient

# Seconds to collect more alarms for one line, and the shortest time between two lines.
_GATHER, _PAUSE = 0.3, 2.0
# Seconds a lost stream may take to come back before it is reported.
_PATIENCE = 3.0


_KEPT = 10_000
"""Most transitions that are kept."""


def _nothing(text: str) -> None:
    pass


class ArrivedAlarmNews(NamedTuple):
    """News of the alarms, and when they arrived: seconds of the library's clock."""

    at: float
    news: AlarmNews


class AlarmMonitor(AlarmFeed):
    """The active alarms of a connection; new ones are reported as lines. Nothing is read before :meth:`report_to`."""

    def __init__(self, client: "GatewayClient") -> None:
        super().__init__(client)
        self._reporter = AlarmReporter(_nothing)
        self._loss_report: asyncio.TimerHandle | None = None
        self.arrived: deque[ArrivedAlarmNews] = deque(maxlen=_KEPT)
        """The last news, oldest first."""
        self.listeners: list[Callable[[AlarmNews], None]] = []
        """Called with each of the news at once."""
        self.is_refusal_told = False
        """Whether a run has reported why there are no alarms, which it does once."""
        self.acknowledged_at: float | None = None
        """When the first acknowledgement of this shell since the last check was sent; None before."""
        self.checked_at: float | None = None
        """When the alarms were checked last; None before."""

    def acknowledging(self) -> None:
        """Note that an acknowledgement is being sent."""
        checked = self.checked_at
        if self.acknowledged_at is None or (checked is not None and self.acknowledged_at < checked):
            self.acknowledged_at = clock.monotonic()

    def new_since(self, written_at: float | None, now: float) -> float:
        """Return from when on what comes is new to the check that begins now: the first write or acknowledgement after
        the last check, or now if there was none. `written_at` is when the first write after the last check was sent."""
        sent = [each for each in (written_at, self.acknowledged_at) if each is not None]
        checked, self.checked_at = self.checked_at, now
        if not sent:
            return now
        return min((each for each in sent if checked is None or each > checked), default=max(sent))

    def since(self, at: float) -> list[ArrivedAlarmNews]:
        """Return the news that arrived from then on, oldest first."""
        return [each for each in self.arrived if each.at >= at]

    def report_to(self, report: Callable[[str], None], signal: Callable[[str], None] = _nothing) -> None:
        """Start to read, unless it has started; call `report` with a line for new alarms and other news, and `signal`
        with one for new alarms alone."""
        if not self.has_started or self.has_ended:
            self._reporter.close()
            self._reporter = AlarmReporter(report, signal)
            self.start()

    @property
    def figure(self) -> str:
        """The number of alarms for the toolbar, with the severity of the most urgent one; empty where none are read.

        An acknowledged alarm is less urgent than any other.
        """
        if not self.has_started:
            return ""
        if self.has_ended and self.lost_at is None:
            return "alarms off"
        waiting = len(self.unacknowledged)
        doubt = "" if self.is_complete else "?"
        text = f"alarms {len(self.alarms)}{doubt}{f' ({waiting} unacked)' if waiting else ''}"
        severities = [each.severity for each in self.unacknowledged or self.alarms.values()]
        return AlarmLine.of(text, min(severities)) if severities else text

    def tell(self, news: AlarmNews) -> None:
        self.arrived.append(ArrivedAlarmNews(clock.monotonic(), news))
        for listener in tuple(self.listeners):
            listener(news)
        match news:
            case AlarmFeedLost():
                text = one_line(f"alarms are not kept up to date: {news.error}")
                self._loss_report = asyncio.get_running_loop().call_later(_PATIENCE, self._reporter.report, text)
            case AlarmListRead():
                self._report_list(news)
            case AlarmProviderStatus():
                self._reporter.report(provider_text(news))
            case AlarmTransition(kind=AlarmTransitionKind.RAISE | AlarmTransitionKind.RETRIGGER):
                self._reporter.add(self.alarms[news.reference])
        super().tell(news)

    def _report_list(self, news: AlarmListRead) -> None:
        if news.is_first and self.alarms:
            waiting = len(self.unacknowledged)
            self._reporter.report(f"{len(self.alarms)} alarms active, {waiting} unacknowledged: alarms lists them")
        elif not news.is_first:
            for alarm in news.new:
                self._reporter.add(alarm)
            if self._loss_report is not None and self._loss_report.when() <= asyncio.get_running_loop().time():
                self._reporter.report(news_text(news))
        if self._loss_report is not None:
            self._loss_report.cancel()

    async def aclose(self) -> None:
        """Stop reading. Idempotent."""
        self._reporter.close()
        if self._loss_report is not None:
            self._loss_report.cancel()
        await super().aclose()


def news_text(news: AlarmNews) -> str:
    """Return the line that reports a change."""
    match news:
        case AlarmFeedLost():
            return one_line(f"alarm stream lost: {news.error}")
        case AlarmListRead():
            return f"alarm stream back: {news.active} active; what happened meanwhile is unknown"
        case AlarmProviderStatus():
            return provider_text(news)
    return alarm_text(news)


def provider_text(provider: AlarmProviderStatus) -> str:
    """Return the source of alarms in words."""
    if provider.mode is AlarmProviderMode.SUBTAG:
        how = "alarms come from subtags, one by one, in the place of the alarm manager"
    else:
        how = f"alarms come from {name_of(provider.mode)}"
    return one_line(how + " (degraded)" * provider.degraded + (f": {provider.reason}" if provider.reason else ""))


class AlarmReporter:
    """Reports new alarms: one alarm or many in one line, and at most one line every two seconds."""

    def __init__(self, report: Callable[[str], None], signal: Callable[[str], None] = _nothing) -> None:
        self.report = report
        self._signal = signal
        self._waiting: dict[str, ActiveAlarm] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, alarm: ActiveAlarm) -> None:
        """Report an alarm soon."""
        self._waiting[alarm.reference] = alarm
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER, self._report_waiting)

    def _report_waiting(self) -> None:
        waiting, self._waiting, self._timer = list(self._waiting.values()), {}, None
        if not waiting:
            return
        worst = min(waiting, key=lambda alarm: alarm.severity)
        value = "" if worst.current_value is None else f"  {value_text(worst.current_value)}"
        described = f"  {worst.description}" if worst.description else ""
        if len(waiting) == 1:
            text = f"ALARM severity {worst.severity}  {worst.reference}{value}{described}"
        else:
            text = f"ALARMS {len(waiting)} new, the most severe {worst.severity}: {worst.reference}; alarms lists them"
        line = AlarmLine.of(one_line(text), worst.severity)
        self.report(line)
        self._signal(line)
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._report_waiting)

    def close(self) -> None:
        """Report no more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
