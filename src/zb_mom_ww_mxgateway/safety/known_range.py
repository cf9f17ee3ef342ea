"""The range of a tag as the galaxy tells it, and what is said of a value beyond it."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.models.write_guard import PendingEntry

TagRange: TypeAlias = tuple[float | None, float | None]
"""The lower and the upper end; None for an unknown one."""
ENDS: Final = (("RangeLo", "RangeHi"), ("EngUnitsMin", "EngUnitsMax"))
"""Names of the attributes of a tag that hold the ends of its range; the first that exist count."""
ALARMS: Final = ("HiHi", "Hi", "Lo", "LoLo")
"""Names of the alarms of a tag whose limit is known, the highest first."""
_MOST_NAMED = 3
"""Most values of one call that are named."""
_ROUNDING = 1e-6
"""Part of an end by which a value may pass it: what a 32-bit real makes of it."""


def range_tags(tag: str) -> list[str]:
    """Return the tags that may hold the ends of the range of a tag."""
    return [f"{tag}.{name}" for ends in ENDS for name in ends]


def alarm_limit_tags(tag: str) -> list[str]:
    """Return the tags that may hold the limits of the alarms of a tag."""
    return [f"{tag}.{alarm}.Limit" for alarm in ALARMS]


def known_number(value: Any, quality_word: str) -> float | None:
    """Return the number that a tag holds; None for what is none, not finite, or of bad quality."""
    if isinstance(value, bool) or not isinstance(value, int | float) or quality_word == "bad":
        return None
    return value if math.isfinite(value) else None


def range_of(tag: str, numbers: Mapping[str, float]) -> TagRange:
    """Return the ends of the range of a tag from the values of its attributes, None for an unknown one.

    Ends that are the wrong way round, or equal, are no range.
    """
    for low_name, high_name in ENDS:
        low, high = numbers.get(f"{tag}.{low_name}"), numbers.get(f"{tag}.{high_name}")
        if low is None and high is None:
            continue
        return (None, None) if low is not None and high is not None and low >= high else (low, high)
    return None, None


def alarm_limits_of(tag: str, numbers: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return the limits of the alarms of a tag by name, the highest first."""
    found = ((alarm, numbers.get(f"{tag}.{alarm}.Limit")) for alarm in ALARMS)
    return tuple((alarm, limit) for alarm, limit in found if limit is not None)


def range_text(facts: TagFacts) -> str:
    """Return the range of a tag in words, with its units; empty where it is unknown."""
    units = f" {facts.units}" if facts.units else ""
    if facts.low is None:
        return "" if facts.high is None else f"up to {facts.high}{units}"
    return f"from {facts.low}{units}" if facts.high is None else f"{facts.low} to {facts.high}{units}"


def beyond_range(value: Any, facts: TagFacts) -> str:
    """Return that a value, or an element of it, is outside the range of its tag; empty where none is known to be."""
    if facts.low is None and facts.high is None:
        return ""
    from zb_mom_ww_mxgateway.safety.limit_values import (  # Lazy: most tags have no range.
        NotJudgedError,
        parts_of,
        shown,
    )

    try:
        parts = parts_of(value)
    except NotJudgedError:
        return ""
    for part in parts:
        if place := _place(part.value, facts):
            return f"{part.name}{shown(part.value)} is {place} the tag's range, {range_text(facts)}"
    return ""


def beyond_ranges(entries: "Sequence[PendingEntry]", facts: Mapping[str, TagFacts]) -> list[str]:
    """Return a line for each entry with a value outside the known range of its tag, and for more than three how many
    more those are."""
    found = [
        f"{each.tag}: {text}"
        for each in entries
        if each.tag in facts and (text := beyond_range(each.value, facts[each.tag]))
    ]
    more = len(found) - _MOST_NAMED
    return [*found[:_MOST_NAMED], f"{more} more values are outside the ranges of their tags"] if more > 1 else found


def _place(value: Any, facts: TagFacts) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    low, high = facts.low, facts.high
    if isinstance(value, float) and math.isnan(value):
        return "outside"
    # The value is compared, and never subtracted: a whole number may be too large for a real.
    is_below = low is not None and value < low - abs(low) * _ROUNDING
    is_above = high is not None and value > high + abs(high) * _ROUNDING
    if not is_below and not is_above:
        return ""
    is_far = low is not None and high is not None and (value < low - (high - low) or value > high + (high - low))
    return "FAR OUTSIDE" if is_far else "outside"
