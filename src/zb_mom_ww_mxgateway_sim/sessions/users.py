"""The galaxy's users, and their ids for one server handle."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.status import MxRefusal


@dataclass(frozen=True, slots=True)
class GalaxyUser:
    """A user of a galaxy that checks credentials. ``guid`` is the ArchestrA user id, if there is one."""

    name: str
    password: str = field(repr=False)
    guid: UUID | str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a user needs a name")
        if self.guid is not None:
            object.__setattr__(self, "guid", UUID(str(self.guid)))


class GalaxyUsers:
    """The users that may log in. None means a permissive galaxy: any name with any password."""

    def __init__(self, users: Iterable[GalaxyUser] | None) -> None:
        self._users = None if users is None else tuple(users)

    def authenticate(self, name: str, password: str) -> str:
        """Return the user's folded name. Raise MxRefusal, without the password, for a wrong name or password."""
        if self._users is None:
            return name.casefold()
        for user in self._users:
            if user.name.casefold() == name.casefold() and user.password == password:
                return name.casefold()
        raise MxRefusal(f"the galaxy does not know the user {name!r} with that password", status.E_ACCESSDENIED)

    def by_guid(self, text: str) -> str:
        """Return the folded name of an ArchestrA user id. Raise MxRefusal if it is malformed or unknown."""
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
    """User ids of a worker. Each belongs to one server handle and ends with it."""

    def __init__(self) -> None:
        self._last = 0
        self._by_server: dict[int, dict[int, str]] = {}

    def give(self, server_handle: int, name: str) -> int:
        """Return the user's id for this server handle: the existing one, or a new one."""
        known = self._by_server.setdefault(server_handle, {})
        for user_id, user in known.items():
            if user == name:
                return user_id
        self._last += 1
        known[self._last] = name
        return self._last

    def name(self, server_handle: int, user_id: int) -> str:
        """Return the user of an id. Raise MxRefusal 0x80004021 unless it is an id of this server handle."""
        found = self._by_server.get(server_handle, {}).get(user_id)
        if found is None:
            raise MxRefusal(f"user id {user_id} is not one of server handle {server_handle}", status.NOT_SECURED)
        return found

    def forget(self, server_handle: int) -> None:
        """Drop all ids of a server handle."""
        self._by_server.pop(server_handle, None)
