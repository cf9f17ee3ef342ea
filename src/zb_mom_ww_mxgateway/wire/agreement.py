"""Signs of a gateway that numbers its messages differently from the contract spoken here."""

from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.results import is_session_id
from zb_mom_ww_mxgateway.status import ProtocolStatusCode
from zb_mom_ww_mxgateway.wire.enums import open_enum

COMPARE = (
    "the gateway may number its messages differently from the contract spoken here: "
    "mxgw-py contract compare FILE.protoset tells"
)
# A large list is alike in all its entries.
_ENTRIES_LOOKED_AT = 3


def misfit_of(message: Any) -> str:
    """Return what does not fit the contract in a message that came; empty where all of it fits.

    A field that only a newer gateway has is none: it has a number that the contract does not use.
    """
    descriptor = message.DESCRIPTOR
    unknown = UnknownFieldSet(message)
    for field in (unknown[index] for index in range(len(unknown))):
        known = descriptor.fields_by_number.get(field.field_number)
        if known is not None:
            return f"{descriptor.name}.{known.name} came as another type"
    for field, value in message.ListFields():
        if field.message_type is not None:
            for each in value[:_ENTRIES_LOOKED_AT] if field.is_repeated else (value,):
                if found := misfit_of(each):
                    return found
    return ""


def misfit_of_connection(reply: Any) -> str:
    """Return what does not fit in the reply to the first call of a connection; empty where it may be ours."""
    if found := misfit_of(reply):
        return found
    unknown = UnknownFieldSet(reply)
    if not reply.ok and len(unknown):
        return f"{reply.DESCRIPTOR.name}.ok did not come, but number {unknown[0].field_number}"
    return ""


def misfit_of_opening(reply: pb.OpenSessionReply) -> str:
    """Return why the reply to OpenSession cannot be one by this contract; empty where it is one, or refuses."""
    if found := misfit_of(reply):
        return found
    status = open_enum(ProtocolStatusCode, reply.protocol_status.code)
    if not isinstance(status, ProtocolStatusCode):
        return f"its protocol status is {status}, which is none that is known"
    is_refusal = reply.HasField("protocol_status") and status is not ProtocolStatusCode.OK
    if not is_session_id(reply.session_id) and not (is_refusal and not reply.session_id):
        if not reply.session_id:
            return "it names no session"
        return f"its session id {reply.session_id[:60]!r} is not session- and 32 hex digits"
    newer = UnknownFieldSet(reply)
    if len(newer) and not is_refusal and not (status and reply.gateway_protocol_version):
        return f"it has no protocol status or version, but number {newer[0].field_number}"
    return ""


def misfit_of_reply(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> str:
    """Return why a reply cannot be one to this command by this contract; empty where it is one, good or bad."""
    if found := misfit_of(reply):
        return found
    status = open_enum(ProtocolStatusCode, reply.protocol_status.code)
    if not isinstance(status, ProtocolStatusCode) or not status:
        return f"its protocol status is {status}"
    if reply.session_id not in ("", request.session_id):
        return f"it is of session {reply.session_id[:60]!r}"
    if reply.kind != request.command.kind and not (reply.kind == 0 and reply.session_id):
        return f"it is one to command kind {int(reply.kind)}"
    return ""


def misfit_of_event(event: pb.MxEvent, session_id: str) -> str:
    """Return why an event cannot be one of this session by this contract; empty where it is one."""
    if found := misfit_of(event):
        return found
    if event.session_id not in ("", session_id):
        return f"it is of session {event.session_id[:60]!r}"
    return ""


def misfit_of_alarm(message: pb.ActiveAlarmSnapshot | pb.AlarmFeedMessage) -> str:
    """Return why the first message of alarms cannot be one by this contract; empty where it is one."""
    if found := misfit_of(message):
        return found
    alarm: Any = message
    if isinstance(message, pb.AlarmFeedMessage):
        arm = message.WhichOneof("payload")
        if arm not in ("active_alarm", "snapshot_complete"):
            # The alarms that are active come first, and then the mark that these are all.
            return f"alarms begin with {arm or 'nothing that is known'}"
        if arm == "snapshot_complete":
            return ""
        alarm = message.active_alarm
    if "!" not in alarm.alarm_full_reference:
        return f"its reference is {alarm.alarm_full_reference[:60]!r}, not Galaxy!Area.Object.Alarm"
    return ""
