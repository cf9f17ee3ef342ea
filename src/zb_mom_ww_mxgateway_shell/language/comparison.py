"""Comparison of a value with what was typed, by the type of the value.

Numbers and times are ordered and may differ by a tolerance; texts are equal, different, or match a regular
expression; arrays are compared element by element. Equality is the rule of :mod:`zb_mom_ww_mxgateway.comparison`.
"""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from zb_mom_ww_mxgateway.comparison import is_single, same_value
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.value_types import TYPES, WIDEST, DataType, Family, family_of
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_duration, parse_value
from zb_mom_ww_mxgateway_shell.language.literals import Literal, check_prefix, split_type
from zb_mom_ww_mxgateway_shell.language.patterns import Pattern, PatternError, pattern
from zb_mom_ww_mxgateway_shell.language.tokens import Token, elements

ORDERING = ("<", "<=", ">", ">=")
OPERATORS = ("=", "!=", *ORDERING, "~")
_INTEGER = re.compile(r"[+-]?[0-9]{1,100}")
# A dotted reference such as Plant.Tank1.Level, 1Tank.Level or Obj.Arr[3], or one relative to the focused object. In the
# galaxy each name has a letter somewhere.
_REFERENCE = re.compile(r"(?:[\d$#]*[^\W\d][\w$#]*|[$#][\w$#]+)?(?:\.[\d$#]*[^\W\d][\w$#]*)+(?:\[\d*\])?")


@dataclass(frozen=True, slots=True)
class Comparison:
    """An operator, the wanted value and the tolerance, as typed."""

    operator: Token
    wanted: Token
    tolerance: Token | None = None

    @property
    def text(self) -> str:
        """The comparison as typed."""
        tolerance = f" tol {self.tolerance.text}" if self.tolerance else ""
        return f"{self.operator.text} {self.wanted.text}{tolerance}"

    @property
    def _is_bare(self) -> bool:
        return not self.wanted.is_quoted and not self.wanted.is_array

    @property
    def asks_for_null(self) -> bool:
        """Whether the wanted value is ``null`` without quotes: no value."""
        return self._is_bare and self.wanted.text == "null"

    @property
    def asks_for_nan(self) -> bool:
        """Whether the wanted value is ``nan`` without quotes: not a number."""
        return self._is_bare and self.wanted.text.lower() == "nan"

    def check(self) -> None:
        """Raise InputError for what is wrong with every value."""
        operator, wanted = self.operator.text, self.wanted
        if self.tolerance is not None:
            if operator == "~":
                raise self.tolerance.mistake("a match has no tolerance")
            self._check_tolerance(self.tolerance)
        if self.asks_for_null or self.asks_for_nan:
            if operator not in ("=", "!="):
                raise self.operator.mistake(f"{wanted.text} is compared with = or != only")
            return
        if not wanted.is_quoted:
            check_prefix(wanted)
            if _REFERENCE.fullmatch(wanted.text) and not _is_number(wanted.text):
                refuse_tag(wanted)
        Literal(wanted).check()
        type_name, rest = split_type(wanted)
        if operator == "~":
            if type_name is not None and TYPES[type_name].family is not Family.TEXT:
                raise self.operator.mistake("~ matches texts only")
            self._pattern()
        elif operator in ORDERING:
            if rest.is_array:
                raise self.operator.mistake("arrays are compared with = or != only")
            if wanted.is_quoted or not _is_ordered(type_name):
                raise self.operator.mistake("only numbers and times are more or less; compare with = or !=")
            if type_name is None and not _is_number_or_time(rest.text):
                raise wanted.mistake(f"{operator} compares numbers and times, and this is neither")

    def _check_tolerance(self, tolerance: Token) -> None:
        number, _ = _tolerance(tolerance)
        type_name, rest = split_type(self.wanted)
        for each in elements(rest) if rest.is_array else [rest]:
            if each.is_quoted or not _is_ordered(type_name) or not _is_number_or_time(each.text):
                raise tolerance.mistake("only numbers and times have a tolerance")
            if number is None and _is_number(each.text):
                raise tolerance.mistake("a number is expected: the tolerance of a number")

    def holds(self, actual: Any, data_type: DataType | int = DataType.UNSPECIFIED) -> bool:
        """Whether it is true of a value; raise InputError if the two cannot be compared."""
        operator = self.operator.text
        if self.asks_for_null:
            return (actual is None) == (operator == "=")
        if actual is None:
            return operator == "!="
        if isinstance(actual, list | tuple):
            return self._array_holds(actual, data_type)
        if self.asks_for_nan:
            return (isinstance(actual, float) and math.isnan(actual)) == (operator == "=")
        if operator == "~":
            if not isinstance(actual, str):
                raise self.operator.mistake(f"~ matches texts only; the value is {_described(actual)}")
            return self._is_found_in(actual)
        return self._compare(actual, _read(self.wanted, actual, data_type), data_type)

    def _pattern(self) -> Pattern:
        _, rest = split_type(self.wanted)
        try:
            return pattern(rest.value)
        except PatternError as error:
            raise self.wanted.mistake(str(error)) from None

    def _is_found_in(self, actual: str) -> bool:
        try:
            return self._pattern().found_in(actual)
        except PatternError as error:
            raise self.wanted.mistake(str(error)) from None

    def _compare(self, actual: Any, wanted: Any, data_type: DataType | int) -> bool:
        tolerance, operator = self._tolerance_for(actual), self.operator.text
        if operator in ORDERING and not _may_order(actual):
            raise self.operator.mistake(f"{_described(actual)} is compared with = or != only")
        is_same = same_value(wanted, actual, tolerance=tolerance, data_type=data_type)
        match operator:
            case "=":
                return is_same
            case "!=":
                return not is_same
            case "<" | "<=":
                return bool(actual < wanted) or (is_same and (operator == "<=" or bool(tolerance)))
        return bool(actual > wanted) or (is_same and (operator == ">=" or bool(tolerance)))

    def _tolerance_for(self, actual: Any) -> float | None:
        return None if self.tolerance is None else tolerance_for(self.tolerance, actual)

    def _array_holds(self, actual: Sequence[Any], data_type: DataType | int) -> bool:
        if self.operator.text not in ("=", "!="):
            raise self.operator.mistake("arrays are compared with = or != only; name an element, as in Obj.Arr[1]")
        _, rest = split_type(self.wanted)
        if not rest.is_array:
            raise self.wanted.mistake("the value is an array: compare it with [1, 2, 3], or name an element")
        wanted = elements(rest)
        same = Comparison(Token("=", self.operator.start, self.operator.end), self.wanted, self.tolerance)
        equal = len(wanted) == len(actual) and all(
            same._compare(one, _read(other, one, data_type), data_type)
            for one, other in zip(actual, wanted, strict=True)
        )
        return equal == (self.operator.text == "=")


