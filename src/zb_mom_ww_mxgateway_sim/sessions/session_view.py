"""Views of sessions for tests: state and items, never the worker."""

from dataclasses import dataclass

from zb_mom_ww_mxgateway_sim.sessions.session import GatewaySession


@dataclass(frozen=True, slots=True)
class SimulatedItem:
    """One item of a session, as it was when the list of items was read."""

    server_handle: int
    item_handle: int
    address: str
    advised: bool
    supervisory: bool
    suspended: bool
    buffered: bool


class SimulatedSession:
    """A live view of one session of the gateway."""

    def __init__(self, session: GatewaySession) -> None:
        self._session = session

    @property
    def session_id(self) -> str:
        """``session-`` and 32 hexadecimal digits."""
        return self._session.session_id

    @property
    def client_name(self) -> str:
        """Name that the client gave when it opened the session."""
        return self._session.client_name

    @property
    def state(self) -> str:
        """``READY``, ``FAULTED``, ``CLOSED`` and the states of a starting worker."""
        return self._session.state

    @property
    def attached(self) -> bool:
        """Whether an event stream is attached."""
        return self._session.attached

    @property
    def last_sequence(self) -> int:
        """Worker sequence of the newest event, delivered or not; 0 before the first."""
        return self._session.events.last_sequence

    @property
    def waiting_events(self) -> int:
        """Number of events in the queue of the attached stream; 0 without a stream."""
        subscriber = self._session.events.subscriber
        return 0 if subscriber is None else subscriber.waiting

    @property
    def items(self) -> list[SimulatedItem]:
        """Items of all server handles, in the order in which they were added to each."""
        return [
            SimulatedItem(
                item.server_handle,
                item.handle,
                item.address,
                item.advised,
                item.supervisory,
                item.suspended,
                item.buffer is not None,
            )
            for item in self._session.worker.items
        ]
