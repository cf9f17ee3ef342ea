"""The course of one tag's value, and how it went in a stretch of time: stable, to a new value, or on its own."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway_shell.samples.history import ItemHistory
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark, number_of

_MOVES, _MOVES_OF_A_NUMBER, _MOVES_SECONDS = 3, 1, 5.0
"""A value, or a number with decimals, that changes so often within so many seconds without a write changes by
itself."""
_TAIL = 1 / 3
"""The last part of a stretch, in which a value is looked at to see whether it has settled."""
_SETTLED = 0.1
"""A value has settled where it moves by less than this part of the whole way."""


class HeldValue(NamedTuple):
    """A value that a tag had from a moment on."""

    at: float
    """Monotonic seconds of its arrival."""
    value: Any
    quality: str


class Spread(NamedTuple):
    """The lowest and the highest of some numbers."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2

    def joined(self, other: "Spread") -> "Spread":
        """Return the spread of both."""
        return Spread(min(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True, slots=True)
class Course:
    """The values of one tag, oldest first; each holds until the next one."""

    held: Sequence[HeldValue]
    losses: Sequence[tuple[float, float]] = ()
    """Stretches about which nothing, or nothing certain, is known."""

    @classmethod
    def of(cls, history: ItemHistory) -> Self:
        """Return the course that a history tells."""
        held: list[HeldValue] = []
        losses: list[tuple[float, float]] = []
        stale_since: float | None = None
        for at, entry in history.entries():
            if not isinstance(entry, SampleMark):
                held.append(HeldValue(at, entry.value, quality_word(entry.quality)))
            elif entry.kind in ("gap", "dropped"):
                losses.append((at if entry.since is None else entry.since, at))
            elif entry.kind == "live":
                losses += [] if stale_since is None else [(stale_since, at)]
                stale_since = None
            elif stale_since is None:
                stale_since = at
        if stale_since is not None:
            losses.append((stale_since, float("inf")))
        return cls(held, losses)

    def at(self, moment: float) -> HeldValue | None:
        """Return the value that was held at a moment; None before the first one."""
        return next((each for each in reversed(self.held) if each.at <= moment), None)

    def is_whole(self, start: float, end: float) -> bool:
        """Return whether nothing is missing or in doubt within a stretch."""
        return not any(since <= end and until >= start for since, until in self.losses)

    def within(self, start: float, end: float) -> "Stretch | None":
        """Return how it went from `start` to `end`; None where no value is known of that time.

        A tag that was first seen within the stretch begins with its first value.
        """
        before = self.at(start)
        came = [each for each in self.held if start < each.at <= end]
        if before is None:
            if not came:
                return None
            before, *came = came
        return Stretch(before, came, end)

    def moves(self, start: float, end: float) -> bool:
        """Return whether it changed so often in a stretch that its next value is unpredictable."""
        found = self.within(start, end)
        if found is None:
            return False
        often = _MOVES_OF_A_NUMBER if isinstance(found.last.value, float) else _MOVES
        return any(
            later.at - earlier.at <= _MOVES_SECONDS
            for earlier, later in zip(found.changes, found.changes[often - 1 :], strict=False)
        )


@dataclass(frozen=True, slots=True)
class Stretch:
    """How the value of one tag went in a stretch of time."""

    first: HeldValue
    """The value held at its start."""
    came: Sequence[HeldValue]
    end: float

    @property
    def last(self) -> HeldValue:
        """The value held at its end."""
        return self.came[-1] if self.came else self.first

    @property
    def changes(self) -> Sequence[HeldValue]:
        """The values that differ from the one before them."""
        values = [self.first, *self.came]
        return [
            later
            for earlier, later in itertools.pairwise(values)
            if (earlier.value, earlier.quality) != (later.value, later.quality)
        ]

    @property
    def arrived(self) -> float:
        """When the last value came that is held since; the time of the first one where nothing changed."""
        return self.changes[-1].at if self.changes else self.first.at

    def spread(self, since: float = float("-inf")) -> Spread | None:
        """Return the spread of its values from a moment on; None where one of them is no finite number."""
        values = [self.first, *self.came]
        kept = [
            each
            for each, until in zip(values, [*(one.at for one in values[1:]), float("inf")], strict=True)
            if until > since
        ]
        numbers = [number_of(each.value) for each in kept]
        found = [number for number in numbers if number is not None]
        return Spread(min(found), max(found)) if len(found) == len(numbers) else None

    def tail(self, since: float) -> Spread | None:
        """Return the spread of the last part of the time from `since` to its end."""
        return self.spread(self.end - (self.end - since) * _TAIL)

    def has_settled(self, since: float) -> bool:
        """Return whether the last part of the time from `since` on moves little, compared with the whole way."""
        whole, tail = self.spread(), self.tail(since)
        return whole is not None and tail is not None and tail.width <= whole.width * _SETTLED

    def settled_at(self, spread: Spread) -> float:
        """Return when the value came from which on all are within this spread."""
        found = self.end
        for each in reversed([self.first, *self.came]):
            number = number_of(each.value)
            if number is None or not spread.low <= number <= spread.high:
                break
            found = each.at
        return found

    @property
    def reversals(self) -> int:
        """How often a number turned from rising to falling, or back."""
        numbers = [number for each in (self.first, *self.came) if (number := number_of(each.value)) is not None]
        steps = [later - earlier for earlier, later in itertools.pairwise(numbers) if later != earlier]
        return sum((one > 0) != (other > 0) for one, other in itertools.pairwise(steps))
