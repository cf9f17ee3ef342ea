"""Calls that change the plant, and the entries that they would change."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import may_have_run_despite
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.status import ProtocolStatusCode, name_of
from zb_mom_ww_mxgateway.values import MxValueOutput
from zb_mom_ww_mxgateway.wire.commands import MUTATING_KINDS, is_mutating
from zb_mom_ww_mxgateway.wire.enums import open_enum
from zb_mom_ww_mxgateway.wire.handles import refused_writes, write_entries
from zb_mom_ww_mxgateway.wire.values import from_mx_value, is_sparse

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, SparseArray, WriteAnswer

_ACKNOWLEDGING = frozenset(kind for kind in MUTATING_KINDS if kind.startswith("acknowledge"))


def changes_plant(request: Any) -> bool:
    """Whether a request of any RPC may change the plant."""
    if isinstance(request, pb.MxCommandRequest):
        return is_mutating(request)
    return isinstance(request, pb.AcknowledgeAlarmRequest)


def judged_copy_of(request: Any) -> Any:
    """Return a copy of a message, without what a guard that judges its entries cannot see.

    A newer gateway might take a field that is unknown here for another write.
    """
    copy = type(request).FromString(request.SerializeToString())
    if isinstance(copy, pb.AcknowledgeAlarmRequest) or _pending_messages(copy):
        copy.DiscardUnknownFields()
    return copy


def pending_entries(
    request: Any, tag_of: Callable[[int, int], str] = lambda *handles: ""
) -> "tuple[PendingEntry, ...]":
    """Return the entries that a request would change, as far as they can be named; `tag_of` finds a tag by handles."""
    from zb_mom_ww_mxgateway.models.write_guard import UNNAMED_ALARM, PendingEntry  # Lazy: most calls change nothing.

    if isinstance(request, pb.AcknowledgeAlarmRequest):
        return (
            PendingEntry(
                alarm=request.alarm_full_reference or UNNAMED_ALARM,
                comment=request.comment,
                operator=request.operator_user,
            ),
        )
    arm = request.command.WhichOneof("payload")
    if arm in _ACKNOWLEDGING:
        payload = getattr(request.command, arm)
        alarm = payload.alarm_guid if arm == "acknowledge_alarm" else payload.alarm_name
        return (PendingEntry(alarm=alarm or UNNAMED_ALARM, comment=payload.comment, operator=payload.operator_user),)
    if not (messages := _pending_messages(request)):
        return ()
    server_handle = getattr(request.command, arm).server_handle
    return tuple(
        PendingEntry(
            server_handle=server_handle,
            item_handle=entry.item_handle,
            tag=tag_of(server_handle, entry.item_handle),
            value=_value(entry.value),
            timestamp=_value(entry.timestamp_value) if hasattr(entry, "timestamp_value") else None,
            user_id=_user_of(entry),
            verifier_user_id=getattr(entry, "verifier_user_id", 0),
        )
        for entry in messages
    )


def pending_value(entry: Any) -> "tuple[MxValueOutput | SparseArray, int]":
    """Return value and user id of the message of a write."""
    return _value(entry.value), _user_of(entry)


def _pending_messages(request: pb.MxCommandRequest) -> Sequence[Any]:
    """Return the message of each entry that a command would change, as far as they can be named."""
    arm = request.command.WhichOneof("payload")
    if arm not in MUTATING_KINDS:
        return ()
    payload = getattr(request.command, arm)
    entries: Sequence[Any] = payload.entries if arm.endswith("_bulk") else (payload,)
    return entries


def _user_of(entry: Any) -> int:
    user_id: int = getattr(entry, "user_id", 0) or getattr(entry, "current_user_id", 0)
    return user_id


def write_answer(request: Any, reply: Any) -> "WriteAnswer":
    """Return what the reply to a request that changes the plant says of it: accepted, refused or in doubt."""
    from zb_mom_ww_mxgateway.models.write_guard import WriteAnswer  # Lazy: most calls change nothing.

    status = open_enum(ProtocolStatusCode, reply.protocol_status.code)
    if status is not ProtocolStatusCode.OK:
        return WriteAnswer("unknown" if may_have_run_despite(status) else "refused", name_of(status))
    if not isinstance(request, pb.MxCommandRequest):
        return WriteAnswer("accepted")
    refused = tuple(refused_writes(request, reply))
    if not refused:
        contradicts = bool(write_entries(request))
        return WriteAnswer("unknown", "the reply contradicts itself") if contradicts else WriteAnswer("accepted")
    if any(refused):
        return WriteAnswer("refused", f"{sum(refused)} of {len(refused)} entries", refused)
    return WriteAnswer("accepted", "", refused)


def _value(message: pb.MxValue) -> "MxValueOutput | SparseArray":
    if is_sparse(message):
        from zb_mom_ww_mxgateway.models.write_guard import SparseArray

        sparse = message.sparse_array_value
        # Pairs, not a dict: the guard must see both values of an index that is there twice.
        elements = tuple((element.index, _value(element.value)) for element in sparse.elements)
        return SparseArray(sparse.total_length, elements)
    try:
        if message.is_null and message.WhichOneof("kind"):
            raise ValueError("null, and a value")
        return from_mx_value(message)
    except Exception:
        # A caller's own message: the guard sees its text, and the gateway judges it.
        return " ".join(str(message).split())