def refuse_tag(wanted: Token) -> None:
    """Raise InputError at the name of a tag without quotes: as text it would differ from every value."""
    if wanted.is_quoted or wanted.is_text:
        return
    raise wanted.mistake(
        f'{wanted.text} is the name of a tag, and would be compared as text: "{wanted.text}" in quotes is that text; '
        f"for the value that the tag has: capture other = {wanted.text}, then $other"
    )


def tolerance_for(word: Token, value: Any) -> float:
    """Return how much such a value may differ, a time in seconds; raise InputError if the tolerance does not apply."""
    number, seconds = _tolerance(word)
    if isinstance(value, datetime):
        return seconds
    if isinstance(value, list | tuple):
        return max((tolerance_for(word, each) for each in value), default=0.0)
    if not _may_order(value):
        raise word.mistake(f"{_described(value)} has no tolerance")
    if number is None:
        raise word.mistake("a number is expected: the tolerance of a number")
    return number


def tolerance_of_real(word: Token, written: Typed) -> float:
    """Return how much a real that was written may differ; raise InputError for any other value: it has to be equal."""
    if TYPES[written.type].python_type not in (float, Float32):
        raise word.mistake(f"a value of type {written.type} has to be equal: only reals have a tolerance")
    return real_tolerance(word)


def real_tolerance(word: Token) -> float:
    """Return how much a real may differ; raise InputError for what is no number."""
    number, _ = _tolerance(word)
    if number is None:
        raise word.mistake("a number is expected: the tolerance of a real")
    return number


def _tolerance(word: Token) -> tuple[float | None, float]:
    """Return the tolerance as a number, if it is one, and as seconds."""
    try:
        number = float(word.text) if word.text[:1].isdigit() or word.text[:1] == "." else math.nan
    except ValueError:
        number = math.nan
    if 0 <= number < math.inf:
        return number, number
    try:
        return None, parse_duration(word.text)
    except TextValueError:
        raise word.mistake("a tolerance is a number, or for times a duration such as 2s") from None


def _is_number_or_time(text: str) -> bool:
    return _is_number(text) or _is(Family.TIME, text)


def _is_number(text: str) -> bool:
    return _is(Family.NUMBER, text) or _INTEGER.fullmatch(text) is not None


def _is_ordered(type_name: str | None) -> bool:
    """Whether values of the named type, if one is named, are less or more than each other."""
    return type_name is None or TYPES[type_name].family.is_ordered


def _may_order(value: Any) -> bool:
    """Whether a value may be less or more than another; one of no family may."""
    family = family_of(value)
    return family is None or family.is_ordered


def _is(family: Family, text: str) -> bool:
    with suppress(MxGatewayArgumentError):
        WIDEST[family].read(text)
        return True
    return False


def _read(word: Token, actual: Any, data_type: DataType | int) -> Any:
    """Return what was typed as a value to compare with `actual`; raise InputError."""
    family = family_of(actual)
    type_name, rest = split_type(word)
    if family is None:
        raise word.mistake(f"the value is {_described(actual)}: it cannot be compared")
    if rest.is_array:
        raise word.mistake(f"the value is {family}, not an array")
    if type_name is None:
        type_name = WIDEST[Family.TEXT if rest.is_quoted else family].name
    if (other := TYPES[type_name].family) is not family:
        raise word.mistake(f"the value is {family}: it cannot be compared with {other}")
    try:
        if type_name == WIDEST[Family.NUMBER].name and _INTEGER.fullmatch(rest.text):
            return int(rest.text)
        number = parse_value(type_name, rest.value)
    except TextValueError as error:
        raise word.mistake(str(error)) from None
    if not isinstance(number, float):
        return number
    if isinstance(actual, int):
        return _exactly(rest.value, number)
    # A tag of 32 bits that was given 0.1 holds the number of 32 bits that is next to it.
    return Float32(number) if is_single(actual, data_type) else number


def _exactly(text: str, nearest: float) -> Fraction | float:
    """Return a number exactly as typed: a whole number is compared with that, not with the nearest double."""
    return Fraction(text) if nearest and len(text) <= 100 else nearest


def _described(value: Any) -> str:
    return family_of(value) or f"of the unsupported type {type(value).__name__}"
