"""Values: what Python values become on their way to a tag, and what comes back."""

import copy
import math
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway import (
    Array,
    DataType,
    EventFamily,
    EventHeader,
    Float32,
    LiveSession,
    LiveValue,
    MxEvent,
    MxGatewayArgumentError,
    MxStatus,
    RawValue,
    StatusCategory,
    StatusSource,
    Typed,
    WriteOutcome,
    from_mx_value,
    quality_word,
    to_mx_value,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.status import hresult_text
from zb_mom_ww_mxgateway.times import from_nanoseconds, nanoseconds_text, to_nanoseconds
from zb_mom_ww_mxgateway.value_types import TYPE_NAMES
from zb_mom_ww_mxgateway.wire import from_mx_event
from zb_mom_ww_mxgateway_console.render.forms import source_time_form, value_form, value_text
from zb_mom_ww_mxgateway_shell.output.value_text import value_fields
from zb_mom_ww_mxgateway_sim import SimulatedGateway

MOMENT = datetime(2026, 3, 29, 1, 30, 0, 123456, UTC)
MOMENT_NS = 1_774_747_800_123_456_000

scalars = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
    st.datetimes(timezones=st.just(UTC)),
    st.binary(),
)


def stamp(message: Any) -> int:
    return int(message.seconds) * 10**9 + int(message.nanos)


# To a message: the arm, the MXAccess type and the VARIANT type that each Python type implies.


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, pb.MxValue(data_type="MX_DATA_TYPE_BOOLEAN", variant_type="VT_BOOL", bool_value=True)),
        (False, pb.MxValue(data_type="MX_DATA_TYPE_BOOLEAN", variant_type="VT_BOOL", bool_value=False)),
        (0, pb.MxValue(data_type="MX_DATA_TYPE_INTEGER", variant_type="VT_I4", int32_value=0)),
        (2**31 - 1, pb.MxValue(data_type="MX_DATA_TYPE_INTEGER", variant_type="VT_I4", int32_value=2**31 - 1)),
        (-(2**31), pb.MxValue(data_type="MX_DATA_TYPE_INTEGER", variant_type="VT_I4", int32_value=-(2**31))),
        (2**31, pb.MxValue(data_type="MX_DATA_TYPE_INTEGER", variant_type="VT_I8", int64_value=2**31)),
        (-(2**31) - 1, pb.MxValue(data_type="MX_DATA_TYPE_INTEGER", variant_type="VT_I8", int64_value=-(2**31) - 1)),
        (2**63 - 1, pb.MxValue(data_type="MX_DATA_TYPE_INTEGER", variant_type="VT_I8", int64_value=2**63 - 1)),
        (1.5, pb.MxValue(data_type="MX_DATA_TYPE_DOUBLE", variant_type="VT_R8", double_value=1.5)),
        ("", pb.MxValue(data_type="MX_DATA_TYPE_STRING", variant_type="VT_BSTR", string_value="")),
        ("Füllstand", pb.MxValue(data_type="MX_DATA_TYPE_STRING", variant_type="VT_BSTR", string_value="Füllstand")),
        (b"\x00\xff", pb.MxValue(data_type="MX_DATA_TYPE_UNKNOWN", variant_type="VT_UI1", raw_value=b"\x00\xff")),
        (None, pb.MxValue(data_type="MX_DATA_TYPE_NO_DATA", variant_type="VT_EMPTY", is_null=True)),
    ],
)
def test_a_scalar_takes_the_type_it_implies(value: Any, expected: pb.MxValue) -> None:
    assert to_mx_value(value) == expected


@pytest.mark.parametrize(
    ("offset", "shown"),
    [(timedelta(0), "+00:00"), (timedelta(hours=5, minutes=30), "+05:30"), (-timedelta(hours=8), "")],
)
def test_a_time_is_sent_as_utc(offset: timedelta, shown: str) -> None:
    message = to_mx_value(MOMENT.astimezone(timezone(offset)))
    assert (message.data_type, message.variant_type) == (pb.MX_DATA_TYPE_TIME, "VT_DATE")
    assert stamp(message.timestamp_value) == MOMENT_NS


