"""Verification of writes: what counts as written, and where the value comes from. It never writes."""

import asyncio
import math
import struct
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, strategies as st

from zb_mom_ww_mxgateway import (
    DataType,
    Float32,
    Item,
    LiveSession,
    MxGatewayArgumentError,
    SparseArray,
    Typed,
    WriteOutcome,
    WriteResult,
)
from zb_mom_ww_mxgateway.safety.verification import (
    ReadBack,
    VerifiedWrite,
    read_back_form,
    verify,
    write_and_verify,
)
from zb_mom_ww_mxgateway.safety.written_values import is_as_written
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE, TEXT = "TestChildObject.TestInt", "TestChildObject.TestDouble", "TestChildObject.TestString"
ARRAY, POSITION = "TestChildObject.TestIntArray", "Plant.Tank1.Inlet.Position"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# What counts as written.


def _bits(number: float) -> int:
    (bits,) = struct.unpack("<q", struct.pack("<d", number))
    return bits if bits >= 0 else -(bits & (2**63 - 1))


def naive(written: float, actual: float, tolerance: float | None) -> bool:
    """Two doubles: equal, next to each other, or no further apart than the tolerance, by their decimals."""
    if math.isnan(written) or math.isnan(actual):
        return math.isnan(written) and math.isnan(actual)
    if written == actual:
        return True
    if math.isinf(written) or math.isinf(actual):
        return False
    is_near = tolerance is not None and abs(Fraction(repr(written)) - Fraction(repr(actual))) <= Fraction(
        repr(tolerance)
    )
    return is_near or abs(_bits(written) - _bits(actual)) == 1


TOLERANCES = st.none() | st.floats(0, 1e308)


@given(st.floats(), st.floats(), TOLERANCES)
def test_a_real_is_as_written_within_the_tolerance_or_the_precision_of_its_type(
    written: float, actual: float, tolerance: float | None
) -> None:
    assert is_as_written(written, actual, tolerance=tolerance) == naive(written, actual, tolerance)


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1e6), st.floats(-2, 2))
def test_near_the_edge_of_the_tolerance_it_agrees_with_the_naive_rule(
    written: float, tolerance: float, share: float
) -> None:
    actual = written + tolerance * share
    assert is_as_written(written, actual, tolerance=tolerance) == naive(written, actual, tolerance)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3), TOLERANCES)
def test_a_whole_number_has_no_tolerance(written: int, more: int, tolerance: float | None) -> None:
    assert is_as_written(written, written + more, tolerance=tolerance) == (more == 0)


EXACT = st.booleans() | st.text(max_size=3) | st.datetimes(timezones=st.just(UTC)) | st.integers(-2, 2)


@given(EXACT, EXACT, TOLERANCES)
def test_all_else_is_equal_or_is_not(written: Any, actual: Any, tolerance: float | None) -> None:
    assert is_as_written(written, actual, tolerance=tolerance) == (type(written) is type(actual) and written == actual)


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), max_size=4), TOLERANCES)
def test_arrays_are_compared_element_by_element(pairs: list[tuple[float, float]], tolerance: float | None) -> None:
    written, actual = [one for one, _ in pairs], [other for _, other in pairs]
    assert is_as_written(written, actual, tolerance=tolerance) == all(naive(*pair, tolerance) for pair in pairs)
    assert not is_as_written(written, [*actual, 0.0], tolerance=tolerance)


def test_the_type_of_a_tag_gives_its_precision() -> None:
    assert is_as_written(0.1, Float32(0.1))
    assert not is_as_written(0.1, 0.10000001)
    assert is_as_written(Typed("float", 0.1), 0.1, data_type=DataType.FLOAT)
    # A time that is a second off is not within a tolerance of two.
    now = datetime(2026, 10, 2, tzinfo=UTC)
    assert not is_as_written(now, now + timedelta(seconds=1), tolerance=2.0)


@pytest.mark.parametrize(
    ("actual", "is_there"),
    [([0, 5, 0], True), ([0, 5, 1], False), ([0, 4, 0], False), ([0, 5], False), (5, False)],
)
def test_what_a_sparse_write_does_not_name_has_the_default_of_its_type(actual: object, is_there: bool) -> None:
    assert is_as_written(SparseArray(3, ((1, Typed("int32", 5)),)), actual) is is_there


def test_the_default_of_a_time_is_the_epoch() -> None:
    noon = datetime(2026, 10, 2, 12, tzinfo=UTC)
    assert is_as_written(SparseArray(2, ((1, noon),)), [EPOCH, noon])


# Where the value comes from.


async def followed(live: LiveSession, tag: str) -> Item:
    (item,) = await live.subscribe_tags([tag])
    await live.first_value(item)
    return item


async def test_the_streams_value_is_taken_as_it_comes(gateway: SimulatedGateway, live: LiveSession) -> None:
    item, since = await followed(live, INT), clock.monotonic()
    looking = asyncio.create_task(verify(live, item, 7, since=since, within=30))
    gateway.set(INT, 6)
    gateway.set(INT, 7)
    seen = await looking
    assert (seen.is_as_written, seen.was_read, seen.problem, seen.value and seen.value.value) == (True, False, "", 7)
    assert not gateway.writes


