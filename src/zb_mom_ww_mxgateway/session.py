"""One MXAccess session: register, add items, advise, write, events."""

import asyncio
import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewaySessionError
from zb_mom_ww_mxgateway.events import MessageStream, MxEvent
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.handles import HandleTable
from zb_mom_ww_mxgateway.values import INT32, MxValueInput

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.client import GatewayClient

BULK_LIMIT = 10_000
"""Entries in one bulk call; far below the gateway's 16 MiB a message."""


class Session:
    """An open session. Made by ``client.open_session()``; also an async context manager, which closes it.

    Every command raises MxAccessError when MXAccess refuses it, MxGatewaySessionError when the session is
    gone or not ready, MxGatewayArgumentError (before anything is sent) for an argument that cannot be right.
    Cancelling a command stops the waiting, not the command.
    """

    def __init__(self, client: "GatewayClient", info: wire.SessionInfo) -> None:
        self.client = client
        self.info = info
        self.handles = HandleTable()
        """Handles as the replies confirmed them, whichever way the commands were sent."""
        self._closing = asyncio.Lock()
        self._closed = False
        self._streams: weakref.WeakSet[MessageStream[Any]] = weakref.WeakSet()
        client.observers.append(self)

    @property
    def session_id(self) -> str:
        """``session-`` and 32 hex digits."""
        return self.info.session_id

    # What a CommandObserver does: the handle table follows every reply, raw ones too.

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Part of observing the client's commands."""

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Part of observing the client's commands."""
        if wire.session_of(request) == self.session_id:
            for change in wire.handle_changes(request, reply):
                self.handles.apply(change)

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Part of observing the client's commands."""

    # Commands.

    async def register(self, client_name: str) -> int:
        """Registers a client name and returns its server handle."""
        reply = await self._run("register", client_name=_text("client_name", client_name))
        return wire.new_handle(reply, "register")

    async def unregister(self, server_handle: int) -> None:
        """Ends a registration, with all its items and user ids."""
        await self._run("unregister", server_handle=_handle("server_handle", server_handle))

    async def add_item(self, server_handle: int, item: str) -> int:
        """Adds an item by its address and returns its item handle. A name that does not exist succeeds too."""
        reply = await self._run(
            "add_item",
            server_handle=_handle("server_handle", server_handle),
            item_definition=_text("item", item),
        )
        return wire.new_handle(reply, "add_item")

    async def add_item2(self, server_handle: int, item: str, context: str) -> int:
        """Adds an item whose address is relative to `context`; returns its item handle."""
        reply = await self._run(
            "add_item2",
            server_handle=_handle("server_handle", server_handle),
            item_definition=_text("item", item),
            item_context=_text("context", context),
        )
        return wire.new_handle(reply, "add_item2")

    async def remove_item(self, server_handle: int, item_handle: int) -> None:
        """Removes an item."""
        await self._run("remove_item", **_item(server_handle, item_handle))

    async def advise(self, server_handle: int, item_handle: int) -> None:
        """Asks for the item's data changes; the first comes 3 to 8 s later on a fresh session."""
        await self._run("advise", **_item(server_handle, item_handle))

    async def unadvise(self, server_handle: int, item_handle: int) -> None:
        """Ends the item's data changes."""
        await self._run("un_advise", **_item(server_handle, item_handle))

    async def advise_supervisory(self, server_handle: int, item_handle: int) -> None:
        """Advises as a supervisory client: only then is a plain write's user id recorded."""
        await self._run("advise_supervisory", **_item(server_handle, item_handle))

    async def write(self, server_handle: int, item_handle: int, value: MxValueInput, user_id: int = 0) -> None:
        """Writes a value. Returning means *accepted*: the outcome is a later ON_WRITE_COMPLETE event.

        Raises with ``outcome_unknown`` when the write may have happened although no answer came; it is
        never sent again.
        """
        await self.send(self.write_request(server_handle, item_handle, value, user_id))

    async def add_item_bulk(self, server_handle: int, tag_addresses: Sequence[str]) -> list[wire.SubscribeResult]:
        """Adds many items: one result an entry, in input order; an entry's failure fails only itself."""
        return await self._bulk("add_item_bulk", server_handle, tag_addresses=_tags(tag_addresses))

    async def advise_item_bulk(self, server_handle: int, item_handles: Sequence[int]) -> list[wire.SubscribeResult]:
        """Advises many items: one result an entry, in input order."""
        return await self._bulk("advise_item_bulk", server_handle, item_handles=_handles(item_handles))

    async def remove_item_bulk(self, server_handle: int, item_handles: Sequence[int]) -> list[wire.SubscribeResult]:
        """Removes many items: one result an entry, in input order."""
        return await self._bulk("remove_item_bulk", server_handle, item_handles=_handles(item_handles))

    async def unadvise_item_bulk(self, server_handle: int, item_handles: Sequence[int]) -> list[wire.SubscribeResult]:
        """Unadvises many items: one result an entry, in input order."""
        return await self._bulk("un_advise_item_bulk", server_handle, item_handles=_handles(item_handles))

    async def subscribe_bulk(self, server_handle: int, tag_addresses: Sequence[str]) -> list[wire.SubscribeResult]:
        """Adds and advises many items: one result an entry, in input order; first values follow as events."""
        return await self._bulk("subscribe_bulk", server_handle, tag_addresses=_tags(tag_addresses))

    async def unsubscribe_bulk(self, server_handle: int, item_handles: Sequence[int]) -> list[wire.SubscribeResult]:
        """Unadvises and removes many items: one result an entry, in input order."""
        return await self._bulk("unsubscribe_bulk", server_handle, item_handles=_handles(item_handles))

    async def ping(self) -> None:
        """Asks the gateway for a sign of life from this session; renews its lease."""
        await self._run("ping")

    # Events.

    def stream_events(self, *, after: int = 0) -> MessageStream[MxEvent]:
        """The session's events as an async iterator; the stream opens now, so that nothing after is missed.

        `after` is the last sequence seen, to resume. A session has one stream: a second one raises
        MxGatewaySessionError when read. Cancelling the reading task, leaving the loop, ``aclose()`` or
        closing the session cancels the call.
        """
        return self._stream(after, wire.from_mx_event)

    def stream_events_raw(self, *, after: int = 0) -> MessageStream[pb.MxEvent]:
        """As :meth:`stream_events`, giving the messages."""
        return self._stream(after, lambda message: message)

    def _stream(self, after: int, decode: Any) -> MessageStream[Any]:
        self._check_open("stream_events")
        if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**64:
            raise MxGatewayArgumentError(f"after must be a sequence number, not {after!r}")
        request = wire.stream_events_request(self.session_id, after)
        stream = self.client.stream(wire.STREAM_EVENTS, request, call="stream_events", decode=decode)
        self._streams.add(stream)
        return stream

    # Sending.

    def write_request(
        self, server_handle: int, item_handle: int, value: MxValueInput, user_id: int = 0
    ) -> pb.MxCommandRequest:
        """The checked request of a :meth:`write`, for :meth:`send`."""
        return self.request(
            "write",
            **_item(server_handle, item_handle),
            value=wire.to_mx_value(value),
            user_id=_handle("user_id", user_id),
        )

    def request(self, kind: str, **fields: Any) -> pb.MxCommandRequest:
        """A request of this session for a command kind (``add_item``), with a correlation id of its own."""
        return wire.command_request(self.session_id, wire.command(kind, **fields), self.client.next_correlation_id())

    async def send(self, request: pb.MxCommandRequest) -> pb.MxCommandReply:
        """Sends a request of this session and raises what its reply says; returns an OK reply."""
        kind = wire.kind_name(request)
        self._check_open(kind)
        reply = await self.client.invoke(request)
        wire.raise_for_status(
            reply,
            call=kind,
            said=self.client.said,
            mutating=wire.is_mutating(request),
            endpoint=self.client.options.endpoint,
            correlation_id=wire.correlation_of(request),
        )
        return reply

    async def _run(self, kind: str, **fields: Any) -> pb.MxCommandReply:
        return await self.send(self.request(kind, **fields))

    async def _bulk(self, kind: str, server_handle: int, **entries: list[Any]) -> list[wire.SubscribeResult]:
        reply = await self._run(kind, server_handle=_handle("server_handle", server_handle), **entries)
        return wire.subscribe_results(reply, kind, len(next(iter(entries.values()))))

    def _check_open(self, call: str) -> None:
        if self._closed:
            raise MxGatewaySessionError(
                f"{call}: {self.session_id} was closed here", endpoint=self.client.options.endpoint, call=call
            )

    # Closing.

    async def close(self) -> None:
        """Ends the event stream and closes the session at the gateway. Idempotent; safe from several tasks.

        A session the gateway no longer knows counts as closed. Raises MxGatewayTransportError when the
        gateway could not be told: it then ends the session itself when the lease runs out.
        """
        async with self._closing:
            if self._closed:
                return
            self._closed = True
            for stream in tuple(self._streams):
                await stream.aclose()
            request = wire.close_session_request(self.session_id, self.client.next_correlation_id())
            try:
                reply = await self.client.unary(wire.CLOSE_SESSION, request, call="close_session")
                wire.raise_for_session_status(
                    reply, call="close_session", said=self.client.said, endpoint=self.client.options.endpoint
                )
            except MxGatewaySessionError:
                return
            finally:
                if self in self.client.observers:
                    self.client.observers.remove(self)

    @property
    def closed(self) -> bool:
        """True once :meth:`close` was called."""
        return self._closed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object, exc: BaseException | None, traceback: object) -> None:
        try:
            await self.close()
        except Exception as error:
            if exc is None:
                raise
            # The first error is the one to see; that closing failed too stands beside it.
            exc.add_note(f"and closing the session failed: {error}")

    def __repr__(self) -> str:
        return f"<Session {self.session_id}{' closed' if self._closed else ''}>"


def _text(name: str, value: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise MxGatewayArgumentError(f"{name} must be text that is not empty, not {value!r}")
    return value


def _handle(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= INT32[1]:
        raise MxGatewayArgumentError(f"{name} must be a whole number from 0 to {INT32[1]}, not {value!r}")
    return value


def _item(server_handle: int, item_handle: int) -> dict[str, int]:
    return {
        "server_handle": _handle("server_handle", server_handle),
        "item_handle": _handle("item_handle", item_handle),
    }


def _entries(name: str, values: Sequence[Any]) -> list[Any]:
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise MxGatewayArgumentError(f"{name} must be a list, not {type(values).__name__}")
    if not 1 <= len(values) <= BULK_LIMIT:
        raise MxGatewayArgumentError(f"{name} must have 1 to {BULK_LIMIT} entries, not {len(values)}")
    return list(values)


def _tags(values: Sequence[str]) -> list[str]:
    tags = _entries("tag_addresses", values)
    return [_text(f"tag_addresses[{index}]", tag) for index, tag in enumerate(tags)]


def _handles(values: Sequence[int]) -> list[int]:
    handles = _entries("item_handles", values)
    return [_handle(f"item_handles[{index}]", handle) for index, handle in enumerate(handles)]