@pytest.mark.parametrize(
    ("values", "arm", "variant", "elements"),
    [
        ([True, False], "bool_values", "VT_BOOL", [True, False]),
        ([1, 2, 3], "int32_values", "VT_I4", [1, 2, 3]),
        ([1, 2**31], "int64_values", "VT_I8", [1, 2**31]),
        ([1.5, 2.5], "double_values", "VT_R8", [1.5, 2.5]),
        ([1, 2.5], "double_values", "VT_R8", [1.0, 2.5]),
        (["a", ""], "string_values", "VT_BSTR", ["a", ""]),
        ((1, 2), "int32_values", "VT_I4", [1, 2]),
        ([b"a", b"b"], "raw_values", "VT_UI1", [b"a", b"b"]),
    ],
)
def test_a_list_takes_the_type_of_its_elements(values: Any, arm: str, variant: str, elements: list[Any]) -> None:
    message = to_mx_value(values)
    assert message.variant_type == f"VT_ARRAY|{variant}"
    array = message.array_value
    assert array.WhichOneof("values") == arm
    assert list(getattr(array, arm).values) == elements
    assert list(array.dimensions) == [len(elements)]
    assert (array.variant_type, array.element_data_type) == (variant, message.data_type)


def test_a_list_of_times() -> None:
    array = to_mx_value([MOMENT, MOMENT + timedelta(seconds=1)]).array_value
    assert [stamp(moment) for moment in array.timestamp_values.values] == [MOMENT_NS, MOMENT_NS + 10**9]


@pytest.mark.parametrize(
    ("name", "value", "arm", "variant"),
    [
        ("bool", True, "bool_value", "VT_BOOL"),
        ("int32", 5, "int32_value", "VT_I4"),
        ("int64", 5, "int64_value", "VT_I8"),
        ("float", 1.5, "float_value", "VT_R4"),
        ("float", 3, "float_value", "VT_R4"),
        ("double", 1.5, "double_value", "VT_R8"),
        ("double", 3, "double_value", "VT_R8"),
        ("string", "5", "string_value", "VT_BSTR"),
        ("time", MOMENT, "timestamp_value", "VT_DATE"),
    ],
)
def test_a_type_that_is_said_outright(name: str, value: Any, arm: str, variant: str) -> None:
    message = to_mx_value(Typed(name, value))
    assert message.WhichOneof("kind") == arm
    assert message.variant_type == variant
    assert from_mx_value(message) == value
    # An empty list has a type then, too.
    empty = to_mx_value(Typed(name, [])).array_value
    assert empty.WhichOneof("values") == arm.replace("_value", "_values")
    assert list(empty.dimensions) == [0]
    assert from_mx_value(to_mx_value(Typed(name, [value, value]))) == [value, value]


def test_an_absurdly_long_number_is_refused_like_any_other() -> None:
    for value in (10**5000, -(10**5000), Absurd()):
        with pytest.raises(MxGatewayArgumentError):
            to_mx_value(value)  # type: ignore[arg-type]
    for name in TYPE_NAMES:
        with pytest.raises(MxGatewayArgumentError):
            Typed(name, 10**5000)


class Absurd:
    def __repr__(self) -> str:
        return "x" * 10_000


def test_every_type_name_is_known() -> None:
    assert TYPE_NAMES == ("bool", "int32", "int64", "float", "double", "string", "time")


