"""Values as limits judge them: digit by digit, each element of an array, and as the tag will hold them.

A number counts as the decimal that is shown of it: 0.1 of 32 bits is 0.1, not 0.10000000149. A value that the tag will
round must keep a limit before and after that, so that rounding carries nothing past it.
"""

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from zb_mom_ww_mxgateway.comparison import is_single
from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.reals import Float32, shortest_text
from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.times import exact_time
from zb_mom_ww_mxgateway.value_types import DataType, Family, family_of, type_of
from zb_mom_ww_mxgateway.values import Typed

_SHOWN = 60
_DEFAULTS: dict[type, Any] = {bool: False, int: 0, float: 0.0, Float32: Float32(0.0), str: ""}
_AS_DOUBLE = (DataType.DOUBLE, DataType.ELAPSED_TIME)


class NotJudgedError(Exception):
    """A value that a limit cannot judge; the message says why."""


@dataclass(frozen=True, slots=True)
class WrittenPart:
    """A value that is written to one place: a scalar, one element of an array, or all elements that get the default."""

    value: Any
    total: int | None = None
    """Length of the array; None for a scalar."""
    index: int | None = None
    """Of the element, from 0; None for a scalar and for the default."""
    given: frozenset[int] = frozenset()
    """Indexes of the elements that do not get the default."""

    @property
    def name(self) -> str:
        """The place, to begin a message; empty for a scalar."""
        if self.total is None:
            return ""
        return "each other element: " if self.index is None else f"element {self.index + 1}: "

    def before(self, old: Any) -> Iterator[Any]:
        """Yield what was in its places in an old value; raise NotJudgedError if that has other places."""
        if self.total is None:
            if isinstance(old, list | tuple):
                raise NotJudgedError("it is an array, and this is one value")
            yield old
            return
        if not isinstance(old, list | tuple) or len(old) != self.total:
            length = f"an array of {len(old)}" if isinstance(old, list | tuple) else "no array"
            raise NotJudgedError(f"it is {length}, and this is an array of {self.total}")
        if self.index is None:
            yield from (each for index, each in enumerate(old) if index not in self.given)
        elif 0 <= self.index < self.total:
            yield old[self.index]
        else:
            raise NotJudgedError("it has no such element")


def parts_of(value: Any) -> Sequence[WrittenPart]:
    """Return the parts of a value that is to be written; raise NotJudgedError where some of them are unknown."""
    if isinstance(value, Typed):
        value = value.sent
    if isinstance(value, SparseArray):
        total = value.total_length
        given = frozenset(index for index, _ in value.elements)
        parts = [WrittenPart(each, total, index) for index, each in value.elements]
        if len({index for index in given if 0 <= index < total}) < total:
            parts.append(WrittenPart(_default(value), total, given=given))
        return parts
    if isinstance(value, list | tuple):
        return [WrittenPart(each, len(value), index) for index, each in enumerate(value)]
    return [WrittenPart(value)]


def _default(array: SparseArray) -> Any:
    """Return what the elements get that are not named."""
    types = {type(value) for _, value in array.elements}
    if len(types) == 1 and (only := types.pop()) in _DEFAULTS:
        return _DEFAULTS[only]
    raise NotJudgedError("the default that the other elements get is unknown")


@dataclass(frozen=True, slots=True)
class Held:
    """A number that a tag may hold after a write."""

    number: Fraction
    text: str


def held(value: Any, data_type: DataType | int, old: Any = None) -> Sequence[Held]:
    """Return the number that is written, then what a tag of this type may make of it.

    The type of an old value serves where that of the tag is unknown. Raises NotJudgedError for what is no number.
    """
    written = number_of(value)
    found = [Held(written, shown(value))]
    try:
        if is_single(old, data_type) and not isinstance(value, Float32):
            single = Float32(value)
            found.append(Held(number_of(single), shown(single)))
        if data_type in _AS_DOUBLE and isinstance(value, int):
            found.append(Held(number_of(float(value)), shown(float(value))))
        if data_type is DataType.INTEGER and isinstance(value, float):
            found += [Held(Fraction(whole), str(whole)) for whole in {math.floor(value), math.ceil(value)}]
    except OverflowError:
        raise NotJudgedError(f"{shown(value)} does not fit the tag") from None
    return found


def number_of(value: Any) -> Fraction:
    """Return a number as the decimal that is shown of it; raise NotJudgedError for anything else."""
    if family_of(value) is not Family.NUMBER or (isinstance(value, float) and not math.isfinite(value)):
        raise NotJudgedError(f"{shown(value)} is not a number")
    return _fraction(value)


@lru_cache(maxsize=1_000, typed=True)
def _fraction(value: int | float) -> Fraction:
    # Each limit asks for the same few numbers. A Decimal reads a text in half the time.
    return Fraction(Decimal(shortest_text(value))) if isinstance(value, float) else Fraction(value)


def same_plainly(wanted: Any, value: Any, data_type: DataType | int) -> bool:
    """Return whether a value is exactly this one: of its family, and as a number at the precision of the tag."""
    if family_of(value) is not family_of(wanted):
        return False
    if family_of(value) is not Family.NUMBER:
        return bool(value == wanted)
    try:
        if is_single(value, data_type):
            return number_of(Float32(wanted)) == number_of(Float32(value))
        return number_of(wanted) == number_of(value)
    except (NotJudgedError, OverflowError):
        return False


def shown(value: Any) -> str:
    """Return a value for a message, on one line of limited length."""
    if isinstance(value, str):
        text = json.dumps(redact(value)[:_SHOWN], ensure_ascii=False)
        return f"{text}…" if len(value) > _SHOWN else text
    if value is None:
        return "null"
    spec = type_of(value)
    if spec is None:
        return "an array" if isinstance(value, list | tuple) else f"a value of type {type(value).__name__}"
    try:
        return exact_time(value) if isinstance(value, datetime) else spec.text(value)
    except ValueError:  # An int of thousands of digits.
        return "a number that long"
