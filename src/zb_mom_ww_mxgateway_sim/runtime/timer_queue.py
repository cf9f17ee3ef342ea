"""What is to happen later: one heap of appointments and one task, however many items wait."""

import asyncio
import heapq
from collections.abc import Callable

from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource

# A clock of whole nanoseconds read as a float can fall short of a due time by its rounding.
_CLOSE_ENOUGH = 1e-6


class Timer:
    """One action at one time; ``cancel`` makes it never happen."""

    __slots__ = ("action", "due", "order")

    def __init__(self, due: float, order: int, action: Callable[[], None] | None) -> None:
        self.due: float = due
        self.order: int = order
        self.action = action

    def __lt__(self, other: "Timer") -> bool:
        return (self.due, self.order) < (other.due, other.order)

    def cancel(self) -> None:
        """Forgets the action; a second time it does nothing."""
        self.action = None


class TimerQueue:
    """Runs appointments in the order of their times, those of one time in the order they were made."""

    def __init__(self, clock: TimeSource) -> None:
        self._clock = clock
        self._heap: list[Timer] = []
        self._made = 0
        self._earlier = asyncio.Event()

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Calls ``action`` so many seconds from now; never within this call."""
        self._made += 1
        timer = Timer(self._clock.monotonic() + seconds, self._made, action)
        heapq.heappush(self._heap, timer)
        if self._heap[0] is timer:
            self._earlier.set()
        return timer

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Calls ``action`` at this period for as long as the agenda runs, without drift."""
        due = self._clock.monotonic()

        def again() -> None:
            nonlocal due
            action()
            # After a pause of the whole machine: no burst to catch up.
            due = max(due + seconds, self._clock.monotonic() - seconds)
            self.after(due - self._clock.monotonic(), again)

        due += seconds
        self.after(seconds, again)

    async def run(self) -> None:
        """Runs until cancelled; an action that raises ends it with that exception."""
        while True:
            self._earlier.clear()
            self._run_due()
            if not self._heap:
                await self._earlier.wait()
            else:
                await self._sleep(self._heap[0].due - self._clock.monotonic())

    def _run_due(self) -> None:
        heap = self._heap
        while heap and (heap[0].action is None or heap[0].due <= self._clock.monotonic() + _CLOSE_ENOUGH):
            action = heapq.heappop(heap).action
            if action is not None:
                action()

    async def _sleep(self, seconds: float) -> None:
        """Sleeps so long, or until an earlier appointment is made."""
        if self._earlier.is_set():
            return
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        earlier = asyncio.ensure_future(self._earlier.wait())
        try:
            await asyncio.wait((sleeping, earlier), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            earlier.cancel()
            await asyncio.gather(sleeping, earlier, return_exceptions=True)
