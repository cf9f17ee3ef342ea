"""Leaving nothing in doubt: a write that is interrupted is called unknown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from zb_mom_ww_mxgateway.errors import MxGatewayError


@asynccontextmanager
async def unknown_if_interrupted(call: str, endpoint: str) -> AsyncIterator[None]:
    """Around a call that changes the plant there: raises with ``outcome_unknown`` when it is cancelled."""
    try:
        yield
    except asyncio.CancelledError:
        raise MxGatewayError(
            f"outcome unknown: {call} was interrupted before its answer came",
            endpoint=endpoint,
            call=call,
            outcome_unknown=True,
        ) from None
