"""Outcomes of a write."""

from enum import Enum


class WriteOutcome(Enum):
    """Outcome of a write."""

    ACCEPTED = "accepted"
    """MXAccess took it, and its completion was not seen in time, or nothing waited for it any more."""
    COMPLETED = "completed"
    """OnWriteComplete came without an error."""
    REFUSED = "refused"
    """MXAccess refused it, at once or in OnWriteComplete."""
    UNKNOWN = "unknown"
    """It may or may not have happened, or may still happen for up to 75 s. It was not sent again."""
    NOT_SENT = "not sent"
    """Nothing was sent, and `error` says why. Only for one write among many; the error of a single one is raised."""
