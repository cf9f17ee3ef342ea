"""What a person types, and the values it becomes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from zb_mom_ww_mxgateway.value_types import TYPE_NAMES
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_duration, parse_typed, parse_value


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("bool", "true", True),
        ("bool", "FALSE", False),
        ("int32", "123", 123),
        ("int32", "-2147483648", -2147483648),
        ("int32", "+7", 7),
        ("int64", "9223372036854775807", 9223372036854775807),
        ("float", "1.5", 1.5),
        ("float", "3", 3.0),
        ("double", "-1e300", -1e300),
        ("double", ".5", 0.5),
        ("double", "5.", 5.0),
        ("double", "-0.0e-999", -0.0),
        ("float", "1e-45", 1e-45),
        ("string", "", ""),
        ("string", " as it is ", " as it is "),
        ("string", "Füllstand 3/4", "Füllstand 3/4"),
        ("time", "2026-10-02T08:14:00Z", datetime(2026, 10, 2, 8, 14, tzinfo=UTC)),
        ("time", "2026-10-02T08:14:00.1234560Z", datetime(2026, 10, 2, 8, 14, 0, 123456, tzinfo=UTC)),
        (
            "time",
            "2026-10-02 08:14:00.25+02:00",
            datetime(2026, 10, 2, 8, 14, 0, 250000, tzinfo=timezone(timedelta(hours=2))),
        ),
    ],
)
def test_text_becomes_the_value_of_its_type(type_name: str, text: str, value: object) -> None:
    parsed = parse_value(type_name, text)
    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("type_name", "text", "right"),
    [
        ("bool", "1", "Boolean expected: true or false"),
        ("int32", '"12', "Integer expected (int32)"),
        ("int32", "[10,25", "Integer expected (int32)"),
        ("double", "'63.5", "Number expected (double)"),
        (
            "time",
            "2026-10-02T08:14:00.1234567Z",
            "Time expected, to the microsecond: at most six digits behind the second",
        ),
        ("bool", "yes", "Boolean expected: true or false"),
        ("bool", "", "Boolean expected: true or false"),
        ("int32", "2147483648", "2147483648 does not fit int32 (-2147483648 to 2147483647)"),
        ("int64", "9223372036854775808", "9223372036854775808 does not fit int64"),
        ("int32", "1.0", "Integer expected (int32): for example 42"),
        ("int32", "1_000", "Integer expected (int32): for example 42"),
        ("int32", " 1", "Integer expected (int32): for example 42"),
        ("int32", "٣", "Integer expected (int32): for example 42"),
        ("int64", "9" * 5000, "Integer expected (int64): for example 42"),
        ("double", "1,5", "Number expected (double): for example 12.5"),
        ("double", "1_0.5", "Number expected (double): for example 12.5"),
        ("double", "", "Number expected (double): for example 12.5"),
        ("double", "1e999", "Number expected that fits a double"),
        ("double", "1e-400", "Number expected that fits a double"),
        ("float", "-1e-50", "Number expected that fits a float"),
        ("double", "nan", "nan is not a number a tag can take"),
        ("float", "-inf", "-inf is not a number a tag can take"),
        ("float", "1e39", "1e+39 does not fit a 32-bit float"),
        ("time", "noon", "Time expected, ISO 8601 with a zone: for example 2026-10-02T08:14:00Z"),
        ("time", "2026-10-02T08:14:00", "Time zone missing: end the time with Z or with an offset like +02:00"),
        ("time", "2026-10-02", "Time zone missing: end the time with Z or with an offset like +02:00"),
        ("time", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00 is outside the years 1 to 9999 in UTC"),
        ("string", "\udce4", "text that can be sent as UTF-8 expected"),
        ("int", "1", "no type int: one of bool, int32, int64, float, double, string, time expected"),
    ],
)
def test_other_text_is_refused_with_what_would_be_right(type_name: str, text: str, right: str) -> None:
    with pytest.raises(TextValueError) as raised:
        parse_value(type_name, text)
    assert str(raised.value).startswith(right)


@pytest.mark.parametrize(
    ("type_name", "text", "is_array", "expected"),
    [
        ("int32", "[5, 6]", None, Typed("int32", [5, 6])),
        ("int32", " [5]", True, Typed("int32", [5])),
        ("bool", "[true, false]", None, Typed("bool", [True, False])),
        ("string", '["5", 1.10, true]', True, Typed("string", ["5", "1.10", "true"])),
        ("string", '["5", 6]', None, Typed("string", '["5", 6]')),
        ("time", '["2026-10-02T08:14:00Z"]', None, Typed("time", [datetime(2026, 10, 2, 8, 14, tzinfo=UTC)])),
    ],
)
def test_an_array_is_typed_as_json(type_name: str, text: str, is_array: bool | None, expected: Typed) -> None:
    assert parse_typed(type_name, text, is_array=is_array) == expected


@pytest.mark.parametrize(
    ("type_name", "text", "is_array", "right"),
    [
        ("int32", '["5", 6]', None, 'an array of int32 expected, and "5" is text: take the quotes away'),
        ("double", '[1, "2"]', True, '"2" is text'),
        ("bool", '["true"]', None, '"true" is text'),
        ("int32", "[1.5]", None, "Integer expected (int32)"),
        ("int32", "[10,25", None, "Array expected, as JSON"),
        ("int32", "[" * 100_000, None, "Array expected, as JSON"),
        ("string", "[null]", True, "Array expected, as JSON"),
        ("int32", "5", True, "Array expected, as JSON"),
        ("int32", "[5]", False, "Integer expected (int32)"),
    ],
)
def test_what_is_quoted_in_an_array_is_text(type_name: str, text: str, is_array: bool | None, right: str) -> None:
    with pytest.raises(TextValueError) as caught:
        parse_typed(type_name, text, is_array=is_array)
    assert right in str(caught.value)


def test_every_type_of_the_library_can_be_typed() -> None:
    texts = {"bool": "true", "string": "a", "time": "2026-10-02T08:14:00Z"}
    for type_name in TYPE_NAMES:
        parse_value(type_name, texts.get(type_name, "1"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("10s", 10.0), ("10", 10.0), ("1.5", 1.5), ("2m", 120.0), ("2min", 120.0), ("24h", 86400.0)],
)
def test_a_duration_is_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "0", "0s", "-1s", "10 s", "1d", "25h", "1e3", "s", "nan", "inf", "9" * 400])
def test_no_duration_is_refused(text: str) -> None:
    with pytest.raises(TextValueError, match="Duration expected"):
        parse_duration(text)
