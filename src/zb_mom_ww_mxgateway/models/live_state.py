"""States of a live session."""

from enum import Enum


class LiveState(Enum):
    """State of a live session, and with it of the values it holds."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    """The stream is lost and being resumed, or the gateway does not answer: values may be old."""
    REBUILDING = "rebuilding"
    """The session is lost: another one is being opened, and its items are restored."""
    CLOSED = "closed"
    """Closed here, or lost for good: see :attr:`LiveSession.lost`."""
