"""Watching a condition on the event stream without a gap: its first break, with value and time."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, counted, safe, value_text
from zb_mom_ww_mxgateway_shell.errors import InputError, NotMet
from zb_mom_ww_mxgateway_shell.feeds.condition import DIFFERS
from zb_mom_ww_mxgateway_shell.feeds.items import shown_writes
from zb_mom_ww_mxgateway_shell.feeds.judgement import Judgement
from zb_mom_ww_mxgateway_shell.output.results import Result, Samples, TextResult
from zb_mom_ww_mxgateway_shell.samples.history import moment
from zb_mom_ww_mxgateway_shell.samples.sample_stream import number_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

NO_ANSWER = "the gateway does not answer"


class Vigil:
    """Watches a judgement from now on. A time for which a value is unknown is a break, as it may not have held."""

    def __init__(
        self, connected: "GatewayConnection", judgement: Judgement, on_break: Callable[[NotMet], object] | None = None
    ) -> None:
        """`on_break` is called with the break, in the moment of it."""
        self.judgement = judgement
        self.live = connected.live
        self.started = clock.monotonic()
        """Monotonic seconds, by the library's clock."""
        self.broken: NotMet | None = None
        """The first break; None while there is none."""
        self.broken_at: float | None = None
        """Seconds from the start to the arrival of the value that broke it."""
        self.broke = asyncio.Event()
        self._connected = connected
        self._on_break = on_break
        self._reasons: dict[int, str] = {}
        """Why members do not meet the condition, by their places."""
        self._values = 0
        self._numbers: list[float] = []
        """The lowest and the highest number seen."""
        for place, member in enumerate(judgement.members):
            self._judge(place)
            self._count(member.value)
        self._observations = [
            self.live.observe(member.items, partial(self._look, place))
            for place, member in enumerate(judgement.members)
        ]
        self._decide(None)

    def _look(self, place: int, value: "LiveValue | None") -> None:
        """Take a value of a member, or of its other tag; None for a doubt about one of them."""
        if value is not None and value.tag == self.judgement.members[place].item.tag:
            self._count(value)
        self._judge(place)
        self._decide(value)

    def _count(self, value: "LiveValue | None") -> None:
        if value is None:
            return
        self._values += 1
        if (number := number_of(value.value)) is not None and not isinstance(value.value, bool):
            self._numbers = [min([number, *self._numbers]), max([number, *self._numbers])]

    def _judge(self, place: int) -> None:
        try:
            reason = self.judgement.miss_of(self.judgement.members[place])
        except InputError as error:
            reason = str(error)
        if reason:
            self._reasons[place] = reason
        else:
            self._reasons.pop(place, None)

    def _decide(self, by: "LiveValue | None") -> None:
        is_any = self.judgement.quantifier == "any"
        if len(self._reasons) == len(self.judgement.members) if is_any else self._reasons:
            self._break(by, next(iter(self._reasons.values())))

    def _break(self, by: "LiveValue | None", reason: str) -> None:
        if self.broken is not None:
            return
        is_unknown = reason == NO_ANSWER or self._is_in_doubt()
        at = min([clock.monotonic(), *self._doubts()] if by is None else [by.received_at])
        self.broken_at = max(0.0, at - self.started)
        what = "unknown" if is_unknown else "broken"
        because = "" if reason == DIFFERS else f", {reason}"
        why = f"{what} after {age_text(self.broken_at)}{because}"
        fields: dict[str, Any] = {
            "broken_after_seconds": round(self.broken_at, 3),
            "broken_at": time_text(moment(at)),
            "unknown": is_unknown,
        }
        try:
            self.broken = self.judgement.not_met(why, **fields)
        except InputError as error:
            # The value has become one of another type.
            self.broken = NotMet(f"{self.judgement.text}: {why}", (error.start, error.end), fields)
        self.close()
        self.broke.set()
        if self._on_break is not None:
            self._on_break(self.broken)

    def _is_in_doubt(self) -> bool:
        """Return whether a value is unknown by which the condition is not met."""
        held = [value for place in self._reasons for value in self.judgement.members[place].held]
        return any(value is None or value.stale_since is not None for value in held)

    def _doubts(self) -> list[float]:
        """Return since when values are stale: that may be noticed late."""
        held = [value for member in self.judgement.members for value in member.held]
        return [value.stale_since for value in held if value is not None and value.stale_since is not None]

    def outcome(self) -> NotMet | None:
        """Return the break with the samples of its tags; None where there is none."""
        if self.broken is not None and not self.broken.samples:
            # Only now: in the moment of the break its event has not reached the history.
            self.broken.samples = self.samples()
        return self.broken

    async def settle(self) -> None:
        """Take in all that has arrived; where the gateway does not answer, it is a break that is unknown.

        A tag that was written gets a moment to show its new value.
        """
        if self.broken is None:
            await shown_writes(self.live, self.judgement.items)
        if self.broken is None and not await self.live.caught_up() and self.broken is None:
            self._break(None, NO_ANSWER)

    def samples(self) -> list[Samples]:
        """Return the samples of its tags, for a record."""
        written = self._connected.write_moments.since(self.started)
        return [*self.judgement.series(self._connected, self.started, written)]

    def held(self, seconds: float) -> TextResult:
        """Return the result of a condition that was met all the time: the extremes that were seen."""
        seen = counted(self._values, "value")
        if self._numbers:
            lowest, highest = map(value_text, self._numbers)
            seen += f", {lowest}" if lowest == highest else f", from {lowest} to {highest}"
        fields: dict[str, Any] = {
            "highest": self._numbers[1] if self._numbers else None,
            "lowest": self._numbers[0] if self._numbers else None,
            "seconds": round(seconds, 3),
            "values": self._values,
        }
        brief = f"held for {age_text(seconds)}: {seen}"
        return TextResult(
            f"{self.judgement.text}: {brief}",
            self.judgement.fields() | fields,
            self.judgement.value,
            brief=brief,
            samples=self.samples(),
        )

    def close(self) -> None:
        """End it. Idempotent."""
        for each in self._observations:
            each.close()


