"""What a live session holds: the latest value of an item, and what may be said of it."""

import time
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.events import BufferedData, MxEvent
from zb_mom_ww_mxgateway.status import MxStatus, quality_word
from zb_mom_ww_mxgateway.values import DataType, MxValueOutput, moment_of


class LiveState(Enum):
    """What may be said of the values held."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    """The stream is lost and being resumed: values may be old."""
    CLOSED = "closed"
    """Closed here, or the session was lost: see :attr:`LiveSession.lost`."""


@dataclass(frozen=True, slots=True)
class LiveChange:
    """A change of what may be said of the values held."""

    state: LiveState
    lost: MxGatewayError | None
    """Why the stream or the session was lost, while it is."""
    lost_events: int = 0
    """Events lost in a gap that has just been seen; 0 when the state changed."""


@dataclass(slots=True)
class LiveValue:
    """The latest value of one item."""

    tag: str
    value: MxValueOutput
    quality: int
    data_type: DataType | int
    variant_type: str
    statuses: tuple[MxStatus, ...]
    source_time_ns: int
    changes: int
    """Data changes seen since the item was advised here."""
    received_at: float
    """Monotonic seconds."""
    age_when_received: float
    """Seconds between source and gateway, by clocks on the gateway's side."""
    stale_since: float | None = None
    """Monotonic seconds since when nobody knows whether it still holds; None while it is live."""

    @property
    def age(self) -> float:
        """Seconds since the source took the value."""
        return self.age_when_received + time.monotonic() - self.received_at

    @property
    def source_timestamp(self) -> datetime | None:
        """When the source says the value was taken (UTC)."""
        return moment_of(self.source_time_ns)

    @property
    def quality_word(self) -> str:
        """``good``, ``uncertain`` or ``bad``."""
        return quality_word(self.quality)

    @classmethod
    def of(cls, event: MxEvent, tag: str, changes: int) -> "LiveValue | None":
        """The value that an event brings; None when it brings none. Of buffered data the newest counts."""
        value, quality, time_ns = event.value, event.quality, event.source_time_ns
        if isinstance(event.body, BufferedData):
            if not event.body.values:
                return None
            value = event.body.values[-1]
            quality = event.body.qualities[-1] if event.body.qualities else quality
            time_ns = event.body.times_ns[-1] if event.body.times_ns else time_ns
        behind = event.gateway_time_ns - time_ns if time_ns and event.gateway_time_ns else 0
        return cls(
            tag=tag,
            value=value,
            quality=quality,
            data_type=event.body.data_type if isinstance(event.body, BufferedData) else event.data_type,
            variant_type=event.variant_type,
            statuses=event.statuses,
            source_time_ns=time_ns,
            changes=changes,
            received_at=event.received_at or time.monotonic(),
            age_when_received=max(0.0, behind / 1e9),
        )
