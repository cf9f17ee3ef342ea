"""What this shell has seen of a connection's items since it connected, in bounded memory."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.models.events import BufferedData, MxEvent
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_shell.samples.sample_stream import Key, Sample, SampleMark, SampleStream, number_of, samples_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession

LIMIT = 64_000_000
"""Bytes, about: some 200,000 samples of numbers, of all items together."""
_MARKS = 1_000
_WAITING = 50_000
_CATCH_UP_SECONDS = 0.25
_SAMPLE_BYTES = 320
_ELEMENT_BYTES = 40


@dataclass(slots=True)
class _Series:
    """What is kept of one item."""

    events: deque[MxEvent] = field(default_factory=deque)
    bytes: int = 0
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class ItemHistory:
    """What was seen of one item: its events and the marks that concern it, each oldest first."""

    events: Sequence[MxEvent]
    known: int
    """Events that are kept."""
    marks: Sequence[SampleMark]
    forgotten: int
    """Older events that were let go to make room."""
    since: float
    """Monotonic seconds when the shell began to look."""

    def entries(self) -> list[tuple[float, Sample | SampleMark]]:
        """Every value and every mark, with its monotonic seconds, oldest first."""
        entries: list[tuple[float, Sample | SampleMark]] = [(mark.at, mark) for mark in self.marks]
        # What is read again comes with the mark that was its reason, and stands behind it.
        entries += [(event.received_at, sample) for event in self.events for sample in samples_of(event)]
        return sorted(entries, key=lambda entry: entry[0])


class History:
    """Keeps what comes, from now on. Where there is too much, the oldest of whatever takes most room is let go."""

    def __init__(self, live: "LiveSession", limit: int = LIMIT) -> None:
        self.since = clock.monotonic()
        self._limit = limit
        self._stream = SampleStream(live, queue_size=_WAITING)
        self._series: dict[Key, _Series] = {}
        self._bytes = 0
        self._marks: deque[SampleMark] = deque(maxlen=_MARKS)
        self._keeper = asyncio.create_task(self._keep(), name="history")

    @property
    def tasks(self) -> "tuple[asyncio.Task[None], ...]":
        """What goes on by itself as long as there is this history."""
        return self._keeper, self._stream.watcher

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_CATCH_UP_SECONDS)
            self.catch_up()

    def catch_up(self) -> None:
        """Takes in what has come up to now."""
        series = self._series
        for entry in self._stream.take():
            if isinstance(entry, SampleMark):
                self._marks.append(entry)
                continue
            key = entry.server_handle, entry.item_handle
            kept = series.get(key)
            if kept is None:
                kept = series[key] = _Series()
            weight = _weight(entry)
            kept.events.append(entry)
            kept.bytes += weight
            self._bytes += weight
        if self._bytes > self._limit:
            self._make_room()

    def _make_room(self) -> None:
        while self._bytes > self._limit * 0.9:
            largest = max(self._series.values(), key=lambda kept: kept.bytes)
            for _ in range(max(1, len(largest.events) // 8)):
                weight = _weight(largest.events.popleft())
                largest.forgotten += 1
                largest.bytes -= weight
                self._bytes -= weight

    def of(self, key: Key, since: float = float("-inf")) -> ItemHistory:
        """What was seen of an item up to now; of what was before `since` (monotonic seconds) only the last."""
        self.catch_up()
        kept = self._series.get(key) or _Series()
        events: list[MxEvent] = []
        for event in reversed(kept.events):
            events.append(event)
            if event.received_at < since:
                break
        events.reverse()
        marks = [
            mark for mark in self._marks if mark.key in (None, key) and events and mark.at >= events[0].received_at
        ]
        return ItemHistory(events, len(kept.events), marks, kept.forgotten, self.since)

    def newest_numbers(self, key: Key, count: int) -> list[float]:
        """Return the finite numbers among the newest `count` samples of an item, oldest first, as of the last
        :meth:`catch_up`."""
        kept = self._series.get(key)
        if kept is None:
            return []
        newest = (sample for event in reversed(kept.events) for sample in reversed(list(samples_of(event))))
        numbers = [number_of(sample.value) for sample in islice(newest, count)]
        return [float(number) for number in reversed(numbers) if number is not None]

    async def aclose(self) -> None:
        """Ends it and lets go of everything. Idempotent."""
        self._keeper.cancel()
        await asyncio.wait([self._keeper])
        await self._stream.aclose()
        self._series.clear()


def _weight(event: MxEvent) -> int:
    """Bytes that an event needs, about."""
    value = event.value
    if isinstance(event.body, BufferedData):
        return _SAMPLE_BYTES + 3 * _ELEMENT_BYTES * len(event.body.values)
    if value is None or isinstance(value, int | float):
        return _SAMPLE_BYTES
    if isinstance(value, str | bytes):
        return _SAMPLE_BYTES + len(value)
    return _SAMPLE_BYTES + (_ELEMENT_BYTES * len(value) if isinstance(value, list | tuple) else 0)


def moment(at: float) -> datetime:
    """Monotonic seconds as a time of day (UTC)."""
    return datetime.fromtimestamp(time.time() - (clock.monotonic() - at), UTC)
