"""Conditions and times for a script, from how the values of tags went: with room for the next time, plainly rounded."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway_console.render.text_values import duration_text
from zb_mom_ww_mxgateway_shell.language.target_types import tag_text
from zb_mom_ww_mxgateway_shell.language.variables import is_plain, literal_text, quoted
from zb_mom_ww_mxgateway_shell.samples.course import Course, HeldValue, Spread, Stretch
from zb_mom_ww_mxgateway_shell.samples.sample_stream import number_of

_ROOM = 2.0
"""What was seen, times this, is what a script allows: times and spreads."""
_TOLERANCE = 0.01
"""Relative tolerance of a measured value, at least."""
_LEAST_TOLERANCE = 0.001
_TIMEOUTS = (5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600)
_BEFORE_SECONDS = 30.0
"""How long before a write a value is looked at to see whether it changes by itself."""
_CALM_SECONDS = 2.0
"""A number that was seen for so long without a change before a write, and rises or falls after it, does so for it."""
_SWINGS = 4
"""A number that turned so often stays in its range; one that turned less may go anywhere."""
_MOST_VALUES = 5
"""A value that changes more often after a write does not go to a new one; it changes by itself."""
_LATE_PART = 0.1
"""A number that still rises or falls has to come nearly as far: all but this part of its way."""


class SeenWait(NamedTuple):
    """A value to wait for."""

    tag: str
    condition: str
    """Tag, comparison and quality, as a line has them."""
    arrived: float
    """Monotonic seconds: when it was met."""
    seconds: float
    """From the write to that moment."""

    @property
    def timeout(self) -> str:
        """How long it may take the next time."""
        return timeout_text(self.seconds)

    @property
    def line(self) -> str:
        return f"wait {self.condition} timeout {self.timeout}"


@dataclass(frozen=True, slots=True)
class SeenTag:
    """One tag, and how its value went."""

    tag: str
    course: Course
    first_write: float
    """When the first write of the recording was sent, whatever it wrote; monotonic seconds."""

    def _moves_before(self, moment: float) -> bool:
        """Return whether it changed by itself, or of something earlier, right before a moment."""
        return self.course.moves(moment - _BEFORE_SECONDS, moment)

    def wait(self, sent: float, end: float, written: Any = None) -> SeenWait | None:
        """Return what it came to after a write that was sent at a moment, where it may be what was `written` to it;
        None where it came to nothing, or that is unknown."""
        seen = self.course.within(sent, end)
        if seen is None or not seen.changes or not self.course.is_whole(sent, end) or not _is_usable(seen.last):
            return None
        if isinstance(seen.last.value, float):
            return self._number(seen, sent, is_there=written is not None and same_value(written, seen.last.value))
        if self._moves_before(sent) or len(seen.changes) > _MOST_VALUES:
            return None
        return SeenWait(self.tag, self._same(seen.last), seen.arrived, seen.arrived - sent)

    def _number(self, seen: Stretch, sent: float, *, is_there: bool) -> SeenWait | None:
        tail, begun = seen.spread(seen.last.at) if is_there else seen.tail(sent), number_of(seen.first.value)
        if tail is None or begun is None:
            return None
        width = tail.width
        if is_there:
            pass
        elif self._moves_before(sent):
            before = self._before(sent)
            if before is None or _distance(tail, before) <= before.width:
                return None
            width = max(width, before.width)
        elif not seen.has_settled(sent):
            is_calm = self.course.held[0].at <= sent - _CALM_SECONDS
            return self._on_its_way(seen, begun, sent) if is_calm else None
        way = abs(tail.middle - begun)
        tolerance = tolerance_for(tail.middle, width)
        if tolerance * _ROOM > way:
            # What was there before must not meet it.
            tolerance = plainly(way / 4 / 2)
            if tolerance < width / 2 or not way:
                return None
        reached = seen.settled_at(Spread(tail.middle - tolerance, tail.middle + tolerance))
        condition = f"{tag_text(self.tag)} = {_near(tail.middle, tolerance)}{_quality(seen.last)}"
        return SeenWait(self.tag, condition, reached, reached - sent)

    def _on_its_way(self, seen: Stretch, begun: float, sent: float) -> SeenWait | None:
        """Return the wait for a number that still rises or falls at the end."""
        last = number_of(seen.last.value)
        if last is None or seen.reversals > 1 or last == begun:
            return None
        sign = ">=" if last > begun else "<="
        nearly = _rounded(last - (last - begun) * _LATE_PART, abs(last - begun) * _LATE_PART)
        condition = f"{tag_text(self.tag)} {sign} {nearly}{_quality(seen.last)}"
        return SeenWait(self.tag, condition, seen.last.at, seen.last.at - sent)

    def expectation(self, start: float, end: float) -> str:
        """Return the line that expects what it was from `start` to `end`; empty where that is unknown."""
        seen = self.course.within(start, end)
        if seen is None or not self.course.is_whole(start, end) or not _is_plain(seen.last):
            return ""
        by_itself = self._moves_before(self.first_write) or len(seen.changes) > _MOST_VALUES
        is_number = isinstance(seen.last.value, float)
        if not by_itself and (not is_number or not seen.changes or seen.has_settled(start)):
            return f"expect {self._same(seen.last)}"
        spread = seen.spread() if isinstance(number_of(seen.last.value), float) else None
        if spread is not None and seen.reversals >= _SWINGS:
            near = _near(spread.middle, tolerance_for(spread.middle, spread.width))
            return f"expect {tag_text(self.tag)} = {near}{_quality(seen.last)}"
        remark = f"  # {literal_text(seen.last.value)} when recorded, and moving"
        return f"expect {tag_text(self.tag)} != null{_quality(seen.last)}{remark}"

    def start(self, moment: float, seconds: float) -> str:
        """Return the line that waits until it is again as it was at a moment, which took so many seconds; empty where
        it was moving then, or that is unknown."""
        held = self.course.at(moment) or (self.course.held[0] if self.course.held else None)
        if held is None or not _is_usable(held) or self._moves_before(self.first_write):
            return ""
        return f"wait {self._same(held)} now timeout {timeout_text(seconds)}"

    def _before(self, moment: float) -> Spread | None:
        """Return the range in which a number swung before a moment; None where it went somewhere."""
        found = self.course.within(moment - _BEFORE_SECONDS, moment)
        return None if found is None or found.reversals < _SWINGS else found.spread()

    def _same(self, held: HeldValue) -> str:
        return f"{tag_text(self.tag)} = {value_text(held.value)}{_quality(held)}"


def value_text(value: Any) -> str:
    """Return a value that was seen as an expectation has it: measured ones with a tolerance."""
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    numbers = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, float)]
    room = max((abs(number) for number in numbers if math.isfinite(number)), default=0.0) * _TOLERANCE
    # A text in quotes: a bare one such as Recipe.A would be read as a tag.
    text = quoted(value) if isinstance(value, str) else literal_text(value)
    return f"{text} tol {max(room, _LEAST_TOLERANCE):.2g}" if numbers else text


def tolerance_for(number: float, width: float) -> float:
    """Return how far a number may be from what was seen of it, where it moved by so much."""
    return plainly(max(width, abs(number) * _TOLERANCE, _LEAST_TOLERANCE) * (_ROOM if width else 1.0))


def plainly(number: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, … (and 0.1, 0.2, …) that is not less."""
    if not number:
        return 0.0
    power = 10.0 ** math.floor(math.log10(number))
    return next((step * power for step in (1, 2, 5) if step * power >= number * (1 - 1e-9)), 10 * power)


