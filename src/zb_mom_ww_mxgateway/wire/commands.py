"""Commands into messages, and replies checked."""

from collections.abc import Callable
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from zb_mom_ww_mxgateway.errors import PROTOCOL_ERRORS, MxAccessError, MxGatewayCommandError, may_have_run_despite
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.status import ProtocolStatusCode, hresult_text, name_of
from zb_mom_ww_mxgateway.wire.values import open_enum, statuses_of


def command(kind: str, **fields: Any) -> pb.MxCommand:
    """The command of a kind, by its name in lower case (``add_item``), with the payload's fields."""
    message = pb.MxCommand(kind=f"MX_COMMAND_KIND_{kind.upper()}")
    payload = getattr(message, kind)
    payload.SetInParent()
    for name, value in fields.items():
        field = getattr(payload, name)
        if hasattr(field, "CopyFrom"):
            field.CopyFrom(value)
        elif hasattr(field, "extend"):
            field.extend(value)
        else:
            setattr(payload, name, value)
    return message


_ENTRIES = {
    "write_bulk": pb.WriteBulkEntry,
    "write2_bulk": pb.Write2BulkEntry,
    "write_secured_bulk": pb.WriteSecuredBulkEntry,
    "write_secured2_bulk": pb.WriteSecured2BulkEntry,
}


def write_entry(kind: str, **fields: Any) -> Any:
    """One entry of a bulk write of this kind."""
    return _ENTRIES[kind](**fields)


def command_request(session_id: str, command: pb.MxCommand, correlation_id: str) -> pb.MxCommandRequest:
    return pb.MxCommandRequest(session_id=session_id, client_correlation_id=correlation_id, command=command)


def session_of(request: Any) -> str:
    """The id of the session that a request is for; empty where it is for none."""
    return getattr(request, "session_id", "")


def correlation_of(request: Any) -> str:
    """The correlation id of a request of any kind; empty where it has none."""
    return getattr(request, "client_correlation_id", "")


def secret_of(request: Any) -> str:
    """The password in a request; empty where it has none."""
    if isinstance(request, pb.MxCommandRequest) and request.command.HasField("authenticate_user"):
        return request.command.authenticate_user.verify_user_password
    return ""


def kind_name(request: pb.MxCommandRequest) -> str:
    """The command's name in lower case (``add_item``), or ``command 77`` for a number we do not know."""
    try:
        name: str = pb.MxCommandKind.Name(request.command.kind)
    except ValueError:
        return f"command {int(request.command.kind)}"
    return name.removeprefix("MX_COMMAND_KIND_").lower()


MUTATING_KINDS = frozenset(
    {
        "write",
        "write2",
        "write_secured",
        "write_secured2",
        "write_bulk",
        "write2_bulk",
        "write_secured_bulk",
        "write_secured2_bulk",
        "acknowledge_alarm",
        "acknowledge_alarm_by_name",
    }
)


def is_mutating(request: pb.MxCommandRequest) -> bool:
    """Whether the command changes the plant, or may. Both kind and payload count: a gateway may go by either. So does
    what only a newer gateway knows: it may be a write."""
    command = request.command
    return (
        kind_name(request) in MUTATING_KINDS
        or command.WhichOneof("payload") in MUTATING_KINDS
        or command.kind not in pb.MxCommandKind.DESCRIPTOR.values_by_number
        or len(UnknownFieldSet(command)) > 0
    )


def raise_for_status(
    reply: Any, *, call: str, said: Callable[[str], str], mutating: bool = False, **known: Any
) -> None:
    """Raises the typed error of a reply whose protocol status is not OK; `known` goes into the error.

    `said` makes the gateway's own words fit to be shown.
    """
    status = open_enum(ProtocolStatusCode, reply.protocol_status.code)
    if status is ProtocolStatusCode.OK:
        return
    unknown = mutating and may_have_run_despite(status)
    error_type = PROTOCOL_ERRORS.get(status, MxGatewayCommandError)
    hresult = reply.hresult if "hresult" in reply.DESCRIPTOR.fields_by_name and reply.HasField("hresult") else None
    statuses = statuses_of(getattr(reply, "statuses", ()))
    diagnostic = getattr(reply, "diagnostic_message", "")
    words = [reply.protocol_status.message, diagnostic if diagnostic != reply.protocol_status.message else ""]
    if hresult:
        words.insert(0, hresult_text(hresult))
    words += [str(status_) for status_ in statuses]
    verdict = "MXAccess refused" if error_type is MxAccessError else name_of(status)
    reason = said("; ".join(text for text in words if text)) or "no reason given"
    raise error_type(
        f"{'outcome unknown: ' if unknown else ''}{call}: {verdict}: {reason}",
        call=call,
        protocol_status=status,
        hresult=hresult,
        statuses=statuses,
        reply=reply,
        outcome_unknown=unknown,
        **known,
    )


def raise_for_contradiction(request: pb.MxCommandRequest, reply: pb.MxCommandReply, **known: Any) -> None:
    """Raises MxGatewayCommandError when an OK reply is one to another command (one that names none passes), or when
    that of a call which changes the plant has the hresult of a failure."""
    mutating = is_mutating(request)
    if reply.kind not in (0, request.command.kind):
        said = f"it is one to command kind {int(reply.kind)}"
    elif mutating and reply.hresult < 0:
        said = f"its status is OK, its hresult {hresult_text(reply.hresult)}"
    else:
        return
    raise contradiction(reply, kind_name(request), said, mutating=mutating, **known)


def contradiction(
    reply: pb.MxCommandReply, call: str, what: str, *, mutating: bool | None = None, **known: Any
) -> MxGatewayCommandError:
    """The error of an OK reply that contradicts itself. It is an answer: what it answers may well have been done, so
    the outcome of what changes the plant is unknown."""
    unknown = call in MUTATING_KINDS if mutating is None else mutating
    return MxGatewayCommandError(
        f"{'outcome unknown: ' if unknown else ''}{call}: the gateway's reply contradicts itself: {what}",
        call=call,
        reply=reply,
        outcome_unknown=unknown,
        **known,
    )


def payload_of(reply: pb.MxCommandReply, kind: str) -> Any:
    """The reply's payload; raises MxGatewayCommandError when it is not the one that belongs to the command."""
    arm = reply.WhichOneof("payload")
    if arm != kind:
        raise contradiction(reply, kind, f"{arm or 'nothing'} where {kind} was due")
    return getattr(reply, kind)


def new_handle(reply: pb.MxCommandReply, kind: str) -> int:
    """The handle that a register or add command gave; raises MxGatewayCommandError when it is none."""
    field = "server_handle" if kind == "register" else "item_handle"
    handle: int = getattr(payload_of(reply, kind), field)
    if handle <= 0:
        raise contradiction(reply, kind, f"{field} is {handle}")
    return handle