class HoldFeed:
    """``expect … for 10s``: a condition that has to be met all the time."""

    def __init__(self, connected: "GatewayConnection", judgement: Judgement, seconds: float) -> None:
        self._connected = connected
        self._judgement = judgement
        self._seconds = seconds
        self._vigil: Vigil | None = None

    async def follow(self, show: Callable[[str], None]) -> Result:
        """Watch it for its time; raise NotMet at the first break."""
        self._vigil = vigil = Vigil(self._connected, self._judgement)
        try:
            try:
                async with clock.timeout(vigil.started + self._seconds - clock.monotonic()):
                    await vigil.broke.wait()
            except TimeoutError:
                await vigil.settle()
            error = vigil.outcome()
            # A value that arrived behind the end breaks nothing.
            if error is not None and (error.fields["unknown"] or (vigil.broken_at or 0.0) <= self._seconds):
                raise error
            return vigil.held(self._seconds)
        finally:
            vigil.close()
            vigil.live.checked()

    def result(self) -> Result:
        """Return the result of a watch that is given up."""
        return TextResult(
            f"stopped watching: {self._judgement.text}", self._judgement.fields(), exit_code=ExitCode.INTERRUPTED
        )

    def progress(self) -> str:
        """Return the values now and the time left."""
        begun = clock.monotonic() if self._vigil is None else self._vigil.started
        left = max(0.0, begun + self._seconds - clock.monotonic())
        return f"{safe(self._judgement.text)}: holds, {self._judgement.described}, {age_text(left)} left"

    def picture(self, columns: int, rows: int) -> list[list[tuple[str, str]]]:
        """Return the progress for a screen."""
        return [[("", self.progress())], [("", "  Ctrl-C ends")]]