# Refused, saying what would be right.


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (2**63, "does not fit int64"),
        (-(2**63) - 1, "does not fit int64"),
        (math.nan, "not a number"),
        (math.inf, "not a number"),
        (-math.inf, "not a number"),
        ([1.0, math.nan], "not a number"),
        (datetime(2026, 3, 29, 1, 30), "no time zone"),
        ([datetime(2026, 3, 29)], "no time zone"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), "outside the years 1 to 9999"),
        (datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))), "outside the years 1 to 9999"),
        ([], "empty list"),
        ((), "empty list"),
        ([1, "a"], "one type for all elements"),
        ([True, 1], "one type for all elements"),
        ([1, None], "bool, int, float"),
        ([[1], [2]], "bool, int, float"),
        ("\ud800", "UTF-8"),
        ({"a": 1}, "bool, int, float"),
        ({1, 2}, "bool, int, float"),
        (1j, "bool, int, float"),
        (object(), "bool, int, float"),
        (bytearray(b"a"), "bool, int, float"),
    ],
)
def test_what_no_tag_can_take_is_refused(value: Any, said: str) -> None:
    with pytest.raises(MxGatewayArgumentError, match=said) as caught:
        to_mx_value(value)
    assert str(caught.value).startswith("value: ")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("int", 1, "one of bool, int32"),
        ("bool", 1, "True or False"),
        ("bool", "true", "True or False"),
        ("int32", True, "whole number"),
        ("int64", False, "whole number"),
        ("int32", 2**31, "does not fit int32"),
        ("int32", -(2**31) - 1, "does not fit int32"),
        ("int32", 1.0, "whole number"),
        ("int32", "1", "whole number"),
        ("float", 1e39, "32-bit float"),
        ("float", 10**400, "32-bit float"),
        ("float", True, "a number"),
        ("float", math.nan, "not a number"),
        ("double", 10**400, "does not fit a double"),
        ("double", "1.5", "a number"),
        ("string", 5, "text"),
        ("string", b"5", "text"),
        ("time", "2026-03-29", "datetime"),
        ("time", datetime(2026, 3, 29), "no time zone"),
        ("int32", None, "None"),
        ("int32", [1, None], "whole number"),
        ("int32", [1, 2**31], "does not fit int32"),
    ],
)
def test_a_typed_value_is_checked_when_it_is_made(name: str, value: Any, said: str) -> None:
    with pytest.raises(MxGatewayArgumentError, match=said):
        Typed(name, value)


def test_the_largest_float_is_taken_and_the_next_refused() -> None:
    largest = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
    assert from_mx_value(to_mx_value(Typed("float", largest))) == largest
    with pytest.raises(MxGatewayArgumentError):
        Typed("float", largest * 1.000001)


# There and back.


@given(scalars)
def test_a_scalar_comes_back_as_it_was(value: Any) -> None:
    back = from_mx_value(pb.MxValue.FromString(to_mx_value(value).SerializeToString()))
    assert back == value
    assert type(back) is type(value)


@given(
    st.one_of(
        *(
            st.lists(kind, min_size=1, max_size=5)
            for kind in (
                st.booleans(),
                st.integers(-(2**63), 2**63 - 1),
                st.floats(allow_nan=False, allow_infinity=False),
                st.text(st.characters(codec="utf-8")),
                st.datetimes(timezones=st.just(UTC)),
            )
        )
    )
)
def test_a_list_comes_back_as_it_was(values: list[Any]) -> None:
    back = from_mx_value(pb.MxValue.FromString(to_mx_value(values).SerializeToString()))
    assert isinstance(back, Array)
    assert back == values
    assert [type(element) for element in back] == [type(element) for element in values]
    assert back.dimensions == (len(values),)
    assert not isinstance(back.element_type, bool)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_is_rounded_to_32_bits_or_refused_never_made_infinite(value: float) -> None:
    try:
        message = to_mx_value(Typed("float", value))
    except MxGatewayArgumentError:
        with pytest.raises(OverflowError):
            struct.pack("<f", value)
        return
    assert message.float_value == struct.unpack("<f", struct.pack("<f", value))[0]


offsets = st.timedeltas(timedelta(hours=-23, minutes=-59), timedelta(hours=23, minutes=59))


