"""Comparison of a value with what was typed, by the type of the value.

Numbers and times are ordered, may differ by a tolerance, and may be within two limits; texts are equal, different, or
match a regular expression; a single value may be one of a list; arrays are compared element by element. In place of a
value the value of another tag may be wanted. Equality is the rule of :mod:`zb_mom_ww_mxgateway.comparison`.
"""

import math
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway.comparison import is_single, same_value
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.value_types import TYPES, WIDEST, DataType, Family, family_of
from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_value
from zb_mom_ww_mxgateway_shell.language.literals import Literal, check_prefix, split_type
from zb_mom_ww_mxgateway_shell.language.patterns import Pattern, PatternError, pattern
from zb_mom_ww_mxgateway_shell.language.tokens import Token, elements
from zb_mom_ww_mxgateway_shell.language.tolerance import (
    percentage,
    refuse_percent_of,
    tolerance_about,
    tolerance_of,
)

ORDERING = ("<", "<=", ">", ">=")
OPERATORS = ("=", "!=", *ORDERING, "~", "in", "within")
OTHER_TAG = "tag:"
"""What is in front of the name of a tag whose value is wanted."""
_INTEGER = re.compile(r"[+-]?[0-9]{1,100}")
# A dotted reference such as Plant.Tank1.Level, 1Tank.Level or Obj.Arr[3], or one relative to the focused object. In the
# galaxy each name has a letter somewhere.
_REFERENCE = re.compile(r"(?:[\d$#]*[^\W\d][\w$#]*|[$#][\w$#]+)?(?:\.[\d$#]*[^\W\d][\w$#]*)+(?:\[\d*\])?")


class Comparison(NamedTuple):
    """An operator, the wanted value and the tolerance, as typed.

    ``in`` and ``within`` consist of simpler comparisons, their `parts`.
    """

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
    def is_with_tag(self) -> bool:
        """Whether the wanted value is that of another tag: ``tag:NAME``."""
        return self._is_bare and self.wanted.text.startswith(OTHER_TAG)

    @property
    def parts(self) -> "tuple[Comparison, ...]":
        """The comparisons of ``in``, one of which must hold, or of ``within``, both of which must hold; else none.

        Raises InputError for a list or limits that are none.
        """
        if self.operator.text == "in":
            return tuple(Comparison(self._as("="), each, self.tolerance) for each in self._choices())
        if self.operator.text == "within":
            low, high = limits_of(self.wanted)
            return Comparison(self._as(">="), low), Comparison(self._as("<="), high)
        return ()

    def _as(self, operator: str) -> Token:
        return Token(operator, self.operator.start, self.operator.end, True)

    def _choices(self) -> list[Token]:
        type_name, rest = split_type(self.wanted)
        if not rest.is_array:
            raise self.wanted.mistake("a list is expected after in, such as [1, 2, 3]; within 1..3 takes two limits")
        choices = elements(rest)
        if type_name is None:
            return choices
        return [Token(f"{type_name}:{each.text}", each.start, each.end, True) for each in choices]

    @property
    def asks_for_null(self) -> bool:
        """Whether the wanted value is ``null`` without quotes, no value, or that is one of a list."""
        if self.operator.text == "in":
            return any(part.asks_for_null for part in self.parts)
        return self._is_bare and self.wanted.text == "null"

    @property
    def asks_for_nan(self) -> bool:
        """Whether the wanted value is ``nan`` without quotes, not a number, or that is one of a list."""
        if self.operator.text == "in":
            return any(part.asks_for_nan for part in self.parts)
        return self._is_bare and self.wanted.text.lower() == "nan"

    def check(self) -> None:
        """Raise InputError for what is wrong with every value."""
        operator, wanted = self.operator.text, self.wanted
        if self.tolerance is not None and operator in ("~", "within"):
            what = "a match has no tolerance" if operator == "~" else "within has limits of its own: make them wider"
            raise self.tolerance.mistake(what)
        if self.is_with_tag:
            self._check_with_tag()
            return
        if operator in ("in", "within"):
            if not (parts := self.parts):
                raise wanted.mistake("the list is empty: no value would ever be in it")
            for part in parts:
                part.check()
            return
        if self.tolerance is not None:
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

    def _check_with_tag(self) -> None:
        if self.operator.text in ("~", "in", "within"):
            raise self.operator.mistake("the value of another tag is compared with = != < <= > or >=")
        if self.tolerance is not None and percentage(self.tolerance) is None:
            tolerance_of(self.tolerance)

    def _check_tolerance(self, tolerance: Token) -> None:
        percent = percentage(tolerance)
        number = None if percent is not None else tolerance_of(tolerance)[0]
        type_name, rest = split_type(self.wanted)
        for each in elements(rest) if rest.is_array else [rest]:
            if each.is_quoted or not _is_ordered(type_name) or not _is_number_or_time(each.text):
                raise tolerance.mistake("only numbers and times have a tolerance")
            is_number = _is_number(each.text)
            if percent is not None:
                refuse_percent_of(tolerance, _limit(each, Family.NUMBER) if is_number else datetime.min)
            elif number is None and is_number:
                raise tolerance.mistake("a number is expected: the tolerance of a number")

    def holds(self, actual: Any, data_type: DataType | int = DataType.UNSPECIFIED) -> bool:
        """Whether it is true of a value; raise InputError if the two cannot be compared."""
        operator = self.operator.text
        if operator in ("in", "within"):
            if operator == "within" and not (isinstance(actual, list | tuple) or actual is None or _may_order(actual)):
                raise self.operator.mistake(f"within judges numbers and times; the value is {_described(actual)}")
            if isinstance(actual, list | tuple):
                raise self.operator.mistake(f"{operator} judges one value; name an element, as in Obj.Arr[1]")
            return (any if operator == "in" else all)(part.holds(actual, data_type) for part in self.parts)
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
        return self._compare(actual, self._wanted_for(actual, data_type), data_type)

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

    def holds_against(self, actual: Any, data_type: DataType | int, other: Any, other_type: DataType | int) -> bool:
        """Whether it is true of a value and that of the other tag; raise InputError if the two cannot be compared."""
        if actual is None or other is None:
            return False
        is_list, other_is_list = isinstance(actual, list | tuple), isinstance(other, list | tuple)
        if is_list != other_is_list or (not is_list and family_of(actual) is not family_of(other)):
            raise self.wanted.mistake(f"{_titled(actual)} cannot be compared with {_titled(other)}, its value")
        if is_list:
            if self.operator.text not in ("=", "!="):
                raise self.operator.mistake("arrays are compared with = or != only; name an element, as in Obj.Arr[1]")
            same = Comparison(self._as("="), self.wanted, self.tolerance)
            equal = len(actual) == len(other) and all(
                same.holds_against(one, data_type, another, other_type)
                for one, another in zip(actual, other, strict=True)
            )
            return equal == (self.operator.text == "=")
        if family_of(actual) is None:
            raise self.wanted.mistake(f"the value is {_described(actual)}: it cannot be compared")
        # A real of 32 bits has fewer digits than one of 64: the two are compared with those.
        single = DataType.FLOAT if is_single(actual, data_type) or is_single(other, other_type) else data_type
        return self._compare(actual, other, single)

    def bounds(self, actual: Any, data_type: DataType | int) -> list[tuple[str, float]]:
        """Return its limits for a number or a Boolean, for a drawing, each with its kind; none for any other value."""
        operator = self.operator.text
        if not isinstance(actual, int | float) or self.is_with_tag or self.asks_for_null or self.asks_for_nan:
            return []
        if operator == "within":
            low, high = (float(part._wanted_for(actual, data_type)) for part in self.parts)
            return [("band_low", low), ("band_high", high)]
        if operator == "in":
            return [each for part in self.parts for each in part.bounds(actual, data_type)]
        if operator not in ("=", *ORDERING):
            return []
        wanted = self._wanted_for(actual, data_type)
        if operator != "=":
            return [("high" if operator in ("<", "<=") else "low", float(wanted))]
        tolerance = float(self._tolerance_for(actual, wanted) or 0)
        band: list[tuple[str, float]] = [("band_low", wanted - tolerance), ("band_high", wanted + tolerance)]
        return [("equal", float(wanted)), *(band if tolerance else [])]

    def _wanted_for(self, actual: Any, data_type: DataType | int) -> Any:
        return _read(self.wanted, actual, data_type)

    def _compare(self, actual: Any, wanted: Any, data_type: DataType | int) -> bool:
        tolerance, operator = self._tolerance_for(actual, wanted), self.operator.text
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

    def _tolerance_for(self, actual: Any, wanted: Any) -> Fraction | float | None:
        return None if self.tolerance is None else tolerance_about(self.tolerance, wanted, actual)

    def _array_holds(self, actual: Sequence[Any], data_type: DataType | int) -> bool:
        if self.operator.text not in ("=", "!="):
            raise self.operator.mistake("arrays are compared with = or != only; name an element, as in Obj.Arr[1]")
        _, rest = split_type(self.wanted)
        if not rest.is_array:
            raise self.wanted.mistake("the value is an array: compare it with [1, 2, 3], or name an element")
        wanted = elements(rest)
        same = Comparison(self._as("="), self.wanted, self.tolerance)
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
        f"{OTHER_TAG}{wanted.text} is the value that the tag has"
    )


