"""Whether the gateway of a client has shown that it speaks the client's contract, before anything is changed by it."""

from collections.abc import Awaitable, Callable
from typing import Any

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import (
    MxGatewayAuthorizationError,
    MxGatewayContractError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    readable,
)
from zb_mom_ww_mxgateway.transport.streams import MessageStream

Ask = Callable[[wire.Rpc, Any, str], Awaitable[Any]]
"""Makes a harmless unary call, named for errors, and returns its reply."""


class Agreement:
    """What one gateway has shown of its contract.

    A session that opened by this contract shows it, as does the answer to a command. Numbers that mean something else
    there could turn a write into another command, so nothing that changes the plant goes before that.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self.is_shown: bool = False

    def check_connection(self, reply: Any) -> None:
        """Raise MxGatewayContractError when the reply to the first call does not fit."""
        self._raise_for(wire.misfit_of_connection(reply), "connect", reply)

    def check_opening(self, reply: Any) -> None:
        """Raise MxGatewayContractError when the reply to OpenSession does not fit."""
        self._raise_for(wire.misfit_of_opening(reply), "open_session", reply)

    def check_reply(self, request: Any, reply: Any, call: str, *, mutating: bool) -> None:
        """Raise MxGatewayContractError when the first reply to a command does not fit; later ones are taken as ours."""
        if not self.is_shown:
            self._raise_for(wire.misfit_of_reply(request, reply), call, reply, outcome_unknown=mutating)
            self.is_shown = True

    def check_event(self, event: Any, session_id: str) -> None:
        """Raise MxGatewayContractError when the first event of a stream does not fit."""
        self._raise_for(wire.misfit_of_event(event, session_id), "stream_events", event)

    def check_alarm(self, message: Any, call: str) -> None:
        """Raise MxGatewayContractError when the first message of alarms does not fit."""
        self._raise_for(wire.misfit_of_alarm(message), call, message)

    def check_fit(self, message: Any, call: str, *, mutating: bool = False) -> None:
        """Raise MxGatewayContractError when a message has fields of other types than the contract's."""
        self._raise_for(wire.misfit_of(message), call, message, outcome_unknown=mutating)

    async def prove(
        self, request: Any, call: str, ask: Ask, correlation_id: str, printable: Callable[[str], str]
    ) -> None:
        """Make a session that was opened elsewhere show that it takes commands by this contract.

        Raises what its answer to a ping says. A key that may not ask, and a session that the gateway does not find,
        prove nothing, and pass.
        """
        if self.is_shown:
            return
        ping = wire.command_request(wire.session_of(request), wire.command("ping"), correlation_id)
        try:
            reply = await ask(wire.INVOKE, ping, "ping")
            self._raise_for(wire.misfit_of_reply(ping, reply), "ping", reply)
            # Of a status that means something else there, a write's outcome would be misread.
            wire.raise_for_status(reply, call="ping", printable=printable, endpoint=self._endpoint)
        except MxGatewayAuthorizationError:
            return
        except MxGatewayError as error:
            if isinstance(error, MxGatewaySessionError) and error.grpc_code == "NOT_FOUND":
                # What a ping does not find is not found by another command either.
                return
            hint = "" if wire.COMPARE in str(error) else f"; if that is wrong, {wire.COMPARE}"
            error.args = (readable(f"{call}: nothing was sent: {error}{hint}"),)
            error.call = call
            raise
        self.is_shown = True

    async def prove_alarms(self, call: str, look: Callable[[], MessageStream[Any]]) -> None:
        """Look at an active alarm before one is acknowledged; `look` opens the stream of them.

        A gateway that may not or cannot say proves nothing, and passes, as does one without an active alarm.
        """
        if self.is_shown:
            return
        try:
            async with look() as alarms:
                async for _ in alarms:
                    break
        except MxGatewayError as error:
            is_strange = isinstance(error, MxGatewayContractError) or (
                isinstance(error, MxGatewayTransportError) and error.grpc_code is None
            )
            if is_strange:
                error.args = (readable(f"{call}: nothing was sent: {error}"),)
                raise

    def _raise_for(self, misfit: str, call: str, message: Any, *, outcome_unknown: bool = False) -> None:
        if misfit:
            raise MxGatewayContractError(
                f"{'outcome unknown: ' if outcome_unknown else ''}{call} at {self._endpoint}: "
                f"what the gateway answered makes no sense: {misfit}; {wire.COMPARE}",
                endpoint=self._endpoint,
                call=call,
                reply=message,
                outcome_unknown=outcome_unknown,
            )
