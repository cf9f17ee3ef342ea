"""The samples of a tag during a wait, a hold or a watch, with limits, gaps and writes: for the record of a run."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import nanoseconds_text, time_text
from zb_mom_ww_mxgateway_console.recordings.event_samples import Sample
from zb_mom_ww_mxgateway_console.render.forms import value_form
from zb_mom_ww_mxgateway_shell.samples.history import ItemHistory, moment
from zb_mom_ww_mxgateway_shell.samples.sample_stream import SampleMark, number_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

MOST_POINTS = 500
"""Most points of a series; the extremes and what is not good are kept."""
_PICKS = 3
"""Most points that are kept of a stretch: the first that is not good, the lowest and the highest."""


class Bound(NamedTuple):
    """A limit of a condition, for a drawing."""

    kind: str
    """``equal``, ``low``, ``high``, ``band_low`` or ``band_high``."""
    value: float


class _Point(NamedTuple):
    at: float
    """Monotonic seconds of its arrival."""
    sample: Sample
    is_stale: bool


class SampleSeries(NamedTuple):
    """The samples of one tag from the value held at the start to the end."""

    tag: str
    condition: str
    started: float
    """Monotonic seconds, by the library's clock."""
    ended: float
    history: ItemHistory
    """Events up to the end; the first may be from before the start."""
    bounds: Sequence[Bound] = ()
    written: Sequence[float] = ()
    """When the writes were sent that it is about."""

    @classmethod
    def taken(
        cls,
        connected: "GatewayConnection",
        item: Item,
        condition: str,
        started: float,
        *,
        bounds: Sequence[Bound] = (),
        written: Sequence[float] = (),
    ) -> "SampleSeries":
        """Return the samples of an item up to now, from `started` (monotonic seconds) on, or from the first of the
        writes `written` that they are about."""
        since = min([started, *written])
        history = connected.history.of(item.key, since)
        return cls(item.tag, condition, since, clock.monotonic(), history, bounds, written)

    def form(self) -> dict[str, Any]:
        """Return it for JSON."""
        points, gaps = self._points(), list(self._gaps())
        kept, zero = _thinned(points), moment(0.0)

        def iso(at: float) -> str:
            return time_text(zero + timedelta(seconds=at))

        return {
            "bounds": [{"kind": bound.kind, "value": bound.value} for bound in self.bounds],
            "condition": self.condition,
            "ended_at": iso(self.ended),
            "gaps": [{"from": iso(began), "kind": kind, "to": iso(ended)} for began, ended, kind in gaps],
            "omitted": len(points) - len(kept),
            "points": [
                {
                    "at": iso(point.at),
                    "quality": quality_word(point.sample.quality),
                    "source_at": nanoseconds_text(point.sample.source_time_ns) or None,
                    "stale": point.is_stale,
                    "value": value_form(point.sample.value),
                }
                for point in kept
            ],
            "started_at": iso(self.started),
            "tag": self.tag,
            "written_at": [iso(at) for at in self.written],
        }

    def _points(self) -> list[_Point]:
        points: list[_Point] = []
        is_stale = False
        for at, entry in self.history.entries():
            if at > self.ended:
                break
            if not isinstance(entry, SampleMark):
                points.append(_Point(at, entry, is_stale))
            elif entry.kind in ("stale", "live", "closed"):
                is_stale = entry.kind != "live"
        # Of buffered data, or where nothing came at the start, only the newest value from before is the one held then.
        before = sum(point.at < self.started for point in points)
        return points[max(0, before - 1) :]

    def _gaps(self) -> Iterator[tuple[float, float, str]]:
        """Yield the stretches about which nothing, or nothing certain, is known."""
        events = self.history.events
        if self.history.forgotten and events and events[0].received_at > self.started:
            yield self.started, min(events[0].received_at, self.ended), "forgotten"
        began: tuple[float, str] | None = None
        for mark in self.history.marks:
            if mark.at > self.ended:
                break
            if mark.kind in ("gap", "dropped"):
                if mark.at >= self.started:
                    yield max(self.started, mark.at if mark.since is None else mark.since), mark.at, mark.kind
            elif mark.kind == "live":
                if began is not None and mark.at >= self.started:
                    yield max(self.started, began[0]), mark.at, began[1]
                began = None
            elif began is None:
                began = mark.at, mark.kind
        if began is not None:
            yield max(self.started, began[0]), self.ended, began[1]


def _thinned(points: list[_Point]) -> list[_Point]:
    """Return at most MOST_POINTS of the points: the first, the last, and of each stretch what stands out."""
    if len(points) <= MOST_POINTS:
        return points
    inner = len(points) - 2
    stretches = (MOST_POINTS - 2) // _PICKS
    kept = {0, len(points) - 1}
    for number in range(stretches):
        stretch = range(1 + inner * number // stretches, 1 + inner * (number + 1) // stretches)
        numbers = [(value, index) for index in stretch if (value := number_of(points[index].sample.value)) is not None]
        kept |= {min(numbers)[1], max(numbers)[1]} if numbers else set(stretch[:1])
        doubtful = (i for i in stretch if points[i].is_stale or quality_word(points[i].sample.quality) != "good")
        kept |= {index for index in (next(doubtful, None),) if index is not None}
    return [points[index] for index in sorted(kept)]