@given(st.datetimes(timezones=st.builds(timezone, offsets)))
def test_any_aware_time_is_sent_or_refused_as_an_argument(moment: datetime) -> None:
    try:
        message = to_mx_value(moment)
    except MxGatewayArgumentError:
        return
    assert from_mx_value(message) == moment


@given(st.one_of(scalars, st.lists(scalars, max_size=3), st.none(), st.complex_numbers(), st.floats()))
def test_any_value_is_sent_or_refused_as_an_argument(value: Any) -> None:
    try:
        message = to_mx_value(value)
    except MxGatewayArgumentError:
        return
    assert message.is_null == (value is None)
    assert (message.WhichOneof("kind") is None) == (value is None)


# Times, to the nanosecond.


@given(st.datetimes(timezones=st.just(UTC)))
def test_nanoseconds_and_back(moment: datetime) -> None:
    assert from_nanoseconds(to_nanoseconds(moment)) == moment


@given(st.integers(-62_135_596_800 * 10**9, 253_402_300_800 * 10**9 - 1))
def test_below_a_microsecond_is_cut_off_never_rounded_up(nanoseconds: int) -> None:
    assert 0 <= nanoseconds - to_nanoseconds(from_nanoseconds(nanoseconds)) < 1000


def test_known_nanoseconds() -> None:
    assert to_nanoseconds(MOMENT) == MOMENT_NS
    assert from_nanoseconds(MOMENT_NS + 999) == MOMENT
    assert from_nanoseconds(-1) == datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)


@pytest.mark.parametrize("seconds", [253_402_300_800, -62_135_596_801, 2**62, -(2**62)])
def test_a_time_outside_the_calendar_is_kept_raw(seconds: int) -> None:
    message = pb.MxValue(data_type="MX_DATA_TYPE_TIME", variant_type="VT_DATE")
    message.timestamp_value.seconds = seconds
    assert from_mx_value(message) == RawValue(DataType.TIME, "VT_DATE", 0, "")


# From a message.


@pytest.mark.parametrize(
    ("message", "value"),
    [
        (pb.MxValue(int32_value=7, variant_type="VT_UI2"), 7),
        (pb.MxValue(int64_value=7), 7),
        (pb.MxValue(float_value=1.5), Float32(1.5)),
        (pb.MxValue(is_null=True, variant_type="VT_EMPTY"), None),
        (pb.MxValue(raw_value=b"ab"), b"ab"),
    ],
)
def test_what_comes_from_the_gateway(message: pb.MxValue, value: Any) -> None:
    back = from_mx_value(message)
    assert back == value
    assert type(back) is type(value)


def test_what_could_not_be_converted_keeps_its_raw_fields() -> None:
    message = pb.MxValue(
        data_type="MX_DATA_TYPE_QUALIFIED_STRUCT",
        variant_type="VT_RECORD",
        raw_data_type=14,
        raw_diagnostic="no projection",
        raw_value=b"\x01",
    )
    assert from_mx_value(message) == RawValue(DataType.QUALIFIED_STRUCT, "VT_RECORD", 14, "no projection", b"\x01")


def test_a_type_that_is_newer_than_this_library_is_kept_as_a_number() -> None:
    message = pb.MxValue(variant_type="VT_NEW", raw_diagnostic="new")
    message.data_type = 99  # type: ignore[assignment]
    assert from_mx_value(message) == RawValue(99, "VT_NEW", 0, "new")


def test_an_array_keeps_its_dimensions_and_type() -> None:
    message = pb.MxValue(data_type="MX_DATA_TYPE_FLOAT")
    message.array_value.element_data_type = pb.MX_DATA_TYPE_FLOAT
    message.array_value.dimensions.extend([2, 3])
    message.array_value.float_values.values.extend([1, 2, 3, 4, 5, 6])
    array = from_mx_value(message)
    assert isinstance(array, Array)
    assert array == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert (array.dimensions, array.element_type) == ((2, 3), DataType.FLOAT)
    again = copy.copy(array)
    assert (again, again.dimensions, again.element_type) == (array, (2, 3), DataType.FLOAT)