def timeout_text(seconds: float) -> str:
    """Return the time-out for what took so long: twice that, and then the next plain one."""
    wanted = seconds * _ROOM
    return duration_text(next((each for each in _TIMEOUTS if each >= wanted), math.ceil(wanted / 3600) * 3600))


def _distance(one: Spread, other: Spread) -> float:
    """Return how far two ranges are apart; below 0 where they have something in common."""
    return max(one.low - other.high, other.low - one.high)


def _near(number: float, tolerance: float) -> str:
    return f"{_rounded(number, tolerance)} tol {tolerance:g}"


def _rounded(number: float, tolerance: float) -> str:
    """Return a number with no more digits than the tolerance makes sense of."""
    digits = 1 - math.floor(math.log10(tolerance)) if tolerance else 15
    return literal_text(float(round(number, max(0, digits))))


def _quality(held: HeldValue) -> str:
    return "" if held.quality == "good" else f" quality {held.quality}"


def _is_plain(held: HeldValue) -> bool:
    return is_plain(held.value) and held.quality in ("good", "uncertain", "bad")


def _is_usable(held: HeldValue) -> bool:
    """Return whether a script can wait for a value."""
    is_number = not isinstance(held.value, float) or math.isfinite(held.value)
    return held.value is not None and is_number and _is_plain(held)
