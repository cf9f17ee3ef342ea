"""Values of the plant for a connection without a live session: read each time that a decision needs them."""

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeAlias

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.results import ReadResult
from zb_mom_ww_mxgateway.safety.plant_values import FIRST_VALUES_TIMEOUT
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.value_types import DataType, type_of
from zb_mom_ww_mxgateway.values import Array, MxValueOutput

Read: TypeAlias = Callable[[Sequence[str], float], Awaitable[Sequence[ReadResult]]]
"""Reads tags, each within so many seconds, and returns one result a tag, in order."""
_HOLDS_FOR = 5.0
"""Seconds after which a value that was read may not hold any more."""


class ReadPlantValues:
    """Values that are read when they are prepared. The clock of this machine gives their age."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._values: dict[str, LiveValue] = {}

    async def prepare(self, tags: Sequence[str]) -> None:
        """Read the tags, in 5 s at most. It never raises: a tag that cannot be read has no value."""
        for tag in tags:
            self._values.pop(tag_key(tag), None)
        if not tags:
            return
        with suppress(TimeoutError, MxGatewayError):
            async with clock.timeout(FIRST_VALUES_TIMEOUT):
                results = await self._read(tags, FIRST_VALUES_TIMEOUT)
            self._values |= {
                tag_key(tag): _live_value(tag, result)
                for tag, result in zip(tags, results, strict=True)
                if result.was_successful
            }

    def latest(self, tag: str) -> LiveValue | None:
        """Return the value that was read last; None where there is none. It is stale a few seconds later."""
        value = self._values.get(tag_key(tag))
        if value is None or clock.monotonic() - value.received_at < _HOLDS_FOR:
            return value
        return replace(value, stale_since=value.received_at)


def _live_value(tag: str, result: ReadResult) -> LiveValue:
    return LiveValue(
        tag,
        result.value,
        result.quality,
        _data_type(result.value),
        "",
        result.statuses,
        result.source_time_ns,
        changes=0,
        received_at=clock.monotonic(),
        age_when_received=(time.time_ns() - result.source_time_ns) / 1e9 if result.source_time_ns else 0.0,
    )


def _data_type(value: MxValueOutput) -> DataType | int:
    """Return the type of the tag, which a read does not tell, as its value shows it."""
    if isinstance(value, Array):
        return value.element_type
    spec = type_of(value)
    return spec.tag_types[0] if spec and spec.tag_types else DataType.UNSPECIFIED
