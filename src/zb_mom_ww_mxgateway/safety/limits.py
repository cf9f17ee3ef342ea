"""Limits of writes: for each tag or glob whether it may be written, which values, and by how much at a time.

They are read from a file (:mod:`zb_mom_ww_mxgateway.safety.limits_file`). Of the rules that name a tag only the closest
one applies; an element ``TAG[3]`` has the rule of ``TAG``.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS, readable
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.safety.conditions import Condition, quality_of
from zb_mom_ww_mxgateway.safety.globs import TagGlob
from zb_mom_ww_mxgateway.safety.limit_values import (
    Held,
    NotJudgedError,
    WrittenPart,
    held,
    number_of,
    parts_of,
    same_plainly,
    shown,
)
from zb_mom_ww_mxgateway.safety.limits_examples import Example
from zb_mom_ww_mxgateway.safety.selection import Level, RuleVerdict
from zb_mom_ww_mxgateway.safety.write_rules import array_of
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.value_types import DataType

Number: TypeAlias = int | float
Last: TypeAlias = tuple[Any, float]
"""The value that was sent last, and the seconds since."""
_MOST_FOUND: Final = 1_000
"""Tags whose rules are remembered."""
_MOST_WITH_DIGITS: Final = 10**15
"""From here on a difference is shown without digits after the point."""
_SHOWS_WITHIN: Final = 1.0
"""Seconds after a write within which a value that arrives, or is read, may still be from before it."""
_PLAIN: Final = re.compile(r"[^\s.()]+(\.[^\s.()]+)*")
"""The name of a tag that has one spelling: no blanks, no empty part, no ``property(…)``. Nor has it
characters that cannot be seen: a name may end for MXAccess at a NUL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the limits say of the tags that one name or glob names. A part that is None sets no limit."""

    glob: TagGlob
    source: str
    """Place of the rule: ``limits.toml:12``."""
    writable: bool
    minimum: Number | None = None
    maximum: Number | None = None
    step: Number | None = None
    """Largest change in one write, in the unit of the tag: from the present value, and from the last one that was sent
    while that may not show yet."""
    rate: Number | None = None
    """Largest change per second since the last write to the tag from this connection."""
    writes_per_minute: int | None = None
    allowed: tuple[Any, ...] | None = None
    """All values that may be written."""
    tolerance: float | None = None
    """How far the value that is read back may be from the written one."""
    dead_band: float | None = None
    """How far the old value may move while a person decides."""
    confirm: Level = "none"
    guards: tuple[Condition, ...] = ()
    needs_reason: bool = False
    note: str = ""
    """Why; shown with a refusal."""
    file_news: str = ""
    """What happened to the file since the connection began; empty for nothing."""
    depends_on_time: bool = field(init=False, repr=False, compare=False)
    """Whether it may judge the same write by the same values in another way later."""

    def __post_init__(self) -> None:
        # A step goes from the last value that was sent, too, for a while.
        timed = (self.step, self.rate, self.writes_per_minute)
        depends = any(limit is not None for limit in timed) or any(each.has_age for each in self.guards)
        object.__setattr__(self, "depends_on_time", depends)

    def parts(self) -> list[tuple[str, str]]:
        """Return each part that is set, named as in the file, for a person."""
        named: list[tuple[str, Any]] = [
            ("writable", self.writable),
            ("min", self.minimum),
            ("max", self.maximum),
            ("step", self.step),
            ("rate", self.rate),
            ("writes_per_minute", self.writes_per_minute),
            ("allowed", None if self.allowed is None else ", ".join(map(shown, self.allowed))),
            ("tolerance", self.tolerance),
            ("dead_band", self.dead_band),
            ("confirm", None if self.confirm == "none" else self.confirm),
            *(("guard", each.text) for each in self.guards),
            ("needs_reason", self.needs_reason or None),
            ("note", self.note or None),
        ]
        return [(name, value if isinstance(value, str) else shown(value)) for name, value in named if value is not None]

    def check(
        self, value: Any, old: LiveValue | None, *, last: Last | None = None, writes: int = 0
    ) -> list[RuleVerdict]:
        """Judge a value that is to be written by all parts but the guards.

        `last` is what this connection sent last to the tag, with the seconds since; `writes` is how many values it sent
        within the last minute. What cannot be judged is not met.
        """
        return [
            RuleVerdict(name, not problem, self._text(name, problem or fine))
            for name, problem, fine in self._judged(value, old, last, writes)
        ]

    def _text(self, name: str, text: str) -> str:
        return readable(f"{name}: {text}")

    def _judged(
        self, value: Any, old: LiveValue | None, last: Last | None, writes: int
    ) -> Iterator[tuple[str, str, str]]:
        """Yield the name of each part with what is wrong and, where nothing is, what is right."""
        where = f" ({self.source}{f': {self.note}' if self.note else ''})"
        if self.file_news:
            yield "file", "", self.file_news
        yield "writable", "" if self.writable else f"no value may be written{where}", "yes"
        judge = _Judge(value, old, last)
        tests: tuple[tuple[str, Any, Callable[[Any], tuple[str, str]]], ...] = (
            ("allowed", self.allowed, judge.allowed),
            ("min", self.minimum, judge.minimum),
            ("max", self.maximum, judge.maximum),
            ("step", self.step, judge.step),
            ("rate", self.rate, judge.rate),
        )
        for name, limit, test in tests:
            if limit is not None:
                problem, fine = test(limit)
                yield name, f"{problem}{where}" if problem else "", fine
        if (most := self.writes_per_minute) is not None:
            sent = f"{writes} within the last minute, of {most}"
            yield "writes_per_minute", f"{sent}{where}" if writes >= most else "", sent


class _Judge:
    """One value against single limits. Each method returns what is wrong, or empty and what is right."""

    def __init__(self, value: Any, old: LiveValue | None, last: Last | None) -> None:
        self._old = old
        self._last = last
        self._data_type: DataType | int = old.data_type if old else DataType.UNSPECIFIED
        self._parts: Sequence[WrittenPart] = ()
        # By the id() of a part: each limit asks for the same numbers.
        self._held: dict[int, Sequence[Held]] = {}
        self._problem = ""
        try:
            self._parts = parts_of(value)
        except NotJudgedError as error:
            self._problem = str(error)

    def minimum(self, limit: Number) -> tuple[str, str]:
        exact, text = number_of(limit), shown(limit)
        return self._each_held(lambda number: number < exact, f"below {text}", f"at least {text}")

    def maximum(self, limit: Number) -> tuple[str, str]:
        exact, text = number_of(limit), shown(limit)
        return self._each_held(lambda number: number > exact, f"above {text}", f"at most {text}")

    def allowed(self, values: Sequence[Any]) -> tuple[str, str]:
        listed = ", ".join(map(shown, values))

        def test(part: WrittenPart) -> str:
            if any(same_plainly(each, part.value, self._data_type) for each in values):
                return ""
            return f"{shown(part.value)} is none of {listed}"

        return self._each(test, f"one of {listed}")

    def step(self, limit: Number) -> tuple[str, str]:
        exact, text = number_of(limit), shown(limit)
        wrong, right = f"more than {text}", f"at most {text} from before"
        return self._each_change(exact, wrong, right, last=self._not_shown_yet())

    def _not_shown_yet(self) -> Any:
        """Return what was sent last if the present value may be from before that, whoever reads it; else None."""
        if self._last is None or self._old is None:
            return None
        value, seconds = self._last
        shows_by = clock.monotonic() - seconds + _SHOWS_WITHIN
        return value if seconds < COMMAND_SECONDS and self._old.received_at < shows_by else None

    def rate(self, limit: Number) -> tuple[str, str]:
        if self._last is None:
            return "", "the first write to it on this connection"
        value, seconds = self._last
        exact = Fraction(max(0.0, seconds)) * number_of(limit)
        within = f"{shown(limit)} per second, {seconds:.1f} s after the last write"
        return self._each_change(exact, f"more than {within}", f"at most {within}", last=value)

    def _each_held(self, is_past: Callable[[Fraction], bool], wrong: str, right: str) -> tuple[str, str]:
        def test(part: WrittenPart) -> str:
            written, *rounded = self._held_of(part)
            if is_past(written.number):
                return f"{written.text} is {wrong}"
            past = next((each for each in rounded if is_past(each.number)), None)
            return f"{written.text} may become {past.text} in the tag, {wrong}" if past else ""

        return self._each(test, right)

    def _each_change(self, most: Fraction, wrong: str, right: str, last: Any = None) -> tuple[str, str]:
        """Judge the change from the present value and, if given and comparable, from the last one that was sent."""
        if doubt := _doubt(self._old):
            return f"the change is unknown: {doubt}", ""
        assert self._old is not None
        present = self._old.value
        if not self._parts and present != []:
            return self._problem or "the change is unknown: the present value is not an empty array", ""

        def test(part: WrittenPart) -> str:
            numbers = self._held_of(part)
            try:
                bases = [(each, "") for each in part.before(present)]
            except NotJudgedError as error:
                raise NotJudgedError(f"the change is unknown: the present value does not compare: {error}") from None
            if last is not None:
                bases += [(each, ", which was sent last") for each in _comparable(part, last)]
            for before, which in bases:
                base = number_of(before)
                far = next((each for each in numbers if abs(each.number - base) > most), None)
                if far:
                    return f"{far.text} is {_distance(abs(far.number - base))} from {shown(before)}{which}, {wrong}"
            return ""

        return self._each(test, right)

    def _held_of(self, part: WrittenPart) -> Sequence[Held]:
        """Return the numbers that the tag may hold of a part; raise NotJudgedError for what is no number."""
        numbers = self._held.get(id(part))
        if numbers is None:
            old = self._old.value if self._old else None
            numbers = self._held[id(part)] = held(part.value, self._data_type, _element(old))
        return numbers

    def _each(self, test: Callable[[WrittenPart], str], right: str) -> tuple[str, str]:
        if self._problem:
            return self._problem, ""
        for part in self._parts:
            try:
                problem = test(part)
            except NotJudgedError as error:
                problem = str(error)
            if problem:
                return f"{part.name}{problem}", ""
        whole = len(self._parts) == 1 and self._parts[0].total is None
        return "", f"{shown(self._parts[0].value) if whole else 'each element'} is {right}"


def _element(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and value else value


def _comparable(part: WrittenPart, last: Any) -> Iterator[Any]:
    """Yield what was sent last to the places of a part, as far as that is known and a number."""
    try:
        for sent in parts_of(last):
            if sent.total == part.total and sent.index == part.index:
                number_of(sent.value)
                yield sent.value
    except NotJudgedError:
        return


def _doubt(old: LiveValue | None) -> str:
    """Return why the present value cannot be relied on; empty where it can."""
    if old is None:
        return "the present value is unknown"
    if old.stale_since is not None:
        return "the present value is stale"
    if (quality := quality_of(old)) != "good":
        return f"the present value is {quality}"
    return ""


def _distance(number: Fraction) -> str:
    if number.denominator == 1:
        return shown(number.numerator)
    return f"{float(number):.10g}" if number < _MOST_WITH_DIGITS else shown(round(number))


@dataclass(frozen=True, slots=True)
class Limits:
    """The rules of one file."""

    name: str
    """The file, as messages name it."""
    unlisted: Literal["allow", "refuse"]
    """What holds for tags that no rule names."""
    rules: tuple[Rule, ...] = ()
    examples: tuple[Example, ...] = ()
    problem: str = ""
    """Why no write may be made at all; empty where the file was read."""
    _exact: dict[str, Rule] = field(init=False, repr=False, compare=False)
    _globs: tuple[Rule, ...] = field(init=False, repr=False, compare=False)
    _found: dict[str, Rule | None] = field(init=False, repr=False, compare=False, default_factory=dict)
    """By tag: the rule that was found for it, as each write asks for it several times."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_exact", {each.glob.key: each for each in self.rules if each.glob.is_exact})
        globs = sorted((each for each in self.rules if not each.glob.is_exact), key=lambda rule: rule.glob.rank)
        object.__setattr__(self, "_globs", tuple(globs))

    @classmethod
    def unreadable(cls, name: str, problem: str) -> "Limits":
        """Return limits that forbid every write."""
        return cls(name, "refuse", problem=problem)

    @property
    def text(self) -> str:
        """The file with its number of rules, or why it cannot be read, for a person."""
        if self.problem:
            return f"unreadable, so nothing may be written: {self.problem}"
        count = len(self.rules)
        held = "may be written freely" if self.unlisted == "allow" else "are not written"
        return f"{self.name}, {count} rule{'s' * (count != 1)}; tags that no rule names {held}"

    def refusal(self) -> str:
        """Return why every write is refused; empty where the limits could be read."""
        return f"the limits cannot be read, so nothing may be written: {self.problem}" if self.problem else ""

    def rule_for(self, tag: str) -> Rule | None:
        """Return the rule that applies to a tag: its own, else that of the closest glob; None where none names it, and
        for another name of a tag that has a rule."""
        if tag not in self._found:
            if len(self._found) >= _MOST_FOUND:
                self._found.clear()
            found = self._closest(tag)
            self._found[tag] = None if self._another_name(tag, found) else found
        return self._found[tag]

    def rules_naming(self, tag: str) -> list[Rule]:
        """Return every rule that names a tag, the closest first."""
        name = array_of(tag)
        exact = self._exact.get(name)
        return [*([exact] if exact else []), *(each for each in self._globs if each.glob.matches(name))]

    def unlisted_refusal(self, tag: str) -> str:
        """Return why a tag to which no rule applies is not written; empty where it may be."""
        if not tag:
            return f"the tag of the item is unknown to this client, so no limit of {self.name} can be judged"
        found = self._closest(tag)
        if self.unlisted == "refuse" and found is None:
            return f'{tag} is named by no rule of {self.name}, which has unlisted = "refuse"'
        return self._another_name(tag, found)

    def _closest(self, tag: str) -> Rule | None:
        name = array_of(tag)
        if (exact := self._exact.get(name)) is not None:
            return exact
        return next((each for each in self._globs if each.glob.matches(name)), None)

    def _another_name(self, tag: str, found: Rule | None) -> str:
        """Return why a tag may be one that has another rule; empty for a plain name, and where a rule names exactly it.

        MXAccess may take several names of one attribute: with blanks, as ``TAG.Value``, as ``TAG.#VString``.
        """
        if found is not None and found.glob.is_exact:
            return ""
        name = array_of(tag)
        if not (name.isprintable() and _PLAIN.fullmatch(name)):
            return f"{tag!r} may be another name of a tag with a rule of its own: write it by its plain name"
        attribute, _, last = name.rpartition(".")
        if attribute and (last == "value" or last.startswith("#")):
            rule = self._closest(attribute)
            if rule is not None and rule is not found:
                return f"{tag} may be another name of a tag with a rule, {rule.glob} ({rule.source}): write that one"
        return ""
