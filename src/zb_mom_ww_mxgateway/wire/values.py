"""Values and statuses between Python and messages."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.status import MxStatus, StatusCategory, StatusSource
from zb_mom_ww_mxgateway.times import from_nanoseconds, to_nanoseconds
from zb_mom_ww_mxgateway.value_types import TYPES, DataType
from zb_mom_ww_mxgateway.values import Array, MxValueInput, MxValueOutput, NormalValue, RawValue, normalize
from zb_mom_ww_mxgateway.wire.enums import number_of, open_enum


def _set_timestamp(message: Any, nanoseconds: int) -> None:
    message.seconds, message.nanos = divmod(nanoseconds, 1_000_000_000)


def nanoseconds_of(message: Any) -> int:
    nanoseconds: int = message.seconds * 1_000_000_000 + message.nanos
    return nanoseconds


def to_mx_value(value: MxValueInput) -> pb.MxValue:
    """Return the message of a Python value; raise MxGatewayArgumentError for what no tag can take."""
    return _message_of(normalize(value))


def _message_of(normal: NormalValue) -> pb.MxValue:
    data_type, variant_type = number_of(normal.data_type), normal.variant_type
    message = pb.MxValue(data_type=data_type, variant_type=variant_type)
    if normal.arm is None:
        message.is_null = True
    elif normal.dimensions is not None:
        array = message.array_value
        array.element_data_type = data_type
        array.variant_type = variant_type.rpartition("|")[2]
        array.dimensions.extend(normal.dimensions)
        target = getattr(array, f"{normal.arm}_values")
        target.SetInParent()
        if normal.arm == "timestamp":
            for moment in normal.value:
                _set_timestamp(target.values.add(), to_nanoseconds(moment))
        else:
            target.values.extend(normal.value)
    elif normal.arm == "timestamp":
        _set_timestamp(message.timestamp_value, to_nanoseconds(normal.value))
    else:
        setattr(message, f"{normal.arm}_value", normal.value)
    return message


def to_sparse_value(total_length: int, elements: Mapping[int, Any]) -> pb.MxValue:
    """Return the message of an array by some of its elements; raise MxGatewayArgumentError unless all are scalars of
    one type."""
    normal = {index: normalize(value) for index, value in elements.items()}
    for index, element in normal.items():
        if element.arm is None or element.dimensions is not None:
            raise MxGatewayArgumentError(f"elements[{index}]: a single value expected, not an array or None")
    types = {element.data_type for element in normal.values()}
    if len(types) > 1:
        names = " and ".join(sorted(data_type.name for data_type in types))
        raise MxGatewayArgumentError(f"elements: one type for all expected, not {names}")
    (data_type,) = types
    message = pb.MxValue(data_type=number_of(data_type))
    sparse = message.sparse_array_value
    sparse.element_data_type = number_of(data_type)
    sparse.total_length = total_length
    for index, element in sorted(normal.items()):
        sparse.elements.add(index=index, value=_message_of(element))
    return message


def is_sparse(message: pb.MxValue) -> bool:
    """Whether a value is an array of which only some elements are named."""
    return bool(message.WhichOneof("kind") == "sparse_array_value")


def from_mx_value(message: pb.MxValue) -> MxValueOutput:
    """Return the Python value of a message; a :class:`RawValue` if there is none."""
    arm = message.WhichOneof("kind")
    if arm in PLAIN_ARMS:
        return getattr(message, arm)  # type: ignore[no-any-return]  # the arm decides
    if arm == "float_value":
        return _single(message.float_value)
    if message.is_null:
        return None
    if arm == "timestamp_value":
        nanoseconds = nanoseconds_of(message.timestamp_value)
        return _time_of(nanoseconds, open_enum(DataType, message.data_type), message.variant_type)
    if arm == "array_value":
        return array_of(message.array_value)
    data = message.raw_value if arm == "raw_value" else None
    if data is not None and not message.raw_diagnostic:
        return data
    return RawValue(
        open_enum(DataType, message.data_type),
        message.variant_type,
        message.raw_data_type,
        message.raw_diagnostic,
        data,
    )


PLAIN_ARMS = frozenset(
    f"{spec.wire.arm}_value" for spec in TYPES.values() if spec.python_type in (bool, int, float, str)
)
"""Arms of ``MxValue.kind`` whose field is the Python value itself."""


def _single(number: float) -> Float32:
    # It has 32 bits already: rounding it again would cost as much as the rest of an event.
    return float.__new__(Float32, number)


def array_of(message: pb.MxArray) -> Array | RawValue:
    element_type = open_enum(DataType, message.element_data_type)
    arm = message.WhichOneof("values")
    if arm is None:
        return RawValue(element_type, message.variant_type, 0, message.raw_diagnostic)
    values: Iterable[Any] = getattr(message, arm).values
    if arm == "timestamp_values":
        values = [_time_of(nanoseconds_of(moment), element_type, message.variant_type) for moment in values]
    elif arm == "float_values":
        values = map(_single, values)
    return Array(list(values), tuple(message.dimensions), element_type)


def _time_of(nanoseconds: int, data_type: DataType | int, variant_type: str) -> datetime | RawValue:
    """Return the datetime; outside the years 1 to 9999 a raw value with the nanoseconds."""
    try:
        return from_nanoseconds(nanoseconds)
    except (ValueError, OverflowError):
        return RawValue(data_type, variant_type, 0, "", None, nanoseconds)


def status_of(message: pb.MxStatusProxy) -> MxStatus:
    return MxStatus(
        category=open_enum(StatusCategory, message.category),
        detected_by=open_enum(StatusSource, message.detected_by),
        detail=message.detail,
        success=message.success,
        diagnostic_text=message.diagnostic_text,
        raw_category=message.raw_category,
        raw_detected_by=message.raw_detected_by,
    )


def statuses_of(messages: Iterable[pb.MxStatusProxy]) -> tuple[MxStatus, ...]:
    return tuple(map(status_of, messages))
