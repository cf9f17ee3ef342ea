"""What is said of a value outside the range of its tag."""

import math
from typing import Any

import pytest

from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, SparseArray
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.safety.known_range import (
    alarm_limits_of,
    beyond_range,
    beyond_ranges,
    known_number,
    range_of,
    range_tags,
    range_text,
)
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts

PERCENT = TagFacts(units="%", low=0.0, high=100.0)


@pytest.mark.parametrize(
    ("value", "facts", "said"),
    [
        (101, PERCENT, "101 is outside the tag's range, 0.0 to 100.0 %"),
        (-100.5, PERCENT, "-100.5 is FAR OUTSIDE the tag's range, 0.0 to 100.0 %"),
        (200.0, PERCENT, "200.0 is outside the tag's range, 0.0 to 100.0 %"),
        (float("inf"), PERCENT, "inf is FAR OUTSIDE the tag's range, 0.0 to 100.0 %"),
        (float("nan"), PERCENT, "nan is outside the tag's range, 0.0 to 100.0 %"),
        (10**400, TagFacts(low=0.0, high=1.0), f"{10**400} is FAR OUTSIDE the tag's range, 0.0 to 1.0"),
        (9.0, TagFacts(low=10.0), "9.0 is outside the tag's range, from 10.0"),
        (11.0, TagFacts(high=10.0), "11.0 is outside the tag's range, up to 10.0"),
        ([5.0, 120.0], PERCENT, "element 2: 120.0 is outside the tag's range, 0.0 to 100.0 %"),
        (SparseArray(9, ((3, 500.0),)), PERCENT, "element 4: 500.0 is FAR OUTSIDE the tag's range, 0.0 to 100.0 %"),
    ],
)
def test_a_value_outside_is_named_with_the_range(value: Any, facts: TagFacts, said: str) -> None:
    assert beyond_range(value, facts) == said


@pytest.mark.parametrize(
    ("value", "facts"),
    [
        (0.0, PERCENT),
        (100, PERCENT),
        (Float32(0.1), TagFacts(low=0.0, high=0.1)),
        (4_000.0, TagFacts()),
        (True, TagFacts(low=5.0, high=6.0)),
        ("400", PERCENT),
        (None, PERCENT),
        (SparseArray(9, ((0, 5.0), (1, 5))), PERCENT),
    ],
)
def test_nothing_is_said_of_what_is_inside_or_cannot_be_judged(value: Any, facts: TagFacts) -> None:
    assert beyond_range(value, facts) == ""


def test_the_ends_come_from_the_first_pair_of_attributes_that_exists() -> None:
    assert range_tags("A.B") == ["A.B.RangeLo", "A.B.RangeHi", "A.B.EngUnitsMin", "A.B.EngUnitsMax"]
    both = {"A.B.RangeLo": 0.0, "A.B.RangeHi": 5.0, "A.B.EngUnitsMin": 1.0, "A.B.EngUnitsMax": 2.0}
    assert range_of("A.B", both) == (0.0, 5.0)
    assert range_of("A.B", {"A.B.EngUnitsMax": 2.0}) == (None, 2.0)
    # Equal ends are what an attribute holds that nobody has set.
    assert range_of("A.B", {"A.B.RangeLo": 0.0, "A.B.RangeHi": 0.0}) == (None, None)
    assert range_of("A.B", {}) == (None, None)
    assert (range_text(PERCENT), range_text(TagFacts(units="%"))) == ("0.0 to 100.0 %", "")
    limits = {"A.B.Lo.Limit": 1.0, "A.B.HiHi.Limit": 9.0, "A.C.Hi.Limit": 8.0}
    assert alarm_limits_of("A.B", limits) == (("HiHi", 9.0), ("Lo", 1.0))


def test_of_many_values_three_are_named_and_the_others_counted() -> None:
    entries = [PendingEntry(tag=f"A.{number}", value=500.0) for number in range(6)]
    facts = {each.tag: PERCENT for each in entries}
    *named, more = beyond_ranges(entries, facts)
    assert [each.partition(":")[0] for each in named] == ["A.0", "A.1", "A.2"]
    assert more == "3 more values are outside the ranges of their tags"
    assert len(beyond_ranges(entries[:4], facts)) == 4
    assert beyond_ranges([PendingEntry(tag="B.1", value=500.0)], facts) == []


@pytest.mark.parametrize(
    ("value", "quality", "number"),
    [
        (5, "good", 5),
        (5.5, "uncertain", 5.5),
        (5.5, "bad", None),
        (math.nan, "good", None),
        (-math.inf, "good", None),
        (True, "good", None),
        ("5", "good", None),
        (None, "good", None),
    ],
)
def test_an_end_is_a_finite_number_that_is_not_bad(value: Any, quality: str, number: float | None) -> None:
    assert known_number(value, quality) == number
