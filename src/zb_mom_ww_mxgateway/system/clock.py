"""The clock for ages, time-outs and doubt: its seconds go on while the machine sleeps.

``time.monotonic()`` stands still on Linux during suspend: after an hour's sleep a value would be seconds old. So the
library, and whoever compares with its times (``MxEvent.received_at``, ``LiveValue.received_at`` …), asks here. Until
the machine sleeps, both clocks show the same::

    seconds_ago = clock.monotonic() - value.received_at
    async with clock.timeout(10):  # over in 10 s, also when the machine sleeps meanwhile
        ...

Tests put a clock of their own in its place with :func:`replaced`.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

# Seconds between looks whether time has passed that the event loop's own clock did not count.
_LOOK = 1.0
# Seconds of sleep that are worth noticing: below, the two clocks may just have been read apart.
_LEAST_SLEEP = 0.5


class Clock(Protocol):
    """Two monotonic clocks, in seconds from an arbitrary start each."""

    def counting(self) -> float:
        """Goes on while the machine sleeps."""

    def standing(self) -> float:
        """Stands still while the machine sleeps, where the system has such a clock."""


if sys.platform != "win32":

    class _Named:
        """Two clocks of the system by their numbers, for ``time.clock_gettime``."""

        def __init__(self, counting: int, standing: int) -> None:
            self._counting, self._standing = counting, standing
            # So that both are the same until the machine sleeps.
            self._apart = time.clock_gettime(counting) - time.clock_gettime(standing)

        def counting(self) -> float:
            return time.clock_gettime(self._counting) - self._apart

        def standing(self) -> float:
            return time.clock_gettime(self._standing)


class Windows:
    """``time.monotonic()`` counts sleep on Windows; the unbiased interrupt time does not."""

    def __init__(self) -> None:
        import ctypes  # Of Windows only.

        # Checked for Linux the module has no windll; checked for Windows it has, and needs no "ignore".
        kernel: Callable[..., int] = ctypes.windll.kernel32.QueryUnbiasedInterruptTime  # type: ignore[attr-defined, unused-ignore]
        self._query, self._ticks, self._byref = kernel, ctypes.c_ulonglong(), ctypes.byref

    def counting(self) -> float:
        return time.monotonic()

    def standing(self) -> float:
        self._query(self._byref(self._ticks))
        return self._ticks.value / 1e7


class Drifting:
    """For a system with one monotonic clock, of which nobody knows whether it counts sleep: what the time of day has
    gone ahead of it between two looks counts as slept. A day's clock that is set forward looks the same, which only
    makes values older than they are."""

    def __init__(
        self, monotonic: Callable[[], float] = time.monotonic, of_day: Callable[[], float] = time.time
    ) -> None:
        self._monotonic, self._of_day = monotonic, of_day
        self._apart = of_day() - monotonic()
        self._slept = 0.0

    def counting(self) -> float:
        standing = self._monotonic()
        apart = self._of_day() - standing
        if apart - self._apart > _LEAST_SLEEP:
            self._slept += apart - self._apart
        self._apart = apart
        return standing + self._slept

    def standing(self) -> float:
        return self._monotonic()


def _of_this_system() -> Clock:
    if sys.platform != "win32":
        if hasattr(time, "CLOCK_BOOTTIME"):
            return _Named(time.CLOCK_BOOTTIME, time.CLOCK_MONOTONIC)
        if hasattr(time, "CLOCK_UPTIME_RAW"):  # macOS, whose CLOCK_MONOTONIC counts sleep
            return _Named(time.CLOCK_MONOTONIC, time.CLOCK_UPTIME_RAW)
        return Drifting()
    return Windows()


_clock: Clock = _of_this_system()


def monotonic() -> float:
    """As ``time.monotonic()``, and the seconds that the machine has slept since this process began."""
    return _clock.counting()


@contextmanager
def replaced(by: Clock) -> Iterator[None]:
    """For tests: another clock for this process, while it is open. What was timed before means nothing to it, unless it
    goes on from the system's clock."""
    global _clock
    before, _clock = _clock, by
    try:
        yield
    finally:
        _clock = before


class Shifted:
    """For tests: the system's clock, with sleep made up by :meth:`sleep`."""

    def __init__(self) -> None:
        self._clock = _clock
        self._slept = 0.0

    def sleep(self, seconds: float) -> None:
        """The machine has slept for so long, as far as anybody can tell."""
        self._slept += seconds

    def counting(self) -> float:
        return self._clock.counting() + self._slept

    def standing(self) -> float:
        return self._clock.standing()


class SleepWatch:
    """Tells how long the machine slept between two looks."""

    def __init__(self) -> None:
        self._counting, self._standing = _clock.counting(), _clock.standing()

    def slept(self) -> float:
        """Seconds slept since the last look, or since it was made; 0 where it was awake."""
        counting, standing = _clock.counting(), _clock.standing()
        slept = (counting - self._counting) - (standing - self._standing)
        self._counting, self._standing = counting, standing
        return slept if slept >= _LEAST_SLEEP else 0.0


@asynccontextmanager
async def timeout(seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
    """As ``asyncio.timeout()``; but seconds in which the machine sleeps count, too. None: without an end."""
    async with asyncio.timeout(seconds if seconds is None or seconds <= 0 else None) as limit:
        if seconds is None or seconds <= 0:
            yield limit
            return
        loop, until = asyncio.get_running_loop(), monotonic() + seconds
        looking: asyncio.TimerHandle

        def look() -> None:
            nonlocal looking
            left = until - monotonic()
            if left <= 0:
                if not limit.expired():
                    limit.reschedule(loop.time())
            else:
                looking = loop.call_later(min(left, _LOOK), look)

        looking = loop.call_later(min(seconds, _LOOK), look)
        try:
            yield limit
        finally:
            looking.cancel()


async def sleep(seconds: float) -> None:
    """As ``asyncio.sleep()``; but seconds in which the machine sleeps count, too."""
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0:  # noqa: ASYNC110 - what passes is time
        await asyncio.sleep(min(left, _LOOK))
