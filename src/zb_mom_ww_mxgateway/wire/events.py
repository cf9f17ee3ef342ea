"""Events from messages."""

from collections.abc import Callable, Iterable, Sequence
from sys import intern
from typing import Any

from google.protobuf.message import DecodeError

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.events import (
    BufferedData,
    EventFamily,
    EventHeader,
    MxEvent,
    ReplayGap,
    deferred_event,
)
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import Array
from zb_mom_ww_mxgateway.wire.enums import open_enum
from zb_mom_ww_mxgateway.wire.values import PLAIN_ARMS, array_of, from_mx_value, nanoseconds_of, statuses_of


def messages_of(
    arrived: Iterable[tuple[float, bytes]], translate: Callable[[pb.MxEvent], None] | None
) -> list[pb.MxEvent]:
    """Decode what arrived, each with its time of arrival; `translate` replaces the handles. Raise DecodeError."""
    messages = [pb.MxEvent.FromString(data) for _, data in arrived]
    if translate:
        for message in messages:
            translate(message)
    return messages


def events_of(arrived: Sequence[tuple[float, bytes]], translate: Callable[[pb.MxEvent], None] | None) -> list[MxEvent]:
    """Return the events of what arrived, as :func:`messages_of`."""
    return [
        from_mx_event(message, at) for message, (at, _) in zip(messages_of(arrived, translate), arrived, strict=True)
    ]


def deferred_events_of(
    arrived: Sequence[tuple[float, bytes]], translate: Callable[[pb.MxEvent], None] | None
) -> list[MxEvent]:
    """Return events as :func:`events_of`, each of which is decoded when somebody looks at it.

    It is parsed at once, so that a message that cannot be is found here. One whose handles are replaced is decoded
    here, too: later they may mean other items.
    """
    if translate:
        return events_of(arrived, translate)
    parse = pb.MxEvent.FromString
    return [deferred_event(data, parse(data).worker_sequence, at, _decoded) for at, data in arrived]


def _decoded(data: bytes) -> MxEvent:
    return from_mx_event(pb.MxEvent.FromString(data))


# Events of one item nearly always have the same header, so it is made once and shared: for as many items as a large
# plant has in one process, as a table that is too small makes every header anew.
_headers: dict[bytes, EventHeader] = {}
_MOST_HEADERS = 131_072
_LONGEST_SHARED = 300


def from_mx_event(message: pb.MxEvent, received_at: float = 0.0) -> MxEvent:
    """Return the event of a message that arrived at `received_at`; the message is used up. Unknown numbers are fine."""
    value = message.value
    arm = value.WhichOneof("kind")
    if arm in PLAIN_ARMS:
        found = getattr(value, arm)
        value.ClearField(arm)
    else:
        found = from_mx_value(value)
        if arm:
            value.ClearField(arm)
    sequence = message.worker_sequence
    time, clear = message.source_timestamp, message.ClearField
    source_time_ns = time.seconds * 1_000_000_000 + time.nanos
    time = message.gateway_receive_timestamp
    gateway_time_ns = time.seconds * 1_000_000_000 + time.nanos
    clear("session_id")
    clear("worker_sequence")
    clear("source_timestamp")
    clear("gateway_receive_timestamp")
    clear("worker_timestamp")
    rest = message.SerializeToString()
    header = _headers.get(rest) or _header(message, rest)
    return MxEvent(header, sequence, found, source_time_ns, gateway_time_ns, received_at)


def _header(message: pb.MxEvent, data: bytes) -> EventHeader:
    gap = message.replay_gap if message.HasField("replay_gap") else None
    body = message.WhichOneof("body")
    header = EventHeader(
        family=open_enum(EventFamily, message.family),
        server_handle=message.server_handle,
        item_handle=message.item_handle,
        quality=message.quality,
        statuses=statuses_of(message.statuses),
        data_type=open_enum(DataType, message.value.data_type),
        variant_type=intern(message.value.variant_type),
        hresult=message.hresult if message.HasField("hresult") else None,
        raw_status=message.raw_status,
        replay_gap=ReplayGap(gap.requested_after_sequence, gap.oldest_available_sequence) if gap else None,
        body=_BODIES[body](getattr(message, body)) if body in _BODIES else None,
    )
    if len(data) <= _LONGEST_SHARED and header.body is None:
        if len(_headers) >= _MOST_HEADERS:
            _headers.clear()
        _headers[data] = header
    return header


def local_gap(session_id: str, last: bytes | None, first: bytes, after: int) -> bytes:
    """Return the message of the gap between two events, for events that this process dropped.

    `last` is None if no event was handed over yet: then the events after the sequence `after` are lost.
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


def _alarm_transition(message: pb.OnAlarmTransitionEvent) -> Any:
    from zb_mom_ww_mxgateway.wire.alarms import from_alarm_transition  # Lazy: most sessions have no alarms.

    return from_alarm_transition(message)


def _provider_status(message: pb.OnAlarmProviderModeChangedEvent) -> Any:
    from zb_mom_ww_mxgateway.wire.alarms import from_provider_status  # Lazy: most sessions have no alarms.

    return from_provider_status(message)


_BODIES: dict[str | None, Callable[[Any], Any]] = {
    "on_buffered_data_change": _buffered,
    "on_alarm_transition": _alarm_transition,
    "on_alarm_provider_mode_changed": _provider_status,
}