def test_an_empty_array_is_an_array() -> None:
    message = pb.MxValue()
    message.array_value.int32_values.SetInParent()
    array = from_mx_value(message)
    assert isinstance(array, Array)
    assert array == []


def test_an_array_without_values_is_kept_raw() -> None:
    message = pb.MxValue()
    message.array_value.variant_type = "VT_DISPATCH"
    message.array_value.raw_diagnostic = "objects"
    assert from_mx_value(message) == RawValue(DataType.UNSPECIFIED, "VT_DISPATCH", 0, "objects")


# Events and statuses.


def test_an_event_from_its_message() -> None:
    message = pb.MxEvent(
        family="MX_EVENT_FAMILY_ON_DATA_CHANGE",
        server_handle=1,
        item_handle=2,
        value=pb.MxValue(int32_value=7, data_type="MX_DATA_TYPE_INTEGER", variant_type="VT_I2"),
        quality=192,
        worker_sequence=9,
        raw_status="raw",
        statuses=[pb.MxStatusProxy(success=-1, category="MX_STATUS_CATEGORY_OK", detected_by=3, detail=4)],
        on_data_change=pb.OnDataChangeEvent(),
    )
    message.source_timestamp.FromNanoseconds(MOMENT_NS)
    message.gateway_receive_timestamp.FromNanoseconds(MOMENT_NS + 5_000_000)
    event = from_mx_event(message)
    status = MxStatus(StatusCategory.OK, StatusSource.RESPONDING_LMX, 4, -1)
    header = EventHeader(EventFamily.ON_DATA_CHANGE, 1, 2, 192, (status,), DataType.INTEGER, "VT_I2", raw_status="raw")
    assert event == MxEvent(header, 9, 7, MOMENT_NS, MOMENT_NS + 5_000_000)
    assert event.source_timestamp == MOMENT
    assert event.gateway_receive_timestamp == MOMENT + timedelta(milliseconds=5)
    assert (event.quality_word, event.failed, event.hresult, event.replay_gap) == ("good", False, None, None)


def test_an_event_of_a_newer_gateway_is_still_an_event() -> None:
    message = pb.MxEvent(worker_sequence=1, hresult=0)
    message.family = 99  # type: ignore[assignment]
    message.statuses.add().category = 99  # type: ignore[assignment]
    event = from_mx_event(message)
    assert (event.family, event.hresult, event.statuses[0].category) == (99, 0, 99)
    assert (event.source_timestamp, event.gateway_receive_timestamp, event.value) == (None, None, event.value)


def test_an_event_with_an_impossible_time_is_still_an_event() -> None:
    message = pb.MxEvent(worker_sequence=1)
    message.source_timestamp.seconds = 2**60
    message.gateway_receive_timestamp.seconds = -(2**60)
    event = from_mx_event(message)
    assert event.source_timestamp is None
    assert event.gateway_receive_timestamp is None


@pytest.mark.parametrize("category", StatusCategory)
def test_only_an_error_category_is_a_failure(category: StatusCategory) -> None:
    # success is a COM number: 0 and -1 say nothing.
    for success in (-1, 0, 1):
        status = MxStatus(category, StatusSource.RESPONDING_LMX, 0, success)
        assert status.failed == category.name.endswith("_ERROR")


def test_the_enums_are_the_contracts() -> None:
    for ours, theirs in (
        (DataType, pb.MxDataType),
        (EventFamily, pb.MxEventFamily),
        (StatusCategory, pb.MxStatusCategory),
        (StatusSource, pb.MxStatusSource),
    ):
        names = [name.removesuffix("UNSPECIFIED") for name in theirs.keys() if theirs.Value(name) == 0]  # noqa: SIM118
        assert {member.name: member.value for member in ours} == {
            name.removeprefix(names[0]): number for name, number in theirs.items()
        }


