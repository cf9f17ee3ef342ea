"""The handles of one session: which server and item handles exist, and the tags behind them."""

from dataclasses import dataclass

from zb_mom_ww_mxgateway.wire import HandleChange


@dataclass(slots=True)
class Item:
    """One added item."""

    tag: str
    server_handle: int
    item_handle: int
    advised: bool = False

    @property
    def key(self) -> tuple[int, int]:
        return self.server_handle, self.item_handle


class HandleTable:
    """Server and item handles as the gateway's replies confirmed them, in the order they came."""

    def __init__(self) -> None:
        self.servers: dict[int, str] = {}
        """Client names by server handle."""
        self.items: dict[tuple[int, int], Item] = {}
        """Items by server and item handle."""

    def find(self, tag: str, server_handle: int | None = None) -> Item | None:
        """The item of a tag, in any letter case; an advised one where there are several."""
        folded = tag.casefold()
        found = [
            item
            for item in self.items.values()
            if item.tag.casefold() == folded and server_handle in (None, item.server_handle)
        ]
        return next((item for item in found if item.advised), found[0] if found else None)

    def apply(self, change: HandleChange) -> None:
        """Takes over one change."""
        key = change.server_handle, change.item_handle
        match change.what:
            case "registered":
                self.servers[change.server_handle] = change.name
            case "unregistered":
                self.servers.pop(change.server_handle, None)
                self.items = {k: item for k, item in self.items.items() if item.server_handle != change.server_handle}
            case "added":
                self.items[key] = Item(change.name, *key)
            case "removed":
                self.items.pop(key, None)
            case "advised" | "unadvised":
                if item := self.items.get(key):
                    item.advised = change.what == "advised"
