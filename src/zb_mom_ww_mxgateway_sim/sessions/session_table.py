"""All sessions of a gateway: opened, found and closed."""

import random
from collections.abc import Iterable
from dataclasses import replace

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.runtime.errors import Exhausted, SessionNotFound, StreamEnded
from zb_mom_ww_mxgateway_sim.runtime.task_owner import TaskOwner
from zb_mom_ww_mxgateway_sim.sessions.items import PlantAccess
from zb_mom_ww_mxgateway_sim.sessions.session import GatewaySession, SessionOptions
from zb_mom_ww_mxgateway_sim.sessions.users import GalaxyUser, GalaxyUsers

# Number of closed sessions whose state can still be read.
_CLOSED_KEPT = 256


class SessionTable:
    """Sessions by id. The latest closed ones stay here, but no call finds them."""

    def __init__(
        self,
        background: TaskOwner,
        plant: PlantAccess,
        users: Iterable[GalaxyUser] | None,
        options: SessionOptions,
        limit: int,
    ) -> None:
        """Start without a session. ``limit`` is the largest number of open ones. ``users``: see ``GalaxyUsers``."""
        self._background = background
        self._plant = plant
        self._users = GalaxyUsers(users)
        self._options = options
        self._limit = limit
        # Without a seed: a session id must differ from those of an earlier run.
        self._random = random.Random()
        self._process_id = 4000
        self.all: dict[str, GatewaySession] = {}

    @property
    def live(self) -> list[GatewaySession]:
        """Sessions that are not closed."""
        return [session for session in self.all.values() if session.state_number != pb.SESSION_STATE_CLOSED]

    def open(self, client_name: str, command_timeout: float = 0.0) -> GatewaySession:
        """Open a session and start its worker. Time-out 0 means the gateway's default. Raise Exhausted at the limit."""
        if len(self.live) >= self._limit:
            raise Exhausted(f"all {self._limit} sessions are in use")
        self._process_id += 4 * self._random.randint(1, 50)
        session_id = f"session-{self._random.getrandbits(128):032x}"
        options = replace(self._options, command_timeout=command_timeout or self._options.command_timeout)
        session = GatewaySession(session_id, client_name, self._plant, self._users, options, self._process_id)
        self.all[session_id] = session
        self._trim()
        session.start()
        self._background.start(session.run(), session_id)
        return session

    def find(self, session_id: str) -> GatewaySession:
        """Return the session. Raise SessionNotFound if there is none or it is closed."""
        session = self.all.get(session_id)
        if session is None or session.state_number == pb.SESSION_STATE_CLOSED:
            raise SessionNotFound(f"no session {session_id}" if session_id else "no session id")
        return session

    def close_all(self, ended: StreamEnded) -> None:
        """Close every session; their streams end with ``ended``."""
        for session in self.live:
            session.close(ended)

    def _trim(self) -> None:
        closed = [key for key, session in self.all.items() if session.state_number == pb.SESSION_STATE_CLOSED]
        for key in closed[: max(0, len(closed) - _CLOSED_KEPT)]:
            del self.all[key]
