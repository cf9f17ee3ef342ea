"""Timers: one heap and one task for all of them, however many there are."""

import asyncio
import heapq
from collections.abc import Callable

from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource

# The float of a clock of whole nanoseconds can be below a due time by its rounding.
_CLOSE_ENOUGH = 1e-6


class Timer:
    """One action at one time, unless ``cancel`` is called."""

    __slots__ = ("action", "due", "order")

    def __init__(self, due: float, order: int, action: Callable[[], None] | None) -> None:
        self.due: float = due
        self.order: int = order
        self.action = action

    def __lt__(self, other: "Timer") -> bool:
        return (self.due, self.order) < (other.due, other.order)

    def cancel(self) -> None:
        """Drop the action. Idempotent."""
        self.action = None


class TimerQueue:
    """Runs timers in the order of their times, and those of one time in the order in which they were made."""

    def __init__(self, clock: TimeSource) -> None:
        self._clock = clock
        self._heap: list[Timer] = []
        self._made = 0
        self._earlier = asyncio.Event()

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Call ``action`` that many seconds from now, but never within this call."""
        self._made += 1
        timer = Timer(self._clock.monotonic() + seconds, self._made, action)
        heapq.heappush(self._heap, timer)
        if self._heap[0] is timer:
            self._earlier.set()
        return timer

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Call ``action`` at this period, without drift, for as long as the queue runs."""
        due = self._clock.monotonic()

        def again() -> None:
            nonlocal due
            action()
            # After a pause of the whole machine there must be no burst of calls.
            due = max(due + seconds, self._clock.monotonic() - seconds)
            self.after(due - self._clock.monotonic(), again)

        due += seconds
        self.after(seconds, again)

    async def run(self) -> None:
        """Run until cancelled. An action that raises ends the run with its exception."""
        while True:
            self._earlier.clear()
            self._run_due()
            if not self._heap:
                await self._earlier.wait()
            else:
                await self._sleep(self._heap[0].due - self._clock.monotonic())

    def _run_due(self) -> None:
        heap = self._heap
        # Those that are due by now, and no later ones: with actions slower than their period that would never end.
        until = self._clock.monotonic() + _CLOSE_ENOUGH
        while heap and (heap[0].action is None or heap[0].due <= until):
            action = heapq.heappop(heap).action
            if action is not None:
                action()

    async def _sleep(self, seconds: float) -> None:
        """Sleep that long, or until an earlier timer is made."""
        if self._earlier.is_set():
            # Everything else has its turn first.
            await asyncio.sleep(0)
            return
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        earlier = asyncio.ensure_future(self._earlier.wait())
        try:
            await asyncio.wait((sleeping, earlier), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            earlier.cancel()
            await asyncio.gather(sleeping, earlier, return_exceptions=True)
