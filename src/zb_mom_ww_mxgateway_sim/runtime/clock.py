"""Time, injected: the simulator asks a clock for the time and for every wait."""

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime
from typing import Protocol

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Turns of the event loop that a woken sleeper, and what it wakes in turn, need to come to rest.
_TURNS_TO_SETTLE = 12


class TimeSource(Protocol):
    """What the simulator needs of time."""

    def now(self) -> int:
        """UTC, in nanoseconds since 1970."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Returns after so many seconds of this clock; not at all when cancelled."""


class SystemClock:
    """The machine's own time."""

    def now(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ManualClock:
    """A clock that stands still until ``advance`` moves it; for tests that never sleep."""

    def __init__(self, start: datetime = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)) -> None:
        """``start`` is the time of day that ``now`` begins with; it must be aware."""
        if start.tzinfo is None:
            raise ValueError("start must be an aware datetime, e.g. datetime(2026, 1, 5, tzinfo=UTC)")
        self._start = nanoseconds(start)
        self._elapsed = 0
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        return self._start + self._elapsed

    def monotonic(self) -> float:
        return self._elapsed / 1e9

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + round(seconds * 1e9), next(self._order), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        """Moves the time on, waking each sleeper at its own moment, in order, and letting it run."""
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
    """An aware datetime as UTC nanoseconds since 1970, without the rounding of ``timestamp()``."""
    since = moment - _EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1000


def moment(nanos: int) -> datetime:
    """UTC nanoseconds since 1970 as an aware datetime; what is below a microsecond is cut off."""
    seconds, rest = divmod(nanos, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


async def _settle() -> None:
    for _ in range(_TURNS_TO_SETTLE):
        await asyncio.sleep(0)
