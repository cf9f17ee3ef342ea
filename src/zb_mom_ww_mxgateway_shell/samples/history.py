"""The samples of a connection's items since it was opened, in bounded memory.

The one store of samples: ``history``, trends and the sparklines of watched values read it.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.models.events import BufferedData, MxEvent
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.recordings.event_samples import Sample, samples_of
from zb_mom_ww_mxgateway_shell.samples.sample_stream import Key, SampleMark, SampleStream, number_of

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
    """Buffered events of one item."""

    events: deque[MxEvent] = field(default_factory=deque)
    bytes: int = 0
    forgotten: int = 0


class ItemHistory(NamedTuple):
    """The events of one item and the marks that concern it, each oldest first."""

    events: Sequence[MxEvent]
    known: int
    """Number of events in memory."""
    marks: Sequence[SampleMark]
    forgotten: int
    """Number of older events that were dropped to make room."""
    since: float
    """Monotonic seconds of the start of the history."""

    def entries(self) -> list[tuple[float, Sample | SampleMark]]:
        """Return every sample and every mark with its monotonic seconds, oldest first."""
        entries: list[tuple[float, Sample | SampleMark]] = [(mark.at, mark) for mark in self.marks]
        # A value that was read again comes after the mark that caused the read.
        entries += [(event.received_at, sample) for event in self.events for sample in samples_of(event)]
        return sorted(entries, key=lambda entry: entry[0])


class History:
    """Keeps all events from now on. When the memory is full, the oldest events of the largest items are dropped."""

    def __init__(self, live: "LiveSession", limit: int = LIMIT) -> None:
        self.since = clock.monotonic()
        self._limit = limit
        self._stream = SampleStream(live, queue_size=_WAITING)
        self._series: dict[Key, _Series] = {}
        self._bytes = 0
        self._marks: deque[SampleMark] = deque(maxlen=_MARKS)
        self.marked = 0
        """Number of marks so far."""
        self._keeper = asyncio.create_task(self._keep(), name="history")

    @property
    def tasks(self) -> "tuple[asyncio.Task[None], ...]":
        """The background tasks of this history."""
        return self._keeper, self._stream.watcher

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_CATCH_UP_SECONDS)
            self.catch_up()

    def catch_up(self) -> None:
        """Take in all events that have arrived."""
        series = self._series
        for entry in self._stream.take():
            if isinstance(entry, SampleMark):
                self._marks.append(entry)
                self.marked += 1
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
        """Return the history of an item up to now; of events before `since` (monotonic seconds) only the last."""
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

    def newest(self, key: Key, had: int, marked: int) -> ItemHistory:
        """Return what came after the first `had` events of an item and the first `marked` marks."""
        self.catch_up()
        kept = self._series.get(key) or _Series()
        count = max(0, kept.forgotten + len(kept.events) - had)
        events = list(islice(reversed(kept.events), count))[::-1]
        marks = list(islice(reversed(self._marks), max(0, self.marked - marked)))[::-1]
        concerned = [mark for mark in marks if mark.key in (None, key)]
        return ItemHistory(events, len(kept.events), concerned, kept.forgotten, self.since)

    def marks(self) -> list[SampleMark]:
        """Return the newest marks of all items, oldest first."""
        self.catch_up()
        return list(self._marks)

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
        """Stop, and drop everything. Idempotent."""
        self._keeper.cancel()
        await asyncio.wait([self._keeper])
        await self._stream.aclose()
        self._series.clear()


def _weight(event: MxEvent) -> int:
    """Return the bytes that an event needs, about."""
    value = event.value
    if isinstance(event.body, BufferedData):
        return _SAMPLE_BYTES + 3 * _ELEMENT_BYTES * len(event.body.values)
    if value is None or isinstance(value, int | float):
        return _SAMPLE_BYTES
    if isinstance(value, str | bytes):
        return _SAMPLE_BYTES + len(value)
    return _SAMPLE_BYTES + (_ELEMENT_BYTES * len(value) if isinstance(value, list | tuple) else 0)


def moment(at: float) -> datetime:
    """Return monotonic seconds as a time of day (UTC)."""
    return datetime.fromtimestamp(time.time() - (clock.monotonic() - at), UTC)
