"""Observers of a client: what they are told, as plain facts without values, keys or passwords."""

from dataclasses import dataclass
from typing import Literal

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.models.live_state import LiveState
from zb_mom_ww_mxgateway.models.write_outcome import WriteOutcome


@dataclass(frozen=True, kw_only=True, slots=True)
class CallFacts:
    """A call, or a stream, that has ended."""

    endpoint: str
    name: str
    """The RPC or command kind: ``open_session``, ``write_bulk``, ``stream_events`` …"""
    rpc: str
    """Path of the RPC: ``/mxaccess_gateway.v1.MxAccessGateway/Invoke``."""
    started_at: float
    """Seconds since the Unix epoch."""
    duration: float
    """Seconds until it ended."""
    code: str
    """Name of the gRPC status: ``OK``, ``UNAVAILABLE``, ``CANCELLED`` … A reply that refuses a command is OK, too."""
    correlation_id: str
    """As in the gateway's log; empty for a call without one."""
    mutating: bool
    """Whether it may have changed the plant."""
    streaming: bool = False
    """Whether it is a stream, which ends when it is closed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionFacts:
    """A change of a client's connection."""

    endpoint: str
    change: Literal["connected", "failed", "replaced", "closed"]
    """*Failed* is an attempt to connect; *replaced* a connection that was open but dead."""
    error: MxGatewayError | None = None
    """Why it failed or was replaced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionFacts:
    """A change of state of a live session."""

    endpoint: str
    session_id: str
    state: LiveState
    lost: MxGatewayError | None = None
    """Why the stream or the session was lost, while it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GapFacts:
    """Events that a live session has lost."""

    endpoint: str
    session_id: str
    lost_events: int
    """Events lost, as far as the sequences tell; 0 for an unknown number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RebuildFacts:
    """A session that took the place of a lost one."""

    endpoint: str
    former_session_id: str
    session_id: str
    duration: float
    """Seconds from the loss until its items were restored."""
    missing: int
    """Items that could not be restored."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteFacts:
    """The outcome of a write, or of those entries of one bulk write that have the same outcome."""

    endpoint: str
    kind: str
    """The RPC or command kind: ``write``, ``write_secured_bulk``, ``acknowledge_alarm`` …"""
    outcome: WriteOutcome
    """As far as the call waited for it: *accepted* where it did not wait for the completion."""
    count: int
    """Entries with this outcome; 1 for a single write."""
    correlation_id: str
    duration: float
    """Seconds since the call was made, the write guard's included."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFacts:
    """A batch of events that an event stream has handed over."""

    endpoint: str
    session_id: str
    count: int
    """Events in the batch; at least 1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QueueFacts:
    """Lengths of the queues of a live session."""

    endpoint: str
    session_id: str
    buffered: int
    """Messages that were read and not taken in yet."""
    buffered_bytes: int
    """Their bytes, of ``ClientOptions.event_buffer_bytes``."""
    queued: int
    """Events that wait in the queues of all subscriptions."""


class ClientObserver:
    """Base class of an observer of a client, for ``ClientOptions.observers``: override what you want to be told.

    Its methods are called on the client's event loop and must not block. One that raises changes no call: the error
    is logged, the first time only. More methods, and more facts, may be added.
    """

    _has_raised: bool = False

    def call_ended(self, facts: CallFacts) -> None:
        """Take a call or a stream that has ended. The current :mod:`contextvars` are those of its caller.

        A stream that is dropped without being closed is not told.
        """

    def connection_changed(self, facts: ConnectionFacts) -> None:
        """Take a change of the connection."""

    def session_changed(self, facts: SessionFacts) -> None:
        """Take a change of state of a live session."""

    def gap(self, facts: GapFacts) -> None:
        """Take a loss of events, a lost session included."""

    def rebuilt(self, facts: RebuildFacts) -> None:
        """Take the rebuilding of a lost session, when it is done."""

    def write_ended(self, facts: WriteFacts) -> None:
        """Take the outcome of a write. Every write is told once, also one that was not sent."""

    def events_received(self, facts: EventFacts) -> None:
        """Take a batch of events of any event stream, at most some hundred times a second."""

    def queue_lengths(self, facts: QueueFacts) -> None:
        """Take the queues of a live session, once a second while it is open, and empty ones at its end."""
