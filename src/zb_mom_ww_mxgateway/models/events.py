"""Events of a session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.status import MxStatus, quality_word
from zb_mom_ww_mxgateway.times import moment_of
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import MxValueOutput

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.models.alarms import AlarmProviderStatus, AlarmTransition


class EventFamily(IntEnum):
    """Kind of an event."""

    UNSPECIFIED = 0
    ON_DATA_CHANGE = 1
    ON_WRITE_COMPLETE = 2
    OPERATION_COMPLETE = 3
    ON_BUFFERED_DATA_CHANGE = 4
    ON_ALARM_TRANSITION = 5
    ON_ALARM_PROVIDER_MODE_CHANGED = 6


@dataclass(frozen=True, slots=True)
class ReplayGap:
    """Events strictly between the two sequences were lost, so values held locally are stale."""

    requested_after_sequence: int
    oldest_available_sequence: int
    """0: the gateway retains no events."""


@dataclass(frozen=True, slots=True)
class BufferedData:
    """Changes of a buffered item since the last report, oldest first: one quality and one time for each value."""

    data_type: DataType | int
    values: tuple[Any, ...]
    qualities: tuple[int, ...]
    times_ns: tuple[int, ...]
    """Source times in nanoseconds since the Unix epoch."""


@dataclass(frozen=True, slots=True)
class EventHeader:
    """Fields of an event other than its value and times. Events of one item share a header while it stays the same."""

    family: EventFamily | int = EventFamily.UNSPECIFIED
    server_handle: int = 0
    item_handle: int = 0
    quality: int = 0
    statuses: tuple[MxStatus, ...] = ()
    data_type: DataType | int = DataType.UNSPECIFIED
    variant_type: str = ""
    hresult: int | None = None
    raw_status: str = ""
    replay_gap: ReplayGap | None = None
    body: "BufferedData | AlarmTransition | AlarmProviderStatus | None" = None


_LATER = ("header", "value", "source_time_ns", "gateway_receive_time_ns")


class DeferredEvent:
    """What an event of a stream keeps until somebody looks at it: its bytes, and the function that decodes them."""

    __slots__ = ("_data", "_decode")

    _data: bytes | None
    _decode: "Callable[[bytes], MxEvent]"

    if not TYPE_CHECKING:  # type checkers would take every name for an attribute

        def __getattr__(self, name: str) -> Any:
            # Called for what is not set: all of it is decoded together. What a program has set stays as it is.
            if name not in _LATER:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
            # None where another thread has just done it.
            if (data := self._data) is not None:
                decoded = self._decode(data)
                for each in _LATER:
                    try:
                        object.__getattribute__(self, each)
                    except AttributeError:
                        setattr(self, each, getattr(decoded, each))
                self._data = None
            return object.__getattribute__(self, name)


@dataclass(slots=True)
class MxEvent(DeferredEvent):
    """One event. Times are nanoseconds since the Unix epoch, 0 when the gateway gave none."""

    # Not frozen: thousands are made in a second, and a frozen instance costs a third more.

    header: EventHeader
    worker_sequence: int
    """Contiguous in a session."""
    value: MxValueOutput = None
    source_time_ns: int = 0
    gateway_receive_time_ns: int = 0
    received_at: float = 0.0
    """Time of arrival in seconds of :func:`clock.monotonic`; 0 if the event did not come by a stream."""

    tag: str = ""
    """Tag of the item, for an event of a live session; empty if unknown.

    An event that arrives before the reply that names its item gets its tag with that reply.
    """

    @property
    def family(self) -> EventFamily | int:
        """Kind of the event."""
        return self.header.family

    @property
    def server_handle(self) -> int:
        """Of the item; 0 if the event is about no item."""
        return self.header.server_handle

    @property
    def item_handle(self) -> int:
        """Of the item; 0 if the event is about no item."""
        return self.header.item_handle

    @property
    def quality(self) -> int:
        """OPC quality: 192 and above good, 64 to 191 uncertain, below bad."""
        return self.header.quality

    @property
    def statuses(self) -> tuple[MxStatus, ...]:
        """Every MXSTATUS_PROXY."""
        return self.header.statuses

    @property
    def data_type(self) -> DataType | int:
        """The tag's type."""
        return self.header.data_type

    @property
    def variant_type(self) -> str:
        """``VT_R8`` …"""
        return self.header.variant_type

    @property
    def hresult(self) -> int | None:
        """Signed hresult, if the gateway gave one."""
        return self.header.hresult

    @property
    def raw_status(self) -> str:
        """Status of MXAccess as text, if the gateway could not read it."""
        return self.header.raw_status

    @property
    def replay_gap(self) -> ReplayGap | None:
        """Set if this takes the place of lost events; it has no body then."""
        return self.header.replay_gap

    @property
    def body(self) -> "BufferedData | AlarmTransition | AlarmProviderStatus | None":
        """Data of buffered events and alarms; None for other families."""
        return self.header.body

    @property
    def source_timestamp(self) -> datetime | None:
        """Source timestamp of the value (UTC)."""
        return moment_of(self.source_time_ns)

    @property
    def gateway_receive_timestamp(self) -> datetime | None:
        """Time at which the gateway received the event (UTC, the gateway's clock)."""
        return moment_of(self.gateway_receive_time_ns)

    @property
    def quality_word(self) -> str:
        """``good``, ``uncertain`` or ``bad``."""
        return quality_word(self.quality)

    @property
    def failed(self) -> bool:
        """Whether a status means an error; for ON_WRITE_COMPLETE: whether the write was refused."""
        return any(status.failed for status in self.statuses)


def deferred_event(
    data: bytes, worker_sequence: int, received_at: float, decode: Callable[[bytes], MxEvent]
) -> MxEvent:
    """Return an event that is decoded when somebody looks at more than its sequence and time of arrival.

    `decode` returns the event of `data`, whose header, value and times it then takes; it must not raise.
    """
    event = _new(MxEvent)
    event.worker_sequence, event.received_at, event.tag = worker_sequence, received_at, ""
    event._data = data  # type: ignore[misc]  # a slot of its base
    event._decode = decode
    return event


_new = MxEvent.__new__
