"""The types of tags, and the conversion of written values to them, as MXAccess does it."""

import math
import struct
from datetime import UTC, datetime, timedelta
from enum import IntEnum

Scalar = bool | int | float | str | datetime
Value = Scalar | tuple[Scalar, ...] | None

_INT32_MIN, _INT32_MAX = -(2**31), 2**31 - 1
_WORDS = {"true": True, "false": False}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NativeType(IntEnum):
    """Types by their native numbers. ELAPSED_TIME is a float of seconds, TIME an aware datetime."""

    BOOLEAN = 1
    INTEGER = 2
    FLOAT = 3
    DOUBLE = 4
    STRING = 5
    TIME = 6
    ELAPSED_TIME = 7


NUMBERS = (NativeType.INTEGER, NativeType.FLOAT, NativeType.DOUBLE, NativeType.ELAPSED_TIME)
"""The types whose values are numbers."""


class CoercionError(ValueError):
    """The value cannot be converted to the tag's type. ``out_of_range``: it is only too large."""

    def __init__(self, text: str, *, out_of_range: bool = False) -> None:
        super().__init__(text)
        self.out_of_range = out_of_range


def default(tag_type: NativeType) -> Scalar:
    """Return the value of an element that was never written."""
    return _DEFAULTS[tag_type]


_DEFAULTS: dict[NativeType, Scalar] = {
    NativeType.BOOLEAN: False,
    NativeType.INTEGER: 0,
    NativeType.FLOAT: 0.0,
    NativeType.DOUBLE: 0.0,
    NativeType.STRING: "",
    NativeType.TIME: _EPOCH,
    NativeType.ELAPSED_TIME: 0.0,
}


def coerce(value: object, tag_type: NativeType, *, array: bool) -> Value:
    """Return the value as the tag holds it. Raise CoercionError."""
    if array:
        if not isinstance(value, tuple | list):
            raise CoercionError("the value must be an array")
        return tuple(coerce_scalar(element, tag_type) for element in value)
    return coerce_scalar(value, tag_type)


def coerce_scalar(value: object, tag_type: NativeType) -> Scalar:
    """Return one value or element in the type. Raise CoercionError."""
    match tag_type:
        case NativeType.BOOLEAN:
            return _boolean(value)
        case NativeType.INTEGER:
            return _integer(value)
        case NativeType.FLOAT:
            return _single(_number(value))
        case NativeType.DOUBLE:
            return _number(value)
        case NativeType.STRING:
            return _string(value)
        case NativeType.TIME:
            return _time(value)
        case NativeType.ELAPSED_TIME:
            return _elapsed(value)


def _refused(value: object, wanted: str) -> CoercionError:
    shown = repr(value)
    return CoercionError(f"{shown if len(shown) <= 60 else shown[:57] + '...'} is not {wanted}")


def _boolean(value: object) -> bool:
    if isinstance(value, bool | int | float):
        return bool(_number(value))
    if isinstance(value, str):
        word = _WORDS.get(value.strip().lower())
        return bool(_number(value)) if word is None else word
    raise _refused(value, "a Boolean")


def _integer(value: object) -> int:
    if isinstance(value, bool | int):
        number = int(value)
    elif isinstance(value, float | str):
        # Half to even, as COM converts a variant from R8 to I4.
        number = round(_number(value))
    else:
        raise _refused(value, "an Integer")
    if not _INT32_MIN <= number <= _INT32_MAX:
        raise CoercionError(f"{number} does not fit into 32 bits", out_of_range=True)
    return number


def _number(value: object) -> float:
    if isinstance(value, bool | int | float | str):
        text = value.strip() if isinstance(value, str) else value
        if isinstance(text, str) and "_" in text:
            raise _refused(value, "a number")
        try:
            number = float(text)
        except (ValueError, OverflowError):
            raise _refused(value, "a number") from None
        if math.isfinite(number):
            return number
    raise _refused(value, "a number")


def _single(number: float) -> float:
    try:
        (rounded,) = struct.unpack("<f", struct.pack("<f", number))
    except OverflowError:
        raise CoercionError(f"{number} does not fit into a Float", out_of_range=True) from None
    return float(rounded)


def _string(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return f"{value:.15g}" if isinstance(value, float) else str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    raise _refused(value, "a String")


def _time(value: object) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise _refused(value, "a Time") from None
    if not isinstance(value, datetime):
        raise _refused(value, "a Time")
    # The galaxy's times without a zone are UTC.
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _elapsed(value: object) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str) and value.count(":") == 2:
        hours, minutes, seconds = (_number(part) for part in value.split(":"))
        return hours * 3600 + minutes * 60 + seconds
    return _number(value)
