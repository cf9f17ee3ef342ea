"""Types that a value can have: one table, from which everything that knows types derives.

Python values to messages and back, comparison, text, JSON, the literals of the shell and the options of ``mxgw-py``
read :data:`TYPES`. The simulator and the documentation are checked against it by tests.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, TypeVar

from zb_mom_ww_mxgateway.reals import Float32, shortest_text
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway.value_checks import (
    INT32,
    INT64,
    checked_bool,
    checked_bytes,
    checked_double,
    checked_single,
    checked_text,
    checked_time,
    integer_check,
)
from zb_mom_ww_mxgateway.value_spelling import (
    bool_text,
    parse_bool,
    parse_double,
    parse_integer,
    parse_single,
    parse_text,
    parse_time,
)

_T = TypeVar("_T")


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


class Family(StrEnum):
    """Types whose values compare with each other; the value names the family in messages."""

    BOOLEAN = "true or false"
    NUMBER = "a number"
    TEXT = "text"
    TIME = "a time"

    @property
    def is_ordered(self) -> bool:
        """Whether one value is less than another, and two may differ by a tolerance."""
        return self in (Family.NUMBER, Family.TIME)


class WireType(NamedTuple):
    """How a value is sent."""

    arm: str
    """Name of the oneof's arm in the message, without ``_value`` or ``_values``."""
    data_type: DataType
    variant_type: str
    check: Callable[[Any], Any]
    """Returns the value to send; raises MxGatewayArgumentError for a value that does not fit."""
    limits: tuple[int, int] | None = None
    """Least and greatest whole number."""

    def has_room(self, value: Any) -> bool:
        """Whether a value is within the limits, if there are any."""
        limits = self.limits
        return limits is None or (isinstance(value, int) and limits[0] <= value <= limits[1])


class TypeSpec(NamedTuple):
    """All that is known of one type of values."""

    name: str
    """Name in commands, files and :class:`~zb_mom_ww_mxgateway.Typed`."""
    wire: WireType
    python_type: type
    """Python type of values that come back."""
    implied_by: type | None
    """Python type that is sent as this type if none is named."""
    family: Family
    title: str
    """Expected kind of value, as completion and the toolbar show it."""
    example: str
    """A value as text."""
    parse: Callable[[str, str], Any]
    """Returns the value, not yet checked, of a type's name and a text; raises MxGatewayArgumentError."""
    text: Callable[[Any], str]
    """Returns the text that :meth:`read` reads back as the same value."""
    tag_types: tuple[DataType, ...] = ()
    """Types of tags that take a bare value as this type; empty if only the tag's VARIANT type tells."""
    choices: tuple[str, ...] = ()
    """All texts, if there are few."""

    @property
    def is_quoted(self) -> bool:
        """Whether its values are text in JSON."""
        return self.family in (Family.TEXT, Family.TIME)

    def read(self, text: str) -> Any:
        """Return the value that a text spells, which can be sent; raise MxGatewayArgumentError."""
        value = self.parse(self.name, text)
        self.wire.check(value)
        return value

    def to_json(self, value: Any) -> Any:
        """Return the JSON form: a real with all its digits, NaN and infinities as text."""
        if self.is_quoted:
            return self.text(value)
        if not isinstance(value, float):
            return value
        return float(self.text(value)) if math.isfinite(value) else str(value)

    def from_json(self, value: Any) -> Any:
        """Return the value of a JSON form, not yet checked; raise MxGatewayArgumentError."""
        return self.parse(self.name, value) if self.is_quoted else value


TYPES: dict[str, TypeSpec] = {
    spec.name: spec
    for spec in (
        TypeSpec(
            name="bool",
            wire=WireType("bool", DataType.BOOLEAN, "VT_BOOL", checked_bool),
            python_type=bool,
            implied_by=bool,
            family=Family.BOOLEAN,
            title="true|false",
            example="true",
            parse=parse_bool,
            text=bool_text,
            tag_types=(DataType.BOOLEAN,),
            choices=("true", "false"),
        ),
        TypeSpec(
            name="int32",
            wire=WireType("int32", DataType.INTEGER, "VT_I4", integer_check(INT32, "int32"), INT32),
            python_type=int,
            implied_by=int,
            family=Family.NUMBER,
            title="Integer",
            example="5",
            parse=parse_integer,
            text=str,
            tag_types=(DataType.INTEGER,),
        ),
        TypeSpec(
            name="int64",
            wire=WireType("int64", DataType.INTEGER, "VT_I8", integer_check(INT64, "int64"), INT64),
            python_type=int,
            implied_by=int,
            family=Family.NUMBER,
            title="Integer",
            example="5",
            parse=parse_integer,
            text=str,
        ),
        TypeSpec(
            name="float",
            wire=WireType("float", DataType.FLOAT, "VT_R4", checked_single),
            python_type=Float32,
            implied_by=None,
            family=Family.NUMBER,
            title="Float",
            example="5",
            parse=parse_single,
            text=shortest_text,
            tag_types=(DataType.FLOAT,),
        ),
        TypeSpec(
            name="double",
            wire=WireType("double", DataType.DOUBLE, "VT_R8", checked_double),
            python_type=float,
            implied_by=float,
            family=Family.NUMBER,
            title="Double",
            example="5",
            parse=parse_double,
            text=shortest_text,
            tag_types=(DataType.DOUBLE, DataType.ELAPSED_TIME),  # Elapsed time is in seconds.
        ),
        TypeSpec(
            name="string",
            wire=WireType("string", DataType.STRING, "VT_BSTR", checked_text),
            python_type=str,
            implied_by=str,
            family=Family.TEXT,
            title="String",
            example="5",
            parse=parse_text,
            text=str,
            tag_types=(DataType.STRING, DataType.INTERNATIONALIZED_STRING, DataType.BIG_STRING),
        ),
        TypeSpec(
            name="time",
            wire=WireType("timestamp", DataType.TIME, "VT_DATE", checked_time),
            python_type=datetime,
            implied_by=datetime,
            family=Family.TIME,
            title="Time",
            example="2026-10-02T08:14:00Z",
            parse=parse_time,
            text=time_text,
            tag_types=(DataType.TIME,),
        ),
    )
}
"""Types by name. Within a family, and among types that one Python type implies, the widest is last."""

