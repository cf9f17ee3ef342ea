"""Server and item handles of one session, and their tags."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from zb_mom_ww_mxgateway.tag_names import tag_key


@dataclass(slots=True)
class Item:
    """One added item."""

    tag: str
    server_handle: int
    item_handle: int
    advised: bool = False
    definition: str = ""
    """Item definition as it was added; `tag` is the context and the definition."""
    context: str = ""
    buffered: bool = False
    supervisory: bool = False
    """Whether the advise is supervisory."""
    suspended: bool = False

    @property
    def key(self) -> tuple[int, int]:
        """Server handle and item handle."""
        return self.server_handle, self.item_handle


class HandleChange(NamedTuple):
    """One change to a session's handles, confirmed by a reply."""

    what: Literal[
        "registered",
        "unregistered",
        "added",
        "removed",
        "advised",
        "unadvised",
        "suspended",
        "activated",
        "buffered_interval",
        "alarms",
    ]
    server_handle: int
    item_handle: int = 0
    name: str = ""
    """Name of the client, or tag of the item."""
    definition: str = ""
    context: str = ""
    buffered: bool = False
    supervisory: bool = False
    milliseconds: int = 0
    command: object = None
    """For alarms: the command that subscribes (a message); None after unsubscribing."""


class HandleTable:
    """Server and item handles that the gateway's replies confirmed, in order of arrival."""

    def __init__(self) -> None:
        self.servers: dict[int, str] = {}
        """Client names by server handle."""
        self.items: dict[tuple[int, int], Item] = {}
        """Items by server and item handle."""
        self.buffered_intervals: dict[int, int] = {}
        """Buffered update intervals in milliseconds, by server handle, if set."""
        self.alarm_subscription: object = None
        """The command (a message) that subscribed the session to alarms; None if it is not subscribed."""
        self.highest: dict[int, int] = {}
        """Highest item handle ever, by server handle; under key 0 the highest server handle."""
        self._by_tag: dict[str, dict[tuple[int, int], Item]] = {}

    def find(self, tag: str, server_handle: int | None = None) -> Item | None:
        """Return the item of a tag, in any letter case; of several items an advised one."""
        found = None
        for item in self._by_tag.get(tag_key(tag), {}).values():
            if server_handle in (None, item.server_handle):
                if item.advised:
                    return item
                found = found or item
        return found

    def items_of(self, tag: str, server_handle: int | None = None) -> list[Item]:
        """Return all items of a tag, in any letter case, on every server handle or on one."""
        same = self._by_tag.get(tag_key(tag), {}).values()
        return [item for item in same if server_handle in (None, item.server_handle)]

    def drop(self, keys: Iterable[tuple[int, int]]) -> None:
        """Forget items."""
        for key in tuple(keys):
            if item := self.items.pop(key, None):
                same = self._by_tag[tag_key(item.tag)]
                del same[key]
                if not same:
                    del self._by_tag[tag_key(item.tag)]

    def apply(self, change: HandleChange) -> None:
        """Apply one change."""
        key = change.server_handle, change.item_handle
        item = self.items.get(key)
        match change.what:
            case "registered":
                self.servers[change.server_handle] = change.name
                self._count(0, change.server_handle)
            case "unregistered":
                self.servers.pop(change.server_handle, None)
                self.buffered_intervals.pop(change.server_handle, None)
                self.drop([key for key in self.items if key[0] == change.server_handle])
            case "added":
                if item is not None:
                    self.drop([key])
                item = Item(
                    change.name,
                    *key,
                    definition=change.definition or change.name,
                    context=change.context,
                    buffered=change.buffered,
                )
                self.items[key] = item
                self._by_tag.setdefault(tag_key(item.tag), {})[key] = item
                self._count(*key)
            case "removed":
                self.drop([key])
            case "advised" | "unadvised" if item:
                item.advised = change.what == "advised"
                item.supervisory = change.supervisory
                # A new advise ends a suspension.
                item.suspended = item.suspended and item.advised
            case "suspended" | "activated" if item:
                item.suspended = change.what == "suspended"
            case "buffered_interval":
                self.buffered_intervals[change.server_handle] = change.milliseconds
            case "alarms":
                self.alarm_subscription = change.command

    def _count(self, of: int, handle: int) -> None:
        self.highest[of] = max(handle, self.highest.get(of, 0))
