"""Waits for a value that meets a condition, on the event stream."""

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from zb_mom_ww_mxgateway.errors import MxGatewayWaitError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.system import clock

# So many values are shown when a wait fails.
_SEEN = 20


class WaitCourse(NamedTuple):
    """Course of a wait that was not satisfied."""

    satisfied: int
    """Values that met the condition."""
    unsatisfied: int
    """Values that did not, including those that do not count."""
    lowest: float | None
    """Lowest of the numbers among them; None where there was none."""
    highest: float | None
    """Highest of the numbers among them; None where there was none."""
    breaks: int
    """How many times the condition was met, and then no longer."""
    longest: float
    """Seconds of the longest time that the condition was met without a break."""
    broken_at: float | None = None
    """When it was broken last, in seconds of :func:`clock.monotonic`."""
    broken_after: float = 0.0
    """Seconds that the condition had been met by then."""
    broken_by: LiveValue | None = None
    """Value that broke it last; None where events, or the stream, were lost instead."""


class Wait:
    """One wait: it sees every value of an item, and every doubt about the value, as they come.

    It is over when `predicate` has held for `hold` seconds without a break. A value that is not good, null or NaN does
    not satisfy it unless `any_quality`. A value that may be old never does, nor time for which the value is unknown;
    nor, with `mark`, a value that is not new since then.
    """

    def __init__(
        self,
        predicate: Callable[[object], object],
        hold: float,
        any_quality: bool,
        mark: int | None = None,
        *,
        is_joint: bool = False,
    ) -> None:
        """With `is_joint` it sees several items, and `predicate` alone decides: none of their values satisfies it by
        itself."""
        self._is_joint = is_joint
        self._predicate = predicate
        self._hold = hold
        self._any_quality = any_quality
        self._mark = mark
        self._was_shown = False
        # Whether the last one seen is the value held at the beginning, which is not judged yet.
        self._shows_held = False
        self._held_since: float | None = None
        self._course = WaitCourse(0, 0, None, None, 0, 0.0)
        self._counted: tuple[int, float] | None = None
        # Set when it holds, and when that is broken.
        self._turned = asyncio.Event()
        self.seen: deque[LiveValue] = deque(maxlen=_SEEN)
        self.over: asyncio.Future[LiveValue] = asyncio.get_running_loop().create_future()

    def see(self, value: LiveValue) -> None:
        """Judge the item's value, now."""
        if self.over.done():
            return
        self._was_shown = True
        self.seen.append(replace(value))
        self._judge(value)

    def see_past(self, values: Sequence[LiveValue]) -> None:
        """Judge values that came before it began, oldest first, and are over."""
        for value in values:
            if not self.over.done():
                self.seen.append(replace(value))
                self._judge(value)

    def _judge(self, value: LiveValue) -> None:
        try:
            is_met = self._may_satisfy(value) and bool(self._predicate(value.value))
        except (Exception, asyncio.CancelledError) as error:
            # Any error of the predicate is this wait's alone. A future takes no StopIteration.
            self.fail(RuntimeError(f"the predicate raised {error!r}") if isinstance(error, StopIteration) else error)
            return
        self._count(value, is_met)
        if not is_met:
            self.stop(value)
        elif self._hold <= 0:
            self.over.set_result(value)
        elif self._held_since is None:
            self._held_since = clock.monotonic()
            self._turned.set()

    def _count(self, value: LiveValue, is_met: bool) -> None:
        which = value.changes, value.received_at
        if which == self._counted:
            return  # Seen once more, because it is known again to hold.
        self._counted, course = which, self._course
        number = value.value
        if isinstance(number, int | float) and not isinstance(number, bool) and not math.isnan(number):
            course = course._replace(
                lowest=number if course.lowest is None else min(course.lowest, number),
                highest=number if course.highest is None else max(course.highest, number),
            )
        self._course = course._replace(
            satisfied=course.satisfied + is_met, unsatisfied=course.unsatisfied + (not is_met)
        )

    def doubt(self) -> None:
        """Take a doubt about an item: it breaks the time for which the condition has held. With several items it is
        judged again at once, as the others may be enough."""
        self.stop()
        if self._is_joint and self.seen and not self.over.done():
            self._judge(self.seen[-1])

    def stop(self, by: LiveValue | None = None) -> None:
        """Break the time for which the condition has held: it starts again. `by` is the value that broke it, if any."""
        if (since := self._held_since) is not None:
            now, course = clock.monotonic(), self._course
            self._course = course._replace(
                breaks=course.breaks + 1,
                longest=max(course.longest, now - since),
                broken_at=now,
                broken_after=now - since,
                broken_by=None if by is None else replace(by),
            )
            self._held_since = None
            self._turned.set()

    @property
    def course(self) -> WaitCourse:
        """Course of the wait up to now."""
        held = 0.0 if self._held_since is None else clock.monotonic() - self._held_since
        return self._course._replace(longest=max(self._course.longest, held))

    def fail(self, error: BaseException) -> None:
        """End the wait with `error`: no value will come any more."""
        self.stop()
        self._turned.set()
        if not self.over.done():
            self.over.set_exception(error)

    def _may_satisfy(self, value: LiveValue) -> bool:
        if self._is_joint:
            return True
        if value.stale_since is not None or (self._mark is not None and not value.is_new(self._mark)):
            return False
        if self._any_quality:
            return True
        is_nan = isinstance(value.value, float) and math.isnan(value.value)
        return value.quality_word == "good" and value.value is not None and not is_nan

    async def result(
        self,
        tag: str,
        timeout: float,
        until: float,
        latest: Callable[[], LiveValue | None],
        caught_up: Callable[[], Awaitable[None]],
    ) -> LiveValue:
        """Return the value that satisfied it; raise MxGatewayWaitError at `until` by the clock, after `timeout` s.

        `latest` returns the value held; `caught_up` waits until all that has arrived is taken in.
        """
        if (held := latest()) is not None and not self._was_shown:
            self._shows_held = True
            self.seen.append(replace(held))
        looking = asyncio.create_task(self._look(latest, caught_up), name=f"looking at {tag}")
        try:
            async with clock.timeout(until - clock.monotonic()):
                if self._hold > 0:
                    await self._held_long_enough(caught_up)
                return await self.over
        except TimeoutError:
            if self.over.done() and not self.over.cancelled():
                return self.over.result()  # satisfied in the same instant; or raises what the predicate raised
            raise MxGatewayWaitError(
                f"{tag} did not meet the condition within {timeout:g} s: {self._last()}",
                call="wait_for",
                seen=(*self.seen,),
                course=self.course,
            ) from None
        finally:
            self.stop()
            looking.cancel()
            await asyncio.wait([looking])

    async def _look(self, latest: Callable[[], LiveValue | None], caught_up: Callable[[], Awaitable[None]]) -> None:
        """Judge the value that is held at the beginning, where nothing newer has been judged meanwhile."""
        try:
            await caught_up()
            # Once it is over, `seen` stays as it is for the error.
            if not (self._was_shown or self.over.done()) and (held := latest()) is not None:
                if self._shows_held:
                    self.seen.pop()
                self.see(held)
        except Exception as error:
            self.fail(error)

    async def _held_long_enough(self, caught_up: Callable[[], Awaitable[None]]) -> None:
        while not self.over.done():
            since = self._held_since
            left = None if since is None else since + self._hold - clock.monotonic()
            if left is None or left > 0:
                self._turned.clear()
                with suppress(TimeoutError):
                    async with clock.timeout(left):
                        await self._turned.wait()
                continue
            # The process may have been busy, or stopped: what has arrived may have broken it.
            await caught_up()
            if self._held_since == since and not self.over.done():
                self.over.set_result(self.seen[-1])

    def _last(self) -> str:
        if not self.seen:
            return "no value came"
        last = self.seen[-1]
        held = "" if last.stale_since is None else ", stale"
        return f"it is {last.value!r} ({last.quality_word}{held}), {clock.monotonic() - last.received_at:.1f} s old"
