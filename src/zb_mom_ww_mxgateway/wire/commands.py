"""Messages of commands, and checks of their replies."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from zb_mom_ww_mxgateway.errors import PROTOCOL_ERRORS, MxAccessError, MxGatewayCommandError, may_have_run_despite
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.status import ProtocolStatusCode, hresult_text, name_of
from zb_mom_ww_mxgateway.wire.agreement import COMPARE
from zb_mom_ww_mxgateway.wire.enums import known_kinds, open_enum
from zb_mom_ww_mxgateway.wire.values import statuses_of


def command(kind: str, **fields: Any) -> pb.MxCommand:
    """Return the command of a kind, by its name in lower case (``add_item``), with the fields of its payload."""
    message = pb.MxCommand()
    _fill(message, kind, fields)
    return message


def _fill(message: pb.MxCommand, kind: str, fields: dict[str, Any]) -> None:
    message.kind = _kind_number(pb.MxCommandKind, kind)
    payload = getattr(message, kind)
    payload.SetInParent()
    for name, value in fields.items():
        if type(value) is int:
            setattr(payload, name, value)
            continue
        field = getattr(payload, name)
        if hasattr(field, "CopyFrom"):
            field.CopyFrom(value)
        elif hasattr(field, "extend"):
            field.extend(value)
        else:
            setattr(payload, name, value)


@lru_cache(maxsize=256)
def _kind_number(kinds: Any, kind: str) -> Any:
    return kinds.Value(f"MX_COMMAND_KIND_{kind.upper()}")


_ENTRIES = {
    "write_bulk": "WriteBulkEntry",
    "write2_bulk": "Write2BulkEntry",
    "write_secured_bulk": "WriteSecuredBulkEntry",
    "write_secured2_bulk": "WriteSecured2BulkEntry",
}


def write_entry(kind: str, **fields: Any) -> Any:
    """Return one entry of a bulk write of this kind."""
    return getattr(pb, _ENTRIES[kind])(**fields)


def new_request(session_id: str, correlation_id: str, kind: str, fields: dict[str, Any]) -> pb.MxCommandRequest:
    """Return the request of a command of a kind, as :func:`command` makes it."""
    request = pb.MxCommandRequest(session_id=session_id, client_correlation_id=correlation_id)
    _fill(request.command, kind, fields)
    return request


def command_request(session_id: str, command: pb.MxCommand, correlation_id: str) -> pb.MxCommandRequest:
    return pb.MxCommandRequest(session_id=session_id, client_correlation_id=correlation_id, command=command)


def session_of(request: Any) -> str:
    """Return the session id of a request; empty if it has none."""
    return getattr(request, "session_id", "")


def correlation_of(request: Any) -> str:
    """Return the correlation id of a request; empty if it has none."""
    return getattr(request, "client_correlation_id", "")


def secret_of(request: Any) -> str:
    """Return the password in a request; empty if it has none."""
    if isinstance(request, pb.MxCommandRequest) and request.command.HasField("authenticate_user"):
        return request.command.authenticate_user.verify_user_password
    return ""


def kind_name(request: pb.MxCommandRequest) -> str:
    """Return the name of a command in lower case (``add_item``), or ``command 77`` for an unknown number."""
    return _kind_name(pb.MxCommandKind, request.command.kind)


@lru_cache(maxsize=256)
def _kind_name(kinds: Any, number: int) -> str:
    # Each command is asked for its name several times; `kinds` are those of the contract that is spoken.
    try:
        name: str = kinds.Name(number)
    except ValueError:
        return f"command {int(number)}"
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
    """Whether the command may change the plant.

    Kind and payload both count, as a gateway may go by either. An unknown kind or field counts too: it may be a write.
    """
    if (kind := kind_name(request)) in MUTATING_KINDS:
        return True
    command, known = request.command, known_kinds()
    payload = command.WhichOneof("payload")
    return (
        payload in MUTATING_KINDS
        or kind not in known
        or (payload is not None and payload not in known)
        or len(UnknownFieldSet(command)) > 0
    )


def is_ok(reply: Any) -> bool:
    """Whether the protocol status of a reply is OK."""
    return open_enum(ProtocolStatusCode, reply.protocol_status.code) is ProtocolStatusCode.OK


def raise_for_status(
    reply: Any, *, call: str, printable: Callable[[str], str], mutating: bool = False, **known: Any
) -> None:
    """Raise the typed error of a reply whose protocol status is not OK; `known` becomes fields of the error.

    `printable` redacts the gateway's own text.
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
    reason = printable("; ".join(text for text in words if text)) or "no reason given"
    if not isinstance(status, ProtocolStatusCode) or not status:
        reason = f"{reason}; {COMPARE}"
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
    """Raise MxGatewayCommandError for an OK reply to another kind of command, and for one with the hresult of a failure
    to a command that changes the plant. A reply without a kind passes."""
    if reply.kind not in (0, request.command.kind):
        what = f"its command kind is {int(reply.kind)}, {int(request.command.kind)} expected; {COMPARE}"
    elif reply.hresult < 0 and is_mutating(request):
        what = f"its status is OK, its hresult {hresult_text(reply.hresult)}"
    else:
        return
    raise contradiction(reply, kind_name(request), what, mutating=is_mutating(request), **known)


def contradiction(
    reply: pb.MxCommandReply, call: str, what: str, *, mutating: bool | None = None, **known: Any
) -> MxGatewayCommandError:
    """Return the error of an OK reply that contradicts itself.

    The command may have run all the same, so its outcome is unknown if it changes the plant.
    """
    unknown = call in MUTATING_KINDS if mutating is None else mutating
    return MxGatewayCommandError(
        f"{'outcome unknown: ' if unknown else ''}{call}: the gateway's reply contradicts itself: {what}",
        call=call,
        reply=reply,
        outcome_unknown=unknown,
        **known,
    )


def payload_of(reply: pb.MxCommandReply, kind: str) -> Any:
    """Return the payload of a reply; raise MxGatewayCommandError if it belongs to another command."""
    arm = reply.WhichOneof("payload")
    if arm != kind:
        raise contradiction(reply, kind, f"its payload is {arm or 'missing'}, {kind} expected; {COMPARE}")
    return getattr(reply, kind)


def new_handle(reply: pb.MxCommandReply, kind: str) -> int:
    """Return the new handle of a register or add command; raise MxGatewayCommandError if it is not positive."""
    field = "server_handle" if kind == "register" else "item_handle"
    handle: int = getattr(payload_of(reply, kind), field)
    if handle <= 0:
        raise contradiction(reply, kind, f"{field} is {handle}")
    return handle
