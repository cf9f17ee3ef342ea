"""Values: what Python values become on their way to a tag, and what comes back.

A plain Python value takes the type it implies: bool, int (int32, int64 when it does not fit), float
(double), str, an aware datetime, None, bytes, or a list of one of these. ``Typed("float", 1.5)`` says
the type outright. Coming back, a real of 32 bits is a :class:`~zb_mom_ww_mxgateway.Float32`, an array is an
:class:`Array` (a list that keeps its dimensions) and what the gateway could not convert is a :class:`RawValue`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import Float32

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
_FLOAT_MAX = 3.4028235677973366e38  # the first double that rounds to infinity as a 32-bit float


class DataType(IntEnum):
    """``MxDataType`` of MXAccess (the native value plus 2)."""

    UNSPECIFIED = 0
    UNKNOWN = 1
    NO_DATA = 2
    BOOLEAN = 3
    INTEGER = 4
    FLOAT = 5
    DOUBLE = 6
    STRING = 7
    TIME = 8
    ELAPSED_TIME = 9
    REFERENCE_TYPE = 10
    STATUS_TYPE = 11
    DATA_TYPE_ENUM = 12
    SECURITY_CLASSIFICATION_ENUM = 13
    DATA_QUALITY_TYPE = 14
    QUALIFIED_ENUM = 15
    QUALIFIED_STRUCT = 16
    INTERNATIONALIZED_STRING = 17
    BIG_STRING = 18


@dataclass(frozen=True, slots=True)
class RawValue:
    """A value the gateway could not convert, or whose kind this library does not know: its raw fields."""

    data_type: DataType | int
    variant_type: str
    raw_data_type: int
    raw_diagnostic: str
    data: bytes | None = None
    nanoseconds: int | None = field(default=None, compare=False)
    """Of a time before the year 1 or after 9999, which no ``datetime`` can be: nanoseconds since the Unix epoch."""


class Array(list[Any]):
    """An array value: its elements in wire order, with the dimensions and element type the gateway gave."""

    __slots__ = ("dimensions", "element_type")

    def __init__(self, elements: Sequence[Any], dimensions: tuple[int, ...], element_type: DataType | int) -> None:
        super().__init__(elements)
        self.dimensions: tuple[int, ...] = dimensions
        self.element_type: DataType | int = element_type


@dataclass(frozen=True, slots=True)
class Typed:
    """A value with its type said outright: one of :data:`TYPE_NAMES`, and a scalar or a list."""

    type: str
    value: Any

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise MxGatewayArgumentError(f"type {self.type!r}: one of {', '.join(TYPES)} expected")
        normalize(self)

    @property
    def sent(self) -> Any:
        """The value as it goes out: a real of 32 bits is the one that is nearest to `value`."""
        if self.type != "float":
            return self.value
        return [*map(Float32, self.value)] if isinstance(self.value, list | tuple) else Float32(self.value)


Scalar: TypeAlias = bool | int | float | str | datetime | bytes
MxValueInput: TypeAlias = Scalar | Sequence[Scalar] | Typed | None
"""What the write calls take."""

MxValueOutput: TypeAlias = Scalar | Array | RawValue | None
"""What events and reads carry."""


class Normal(NamedTuple):
    """A checked value: the oneof arm it goes into (None is null), its MXAccess and VARIANT type, and the value."""

    arm: str | None
    data_type: DataType
    variant_type: str
    value: Any
    dimensions: tuple[int, ...] | None
    """Of an array; None for a scalar."""


class _Type(NamedTuple):
    arm: str
    data_type: DataType
    variant_type: str
    check: Callable[[Any], Any]


def _shown(value: Any) -> str:
    try:
        shown = repr(value)
    except ValueError:  # an int of thousands of digits
        return "a number that long"
    return shown if len(shown) <= 60 else shown[:57] + "..."


def _wrong(what: str, value: Any) -> MxGatewayArgumentError:
    return MxGatewayArgumentError(f"value: {what} expected, not {_shown(value)}")


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong("True or False", value)
    return value


def _integer(limits: tuple[int, int], name: str) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(f"a whole number ({name})", value)
        if not limits[0] <= value <= limits[1]:
            raise MxGatewayArgumentError(f"value: {_shown(value)} does not fit {name} ({limits[0]} to {limits[1]})")
        return int(value)

    return check


def _real(limit: float, name: str) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _wrong(f"a number ({name})", value)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isnan(number) or (math.isinf(number) and isinstance(value, float)):
            raise MxGatewayArgumentError(f"value: {number} is not a number a tag can take")
        if abs(number) >= limit:
            raise MxGatewayArgumentError(f"value: {_shown(value)} does not fit {name}")
        return number

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong("text", value)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise _wrong("text that can be sent as UTF-8", value) from None
    return value


def _time(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise _wrong("a datetime", value)
    if value.utcoffset() is None:
        raise MxGatewayArgumentError(
            f"value: {value.isoformat()} has no time zone; give the datetime one, for example tzinfo=timezone.utc"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise MxGatewayArgumentError(f"value: {value.isoformat()} is outside the years 1 to 9999 in UTC") from None


def _raw(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise _wrong("bytes", value)
    return value


TYPES: dict[str, _Type] = {
    "bool": _Type("bool", DataType.BOOLEAN, "VT_BOOL", _bool),
    "int32": _Type("int32", DataType.INTEGER, "VT_I4", _integer(INT32, "int32")),
    "int64": _Type("int64", DataType.INTEGER, "VT_I8", _integer(INT64, "int64")),
    "float": _Type("float", DataType.FLOAT, "VT_R4", _real(_FLOAT_MAX, "a 32-bit float")),
    "double": _Type("double", DataType.DOUBLE, "VT_R8", _real(math.inf, "a double")),
    "string": _Type("string", DataType.STRING, "VT_BSTR", _text),
    "time": _Type("timestamp", DataType.TIME, "VT_DATE", _time),
}
"""The types a value can be given outright, by their names in commands and scripts."""

TYPE_NAMES: tuple[str, ...] = tuple(TYPES)

_BYTES = _Type("raw", DataType.UNKNOWN, "VT_UI1", _raw)


def _implied(value: Any) -> _Type:
    if isinstance(value, bool):
        return TYPES["bool"]
    if isinstance(value, int):
        return TYPES["int32" if INT32[0] <= value <= INT32[1] else "int64"]
    if isinstance(value, float):
        return TYPES["double"]
    if isinstance(value, str):
        return TYPES["string"]
    if isinstance(value, datetime):
        return TYPES["time"]
    if isinstance(value, bytes):
        return _BYTES
    raise _wrong("bool, int, float, str, datetime, bytes, None, or a list of one of these", value)


def _implied_by_all(values: Sequence[Any]) -> _Type:
    if not values:
        raise MxGatewayArgumentError('value: the type of an empty list is unknown; say it: Typed("int32", [])')
    types = list(dict.fromkeys(_implied(value) for value in values))
    if len(types) == 1:
        return types[0]
    if all(type_.data_type is DataType.INTEGER for type_ in types):
        return TYPES["int64"]
    if all(type_.data_type in (DataType.INTEGER, DataType.DOUBLE) for type_ in types):
        return TYPES["double"]
    names = " and ".join(type_.arm for type_ in types)
    raise MxGatewayArgumentError(f"value: one type for all elements expected, not {names}")


def normalize(value: MxValueInput) -> Normal:
    """Checks a value and settles its type; raises MxGatewayArgumentError saying what would be right."""
    type_: _Type | None = None
    if isinstance(value, Typed):
        type_, value = TYPES[value.type], value.value
    if value is None:
        if type_ is not None:
            raise MxGatewayArgumentError(f"value: None has no type {type_.arm}; write plain None for null")
        return Normal(None, DataType.NO_DATA, "VT_EMPTY", None, None)
    if isinstance(value, list | tuple):
        type_ = type_ or _own_type(value) or _implied_by_all(value)
        elements = [type_.check(element) for element in value]
        dimensions = value.dimensions if isinstance(value, Array) else (len(elements),)
        if math.prod(dimensions) != len(elements):
            raise MxGatewayArgumentError(f"value: dimensions {dimensions} do not make {len(elements)} elements")
        return Normal(type_.arm, type_.data_type, f"VT_ARRAY|{type_.variant_type}", elements, dimensions)
    type_ = type_ or _implied(value)
    return Normal(type_.arm, type_.data_type, type_.variant_type, type_.check(value), None)


def _own_type(value: Any) -> _Type | None:
    """The type an array came with, so that what was read can be written back."""
    if not isinstance(value, Array):
        return None
    if value.element_type is DataType.INTEGER:
        fits = all(isinstance(element, int) and INT32[0] <= element <= INT32[1] for element in value)
        return TYPES["int32" if fits else "int64"]
    return next((type_ for type_ in TYPES.values() if type_.data_type is value.element_type), None)
