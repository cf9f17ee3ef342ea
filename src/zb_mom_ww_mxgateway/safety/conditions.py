"""Conditions on live values, such as ``P1.Mode == "Auto" and P1.PV is good and age(P1.PV) < 5s``.

A condition holds only if it is true and every value that it names can be relied on: it is there, not stale, good, not
null and not NaN, and fits what it is compared with. That goes for every part of ``or``, too. Of a tag in
``is good``, ``is uncertain`` and ``is bad`` the quality need not be good, since it is what is asked for.

Numbers, times and texts are equal by the rule of :mod:`zb_mom_ww_mxgateway.comparison`; of two numbers exactly one of
``<``, ``==`` and ``>`` is true.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, TypeAlias

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import readable
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.safety.condition_parser import ConditionError as ConditionError, parse
from zb_mom_ww_mxgateway.safety.condition_tree import (
    AgeOperand,
    Constant,
    DurationConstant,
    Junction,
    Leaf,
    Negation,
    Node,
    Operand,
    OperandComparison,
    QualityTest,
    TagOperand,
    leaves,
    tags_of,
)
from zb_mom_ww_mxgateway.status import first_failed
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.times import exact_time
from zb_mom_ww_mxgateway.value_types import Family, family_of, type_of

Latest: TypeAlias = Callable[[str], LiveValue | None]
"""Returns the latest value of a tag, None where there is none."""
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class ConditionOperand:
    """What a condition was judged by: one tag at that moment."""

    tag: str
    value: Any = None
    quality: str = ""
    """``good``, ``uncertain`` or ``bad``; empty without a value."""
    age: float | None = None
    """Seconds since the source took the value; None where that is unknown."""
    problem: str = ""
    """Why the value cannot be relied on; empty where it can."""


@dataclass(frozen=True, slots=True)
class ConditionVerdict:
    """Whether a condition holds, and by what."""

    holds: bool
    text: str
    """The values where it holds or is false; else what is wrong with them. One line."""
    operands: tuple[ConditionOperand, ...]
    """Every tag that it names, once, in the order of the text."""


class Condition:
    """One condition. Made by :meth:`parse`."""

    def __init__(self, tree: Node, text: str) -> None:
        self._tree = tree
        self._leaves = tuple(leaves(tree))
        self.text = text
        """The condition as it was written."""
        named: dict[str, str] = {}
        for leaf in self._leaves:
            for tag in tags_of(leaf):
                named.setdefault(tag_key(tag), tag)
        self._keys: tuple[str, ...] = tuple(named)
        self.tags: tuple[str, ...] = tuple(named.values())
        """Every tag that it names, once, in the order of the text."""
        sides = (side for leaf in self._leaves for side in _sides(leaf))
        self._aged: frozenset[str] = frozenset(tag_key(side.tag) for side in sides if isinstance(side, AgeOperand))
        self.has_age: bool = bool(self._aged)
        """Whether it asks for the age of a value."""

    def __str__(self) -> str:
        return str(self._tree)

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Return the condition that a text spells; raise ConditionError with the column and what would be right."""
        return cls(parse(text), text.strip())

    def verdict(self, latest: Latest) -> ConditionVerdict:
        """Return whether it holds now. It never raises for a value, and never waits."""
        values = dict(zip(self._keys, map(latest, self.tags), strict=True))
        judged = [_judged(leaf, values) for leaf in self._leaves]
        problems: dict[str, str] = {}
        for _, found in judged:
            problems = found | problems
        operands = tuple(
            _operand(tag, values[key], problems.get(key, "")) for tag, key in zip(self.tags, self._keys, strict=True)
        )
        if problems:
            told = [f"{tag} {problems[key]}" for tag, key in zip(self.tags, self._keys, strict=True) if key in problems]
            return ConditionVerdict(False, readable("; ".join(told)), operands)
        told = [_told(each, with_age=key in self._aged) for each, key in zip(operands, self._keys, strict=True)]
        results = iter([is_true for is_true, _ in judged])
        return ConditionVerdict(_is_true(self._tree, results.__next__), readable(", ".join(told)), operands)


def _is_true(node: Node, next_leaf: Callable[[], bool]) -> bool:
    """Return whether a tree is true; `next_leaf` returns the truth of one leaf after the other."""
    match node:
        case Negation(part):
            return not _is_true(part, next_leaf)
        case Junction(word, parts):
            results = [_is_true(each, next_leaf) for each in parts]
            return all(results) if word == "and" else any(results)
    return next_leaf()


