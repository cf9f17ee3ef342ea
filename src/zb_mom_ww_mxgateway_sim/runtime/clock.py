"""Injected time: the simulator asks a clock for the time and for every wait."""

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Turns of the event loop in which a woken sleeper, and all tasks that it wakes in turn, settle.
_TURNS_TO_SETTLE = 12


class TimeSource(Protocol):
    """A clock as the simulator needs it."""

    def now(self) -> int:
        """Return the time in UTC nanoseconds since 1970."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start. They never go back."""

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds of this clock. Cancelling ends the wait."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        """Return the time in UTC nanoseconds since 1970."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until ``advance`` moves it; for tests that never sleep."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)) -> None:
        """Stand still at ``start``. Raise ValueError unless it is aware."""
        if start.tzinfo is None:
            raise ValueError("start must be an aware datetime, e.g. datetime(2026, 1, 5, tzinfo=UTC)")
        self._start = nanoseconds(start)
        self._elapsed = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """Return the time in UTC nanoseconds since 1970."""
        return self._start + self._elapsed

    def monotonic(self) -> float:
        """Return the seconds by which the clock has advanced."""
        return self._elapsed / 1e9

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has advanced by that many seconds."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + round(seconds * 1e9), next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Advance the time. Each sleeper wakes at its own time, in order, and runs before the next."""
        if seconds < 0:
            raise ValueError("a clock cannot go back")
        target = self._elapsed + round(seconds * 1e9)
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= target:
            due, _, woken = heapq.heappop(self._sleepers)
            if woken.done():
                continue
            self._elapsed = max(self._elapsed, due)
            woken.set_result(None)
            await _settle()
        self._elapsed = target
        await _settle()


def nanoseconds(moment: datetime) -> int:
    """Return an aware datetime as UTC nanoseconds since 1970, without the rounding of ``timestamp()``."""
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def moment(nanos: int) -> datetime:
    """Return UTC nanoseconds since 1970 as an aware datetime, truncated to microseconds."""
    seconds, rest = divmod(nanos, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


async def _settle() -> None:
    for _ in range(_TURNS_TO_SETTLE):
        await asyncio.sleep(0)
