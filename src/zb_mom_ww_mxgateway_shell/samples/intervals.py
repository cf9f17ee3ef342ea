"""The history of an item as intervals: from when to when it had a value, and how certain that is."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway_console.recordings.event_samples import Sample
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark, number_of

ValueStatus: TypeAlias = Literal["none", "good", "uncertain", "bad", "stale", "gap"]
MOODS: Sequence[ValueStatus] = ("none", "good", "uncertain", "stale", "bad", "gap")
"""From harmless to worst; ``none`` is before the first value."""


class Interval(NamedTuple):
    """A time in which value and status were the same, in monotonic seconds."""

    start: float
    end: float
    value: float | None
    """None where there is no number to draw."""
    mood: ValueStatus


class IntervalBuilder:
    """Intervals under construction, from samples and marks in the order of their times."""

    def __init__(self) -> None:
        self.intervals: list[Interval] = []
        self.since = 0.0
        self.value: float | None = None
        self.mood: ValueStatus = "none"
        self._quality: ValueStatus = "none"
        self._stale_at = float("-inf")
        self._suspended = False
        self._doubtful_until = float("-inf")

    def add(self, at: float, entry: Sample | SampleMark) -> None:
        """Add a sample or a mark that is no older than those before."""
        if isinstance(entry, Sample):
            self._take(at, number_of(entry.value), quality_word(entry.quality))
        else:
            self._mark(entry)

    def until(self, end: float | None, stale_since: float | None) -> list[Interval]:
        """Return the intervals up to `end`, oldest first; more may be added afterwards.

        The last value holds until then, but is stale since `stale_since`. Where `end` is None the item is not followed
        any more: the last value ends with its last confirmation.
        """
        if end is None or self.mood == "none":
            return list(self.intervals)
        parts = [(self.since, end, self.mood)]
        if stale_since is not None and self.mood != "gap":
            began = max(self.since, stale_since)
            parts = [(self.since, began, self.mood), (began, end, "stale")]
        last = [Interval(since, ended, self.value, mood) for since, ended, mood in parts if ended > since]
        return [*self.intervals, *last]

    def _close(self, at: float) -> None:
        if self.mood != "none" and at > self.since:
            self.intervals.append(Interval(self.since, at, self.value, self.mood))
        self.since = at

    def _take(self, at: float, value: float | None, quality: str) -> None:
        self._close(at)
        self.value = value
        self._quality = "good" if quality == "good" else "uncertain" if quality == "uncertain" else "bad"
        self.mood = "stale" if self._suspended or at <= self._doubtful_until else self._quality

    def _mark(self, mark: SampleMark) -> None:
        self._close(mark.at)
        if mark.key is not None:
            self._suspended = mark.kind == "stale"
        elif mark.noticed is not None:
            self._doubtful_until = mark.noticed
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
            kept[-1] = kept[-1]._replace(end=began)
        self.intervals = [*kept, Interval(began, until, None, "gap")] if until > began else kept
