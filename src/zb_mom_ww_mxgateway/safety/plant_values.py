"""The plant's values that decisions about writes go by."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS, MxGatewayError
from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.session import LiveSession

FIRST_VALUES_TIMEOUT = 5.0
"""Seconds to wait for the first values of tags."""
_BEHIND = 0.1
"""Seconds by which a value may be behind what has arrived at this machine. A data change takes as long to get there; a
round trip before each write would take longer than the write."""
_WRITE_SHOWS_WITHIN = 1.0
"""Seconds that a written tag gets to show its value after the write has ended; a data change takes about 100 ms."""


class PlantValues(Protocol):
    """The latest value of every tag that a decision needs."""

    async def prepare(self, tags: Sequence[str]) -> None:
        """Have these tags reported from now on, and wait a limited time for their values.

        It never raises: a tag that cannot be had, or not in time, has no value.
        """
        ...

    def latest(self, tag: str) -> LiveValue | None:
        """Return the latest value of a tag; None where there is none. It is stale if it may not hold any more."""
        ...


class LivePlantValues:
    """The values of a live session. An element such as ``Obj.Arr[3]`` is an item of its own."""

    def __init__(self, live: "LiveSession") -> None:
        self._live = live
        self._doubtful_since: float | None = None

    async def prepare(self, tags: Sequence[str]) -> None:
        """Advise the tags that are not, in one call, and take in all that has arrived; wait 5 s at most.

        A tag that was written waits a moment until it shows the write.
        """
        if not tags:
            return
        asked_at = clock.monotonic()
        is_sure = self._live.heard_within(_BEHIND)
        if not (is_sure and all(map(self._is_there, tags))):
            with suppress(TimeoutError):
                async with clock.timeout(FIRST_VALUES_TIMEOUT):
                    with suppress(MxGatewayError):
                        await self._live.advise_tags(list(tags), timeout=FIRST_VALUES_TIMEOUT)
                    is_sure = await self._live.caught_up(timeout=FIRST_VALUES_TIMEOUT)
                    while self._live.state is LiveState.LIVE and any(map(self._is_due, tags)):
                        with suppress(TimeoutError):
                            async with clock.timeout(_WRITE_SHOWS_WITHIN):
                                await self._live.changed()
        self._doubtful_since = None if is_sure else asked_at

    def latest(self, tag: str) -> LiveValue | None:
        """Return the latest value of a tag; stale if the gateway did not confirm it when it was prepared, and from the
        sending of a write to the tag until that shows."""
        item = self._live.session.handles.find(tag)
        if item is None:
            return None
        value = self._live.latest(*item.key)
        if value is None or value.stale_since is not None:
            return value
        since = self._doubtful_since
        if since is not None and value.received_at < since:
            return replace(value, stale_since=since)
        written = self._written_at(item)
        return value if written is None else replace(value, stale_since=written)

    def _is_there(self, tag: str) -> bool:
        """Return whether a tag is reported and has a value that no newer one is about to replace."""
        item = self._live.session.handles.find(tag)
        return item is not None and item.advised and not self._is_item_due(item)

    def _is_due(self, tag: str) -> bool:
        """Return whether a newer value of a tag is about to come: its first one, or one after a write."""
        item = self._live.session.handles.find(tag)
        return item is not None and item.advised and self._is_item_due(item)

    def _is_item_due(self, item: Item) -> bool:
        return self._live.latest(*item.key) is None or self._written_at(item) is not None

    def _written_at(self, item: Item) -> float | None:
        """Return when an item was written if the value held is from before it; None if it is not.

        That ends with time: an object may reset what was written before any change is reported, and a completion may
        never come.
        """
        written = self._live.unseen_write(*item.key)
        if written is None:
            return None
        ended_at = written.at + COMMAND_SECONDS if written.ended_at is None else written.ended_at
        return None if clock.monotonic() - ended_at > _WRITE_SHOWS_WITHIN else written.at
