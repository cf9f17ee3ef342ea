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
_CHECK_SECONDS = 1.0
# Least seconds of sleep: a smaller difference may come from reading the two clocks one after the other.
_LEAST_SLEEP_SECONDS = 0.5


class Clock(Protocol):
    """Two monotonic clocks, each in seconds since an arbitrary start."""

    def with_sleep(self) -> float:
        """Return the time of the clock that counts sleep."""

    def without_sleep(self) -> float:
        """Return the time of the clock that stops during sleep, if the system has one."""


if sys.platform != "win32":

    class _SystemClocks:
        """Two clocks of the system, by their numbers for ``time.clock_gettime``."""

        def __init__(self, with_sleep: int, without_sleep: int) -> None:
            self._with_sleep, self._without_sleep = with_sleep, without_sleep
            # Makes both clocks equal until the machine sleeps.
            self._apart = time.clock_gettime(with_sleep) - time.clock_gettime(without_sleep)

        def with_sleep(self) -> float:
            return time.clock_gettime(self._with_sleep) - self._apart

        def without_sleep(self) -> float:
            return time.clock_gettime(self._without_sleep)


class WindowsClocks:
    """Clocks of Windows: ``time.monotonic()`` counts sleep, the unbiased interrupt time does not."""

    def __init__(self) -> None:
        import ctypes  # Needed on Windows only.

        # Checked for Linux the module has no windll; checked for Windows it has, and needs no "ignore".
        kernel: Callable[..., int] = ctypes.windll.kernel32.QueryUnbiasedInterruptTime  # type: ignore[attr-defined, unused-ignore]
        self._query, self._ticks, self._byref = kernel, ctypes.c_ulonglong(), ctypes.byref

    def with_sleep(self) -> float:
        return time.monotonic()

    def without_sleep(self) -> float:
        self._query(self._byref(self._ticks))
        return self._ticks.value / 1e7


class EstimatedClocks:
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

    def with_sleep(self) -> float:
        without_sleep = self._monotonic()
        apart = self._of_day() - without_sleep
        if apart - self._apart > _LEAST_SLEEP_SECONDS:
            self._slept += apart - self._apart
        self._apart = apart
        return without_sleep + self._slept

    def without_sleep(self) -> float:
        return self._monotonic()


def _system_clock() -> Clock:
    if sys.platform != "win32":
        if hasattr(time, "CLOCK_BOOTTIME"):
            return _SystemClocks(time.CLOCK_BOOTTIME, time.CLOCK_MONOTONIC)
        if hasattr(time, "CLOCK_UPTIME_RAW"):  # macOS, whose CLOCK_MONOTONIC counts sleep
            return _SystemClocks(time.CLOCK_MONOTONIC, time.CLOCK_UPTIME_RAW)
        return EstimatedClocks()
    return WindowsClocks()


_clock: Clock = _system_clock()


def monotonic() -> float:
    """Return ``time.monotonic()`` plus the seconds that the machine slept since this process began."""
    return _clock.with_sleep()


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


class SimulatedSleep:
    """The system's clock with sleep simulated by :meth:`sleep`, for tests."""

    def __init__(self) -> None:
        self._clock = _clock
        self._slept = 0.0

    def sleep(self, seconds: float) -> None:
        """Simulate that the machine slept for these seconds."""
        self._slept += seconds

    def with_sleep(self) -> float:
        return self._clock.with_sleep() + self._slept

    def without_sleep(self) -> float:
        return self._clock.without_sleep()


class SleepWatch:
    """Time that the machine slept between two checks."""

    def __init__(self) -> None:
        self._with_sleep, self._without_sleep = _clock.with_sleep(), _clock.without_sleep()

    def slept(self) -> float:
        """Return the seconds of sleep since the last check, at first since it was made; 0 without sleep."""
        with_sleep, without_sleep = _clock.with_sleep(), _clock.without_sleep()
        slept = (with_sleep - self._with_sleep) - (without_sleep - self._without_sleep)
        self._with_sleep, self._without_sleep = with_sleep, without_sleep
        return slept if slept >= _LEAST_SLEEP_SECONDS else 0.0


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
                looking = loop.call_later(min(left, _CHECK_SECONDS), look)

        looking = loop.call_later(min(seconds, _CHECK_SECONDS), look)
        try:
            yield limit
        finally:
            looking.cancel()


async def sleep(seconds: float) -> None:
    """As ``asyncio.sleep()``, but sleep of the machine counts."""
    until = monotonic() + seconds
    while (left := until - monotonic()) > 0:  # noqa: ASYNC110 - it waits for time, not for an event
        await asyncio.sleep(min(left, _CHECK_SECONDS))
