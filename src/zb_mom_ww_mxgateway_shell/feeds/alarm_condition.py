"""The condition of ``expect-alarm``: an alarm is active or cleared, acknowledged or not, of a severity, now or in time.

What is new follows the idea of ``wait``: a transition counts that arrived since the first write after the last check,
or from now on if nothing was written. No clock but this machine's decides that.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.alarms import ActiveAlarm, AlarmConditionState, AlarmTransition, AlarmTransitionKind
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_form
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, safe
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.alarm_states import RAISING, AlarmName, is_active, listed, present_alarms
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_LOOK_SECONDS = 1.0
"""How often the alarms are asked for while no transition comes."""


@dataclass(frozen=True, slots=True)
class AlarmCondition:
    """What is expected of the alarms that a name means."""

    name: AlarmName
    state: Literal["active", "cleared"]
    acked: bool | None = None
    """None where it does not matter."""
    severity: int | None = None

    @property
    def text(self) -> str:
        """The condition for messages."""
        acked = {None: "", True: " acked", False: " unacked"}[self.acked]
        severity = "" if self.severity is None else f" severity {self.severity}"
        return f"{self.name.text} {self.state}{acked}{severity}"

    def meant(self, alarms: Iterable[ActiveAlarm]) -> list[ActiveAlarm]:
        """Return the alarms that it is about."""
        return [alarm for alarm in alarms if self.name.takes(alarm)]

    def holds(self, alarms: Iterable[ActiveAlarm]) -> bool:
        """Return whether it is met: one of the alarms is active as wished, or none is."""
        meant = self.meant(alarms)
        active = [alarm for alarm in meant if is_active(alarm)]
        if self.state == "active":
            return any(self._is_as_wished(alarm) for alarm in active)
        waits = any(alarm.state == AlarmConditionState.INACTIVE for alarm in meant)
        return not active and (self.acked is None or waits is not self.acked)

    def _is_as_wished(self, alarm: ActiveAlarm) -> bool:
        is_acked = alarm.state == AlarmConditionState.ACTIVE_ACKED
        return self.acked in (None, is_acked) and self.severity in (None, alarm.severity)

    def is_news(self, transition: AlarmTransition, alarms: Mapping[str, ActiveAlarm]) -> bool:
        """Return whether a transition makes it new that the condition is met by these alarms.

        Where one has to be active, it is of an alarm that is as wished: another one of the same object is not meant.
        """
        alarm = alarms.get(transition.reference)
        if self.state == "active" and (alarm is None or not (is_active(alarm) and self._is_as_wished(alarm))):
            return False
        kinds = set(RAISING) if self.state == "active" else {AlarmTransitionKind.CLEAR}
        if self.acked:
            kinds.add(AlarmTransitionKind.ACKNOWLEDGE)
        return transition.kind in kinds and self.name.takes(transition)


@dataclass(slots=True)
class AlarmWait:
    """An expectation of an alarm, to be followed until it is met."""

    connected: GatewayConnection
    condition: AlarmCondition
    seconds: float
    """From `started`; 0 for the present state alone."""
    since: float | None
    """Only transitions that arrived from then on count; None where the present state counts, too."""
    started: float
    _present: Mapping[str, ActiveAlarm] = field(default_factory=dict)
    _problem: str = ""

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Look until the condition is met; raise NotMet at the end of the time."""
        follower = self.connected.alarms.follow()
        try:
            while not await self._is_met():
                left = self.started + self.seconds - clock.monotonic()
                if left <= 0:
                    raise self.not_met()
                with suppress(TimeoutError):
                    async with clock.timeout(min(left, _LOOK_SECONDS)):
                        await _news(follower.batch())
        finally:
            await follower.aclose()
        return self._met()

    async def _is_met(self) -> bool:
        try:
            self._present = await present_alarms(self.connected)
        except MxGatewayError as error:
            self._problem = f"the alarms are unknown: {error}"
            return False
        feed = self.connected.alarms
        self._problem = "" if feed.is_complete else f"the alarm stream is lost: {feed.error}"
        if self._problem and (self.since is not None or self.condition.state == "cleared"):
            return False
        return self.condition.holds(self._present.values()) and self._is_new

    @property
    def _is_new(self) -> bool:
        if self.since is None:
            return True
        return any(self.condition.is_news(each, self._present) for each in self._transitions(self.since))

    def _transitions(self, since: float) -> list[AlarmTransition]:
        news = (each.news for each in self.connected.alarms.since(since))
        return [each for each in news if isinstance(each, AlarmTransition) and self.condition.name.takes(each)]

    def _met(self) -> Result:
        seconds = clock.monotonic() - self.started
        lines = listed(self.condition.meant(self._present.values())) or ["none is active"]
        text = f"{lines[0]}{f' (and {len(lines) - 1} more)' if len(lines) > 1 else ''}"
        after = f" after {age_text(seconds)}" if self.seconds else ""
        return TextResult(
            f"{self.condition.text}: {text}{after}",
            {"actual": self._form(), "expected": self.condition.text, "seconds": round(seconds, 3)},
            brief=f"{text}{after}",
        )

    def _form(self) -> list[dict[str, Any]]:
        return [alarm_form(alarm) for alarm in self.condition.meant(self._present.values())]

    def not_met(self) -> NotMet:
        """Return the error, with the alarms that were seen."""
        meant = listed(self.condition.meant(self._present.values()))
        within = f" within {self.seconds:g} s" if self.seconds else ""
        actual = meant[0] if meant else "none of its alarms is active"
        reason = self._problem
        if not reason and self.condition.holds(self._present.values()):
            reason = "it has been so since before; 'now' lets it count"
        details = meant[1:]
        seen = self._transitions(self.started if self.since is None else self.since)
        details += [f"came: {line}" for line in listed(seen)]
        because = f": {reason}" if reason else ""
        word = self.condition.name.word
        return NotMet(
            f"expected {self.condition.text}{within}: {actual}{because}",
            (word.start, word.end),
            {
                "actual": self._form(),
                "expected": f"{self.condition.text}{within}",
                "reason": reason or "it differs",
                "transitions": [alarm_form(each) for each in seen],
            },
            details,
        )

    def result(self) -> Result:
        """Return the result of an expectation that is given up."""
        return TextResult(
            f"stopped waiting: {self.condition.text}",
            {"actual": self._form(), "expected": self.condition.text},
            exit_code=ExitCode.INTERRUPTED,
        )

    def progress(self) -> str:
        """Return what is expected, and the time left."""
        left = max(0.0, self.started + self.seconds - clock.monotonic())
        now = listed(self.condition.meant(self._present.values()))
        return f"{safe(self.condition.text)}: now {now[0] if now else 'none is active'}, {age_text(left)} left"

    def picture(self, columns: int, rows: int) -> list[list[tuple[str, str]]]:
        """Return the progress for a screen."""
        return [[("", self.progress())], [("", "  Ctrl-C ends")]]


async def _news(batch: Any) -> None:
    """Wait for news; a stream that has ended brings none, and the next look says why."""
    try:
        if not await batch:
            await asyncio.sleep(_LOOK_SECONDS)
    except MxGatewayError:
        await asyncio.sleep(_LOOK_SECONDS)
