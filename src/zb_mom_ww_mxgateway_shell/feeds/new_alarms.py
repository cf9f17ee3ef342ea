"""``no-new-alarms``: no alarm is raised from its line to the end of its step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.live.alarm_feed import AlarmFeedLost
from zb_mom_ww_mxgateway.models.alarms import ActiveAlarm, AlarmFacts, AlarmTransition
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.alarm_forms import alarm_form
from zb_mom_ww_mxgateway_console.render.forms import age_text, counted
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.alarm_states import RAISING, in_area, is_active, listed, present_alarms
from zb_mom_ww_mxgateway_shell.output.results import Result, Samples, TextResult
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.output.problems import Statement


@dataclass(frozen=True, slots=True)
class AlarmChoice:
    """Which alarms a check is about."""

    area: str | None = None
    severity: int | None = None
    """The least severe that counts: 1 is the most severe, 999 the least."""

    def takes(self, alarm: AlarmFacts) -> bool:
        """Return whether an alarm is one of them."""
        is_severe = self.severity is None or alarm.severity <= self.severity
        return is_severe and (self.area is None or in_area(alarm, self.area))

    @property
    def text(self) -> str:
        """The choice for messages, with a blank in front; empty for all alarms."""
        area = f" in {self.area}" if self.area is not None else ""
        return f"{area}{f' of severity {self.severity} or more severe' if self.severity is not None else ''}"


@dataclass(slots=True)
class NoNewAlarms:
    """A standing check: what was active before it does not count, what is raised while it stands does."""

    statement: "Statement"
    connected: GatewayConnection
    choice: AlarmChoice
    before: Mapping[str, ActiveAlarm]
    """The alarms that were there when it began, by reference."""
    started: float = field(default_factory=clock.monotonic)
    samples: tuple[Samples, ...] = ()
    _missed: dict[str, ActiveAlarm] = field(default_factory=dict)
    """Active at the last look, and not there before, though the stream has not told of them."""
    _doubt: str = ""
    """Why it is unknown whether an alarm was raised."""

    def broken(self) -> NotMet | None:
        """Return the error with the alarms that were raised, or with why that is unknown; None while there are none."""
        seen: list[ActiveAlarm | AlarmTransition] = []
        for _, news in self.connected.alarms.since(self.started):
            match news:
                case AlarmFeedLost():
                    self._doubt = self._doubt or f"the alarm stream was lost meanwhile: {news.error}"
                case AlarmTransition() if news.kind in RAISING and self.choice.takes(news):
                    seen.append(news)
        if self.connected.alarms.has_ended:
            self._doubt = self._doubt or f"the alarm stream has ended: {self.connected.alarms.error or 'closed'}"
        told = {each.reference for each in seen}
        seen += [alarm for reference, alarm in self._missed.items() if reference not in told]
        if not seen and not self._doubt:
            return None
        expected = f"no new alarm{self.choice.text}"
        lines = listed(seen)
        actual = f"{counted(len(seen), 'alarm')} came: {lines[0]}" if seen else f"it is unknown: {self._doubt}"
        details = [*lines[1:], *([self._doubt] if seen and self._doubt else [])]
        text = self.statement.text
        start = len(text) - len(text.lstrip())
        fields = {
            "actual": [alarm_form(each) for each in seen],
            "expected": expected,
            "reason": self._doubt or "it differs",
        }
        return NotMet(f"expected {expected}: {actual}", (start, len(text.rstrip())), fields, details)

    async def settle(self) -> None:
        """Ask for the alarms once more: one that was raised just now may still be on its way."""
        try:
            present = await present_alarms(self.connected)
        except MxGatewayError as error:
            self._doubt = self._doubt or f"the alarms of the end are unknown: {error}"
            return
        for reference, alarm in present.items():
            was = self.before.get(reference)
            is_new = was is None or not is_active(was)
            if is_new and is_active(alarm) and self.choice.takes(alarm):
                self._missed[reference] = alarm

    def passed(self) -> Result:
        """Return how long no alarm was raised, and how many were there before."""
        seconds = clock.monotonic() - self.started
        active = sum(is_active(each) and self.choice.takes(each) for each in self.before.values())
        text = f"no new alarm{self.choice.text} in {age_text(seconds)}"
        text += f"; {counted(active, 'alarm')} active since before" if active else ""
        expected = {"actual": [], "expected": f"no new alarm{self.choice.text}"}
        return TextResult(text, {"active_before": active, "seconds": round(seconds, 3)} | expected, brief=text)

    def close(self) -> None:
        """End it: the stream of the connection goes on."""
