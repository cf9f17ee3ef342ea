"""Tolerances as typed: a number, a duration for times, or a percentage of the wanted value."""

import math
import re
from datetime import datetime
from fractions import Fraction
from typing import Any

from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.value_types import TYPES, family_of
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_duration
from zb_mom_ww_mxgateway_shell.language.tokens import Token

_PERCENT = re.compile(r"(\d{1,6}(?:\.\d{0,20})?|\.\d{1,20})%")


def percentage(word: Token) -> Fraction | None:
    """Return the percentage that a tolerance is, if it is one; raise InputError for one of 0."""
    match = _PERCENT.fullmatch(word.text)
    if match is None:
        return None
    if not (percent := Fraction(match[1])):
        raise word.mistake("0 % allows no difference: leave tol out")
    return percent


def refuse_percent_of(word: Token, wanted: Any) -> None:
    """Raise InputError if a percentage of the wanted value says nothing."""
    if isinstance(wanted, datetime):
        raise word.mistake("a time has no percentage: a duration is expected, such as tol 2s")
    if not wanted:
        raise word.mistake(f"{word.text} of 0 is 0, and allows no difference: a number is expected, such as tol 0.1")


def tolerance_about(word: Token, wanted: Any, actual: Any) -> Fraction | float:
    """Return how much a value may differ from the wanted one, a time in seconds; raise InputError if the tolerance does
    not apply."""
    percent = percentage(word)
    if percent is None or family_of(actual) is None:
        return tolerance_for(word, actual)
    tolerance_for(Token("0", word.start, word.end), actual)  # Raises where the value has no tolerance.
    if isinstance(actual, datetime):
        refuse_percent_of(word, actual)
    exact = wanted if isinstance(wanted, int | Fraction) else Fraction(str(wanted)) if math.isfinite(wanted) else 0
    return abs(Fraction(exact)) * percent / 100


def tolerance_for(word: Token, value: Any) -> float:
    """Return how much such a value may differ, a time in seconds; raise InputError if the tolerance does not apply."""
    number, seconds = tolerance_of(word)
    if isinstance(value, datetime):
        return seconds
    if isinstance(value, list | tuple):
        return max((tolerance_for(word, each) for each in value), default=0.0)
    family = family_of(value)
    if family is not None and not family.is_ordered:
        raise word.mistake(f"{family} has no tolerance")
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
    number, _ = tolerance_of(word)
    if number is None:
        raise word.mistake("a number is expected: the tolerance of a real")
    return number


def tolerance_of(word: Token) -> tuple[float | None, float]:
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
        what = "a number, or for times a duration such as 2s"
        what = f"{what}; a percentage only where a value is expected" if word.text.endswith("%") else what
        raise word.mistake(f"a tolerance is {what}") from None
