"""Values as typed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.comparison import Comparison
from zb_mom_ww_mxgateway_shell.language.literals import Literal, TagType
from zb_mom_ww_mxgateway_shell.language.tokens import Token, split

INTEGER = TagType(DataType.INTEGER)
DOUBLE = TagType(DataType.DOUBLE)
STRING = TagType(DataType.STRING)
INTEGERS = TagType(DataType.INTEGER, is_array=True)


def typed(text: str, known: TagType | None) -> Any:
    (word,) = split(text)
    return Literal(word).for_tag("A.B", known)


@pytest.mark.parametrize(
    ("text", "known", "expected"),
    [
        ("5", INTEGER, Typed("int32", 5)),
        ("-5", INTEGER, Typed("int32", -5)),
        ("5", TagType(DataType.INTEGER, variant_type="VT_I8"), Typed("int64", 5)),
        ("5", DOUBLE, Typed("double", 5.0)),
        ("5.5", TagType(DataType.FLOAT), Typed("float", 5.5)),
        ("5", STRING, Typed("string", "5")),
        ("true", TagType(DataType.BOOLEAN), Typed("bool", True)),
        ("FALSE", TagType(DataType.BOOLEAN), Typed("bool", False)),
        ("2026-10-02T08:14:00Z", TagType(DataType.TIME), Typed("time", datetime(2026, 10, 2, 8, 14, tzinfo=UTC))),
        ("double:5", INTEGER, Typed("double", 5.0)),
        ("string:5", INTEGER, Typed("string", "5")),
        ('string:"5 6"', INTEGER, Typed("string", "5 6")),
        ('"5 6"', INTEGER, Typed("string", "5 6")),
        ("'it is'", None, Typed("string", "it is")),
        ("int64:5", None, Typed("int64", 5)),
        ("[1, 2, 3]", INTEGERS, Typed("int32", [1, 2, 3])),
        ("[]", INTEGERS, Typed("int32", [])),
        ("double:[1, 2]", None, Typed("double", [1.0, 2.0])),
        ('["a, b", c]', TagType(DataType.STRING, is_array=True), Typed("string", ["a, b", "c"])),
        ('int32:["5", 6]', INTEGERS, Typed("int32", [5, 6])),
    ],
)
def test_values(text: str, known: TagType | None, expected: Typed) -> None:
    assert typed(text, known) == expected


@pytest.mark.parametrize(
    ("text", "known", "said", "place"),
    [
        ("abc", INTEGER, "Integer expected", (0, 3)),
        ("5.5", INTEGER, "Integer expected", (0, 3)),
        ("maybe", TagType(DataType.BOOLEAN), "Boolean expected: true or false", (0, 5)),
        ("1", TagType(DataType.BOOLEAN), "Boolean expected", (0, 1)),
        ("3000000000", INTEGER, "does not fit int32", (0, 10)),
        ("int32:abc", None, "Integer expected", (6, 9)),
        ("nan", DOUBLE, "not a number a tag can take", (0, 3)),
        ("5", None, "not known; say it", (0, 1)),
        ("5", TagType(DataType.REFERENCE_TYPE), "say it", (0, 1)),
        ("5", TagType(77), "say it", (0, 1)),
        ("5", INTEGERS, "an array like [1, 2, 3] expected", (0, 1)),
        ("[1, 2]", INTEGER, "a single value", (0, 6)),
        ("[1, x, 3]", INTEGERS, "Integer expected", (4, 5)),
        ('[1, "2", 3]', INTEGERS, "what is in quotes is text", (4, 7)),
        ('["true"]', TagType(DataType.BOOLEAN, is_array=True), "what is in quotes is text", (1, 7)),
        ("2026-10-02T08:14:00", TagType(DataType.TIME), "zone", (0, 19)),
    ],
)
def test_a_value_that_cannot_be_right_is_pointed_at(
    text: str, known: TagType | None, said: str, place: tuple[int, int]
) -> None:
    with pytest.raises(InputError) as caught:
        typed(text, known)
    assert said in str(caught.value)
    assert (caught.value.start, caught.value.end) == place


@pytest.mark.parametrize(
    ("operator", "wanted", "tolerance", "actual", "holds"),
    [
        ("=", "9007199254740993.0", None, 2**53, False),
        ("=", "9007199254740993.0", None, 2**53 + 1, True),
        ("=", "9.223372036854775807e18", None, 2**63 - 1, True),
        ("!=", "double:9223372036854775806.", None, 2**63 - 1, True),
        ("=", "float:16777217", None, 16777217, True),
        (">=", "9007199254740992.9", None, 2**53, False),
        ("=", "1000000000.00000001", None, 10**9, False),
        ("=", "9007199254740993.0", "0", 2**53, False),
        ("=", "5.25", "0.25", 5, True),
        ("=", "[9007199254740993.0]", None, [2**53], False),
        ("=", "0.4", "0.1", Float32(0.3), True),
        ("=", "0.4", "0.0999", Float32(0.3), False),
        ("=", "[9.3]", "0.1", [Float32(9.2)], True),
        ("<", "0.4", None, Float32(0.4), False),
    ],
)
def test_a_whole_number_is_compared_with_every_digit_that_was_typed_and_a_tolerance_with_reals_as_they_are_shown(
    operator: str, wanted: str, tolerance: str | None, actual: object, holds: bool
) -> None:
    words = [Token(operator, 0, 1), *split(wanted), *(split(tolerance) if tolerance else ())]
    assert Comparison(*words).holds(actual) is holds
