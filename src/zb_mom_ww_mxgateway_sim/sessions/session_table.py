"""All sessions of a gateway: opened, found, closed, lost."""

import random
from collections.abc import Callable

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.runtime.refusal import Exhausted, SessionNotFound, StreamEnded
from zb_mom_ww_mxgateway_sim.runtime.task_owner import TaskOwner
from zb_mom_ww_mxgateway_sim.sessions.session import SimulatedSession

# So many closed ones can still be looked at.
_CLOSED_KEPT = 256


Make = Callable[[str, int], SimulatedSession]


class SessionTable:
    """Sessions by id. Closed ones stay to be looked at, the latest of them, but are not found by calls."""

    def __init__(self, background: TaskOwner, random_source: random.Random, limit: int) -> None:
        self._background = background
        self._random = random_source
        self._limit = limit
        self._process_id = 4000
        self.all: dict[str, SimulatedSession] = {}

    @property
    def live(self) -> list[SimulatedSession]:
        return [session for session in self.all.values() if session.state_number != pb.SESSION_STATE_CLOSED]

    def open(self, make: Make, start_time: float = 0.0) -> SimulatedSession:
        """A new session, READY after ``start_time`` seconds; ``make`` gets its id and its worker's process id.

        Exhausted: there are too many.
        """
        if len(self.live) >= self._limit:
            raise Exhausted(f"all {self._limit} sessions are in use")
        self._process_id += 4 * self._random.randint(1, 50)
        session_id = f"session-{self._random.getrandbits(128):032x}"
        session = make(session_id, self._process_id)
        self.all[session_id] = session
        self._trim()
        session.become_ready(start_time)
        self._background.start(session.run(), session_id)
        return session

    def find(self, session_id: str) -> SimulatedSession:
        """The session, not closed; NoSuchSession."""
        session = self.all.get(session_id)
        if session is None or session.state_number == pb.SESSION_STATE_CLOSED:
            raise SessionNotFound(f"no session {session_id}" if session_id else "no session id")
        return session

    def close_all(self, ended: StreamEnded) -> None:
        """Closes every session; nothing of them can be found again."""
        for session in self.live:
            session.close(ended)

    def _trim(self) -> None:
        closed = [key for key, session in self.all.items() if session.state_number == pb.SESSION_STATE_CLOSED]
        for key in closed[: max(0, len(closed) - _CLOSED_KEPT)]:
            del self.all[key]
