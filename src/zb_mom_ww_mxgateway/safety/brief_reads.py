"""Reads before a write, which must not hold it up: what does not come at once stays unknown."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.system import clock

_Reading = TypeVar("_Reading")
_FEWEST, _MOST = 4, 1_000
"""Tags of one call: at first, and at most."""
_QUICK = 0.1
"""Seconds of a quick call. The next one has twice as many tags; after a slower one it has half as many."""


async def brief_reads(
    tags: Sequence[str], read: Callable[[Sequence[str], float], Awaitable[Sequence[_Reading]]], seconds: float
) -> dict[str, _Reading]:
    """Return by tag what `read` returned within so many seconds. It never raises an error of the library.

    The gateway goes on with a call that is given up here, and the write waits behind it. So a call has few tags until
    one was quick, and these share the time that is left; none begins in the second half of the time, and no tag may
    take longer than that half.
    """
    found: dict[str, _Reading] = {}
    end = clock.monotonic() + seconds
    count, last_begin = _FEWEST, end - seconds / 2
    with suppress(MxGatewayError, TimeoutError):
        async with clock.timeout(seconds):
            rest = tags
            while rest and (began := clock.monotonic()) < last_begin:
                asked, rest = rest[:count], rest[count:]
                patience = min((end - began) / len(asked), seconds / 2) if count == _FEWEST else seconds / 2
                found.update(zip(asked, await read(asked, patience), strict=True))
                is_quick = clock.monotonic() - began <= _QUICK
                count = min(2 * count, _MOST) if is_quick else max(count // 2, _FEWEST)
    return found
