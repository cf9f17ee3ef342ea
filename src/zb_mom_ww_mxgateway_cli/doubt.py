"""Leaving nothing in doubt when a command is interrupted: sessions get closed, writes are called unknown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, Session

CLOSE_TIMEOUT = 10.0
"""Seconds a session gets to close, whatever happened before."""


async def open_session(client: "GatewayClient", name: str) -> "Session":
    """Opens a session. When cancelled it waits for the gateway's answer, for a while, and closes the session."""
    from zb_mom_ww_mxgateway import OpenSessionOptions

    opening = asyncio.ensure_future(client.open_session(OpenSessionOptions(client_session_name=name)))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # The gateway opens it all the same, and only its id can close it before the lease runs out.
        with suppress(MxGatewayError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await (await opening).close()
        raise


@asynccontextmanager
async def unknown_if_interrupted(call: str) -> AsyncIterator[None]:
    """Around a call that changes the plant: raises with ``outcome_unknown`` when it is cancelled."""
    try:
        yield
    except asyncio.CancelledError:
        raise MxGatewayError(
            f"outcome unknown: {call} was interrupted before its answer came", call=call, outcome_unknown=True
        ) from None