TYPE_NAMES: tuple[str, ...] = tuple(TYPES)

RAW = WireType("raw", DataType.UNKNOWN, "VT_UI1", checked_bytes)
"""Of bytes, whose type has no name and no text."""

WIDEST: Mapping[Family, TypeSpec] = {spec.family: spec for spec in TYPES.values()}
"""The type that has room for every value of a family."""

# Of several types with one Python type, the first that it implies, else the first.
_LAST_FIRST = tuple(reversed(TYPES.values()))
_OF_PYTHON_TYPE: dict[type, TypeSpec] = {spec.python_type: spec for spec in _LAST_FIRST} | {
    spec.python_type: spec for spec in _LAST_FIRST if spec.implied_by is spec.python_type
}
_IMPLIED_BY: dict[type, tuple[WireType, ...]] = {
    python_type: tuple(spec.wire for spec in TYPES.values() if spec.implied_by is python_type)
    for python_type in (spec.implied_by for spec in TYPES.values())
    if python_type is not None
} | {bytes: (RAW,)}
_OF_TAG_TYPE: dict[DataType | int, TypeSpec] = {
    data_type: spec for spec in TYPES.values() for data_type in spec.tag_types
}
_OF_VARIANT_TYPE: dict[str, TypeSpec] = {spec.wire.variant_type: spec for spec in TYPES.values() if not spec.tag_types}

_PLACE: dict[WireType, int] = {wire: place for place, wire in enumerate([spec.wire for spec in TYPES.values()] + [RAW])}


def _most_specific(table: Mapping[type, _T], python_type: type) -> _T | None:
    """Return the entry of a Python type, else of its nearest base: a bool is no number, a Float32 no double."""
    found = table.get(python_type)
    if found is None:
        found = next((table[base] for base in python_type.__mro__ if base in table), None)
    return found


def type_of(value: Any) -> TypeSpec | None:
    """Return the type of a value that comes back; None for null, bytes, arrays and other Python types."""
    return _most_specific(_OF_PYTHON_TYPE, type(value))


def family_of(value: Any) -> Family | None:
    """Return the family of a value; None as for :func:`type_of`."""
    spec = type_of(value)
    return spec.family if spec else None


def implied_type(value: Any) -> WireType | None:
    """Return the type as which a Python value is sent if none is named; None if it implies none."""
    types = _most_specific(_IMPLIED_BY, type(value))
    if types is None:
        return None
    for each in types:
        if each.has_room(value):
            return each
    return types[-1]  # Its check says what is wrong.


def common_type(types: Collection[WireType]) -> WireType | None:
    """Return the type that has room for values of all these types; None if there is none."""
    if len({each.data_type for each in types}) == 1:
        return max(types, key=_PLACE.__getitem__)
    families = {spec.family for spec in TYPES.values() if spec.wire in types}
    return WIDEST[families.pop()].wire if len(families) == 1 and RAW not in types else None


def element_type(data_type: DataType | int, elements: Sequence[Any]) -> WireType | None:
    """Return the type of an array's elements by its element type; None if no type is written as it."""
    types = [spec.wire for spec in TYPES.values() if spec.wire.data_type is data_type]
    return next((each for each in types if all(map(each.has_room, elements))), types[-1] if types else None)


def type_of_tag(data_type: DataType | int, variant_type: str = "") -> TypeSpec | None:
    """Return the type that a bare value for a tag takes; None if the value must name its type."""
    for name, spec in _OF_VARIANT_TYPE.items():
        if name in variant_type:
            return spec
    return _OF_TAG_TYPE.get(data_type) if isinstance(data_type, DataType) else None