@pytest.mark.parametrize(
    ("quality", "word"),
    [
        (192, "good"),
        (216, "good"),
        (255, "good"),
        (191, "uncertain"),
        (64, "uncertain"),
        (63, "bad"),
        (8, "bad"),
        (0, "bad"),
    ],
)
def test_quality_in_a_word(quality: int, word: str) -> None:
    assert quality_word(quality) == word


def test_an_hresult_as_it_is_usually_spelled() -> None:
    assert hresult_text(-2147024809) == "0x80070057"
    assert hresult_text(0) == "0x00000000"


# Through a gateway with a codec of its own.


@pytest.mark.parametrize(
    ("tag", "value", "held"),
    [
        ("TestBool", True, True),
        ("TestInt", -7, -7),
        ("TestInt", Typed("int64", 7), 7),
        ("TestFloat", Typed("float", 0.1), struct.unpack("<f", struct.pack("<f", 0.1))[0]),
        ("TestDouble", 0.1, 0.1),
        ("TestString", "Füllstand", "Füllstand"),
        ("TestTime", MOMENT, MOMENT),
        ("TestElapsed", 1.5, 1.5),
        ("TestIntArray", [3, 1, 2], (3, 1, 2)),
        ("TestIntArray", Typed("int32", []), ()),
    ],
)
async def test_a_written_value_reaches_the_plant_and_comes_back(
    tag: str, value: Any, held: Any, gateway: SimulatedGateway, live: LiveSession
) -> None:
    server = await live.session.register("values")
    (item,) = await live.subscribe_tags([f"TestChildObject.{tag}"], server)
    await live.first_value(item)
    result = await live.write_and_confirm(*item.key, value)
    assert result.outcome is WriteOutcome.COMPLETED
    assert gateway.writes[-1].value == held
    while (latest := live.latest(*item.key)) is None or latest.changes < 2:
        await live.changed()
    assert latest.value == (list(held) if isinstance(held, tuple) else held)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-62_135_596_800, "0001-01-01T00:00:00.000Z"),
        (-11_644_473_600, "1601-01-01T00:00:00.000Z"),
        (-2_209_161_600, "1899-12-30T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.000Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000Z"),
        (253_402_300_800, "out of range (253402300800 s since 1970)"),
        (-62_135_596_801, "out of range (-62135596801 s since 1970)"),
        (9_223_372_036_854_775_807, "out of range (9223372036854775807 s since 1970)"),
    ],
)
def test_a_time_that_no_calendar_has_is_kept_as_its_number_and_told_as_such(seconds: int, text: str) -> None:
    nanoseconds = seconds * 1_000_000_000
    assert nanoseconds_text(nanoseconds) == text
    is_out = text.startswith("out")
    message = pb.MxValue(data_type="MX_DATA_TYPE_TIME", variant_type="VT_DATE")
    message.timestamp_value.seconds = seconds
    array = pb.MxValue()
    for each in (0, seconds):
        array.array_value.timestamp_values.values.add(seconds=each)
    back = from_mx_value(array)
    assert isinstance(back, Array)
    assert back[0] == datetime(1970, 1, 1, tzinfo=UTC)
    for value in (from_mx_value(message), back[1]):
        if is_out:
            assert isinstance(value, RawValue)
            assert value.nanoseconds == nanoseconds
            assert value_text(value) == text
            assert value_form(value)["raw"]["nanoseconds"] == nanoseconds
        else:
            assert isinstance(value, datetime)
            assert value_form(value) == value_text(value) == text
    assert source_time_form(nanoseconds) == (nanoseconds if is_out else text)
    assert source_time_form(0) is None
    event = pb.MxEvent(family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, value=message)
    event.source_timestamp.seconds = seconds
    held = LiveValue.of(from_mx_event(event), "T", 1)
    assert held is not None
    assert held.source_time_ns == nanoseconds
    assert (held.source_timestamp is None) == is_out
    assert value_fields(held)["source_timestamp"] == source_time_form(nanoseconds)
