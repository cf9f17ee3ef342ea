"""Events of a session."""

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
    """What an event reports."""

    UNSPECIFIED = 0
    ON_DATA_CHANGE = 1
    ON_WRITE_COMPLETE = 2
    OPERATION_COMPLETE = 3
    ON_BUFFERED_DATA_CHANGE = 4
    ON_ALARM_TRANSITION = 5
    ON_ALARM_PROVIDER_MODE_CHANGED = 6


@dataclass(frozen=True, slots=True)
class ReplayGap:
    """Events were lost: those strictly between the two sequences. What is held locally is out of date."""

    requested_after_sequence: int
    oldest_available_sequence: int
    """0: the gateway retains nothing."""


@dataclass(frozen=True, slots=True)
class BufferedData:
    """The changes of a buffered item since the last report, oldest first: as many values as qualities and times."""

    data_type: DataType | int
    values: tuple[Any, ...]
    qualities: tuple[int, ...]
    times_ns: tuple[int, ...]
    """Source times in nanoseconds since the Unix epoch."""


@dataclass(frozen=True, slots=True)
class EventHeader:
    """What an event says beside its value and times: mostly the same for all of an item's, which share it."""

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


@dataclass(slots=True)
class MxEvent:
    """One event. Times are nanoseconds since the Unix epoch, 0 when the gateway gave none."""

    # Not frozen: thousands are made a second, and a frozen one costs a third more.

    header: EventHeader
    worker_sequence: int
    """``worker_sequence``: contiguous in a session."""
    value: MxValueOutput = None
    source_time_ns: int = 0
    gateway_time_ns: int = 0
    received_at: float = 0.0
    """When it came here, in seconds of :func:`clock.monotonic`; 0 for one that did not come by a stream."""

    tag: str = ""
    """Of the item, for an event of a live session; one that comes before the reply that names its item has it as soon
    as that is here. Empty where nobody knows."""

    @property
    def family(self) -> EventFamily | int:
        """What it reports."""
        return self.header.family

    @property
    def server_handle(self) -> int:
        """Of the item; 0 where it is about none."""
        return self.header.server_handle

    @property
    def item_handle(self) -> int:
        """Of the item; 0 where it is about none."""
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
        """Signed, where the gateway gave one."""
        return self.header.hresult

    @property
    def raw_status(self) -> str:
        """What MXAccess said, where it could not be read."""
        return self.header.raw_status

    @property
    def replay_gap(self) -> ReplayGap | None:
        """Set when this stands for events that were lost; it has no body then."""
        return self.header.replay_gap

    @property
    def body(self) -> "BufferedData | AlarmTransition | AlarmProviderStatus | None":
        """What the families for buffered data and alarms carry; None for the others."""
        return self.header.body

    @property
    def source_timestamp(self) -> datetime | None:
        """When the source says the value was taken (UTC)."""
        return moment_of(self.source_time_ns)

    @property
    def gateway_receive_timestamp(self) -> datetime | None:
        """When the gateway got it (UTC, the gateway's clock)."""
        return moment_of(self.gateway_time_ns)

    @property
    def quality_word(self) -> str:
        """``good``, ``uncertain`` or ``bad``."""
        return quality_word(self.quality)

    @property
    def failed(self) -> bool:
        """True when a status says so; for ON_WRITE_COMPLETE that the write was refused."""
        return any(status.failed for status in self.statuses)
