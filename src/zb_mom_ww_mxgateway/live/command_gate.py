"""The commands of a live session as they pass: none changes the plant while the session is not live."""

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewaySessionError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.hub import EventHub
from zb_mom_ww_mxgateway.live.supervisor import SessionSupervisor, session_is_gone
from zb_mom_ww_mxgateway.live.values import LiveState


class CommandGate:
    """An observer that stops writes while the session is not live, and reports unanswered commands."""

    def __init__(self, hub: EventHub, link: SessionLink, supervisor: SessionSupervisor) -> None:
        self._hub = hub
        self._link = link
        self._supervisor = supervisor

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Raise MxGatewaySessionError for a command that changes the plant while the session is not live."""
        if (
            self._hub.state is not LiveState.LIVE
            and wire.is_mutating(request)
            and wire.session_of(request) == self._link.session_id
        ):
            raise MxGatewaySessionError(
                f"{wire.kind_name(request)}: the session is {self._hub.state.value}, not live "
                f"({self._hub.lost or 'closed'}); nothing was sent",
                endpoint=self._link.endpoint,
                call=wire.kind_name(request),
                correlation_id=wire.correlation_of(request),
            )

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Have the session checked where the reply is the first to say that it is gone."""
        if wire.says_session_is_gone(reply):
            self._check_now(request)

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Have the session checked after a command without an answer: its connection may be dead."""
        if isinstance(error, MxGatewayError) and (error.grpc_code == "DEADLINE_EXCEEDED" or session_is_gone(error)):
            self._check_now(request)

    def _check_now(self, request: pb.MxCommandRequest) -> None:
        if wire.session_of(request) == self._link.session_id and wire.kind_name(request) != "ping":
            self._supervisor.check_now()
