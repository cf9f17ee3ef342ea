"""How a session's commands are sent: the common ground of the groups of calls."""

from typing import Any

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewaySessionError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.transport.calls import Transport


class Commands:
    """A session's way to its gateway."""

    def __init__(self, transport: Transport, session_id: str) -> None:
        self.transport = transport
        self._session_id = session_id
        self._closed = False

    def request(self, kind: str, **fields: Any) -> pb.MxCommandRequest:
        """A request of this session for a command kind (``add_item``), with a correlation id of its own."""
        return wire.command_request(
            self._session_id, wire.command(kind, **fields), self.transport.next_correlation_id()
        )

    def repeat(self, command: Any) -> pb.MxCommandRequest:
        """A request of this session for a command (a message) that was sent before."""
        return wire.command_request(self._session_id, command, self.transport.next_correlation_id())

    async def send(self, request: pb.MxCommandRequest, *, timeout: float | None = None) -> pb.MxCommandReply:
        """Sends a request of this session and raises what its reply says; returns an OK reply.

        A password in the request never stands in the error, even if the gateway quotes it. `timeout` is in seconds;
        without one it is ``ClientOptions.call_timeout``.
        """
        kind = wire.kind_name(request)
        self._check_open(kind)
        reply = await self.transport.invoke(request, timeout=timeout)
        known = {"endpoint": self.transport.options.endpoint, "correlation_id": wire.correlation_of(request)}
        wire.raise_for_status(
            reply,
            call=kind,
            said=lambda text: self.transport.said(text, wire.secret_of(request)),
            mutating=wire.is_mutating(request),
            **known,
        )
        wire.raise_for_contradiction(request, reply, **known)
        return reply

    async def _run(self, kind: str, *, timeout: float | None, **fields: Any) -> pb.MxCommandReply:
        return await self.send(self.request(kind, **fields), timeout=timeout)

    def _check_open(self, call: str) -> None:
        if self._closed:
            raise MxGatewaySessionError(
                f"{call}: {self._session_id} was closed here", endpoint=self.transport.options.endpoint, call=call
            )
