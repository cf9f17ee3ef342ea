"""Users who are logged in on one connection, for secured and verified writes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession


@dataclass(frozen=True, slots=True)
class LoggedInUser:
    """A user with the id that a worker gave; no password is kept."""

    name: str
    user_id: int
    server_handle: int
    session_id: str
    """Session that gave the id: another one knows nothing of it."""


class LoggedInUsers:
    """Users of one live session. An id dies with its server handle and with its session."""

    def __init__(self, live: "LiveSession") -> None:
        self._live = live
        self._users: list[LoggedInUser] = []

    def add(self, name: str, user_id: int, server_handle: int, session_id: str) -> LoggedInUser:
        """Keep a user; the last one kept is the one who signs."""
        self.forget(name, server_handle)
        user = LoggedInUser(name, user_id, server_handle, session_id)
        self._users.append(user)
        return user

    def forget(self, name: str | None = None, server_handle: int | None = None) -> list[LoggedInUser]:
        """Forget the users of that name, or all; return them. MXAccess itself keeps an id until its server handle
        ends."""
        gone = [
            user
            for user in self._users
            if (name is None or user.name.casefold() == name.casefold()) and server_handle in (None, user.server_handle)
        ]
        self._users = [user for user in self._users if user not in gone]
        return gone

    def valid(self, server_handle: int | None = None) -> list[LoggedInUser]:
        """Return the users whose ids the worker still knows, the last one who logged in first."""
        servers = self._live.session.handles.servers
        return [
            user
            for user in reversed(self._users)
            if user.session_id == self._live.session.session_id
            and user.server_handle in servers
            and server_handle in (None, user.server_handle)
        ]

    def take_lost(self) -> list[LoggedInUser]:
        """Forget the users whose ids died with their session or server handle, and return them."""
        valid = self.valid()
        lost = [user for user in self._users if user not in valid]
        self._users = [user for user in self._users if user in valid]
        return lost
