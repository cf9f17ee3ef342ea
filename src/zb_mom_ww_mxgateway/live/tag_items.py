"""Items by the names of tags: whatever is missing is registered, added and advised."""

import asyncio
from collections.abc import Callable, Sequence

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import MxGatewayCommandError
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.tag_names import tag_key

_CLIENT_NAME = "zb-mom-ww-mxgateway"
# Tags that are added and advised in one call.
_CHUNK = 1_000


class TagItems:
    """Adds and advises tags of one session, and removes them."""

    def __init__(self, session: Session, raise_if_closed: Callable[[], None]) -> None:
        """`raise_if_closed` raises where the session is over; it is called before a registration."""
        self._session = session
        self._raise_if_closed = raise_if_closed
        self._registering = asyncio.Lock()
        self._advising = asyncio.Lock()

    async def subscribe_tags(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float | None = None
    ) -> list[Item]:
        """Add and advise the tags that are not yet, in as few calls as possible; return an item for each, in order.

        Without `server_handle`, an item on any server handle will do, and others are added on the first; where there is
        none, it registers. `timeout` is in seconds for each call. Raises MxGatewayCommandError naming every tag that
        was refused; the others are advised all the same.
        """
        found, refused = await self.advise_tags(tags, server_handle, timeout=timeout)
        if refused:
            named = ", ".join(f"{tag} ({reason})" for tag, reason in refused.items())
            raise MxGatewayCommandError(f"refused: {named}", call="subscribe_bulk")
        return [found[tag] for tag in tags]

    async def advise_tags(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float | None = None
    ) -> tuple[dict[str, Item], dict[str, str]]:
        """Add and advise tags as :meth:`subscribe_tags` does; return items by tag, and reasons of refusal by tag.

        The keys are the tags as they were given.
        """
        names: dict[str, str] = {}
        for tag in arguments.tags(tags) if isinstance(tags, str) or tags else ():
            names.setdefault(tag_key(tag), tag)
        if not names:
            return {}, {}
        handles = self._session.handles
        refused: dict[str, str] = {}
        # One after another: two at the same time would both add the tag.
        async with self._advising:
            known = {key: handles.find(tag, server_handle) for key, tag in names.items()}
            new = [tag for key, tag in names.items() if known[key] is None]
            server = await self.registered(server_handle, timeout) if new else 0
            for start in range(0, len(new), _CHUNK):
                chunk = new[start : start + _CHUNK]
                results = await self._session.subscribe_bulk(server, chunk, timeout=timeout)
                for tag, result in zip(chunk, results, strict=True):
                    if result.was_successful:
                        known[tag_key(tag)] = handles.items[server, result.item_handle]
                    else:
                        refused[tag_key(tag)] = result.error_message or "no reason given"
            idle = [item for item in known.values() if item is not None and not item.advised]
            for item in idle:
                await self._session.advise(*item.key, timeout=timeout)
        found = {tag: had for tag in tags if (had := known[tag_key(tag)]) is not None}
        return found, {tag: refused[tag_key(tag)] for tag in tags if tag_key(tag) in refused}

    async def unsubscribe_tags(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float | None = None
    ) -> None:
        """Unadvise and remove the items of tags, on every server handle or on one; their callbacks end.

        A tag without an item is skipped. `timeout` is in seconds for each call. Raises MxGatewayCommandError naming
        every tag that was refused; the others are removed all the same.
        """
        names = arguments.tags(tags) if isinstance(tags, str) or tags else ()
        by_server: dict[int, dict[int, str]] = {}
        for tag in names:
            for item in self._session.handles.items_of(tag, server_handle):
                by_server.setdefault(item.server_handle, {})[item.item_handle] = item.tag
        refused = []
        for server, items in by_server.items():
            wanted = list(items)
            for start in range(0, len(wanted), _CHUNK):
                chunk = wanted[start : start + _CHUNK]
                results = await self._session.unsubscribe_bulk(server, chunk, timeout=timeout)
                for handle, result in zip(chunk, results, strict=True):
                    if not result.was_successful:
                        refused.append(f"{items[handle]} ({result.error_message or 'no reason given'})")
        if refused:
            raise MxGatewayCommandError(f"refused: {', '.join(refused)}", call="unsubscribe_bulk")

    async def registered(self, server_handle: int | None, timeout: float | None = None) -> int:
        """Return a server handle: the given one, the first there is, or one that is registered now."""
        if server_handle is not None:
            return arguments.whole("server_handle", server_handle)
        self._raise_if_closed()
        async with self._registering:
            for first in self._session.handles.servers:
                return first
            options = self._session.options
            name = (options.client_session_name if options else "") or _CLIENT_NAME
            return await self._session.register(name, timeout=timeout)
