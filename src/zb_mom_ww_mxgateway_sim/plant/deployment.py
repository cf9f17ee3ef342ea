"""When the galaxy was deployed last, and who waits to hear of the next time."""

import asyncio
from collections.abc import AsyncGenerator

from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import StreamEnded

# The galaxy was deployed so long before the gateway started.
_BEFORE_START_NS = 3_600_000_000_000


class Deployment:
    """The number of the deployment seen, its time, and changes of it."""

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
        """The galaxy is deployed again, now."""
        self.sequence += 1
        self.time_ns = self._clock.now()
        self._notify()

    def restarted(self) -> None:
        """The gateway started anew: it counts from 1 again, and knows none of its old page tokens."""
        self.sequence = 1
        self._starts += 1

    @property
    def cache(self) -> str:
        """What a page token is good for."""
        return f"{self._starts}.{self.sequence}"

    def close(self) -> None:
        """Ends every watch."""
        self._closed = True
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def watch(self) -> AsyncGenerator[int, None]:
        """The present sequence number, then each later one; Ended when the gateway shuts down."""
        seen = 0
        while True:
            while seen == self.sequence and not self._closed:
                await self._changed.wait()
            if self._closed:
                raise StreamEnded("UNAVAILABLE", "the gateway shuts down")
            seen = self.sequence if seen == 0 else seen + 1
            yield seen
