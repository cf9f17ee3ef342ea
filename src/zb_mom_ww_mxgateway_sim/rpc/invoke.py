"""Invoke: check a command against its kind, run its handler, and answer it."""

from collections.abc import Mapping

from google.protobuf.message import Message

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.faults.call_faults import ReplyFailure, kind_name
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey, KeyScope
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.status import MxRefusal
from zb_mom_ww_mxgateway_sim.rpc import bulk_commands, commands
from zb_mom_ww_mxgateway_sim.rpc.commands import Handler
from zb_mom_ww_mxgateway_sim.runtime.errors import InvalidRequest
from zb_mom_ww_mxgateway_sim.sessions.session import GatewaySession
from zb_mom_ww_mxgateway_sim.wire.codec import encode_statuses

# Handlers of all gateways. ``alarm_commands`` adds the alarm kinds.
HANDLERS: Mapping[int, Handler] = {**commands.HANDLERS, **bulk_commands.HANDLERS}

# Every other kind needs invoke:read.
_SCOPES: Mapping[int, KeyScope] = {
    pb.MX_COMMAND_KIND_WRITE: KeyScope.INVOKE_WRITE,
    pb.MX_COMMAND_KIND_WRITE2: KeyScope.INVOKE_WRITE,
    pb.MX_COMMAND_KIND_WRITE_BULK: KeyScope.INVOKE_WRITE,
    pb.MX_COMMAND_KIND_WRITE2_BULK: KeyScope.INVOKE_WRITE,
    pb.MX_COMMAND_KIND_ACKNOWLEDGE_ALARM: KeyScope.INVOKE_WRITE,
    pb.MX_COMMAND_KIND_ACKNOWLEDGE_ALARM_BY_NAME: KeyScope.INVOKE_WRITE,
    pb.MX_COMMAND_KIND_WRITE_SECURED: KeyScope.INVOKE_SECURE,
    pb.MX_COMMAND_KIND_WRITE_SECURED2: KeyScope.INVOKE_SECURE,
    pb.MX_COMMAND_KIND_WRITE_SECURED_BULK: KeyScope.INVOKE_SECURE,
    pb.MX_COMMAND_KIND_WRITE_SECURED2_BULK: KeyScope.INVOKE_SECURE,
    pb.MX_COMMAND_KIND_DRAIN_EVENTS: KeyScope.EVENTS_READ,
}


# Names of the kinds that change the plant.
_CHANGING = frozenset(
    kind_name(kind) for kind, scope in _SCOPES.items() if scope in (KeyScope.INVOKE_WRITE, KeyScope.INVOKE_SECURE)
)


def changes_plant(request: Message) -> bool:
    """Return whether a call asks for a change of the plant. Of a command, kind and payload both count."""
    if not isinstance(request, pb.MxCommandRequest):
        return isinstance(request, pb.AcknowledgeAlarmRequest)
    command = request.command
    return not _CHANGING.isdisjoint((kind_name(command.kind), command.WhichOneof("payload") or ""))


async def run(
    handlers: Mapping[int, Handler], session: GatewaySession, key: GatewayKey, request: pb.MxCommandRequest
) -> pb.MxCommandReply:
    """Run one checked command in the worker. The reply carries a refusal of MXAccess."""
    command = request.command
    reply = new_reply(request)
    try:
        if command.kind not in handlers:
            raise InvalidRequest(f"the simulated gateway has no command {kind_name(command.kind)}")
        waiting = handlers[command.kind](session, key, getattr(command, kind_name(command.kind)), reply)
        if waiting is not None:
            await waiting
    except MxRefusal as refusal:
        _refuse(reply, refusal)
    return reply


def new_reply(request: pb.MxCommandRequest) -> pb.MxCommandReply:
    """Return an OK reply that echoes the request."""
    return pb.MxCommandReply(
        session_id=request.session_id,
        correlation_id=request.client_correlation_id,
        kind=request.command.kind,
        protocol_status=pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK, message="OK"),
        hresult=status.S_OK,
    )


def _refuse(reply: pb.MxCommandReply, refusal: MxRefusal) -> None:
    """Turn the reply into a refusal of MXAccess."""
    reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    reply.protocol_status.message = "MXAccess refused the call"
    reply.hresult = refusal.hresult
    reply.statuses.extend(encode_statuses(refusal.statuses, ok_is_minus_one=False))
    reply.diagnostic_message = refusal.text


def check(request: pb.MxCommandRequest) -> KeyScope:
    """Return the scope that the command needs. Raise InvalidRequest for an unknown kind or another kind's payload."""
    command = request.command
    if command.kind == pb.MX_COMMAND_KIND_UNSPECIFIED or command.kind not in pb.MxCommandKind.values():
        raise InvalidRequest(f"there is no command kind {command.kind}")
    name = kind_name(command.kind)
    payload = command.WhichOneof("payload")
    if payload != name:
        raise InvalidRequest(f"the kind is {name} but the payload is {payload or 'missing'}")
    return _SCOPES.get(command.kind, KeyScope.INVOKE_READ)


def failed(request: pb.MxCommandRequest, failure: ReplyFailure) -> pb.MxCommandReply:
    """Return the reply to a command that an injected fault failed."""
    reply = new_reply(request)
    reply.protocol_status.code = failure.protocol_status
    reply.protocol_status.message = failure.details
    reply.diagnostic_message = failure.details
    reply.ClearField("hresult")
    if failure.hresult is not None:
        reply.hresult = failure.hresult
    return reply
