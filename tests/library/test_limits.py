"""Limits judge a write as a naive reference does: nothing gets past them by rounding, by type or for want of facts."""

import math
import struct
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from zb_mom_ww_mxgateway import DataType, Float32, LiveValue, Typed
from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.safety.limits import Limits, Rule
from zb_mom_ww_mxgateway.system import clock

GOOD, BAD = 192, 0
HUGE = 2**63


def live(value: Any, data_type: DataType = DataType.UNSPECIFIED, quality: int = GOOD, **more: Any) -> LiveValue:
    return LiveValue(
        tag="T",
        value=value,
        quality=quality,
        data_type=data_type,
        variant_type="",
        statuses=(),
        source_time_ns=0,
        changes=1,
        received_at=clock.monotonic(),
        age_when_received=0.0,
        **more,
    )


def rule(**parts: Any) -> Rule:
    return Rule(glob=TagGlob("T"), source="limits.toml:3", **{"writable": True} | parts)


def refused(limits: Rule, value: Any, old: LiveValue | None = None, **more: Any) -> set[str]:
    return {each.rule for each in limits.check(value, old, **more) if not each.is_met}


# The reference: decimals, and one way through them for each limit.


def single(number: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", number))[0])


def decimal(value: Any) -> Decimal | None:
    """The decimal that a number is shown as; None for anything else."""
    if type(value) is int:
        return Decimal(value)
    if not isinstance(value, float) or not math.isfinite(value):
        return None
    if type(value) is Float32:
        plain = float(value)
        return next(Decimal(text) for digits in range(1, 10) if single(float(text := f"{plain:.{digits}g}")) == plain)
    return Decimal(repr(value))


def decimals(value: Any, data_type: DataType, old: Any) -> list[Decimal] | None:
    """What is written, and what the tag may make of it."""
    written = decimal(value)
    if written is None:
        return None
    found = [written]
    if data_type is DataType.FLOAT or type(old) is Float32:
        if abs(value) > 3.4e38:
            return None
        found.append(decimal(Float32(value)) or Decimal(0))
    if data_type is DataType.DOUBLE and type(value) is int:
        found.append(Decimal(repr(float(value))))
    if data_type is DataType.INTEGER and isinstance(value, float):
        found += [Decimal(math.floor(value)), Decimal(math.ceil(value))]
    return found


def is_listed(value: Any, allowed: tuple[Any, ...], data_type: DataType) -> bool:
    for each in allowed:
        if type(each) is bool or type(each) is str:
            if type(value) is type(each) and value == each:
                return True
        elif (exact := decimal(value)) is not None:
            if data_type is DataType.FLOAT or type(value) is Float32:
                if max(abs(value), abs(each)) < 3.4e38 and single(float(each)) == single(float(value)):
                    return True
            elif exact == decimal(each):
                return True
    return False


def reference(
    limits: Rule, new: Any, old: LiveValue | None, last: tuple[Any, float] | None, writes: int
) -> Iterator[str]:
    """Yield each limit that refuses."""
    data_type = old.data_type if old else DataType.UNSPECIFIED
    assert isinstance(data_type, DataType)
    present = old.value if old else None
    is_sure = old is not None and old.quality == GOOD and old.stale_since is None
    is_array = isinstance(new, list)
    elements = new if is_array else [new]
    sample = present[0] if isinstance(present, list) and present else present
    numbers = [decimals(each, data_type, sample) for each in elements]
    if not limits.writable:
        yield "writable"
    if limits.allowed is not None and not all(is_listed(each, limits.allowed, data_type) for each in elements):
        yield "allowed"
    low, high, step, rate = (decimal(each) for each in (limits.minimum, limits.maximum, limits.step, limits.rate))
    if low is not None and any(each is None or min(each) < low for each in numbers):
        yield "min"
    if high is not None and any(each is None or max(each) > high for each in numbers):
        yield "max"
    bases: list[Any] | None = None
    if is_sure and is_array == isinstance(present, list) and (not is_array or len(present) == len(new)):
        bases = present if is_array else [present]
    known: list[Any] = []
    if last is not None:
        sent = last[0] if isinstance(last[0], list) else [last[0]]
        is_alike = isinstance(last[0], list) == is_array and len(sent) == len(elements)
        pairs = zip(numbers, sent, strict=True) if is_alike else ()
        known = [([number], [before]) for number, before in pairs if decimal(before) is not None]
    if step is not None and not (within(numbers, bases, step) and all(within(*each, step) for each in known)):
        yield "step"
    if rate is not None and last is not None:
        most = rate * Decimal(last[1])
        if not within(numbers, bases, most) or not all(within(*each, most) for each in known):
            yield "rate"
    if limits.writes_per_minute is not None and writes >= limits.writes_per_minute:
        yield "writes_per_minute"


@pytest.mark.parametrize(("seconds", "is_met"), [(0.0, False), (60.0, True)])
def test_a_step_goes_from_the_present_value_alone_once_a_write_shows(seconds: float, is_met: bool) -> None:
    old = live(10)
    verdicts = rule(step=5).check(5, old, last=(15, seconds))
    assert {each.is_met for each in verdicts if each.rule == "step"} == {is_met}


def within(numbers: list[list[Decimal] | None], bases: list[Any] | None, most: Decimal) -> bool:
    if bases is None:
        return False
    for number, base in zip(numbers, bases, strict=True):
        before = decimal(base)
        if number is None or before is None or any(abs(each - before) > most for each in number):
            return False
    return True


NEAR = [0, 1, 5, 10, 0.1, 0.3, 9.9, 10.000000001, 16777216, 16777219, 33554435, HUGE, HUGE - 1, 1e300]
LIMITS = st.none() | st.sampled_from(NEAR)
ABOVE_ZERO = st.none() | st.sampled_from(NEAR[1:])
NUMBERS = st.one_of(
    st.sampled_from(NEAR),
    st.sampled_from(NEAR[:-1]).map(Float32),
    st.integers(-20, 20),
    st.integers(-(2**70), 2**70),
    st.floats(-20, 20),
    st.floats(),
    st.floats(-20, 20, width=32).map(Float32),
)
SCALARS = st.one_of(NUMBERS, NUMBERS, st.booleans(), st.sampled_from(["Auto", "1", ""]), st.none())
VALUES = st.one_of(SCALARS, SCALARS, st.lists(SCALARS, max_size=3))
ALLOWED = st.none() | st.one_of(
    st.lists(st.sampled_from(NEAR), min_size=1, max_size=3),
    st.lists(st.booleans(), min_size=1, max_size=1),
    st.lists(st.sampled_from(["Auto", "1"]), min_size=1, max_size=1),
).map(tuple)
TYPES = st.sampled_from([DataType.UNSPECIFIED, DataType.FLOAT, DataType.DOUBLE, DataType.INTEGER, DataType.STRING])
RULES = st.builds(
    rule,
    writable=st.booleans(),
    minimum=LIMITS,
    maximum=LIMITS,
    step=ABOVE_ZERO,
    rate=ABOVE_ZERO,
    writes_per_minute=st.none() | st.integers(1, 3),
    allowed=ALLOWED,
)
OLDS = st.none() | st.builds(
    live,
    VALUES,
    TYPES,
    quality=st.sampled_from([GOOD, GOOD, GOOD, BAD]),
    stale_since=st.sampled_from([None, None, 1.0]),
)
LASTS = st.none() | st.tuples(VALUES, st.sampled_from([0.0, 0.1, 0.5, 1.0, 60.0]))


@given(RULES, VALUES, OLDS, LASTS, st.integers(0, 4))
@example(rule(maximum=0.1), Float32(0.1), live(Float32(0.0)), None, 0)
@example(rule(maximum=16777219), 16777219, live(Float32(0.0)), None, 0)
@example(rule(maximum=16777219), Float32(16777219), None, None, 0)
@example(rule(maximum=99.7), 99.6, live(0, DataType.INTEGER), None, 0)
@example(rule(maximum=HUGE - 1), HUGE - 1, live(0.0, DataType.DOUBLE), None, 0)
@example(rule(step=0.1), 0.4, live(0.3, DataType.DOUBLE), None, 0)
@example(rule(rate=2, step=100), 15, live(10), (10, 2.5), 0)
@example(rule(rate=2), 15, live(14), (5, 1.0), 0)
@example(rule(rate=2), 15, None, (15, 60.0), 0)
@example(rule(step=5), 5, live(10), (15, 60.0), 0)
@example(rule(minimum=0), True, live(False), None, 0)
@example(rule(allowed=(1,)), True, live(False), None, 0)
@example(rule(allowed=(1e300,)), 1e299, live(0.0, DataType.FLOAT), None, 0)
@example(rule(step=1), [], live([1, 2, 3]), None, 0)
@example(rule(step=1), [1, 2], live([1, 2, 3]), None, 0)
def test_limits_judge_as_a_naive_reference(
    limits: Rule, new: Any, old: LiveValue | None, last: tuple[Any, float] | None, writes: int
) -> None:
    # Older than what was sent last.
    old = old and replace(old, received_at=-math.inf)
    verdicts = limits.check(new, old, last=last, writes=writes)
    with localcontext(prec=800):
        expected = set(reference(limits, new, old, last, writes))
    assert {each.rule for each in verdicts if not each.is_met} == expected
    assert all(each.text.startswith(f"{each.rule}: ") and each.text.isprintable() for each in verdicts)
    parts = {name for name, _ in limits.parts()}
    assert {each.rule for each in verdicts} == parts


@pytest.mark.parametrize(
    ("limits", "value", "old", "text"),
    [
        (rule(maximum=100), 120, 50, "max: 120 is above 100 (limits.toml:3)"),
        (rule(maximum=100), 50, 50, "max: 50 is at most 100"),
        (
            rule(maximum=100, note="the lid"),
            120,
            50,
            "max: 120 is above 100 (limits.toml:3: the lid)",
        ),
        (rule(minimum=0), math.nan, 50, "min: nan is not a number (limits.toml:3)"),
        (rule(minimum=0), "5", 50, 'min: "5" is not a number (limits.toml:3)'),
        (rule(minimum=0), b"5", 50, "min: a value of type bytes is not a number (limits.toml:3)"),
        (rule(minimum=0), datetime.now(UTC), 50, "is not a number (limits.toml:3)"),
        (rule(minimum=0), [1, -1], 50, "min: element 2: -1 is below 0 (limits.toml:3)"),
        (rule(step=10), 70, 50, "step: 70 is 20 from 50, more than 10 (limits.toml:3)"),
        (rule(step=10), 60, 50, "step: 60 is at most 10 from before"),
        (rule(step=10), 60, None, "step: the change is unknown: the present value is unknown (limits.toml:3)"),
        (rule(step=10), 60, "50", 'step: "50" is not a number (limits.toml:3)'),
        (rule(allowed=(0, 1)), 2, 0, "allowed: 2 is none of 0, 1 (limits.toml:3)"),
        (rule(allowed=("Auto", "Manual")), "Auto", "", 'allowed: "Auto" is one of "Auto", "Manual"'),
        (rule(writable=False, note="wired"), 1, 0, "writable: no value may be written (limits.toml:3: wired)"),
    ],
)
def test_a_verdict_says_by_what_it_came(limits: Rule, value: Any, old: Any, text: str) -> None:
    texts = [each.text for each in limits.check(value, None if old is None else live(old))]
    assert text in texts[-1] if text.startswith("is") else text in texts


def test_a_number_of_thousands_of_digits_is_judged() -> None:
    (_, verdict) = rule(minimum=0).check(10**5000, live(50))
    assert verdict.text == "min: a number that long is at least 0"
    assert refused(rule(maximum=0, step=1), 10**5000, live(50.5)) == {"max", "step"}


def test_a_rate_says_how_long_ago_the_last_write_was() -> None:
    (_, verdict) = rule(rate=2).check(15, live(10), last=(10, 2.0))
    assert verdict.text == "rate: 15 is 5 from 10, more than 2 per second, 2.0 s after the last write (limits.toml:3)"
    (_, verdict) = rule(rate=2).check(15, live(14), last=(10, 2.0))
    assert verdict.text.startswith("rate: 15 is 5 from 10, which was sent last, more than 2 per second")
    (_, verdict) = rule(rate=2).check(15, None)
    assert verdict.is_met
    assert verdict.text == "rate: the first write to it on this connection"


def test_a_stale_or_bad_present_value_refuses_a_change() -> None:
    assert refused(rule(step=10), 50, live(50, stale_since=1.0)) == {"step"}
    assert refused(rule(step=10), 50, live(50, quality=BAD)) == {"step"}
    assert refused(rule(rate=10), 50, live(50, quality=BAD), last=(50, 60.0)) == {"rate"}
    assert refused(rule(minimum=0), 50, live(50, quality=BAD)) == set()


# Arrays of which only some elements are set.


def test_what_the_other_elements_get_is_judged_too() -> None:
    sparse = SparseArray(5, ((1, 20), (3, 30)))
    assert refused(rule(minimum=0), sparse) == set()
    (_, verdict) = rule(minimum=10).check(sparse, None)
    assert verdict.text == "min: each other element: 0 is below 10 (limits.toml:3)"
    assert refused(rule(minimum=10), SparseArray(2, ((0, 20), (1, 30)))) == set()
    assert refused(rule(allowed=(True,)), SparseArray(2, ((0, True),))) == {"allowed"}
    assert refused(rule(allowed=("a", "")), SparseArray(2, ((0, "a"),))) == set()
    assert refused(rule(minimum=0), SparseArray(2, ((0, Float32(1)),))) == set()


def test_each_value_of_an_index_that_is_there_twice_is_judged() -> None:
    sparse = SparseArray(1, ((0, 200), (0, 20)))
    assert refused(rule(maximum=100), sparse) == {"max"}
    assert refused(rule(maximum=100), SparseArray(1, ((0, 20), (0, 200)))) == {"max"}


def test_a_default_that_is_unknown_is_refused() -> None:
    assert refused(rule(minimum=-1), SparseArray(3, ())) == {"min"}
    assert refused(rule(minimum=-1), SparseArray(3, ((0, 1), (1, "a")))) == {"min"}
    assert refused(rule(minimum=-1), SparseArray(2_000_000_000, ((0, 1),))) == set()
    assert refused(rule(), SparseArray(3, ())) == set()


def test_the_change_of_each_element_is_judged() -> None:
    old = live([10, 20, 30])
    assert refused(rule(step=10), SparseArray(3, ((1, 25), (2, 25)))) == {"step"}
    assert refused(rule(step=10), SparseArray(3, ((1, 25), (2, 25))), old) == set()
    assert refused(rule(step=9), SparseArray(3, ((1, 25), (2, 25))), old) == {"step"}, "the first one becomes 0"
    assert refused(rule(step=10), SparseArray(3, ((0, 10), (1, 31), (2, 30))), old) == {"step"}
    assert refused(rule(step=100), SparseArray(4, ((1, 25),)), old) == {"step"}
    assert refused(rule(step=100), SparseArray(3, ((3, 25), (0, 1), (1, 1), (2, 1))), old) == {"step"}
    assert refused(rule(step=100), SparseArray(3, ((1, 25),)), live(10)) == {"step"}
    assert refused(rule(step=100), 10, old) == {"step"}


def test_a_typed_value_counts_as_it_is_sent() -> None:
    assert refused(rule(maximum=0.1), Typed("float", 0.1)) == set()
    assert refused(rule(maximum=0.1), Typed("float", 0.10000001)) == {"max"}
    assert refused(rule(maximum=0.1), Typed("double", 0.1000000000001)) == {"max"}


# Which rule applies.


def limits_of(*names: str, unlisted: Any = "refuse") -> Limits:
    return Limits(
        "limits.toml", unlisted, tuple(Rule(glob=TagGlob(name), source=name, writable=True) for name in names)
    )


def applied(limits: Limits, tag: str) -> str | None:
    found = limits.rule_for(tag)
    return found and found.source


def test_the_closest_rule_applies() -> None:
    limits = limits_of("Plant.*", "Plant.Tank?.SP", "plant.tank1.sp", "Plant.Array")
    assert applied(limits, "PLANT.Tank1.SP") == "plant.tank1.sp"
    assert applied(limits, "Plant.Tank2.SP") == "Plant.Tank?.SP"
    assert applied(limits, "Plant.Tank1.PV") == "Plant.*"
    assert applied(limits, "Plants.Tank1.PV") is None


@pytest.mark.parametrize("tag", ["Plant.Array[3]", "Plant.Array[]", "Plant.Array[3][4]", "plant.array[ 3 ]"])
def test_an_element_has_the_rule_of_its_array(tag: str) -> None:
    assert applied(limits_of("Plant.*", "Plant.Array"), tag) == "Plant.Array"
    assert applied(limits_of("Plant.*", "*nt.Arra?"), tag) == "*nt.Arra?"


@given(
    st.lists(st.text(alphabet="ab?*", min_size=1, max_size=4).filter(lambda text: text.strip("?*")), max_size=5),
    st.text(alphabet="ab[]", min_size=1, max_size=5),
)
def test_the_rule_of_a_tag_is_one_that_names_it_and_none_is_closer(names: list[str], tag: str) -> None:
    limits = limits_of(*names)
    array = tag
    while array.endswith("]") and "[" in array and "]" not in array[array.rindex("[") : -1]:
        array = array[: array.rindex("[")]
    ranks = [TagGlob(name).rank for name in names if TagGlob(name).matches(array)]
    found = limits.rule_for(tag)
    assert (found.glob.rank if found else None) == min(ranks, default=None)
    assert found is None or found.glob.matches(array)


def test_a_tag_that_no_rule_names_is_refused_or_allowed_as_the_file_says() -> None:
    assert limits_of("A.B").unlisted_refusal("A.C") == (
        'A.C is named by no rule of limits.toml, which has unlisted = "refuse"'
    )
    assert limits_of("A.B", unlisted="allow").unlisted_refusal("A.C") == ""
    assert "unknown to this client" in limits_of("A.B", unlisted="allow").unlisted_refusal("")


OTHER_NAMES = ["Tank.SP ", " Tank.SP", "Tank..SP", "Tank.SP.", ".Tank.SP", "Tank. SP", "Tank.SP\t", "Tank.SP.Value"]
OTHER_NAMES += [
    "tank.sp.VALUE",
    "Tank.SP.#VString",
    "Tank.SP.property(x)",
    "Tank.SP[1].Value",
    ".",
    " ",
    "Tank.SP\0",
    "Tank.SP\u200b",
]


@pytest.mark.parametrize("tag", OTHER_NAMES)
@pytest.mark.parametrize("names", [("Tank.SP",), ("Tank.SP", "Tank*"), ("Tank.S?", "Tank*", "?*a*")])
@pytest.mark.parametrize("unlisted", ["refuse", "allow"])
def test_another_name_of_a_tag_does_not_get_around_its_rule(tag: str, names: tuple[str, ...], unlisted: str) -> None:
    limits = limits_of(*names, unlisted=unlisted)
    assert limits.rule_for(tag) is None
    assert "another name" in limits.unlisted_refusal(tag) or "named by no rule" in limits.unlisted_refusal(tag)


def test_a_rule_may_name_exactly_what_is_no_plain_name() -> None:
    limits = limits_of("Line 1.SP", "Tank.SP", "Tank.SP.Value", "Tank.*")
    for tag in ("Line 1.SP", "tank.sp.value"):
        assert (applied(limits, tag) or "").casefold() == tag.casefold()
    assert applied(limits, "Tank.PV.Value") == "Tank.*", "so has Tank.PV"


@pytest.mark.parametrize("tag", ["Tank.PV", "Tank.SP2", "Tank.SP.Limit", "Tank.PV.Value", "Tank[3]", "Tank_1.$X", "A"])
def test_a_plain_name_that_no_rule_names_may_be_written(tag: str) -> None:
    assert limits_of("Tank.SP", unlisted="allow").unlisted_refusal(tag) == ""
