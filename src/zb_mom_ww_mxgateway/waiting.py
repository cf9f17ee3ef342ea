"""Waiting for a value to be as wished, on the event stream."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from zb_mom_ww_mxgateway.errors import MxGatewayWaitError
from zb_mom_ww_mxgateway.live_values import LiveValue

# So many values are shown when a wait fails.
_SEEN = 20
# Seconds between looks for what has come but was not yet seen.
_CATCH_UP = 0.005


class Wait:
    """One wait: shown every value of an item, and every loss of certainty, as they come.

    Over when `predicate` has held for `hold` seconds without a break. A value that is not good, null or NaN
    does not satisfy it unless `any_quality`; nor does one that may be old, or a time of which nothing is known.
    """

    def __init__(
        self,
        predicate: Callable[[object], object],
        hold: float,
        any_quality: bool,
        behind_since: Callable[[], float | None] = lambda: None,
    ) -> None:
        """`behind_since` tells when the oldest event came that is still to be shown, in monotonic seconds."""
        self._predicate = predicate
        self._hold = hold
        self._any_quality = any_quality
        self._behind_since = behind_since
        self._loop = asyncio.get_running_loop()
        self._held: asyncio.TimerHandle | None = None
        self.seen: deque[LiveValue] = deque(maxlen=_SEEN)
        self.over: asyncio.Future[LiveValue] = self._loop.create_future()

    def see(self, value: LiveValue) -> None:
        """The item's value, now."""
        if self.over.done():
            return
        self.seen.append(replace(value))
        try:
            wished = self._may_satisfy(value) and bool(self._predicate(value.value))
        except (Exception, asyncio.CancelledError) as error:
            # Whatever it is, it is this wait's alone. No future takes a StopIteration.
            self.fail(RuntimeError(f"the predicate raised {error!r}") if isinstance(error, StopIteration) else error)
            return
        if not wished:
            self.stop()
        elif self._hold <= 0:
            self.over.set_result(value)
        elif self._held is None:
            self._held = self._loop.call_later(self._hold, self._satisfied, time.monotonic() + self._hold)

    def stop(self) -> None:
        """What held so far does not count any more: it must hold anew."""
        if self._held is not None:
            self._held.cancel()
            self._held = None

    def fail(self, error: BaseException) -> None:
        """No value will come any more."""
        self.stop()
        if not self.over.done():
            self.over.set_exception(error)

    def _satisfied(self, at: float) -> None:
        behind = self._behind_since()
        if behind is not None and behind <= at:
            # The loop was busy: what came by then may have broken it.
            self._held = self._loop.call_later(_CATCH_UP, self._satisfied, at)
        elif not self.over.done():
            self.over.set_result(self.seen[-1])

    def _may_satisfy(self, value: LiveValue) -> bool:
        if value.stale_since is not None:
            return False
        if self._any_quality:
            return True
        is_nan = isinstance(value.value, float) and math.isnan(value.value)
        return value.quality_word == "good" and value.value is not None and not is_nan

    async def result(self, tag: str, timeout: float, until: float) -> LiveValue:
        """The value that satisfied it; raises MxGatewayWaitError at `until` in the loop's time, after `timeout`
        seconds."""
        try:
            async with asyncio.timeout_at(until):
                return await self.over
        except TimeoutError:
            if self.over.done() and not self.over.cancelled():
                return self.over.result()  # it came in the same instant; or raises the predicate's own
            raise MxGatewayWaitError(
                f"{tag} was not as wished within {timeout:g} s: {self._last()}",
                call="wait_for",
                seen=(*self.seen,),
            ) from None
        finally:
            self.stop()

    def _last(self) -> str:
        if not self.seen:
            return "no value came"
        last = self.seen[-1]
        held = "" if last.stale_since is None else ", stale"
        return f"it is {last.value!r} ({last.quality_word}{held}), {time.monotonic() - last.received_at:.1f} s old"
