"""States, statuses and qualities that the gateway and MXAccess report."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class ProtocolStatusCode(IntEnum):
    """The gateway's own status in a reply."""

    UNSPECIFIED = 0
    OK = 1
    INVALID_REQUEST = 2
    SESSION_NOT_FOUND = 3
    SESSION_NOT_READY = 4
    WORKER_UNAVAILABLE = 5
    TIMEOUT = 6
    CANCELED = 7
    PROTOCOL_VIOLATION = 8
    MXACCESS_FAILURE = 9


class SessionState(IntEnum):
    """States of a session, in order; FAULTED can only become CLOSED."""

    UNSPECIFIED = 0
    CREATING = 1
    STARTING_WORKER = 2
    WAITING_FOR_PIPE = 3
    HANDSHAKING = 4
    INITIALIZING_WORKER = 5
    READY = 6
    CLOSING = 7
    CLOSED = 8
    FAULTED = 9


class StatusCategory(IntEnum):
    """``MxStatusCategory`` of MXAccess (the native value plus 2)."""

    UNSPECIFIED = 0
    UNKNOWN = 1
    OK = 2
    PENDING = 3
    WARNING = 4
    COMMUNICATION_ERROR = 5
    CONFIGURATION_ERROR = 6
    OPERATIONAL_ERROR = 7
    SECURITY_ERROR = 8
    SOFTWARE_ERROR = 9
    OTHER_ERROR = 10


class StatusSource(IntEnum):
    """``MxStatusSource`` of MXAccess: the component that detected the status (the native value plus 2)."""

    UNSPECIFIED = 0
    UNKNOWN = 1
    REQUESTING_LMX = 2
    RESPONDING_LMX = 3
    REQUESTING_NMX = 4
    RESPONDING_NMX = 5
    REQUESTING_AUTOMATION_OBJECT = 6
    RESPONDING_AUTOMATION_OBJECT = 7


@dataclass(frozen=True, slots=True)
class MxStatus:
    """One MXSTATUS_PROXY.

    A number that the enums do not know stays a plain ``int``. ``success`` is COM's number, not a
    boolean; :attr:`failed` goes by the category.
    """

    category: StatusCategory | int
    detected_by: StatusSource | int
    detail: int
    success: int = 0
    diagnostic_text: str = ""
    raw_category: int = 0
    raw_detected_by: int = 0

    @property
    def failed(self) -> bool:
        """Whether the category means an error; UNSPECIFIED and UNKNOWN do not."""
        return self.category >= StatusCategory.COMMUNICATION_ERROR

    def __str__(self) -> str:
        words = f"{name_of(self.category)}, detected by {name_of(self.detected_by)}, detail {self.detail}"
        return f"{words} ({self.diagnostic_text})" if self.diagnostic_text else words


def first_failed(statuses: Iterable[MxStatus]) -> MxStatus | None:
    """Return the first status that means an error; None if none does."""
    return next((status for status in statuses if status.failed), None)


def name_of(value: IntEnum | int) -> str:
    """Return the name of an enum member, or an unknown number as text."""
    return value.name if isinstance(value, IntEnum) else str(value)


def quality_word(quality: int) -> str:
    """Return ``good``, ``uncertain`` or ``bad`` for an OPC quality byte (192 and above, 64 to 191, below)."""
    if quality >= 192:
        return "good"
    return "uncertain" if quality >= 64 else "bad"


def hresult_text(hresult: int) -> str:
    """Return the usual spelling of a signed hresult: -2147024809 is ``0x80070057``."""
    return f"0x{hresult & 0xFFFFFFFF:08X}"