async def test_a_value_that_it_had_before_is_read_afresh_at_once(gateway: SimulatedGateway, live: LiveSession) -> None:
    item = await followed(live, INT)
    held = live.latest(*item.key)
    assert held is not None
    seen = await verify(live, item, held.value, since=clock.monotonic(), within=60)
    assert (seen.is_as_written, seen.was_read) == (True, True)


async def test_where_the_stream_brings_nothing_a_fresh_read_decides_at_the_deadline(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    item, since = await followed(live, INT), clock.monotonic()
    gateway.faults.swallow_connections("StreamEvents")
    gateway.set(INT, 7)
    seen = await verify(live, item, 7, since=since, within=0.2)
    assert (seen.is_as_written, seen.was_read, seen.within) == (True, True, 0.2)
    assert (await verify(live, item, 8, since=since, within=0.2)).is_as_written is False
    assert not gateway.writes


async def test_a_whole_array_is_read_afresh_without_its_brackets(gateway: SimulatedGateway, live: LiveSession) -> None:
    item, since = await followed(live, ARRAY), clock.monotonic()
    gateway.faults.swallow_connections("StreamEvents")
    gateway.set(ARRAY, (1, 2, 3))
    seen = await verify(live, item, [1, 2, 3], since=since, within=0.2)
    assert (seen.is_as_written, seen.was_read, seen.value and seen.value.value) == (True, True, [1, 2, 3])


@pytest.mark.parametrize("quality", [0, 64])
async def test_a_value_that_is_not_good_verifies_nothing(
    gateway: SimulatedGateway, live: LiveSession, quality: int
) -> None:
    item, since = await followed(live, INT), clock.monotonic()
    gateway.set(INT, 7, quality)
    seen = await verify(live, item, 7, since=since, within=0.3)
    assert (seen.is_as_written, seen.was_read, seen.value and seen.value.quality) == (False, True, quality)


async def test_a_suspended_item_and_a_lost_session_verify_nothing(gateway: SimulatedGateway, live: LiveSession) -> None:
    item, since = await followed(live, INT), clock.monotonic()
    await live.session.suspend(*item.key)
    gateway.set(INT, 7)
    seen = await verify(live, item, 7, since=since, within=0.2)
    assert (seen.is_as_written, "suspended" in seen.problem) == (False, True)
    await live.aclose()
    seen = await verify(live, item, 7, since=since, within=0.2)
    assert not seen.is_as_written
    assert seen.problem


async def test_a_fresh_read_that_the_gateway_refuses_is_said(gateway: SimulatedGateway, live: LiveSession) -> None:
    item = await followed(live, INT)
    gateway.faults.fail_next("read_bulk", protocol_status=9, hresult=-2147024809)
    seen = await verify(live, item, 7, since=clock.monotonic(), within=0.2)
    assert (seen.is_as_written, seen.problem[:26]) == (False, "it cannot be read afresh: ")
    assert seen.value is not None


# Write and verify.


async def test_a_write_is_verified_and_sent_once(gateway: SimulatedGateway, live: LiveSession) -> None:
    done = await write_and_verify(live, DOUBLE, 1.1)
    assert (done.is_verified, done.result.outcome) == (True, WriteOutcome.COMPLETED)
    # A valve needs time to travel.
    under_way = await write_and_verify(live, POSITION, 100.0, within=0.1)
    assert (under_way.is_verified, under_way.read_back and under_way.read_back.was_read) == (False, True)
    assert (await write_and_verify(live, POSITION, 100.0, tolerance=99.0, within=30)).is_verified
    assert [write.tag for write in gateway.writes] == [DOUBLE, POSITION, POSITION]


async def test_nobody_looks_after_a_write_that_was_refused(gateway: SimulatedGateway, live: LiveSession) -> None:
    refused = await write_and_verify(live, "Plant.Tank1.Level", 5.0)
    assert (refused.result.outcome, refused.read_back, refused.is_verified) == (WriteOutcome.REFUSED, None, False)


async def test_a_value_that_is_there_does_not_make_an_unknown_write_a_verified_one(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    await followed(live, INT)
    gateway.faults.lose_next_reply("write")
    done = await write_and_verify(live, INT, 7)
    assert done.result.outcome is WriteOutcome.UNKNOWN
    assert done.read_back is not None
    assert done.read_back.is_as_written
    assert not done.is_verified
    assert len(gateway.writes) == 1


@pytest.mark.parametrize("tolerance", [-1.0, math.nan, math.inf, True])
async def test_a_tolerance_that_is_none_is_refused_before_anything_is_sent(
    gateway: SimulatedGateway, live: LiveSession, tolerance: float
) -> None:
    with pytest.raises(MxGatewayArgumentError, match="tolerance"):
        await write_and_verify(live, DOUBLE, 1.0, tolerance=tolerance)
    with pytest.raises(MxGatewayArgumentError, match="within"):
        await write_and_verify(live, DOUBLE, 1.0, within=0)
    assert not gateway.writes


def test_the_journal_gets_what_was_seen() -> None:
    seen = ReadBack(False, None, 5.0, 0.5, "it cannot be read afresh: no")
    assert read_back_form(seen) == {
        "as_written": False,
        "problem": "it cannot be read afresh: no",
        "quality": None,
        "source": None,
        "tolerance": 0.5,
        "value": None,
        "within": 5.0,
    }
    assert not VerifiedWrite(WriteResult(WriteOutcome.COMPLETED), seen).is_verified
