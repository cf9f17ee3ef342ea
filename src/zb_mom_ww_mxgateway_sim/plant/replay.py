"""A recording that is played: its tags, and the player that sets them row by row."""

import asyncio
import logging
import math
from collections.abc import Generator
from pathlib import Path

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.plant.model import tag_key
from zb_mom_ww_mxgateway_sim.plant.point_store import Point, PointStore
from zb_mom_ww_mxgateway_sim.plant.recorded_rows import RecordedRow, recorded_rows
from zb_mom_ww_mxgateway_sim.plant.recorded_values import (
    VALUE_KINDS,
    RecordedAddress,
    RecordedTags,
    recorded_statuses,
    recorded_value,
)
from zb_mom_ww_mxgateway_sim.plant.status import BAD, GOOD, UNCERTAIN
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, NativeType, Value, default
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import ReplayError
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue

_log = logging.getLogger(__package__)

_DOUBTS = frozenset({"gap", "dropped", "stale"})
# The nanoseconds of the years 1 to 9999: a message has no other times.
_CALENDAR = range(-62_135_596_800 * 10**9, 253_402_300_800 * 10**9)
# Rows that are played in one turn of the event loop.
_ROWS_A_TURN = 500
_PAUSE = 0.001
# A sample that is so much older than the one before it: the clock that gave the times was set back.
_SET_BACK_NS = 10**9


class Recording:
    """A file whose rows have been looked through once. Only its tags are in memory."""

    def __init__(self, path: Path) -> None:
        """Look through the file. Raise ReplayError if there is nothing to play."""
        self.path: Path = path
        self.last_ns: int = 0
        """Time of the last row with a value."""
        tags = RecordedTags()
        torn = 0
        for row in recorded_rows(path):
            torn += row.kind == "torn"
            if row.kind in VALUE_KINDS:
                self.last_ns = max(self.last_ns, row.time_ns or 0)
                tags.take(row)
        self.tags: list[TagDefinition] = tags.definitions
        """The tags, without a value and bad until the first one."""
        if not self.tags:
            raise ReplayError(f"{path}: the recording has no values to play")
        if tags.unusable_rows:
            names = ", ".join(repr(name) for name in tags.unusable)
            _log.warning(
                "%s: %d values are not played, because no tag has such a name: %s", path, tags.unusable_rows, names
            )
        if torn:
            _log.warning("%s: %d rows are not played, because they are torn", path, torn)

    def rows(self) -> Generator[RecordedRow, None, None]:
        """Yield all rows."""
        return recorded_rows(self.path)


