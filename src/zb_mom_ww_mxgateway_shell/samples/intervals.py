"""The history of an item as intervals: from when to when it had a value, and how certain that is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway_console.recordings.event_samples import Sample
from zb_mom_ww_mxgateway_shell.samples.history import ItemHistory
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark, number_of

ValueStatus: TypeAlias = Literal["none", "good", "uncertain", "bad", "stale", "gap"]
MOODS: Sequence[ValueStatus] = ("none", "good", "uncertain", "stale", "bad", "gap")
"""From harmless to worst; ``none`` is before the first value."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which value and status were the same, in monotonic seconds."""

    start: float
    end: float
    value: float | None
    """None where there is no number to draw."""
    mood: ValueStatus


def intervals_of(seen: ItemHistory, stale_since: float | None, until: float | None) -> list[Interval]:
    """Return the intervals up to `until`, oldest first. The last value holds until then, but is stale since
    `stale_since`.

    Where `until` is None the item is not followed any more: the last value ends with its last confirmation.
    """
    made = _IntervalBuilder()
    for at, entry in seen.entries():
        if isinstance(entry, Sample):
            made.take(at, number_of(entry.value), quality_word(entry.quality))
        else:
            made.mark(entry)
    if until is not None:
        if stale_since is not None and made.mood not in ("gap", "none"):
            made.close(max(made.since, stale_since))
            made.mood = "stale"
        made.close(until)
    return made.intervals


class _IntervalBuilder:
    """Intervals under construction."""

    def __init__(self) -> None:
        self.intervals: list[Interval] = []
        self.since = 0.0
        self.value: float | None = None
        self.mood: ValueStatus = "none"
        self._quality: ValueStatus = "none"
        self._stale_at = float("-inf")
        self._suspended = False
        self._is_live = True

    def close(self, at: float) -> None:
        if self.mood != "none" and at > self.since:
            self.intervals.append(Interval(self.since, at, self.value, self.mood))
        self.since = at

    def take(self, at: float, value: float | None, quality: str) -> None:
        self.close(at)
        self.value = value
        self._quality = "good" if quality == "good" else "uncertain" if quality == "uncertain" else "bad"
        # It may have come just before it was noticed that the stream had been dead for a while.
        self.mood = self._quality if self._is_live and not self._suspended else "stale"

    def mark(self, mark: SampleMark) -> None:
        self.close(mark.at)
        if mark.key is not None:
            self._suspended = mark.kind == "stale"
        elif mark.kind in ("stale", "closed", "live"):
            self._is_live = mark.kind == "live"
        match mark.kind:
            case "stale" | "closed":
                self._stale_at = mark.at
                if self.mood not in ("none", "gap"):
                    self.mood = "stale"
            case "live":
                if self.mood == "stale" and not self._suspended:
                    self.mood = self._quality
            case "gap" | "dropped":
                # A loss that was noticed began then; otherwise it may have begun right after the last event.
                began = max(self._stale_at, mark.at if mark.since is None else mark.since)
                self._lose_since(began, mark.at)
                self.value, self.mood = None, "gap"

    def _lose_since(self, began: float, until: float) -> None:
        kept = [interval for interval in self.intervals if interval.start < began]
        if kept and kept[-1].end > began:
            kept[-1] = replace(kept[-1], end=began)
        self.intervals = [*kept, Interval(began, until, None, "gap")] if until > began else kept
