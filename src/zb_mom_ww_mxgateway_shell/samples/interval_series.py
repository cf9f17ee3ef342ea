"""The intervals of one item, kept up to date: a picture that is drawn again and again looks only at what is new."""

from bisect import bisect_right

from zb_mom_ww_mxgateway_shell.samples.history import History
from zb_mom_ww_mxgateway_shell.samples.intervals import Interval, IntervalBuilder
from zb_mom_ww_mxgateway_shell.samples.sample_stream import Key

_MANY = 1_000


class IntervalSeries:
    """The intervals of an item from a start on, which moves."""

    def __init__(self, history: History, key: Key) -> None:
        self._history = history
        self._key = key
        self._builder: IntervalBuilder | None = None
        self._start = 0.0
        self._newest = float("-inf")
        """Time of the newest entry that was looked at."""
        self._had = self._marked = 0

    def since(self, start: float, end: float | None, stale_since: float | None = None) -> list[Interval]:
        """Return the intervals from `start` on, perhaps after older ones, as :meth:`IntervalBuilder.until` does."""
        if self._builder is None or start < self._start or not self._add_new(self._builder):
            self._builder = self._made(start)
        self._start = start
        _forget(self._builder.intervals, start)
        return self._builder.until(end, stale_since)

    def _made(self, start: float) -> IntervalBuilder:
        """Return the intervals of all that is known since `start`."""
        builder, seen = IntervalBuilder(), self._history.of(self._key, start)
        for at, entry in seen.entries():
            builder.add(at, entry)
            self._newest = at
        self._had, self._marked = seen.forgotten + seen.known, self._history.marked
        return builder

    def _add_new(self, builder: IntervalBuilder) -> bool:
        """Add what is new; return False if some of it belongs before what is there."""
        if not self._had:
            return False  # What was marked before the first sample does not concern it.
        new = self._history.newest(self._key, self._had, self._marked)
        entries = new.entries()
        # Of the same time, a mark comes before a sample.
        if entries and (entries[0][0] < self._newest or any(mark.at <= self._newest for mark in new.marks)):
            return False
        for at, entry in entries:
            builder.add(at, entry)
            self._newest = at
        self._had, self._marked = new.forgotten + new.known, self._history.marked
        return True


def _forget(intervals: list[Interval], start: float) -> None:
    """Drop the intervals that end before `start`, once they are most of many."""
    before = bisect_right(intervals, start, key=lambda interval: interval.end)
    if before > max(_MANY, len(intervals) // 2):
        del intervals[:before]
