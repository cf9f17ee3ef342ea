"""Questions to the galaxy whose answers only help: what needs them goes on without, after a moment."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayTransportError
from zb_mom_ww_mxgateway.system import clock

_SECONDS = 2.0
"""Seconds that a question waits for its answer."""
_PAUSE_SECONDS = 10.0
"""Seconds before a galaxy that did not answer is asked again."""

T = TypeVar("T")


class BriefGalaxy:
    """The galaxy behind one connection, where it answers soon. Its database may hang while everything else answers."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._rests_until = float("-inf")
        """Until when it is not asked: monotonic seconds."""

    async def answer(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what `ask` returns, within two seconds.

        Raises its errors; MxGatewayTransportError after that time, and at once for some seconds more.
        """
        if clock.monotonic() < self._rests_until:
            raise self._silent()
        try:
            async with clock.timeout(_SECONDS):
                return await ask()
        except TimeoutError:
            self._rest()
            raise self._silent() from None
        except MxGatewayError as error:
            if error.grpc_code == "DEADLINE_EXCEEDED":
                self._rest()
            raise

    def _rest(self) -> None:
        self._rests_until = clock.monotonic() + _PAUSE_SECONDS

    def _silent(self) -> MxGatewayTransportError:
        return MxGatewayTransportError(
            f"the galaxy of {self._endpoint} does not answer within {_SECONDS:g} s",
            endpoint=self._endpoint,
            grpc_code="DEADLINE_EXCEEDED",
        )
