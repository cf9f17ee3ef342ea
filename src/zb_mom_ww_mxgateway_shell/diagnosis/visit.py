"""A read that leaves the session as it was."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Reading

READ_SECONDS = 12.0
"""Seconds; longer than the first contact with a tag takes on a real gateway."""
_LEAVE_SECONDS = 3.0


async def visited(connected: GatewayConnection, address: str) -> "Reading":
    """Read an address and restore everything; raises the library's errors, or TimeoutError."""
    session = connected.live.session
    own: int | None = None
    try:
        async with asyncio.timeout(READ_SECONDS):
            server = next(iter(session.handles.servers), None)
            if server is None:
                server = own = await session.register("mxgw-shell why")
            (reading,) = await connected.live.read([address], server, timeout=READ_SECONDS - 2)
        return reading
    finally:
        if own is not None:
            with suppress(MxGatewayError, TimeoutError):
                async with asyncio.timeout(_LEAVE_SECONDS):
                    await session.unregister(own)
