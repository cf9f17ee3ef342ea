"""The condition of ``expect`` and ``wait``: a comparison, a quality, an age. An unknown value never meets it."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import exact_nanoseconds
from zb_mom_ww_mxgateway_console.render.forms import age_text
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.feeds.sample_series import Bound
from zb_mom_ww_mxgateway_shell.language.comparison import Comparison
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.output.decimals import decimal_text, decimals_of
from zb_mom_ww_mxgateway_shell.output.tag_texts import NOTHING_KNOWN, shown_value
from zb_mom_ww_mxgateway_shell.output.value_text import freshness, quality_text, value_fields

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveValue

QUALITIES = ("good", "uncertain", "bad", "any")
DIFFERS = "it differs"
"""Why a value does not meet a condition, where nothing else is to be said."""
_SHOWN = 10


class TagCondition(NamedTuple):
    """A condition on the value of a tag."""

    target: Target
    comparison: Comparison
    quality: str = "good"
    """One of QUALITIES. ``any`` allows bad values, but never stale ones."""
    age: float | None = None
    """Seconds: the value must be younger by its source time."""
    other: Target | None = None
    """The tag whose value is wanted, where that is not a fixed one. What holds of the value must hold of its, too."""
    facts: TagFacts = NOTHING_KNOWN
    """What is known of the tag."""
    names_quality: bool = False
    """Whether the line names the quality."""

    @property
    def text(self) -> str:
        """The condition for messages."""
        quality = f" quality {self.quality}" if self.names_quality else ""
        age = "" if self.age is None else f" age < {self.age:g}s"
        return f"{self.target.tag} {self.comparison.text}{quality}{age}"

    def miss(self, value: "LiveValue | None", other: "LiveValue | None" = None) -> str:
        """Return why a value, or that of the other tag, does not meet it; empty where they do.

        Raise InputError where they cannot be compared.
        """
        if reason := self._doubt(value):
            return reason
        if self.other is not None and (reason := self._doubt(other)):
            return f"{self.other.tag}: {reason}"
        assert value is not None
        if other is not None and self.other is not None:
            holds = self.comparison.holds_against(value.value, value.data_type, other.value, other.data_type)
        else:
            holds = self.comparison.holds(value.value, value.data_type)
        if holds:
            return ""
        if isinstance(value.value, str) and (self.comparison.asks_for_null or self.comparison.asks_for_nan):
            return f'it is text, compared in quotes: "{self.comparison.wanted.text}"'
        return DIFFERS

    def _doubt(self, value: "LiveValue | None") -> str:
        """Return why a value meets no condition like this one; empty where it may."""
        if value is None:
            return "there is no value yet"
        if value.stale_since is not None:
            return "the value is stale"
        if self.quality not in ("any", value.quality_word):
            return f"the quality is {value.quality_word}"
        if value.value is None and not self.comparison.asks_for_null:
            return "there is no value: null"
        if has_nan(value.value) and not self.comparison.asks_for_nan:
            return "it is not a number"
        if self.age is not None and value.ahead:
            return f"its source time is {age_text(value.ahead)} in the future, so its age is unknown"
        if self.age is not None and value.age >= self.age:
            return f"it is {age_text(value.age)} old"
        return ""

    def bounds(self, value: "LiveValue | None") -> list[Bound]:
        """Return its limits for such a value, for a drawing; none where it is no number."""
        if value is None:
            return []
        return [Bound(*each) for each in self.comparison.bounds(value.value, value.data_type)]

    def not_met(
        self, value: "LiveValue | None", reason: str, *, other: "LiveValue | None" = None, **fields: Any
    ) -> NotMet:
        """Return the error for a condition that is not met by a value, or by it and that of the other tag."""
        because = "" if reason == DIFFERS else f": {reason}"
        wanted = "" if self.other is None else f", and {self.other.tag} is {described(other)}"
        text = f"expected {self.text}, is {described(value, self.facts)}{wanted}{because}"
        details = [] if value is None or not value.source_time_ns else [f"source time {_source_time(value)}"]
        given = {} if self.other is None else {"wanted": form_of(other)}
        return NotMet(
            text,
            self.target.place,
            {"expected": self.text, "actual": form_of(value), "reason": reason, **given, **fields},
            details,
        )


def described(value: "LiveValue | None", facts: TagFacts = NOTHING_KNOWN) -> str:
    """Return a value with its unit, quality and age, safe for a terminal."""
    if value is None:
        return "without a value"
    age = freshness(value)
    old = "" if value.stale_since is not None or value.ahead else " old"
    return f"{shown_value(value.value, facts)} ({quality_text(value)}, {age}{old})"


def form_of(value: "LiveValue | None") -> dict[str, Any] | None:
    """Return a value with quality, times and doubt for JSON; None without a value."""
    return None if value is None else value_fields(value)


def seen_text(seen: "Sequence[LiveValue]", started: float) -> str:
    """Return the last values of a wait, each with the seconds from the start of the wait to its arrival."""
    if not seen:
        return "no value came"
    shown = []
    decimals = max(decimals_of(value.value) for value in seen[-_SHOWN:])
    for value in seen[-_SHOWN:]:
        at = max(0.0, value.received_at - started)
        marks = [] if value.quality_word == "good" else [quality_text(value)]
        marks += ["held at the start"] if value.received_at < started else [f"{at:.1f} s"]
        marks += [] if value.stale_since is None else ["stale"]
        shown.append(f"{decimal_text(value.value, decimals)} ({', '.join(marks)})")
    return _listed(shown, len(seen))


def lately_text(values: "Sequence[LiveValue]", seconds: float) -> str:
    """Return the values of the last `seconds`, oldest first, each with how long ago it arrived.

    The first may be the value at their start. Empty where they add nothing to the value now.
    """
    now = clock.monotonic()
    if len(values) == 1 and now - values[0].received_at < seconds:
        return ""
    shown = []
    decimals = max((decimals_of(value.value) for value in values[-_SHOWN:]), default=0)
    for value in values[-_SHOWN:]:
        marks = [] if value.quality_word == "good" else [quality_text(value)]
        passed = now - value.received_at
        marks += [f"{passed:.1f} s ago"] if passed < seconds else []
        note = f" ({', '.join(marks)})" if marks else ""
        shown.append(f"{decimal_text(value.value, decimals)}{note}")
    return _listed(shown, len(values))


def _listed(shown: Sequence[str], of: int) -> str:
    more = of - len(shown)
    return f"{f'{more} more, ' if more else ''}{', '.join(shown)}"


def has_nan(value: Any) -> bool:
    """Return whether a value is NaN, or an array with an element that is."""
    if isinstance(value, list | tuple):
        return any(map(has_nan, value))
    return isinstance(value, float) and math.isnan(value)


def _source_time(value: "LiveValue") -> str:
    return exact_nanoseconds(value.source_time_ns)
