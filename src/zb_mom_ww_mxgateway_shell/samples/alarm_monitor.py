"""The alarms of one connection at a prompt: in lines as they come, and as a figure of the toolbar."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.live.alarm_feed import AlarmFeed, AlarmFeedLost, AlarmListRead, AlarmNews
from zb_mom_ww_mxgateway.models.alarms import (
    ActiveAlarm,
    AlarmProviderMode,
    AlarmProviderStatus,
    AlarmTransition,
    AlarmTransitionKind,
)
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_text
from zb_mom_ww_mxgateway_console.render.forms import one_line, value_text

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient

# Seconds: so long more alarms are waited for before one line tells of them all, and the least between two lines.
_GATHER, _PAUSE = 0.3, 2.0
# Seconds that a lost stream may take to come back before that is said.
_PATIENCE = 3.0


class SpokenAlarms(AlarmFeed):
    """What is in alarm now; what is new is said in a line. Nothing is read before it is started."""

    def __init__(self, client: "GatewayClient") -> None:
        super().__init__(client)
        self._flurry = Flurry(lambda text: None)
        self._loss_told: asyncio.TimerHandle | None = None

    def speak(self, say: Callable[[str], None]) -> None:
        """Begins to read, if that is not so already; `say` is told, in a line, of what is new."""
        if not self.has_started or self.has_ended:
            self._flurry.close()
            self._flurry = Flurry(say)
            self.start()

    @property
    def figure(self) -> str:
        """How many there are, in a word or two; empty where nobody asked."""
        if not self.has_started:
            return ""
        if self.has_ended and self.lost_at is None:
            return "alarms off"
        waiting = len(self.unacknowledged)
        doubt = "" if self.is_complete else "?"
        return f"alarms {len(self.alarms)}{doubt}{f' ({waiting} unacked)' if waiting else ''}"

    def tell(self, news: AlarmNews) -> None:
        match news:
            case AlarmFeedLost():
                said = one_line(f"alarms are not kept up to date: {news.error}")
                self._loss_told = asyncio.get_running_loop().call_later(_PATIENCE, self._flurry.say, said)
            case AlarmListRead():
                self._tell_list(news)
            case AlarmProviderStatus():
                self._flurry.say(provider_text(news))
            case AlarmTransition(kind=AlarmTransitionKind.RAISE | AlarmTransitionKind.RETRIGGER):
                self._flurry.add(self.alarms[news.reference])
        super().tell(news)

    def _tell_list(self, news: AlarmListRead) -> None:
        if news.is_first and self.alarms:
            waiting = len(self.unacknowledged)
            self._flurry.say(f"{len(self.alarms)} alarms active, {waiting} unacknowledged: alarms lists them")
        elif not news.is_first:
            for alarm in news.new:
                self._flurry.add(alarm)
            if self._loss_told is not None and self._loss_told.when() <= asyncio.get_running_loop().time():
                self._flurry.say(news_text(news))
        if self._loss_told is not None:
            self._loss_told.cancel()

    async def aclose(self) -> None:
        """Ends the reading. Idempotent."""
        self._flurry.close()
        if self._loss_told is not None:
            self._loss_told.cancel()
        await super().aclose()


def news_text(news: AlarmNews) -> str:
    """What followers are told, in a line."""
    match news:
        case AlarmFeedLost():
            return one_line(f"alarm stream lost: {news.error}")
        case AlarmListRead():
            return f"alarm stream back: {news.active} active; what happened meanwhile is not known"
        case AlarmProviderStatus():
            return provider_text(news)
    return alarm_text(news)


def provider_text(provider: AlarmProviderStatus) -> str:
    """Where alarms come from, in words."""
    if provider.mode is AlarmProviderMode.SUBTAG:
        how = "alarms come from subtags, one by one, in the place of the alarm manager"
    else:
        how = f"alarms come from {name_of(provider.mode)}"
    return one_line(how + " (degraded)" * provider.degraded + (f": {provider.reason}" if provider.reason else ""))


class Flurry:
    """Tells of new alarms: one line for one, one line for many at once, and never more than one in two seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._waiting: dict[str, ActiveAlarm] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, alarm: ActiveAlarm) -> None:
        """Tells of it soon."""
        self._waiting[alarm.reference] = alarm
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER, self._tell)

    def _tell(self) -> None:
        waiting, self._waiting, self._timer = list(self._waiting.values()), {}, None
        if not waiting:
            return
        worst = min(waiting, key=lambda alarm: alarm.severity)
        value = "" if worst.current_value is None else f"  {value_text(worst.current_value)}"
        described = f"  {worst.description}" if worst.description else ""
        if len(waiting) == 1:
            self.say(one_line(f"ALARM severity {worst.severity}  {worst.reference}{value}{described}"))
        else:
            self.say(
                one_line(
                    f"ALARMS {len(waiting)} new, the most severe {worst.severity}: {worst.reference}; alarms lists them"
                )
            )
        self._timer = asyncio.get_running_loop().call_later(_PAUSE, self._tell)

    def close(self) -> None:
        """Tells no more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