def limits_of(word: Token) -> tuple[Token, Token]:
    """Return the two limits of ``5..10``, numbers or times; raise InputError for anything else."""
    places = [at for at in range(len(word.text) - 1) if word.text[at : at + 2] == ".."]
    if word.is_quoted or word.is_array or not places:
        raise word.mistake("two limits are expected after within, such as 5..10")
    if len(places) > 1:
        raise word.mistake("two dots are expected between the limits, as in 0.5..1.5")
    low, high = word.part(0, places[0]), word.part(places[0] + 2, len(word.text))
    if not low.text or not high.text:
        how = f"; for one limit write {f'>= {low.text}' if low.text else f'<= {high.text}'}"
        raise word.mistake(f"within needs both limits{how if low.text or high.text else ', such as 5..10'}")
    is_time = _is(Family.TIME, low.text) and _is(Family.TIME, high.text)
    if not is_time and not (_is_number(low.text) and _is_number(high.text)):
        raise word.mistake("within takes two numbers, or two times, such as 5..10")
    lowest, highest = (_limit(each, Family.TIME if is_time else Family.NUMBER) for each in (low, high))
    if lowest > highest:
        raise word.mistake("the lower limit comes first, as in -5..-1")
    return low, high


def _limit(word: Token, family: Family) -> Any:
    if _INTEGER.fullmatch(word.text):
        return int(word.text)
    limit = WIDEST[family].read(word.text)
    if isinstance(limit, float) and not math.isfinite(limit):
        raise word.mistake("a limit is a finite number; for one limit write >= or <=")
    return limit


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


def _titled(value: Any) -> str:
    return "an array" if isinstance(value, list | tuple) else _described(value)


def _described(value: Any) -> str:
    return family_of(value) or f"of the unsupported type {type(value).__name__}"
