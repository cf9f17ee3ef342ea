"""Events of a session."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from zb_mom_ww_mxgateway.alarms import AlarmProviderStatus, AlarmTransition
from zb_mom_ww_mxgateway.status import MxStatus, quality_word
from zb_mom_ww_mxgateway.values import DataType, MxValueOutput, moment_of


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


@dataclass(slots=True)
class MxEvent:
    """One event. Times are nanoseconds since the Unix epoch, 0 when the gateway gave none."""

    # Not frozen: thousands are made a second, and a frozen one costs a third more.

    family: EventFamily | int
    sequence: int
    """``worker_sequence``: contiguous in a session."""
    server_handle: int
    item_handle: int
    value: MxValueOutput
    quality: int
    source_time_ns: int
    gateway_time_ns: int
    statuses: tuple[MxStatus, ...] = ()
    data_type: DataType | int = DataType.UNSPECIFIED
    variant_type: str = ""
    hresult: int | None = None
    raw_status: str = ""
    replay_gap: ReplayGap | None = None
    body: BufferedData | AlarmTransition | AlarmProviderStatus | None = None
    """What the families for buffered data and alarms carry; None for the others."""
    received_at: float = 0.0
    """When it came here, in seconds of ``time.monotonic()``; 0 for one that did not come by a stream."""

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
