"""Effects of commands on the handles of a session."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from zb_mom_ww_mxgateway.errors import MxGatewayCommandError, may_have_run_despite
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.handles import HandleChange
from zb_mom_ww_mxgateway.status import ProtocolStatusCode
from zb_mom_ww_mxgateway.wire.commands import MUTATING_KINDS, is_ok, kind_name
from zb_mom_ww_mxgateway.wire.enums import open_enum
from zb_mom_ww_mxgateway.wire.matching import matched_results

USER_REPLIES = ("authenticate_user", "archestra_user_to_id")
_WRITES = frozenset(kind for kind in MUTATING_KINDS if not kind.startswith("acknowledge"))
_BULK_WRITES = frozenset(kind for kind in _WRITES if kind.endswith("_bulk"))
_BULK_CHANGES: dict[str, tuple[Literal["added", "removed", "advised", "unadvised"], ...]] = {
    "add_item_bulk": ("added",),
    "advise_item_bulk": ("advised",),
    "remove_item_bulk": ("removed",),
    "un_advise_item_bulk": ("unadvised",),
    "subscribe_bulk": ("added", "advised"),
    "unsubscribe_bulk": ("removed",),
}


def handle_changes(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> list[HandleChange]:
    """Return the changes that an answered command made to the session's handles."""
    kind = kind_name(request)
    if kind in MUTATING_KINDS:
        return []
    if not is_ok(reply) or request.command.WhichOneof("payload") != kind or reply.kind not in (0, request.command.kind):
        return []
    payload = getattr(request.command, kind)
    match kind:
        case "register":
            return [HandleChange("registered", reply.register.server_handle, 0, payload.client_name)]
        case "unregister":
            return [HandleChange("unregistered", payload.server_handle)]
        case "add_item" | "add_item2" | "add_buffered_item":
            context = getattr(payload, "item_context", "")
            name = payload.item_definition
            if context:  # MXAccess takes a dot at the end of one, or at the beginning of the other.
                name = f"{context.rstrip('.')}.{name.lstrip('.')}"
            return [
                HandleChange(
                    "added",
                    payload.server_handle,
                    getattr(reply, kind).item_handle,
                    name,
                    payload.item_definition,
                    context,
                    kind == "add_buffered_item",
                )
            ]
        case "remove_item":
            return [HandleChange("removed", payload.server_handle, payload.item_handle)]
        case "advise" | "advise_supervisory":
            supervisory = kind == "advise_supervisory"
            return [HandleChange("advised", payload.server_handle, payload.item_handle, supervisory=supervisory)]
        case "un_advise":
            return [HandleChange("unadvised", payload.server_handle, payload.item_handle)]
        case "suspend":
            return [HandleChange("suspended", payload.server_handle, payload.item_handle)]
        case "activate":
            return [HandleChange("activated", payload.server_handle, payload.item_handle)]
        case "set_buffered_update_interval":
            interval = payload.update_interval_milliseconds
            return [HandleChange("buffered_interval", payload.server_handle, milliseconds=interval)]
        case "subscribe_alarms" | "unsubscribe_alarms":
            command = pb.MxCommand.FromString(request.command.SerializeToString())
            return [HandleChange("alarms", 0, command=command if kind == "subscribe_alarms" else None)]
        case _ if kind in _BULK_CHANGES:
            try:
                results = matched_results(request, reply)
            except MxGatewayCommandError:
                return []
            # A reply may leave out the handles and tags that the request has.
            tags: Sequence[str] = getattr(payload, "tag_addresses", ())
            return [
                HandleChange(what, payload.server_handle, result.item_handle or given, result.tag_address or tag)
                for result, given, tag in _with_request(results, payload, tags)
                if result.was_successful
                for what in _BULK_CHANGES[kind]
            ]
    return []


def concerns_handles(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> bool:
    """Whether an answered command gave or changed handles or user ids, which are valid in one session only."""
    return reply.WhichOneof("payload") in USER_REPLIES or bool(handle_changes(request, reply))


def _with_request(results: Sequence[Any], payload: Any, tags: Sequence[str]) -> Iterable[tuple[Any, int, str]]:
    handles: Sequence[int] = getattr(payload, "item_handles", ())
    for index, result in enumerate(results):
        yield (
            result,
            handles[index] if index < len(handles) else 0,
            tags[index] if index < len(tags) else "",
        )


def writes_of(request: pb.MxCommandRequest) -> list[tuple[tuple[int, int], Any]]:
    """Return each write in a command: server and item handle, and its message; each has its own OnWriteComplete."""
    kind = kind_name(request)
    if kind not in _WRITES:
        return []
    payload = getattr(request.command, kind)
    server_handle = payload.server_handle
    entries: Sequence[Any] = payload.entries if kind in _BULK_WRITES else (payload,)
    return [((server_handle, entry.item_handle), entry) for entry in entries]


def written_items(request: pb.MxCommandRequest) -> list[tuple[int, int]]:
    """Return server and item handle of each write in a command."""
    return [key for key, _ in writes_of(request)]


def write_entries(request: pb.MxCommandRequest) -> Sequence[Any]:
    """Return the message of each write in a command, in the order of :func:`written_items`."""
    kind = kind_name(request)
    if kind not in _WRITES:
        return ()
    payload = getattr(request.command, kind)
    entries: Sequence[Any] = payload.entries if kind in _BULK_WRITES else (payload,)
    return entries


def refused_writes(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> list[bool]:
    """Return for each write of a command, in order, whether its reply refuses it; empty if the reply contradicts
    itself."""
    kind = kind_name(request)
    if not is_ok(reply):
        status = open_enum(ProtocolStatusCode, reply.protocol_status.code)
        return [not may_have_run_despite(status)] * len(write_entries(request))
    if kind not in _WRITES or reply.kind not in (0, request.command.kind) or reply.hresult < 0:
        return []
    if kind not in _BULK_WRITES:
        return [False]
    try:
        return [not result.was_successful for result in matched_results(request, reply)]
    except MxGatewayCommandError:
        return []


def reply_is_doubtful(reply: pb.MxCommandReply) -> bool:
    """Whether a command may have run although its reply reports an error."""
    status = open_enum(ProtocolStatusCode, reply.protocol_status.code)
    return status is not ProtocolStatusCode.OK and may_have_run_despite(status)


def says_session_is_gone(reply: pb.MxCommandReply) -> bool:
    """Whether a reply reports that the session does not exist or takes no commands."""
    return open_enum(ProtocolStatusCode, reply.protocol_status.code) in (
        ProtocolStatusCode.SESSION_NOT_FOUND,
        ProtocolStatusCode.SESSION_NOT_READY,
    )
