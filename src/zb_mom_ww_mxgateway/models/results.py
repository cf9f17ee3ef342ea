"""Results of calls: entries of bulk calls, facts about a session and its worker."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from zb_mom_ww_mxgateway.status import MxStatus, quality_word
from zb_mom_ww_mxgateway.values import MxValueOutput

_SESSION_ID = re.compile("session-[0-9a-f]{32}", re.IGNORECASE)


class SubscribeResult(NamedTuple):
    """Result of one entry of a bulk call."""

    server_handle: int
    tag_address: str
    item_handle: int
    was_successful: bool
    error_message: str


class BulkWriteResult(NamedTuple):
    """Result of one entry of a bulk write; successful means accepted."""

    server_handle: int
    item_handle: int
    was_successful: bool
    hresult: int | None
    statuses: tuple[MxStatus, ...]
    error_message: str


class ReadResult(NamedTuple):
    """Result of one entry of ``read_bulk``."""

    server_handle: int
    tag_address: str
    item_handle: int
    was_successful: bool
    was_cached: bool
    """True if the value is the last data change of an advised item."""
    value: MxValueOutput
    quality: int
    source_timestamp: datetime | None
    statuses: tuple[MxStatus, ...]
    error_message: str
    source_time_ns: int = 0
    """Nanoseconds since the Unix epoch, 0 for none; also of a time outside the calendar."""

    @property
    def quality_word(self) -> str:
        """``good``, ``uncertain`` or ``bad``."""
        return quality_word(self.quality)


class WorkerInfo(NamedTuple):
    """Worker process of a session."""

    worker_process_id: int
    worker_version: str
    mxaccess_version: str
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """Facts that the gateway reports when it opens a session."""

    session_id: str
    backend_name: str
    worker_process_id: int
    worker_protocol_version: int
    gateway_protocol_version: int
    capabilities: tuple[str, ...]
    default_command_timeout: float
    """Seconds."""


def is_session_id(text: str) -> bool:
    """Return whether a gateway may have given a session this id: ``session-`` and 32 hex digits."""
    return _SESSION_ID.fullmatch(text) is not None
