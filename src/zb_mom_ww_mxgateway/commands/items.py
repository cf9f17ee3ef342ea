"""Commands of a session for registrations, items and their data changes.

For example::

    for result in await session.subscribe_bulk(server, ["TestChildObject.TestBool", "TestChildObject.TestFloat"]):
        print(result.tag_address, result.item_handle if result.was_successful else result.error_message)
    for reading in await session.read_bulk(server, ["TestChildObject.TestInt", "No.Such"]):
        print(reading.value, reading.quality_word, "cached" if reading.was_cached else "read")
"""

from collections.abc import Sequence
from typing import Any

from zb_mom_ww_mxgateway import arguments, wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.models.results import ReadResult, SubscribeResult
from zb_mom_ww_mxgateway.status import MxStatus


class ItemCommands:
    """Registers, adds, advises and removes, one by one and in bulk."""

    def __init__(self, link: SessionLink) -> None:
        self._link = link

    async def register(self, client_name: str, *, timeout: float | None = None) -> int:
        """Register a client name and return its server handle."""
        reply = await self._link.run(
            "register", timeout=timeout, client_name=arguments.text("client_name", client_name)
        )
        return wire.new_handle(reply, "register")

    async def unregister(self, server_handle: int, *, timeout: float | None = None) -> None:
        """End a registration, with all its items and user ids."""
        await self._link.run(
            "unregister", timeout=timeout, server_handle=arguments.whole("server_handle", server_handle)
        )

    async def add_item(self, server_handle: int, item: str, *, timeout: float | None = None) -> int:
        """Add an item by its address and return its item handle. A name that does not exist succeeds too."""
        reply = await self._link.run(
            "add_item",
            timeout=timeout,
            server_handle=arguments.whole("server_handle", server_handle),
            item_definition=arguments.text("item", item),
        )
        return wire.new_handle(reply, "add_item")

    async def add_item2(self, server_handle: int, item: str, context: str, *, timeout: float | None = None) -> int:
        """Add an item whose address is relative to `context`; return its item handle."""
        return await self._add_in_context("add_item2", server_handle, item, arguments.text("context", context), timeout)

    async def add_buffered_item(
        self, server_handle: int, item: str, context: str = "", *, timeout: float | None = None
    ) -> int:
        """Add an item whose changes come in batches (ON_BUFFERED_DATA_CHANGE); return its item handle.

        The batches come at the interval that is set for the server handle.
        """
        return await self._add_in_context(
            "add_buffered_item", server_handle, item, arguments.sendable("context", context), timeout
        )

    async def _add_in_context(
        self, kind: str, server_handle: int, item: str, context: str, timeout: float | None
    ) -> int:
        reply = await self._link.run(
            kind,
            timeout=timeout,
            server_handle=arguments.whole("server_handle", server_handle),
            item_definition=arguments.text("item", item),
            item_context=context,
        )
        return wire.new_handle(reply, kind)

    async def set_buffered_update_interval(
        self, server_handle: int, milliseconds: int, *, timeout: float | None = None
    ) -> None:
        """Set the interval, in milliseconds, at which buffered items of a server handle report."""
        await self._link.run(
            "set_buffered_update_interval",
            timeout=timeout,
            server_handle=arguments.whole("server_handle", server_handle),
            update_interval_milliseconds=arguments.whole("milliseconds", milliseconds, 1),
        )

    async def remove_item(self, server_handle: int, item_handle: int, *, timeout: float | None = None) -> None:
        """Remove an item."""
        await self._link.run("remove_item", timeout=timeout, **arguments.item(server_handle, item_handle))

    async def advise(self, server_handle: int, item_handle: int, *, timeout: float | None = None) -> None:
        """Ask for the item's data changes; the first comes 3 to 8 s later on a fresh session."""
        await self._link.run("advise", timeout=timeout, **arguments.item(server_handle, item_handle))

    async def unadvise(self, server_handle: int, item_handle: int, *, timeout: float | None = None) -> None:
        """End the item's data changes."""
        await self._link.run("un_advise", timeout=timeout, **arguments.item(server_handle, item_handle))

    async def advise_supervisory(self, server_handle: int, item_handle: int, *, timeout: float | None = None) -> None:
        """Advise as a supervisory client: only then is a plain write's user id recorded."""
        await self._link.run("advise_supervisory", timeout=timeout, **arguments.item(server_handle, item_handle))

    async def suspend(self, server_handle: int, item_handle: int, *, timeout: float | None = None) -> MxStatus:
        """Suspend the item's data changes; return MXAccess's status of it. Its held value is stale."""
        return wire.item_status(
            await self._link.run("suspend", timeout=timeout, **arguments.item(server_handle, item_handle)), "suspend"
        )

    async def activate(self, server_handle: int, item_handle: int, *, timeout: float | None = None) -> MxStatus:
        """Resume a suspended item's data changes; return MXAccess's status of it."""
        return wire.item_status(
            await self._link.run("activate", timeout=timeout, **arguments.item(server_handle, item_handle)), "activate"
        )

    async def add_item_bulk(
        self, server_handle: int, tag_addresses: Sequence[str], *, timeout: float | None = None
    ) -> list[SubscribeResult]:
        """Add many items: one result an entry, in input order; an entry's failure fails only itself."""
        return await self._bulk("add_item_bulk", server_handle, timeout, tag_addresses=arguments.tags(tag_addresses))

    async def advise_item_bulk(
        self, server_handle: int, item_handles: Sequence[int], *, timeout: float | None = None
    ) -> list[SubscribeResult]:
        """Advise many items: one result an entry, in input order."""
        return await self._bulk(
            "advise_item_bulk", server_handle, timeout, item_handles=arguments.handles(item_handles)
        )

    async def remove_item_bulk(
        self, server_handle: int, item_handles: Sequence[int], *, timeout: float | None = None
    ) -> list[SubscribeResult]:
        """Remove many items: one result an entry, in input order."""
        return await self._bulk(
            "remove_item_bulk", server_handle, timeout, item_handles=arguments.handles(item_handles)
        )

    async def unadvise_item_bulk(
        self, server_handle: int, item_handles: Sequence[int], *, timeout: float | None = None
    ) -> list[SubscribeResult]:
        """Unadvise many items: one result an entry, in input order."""
        return await self._bulk(
            "un_advise_item_bulk", server_handle, timeout, item_handles=arguments.handles(item_handles)
        )

    async def subscribe_bulk(
        self, server_handle: int, tag_addresses: Sequence[str], *, timeout: float | None = None
    ) -> list[SubscribeResult]:
        """Add and advise many items: one result an entry, in input order; first values follow as events."""
        return await self._bulk("subscribe_bulk", server_handle, timeout, tag_addresses=arguments.tags(tag_addresses))

    async def unsubscribe_bulk(
        self, server_handle: int, item_handles: Sequence[int], *, timeout: float | None = None
    ) -> list[SubscribeResult]:
        """Unadvise and remove many items: one result an entry, in input order."""
        return await self._bulk(
            "unsubscribe_bulk", server_handle, timeout, item_handles=arguments.handles(item_handles)
        )

    async def _bulk(
        self, kind: str, server_handle: int, timeout: float | None, **entries: list[Any]
    ) -> list[SubscribeResult]:
        request = self._link.request(kind, server_handle=arguments.whole("server_handle", server_handle), **entries)
        return wire.subscribe_results(request, await self._link.send(request, timeout=timeout))

    async def read_bulk(
        self, server_handle: int, tag_addresses: Sequence[str], timeout_ms: int = 0, *, timeout: float | None = None
    ) -> list[ReadResult]:
        """Read many tags: one result an entry, in input order.

        An advised item answers from its last data change (`was_cached`); any other is added, advised, awaited and
        removed again. `timeout_ms` is in milliseconds for one tag; 0 is the worker's default. `timeout` is in seconds
        for the whole call: by default, ``ClientOptions.call_timeout`` and `timeout_ms`.
        """
        request = self._link.request(
            "read_bulk",
            server_handle=arguments.whole("server_handle", server_handle),
            tag_addresses=arguments.tags(tag_addresses),
            timeout_ms=arguments.whole("timeout_ms", timeout_ms, 0, 3_600_000),
        )
        whole_call = self._link.transport.options.call_timeout + timeout_ms / 1000 if timeout is None else timeout
        reply = await self._link.send(request, timeout=whole_call)
        return wire.read_results(request, reply)
