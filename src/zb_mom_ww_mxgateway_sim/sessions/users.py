"""The galaxy's users, and the ids that one server handle knows them by."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.status import MxRefusal


@dataclass(frozen=True, slots=True)
class GalaxyUser:
    """A user of a galaxy that asks for credentials. ``guid``: its ArchestrA user id, if it has one."""

    name: str
    password: str = field(repr=False)
    guid: UUID | str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a user needs a name")
        if self.guid is not None:
            object.__setattr__(self, "guid", UUID(str(self.guid)))


class GalaxyUsers:
    """Who may log in: those users; anyone with any password when there are none (a permissive galaxy)."""

    def __init__(self, users: Iterable[GalaxyUser] | None) -> None:
        self._users = None if users is None else tuple(users)

    def authenticate(self, name: str, password: str) -> str:
        """Who that is; MxRefusal, without the password, if the galaxy does not let them in."""
        if self._users is None:
            return name.casefold()
        for user in self._users:
            if user.name.casefold() == name.casefold() and user.password == password:
                return name.casefold()
        raise MxRefusal(f"the galaxy does not know the user {name!r} with that password", status.E_ACCESSDENIED)

    def by_guid(self, text: str) -> str:
        """Who has that ArchestrA user id; MxRefusal if it is no GUID or nobody's."""
        try:
            guid = UUID(text)
        except ValueError:
            raise MxRefusal(f"{text!r} is not a GUID") from None
        if self._users is None:
            return str(guid)
        for user in self._users:
            if user.guid == guid:
                return user.name.casefold()
        raise MxRefusal(f"no user of the galaxy has the id {guid}", status.E_ACCESSDENIED)


class UserIds:
    """A worker's user ids. Each belongs to the server handle that it was given to, and dies with it."""

    def __init__(self) -> None:
        self._last = 0
        self._by_server: dict[int, dict[int, str]] = {}

    def give(self, server_handle: int, name: str) -> int:
        """The user's id for this server handle: the one it has, or a new one."""
        known = self._by_server.setdefault(server_handle, {})
        for user_id, user in known.items():
            if user == name:
                return user_id
        self._last += 1
        known[self._last] = name
        return self._last

    def name(self, server_handle: int, user_id: int) -> str:
        """Whose id that is; MxRefusal 0x80004021 unless it is one of this server handle."""
        found = self._by_server.get(server_handle, {}).get(user_id)
        if found is None:
            raise MxRefusal(f"user id {user_id} is not one of server handle {server_handle}", status.NOT_SECURED)
        return found

    def forget(self, server_handle: int) -> None:
        """The server handle is gone, and its ids with it."""
        self._by_server.pop(server_handle, None)
