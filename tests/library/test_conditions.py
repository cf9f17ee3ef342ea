"""Conditions on live values: their language, and that they hold only by values that can be relied on."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from zb_mom_ww_mxgateway import DataType, Float32, LiveValue
from zb_mom_ww_mxgateway.safety.conditions import Condition, ConditionError
from zb_mom_ww_mxgateway.status import MxStatus, StatusCategory, StatusSource
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import to_nanoseconds
from zb_mom_ww_mxgateway.values import Array, RawValue

NOW = datetime(2026, 10, 2, 8, 14, tzinfo=UTC)
FAILED = MxStatus(StatusCategory.COMMUNICATION_ERROR, StatusSource.REQUESTING_LMX, 1003)


def live_value(
    value: Any, *, quality: int = 192, age: float = 1.0, stale: float | None = None, source_time_ns: int | None = None
) -> LiveValue:
    """A value that came just now, `age` seconds old; stale since `stale` seconds."""
    now = clock.monotonic()
    return LiveValue(
        tag="",
        value=value,
        quality=quality,
        data_type=DataType.UNSPECIFIED,
        variant_type="",
        statuses=(),
        source_time_ns=to_nanoseconds(NOW) if source_time_ns is None else source_time_ns,
        changes=1,
        received_at=now,
        age_when_received=age,
        stale_since=None if stale is None else now - stale,
    )


def look_up(values: Mapping[str, Any]) -> Callable[[str], LiveValue | None]:
    """The latest values by tag, each a LiveValue or a plain value."""
    held = {tag: each if isinstance(each, LiveValue) else live_value(each) for tag, each in values.items()}
    return held.get


class StoppedClock:
    """A clock that always shows the same time."""

    def with_sleep(self) -> float:
        return 1_000.0

    def without_sleep(self) -> float:
        return 1_000.0


STOPPED = StoppedClock()


@pytest.fixture
def stopped_clock() -> Iterator[None]:
    """Time stands still."""
    with clock.replaced(STOPPED):
        yield


@pytest.mark.parametrize(
    "text",
    [
        'P1.Mode == "Auto" and P1.PV is good and age(P1.PV) < 5s',
        "P1.PV < 13",
        "13 > P1.PV",
        "P1.PV >= 12.5 and P1.PV <= 12.5 and P1.PV == 12.5",
        "P1.Single == 0.1 and P1.Single <= 0.1 and not P1.Single < 0.1 and not P1.Single > 0.1",
        "P1.Single == P1.Double and P1.Double == P1.Single and P1.Whole == P1.Huge",
        "P1.Count == 9007199254740993",
        "P1.Count > 9007199254740992 and P1.Count < 9007199254740993.5",
        "P1.Running == true and P1.Running != false",
        'P1.Text == "say \\"no\\" \\\\"',
        "P1.At == P1.At and P1.At <= P1.At and P1.Earlier < P1.At",
        "P1.PV > P1.Limit or P1.PV == 12.5",
        "not (P1.PV > 20 or P1.PV < 10)",
        "not P1.PV > 20",
        "P1.Bad is bad and P1.Bad is not good and P1.Uncertain is uncertain and P1.Null is bad",
        "age(P1.PV) > 500ms and age(P1.PV) < 1m and age(P1.PV) <= 2h and 1h > age(P1.PV)",
        "age(P1.Old) > age(P1.PV)",
        "`P1.PV` < 13 and `a name` == 1 and Obj.Arr[3] == 7",
        "1Tank.$Level == 5 and P1.#2 == 6",
        "P1.Infinite > 1e308 and P1.PV > -1.5e1 and P1.PV > +.5",
    ],
)
def test_it_holds(text: str) -> None:
    verdict = Condition.parse(text).verdict(
        look_up(
            {
                "P1.Mode": "Auto",
                "P1.PV": 12.5,
                "P1.Single": Float32(0.1),
                "P1.Double": 0.1,
                "P1.Whole": 5,
                "P1.Huge": Float32(5),
                "P1.Limit": 40,
                "P1.Count": 9007199254740993,
                "P1.Running": True,
                "P1.Text": 'say "no" \\',
                "P1.At": NOW,
                "P1.Earlier": datetime(2026, 10, 2, 8, 13, tzinfo=UTC),
                "P1.Bad": live_value(1.0, quality=0),
                "P1.Uncertain": live_value(1.0, quality=64),
                "P1.Null": live_value(None, quality=0),
                "P1.Old": live_value(1.0, age=100),
                "a name": 1,
                "Obj.Arr[3]": 7,
                "1Tank.$Level": 5,
                "P1.#2": 6,
                "P1.Infinite": math.inf,
            }
        )
    )
    assert verdict.holds, verdict.text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (lambda: None, "P1.PV has no value"),
        (lambda: live_value(12.5, stale=12), "P1.PV is stale since 12 s"),
        (lambda: live_value(12.5, quality=0), "P1.PV is bad"),
        (lambda: live_value(12.5, quality=64), "P1.PV is uncertain"),
        (lambda: live_value(math.nan), "P1.PV is not a number (NaN)"),
        (lambda: live_value(Float32(math.nan)), "P1.PV is not a number (NaN)"),
        (lambda: live_value(None), "P1.PV has no value: it is null"),
        (lambda: live_value("12.5"), "P1.PV is text, and 0 is a number: they do not compare"),
        (lambda: live_value(True), "P1.PV is true or false, and 0 is a number: they do not compare"),
        (lambda: live_value(NOW), "P1.PV is a time, and 0 is a number: they do not compare"),
        (
            lambda: live_value(Array([1], (1,), DataType.INTEGER)),
            "P1.PV is an array, which does not compare: name",
        ),
        (lambda: live_value(b"1"), "P1.PV has a value that does not compare"),
        (lambda: live_value(RawValue(0, "VT_X", 0, "")), "P1.PV has a value that does not compare"),
    ],
)
@pytest.mark.parametrize(
    "text", ["P1.PV > 0", "P1.PV != 0", "not P1.PV > 0", "P1.Good == 1 or P1.PV > 0", "P1.Good == 2 and P1.PV > 0"]
)
@pytest.mark.usefixtures("stopped_clock")
def test_a_value_that_cannot_be_relied_on_refuses(
    value: Callable[[], LiveValue | None], reason: str, text: str
) -> None:
    values = {"P1.Good": live_value(1), "P1.PV": value()}
    verdict = Condition.parse(text).verdict(values.get)
    assert not verdict.holds
    assert reason in verdict.text
    operand = next(each for each in verdict.operands if each.tag == "P1.PV")
    assert f"P1.PV {operand.problem}" == verdict.text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (lambda: None, "P1.PV has no value"),
        (lambda: live_value(12.5, stale=1), "P1.PV is stale since 1.0 s"),
        (lambda: live_value(math.nan), "P1.PV is not a number (NaN)"),
        (lambda: live_value(None), "P1.PV has no value: it is null"),
    ],
)
@pytest.mark.parametrize("text", ["P1.PV is good", "P1.PV is not good", "not P1.PV is good"])
@pytest.mark.usefixtures("stopped_clock")
def test_a_quality_is_that_of_a_value(value: Callable[[], LiveValue | None], reason: str, text: str) -> None:
    verdict = Condition.parse(text).verdict(lambda tag: value())
    assert not verdict.holds
    assert verdict.text == reason


def test_a_failed_status_is_bad_whatever_the_quality_says() -> None:
    value = live_value(5)
    value.statuses = (FAILED,)
    assert Condition.parse("P1.PV is bad").verdict(lambda tag: value).holds
    verdict = Condition.parse("P1.PV == 5").verdict(lambda tag: value)
    assert not verdict.holds
    assert verdict.text.startswith("P1.PV is bad: COMMUNICATION_ERROR")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (lambda: live_value(5, age=-12), "P1.PV has a source time 12 s in the future, so its age is unknown"),
        (lambda: live_value(5, source_time_ns=0), "P1.PV has no source time, so its age is unknown"),
        (lambda: live_value(5, quality=0), "P1.PV is bad"),
    ],
)
@pytest.mark.usefixtures("stopped_clock")
def test_an_unknown_age_refuses(value: Callable[[], LiveValue], reason: str) -> None:
    for text in ("age(P1.PV) < 1h", "not age(P1.PV) > 1h"):
        verdict = Condition.parse(text).verdict(lambda tag: value())
        assert not verdict.holds
        assert verdict.text == reason


def test_times_and_arrays_have_an_age_too() -> None:
    for value in (NOW, Array([1], (1,), DataType.INTEGER), "text"):
        assert Condition.parse("age(P1.PV) < 5s").verdict(look_up({"P1.PV": value})).holds


@pytest.mark.usefixtures("stopped_clock")
def test_the_verdict_says_by_what() -> None:
    condition = Condition.parse('P1.Mode == "Auto" and age(P1.PV) < 5s and p1.mode != "Off" and P1.Bad is good')
    assert condition.tags == ("P1.Mode", "P1.PV", "P1.Bad")
    latest = look_up({"P1.Mode": "Hand", "P1.PV": live_value(Float32(0.1), age=7), "P1.Bad": live_value(1, quality=0)})
    verdict = condition.verdict(latest)
    assert not verdict.holds
    assert verdict.text == 'P1.Mode is "Hand", P1.PV is 0.1 (7.0 s old), P1.Bad is 1 (bad)'
    assert [(each.tag, each.value, each.quality, each.problem) for each in verdict.operands] == [
        ("P1.Mode", "Hand", "good", ""),
        ("P1.PV", Float32(0.1), "good", ""),
        ("P1.Bad", 1, "bad", ""),
    ]


def test_every_problem_is_told_on_one_line() -> None:
    verdict = Condition.parse('A.B == "x" or C.D > 1').verdict(look_up({"A.B": live_value("\x1b[2J\n", quality=0)}))
    assert verdict.text == "A.B is bad; C.D has no value"
    verdict = Condition.parse('A.B == "x"').verdict(look_up({"A.B": "\x1b[2J\n" + "y" * 500}))
    assert verdict.text.isprintable()
    assert len(verdict.text) < 100


@pytest.mark.parametrize(
    ("text", "column", "would_be_right"),
    [
        ("", 1, "such as P1.Mode"),
        ("   ", 4, "such as P1.Mode"),
        ("P1.PV", 6, "P1.PV == true"),
        ("P1.A and P1.B == 1", 6, "P1.A == true"),
        ("P1.PV = 5", 7, "use =="),
        ("P1.PV => 5", 7, "use >="),
        ("P1.PV <> 5", 7, "use !="),
        ("P1.PV == 5 && P1.PV == 6", 12, "use and"),
        ("P1.PV == 5 AND P1.PV == 6", 12, "and in small letters"),
        ("P1.Mode == 'Auto'", 12, "double quotes"),
        ("P1.Mode == Auto", 12, 'a text goes in double quotes, "Auto"'),
        ("P1.Mode == “Auto”", 12, "means nothing here"),
        ('P1.Mode == "Auto', 12, 'the closing " is missing'),
        ('P1.Mode == "a\\n"', 14, "\\\\ a backslash"),
        ("`P1.PV == 5", 1, "the closing ` is missing"),
        ("` ` == 5", 1, "a name is missing"),
        ("P1.PV == 5 )", 12, "closes nothing"),
        ("(P1.PV == 5", 12, "the ) for the ( in column 1 is expected"),
        ("1 < P1.PV < 5", 11, "one comparison at a time"),
        ("P1.PV == 5 P1.PV == 6", 12, "and, or or the end"),
        ("P1.PV == 5 and", 15, "is expected, not the end"),
        ("P1.PV is", 9, "good, uncertain or bad"),
        ("P1.PV is fine", 10, "good, uncertain or bad is expected after is, not fine"),
        ("P1.PV is not 5", 14, "good, uncertain or bad"),
        ("5 is good", 3, "only a tag is good"),
        ("age(P1.PV) is good", 12, "only a tag is good"),
        ("1 == 1", 1, "one side must be a tag"),
        ("age(P1.PV) < 5", 1, "a duration, such as age(P1.PV) < 5s"),
        ("age(P1.PV) == 5s", 12, "< <= > or >="),
        ("P1.PV < 5s", 1, "compares with an age only"),
        ("age P1.PV < 5s", 5, "in parentheses"),
        ("age(5) < 5s", 5, "the tag whose age is meant"),
        ("age(P1.PV < 5s", 11, ") is expected"),
        ('P1.Mode < "B"', 9, "== or !="),
        ("P1.PV > true", 7, "== or !="),
        ("P1.PV < 5x", 9, "500ms, 5s, 2m or 1h"),
        ("P1.PV < 1_000", 9, "neither a number"),
        ("P1.PV == 1e999", 10, "fits no tag"),
        ("P1.PV == 1e9999999999", 10, "fits no tag"),
        ("P1.PV == 1e-999", 10, "fits no tag"),
        (".PV == 1", 1, "the whole name"),
        ("Obj.Arr[] == 1", 1, "such as Obj.Arr[1]"),
        ("P1.PV == 1\nand P1.PV == 2", 11, "not allowed"),
        ('P1.PV == "a\x1b"', 10, "control characters"),
        ("P1.PV + 1 == 2", 7, "means nothing here"),
        ("P1.PV == 1" + " and P1.PV == 1" * 200, 2001, "at most 2000 characters"),
        ("(" * 900 + "P1.PV == 1" + ")" * 900, 21, "at most 20 parentheses"),
        ("not " * 400 + "P1.PV == 1", 81, "at most 20 parentheses"),
    ],
)
def test_a_mistake_has_its_place_and_what_would_be_right(text: str, column: int, would_be_right: str) -> None:
    with pytest.raises(ConditionError) as caught:
        Condition.parse(text)
    assert caught.value.column == column, caught.value
    assert str(caught.value).startswith(f"column {column}: ")
    assert would_be_right in str(caught.value)


def test_a_long_chain_is_no_deep_one() -> None:
    chain = " or ".join(f"A.B{index} == 1" for index in range(130))
    condition = Condition.parse(chain)
    assert len(condition.tags) == 130
    assert condition.verdict(lambda tag: live_value(1)).holds


# Random conditions, and an evaluator of its own for them: plain tuples, no code of the condition is used.

TAGS = [f"T.{letter}" for letter in "ABCDEF"]
QUALITIES = {"good": 192, "uncertain": 64, "bad": 0}
NUMBERS = ["0", "1", "-1", "0.1", "2.5", "1e3", "9007199254740993", "16777217", "123456789012345678901234567890"]
numbers = st.sampled_from(
    [0, 1, -1, 0.1, 2.5, 1e3, 9007199254740992.0, 9007199254740993, math.inf, -math.inf]
    + [Float32(each) for each in (0, 0.1, 1, 2.5, 16777216, math.nextafter(0.1, 0))]
)


@dataclass
class Held:
    """State of one tag: None for `value` is null; `exists` False is no value at all."""

    exists: bool
    value: Any
    quality: str
    is_stale: bool
    age: float
    live: LiveValue | None = field(init=False)

    def __post_init__(self) -> None:
        stale = 3.0 if self.is_stale else None
        made = live_value(self.value, quality=QUALITIES[self.quality], age=self.age, stale=stale)
        self.live = made if self.exists else None


# Ages are far from every duration that is compared with, as time passes; -30 is from a source whose clock is ahead.
states = st.builds(
    Held,
    exists=st.sampled_from([True] * 9 + [False]),
    value=st.one_of(
        numbers, numbers, st.sampled_from(["Auto", "Hand", ""]), st.booleans(), st.sampled_from([None, math.nan])
    ),
    quality=st.sampled_from(["good"] * 8 + ["uncertain", "bad"]),
    is_stale=st.sampled_from([False] * 9 + [True]),
    age=st.sampled_from([0.0, 100.0, 100.0, 5000.0, -30.0]),
)
tags = st.sampled_from(TAGS)
equalities, orderings = st.sampled_from(["==", "!="]), st.sampled_from(["<", "<=", ">", ">="])
comparisons = st.one_of(
    st.tuples(st.just("compare"), tags, st.one_of(equalities, orderings), st.sampled_from(NUMBERS)),
    st.tuples(st.just("compare"), tags, st.one_of(equalities, orderings), tags),
    st.tuples(st.just("compare"), tags, equalities, st.sampled_from(['"Auto"', '""', "true", "false"])),
    st.tuples(st.just("age"), tags, orderings, st.sampled_from(["50s", "20m", "2h", "30000ms"])),
    st.tuples(st.just("is"), tags, st.sampled_from(["good", "uncertain", "bad", "not good", "not bad"])),
)
trees = st.recursive(
    comparisons,
    lambda parts: st.one_of(
        st.tuples(st.just("not"), parts),
        st.tuples(st.sampled_from(["and", "or"]), st.lists(parts, min_size=2, max_size=3)),
    ),
    max_leaves=6,
)
Tree = Any


def text_of(tree: Tree) -> str:
    match tree:
        case ("not", part):
            return f"not ({text_of(part)})"
        case ("and" | "or" as word, parts):
            return f" {word} ".join(f"({text_of(each)})" for each in parts)
        case ("compare", left, operator, right):
            return f"{left} {operator} {right}"
        case ("age", tag, operator, right):
            return f"age({tag}) {operator} {right}"
    _, tag, quality = tree
    return f"{tag} is {quality}"


class Unreliable(Exception):
    """A value that a condition must not go by."""


def naive(tree: Tree, held: Mapping[str, Held]) -> bool:
    """Return whether a condition is true; raise Unreliable. Both sides are always looked at."""
    match tree:
        case ("not", part):
            return not naive(part, held)
        case ("and", parts):
            results = [naive(each, held) for each in parts]
            return all(results)
        case ("or", parts):
            results = [naive(each, held) for each in parts]
            return any(results)
        case ("compare", left, operator, right):
            return naive_compare(naive_value(left, held), operator, naive_value(right, held))
        case ("age", tag, operator, right):
            reliable(held[tag])
            if held[tag].age < 0:
                raise Unreliable
            least = {"50s": 50, "20m": 1200, "2h": 7200, "30000ms": 30}[right]
            return (held[tag].age > least) == (operator[0] == ">")
    _, tag, quality = tree
    state = held[tag]
    is_nan = isinstance(state.value, float) and math.isnan(state.value)
    if not state.exists or state.is_stale or is_nan or (state.quality == "good" and state.value is None):
        raise Unreliable
    word = quality.split()[-1]
    return (state.quality != word) if quality.startswith("not ") else (state.quality == word)


def reliable(state: Held) -> Any:
    if not state.exists or state.is_stale or state.quality != "good" or state.value is None:
        raise Unreliable
    if isinstance(state.value, float) and math.isnan(state.value):
        raise Unreliable
    return state.value


def naive_value(operand: str, held: Mapping[str, Held]) -> Any:
    if operand in held:
        return reliable(held[operand])
    if operand.startswith('"'):
        return operand[1:-1]
    return operand == "true" if operand in ("true", "false") else Fraction(operand)


def naive_compare(left: Any, operator: str, right: Any) -> bool:
    kinds = {kind(left), kind(right)}
    if len(kinds) > 1 or (operator not in ("==", "!=") and kinds != {"number"}):
        raise Unreliable
    same = naive_same(left, right) if kinds == {"number"} else left == right
    below = kinds == {"number"} and not same and left < right
    above = not same and not below
    return {"==": same, "!=": not same, "<": below, "<=": below or same, ">": above, ">=": above or same}[operator]


def kind(value: Any) -> str:
    return "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def naive_same(left: Any, right: Any) -> bool:
    """Equal, or next to each other among the numbers of the coarser type of the two."""
    if left == right:
        return True
    if not isinstance(left, float) and not isinstance(right, float):
        return False
    one, other = float(left), float(right)
    if math.isinf(one) or math.isinf(other):
        return one == other
    if isinstance(left, Float32) or isinstance(right, Float32):
        one, other = float(Float32(one)), float(Float32(other))
        between = float(Float32((one + other) / 2))
        return one == other or between in (one, other)
    return math.nextafter(one, other) == other or one == other


def tell_apart(left: Any, right: Any) -> set[str]:
    """The operators that are true of two values, asked of a condition on two tags."""
    latest = look_up({"T.A": left, "T.B": right})
    operators = ("==", "!=", "<", "<=", ">", ">=")
    return {each for each in operators if Condition.parse(f"T.A {each} T.B").verdict(latest).holds}


@given(numbers, numbers)
@example(Float32(0.1), 0.1)
@example(0.3, 0.1 + 0.2)
@example(9007199254740993, 9007199254740992.0)
def test_of_two_numbers_one_is_less_or_they_are_equal(left: Any, right: Any) -> None:
    if naive_same(left, right):
        assert tell_apart(left, right) == {"==", "<=", ">="}
    else:
        assert tell_apart(left, right) == ({"!=", "<", "<="} if left < right else {"!=", ">", ">="})


@settings(max_examples=500)
@given(trees, st.lists(states, min_size=6, max_size=6))
def test_a_verdict_agrees_with_a_naive_evaluator(tree: Tree, states: list[Held]) -> None:
    held = dict(zip(TAGS, states, strict=True))
    verdict = Condition.parse(text_of(tree)).verdict(lambda tag: held[tag].live)
    try:
        expected, is_reliable = naive(tree, held), True
    except Unreliable:
        expected, is_reliable = False, False
    assert verdict.holds == expected, verdict.text
    assert is_reliable == (not any(each.problem for each in verdict.operands)), verdict.text


@given(trees)
def test_the_text_of_a_condition_is_the_same_condition(tree: Tree) -> None:
    condition = Condition.parse(text_of(tree))
    again = Condition.parse(str(condition))
    assert str(again) == str(condition)
    assert again.tags == condition.tags
    assert again._tree == condition._tree


words = st.sampled_from(
    [
        "P1.PV",
        "`a b`",
        "age",
        "(",
        ")",
        "and",
        "or",
        "not",
        "is",
        "good",
        "==",
        "<",
        "5",
        "5s",
        '"x"',
        "true",
        "Arr[",
        "'",
    ]
)


@given(st.one_of(st.text(), st.lists(words, max_size=12).map(" ".join), st.lists(words, max_size=12).map("".join)))
@example("not" * 500)
@example("(" * 1000)
@example('"' + "\\" * 1001)
@example("1" * 1999)
@example("\ud800")
def test_any_text_is_a_condition_or_one_mistake_on_one_line(text: str) -> None:
    try:
        condition = Condition.parse(text)
    except ConditionError as error:
        mistake = error
    else:
        assert condition.tags
        assert not condition.verdict(lambda tag: None).holds
        return
    assert 1 <= mistake.column <= len(text) + 1
    assert str(mistake).isprintable()
