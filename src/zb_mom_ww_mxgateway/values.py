"""Values of tags: Python values that are written, and Python values that come back.

A plain Python value takes the type it implies: bool, int (int32, int64 when it does not fit), float
(double), str, an aware datetime, None, bytes, or a list of one of these. ``Typed("float", 1.5)`` names
the type. Coming back, a real of 32 bits is a :class:`~zb_mom_ww_mxgateway.Float32`, an array is an
:class:`Array` (a list that keeps its dimensions) and what the gateway could not convert is a :class:`RawValue`.

A value is checked once, by :func:`normalize` or when its :class:`Typed` is made; from then on it is carried as a
:class:`NormalValue`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.value_checks import expected
from zb_mom_ww_mxgateway.value_types import TYPES, DataType, WireType, common_type, element_type, implied_type


@dataclass(frozen=True, slots=True)
class RawValue:
    """Raw fields of a value that the gateway could not convert, or whose type this library does not know."""

    data_type: DataType | int
    variant_type: str
    raw_data_type: int
    raw_diagnostic: str
    data: bytes | None = None
    nanoseconds: int | None = field(default=None, compare=False)
    """Nanoseconds since the Unix epoch of a time outside the years 1 to 9999, which no ``datetime`` can hold."""


class Array(list[Any]):
    """Elements of an array in wire order, with the dimensions and the element type from the gateway."""

    __slots__ = ("dimensions", "element_type")

    def __init__(self, elements: Sequence[Any], dimensions: tuple[int, ...], element_type: DataType | int) -> None:
        super().__init__(elements)
        self.dimensions: tuple[int, ...] = dimensions
        self.element_type: DataType | int = element_type


@dataclass(frozen=True, slots=True)
class NormalValue:
    """A checked value and its type, as a message has them. It is never checked again."""

    arm: str | None
    """Of the message's oneof; None for null."""
    data_type: DataType
    variant_type: str
    value: Any
    dimensions: tuple[int, ...] | None
    """Of an array; None for a scalar."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A value whose type is named: one of :data:`TYPE_NAMES`, and a scalar or a list.

    It is checked, and a list copied, when it is made.
    """

    type: str
    value: Any
    normal: NormalValue = field(init=False, repr=False, compare=False)
    """The checked value, as it is sent."""

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise MxGatewayArgumentError(f"type {self.type!r}: one of {', '.join(TYPES)} expected")
        if self.value is None:
            raise MxGatewayArgumentError(f"value: None has no type {self.type}; write plain None for null")
        object.__setattr__(self, "normal", _normal(self.value, TYPES[self.type].wire))

    @property
    def sent(self) -> Any:
        """The value that is sent: for a real of 32 bits, the one nearest to `value`."""
        return self.normal.value if TYPES[self.type].python_type is Float32 else self.value


Scalar: TypeAlias = bool | int | float | str | datetime | bytes
MxValueInput: TypeAlias = Scalar | Sequence[Scalar] | Typed | NormalValue | None
"""Values that the write calls accept."""

MxValueOutput: TypeAlias = Scalar | Array | RawValue | None
"""Values of events and reads."""


def normalize(value: MxValueInput) -> NormalValue:
    """Check a value and settle its type; raise MxGatewayArgumentError with what would be right.

    A value that is normal already is returned as it is.
    """
    if isinstance(value, NormalValue):
        return value
    if isinstance(value, Typed):
        return value.normal
    if value is None:
        return NormalValue(None, DataType.NO_DATA, "VT_EMPTY", None, None)
    return _normal(value, _type_of_all(value) if isinstance(value, list | tuple) else _implied(value))


def _normal(value: Any, type_: WireType) -> NormalValue:
    if not isinstance(value, list | tuple):
        return NormalValue(type_.arm, type_.data_type, type_.variant_type, type_.check(value), None)
    elements = [type_.check(element) for element in value]
    dimensions = value.dimensions if isinstance(value, Array) else (len(elements),)
    if math.prod(dimensions) != len(elements):
        raise MxGatewayArgumentError(f"value: dimensions {dimensions} do not make {len(elements)} elements")
    return NormalValue(type_.arm, type_.data_type, f"VT_ARRAY|{type_.variant_type}", elements, dimensions)


def _type_of_all(values: Sequence[Any]) -> WireType:
    """Return the type of an array's elements: its own if it has one, so that a value that was read can be written."""
    own = element_type(values.element_type, values) if isinstance(values, Array) else None
    if own is not None:
        return own
    if not values:
        raise MxGatewayArgumentError('value: the type of an empty list is unknown; name it: Typed("int32", [])')
    types = dict.fromkeys(map(_implied, values))
    common = common_type(types)
    if common is None:
        names = " and ".join(type_.arm for type_ in types)
        raise MxGatewayArgumentError(f"value: one type for all elements expected, not {names}")
    return common


def _implied(value: Any) -> WireType:
    type_ = implied_type(value)
    if type_ is None:
        raise expected("bool, int, float, str, datetime, bytes, None, or a list of one of these", value)
    return type_
