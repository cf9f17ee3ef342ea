"""Messages to open, close and stream a session."""

from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayCommandError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.results import SessionInfo
from zb_mom_ww_mxgateway.wire.commands import raise_for_status
from zb_mom_ww_mxgateway.wire.values import nanoseconds_of


def open_session_request(name: str, correlation_id: str, command_timeout: float | None) -> pb.OpenSessionRequest:
    request = pb.OpenSessionRequest(client_session_name=name, client_correlation_id=correlation_id)
    if command_timeout is not None:
        request.command_timeout.FromNanoseconds(round(command_timeout * 1e9))
    return request


def session_info(reply: pb.OpenSessionReply) -> SessionInfo:
    """Return the facts about a session; raise MxGatewayCommandError if the reply names none."""
    if not reply.session_id:
        raise MxGatewayCommandError("the gateway's reply names no session", call="open_session", reply=reply)
    return SessionInfo(
        session_id=reply.session_id,
        backend_name=reply.backend_name,
        worker_process_id=reply.worker_process_id,
        worker_protocol_version=reply.worker_protocol_version,
        gateway_protocol_version=reply.gateway_protocol_version,
        capabilities=tuple(reply.capabilities),
        default_command_timeout=nanoseconds_of(reply.default_command_timeout) / 1e9,
    )


def raise_for_session_status(reply: pb.OpenSessionReply | pb.CloseSessionReply, *, call: str, **known: Any) -> None:
    """Raise the error of a reply; a reply without a status counts as OK."""
    if reply.HasField("protocol_status"):
        raise_for_status(reply, call=call, **known)


def close_session_request(session_id: str, correlation_id: str) -> pb.CloseSessionRequest:
    return pb.CloseSessionRequest(session_id=session_id, client_correlation_id=correlation_id)


def stream_events_request(session_id: str, after: int) -> pb.StreamEventsRequest:
    return pb.StreamEventsRequest(session_id=session_id, after_worker_sequence=after)