def _judged(leaf: Leaf, values: Mapping[str, LiveValue | None]) -> tuple[bool, dict[str, str]]:
    """Return whether a leaf is true, and what is wrong with the values of its tags, by key."""
    problems = {
        tag_key(each.tag): problem
        for each in _sides(leaf)
        if isinstance(each, TagOperand | AgeOperand) and (problem := _problem(each, values[tag_key(each.tag)], leaf))
    }
    if problems:
        return False, problems
    if isinstance(leaf, QualityTest):
        value = values[tag_key(leaf.tag)]
        return value is not None and (quality_of(value) == leaf.quality) != leaf.negated, {}
    left, right = (_comparable(each, values) for each in (leaf.left, leaf.right))
    if misfit := _misfit(leaf, left, right):
        return False, {tag_key(tags_of(leaf)[0]): misfit}
    return _compare(left, leaf.operator, right), {}


def _sides(leaf: Leaf) -> tuple[Operand, ...]:
    return (TagOperand(leaf.tag),) if isinstance(leaf, QualityTest) else (leaf.left, leaf.right)


def quality_of(value: LiveValue) -> str:
    """Return ``good``, ``uncertain`` or ``bad``: a value with a failed status is bad, whatever its quality says."""
    return "bad" if first_failed(value.statuses) else value.quality_word


def _problem(operand: TagOperand | AgeOperand, value: LiveValue | None, leaf: Leaf) -> str:
    """Return why the value of a tag cannot be relied on in a leaf; empty if it can."""
    if value is None:
        return "has no value"
    if value.stale_since is not None:
        return f"is stale since {_seconds_text(clock.monotonic() - value.stale_since)}"
    if isinstance(value.value, float) and math.isnan(value.value):
        return "is not a number (NaN)"
    if (quality := quality_of(value)) != "good":
        if isinstance(leaf, QualityTest):
            return ""
        failed = first_failed(value.statuses)
        return f"is {quality}" + (f": {failed}" if failed else "")
    if value.value is None:
        return "has no value: it is null"
    if isinstance(operand, AgeOperand):
        if value.ahead:
            return f"has a source time {_seconds_text(value.ahead)} in the future, so its age is unknown"
        if not value.source_time_ns:
            return "has no source time, so its age is unknown"
    elif isinstance(leaf, OperandComparison) and family_of(value.value) is None:
        if isinstance(value.value, list | tuple):
            return "is an array, which does not compare: name an element, such as TAG[1]"
        return "has a value that does not compare: it is neither a number, text, a time, true nor false"
    return ""


def _comparable(operand: Operand, values: Mapping[str, LiveValue | None]) -> Any:
    if isinstance(operand, Constant):
        return operand.value
    if isinstance(operand, DurationConstant):
        return operand.seconds
    value = values[tag_key(operand.tag)]
    assert value is not None, "a missing value is a problem"
    return value.age if isinstance(operand, AgeOperand) else value.value


def _misfit(leaf: OperandComparison, left: Any, right: Any) -> str:
    """Return why two values do not compare, to follow the first tag of the leaf; empty where they do."""
    one, other = _family(left), _family(right)
    if one is other:
        if leaf.operator in ("==", "!=") or one.is_ordered:
            return ""
        return f"is {one.value}, which is neither more nor less: compare with == or !="
    if not isinstance(leaf.left, TagOperand):
        return f"is {other.value}, and {leaf.left} is {one.value}: they do not compare"
    return f"is {one.value}, and {leaf.right} is {other.value}: they do not compare"


def _family(value: Any) -> Family:
    family = Family.NUMBER if isinstance(value, Fraction) else family_of(value)
    assert family is not None, "a value without a family is a problem"
    return family


def _compare(left: Any, operator: str, right: Any) -> bool:
    # The rule of equality goes by the type of its second value: the less precise one, whichever side that is.
    least_precise_last = (right, left) if _precision(left) < _precision(right) else (left, right)
    is_same = same_value(*least_precise_last)
    match operator:
        case "==":
            return is_same
        case "!=":
            return not is_same
        case "<":
            return not is_same and bool(left < right)
        case "<=":
            return is_same or bool(left < right)
        case ">":
            return not is_same and bool(left > right)
    return is_same or bool(left > right)


def _precision(value: Any) -> int:
    return 0 if isinstance(value, Float32) else 1 if isinstance(value, float) else 2


def _operand(tag: str, value: LiveValue | None, problem: str) -> ConditionOperand:
    if value is None:
        return ConditionOperand(tag, problem=problem)
    age = None if value.ahead or not value.source_time_ns else value.age
    return ConditionOperand(tag, value.value, quality_of(value), age, problem)


def _told(operand: ConditionOperand, *, with_age: bool) -> str:
    text = f"{operand.tag} is {_value_text(operand.value)}"
    marks = [operand.quality] if operand.quality != "good" else []
    if with_age and operand.age is not None:
        marks.append(f"{_seconds_text(operand.age)} old")
    return f"{text} ({', '.join(marks)})" if marks else text


def _value_text(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value if len(value) <= _SHOWN else f"{redact(value)[:_SHOWN]}…", ensure_ascii=False)
    if isinstance(value, datetime):
        return exact_time(value)
    if (spec := type_of(value)) is None:
        return str(value)[:_SHOWN]
    return spec.text(value)


def _seconds_text(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
