"""A lost session's registrations and items, had again in the session that takes its place."""

from collections.abc import Awaitable, Callable, Iterator, Sequence

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import MxGatewayCommandError
from zb_mom_ww_mxgateway.models.handles import HandleTable, Item
from zb_mom_ww_mxgateway.session import Session

_CHUNK = 1000


async def restore(table: HandleTable, link: SessionLink, handles: wire.HandleMap) -> dict[tuple[int, int], str]:
    """Registers, adds and advises on the session of `link` what `table` has, and binds its handles to the new ones.

    Returns, by the table's keys, why an item could not be had again. Raises what ends the whole: no
    connection, a session lost anew, a key that is refused.
    """
    session = Session(link)
    missing: dict[tuple[int, int], str] = {}
    for server, name in tuple(table.servers.items()):
        new = await session.register(name)
        handles.bind_server(server, new)
        if server in table.buffered_intervals:
            await session.set_buffered_update_interval(new, table.buffered_intervals[server])
        items = [item for item in table.items.values() if item.server_handle == server]
        await _Restoring(session, new, handles, missing).all_of(items)
    if table.alarm_subscription is not None:
        await link.send(link.repeat(table.alarm_subscription))
    return missing


class _Restoring:
    def __init__(
        self, session: Session, server: int, handles: wire.HandleMap, missing: dict[tuple[int, int], str]
    ) -> None:
        self._session = session
        self._server = server
        self._handles = handles
        self._missing = missing

    async def all_of(self, items: Sequence[Item]) -> None:
        plain = [item for item in items if not item.context and not item.buffered]
        for chunk in _chunks([item for item in plain if _usual(item)]):
            await self._bulk(self._session.subscribe_bulk, chunk)
        for chunk in _chunks([item for item in plain if not _usual(item)]):
            added = await self._bulk(self._session.add_item_bulk, chunk)
            for item, handle in added:
                await self._advise(item, handle)
        for item in items:
            if item.context or item.buffered:
                await self._single(item)

    async def _bulk(
        self, call: Callable[[int, Sequence[str]], Awaitable[list[wire.SubscribeResult]]], items: Sequence[Item]
    ) -> list[tuple[Item, int]]:
        had = []
        for item, result in zip(items, await call(self._server, [i.definition for i in items]), strict=True):
            if result.was_successful:
                self._handles.bind_item(item.server_handle, item.item_handle, result.item_handle)
                had.append((item, result.item_handle))
            else:
                self._missing[item.key] = result.error_message or "no reason given"
        return had

    async def _single(self, item: Item) -> None:
        add = self._session.add_buffered_item if item.buffered else self._session.add_item2
        try:
            handle = await add(self._server, item.definition, item.context)
        except MxGatewayCommandError as error:
            self._missing[item.key] = str(error)
            return
        self._handles.bind_item(item.server_handle, item.item_handle, handle)
        await self._advise(item, handle)

    async def _advise(self, item: Item, handle: int) -> None:
        if not item.advised:
            return
        advise = self._session.advise_supervisory if item.supervisory else self._session.advise
        try:
            await advise(self._server, handle)
            if item.suspended:
                await self._session.suspend(self._server, handle)
        except MxGatewayCommandError as error:
            self._missing[item.key] = str(error)


def _usual(item: Item) -> bool:
    """Whether one bulk call both adds and advises it."""
    return item.advised and not item.supervisory and not item.suspended


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
