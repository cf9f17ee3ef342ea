"""Listeners to the changes of a live session, each with a bounded queue."""

import asyncio
from collections import deque
from dataclasses import replace
from typing import Self

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.live.values import LiveChange, LiveState


class Changes:
    """The changes of one live session as an async iterator, from when it was made. Made by ``live.changes()``.

    Where they are not read, the oldest changes are dropped, and the next one says how many, in ``dropped``. It ends
    after the change to CLOSED. Cancelling a step loses nothing.
    """

    def __init__(self, queue_size: int) -> None:
        if isinstance(queue_size, bool) or not isinstance(queue_size, int) or queue_size < 1:
            raise MxGatewayArgumentError(f"queue_size must be a whole number of at least 1, not {queue_size!r}")
        self._queue: deque[LiveChange] = deque()
        self._queue_size = queue_size
        self._ready = asyncio.Event()
        self._ended = False
        self._dropped = 0

    def _put(self, change: LiveChange) -> None:
        """Offer a change; never waits."""
        if self._ended:
            return
        if len(self._queue) >= self._queue_size:
            self._dropped += 1
            self._queue.popleft()
        self._queue.append(change)
        self._ended = change.state is LiveState.CLOSED
        self._ready.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> LiveChange:
        while not self._queue:
            if self._ended:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        dropped, self._dropped = self._dropped, 0
        change = self._queue.popleft()
        return replace(change, dropped=dropped) if dropped else change

    def take(self) -> list[LiveChange]:
        """Return all changes that wait, in order; never waits."""
        dropped, self._dropped = self._dropped, 0
        changes = list(self._queue)
        self._queue.clear()
        if changes and dropped:
            changes[0] = replace(changes[0], dropped=dropped)
        return changes

    async def aclose(self) -> None:
        """End it and drop what is queued. Idempotent."""
        self._ended = True
        self._queue.clear()
        self._ready.set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
