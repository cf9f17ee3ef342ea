"""When a value of a tag is the one that was wanted; and how reals are shown."""

import copy
import json
import math
import pickle
import struct
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, strategies as st

from zb_mom_ww_mxgateway import DataType, Float32, Typed, from_mx_value, same_value
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.reals import are_neighbours, shortest_text
from zb_mom_ww_mxgateway_console.render.forms import json_line, narrow_number, value_form, value_text

NOW = datetime(2026, 10, 2, 8, 14, tzinfo=UTC)
doubles = st.floats(allow_nan=False, allow_infinity=False)
singles = st.floats(width=32, allow_nan=False, allow_infinity=False)


def bits(number: float) -> bytes:
    return struct.pack("f", number)


@pytest.mark.parametrize(
    ("wanted", "actual"),
    [
        (20260002, 20260002),
        (2**60, 2**60),
        (5, 5.0),
        (5.0, 5),
        (20260002, 20260002.0),
        (0.1, Float32(0.1)),
        (0.3, 0.1 + 0.2),
        (16777217, Float32(16777217)),
        (math.inf, math.inf),
        (True, True),
        ("a", "a"),
        (NOW, NOW),
        ([1, 2.5], [1, 2.5]),
        ([], []),
        (Typed("float", 0.1), Float32(0.1)),
        (Typed("float", [0.1]), [0.10000000149011612]),  # As a tag of type Double has it.
        (None, None),
    ],
)
def test_it_is_the_value_that_was_wanted(wanted: object, actual: object) -> None:
    assert same_value(wanted, actual)


@pytest.mark.parametrize(
    ("wanted", "actual"),
    [
        (20260002, 20260001),
        (20260002, 20260001.0),
        (2**60, 2**60 + 1),
        (1.0, 1.0000000001),
        (1e-9, 0.0),
        (0.1, Float32(0.1000001)),
        (math.inf, 1.7976931348623157e308),
        (5.5, 5),
        (True, 1),
        (1, True),
        ("5", 5),
        ("a", "A"),
        (NOW, NOW + timedelta(microseconds=1)),
        ([1, 2], [1]),
        ([1, 2], 1),
        (None, 0),
        (0, None),
    ],
)
def test_it_is_another_value(wanted: object, actual: object) -> None:
    assert not same_value(wanted, actual)


@pytest.mark.parametrize(
    ("wanted", "actual", "tolerance", "is_same"),
    [
        (0.3, 0.4, 0.1, True),  # 0.4 - 0.3 is more than 0.1 as doubles
        (0.3, 0.41, 0.1, False),
        (1.3, 1.0, 0.3, True),
        (10, 12, 2, True),
        (10, 13, 2, False),
        (NOW, NOW + timedelta(seconds=2), 2.0, True),
        (NOW, NOW + timedelta(seconds=3), 2.0, False),
        ([1.0, 2.0], [1.1, 1.9], 0.1, True),
        ("a", "b", 5.0, False),
        (True, False, 5.0, False),
        (1.0, math.inf, 1e308, False),
        pytest.param(10**400, 1.0, 5.0, False, id="beyond every double"),
    ],
)
def test_a_tolerance_is_what_numbers_and_times_may_differ_by(
    wanted: object, actual: object, tolerance: float, is_same: bool
) -> None:
    assert same_value(wanted, actual, tolerance=tolerance) is is_same


@given(doubles)
@example(0.0)
@example(1.7976931348623157e308)
def test_a_double_is_its_neighbours_and_no_further_number(number: float) -> None:
    near = math.nextafter(number, math.inf)
    assert same_value(number, near) is math.isfinite(near)
    assert not same_value(number, math.nextafter(near, math.inf))


@given(singles)
@example(-0.0)
def test_a_single_is_its_neighbours_and_no_further_number(number: float) -> None:
    place = struct.unpack("<i", struct.pack("<f", abs(number)))[0]
    near, far = (struct.unpack("<f", struct.pack("<i", min(place + n, 0x7F800000)))[0] for n in (1, 2))
    assert are_neighbours(abs(number), near, single=True) is math.isfinite(near)
    assert not are_neighbours(abs(number), far, single=True)
    assert same_value(abs(number), far, data_type=DataType.DOUBLE) is False
    assert same_value(abs(number), near, data_type=DataType.FLOAT) is math.isfinite(near)


@given(singles)
@example(0.1)
@example(1e-45)
@example(16777217.0)
@example(3.4028234663852886e38)
def test_a_single_is_shown_as_the_shortest_text_that_reads_back_as_the_same(number: float) -> None:
    text = shortest_text(Float32(number))
    assert bits(float(text)) == bits(number)
    assert text == str(Float32(number)) == repr(Float32(number)) == f"{Float32(number)}" == value_text(Float32(number))
    digits = len(text.partition("e")[0].replace(".", "").strip("-0"))
    shorter = [f"{number:.{count}g}" for count in range(1, digits)]
    assert all(bits(float(each)) != bits(number) for each in shorter if abs(float(each)) < 3.4028235e38)


@given(doubles)
@example(12345678.9)
@example(1234567.8)
@example(0.00001234)
def test_a_double_is_shown_as_text_that_reads_back_as_the_same(number: float) -> None:
    assert float(value_text(number)) == number
    assert json.loads(json_line(value_form(number))) == number


@given(st.floats(-1e300, 1e300), st.integers(7, 20))
def test_a_number_in_a_narrow_place_is_rounded_and_fits(number: float, width: int) -> None:
    text = narrow_number(number, width)
    assert len(text) <= width
    assert math.isclose(float(text), number, rel_tol=0.6)
    assert text == value_text(number) or len(value_text(number)) > width


def test_a_real_of_32_bits_is_shown_as_it_is_sent() -> None:
    assert (value_text(Typed("float", 0.123456789)), value_form(Typed("float", 16777217))) == ("0.12345679", 16777216.0)
    assert (value_text(Typed("float", [0.1, 16777217])), value_form(Typed("double", 0.1))) == ("[0.1, 16777216.0]", 0.1)


def test_a_real_of_32_bits_comes_as_one_and_stays_one() -> None:
    held = from_mx_value(pb.MxValue(data_type=5, variant_type="VT_R4", float_value=0.1))  # type: ignore[arg-type]
    assert type(held) is Float32
    assert held == struct.unpack("f", struct.pack("f", 0.1))[0]
    assert (str(held), json_line(value_form(held))) == ("0.1", "0.1")
    assert type(held + 1) is float
    for again in (copy.deepcopy(held), pickle.loads(pickle.dumps(held))):
        assert (type(again), again) == (Float32, held)
    array = pb.MxArray(element_data_type=5, float_values=pb.FloatArray(values=[0.1]))  # type: ignore[arg-type]
    assert repr(from_mx_value(pb.MxValue(array_value=array))) == "[0.1]"
