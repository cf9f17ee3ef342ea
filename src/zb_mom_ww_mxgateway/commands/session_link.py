"""This end of one session: what the library's own parts need of it, and its users do not."""

import asyncio
import logging
import warnings
import weakref
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Self

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayProtocolWarning,
    MxGatewaySessionError,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.models.handles import HandleChange, HandleTable
from zb_mom_ww_mxgateway.models.results import SessionInfo
from zb_mom_ww_mxgateway.options import OpenSessionOptions
from zb_mom_ww_mxgateway.status import ProtocolStatusCode
from zb_mom_ww_mxgateway.system.log import SESSION, log
from zb_mom_ww_mxgateway.transport.calls import Transport
from zb_mom_ww_mxgateway.transport.reader_thread import Arrived
from zb_mom_ww_mxgateway.transport.streams import EventStream
from zb_mom_ww_mxgateway.transport.urgency import Urgency
from zb_mom_ww_mxgateway.version import GATEWAY_PROTOCOL_VERSION

# Seconds that a cancelled close still waits for the gateway's answer.
_CLOSE_TIMEOUT = 5.0


class SessionLink:
    """Sends the commands of one session, opens its streams, follows its handles, and closes it.

    It observes the commands of its client itself: the handle table follows every reply, raw ones too.
    """

    def __init__(self, transport: Transport, info: SessionInfo, options: OpenSessionOptions | None = None) -> None:
        self.transport = transport
        self.info: SessionInfo = info
        self.options = options
        """How it was opened; None for a session that was attached, or opened by default."""
        self.handles: HandleTable = HandleTable()
        """Handles as the replies confirmed them, whichever way the commands were sent."""
        self.on_handle_changes: Callable[[Sequence[HandleChange]], None] = lambda changes: None
        """Called with every change of the handles, after it."""
        self.urgency: Urgency = Urgency()
        """Who waits for an event of its streams."""
        self.closed: bool = False
        """Whether :meth:`close` was called."""
        self._closing = asyncio.Lock()
        self._streams: weakref.WeakSet[EventStream[Any]] = weakref.WeakSet()
        transport.observers.add_weakly(self)

    @classmethod
    async def open(
        cls, transport: Transport, options: OpenSessionOptions | None = None, *, timeout: float | None = None
    ) -> Self:
        """Open a session, as ``GatewayClient.open_session`` does."""
        opening = asyncio.ensure_future(open_session_raw(transport, options, timeout=timeout))
        try:
            link = cls(transport, wire.session_info(await asyncio.shield(opening)), options)
        except asyncio.CancelledError:
            with suppress(MxGatewayError, TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await cls(transport, wire.session_info(await opening)).close()
            raise
        try:
            link._check_protocol()
        except Exception:  # the warning too, where a program makes errors of warnings
            with suppress(MxGatewayError):
                await link.close()
            raise
        link.log(SESSION, logging.INFO, f"{link.session_id} opened at {link.endpoint}")
        return link

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

    @property
    def endpoint(self) -> str:
        """Host and port of the gateway."""
        return self.transport.options.endpoint

    def log(self, logger: logging.Logger, level: int, text: str) -> None:
        """Log a line about this session, without the key."""
        log(logger, level, text, api_key=self.transport.options.api_key, stacklevel=3)

    # Commands.

    def request(self, /, kind: str, **fields: Any) -> pb.MxCommandRequest:
        """Make a request of this session for a command kind (``add_item``), with a new correlation id.

        `fields` are those of the command's message in the contract, unchecked. Send it with :meth:`send`, which raises
        what the reply says, or with ``client.invoke()``, which returns the reply as it came.
        """
        return wire.new_request(self.session_id, self.transport.next_correlation_id(), kind, fields)

    def repeat(self, command: Any) -> pb.MxCommandRequest:
        """Make a request of this session for a command (a message) that was sent before."""
        return wire.command_request(self.session_id, command, self.transport.next_correlation_id())

    async def send(self, request: pb.MxCommandRequest, *, timeout: float | None = None) -> pb.MxCommandReply:
        """Send a request of this session and return its reply, which is OK; raise what any other reply says.

        A password in the request is never in the error, even if the gateway quotes it. `timeout` is in seconds;
        without one it is ``ClientOptions.call_timeout``.
        """
        kind = wire.kind_name(request)
        self.check_open(kind)
        reply: pb.MxCommandReply = await self.transport.unary(wire.INVOKE, request, call=kind, timeout=timeout)
        known = {"endpoint": self.endpoint, "correlation_id": wire.correlation_of(request)}
        if not wire.is_ok(reply):
            wire.raise_for_status(
                reply,
                call=kind,
                printable=lambda text: self.transport.printable(text, wire.secret_of(request)),
                mutating=wire.is_mutating(request),
                **known,
            )
        wire.raise_for_contradiction(request, reply, **known)
        return reply

    async def run(self, kind: str, *, timeout: float | None, **fields: Any) -> pb.MxCommandReply:
        """Send a command of that kind, as :meth:`send` does."""
        return await self.send(self.request(kind, **fields), timeout=timeout)

    def check_open(self, call: str) -> None:
        """Raise MxGatewaySessionError where the session was closed here."""
        if self.closed:
            raise MxGatewaySessionError(f"{call}: {self.session_id} was closed here", endpoint=self.endpoint, call=call)

    # What a CommandObserver does.

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Do nothing: a handle is known when its reply is."""

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Follow the handles that the reply confirms."""
        if wire.session_of(request) == self.session_id and (changes := wire.handle_changes(request, reply)):
            for change in changes:
                self.handles.apply(change)
            self.on_handle_changes(changes)

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Do nothing: no reply confirms no handle."""

    # Events.

    def stream_events(self, *, after: int = 0) -> EventStream[MxEvent]:
        """Open the session's event stream now, as an async iterator of events.

        `after` is the last sequence seen, to resume. A session has one stream: a second one raises
        MxGatewaySessionError when read. Cancelling the reading task, leaving the loop, ``aclose()`` or closing the
        session cancels the call.

        A thread reads the stream, so that the gateway's queue is drained even while the event loop is blocked. What
        the thread has read waits in ``ClientOptions.event_buffer_bytes``; when that is full, the oldest events are
        dropped and one event with a `replay_gap` replaces them.
        """
        return self._stream(after, wire.deferred_events_of)

    def stream_events_raw(self, *, after: int = 0) -> EventStream[pb.MxEvent]:
        """Open the event stream as :meth:`stream_events` does, for the messages as they came."""
        return self._stream(after, wire.messages_of)

    def stream_events_proven(self, *, after: int = 0) -> EventStream[MxEvent]:
        """Open the event stream as :meth:`stream_events` does; its ``attached()`` returns when the gateway has it.

        One ping on the stream's own connection proves that.
        """
        return self._stream(after, wire.events_of, self.request("ping"))

    def _stream(self, after: int, decode: Any, proof: pb.MxCommandRequest | None = None) -> EventStream[Any]:
        self.check_open("stream_events")
        if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**64:
            raise MxGatewayArgumentError(f"after must be a sequence number, not {after!r}")
        session_id, handle_maps = self.session_id, self.transport.handle_maps
        is_first = True

        def decoded(arrived: Sequence[Arrived]) -> Any:
            nonlocal is_first
            if is_first:
                for message in wire.messages_of(arrived[:1], None):
                    self.transport.agreement.check_event(message, session_id)
                is_first = False
            handles = handle_maps.get(session_id)
            return decode(arrived, handles.event_from_gateway if handles else None)

        stream = self.transport.event_stream(session_id, after, decoded, proof, self.urgency)
        self._streams.add(stream)
        return stream

    # Its end, or its end at the gateway alone.

    def move(self, to: "SessionLink", handles: wire.HandleMap) -> None:
        """Go on as the session of another link, which was opened for it, behind the same handles."""
        self.transport.observers.remove(to)
        self.transport.handle_maps.pop(self.session_id, None)
        self.transport.handle_maps[to.session_id] = handles
        self.info = to.info
        self._streams.update(to._streams)

    async def close(self, *, timeout: float | None = None, missing_ok: bool = True) -> None:
        """End the event stream and close the session at the gateway. Idempotent; safe from several tasks.

        A session that the gateway no longer knows counts as closed; without `missing_ok` that raises
        MxGatewaySessionError. Raises MxGatewayTransportError when the gateway
        could not be told: it then ends the session itself when the lease runs out. Cancelling waits a few seconds
        for the gateway's answer all the same.
        """
        async with self._closing:
            if self.closed:
                return
            self.closed = True
            for stream in tuple(self._streams):
                await stream.aclose()
            closing = asyncio.ensure_future(self.close_at_gateway(timeout=timeout))
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError:
                # Nothing will close it again, so the answer is awaited for a while. The cancelled caller never sees it.
                closing.add_done_callback(lambda done: done.cancelled() or done.exception())
                await asyncio.wait([closing], timeout=_CLOSE_TIMEOUT)
                raise
            except MxGatewaySessionError as error:
                is_missing = error.grpc_code == "NOT_FOUND" or (
                    error.protocol_status is ProtocolStatusCode.SESSION_NOT_FOUND
                )
                if not (is_missing and missing_ok):
                    raise
            finally:
                self.log(SESSION, logging.INFO, f"{self.session_id} closed")
                self.transport.observers.remove(self)
                self.transport.handle_maps.pop(self.session_id, None)

    async def close_at_gateway(self, *, timeout: float | None = None) -> None:
        """Close the session at the gateway, and nothing here. Raises MxGatewaySessionError when it knows none."""
        request = wire.close_session_request(self.session_id, self.transport.next_correlation_id())
        reply = await self.transport.unary(wire.CLOSE_SESSION, request, call="close_session", timeout=timeout)
        wire.raise_for_session_status(
            reply, call="close_session", printable=self.transport.printable, endpoint=self.endpoint
        )


async def open_session_raw(
    transport: Transport, options: OpenSessionOptions | None = None, *, timeout: float | None = None
) -> pb.OpenSessionReply:
    """Open a session and return the gateway's message."""
    options = options or OpenSessionOptions()
    request = wire.open_session_request(
        options.client_session_name, transport.next_correlation_id(), options.command_timeout
    )
    reply: pb.OpenSessionReply = await transport.unary(wire.OPEN_SESSION, request, call="open_session", timeout=timeout)
    # Before the session's first command: numbers that mean something else there could make it another one.
    transport.agreement.check_opening(reply)
    wire.raise_for_session_status(
        reply, call="open_session", printable=transport.printable, endpoint=transport.options.endpoint
    )
    transport.agreement.is_shown = True
    return reply


def tag_of(observers: Iterable[object], session_id: str, server_handle: int, item_handle: int) -> str:
    """Return the tag behind handles; empty where none of the observers is a session that knows it."""
    for observer in observers:
        if isinstance(observer, SessionLink) and observer.session_id == session_id:
            item = observer.handles.items.get((server_handle, item_handle))
            return item.tag if item else ""
    return ""
