"""The samples of an event, and what a gap between events means."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from zb_mom_ww_mxgateway.models.events import BufferedData, MxEvent, ReplayGap


class Sample(NamedTuple):
    """One value of an item as it arrived."""

    value: Any
    quality: int
    source_time_ns: int
    event: MxEvent


def samples_of(event: MxEvent) -> Iterator[Sample]:
    """Yield the values of an event, oldest first: one of a data change, several of a buffered one."""
    body = event.body
    if not isinstance(body, BufferedData):
        yield Sample(event.value, event.quality, event.source_time_ns, event)
        return
    for index, value in enumerate(body.values):
        quality = body.qualities[index] if index < len(body.qualities) else event.quality
        time_ns = body.times_ns[index] if index < len(body.times_ns) else 0
        yield Sample(value, quality, time_ns, event)


def was_read_again(event: MxEvent) -> bool:
    """Return whether a value was read rather than sent, because the one before had become doubtful."""
    return event.worker_sequence == 0


def gap_text(gap: ReplayGap) -> str:
    """Return a loss in words."""
    first, lost = gap.requested_after_sequence + 1, lost_in(gap)
    if lost is None:
        return f"GAP events lost after sequence {first - 1}, how many is unknown"
    return f"GAP {lost} events lost (sequence {first} to {first + lost - 1})"


def lost_in(gap: ReplayGap) -> int | None:
    """Return how many events were lost; None where that is unknown."""
    lost = gap.oldest_available_sequence - gap.requested_after_sequence - 1
    return lost if lost > 0 else None
