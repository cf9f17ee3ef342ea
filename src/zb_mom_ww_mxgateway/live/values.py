"""Values of a live session: the latest one of an item, whether it may be old, and states and changes of the session."""

from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.events import BufferedData, MxEvent
from zb_mom_ww_mxgateway.models.live_state import LiveState as LiveState
from zb_mom_ww_mxgateway.models.results import ReadResult
from zb_mom_ww_mxgateway.status import MxStatus, quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import moment_of
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import MxValueOutput

CLOCKS_MAY_DIFFER = 1.0
"""Seconds by which a source's clock may be ahead of the gateway's without making the age of a value unknown."""


@dataclass(frozen=True, slots=True)
class LiveChange:
    """A change of state of a live session, or an event that changes what holds of its values."""

    state: LiveState
    lost: MxGatewayError | None
    """Why the stream or the session was lost, while it is."""
    lost_events: int = 0
    """Events lost in a gap that has just been seen, as far as the sequences tell; 0 when the state changed."""
    missing: tuple[str, ...] = ()
    """Tags that could not be restored in the rebuilt session, each with the reason."""
    gap: bool = False
    """True when events were lost, also an unknown number of them."""
    since: float | None = None
    """Since when values may be old, in seconds of :func:`clock.monotonic`, where that is earlier than now: a connection
    can be dead for a while before it is noticed."""
    item: tuple[int, int] | None = None
    """Server and item handle of an item that was suspended or activated; None for any other change."""
    suspended: bool = False
    """True where `item` was suspended, False where it was activated."""
    slept: float = 0.0
    """Seconds that this machine slept; 0 for any other change. Nothing came meanwhile, and it is unknown what happened.
    `since` is before that."""
    dropped: int = 0
    """Changes before this one that this listener lost because it was slow."""


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
    """In seconds of :func:`clock.monotonic`."""
    age_when_received: float
    """Seconds from the source to its arrival here, by clocks on the gateway's side; below 0 where the source's clock is
    ahead of the gateway's."""
    stale_since: float | None = None
    """Seconds of :func:`clock.monotonic` since when it is unknown whether it still holds; None while it is live. A
    suspended item's value is stale."""
    changed_at: int = 0
    """Mark of its last change here (:meth:`LiveSession.mark`); where changes were lost before it came, their earliest
    mark. 0 for the first value after an advise, which may be from any time before."""

    @property
    def age(self) -> float:
        """Seconds since the source took the value.

        Where the source's clock is `ahead`, that is unknown: then these are the seconds since it came here, and it is
        at least that old.
        """
        return max(0.0, self.age_when_received) + clock.monotonic() - self.received_at

    @property
    def ahead(self) -> float:
        """Seconds by which the source time was in the future when the value came; 0 for up to one second, by which
        clocks may differ."""
        return -self.age_when_received if self.age_when_received < -CLOCKS_MAY_DIFFER else 0.0

    def is_new(self, mark: int) -> bool:
        """Return whether it is known to have changed since a mark was taken (:meth:`LiveSession.mark`), by no clock.

        A value that changed while events were lost, or between two sessions, is new only since marks from before that.
        """
        return self.changed_at > mark

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
        """Return the value that an event brings; None when it brings none. Of buffered data the newest counts."""
        header = event.header
        value, quality, data_type, time_ns = event.value, header.quality, header.data_type, event.source_time_ns
        if isinstance(body := header.body, BufferedData):
            if not body.values:
                return None
            value, data_type = body.values[-1], body.data_type
            quality = body.qualities[-1] if body.qualities else quality
            time_ns = body.times_ns[-1] if body.times_ns else time_ns
        behind = event.gateway_receive_time_ns - time_ns if time_ns and event.gateway_receive_time_ns else 0
        # By position: thousands are made a second, and names cost as much again.
        return cls(
            tag,
            value,
            quality,
            data_type,
            header.variant_type,
            header.statuses,
            time_ns,
            changes,
            event.received_at or clock.monotonic(),
            behind / 1e9,
        )

    @classmethod
    def read(
        cls, tag: str, result: ReadResult, before: "LiveValue | None", age: float, changed_at: int = 0
    ) -> "LiveValue":
        """Return the value that a fresh read gives, `age` seconds old; it counts as a change where it differs."""
        return cls(
            tag=tag,
            value=result.value,
            quality=result.quality,
            data_type=before.data_type if before else DataType.UNSPECIFIED,
            variant_type=before.variant_type if before else "",
            statuses=result.statuses,
            source_time_ns=result.source_time_ns,
            changes=before.changes + 1 if before else 1,
            received_at=clock.monotonic(),
            age_when_received=age,
            changed_at=changed_at,
        )


_parts_of = attrgetter(*LiveValue.__slots__)


def copy_of(value: LiveValue) -> LiveValue:
    """Return a copy, which does not become stale with the value that is held."""
    return LiveValue(*_parts_of(value))


@dataclass(slots=True)
class UnseenWrite:
    """A write that was sent and not refused, and whose effect no event since can be."""

    value: object
    """Value written."""
    at: float
    """When it was sent, in seconds of :func:`clock.monotonic`."""
    correlation_id: str
    """Correlation id of the command that wrote it."""
    user_id: int = 0
    """User named as its writer; 0 for none."""
    ended_at: float | None = None
    """When it completed, or when it was clear that its outcome stays unknown; None while it is under way."""
    seen: bool = False
    """Whether its effect has been seen; then it is only kept for its completion."""

    @property
    def ago(self) -> float:
        """Seconds since it was sent."""
        return clock.monotonic() - self.at


@dataclass(frozen=True, slots=True)
class Reading:
    """Result of ``read`` for one tag."""

    tag: str
    value: MxValueOutput
    quality: int
    source_timestamp: datetime | None
    statuses: tuple[MxStatus, ...]
    age: float | None
    """Seconds since the source took the value; None where that is unknown."""
    cached: bool
    """True for the value held of an advised item, False for one that was fetched for this read."""
    stale_for: float | None = None
    """Seconds for which it is unknown whether a cached value still holds; None when it does."""
    error: str = ""
    """Why there is no value; empty when there is one."""
    written_for: float | None = None
    """Seconds since a write of the item whose effect no event since can be: the value is from before it. Else None."""
    source_time_ns: int = 0
    """Nanoseconds since the Unix epoch, 0 for none; also for times that no datetime can hold."""

    @property
    def quality_word(self) -> str:
        """``good``, ``uncertain`` or ``bad``."""
        return quality_word(self.quality)

    @classmethod
    def held(cls, tag: str, value: LiveValue, written: UnseenWrite | None = None) -> "Reading":
        """Make the reading of a value held; `written` is the item's unseen write, if there is one."""
        return cls(
            tag,
            value.value,
            value.quality,
            value.source_timestamp,
            value.statuses,
            None if value.ahead else value.age,
            True,
            None if value.stale_since is None else clock.monotonic() - value.stale_since,
            written_for=None if written is None else written.ago,
            source_time_ns=value.source_time_ns,
        )

    @classmethod
    def fetched(cls, tag: str, result: ReadResult, age: float | None) -> "Reading":
        """Make the reading of a value that was fetched, `age` seconds old."""
        return cls(
            tag,
            result.value,
            result.quality,
            result.source_timestamp,
            result.statuses,
            age,
            False,
            error="" if result.was_successful else result.error_message or "no reason given",
            source_time_ns=result.source_time_ns,
        )
