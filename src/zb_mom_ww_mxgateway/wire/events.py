"""Events from messages."""

from collections.abc import Callable
from sys import intern
from typing import Any

from google.protobuf.message import DecodeError

from zb_mom_ww_mxgateway.events import BufferedData, EventFamily, MxEvent, ReplayGap
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.values import Array, DataType
from zb_mom_ww_mxgateway.wire.alarms import from_alarm_transition, from_provider_status
from zb_mom_ww_mxgateway.wire.values import array_of, from_mx_value, nanoseconds_of, open_enum, statuses_of


def from_mx_event(message: pb.MxEvent, received_at: float = 0.0) -> MxEvent:
    """The event of a message that came at `received_at`. Never fails on a number it does not know."""
    value = message.value
    gap = message.replay_gap if message.HasField("replay_gap") else None
    body = message.WhichOneof("body")
    return MxEvent(
        family=open_enum(EventFamily, message.family),
        sequence=message.worker_sequence,
        server_handle=message.server_handle,
        item_handle=message.item_handle,
        value=from_mx_value(value),
        quality=message.quality,
        source_time_ns=nanoseconds_of(message.source_timestamp),
        gateway_time_ns=nanoseconds_of(message.gateway_receive_timestamp),
        statuses=statuses_of(message.statuses) if message.statuses else (),
        data_type=open_enum(DataType, value.data_type),
        variant_type=intern(value.variant_type),
        hresult=message.hresult if message.HasField("hresult") else None,
        raw_status=message.raw_status,
        replay_gap=ReplayGap(gap.requested_after_sequence, gap.oldest_available_sequence) if gap else None,
        body=_BODIES[body](getattr(message, body)) if body in _BODIES else None,
        received_at=received_at,
    )


def local_gap(session_id: str, last: bytes | None, first: bytes, after: int) -> bytes:
    """The message that stands for the events between two that came, when those between were dropped here.

    `last` is None when none was handed over yet: then those after the sequence `after` are lost.
    """
    try:
        before = pb.MxEvent.FromString(last).worker_sequence if last else after
        kept = pb.MxEvent.FromString(first).worker_sequence
    except DecodeError:
        before, kept = after, 0
    gap = pb.ReplayGap(requested_after_sequence=before, oldest_available_sequence=kept)
    return pb.MxEvent(session_id=session_id, replay_gap=gap).SerializeToString()


def _buffered(message: pb.OnBufferedDataChangeEvent) -> BufferedData:
    values = array_of(message.values)
    return BufferedData(
        data_type=open_enum(DataType, message.data_type),
        values=tuple(values) if isinstance(values, Array) else (values,),
        qualities=tuple(message.qualities),
        times_ns=tuple(nanoseconds_of(moment) for moment in message.timestamps),
    )


_BODIES: dict[str | None, Callable[[Any], Any]] = {
    "on_buffered_data_change": _buffered,
    "on_alarm_transition": from_alarm_transition,
    "on_alarm_provider_mode_changed": from_provider_status,
}
