"""The simulator's own codec between its values and the generated messages."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import cast

from google.protobuf.timestamp_pb2 import Timestamp

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.plant.point_store import TagReading
from zb_mom_ww_mxgateway_sim.plant.status import Category, Status
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Scalar, Value, default
from zb_mom_ww_mxgateway_sim.runtime.clock import nanoseconds

# Category and Source are the native numbers plus this.
_NATIVE_OFFSET = 2

_VARIANT = {
    NativeType.BOOLEAN: "VT_BOOL",
    NativeType.INTEGER: "VT_I4",
    NativeType.FLOAT: "VT_R4",
    NativeType.DOUBLE: "VT_R8",
    NativeType.STRING: "VT_BSTR",
    NativeType.TIME: "VT_DATE",
    # Seconds as a double: elapsed times have no variant type.
    NativeType.ELAPSED_TIME: "VT_R8",
}
_ARM = {
    NativeType.BOOLEAN: "bool_value",
    NativeType.INTEGER: "int32_value",
    NativeType.FLOAT: "float_value",
    NativeType.DOUBLE: "double_value",
    NativeType.STRING: "string_value",
    NativeType.ELAPSED_TIME: "double_value",
}
# The contract's number of each type, by name: a contract that was adopted has numbers of its own.
_WIRE_TYPE = {
    tag_type: cast("pb.MxDataType", pb.MxDataType.Value(f"MX_DATA_TYPE_{tag_type.name}")) for tag_type in NativeType
}
_BY_WIRE_TYPE = {number: tag_type for tag_type, number in _WIRE_TYPE.items()}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UndecodableValue(ValueError):
    """The message holds no value that a tag can take."""


def timestamp(nanos: int, message: Timestamp) -> None:
    """Fill a message with UTC nanoseconds since 1970."""
    message.seconds, message.nanos = divmod(nanos, 1_000_000_000)


def encode_value(message: pb.MxValue, value: Value, tag_type: NativeType | None, is_array: bool) -> None:
    """Fill an MxValue. No value, or no type, becomes VT_EMPTY."""
    if value is None or tag_type is None:
        message.data_type = pb.MX_DATA_TYPE_NO_DATA
        message.variant_type = "VT_EMPTY"
        message.is_null = True
        return
    message.data_type = _WIRE_TYPE[tag_type]
    if is_array and isinstance(value, tuple):
        message.variant_type = f"VT_ARRAY|{_VARIANT[tag_type]}"
        _encode_array(message.array_value, value, tag_type)
        return
    message.variant_type = _VARIANT[tag_type]
    if isinstance(value, datetime):
        timestamp(nanoseconds(value), message.timestamp_value)
    else:
        setattr(message, _ARM[tag_type], value)


def encode_reading(message: pb.MxValue, reading: TagReading) -> None:
    """Fill an MxValue with the value of a reading."""
    if reading.message is not None:
        message.CopyFrom(reading.message)
    else:
        encode_value(message, reading.value, reading.type, reading.is_array)


def _encode_array(message: pb.MxArray, elements: Sequence[Scalar], tag_type: NativeType) -> None:
    message.element_data_type = _WIRE_TYPE[tag_type]
    message.variant_type = _VARIANT[tag_type]
    message.dimensions.append(len(elements))
    if tag_type is NativeType.TIME:
        message.timestamp_values.SetInParent()
        for element in elements:
            if isinstance(element, datetime):
                timestamp(nanoseconds(element), message.timestamp_values.values.add())
        return
    values = getattr(message, _ARM[tag_type] + "s")
    values.SetInParent()
    values.values.extend(elements)


def decode_value(message: pb.MxValue) -> object:
    """Return the value that a client writes: bool, int, float, str, datetime, a tuple of these, or None for null."""
    arm = message.WhichOneof("kind")
    if message.is_null or (arm is None and message.data_type == pb.MX_DATA_TYPE_NO_DATA):
        return None
    if arm is None:
        raise UndecodableValue("the value is not set")
    if arm == "timestamp_value":
        return _datetime(message.timestamp_value)
    if arm == "array_value":
        return _decode_array(message.array_value)
    if arm == "sparse_array_value":
        return _decode_sparse(message.sparse_array_value)
    if arm == "raw_value":
        raise UndecodableValue("a raw value cannot be written")
    held: object = getattr(message, arm)
    return held


def _decode_array(message: pb.MxArray) -> tuple[object, ...]:
    arm = message.WhichOneof("values")
    if arm is None:
        return ()
    if arm == "timestamp_values":
        return tuple(_datetime(element) for element in message.timestamp_values.values)
    if arm == "raw_values":
        raise UndecodableValue("raw values cannot be written")
    return tuple(getattr(message, arm).values)


def _decode_sparse(message: pb.MxSparseArray) -> tuple[object, ...]:
    tag_type = _BY_WIRE_TYPE.get(message.element_data_type)
    if tag_type is None:
        raise UndecodableValue("a sparse array needs the type of its elements")
    if message.total_length > 1_000_000:
        raise UndecodableValue("a sparse array of more than 1000000 elements")
    elements: list[object] = [default(tag_type)] * message.total_length
    for element in message.elements:
        if element.index >= message.total_length:
            raise UndecodableValue(f"index {element.index} in a sparse array of length {message.total_length}")
        elements[element.index] = decode_value(element.value)
    return tuple(elements)


def _datetime(message: Timestamp) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)
    except OverflowError:
        raise UndecodableValue("a time outside of the years 1 to 9999") from None


@lru_cache(maxsize=1024)
def encode_statuses(statuses: tuple[Status, ...], *, ok_is_minus_one: bool) -> Sequence[pb.MxStatusProxy]:
    """Return status messages to copy; they are shared. ``success`` of a good one is -1 or 0: COM servers differ."""
    return tuple(
        pb.MxStatusProxy(
            success=-1 if status.category is Category.OK and ok_is_minus_one else 0,
            category=f"MX_STATUS_CATEGORY_{status.category.name}",
            detected_by=f"MX_STATUS_SOURCE_{status.detected_by.name}",
            detail=status.detail,
            raw_category=status.category - _NATIVE_OFFSET,
            raw_detected_by=status.detected_by - _NATIVE_OFFSET,
            diagnostic_text=status.text,
        )
        for status in statuses
    )


def encode_event(family: "pb.MxEventFamily", server_handle: int, item_handle: int, reading: TagReading) -> pb.MxEvent:
    """Return an event of an item, without the fields of its session."""
    event = pb.MxEvent(
        family=family,
        server_handle=server_handle,
        item_handle=item_handle,
        quality=reading.quality,
        statuses=encode_statuses(reading.statuses, ok_is_minus_one=item_handle % 2 == 0),
    )
    encode_reading(event.value, reading)
    timestamp(reading.time_ns, event.source_timestamp)
    return event


def encode_buffered(server_handle: int, item_handle: int, reading: TagReading) -> pb.MxEvent:
    """Return an event of a buffered item: one sample, whose quality and statuses are the event's own, too."""
    event = pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_BUFFERED_DATA_CHANGE,
        server_handle=server_handle,
        item_handle=item_handle,
        quality=reading.quality,
        statuses=encode_statuses(reading.statuses, ok_is_minus_one=item_handle % 2 == 0),
    )
    timestamp(reading.time_ns, event.source_timestamp)
    body = event.on_buffered_data_change
    tag_type = reading.type or NativeType.STRING
    body.data_type = _WIRE_TYPE[reading.type] if reading.type else pb.MX_DATA_TYPE_NO_DATA
    # An array cannot hold a missing value: it holds the type's default instead, with a bad quality.
    value = default(tag_type) if reading.value is None or isinstance(reading.value, tuple) else reading.value
    _encode_array(body.values, [value], tag_type)
    body.qualities.append(reading.quality)
    timestamp(reading.time_ns, body.timestamps.add())
    return event
