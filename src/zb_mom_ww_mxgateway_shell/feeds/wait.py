"""What a file waits for: a condition on the event stream, or a time."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayWaitError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.condition import TagCondition, described, form_of, seen_text
from zb_mom_ww_mxgateway_shell.feeds.hold import course_form, course_lines
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue, WaitCourse

_STOPPED = "stopped waiting"
_LINES_AHEAD = 50
"""Number of following lines that are searched for waits."""


@dataclass(slots=True)
class WaitFeed:
    """A wait to be followed."""

    live: "LiveSession"
    item: Item
    condition: TagCondition
    timeout: float
    """Seconds from `started`."""
    started: float
    """Monotonic seconds, by the library's clock."""
    hold: float = 0.0
    """Seconds for which the condition must be met without a break."""
    mark: int | None = None
    """Only changes after this mark count, see ``LiveSession.mark``; None where the current value counts too."""

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Wait; raise NotMet with the values seen, or the reason of the session's loss."""
        try:
            value = await self.live.wait_for(
                self.item,
                lambda _: self._met(),
                timeout=self.started + self.timeout - clock.monotonic(),
                hold=self.hold,
                mark=self.mark,
                any_quality=True,
            )
        except MxGatewayWaitError as error:
            raise self._not_met(error.seen, error.course) from None
        seconds = clock.monotonic() - self.started
        return TextResult(
            f"{self.condition.text}: {described(value)} after {age_text(seconds)}",
            {"actual": form_of(value), "expected": self.condition.text, "seconds": round(seconds, 3)},
            value.value,
            brief=f"{described(value)} after {age_text(seconds)}",
        )

    def _held(self) -> "LiveValue | None":
        return self.live.latest(*self.item.key)

    def _met(self) -> bool:
        value = self._held()
        return value is not None and not self.condition.miss(value)

    def _is_new(self, value: "LiveValue") -> bool:
        return self.mark is None or value.is_new(self.mark)

    def _not_met(self, seen: "tuple[LiveValue, ...]", course: "WaitCourse | None") -> Exception:
        value = self._held()
        reason = self.condition.miss(value)
        within = f"not within {self.timeout:g} s"
        if not reason and value is not None and not self._is_new(value):
            since = "since before" if value.changed_at else "since it was first seen, how long is unknown"
            reason = f"{within}: it has been so {since}, and no new value came; 'now' lets it count"
        elif not reason:
            reason = f"not for {self.hold:g} s without a break within {self.timeout:g} s"
        else:
            reason = within if reason == "it differs" else f"{within}: {reason}"
        error = self.condition.not_met(value, reason, values=[form_of(each) for each in seen])
        error.details.append(f"during the wait of {self.timeout:g} s: {seen_text(seen, self.started)}")
        if self.hold and course is not None:
            error.details += course_lines(course, self.started)
            error.fields["hold"] = course_form(course, self.started)
        return error

    def result(self) -> Result:
        """Return the result of a wait that is given up."""
        value = self._held()
        return TextResult(
            f"{_STOPPED}: {self.item.tag} is {described(value)}",
            {"actual": form_of(value), "expected": self.condition.text},
            exit_code=ExitCode.INTERRUPTED,
        )

    def progress(self) -> str:
        """Return the value now and the time left."""
        left = max(0.0, self.started + self.timeout - clock.monotonic())
        return f"{safe(self.condition.text)}: now {described(self._held())}, {age_text(left)} left"

    def picture(self, columns: int, rows: int) -> list[list[tuple[str, str]]]:
        """Return the progress for a screen."""
        return [[("", self.progress())], [("", "  Ctrl-C ends")]]


@dataclass(slots=True)
class SleepFeed:
    """A pause to be followed."""

    seconds: float
    started: float = field(default_factory=clock.monotonic)

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Sleep for its duration."""
        self.started = clock.monotonic()
        await clock.sleep(self.seconds)
        return TextResult(f"slept {self.seconds:g} s", {"slept": self.seconds})

    def result(self) -> Result:
        """Return the result of a pause that is given up."""
        fields: dict[str, Any] = {"slept": round(clock.monotonic() - self.started, 3)}
        return TextResult("stopped sleeping", fields, exit_code=ExitCode.INTERRUPTED)

    def progress(self) -> str:
        """Return the time left."""
        return f"sleeping, {age_text(max(0.0, self.started + self.seconds - clock.monotonic()))} left"


def coming_waits(context: Context) -> list[Target]:
    """Return the tags that a file waits for up to the next write that follows a check.

    They are followed before a write is sent, so that its effects are seen. A line that cannot be parsed yet is left
    out.
    """
    found: list[Target] = []
    is_checked = False
    for text in context.file.lines_ahead[:_LINES_AHEAD]:
        invocation = None
        with suppress(ShellError, ValueNotYetKnown), unfolded(context, text) as line:
            invocation = context.registry.parse(line, context)
        if invocation is None:
            continue
        traits = invocation.command.traits
        if traits.changes_subject or (is_checked and invocation.command.mutating):
            break
        if traits.judges == "until":
            found.append(invocation.positional[0])
        is_checked |= traits.judges is not None
    return found
