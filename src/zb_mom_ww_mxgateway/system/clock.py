"""Clock for ages and time-outs, which counts the time that the machine sleeps.

``time.monotonic()`` stops on Linux during suspend: after an hour's sleep a value would be seconds old. The library
uses this clock for its times (``MxEvent.received_at``, ``LiveValue.received_at`` …): compare them with this clock only.
Until the machine sleeps, both clocks show the same::

    seconds_ago = clock.monotonic() - value.received_at
    async with clock.timeout(10):  # ends after 10 s, even if the machine sleeps
        ...

Tests replace the clock with :func:`replaced`.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

# Seconds between checks for time that the event loop's own clock did not count.
_LOOK = 1.0
# Least seconds of sleep: a smaller difference may come from reading the two clocks one after the other.
_LEAST_SLEEP = 0.5


class Clock(Protocol):
    """Two monotonic clocks, each in seconds since an arbitrary start."""

    def counting(self) -> float:
        """Return the time of the clock that counts sleep."""

    def standing(self) -> float:
        """Return the time of the clock that stops during sleep, if the system has one."""


if sys.platform != "win32":

    class _Named:
        """Two clocks of the system, by their numbers for ``time.clock_gettime``."""

        def __init__(self, counting: int, standing: int) -> None:
            self._counting, self._standing = counting, standing
            # Makes both clocks equal until the machine sleeps.
            self._apart = time.clock_gettime(counting) - time.clock_gettime(standing)

        def counting(self) -> float:
            return time.clock_gettime(self._counting) - self._apart

        def standing(self) -> float:
            return time.clock_gettime(self._standing)


class Windows:
    """Clocks of Windows: ``time.monotonic()`` counts sleep, the unbiased interrupt time does not."""

    def __init__(self) -> None:
        import ctypes  # Needed on Windows only.

        # Checked for Linux the module has no windll; checked for Windows it has, and needs no "ignore".
        kernel: Callable[..., int] = ctypes.windll.kernel32.QueryUnbiasedInterruptTime  # type: ignore[attr-defined, unused-ignore]
        self._query, self._ticks, self._byref = kernel, ctypes.c_ulonglong(), ctypes.byref

    def counting(self) -> float:
        return time.monotonic()

    def standing(self) -> float:
        self._query(self._byref(self._ticks))
        return self._ticks.value / 1e7


class Drifting:
    """Clocks of a system with one monotonic clock, which may or may not count sleep.

    Time by which the time of day got ahead of it counts as sleep. Setting the time of day forward looks the same, and
    only makes values seem older than they are.
    """

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
    """Return ``time.monotonic()`` plus the seconds that the machine slept since this process began."""
    return _clock.counting()


@contextmanager
def replaced(by: Clock) -> Iterator[None]:
    """Replace the clock of this process, for tests. Earlier times are comparable only if the new clock continues the
    system's."""
    global _clock
    before, _clock = _clock, by
    try:
        yield
    finally:
        _clock = before


class Shifted:
    """The system's clock with sleep simulated by :meth:`sleep`, for tests."""

    def __init__(self) -> None:
        self._clock = _clock
        self._slept = 0.0

    def sleep(self, seconds: float) -> None:
        """Simulate that the machine slept for these seconds."""
        self._slept += seconds

    def counting(self) -> float:
        return self._clock.counting() + self._slept

    def standing(self) -> float:
        return self._clock.standing()


class SleepWatch:
    """Time that the machine slept between two checks."""

    def __init__(self) -> None:
        self._counting, self._standing = _clock.counting(), _clock.standing()

    def slept(self) -> float:
        """Return the seconds of sleep since the last check, at first since it was made; 0 without sleep."""
        counting, standing = _clock.counting(), _clock.standing()
        slept = (counting - self._counting) - (standing - self._standing)
        self._counting, self._standing = counting, standing
        return slept if slept >= _LEAST_SLEEP else 0.0


@asynccontextmanager
async def timeout(seconds: float | None) -> AsyncIterator[asyncio.Timeout]:
    """As ``asyncio.timeout()``, but sleep of the machine counts. None: no time-out."""
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
    """As ``asyncio.sleep()``, but sleep of the machine counts."""
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0:  # noqa: ASYNC110 - it waits for time, not for an event
        await asyncio.sleep(min(left, _LOOK))
