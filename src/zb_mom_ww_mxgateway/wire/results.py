"""Contents of replies: results of bulk calls, statuses, user ids, facts about a session."""

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.models.results import BulkWriteResult, ReadResult, SubscribeResult, WorkerInfo
from zb_mom_ww_mxgateway.status import MxStatus, SessionState
from zb_mom_ww_mxgateway.times import moment_of
from zb_mom_ww_mxgateway.wire.commands import contradiction, payload_of
from zb_mom_ww_mxgateway.wire.enums import open_enum
from zb_mom_ww_mxgateway.wire.events import from_mx_event
from zb_mom_ww_mxgateway.wire.matching import matched_results
from zb_mom_ww_mxgateway.wire.values import from_mx_value, nanoseconds_of, status_of, statuses_of


def subscribe_results(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> list[SubscribeResult]:
    """Return one result for each entry, in the order of the entries; raise as :func:`matched_results`."""
    return [
        SubscribeResult(r.server_handle, r.tag_address, r.item_handle, r.was_successful, r.error_message)
        for r in matched_results(request, reply)
    ]


def write_results(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> list[BulkWriteResult]:
    """Return one result for each entry, in the order of the entries; raise as :func:`matched_results`."""
    return [
        BulkWriteResult(
            result.server_handle,
            result.item_handle,
            result.was_successful,
            result.hresult if result.HasField("hresult") else None,
            statuses_of(result.statuses),
            result.error_message,
        )
        for result in matched_results(request, reply)
    ]


def read_results(request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> list[ReadResult]:
    """Return one result for each entry, in the order of the entries; raise as :func:`matched_results`."""
    return [
        ReadResult(
            result.server_handle,
            result.tag_address,
            result.item_handle,
            result.was_successful,
            result.was_cached,
            from_mx_value(result.value) if result.HasField("value") else None,
            result.quality,
            moment_of(nanoseconds_of(result.source_timestamp)),
            statuses_of(result.statuses),
            result.error_message,
            nanoseconds_of(result.source_timestamp),
        )
        for result in matched_results(request, reply)
    ]


def item_status(reply: pb.MxCommandReply, kind: str) -> MxStatus:
    """Return the status in the reply to suspend and activate."""
    return status_of(payload_of(reply, kind).status)


def user_id(reply: pb.MxCommandReply, kind: str) -> int:
    """Return the user id in a reply; raise MxGatewayCommandError if it is not positive."""
    found: int = payload_of(reply, kind).user_id
    if found <= 0:
        raise contradiction(reply, kind, f"user_id is {found}")
    return found


def session_state(reply: pb.MxCommandReply) -> SessionState | int:
    """Return the state; the number of an unknown one."""
    return open_enum(SessionState, payload_of(reply, "session_state").state)  # type: ignore[no-any-return]  # any int


def worker_info(reply: pb.MxCommandReply) -> WorkerInfo:
    info = payload_of(reply, "worker_info")
    return WorkerInfo(
        info.worker_process_id,
        info.worker_version,
        info.mxaccess_version,
        moment_of(nanoseconds_of(info.started_at)),
    )


def drained_events(reply: pb.MxCommandReply) -> list[MxEvent]:
    return [from_mx_event(event) for event in payload_of(reply, "drain_events").events]