class Player:
    """Plays a recording once. The tags keep their last values."""

    def __init__(
        self, recording: Recording, pace: float, points: PointStore, clock: TimeSource, timers: TimerQueue
    ) -> None:
        self._recording = recording
        self._pace = pace
        self._points = points
        self._clock = clock
        self._timers = timers
        self._rows: Generator[RecordedRow, None, None] | None = None
        self._row: RecordedRow | None = None
        # The time of a row, and the gateway's seconds at which it was played: later ones count from there.
        self._base: tuple[int, float] | None = None
        # The time of the last sample.
        self._sample_ns: int | None = None
        # Tags with a value, and the quality of those that are in doubt, by their ``tag_key``.
        self._playing: dict[str, str] = {}
        self._doubted: dict[str, int] = {}
        self._played = self._misfits = 0

    @property
    def has_ended(self) -> bool:
        """Whether all rows were played."""
        return self._rows is not None and self._row is None

    async def begin(self) -> None:
        """Begin to play; with the pace ``at-once``, play all."""
        self._rows = self._recording.rows()
        self._next()
        if not math.isinf(self._pace):
            self.play()
            return
        while self._row is not None:
            for _ in range(_ROWS_A_TURN):
                if self._row is not None:
                    self._apply(self._row)
                    self._next()
            await asyncio.sleep(0)

    def close(self) -> None:
        """Close the file. Idempotent."""
        self._row = None
        if self._rows is not None:
            self._rows.close()

    def play(self) -> None:
        """Play the rows that are due, and the others when they are due."""
        for _ in range(_ROWS_A_TURN):
            row = self._row
            if row is None:
                return
            wait = self._seconds_until(row)
            if wait > 0:
                self._timers.after(wait, self.play)
                return
            self._apply(row)
            self._next()
        self._timers.after(_PAUSE, self.play)

    def _next(self) -> None:
        try:
            self._row = None if self._rows is None else next(self._rows, None)
        except ReplayError as error:
            _log.error("%s", error)
            self._row = None
        if self._row is None:
            misfits = f", {self._misfits} of them bad because they are not of the tag's type" if self._misfits else ""
            _log.info(
                "%s was played: %d values%s; the tags keep their last ones", self._recording.path, self._played, misfits
            )

    def _seconds_until(self, row: RecordedRow) -> float:
        """Return the seconds until a row is due: what is missing between two recordings in one file takes no time."""
        now = self._clock.monotonic()
        if row.time_ns is None:
            return 0.0
        if self._base is None or row.kind == "start" or self._was_set_back(row.time_ns, row.kind):
            self._base = row.time_ns, now
        if row.kind == "sample":
            self._sample_ns = row.time_ns
        began, at = self._base
        return at + max(0, row.time_ns - began) / 1e9 / self._pace - now

    def _was_set_back(self, time_ns: int, kind: str) -> bool:
        # A row of another kind may well be old: a held value is as old as it was.
        return kind == "sample" and self._sample_ns is not None and time_ns < self._sample_ns - _SET_BACK_NS

    def _apply(self, row: RecordedRow) -> None:
        if row.kind in VALUE_KINDS and row.tag:
            self._set(row)
        elif row.kind in _DOUBTS:
            self._doubt(row.tag)
        elif row.kind == "live":
            for key, quality in self._doubted.items():
                self._set_quality(self._playing[key], quality)
            self._doubted.clear()

    def _set(self, row: RecordedRow) -> None:
        address = RecordedAddress.parse(row.tag)
        point = None if address is None else self._points.find(address.name)
        if address is None or point is None:
            return
        self._played += 1
        quality, tag_type = row.quality, point.attribute.type
        try:
            if address.element is None:
                value = recorded_value(row, tag_type, is_array=point.attribute.is_array)
            else:
                value = _with_element(point, address.element, recorded_value(row, tag_type, is_array=False))
            message = _not_finite(value, tag_type)
            self._points.set(
                address.name,
                None if message else value,
                quality,
                self._source_ns(row),
                recorded_statuses(row.status),
                message,
            )
        except CoercionError:
            self._misfits += 1
            self._points.set(address.name, None, BAD, self._source_ns(row), recorded_statuses(row.status))
        key = tag_key(address.name)
        self._playing[key] = address.name
        self._doubted.pop(key, None)

    def _source_ns(self, row: RecordedRow) -> int | None:
        """Return the time of the source. It is as old as it was when the value arrived."""
        if row.source_ns is None or row.time_ns is None:
            return None
        age = row.time_ns - row.source_ns
        if math.isinf(self._pace):
            # As old as it was at the end of the recording.
            age = self._recording.last_ns - row.source_ns
        source_ns = self._clock.now() - age
        return source_ns if source_ns in _CALENDAR else None

    def _doubt(self, tag: str) -> None:
        """Make the values that may have changed uncertain: of this tag, or of all."""
        address = RecordedAddress.parse(tag) if tag else None
        for key, name in list(self._playing.items()):
            if tag and (address is None or tag_key(address.name) != key):
                continue
            point = self._points.find(name)
            if point is not None and point.reading.quality >= GOOD:
                self._doubted[key] = point.reading.quality
                self._set_quality(name, UNCERTAIN)

    def _set_quality(self, name: str, quality: int) -> None:
        point = self._points.find(name)
        if point is not None:
            reading = point.reading
            self._points.set(name, reading.value, quality, reading.time_ns, reading.statuses, reading.message)


def _with_element(point: Point, element: int, value: Value) -> Value:
    """Return the array of a point with one element set."""
    if isinstance(value, tuple) or value is None or not point.attribute.is_array:
        raise CoercionError("an element is one value of an array")
    elements = list(point.value) if isinstance(point.value, tuple) else []
    elements.extend([default(point.attribute.type)] * (element + 1 - len(elements)))
    elements[element] = value
    return tuple(elements)


def _not_finite(value: Value, tag_type: NativeType) -> pb.MxValue | None:
    """Return the message of NaN or infinity, which no tag can hold; None for every other value."""
    if not isinstance(value, float) or math.isfinite(value):
        return None
    message = pb.MxValue(data_type=f"MX_DATA_TYPE_{tag_type.name}")
    if tag_type is NativeType.FLOAT:
        message.variant_type, message.float_value = "VT_R4", value
    else:
        message.variant_type, message.double_value = "VT_R8", value
    return message
