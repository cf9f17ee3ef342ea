"""Contents of replies: results of bulk calls, statuses, user ids, facts about a session."""

from datetime import datetime
from typing import NamedTuple

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.status import MxStatus, SessionState, quality_word
from zb_mom_ww_mxgateway.times import moment_of
from zb_mom_ww_mxgateway.values import MxValueOutput
from zb_mom_ww_mxgateway.wire.commands import contradiction, payload_of
from zb_mom_ww_mxgateway.wire.events import from_mx_event
from zb_mom_ww_mxgateway.wire.matching import matched_results
from zb_mom_ww_mxgateway.wire.values import from_mx_value, nanoseconds_of, open_enum, status_of, statuses_of


class SubscribeResult(NamedTuple):
    """Result of one entry of a bulk call."""

    server_handle: int
    tag_address: str
    item_handle: int
    was_successful: bool
    error_message: str


class BulkWriteResult(NamedTuple):
    """Result of one entry of a bulk write; successful means accepted."""

    server_handle: int
    item_handle: int
    was_successful: bool
    hresult: int | None
    statuses: tuple[MxStatus, ...]
    error_message: str


class ReadResult(NamedTuple):
    """Result of one entry of ``read_bulk``."""

    server_handle: int
    tag_address: str
    item_handle: int
    was_successful: bool
    was_cached: bool
    """True if the value is the last data change of an advised item."""
    value: MxValueOutput
    quality: int
    source_timestamp: datetime | None
    statuses: tuple[MxStatus, ...]
    error_message: str
    source_time_ns: int = 0
    """Nanoseconds since the Unix epoch, 0 for none; also of a time outside the calendar."""

    @property
    def quality_word(self) -> str:
        """``good``, ``uncertain`` or ``bad``."""
        return quality_word(self.quality)


class WorkerInfo(NamedTuple):
    """Worker process of a session."""

    worker_process_id: int
    worker_version: str
    mxaccess_version: str
    started_at: datetime | None


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
