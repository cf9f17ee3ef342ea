"""The event loop that a client belongs to: its connections work on no other."""

import asyncio

from zb_mom_ww_mxgateway.errors import MxGatewayTransportError


class HomeLoop:
    """The loop on which this was made."""

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:  # made outside of one, for no call
            self._loop = None

    def check(self, call: str, endpoint: str) -> None:
        """Raises MxGatewayTransportError, with nothing sent, where the call is made on another loop."""
        if self._loop is None or asyncio.get_running_loop() is self._loop:
            return
        what = (
            "belongs to an event loop that is closed (each asyncio.run has its own): connect anew"
            if self._loop.is_closed()
            else "belongs to another event loop: call it there, from a thread with asyncio.run_coroutine_threadsafe"
        )
        raise MxGatewayTransportError(
            f"{call} at {endpoint}: the client {what}; nothing was sent", endpoint=endpoint, call=call
        )
