"""Rebuilds a lost session: another one is opened, and its registrations and items are restored there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import (
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCommandError,
    MxGatewayContractError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.live.hub import EventHub
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.models.handles import HandleTable, Item
from zb_mom_ww_mxgateway.models.results import SubscribeResult
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.system.log import SESSION
from zb_mom_ww_mxgateway.transport.streams import EventStream

SILENCES = 2
"""Calls in a row without an answer after which the connection of the commands is given up."""
# Seconds for closing what is left of a session.
_CLOSE_TIMEOUT = 2.0
# Items of one bulk call.
_CHUNK = 1000


class SessionRebuilder:
    """Opens another session in place of a lost one, behind the same link and the same handles."""

    def __init__(self, hub: EventHub, link: SessionLink) -> None:
        self._hub = hub
        self._link = link
        self._lost_at = 0.0

    async def rebuild(
        self, error: MxGatewayError, pause: Callable[[], Awaitable[None]], answer_timeout: float
    ) -> EventStream[MxEvent]:
        """Return the event stream of the new session; `error` is what the old one was lost to.

        It tries until it succeeds, with a `pause` between attempts. Where the old session does not answer a second
        time, in `answer_timeout` seconds, the connection of the commands is replaced first.

        Raises what no attempt can mend: a refused key, a gateway of another contract, and that the session was closed
        here meanwhile.
        """
        self._lost_at = clock.monotonic()
        self._hub.set_rebuilding(error)
        self._link.transport.lost_sessions.add(self._link.session_id)
        silences = 0
        while True:
            try:
                return await self._build(answer_timeout)
            except (MxGatewayAuthenticationError, MxGatewayAuthorizationError, MxGatewayContractError):
                raise
            except MxGatewayError as failed:
                if self._link.closed:
                    raise
                self._link.log(SESSION, logging.INFO, f"{self._link.session_id}: not rebuilt yet: {failed}")
                self._hub.set_rebuilding(failed)
                silences = silences + 1 if failed.grpc_code == "DEADLINE_EXCEEDED" else 0
                if silences >= SILENCES:
                    silences = 0
                    self._link.transport.renew_channel(failed)
            await pause()

    async def _build(self, answer_timeout: float) -> EventStream[MxEvent]:
        """Open another session with everything the lost one had; return its stream."""
        await self._close_remains(answer_timeout)
        client, table = self._link.transport, self._link.handles
        began = clock.monotonic()
        new = await SessionLink.open(client, self._link.options)
        try:
            new.urgency = self._link.urgency
            # Its thread reads from now on; the events are looked at when the handles are known.
            stream = new.stream_events_proven()
            handles = wire.HandleMap(dict(table.highest))
            missing = await restore(table, new, handles)
            if self._link.closed:
                raise MxGatewaySessionError("the live session was closed")
        except BaseException:
            with suppress(MxGatewayError, TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await new.close()
            raise
        former = self._link.session_id
        self._link.move(new, handles)
        self._hub.note_rebuilt(former, missing, self._lost_at, began)
        return stream

    async def _close_remains(self, answer_timeout: float) -> None:
        """Close the lost session at the gateway: a faulted one still holds a worker.

        Where the gateway does not answer, the connection of the commands may be dead: it is replaced before another
        session is asked for on it.
        """
        for seconds in (_CLOSE_TIMEOUT, answer_timeout):
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    with suppress(MxGatewayError):
                        await self._link.close_at_gateway()
                    return
        self._link.transport.renew_channel(no_answer_to_commands(self._link.endpoint))


def no_answer_to_commands(endpoint: str) -> MxGatewayTransportError:
    """Make the error for a connection of the commands that is open but dead."""
    return MxGatewayTransportError(
        f"ping at {endpoint}: no answer to {SILENCES} signs of life on the connection of the commands: "
        f"another one is made",
        endpoint=endpoint,
        call="ping",
        grpc_code="DEADLINE_EXCEEDED",
    )


async def restore(table: HandleTable, link: SessionLink, handles: wire.HandleMap) -> dict[tuple[int, int], str]:
    """Register, add and advise on the session of `link` what `table` has, and bind its handles to the new ones.

    Return, by the keys of the table, why items could not be restored. Raises what ends the whole: no connection, a
    session that is lost again, a refused key.
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
        self, call: Callable[[int, Sequence[str]], Awaitable[list[SubscribeResult]]], items: Sequence[Item]
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
    """Return whether one bulk call both adds and advises it."""
    return item.advised and not item.supervisory and not item.suspended


def _chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]
