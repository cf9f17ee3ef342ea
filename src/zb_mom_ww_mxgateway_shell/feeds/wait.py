"""What a file waits for: a condition on the event stream, or a time."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayWaitError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, safe
from zb_mom_ww_mxgateway_shell.errors import NotMet, ShellError
from zb_mom_ww_mxgateway_shell.feeds.condition import DIFFERS, described, form_of, seen_text
from zb_mom_ww_mxgateway_shell.feeds.hold import course_form, course_lines
from zb_mom_ww_mxgateway_shell.feeds.judgement import JudgedItem, Judgement
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown
from zb_mom_ww_mxgateway_shell.output.results import Result, Samples, TextResult
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import WaitCourse
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_STOPPED = "stopped waiting"
_LINES_AHEAD = 50
"""Number of following lines that are searched for waits."""


@dataclass(slots=True)
class WaitFeed:
    """A wait to be followed."""

    connected: "GatewayConnection"
    judgement: Judgement
    timeout: float
    """Seconds from `started`."""
    started: float
    """Monotonic seconds, by the library's clock."""
    hold: float = 0.0
    """Seconds for which the condition must be met without a break."""
    mark: int | None = None
    """Only changes after this mark count, see ``LiveSession.mark``; None where the current value counts too."""
    not_before: float = 0.0
    """Seconds from the write that the mark is from, or else from `started`, before which it must not be met."""
    _blocking: JudgedItem | None = None
    """A tag that kept the condition from being met when it was judged last."""

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Wait; raise NotMet with the values seen, or the reason of the session's loss."""
        judgement = self.judgement
        written = self.connected.write_moments.judged() if self.mark is not None else []
        begun = written[0] if written else self.started
        self._refuse_early(begun, written)
        if (past := self._past()) is not None:
            return self._met_before(*past, begun, written)
        try:
            value = await self.connected.live.wait_until(
                judgement.items,
                lambda: self._is_met(begun, is_written=bool(written)),
                timeout=self.started + self.timeout - clock.monotonic(),
                hold=self.hold,
            )
        except MxGatewayWaitError as error:
            failure = self._not_met(error.seen, error.course)
            failure.samples = self._samples(written)
            raise failure from None
        except NotMet as failure:
            failure.samples = self._samples(written)
            raise
        seconds = clock.monotonic() - self.started
        since = max(0.0, value.received_at - begun)
        took = f"{age_text(seconds)}{f', {age_text(since)} after the write' if self.not_before and written else ''}"
        fields = {"after_write_seconds": round(since, 3)} if written else {}
        return TextResult(
            f"{judgement.text}: {judgement.described} after {took}",
            judgement.fields() | {"seconds": round(seconds, 3)} | fields,
            judgement.value,
            brief=f"{judgement.described} after {took}",
            samples=self._samples(written),
        )

    def _past(self) -> tuple[JudgedItem, LiveValue] | None:
        """Return a value that came between the write and this wait, meets the condition, and is over; None if none."""
        live, judgement = self.connected.live, self.judgement
        if self.mark is None or self.hold or judgement.quantifier == "every" or judgement.members[0].other is not None:
            return None
        for member in judgement.members:
            for value in live.came_since_write(*member.item.key):
                if value is not member.value and value.is_new(self.mark) and not member.condition.miss(value):
                    return member, value
        return None

    def _met_before(self, member: JudgedItem, value: LiveValue, begun: float, written: Sequence[float]) -> Result:
        """Return that a value came and is over again."""
        self.connected.live.checked()
        after = max(0.0, value.received_at - begun)
        of = f"{member.item.tag} " if self.judgement.named is not None else ""
        facts = member.condition.facts
        text = f"{of}{described(value, facts)}, {age_text(after)} after the write; now {described(member.value, facts)}"
        fields = {
            "actual": form_of(value),
            "after_write_seconds": round(after, 3),
            "expected": self.judgement.text,
            "now": form_of(member.value),
            "seconds": 0.0,
        }
        text_of_all = f"{self.judgement.text}: {text}"
        return TextResult(text_of_all, fields, value.value, brief=text, samples=self._samples(written))

    def _refuse_early(self, begun: float, written: Sequence[float]) -> None:
        """Raise NotMet if the condition was met too early between the write and this wait, whatever came after."""
        if not (self.not_before and written):
            return
        held: dict[tuple[int, int], LiveValue | None] = {}
        came: list[LiveValue] = []
        keys = {item.tag: item.key for item in self.judgement.items}
        for tag, key in keys.items():
            values = [LiveValue.of(event, tag, 0) for event in self.connected.history.of(key, begun).events]
            known = [value for value in values if value is not None]
            # The first value of a newly followed tag is not new.
            held[key] = known[0] if known else None
            came += (value for value in known[1:] if value.received_at >= begun)
        for value in sorted(came, key=lambda each: each.received_at):
            after = value.received_at - begun
            if after >= self.not_before:
                return
            held[keys[value.tag]] = value
            then = self.judgement.with_values(held)
            by = then._replace(members=tuple(each for each in then.members if value.tag in (i.tag for i in each.items)))
            # Of any, what was met before is not new.
            if (by if self.judgement.quantifier == "any" else then).is_met():
                self.connected.live.checked()
                error = then.not_met(self._early(after, is_written=True), too_early_seconds=round(after, 3))
                error.samples = self._samples(written)
                raise error

    def _early(self, after: float, *, is_written: bool) -> str:
        """Return why it is met too early."""
        since = "the write" if is_written else "the wait began"
        return f"too early: {age_text(max(0.0, after))} after {since}, and not before {self.not_before:g} s is expected"

    def _samples(self, written: Sequence[float]) -> Sequence[Samples]:
        return self.judgement.series(self.connected, self.started, written)

    def _is_met(self, begun: float, *, is_written: bool) -> bool:
        """Return whether it is met; raise NotMet if that is too early."""
        if self._blocking is not None and self.judgement.miss_of(self._blocking):
            return False
        self._blocking = self.judgement.blocking()
        if self._blocking is not None or not self.judgement.is_met(self.mark):
            return False
        values = [value for each in self.judgement.members for value in (each.value, each.wanted) if value is not None]
        after = max(value.received_at for value in values) - begun
        if self.not_before and after < self.not_before:
            raise self.judgement.not_met(self._early(after, is_written=is_written), too_early_seconds=round(after, 3))
        return True

    def _not_met(self, seen: tuple[LiveValue, ...], course: "WaitCourse | None") -> NotMet:
        judgement, within = self.judgement, f"not within {self.timeout:g} s"
        if judgement.is_met() and not judgement.is_met(self.mark):
            is_known = any(value.changed_at for member in judgement.members if (value := member.value) is not None)
            since = "since before" if is_known else "since it was first seen, how long is unknown"
            reason = f"{within}: it has been so {since}, and no new value came; 'now' lets it count"
        elif judgement.is_met():
            reason = f"not for {self.hold:g} s without a break within {self.timeout:g} s"
        elif judgement.named is None and (why := judgement.misses()[0][1]) != DIFFERS:
            reason = f"{within}: {why}"
        else:
            reason = within
        if judgement.named is not None:
            return judgement.not_met(reason)
        (member,) = judgement.members
        error = judgement.not_met(reason)
        for item in member.items:
            came = [value for value in seen if value.tag == item.tag]
            of = "" if member.other is None else f" {item.tag}"
            error.details.append(f"during the wait of {self.timeout:g} s:{of} {seen_text(came, self.started)}")
        error.fields["values"] = [form_of(value) for value in seen if value.tag == member.item.tag]
        if self.hold and course is not None:
            error.details += course_lines(course, self.started)
            error.fields["hold"] = course_form(course, self.started)
        return error

    def result(self) -> Result:
        """Return the result of a wait that is given up."""
        judgement = self.judgement
        is_of = f"{judgement.members[0].item.tag} is {judgement.described}" if judgement.named is None else ""
        return TextResult(
            f"{_STOPPED}: {is_of or f'{judgement.text}: {judgement.described}'}",
            judgement.fields(),
            exit_code=ExitCode.INTERRUPTED,
        )

    def progress(self) -> str:
        """Return the value now and the time left."""
        left = max(0.0, self.started + self.timeout - clock.monotonic())
        return f"{safe(self.judgement.text)}: now {self.judgement.described}, {age_text(left)} left"

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


def coming_waits(context: Context) -> list[list[Target] | Token]:
    """Return the tags, and globs, that a file waits for up to the next write that follows a check.

    They are followed before a write is sent, so that its effects are seen. A line that cannot be parsed yet is left
    out.
    """
    found: list[list[Target] | Token] = []
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
            subject, _, wanted = invocation.positional
            found.append([subject] if isinstance(subject, Target) else subject)
            found += [[wanted]] if isinstance(wanted, Target) else []
        is_checked |= traits.judges is not None
    return found
