"""Comparisons against naive references: ranges, lists, percentages and the values of other tags."""

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway import DataType
from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.comparison import ORDERING, Comparison
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split

INTEGERS = st.integers(-(10**18), 10**18)
REALS = st.floats(-1e12, 1e12, allow_nan=False).map(lambda number: round(number, 6))
NUMBERS = INTEGERS | REALS


def _comparison(text: str) -> Comparison:
    """Return the comparison of a line ``OPERATOR VALUE [tol TOLERANCE]``."""
    operator, wanted, *rest = split(text)
    comparison = Comparison(operator, wanted, rest[1] if rest else None)
    comparison.check()
    return comparison


def _typed(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.6f}"


@given(low=NUMBERS, high=NUMBERS, actual=NUMBERS)
def test_within_is_between_its_limits(low: float, high: float, actual: float) -> None:
    text = f"within {_typed(low)}..{_typed(high)}"
    if Fraction(_typed(low)) > Fraction(_typed(high)):
        with pytest.raises(InputError, match="the lower limit comes first"):
            _comparison(text)
        return
    is_within = low <= actual <= high or any(same_value(limit, actual) for limit in (low, high))
    assert _comparison(text).holds(actual) == is_within


@given(low=INTEGERS, high=INTEGERS, actual=INTEGERS)
def test_within_of_whole_numbers_is_exact(low: int, high: int, actual: int) -> None:
    low, high = sorted((low, high))
    assert _comparison(f"within {low}..{high}").holds(actual) == (low <= actual <= high)


@given(choices=st.lists(NUMBERS, min_size=1, max_size=5), actual=NUMBERS, takes_one=st.booleans())
def test_in_is_equal_to_one_of_them(choices: list[float], actual: float, takes_one: bool) -> None:
    value = choices[0] if takes_one else actual
    comparison = _comparison(f"in [{', '.join(map(_typed, choices))}]")
    equal = [_comparison(f"= {_typed(each)}").holds(value) for each in choices]
    assert comparison.holds(value) == any(equal)
    assert comparison.holds(value) or not takes_one


@given(
    choices=st.lists(
        st.text(st.characters(codec="ascii", exclude_characters='"\\$\r\n\v\f\x1c\x1d\x1e'), max_size=5), min_size=1
    ),
    actual=st.text(max_size=5),
)
def test_in_compares_texts_too(choices: list[str], actual: str) -> None:
    text = ", ".join(f'"{each}"' for each in choices)
    assert _comparison(f"in [{text}]").holds(actual) == (actual in choices)
    assert _comparison(f"in [{text}]").holds(choices[-1])


@given(
    wanted=st.integers(-(10**6), 10**6).filter(bool) | REALS.filter(lambda number: 0.001 < abs(number) < 1e6),
    percent=st.decimals("0.01", "100", places=2),
    part=st.sampled_from((-1.001, -1.0, -0.999, 0.0, 0.999, 1.0, 1.001, 50.0)),
)
def test_a_percentage_is_a_part_of_the_wanted_value(wanted: float, percent: Any, part: float) -> None:
    exact = Fraction(_typed(wanted))
    room = abs(exact) * Fraction(percent) / 100
    actual = round(float(exact + room * Fraction(part)), 6)
    is_near = abs(Fraction(_typed(actual)) - exact) <= room or same_value(wanted, actual)
    comparison = _comparison(f"= {_typed(wanted)} tol {percent}%")
    assert comparison.holds(actual) == is_near
    assert _comparison(f"!= {_typed(wanted)} tol {percent}%").holds(actual) != is_near
    assert comparison.holds(wanted)


@given(one=NUMBERS, other=NUMBERS, operator=st.sampled_from(("=", "!=", *ORDERING)))
def test_another_tag_compares_as_its_value_typed(one: float, other: float, operator: str) -> None:
    against = Comparison(Token(operator, 0, 1), Token("tag:A.B", 2, 9))
    against.check()
    types = [DataType.DOUBLE if isinstance(each, float) else DataType.INTEGER for each in (one, other)]
    typed = _comparison(f"{operator} {other!r}").holds(one, types[0])
    assert against.holds_against(one, types[0], other, types[1]) == typed


@given(number=st.floats(-1e6, 1e6, width=32))
def test_a_real_of_32_bits_equals_the_same_of_64(number: float) -> None:
    against = Comparison(Token("=", 0, 1), Token("tag:A.B", 2, 9))
    single, double = Float32(number), float(str(Float32(number)))
    assert against.holds_against(single, DataType.FLOAT, double, DataType.DOUBLE)
    assert against.holds_against(double, DataType.DOUBLE, single, DataType.FLOAT)


@given(one=st.lists(INTEGERS, max_size=4), other=st.lists(INTEGERS, max_size=4))
def test_arrays_of_two_tags_compare_as_a_whole(one: list[int], other: list[int]) -> None:
    for operator, expected in (("=", one == other), ("!=", one != other)):
        against = Comparison(Token(operator, 0, 1), Token("tag:A.B", 2, 9))
        assert against.holds_against(one, DataType.INTEGER, other, DataType.INTEGER) == expected
        assert against.holds_against(one, DataType.INTEGER, list(one), DataType.INTEGER) == (operator == "=")


@given(text=st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=1, max_size=12))
def test_any_text_after_within_or_in_is_read_or_a_mistake_with_its_place(text: str) -> None:
    for operator in ("within", "in"):
        line = f"{operator} {text}"
        if (place := _place_of_mistake(line)) is not None:
            assert 0 <= place[0] < place[1] <= len(line) + 1


def _place_of_mistake(line: str) -> tuple[int, int] | None:
    try:
        words = split(line)
        if len(words) == 2:
            comparison = Comparison(words[0], words[1])
            comparison.check()
            comparison.holds(5)
    except InputError as error:
        return error.start, error.end
    return None


@pytest.mark.parametrize(
    ("text", "actual", "bounds"),
    [
        ("= 5", 5, [("equal", 5.0)]),
        ("= 100 tol 2%", 99, [("equal", 100.0), ("band_low", 98.0), ("band_high", 102.0)]),
        ("< 5", 4, [("high", 5.0)]),
        (">= 5", 4, [("low", 5.0)]),
        ("within -5..-1", -3, [("band_low", -5.0), ("band_high", -1.0)]),
        ("in [1, 2]", 1, [("equal", 1.0), ("equal", 2.0)]),
        ("!= 5", 4, []),
        ("= true", True, [("equal", 1.0)]),
        ('= "a"', "a", []),
        ("= null", 5, []),
    ],
)
def test_the_limits_of_a_drawing(text: str, actual: Any, bounds: list[tuple[str, float]]) -> None:
    found = _comparison(text).bounds(actual, DataType.UNSPECIFIED)
    assert found == bounds
    assert all(math.isfinite(value) for _, value in found)
