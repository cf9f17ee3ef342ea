"""Deployments of the galaxy: the last one, and the watchers of the next."""

import asyncio
from collections.abc import AsyncGenerator

from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import StreamEnded

# From the deployment of the galaxy to the start of the gateway.
_BEFORE_START_NS = 3_600_000_000_000


class Deployment:
    """Sequence number and time of the last deployment, and the wait for the next."""

    def __init__(self, clock: TimeSource) -> None:
        self._clock = clock
        self.sequence: int = 1
        self._starts = 1
        # Whether the galaxy's database answers.
        self.reachable = True
        self.time_ns: int | None = clock.now() - _BEFORE_START_NS
        self._changed = asyncio.Event()
        self._closed = False

    def redeploy(self) -> None:
        """Deploy the galaxy again, now."""
        self.sequence += 1
        self.time_ns = self._clock.now()
        self._notify()

    def restarted(self) -> None:
        """Count from 1 again, and make all page tokens invalid, as a restart of the gateway does."""
        self.sequence = 1
        self._starts += 1

    @property
    def cache(self) -> str:
        """State of the galaxy that a page token is valid for."""
        return f"{self._starts}.{self.sequence}"

    def close(self) -> None:
        """End every watch."""
        self._closed = True
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def watch(self) -> AsyncGenerator[int, None]:
        """Yield the current sequence number, then each later one. Raise StreamEnded when the gateway shuts down."""
        seen = 0
        while True:
            while seen == self.sequence and not self._closed:
                await self._changed.wait()
            if self._closed:
                raise StreamEnded("UNAVAILABLE", "the gateway shuts down")
            seen = self.sequence if seen == 0 else seen + 1
            yield seen
