"""One MXAccess session: register, add items, advise, write, events."""

import asyncio
import logging
import warnings
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Self

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.commands.control import ControlCommands
from zb_mom_ww_mxgateway.commands.items import ItemCommands
from zb_mom_ww_mxgateway.commands.writes import WriteCommands
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayProtocolWarning,
    MxGatewaySessionError,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.models.handles import HandleChange, HandleTable
from zb_mom_ww_mxgateway.options import OpenSessionOptions
from zb_mom_ww_mxgateway.status import ProtocolStatusCode
from zb_mom_ww_mxgateway.system.log import SESSION, log
from zb_mom_ww_mxgateway.transport.calls import Transport
from zb_mom_ww_mxgateway.transport.reader_thread import Arrived
from zb_mom_ww_mxgateway.transport.streams import EventStream
from zb_mom_ww_mxgateway.version import GATEWAY_PROTOCOL_VERSION

# Seconds that a cancelled close still waits for the gateway's answer.
_CLOSE_TIMEOUT = 5.0


class Session(ItemCommands, WriteCommands, ControlCommands):
    """An open session. Made by ``client.open_session()``; also an async context manager, which closes it.

    Every command raises MxAccessError when MXAccess refuses it, MxGatewaySessionError when the session is
    gone or not ready, MxGatewayArgumentError (before anything is sent) for an argument that cannot be right.
    Cancelling a command stops the waiting, not the command. Every command takes a `timeout` in seconds; without one it
    is ``ClientOptions.call_timeout``. A write that is not answered in time has an unknown outcome.
    """

    def __init__(self, transport: Transport, info: wire.SessionInfo, options: OpenSessionOptions | None = None) -> None:
        super().__init__(transport, info.session_id)
        self.info = info
        self.options = options
        """How it was opened; None for a session that was attached, or opened by default."""
        self.handles = HandleTable()
        """Handles as the replies confirmed them, whichever way the commands were sent."""
        self.on_handle_changes: Callable[[Sequence[HandleChange]], None] = lambda changes: None
        """Told of every change of them, after it."""
        self._closing = asyncio.Lock()
        self._streams: weakref.WeakSet[EventStream[Any]] = weakref.WeakSet()
        transport.show_to(self)

    @classmethod
    async def open(
        cls, transport: Transport, options: OpenSessionOptions | None = None, *, timeout: float | None = None
    ) -> Self:
        """Opens a session, see :meth:`GatewayClient.open_session`."""
        opening = asyncio.ensure_future(open_session_raw(transport, options, timeout=timeout))
        try:
            session = cls(transport, wire.session_info(await asyncio.shield(opening)), options)
        except asyncio.CancelledError:
            with suppress(MxGatewayError, TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await cls(transport, wire.session_info(await opening)).close()
            raise
        try:
            session._check_protocol()
        except Exception:  # the warning too, where a program makes errors of warnings
            with suppress(MxGatewayError):
                await session.close()
            raise
        text = f"{session.session_id} opened at {transport.options.endpoint}"
        log(SESSION, logging.INFO, text, api_key=transport.options.api_key)
        return session

    def _check_protocol(self) -> None:
        theirs, options = self.info.gateway_protocol_version, self.transport.options
        if theirs == GATEWAY_PROTOCOL_VERSION or options.protocol_mismatch == "ignore":
            return
        text = (
            f"{options.endpoint} speaks gateway protocol version {theirs or 'unknown'}, this library "
            f"{GATEWAY_PROTOCOL_VERSION}: commands may fail or mean something else"
        )
        if options.protocol_mismatch == "warn":
            warnings.warn(text, MxGatewayProtocolWarning, stacklevel=4)  # Where the client is asked for a session.
            return
        raise MxGatewaySessionError(text, endpoint=options.endpoint, call="open_session")

    @property
    def session_id(self) -> str:
        """``session-`` and 32 hex digits."""
        return self.info.session_id

    # What a CommandObserver does: the handle table follows every reply, raw ones too.

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Part of observing the client's commands."""

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Part of observing the client's commands."""
        if wire.session_of(request) == self.session_id and (changes := wire.handle_changes(request, reply)):
            for change in changes:
                self.handles.apply(change)
            self.on_handle_changes(changes)

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Part of observing the client's commands."""

    # Events.

    def stream_events(self, *, after: int = 0) -> EventStream[MxEvent]:
        """The session's events as an async iterator; the stream opens now, so that nothing after is missed.

        `after` is the last sequence seen, to resume. A session has one stream: a second one raises
        MxGatewaySessionError when read. Cancelling the reading task, leaving the loop, ``aclose()`` or
        closing the session cancels the call.

        A thread reads it, so that the gateway's queue is drained even while the event loop is blocked. What it
        has read waits in ``ClientOptions.event_buffer_bytes``; when that is full the oldest events go, and one
        with a `replay_gap` of our own stands in their place.
        """
        return self._stream(after, wire.events_of)

    def stream_events_raw(self, *, after: int = 0) -> EventStream[pb.MxEvent]:
        """As :meth:`stream_events`, giving the messages."""
        return self._stream(after, wire.messages_of)

    def stream_events_proven(self, *, after: int = 0) -> EventStream[MxEvent]:
        """As :meth:`stream_events`; its ``attached()`` returns when the gateway has shown that it has taken it."""
        return self._stream(after, wire.events_of, self.request("ping"))

    def _stream(self, after: int, decode: Any, proof: pb.MxCommandRequest | None = None) -> EventStream[Any]:
        self._check_open("stream_events")
        if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**64:
            raise MxGatewayArgumentError(f"after must be a sequence number, not {after!r}")
        session_id, handle_maps = self.session_id, self.transport.handle_maps

        def decoded(arrived: Sequence[Arrived]) -> Any:
            handles = handle_maps.get(session_id)
            return decode(arrived, handles.event_from_gateway if handles else None)

        stream = self.transport.event_stream(session_id, after, decoded, proof)
        self._streams.add(stream)
        return stream

    def move(self, to: "Session", handles: wire.HandleMap) -> None:
        """Goes on as another session of the gateway, opened for it: who holds this object, and the handles it
        knows, goes on with them."""
        self.transport.unobserve(to)
        self.transport.handle_maps.pop(self.session_id, None)
        self.transport.handle_maps[to.session_id] = handles
        self.info, self._session_id = to.info, to.session_id
        self._streams.update(to._streams)

    # Closing.

    async def close(self, *, timeout: float | None = None) -> None:
        """Ends the event stream and closes the session at the gateway. Idempotent; safe from several tasks.

        A session the gateway no longer knows counts as closed. Raises MxGatewayTransportError when the
        gateway could not be told: it then ends the session itself when the lease runs out. Cancelling waits
        for the gateway's answer for a few seconds all the same.
        """
        async with self._closing:
            if self._closed:
                return
            self._closed = True
            for stream in tuple(self._streams):
                await stream.aclose()
            closing = asyncio.ensure_future(self.tell_closed(timeout=timeout))
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError:
                # Nobody will close it again: the answer is waited for, for a while. Who was cancelled is not told it.
                closing.add_done_callback(lambda done: done.cancelled() or done.exception())
                await asyncio.wait([closing], timeout=_CLOSE_TIMEOUT)
                raise
            except MxGatewaySessionError as error:
                if error.grpc_code != "NOT_FOUND" and error.protocol_status is not ProtocolStatusCode.SESSION_NOT_FOUND:
                    raise
            finally:
                log(SESSION, logging.INFO, f"{self.session_id} closed", api_key=self.transport.options.api_key)
                self.transport.unobserve(self)
                self.transport.handle_maps.pop(self.session_id, None)

    async def tell_closed(self, *, timeout: float | None = None) -> None:
        """Closes the session at the gateway, and nothing here. Raises MxGatewaySessionError when it knows none."""
        request = wire.close_session_request(self.session_id, self.transport.next_correlation_id())
        reply = await self.transport.unary(wire.CLOSE_SESSION, request, call="close_session", timeout=timeout)
        wire.raise_for_session_status(
            reply, call="close_session", said=self.transport.said, endpoint=self.transport.options.endpoint
        )

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


async def open_session_raw(
    transport: Transport, options: OpenSessionOptions | None = None, *, timeout: float | None = None
) -> pb.OpenSessionReply:
    """Opens a session and gives the gateway's message."""
    options = options or OpenSessionOptions()
    request = wire.open_session_request(
        options.client_session_name, transport.next_correlation_id(), options.command_timeout
    )
    reply: pb.OpenSessionReply = await transport.unary(wire.OPEN_SESSION, request, call="open_session", timeout=timeout)
    wire.raise_for_session_status(reply, call="open_session", said=transport.said, endpoint=transport.options.endpoint)
    return reply


def tag_of(observers: Iterable[object], session_id: str, server_handle: int, item_handle: int) -> str:
    """The tag behind handles; empty where none of the observers is a session that knows it."""
    for observer in observers:
        if isinstance(observer, Session) and observer.session_id == session_id:
            item = observer.handles.items.get((server_handle, item_handle))
            return item.tag if item else ""
    return ""
