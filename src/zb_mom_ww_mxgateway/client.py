"""A connected gateway client: the channel, the one place that makes calls, and the sessions opened on it."""

import asyncio
import itertools
import os
import re
import warnings
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import grpc
import grpc.aio
from grpc.experimental import ChannelOptions

from zb_mom_ww_mxgateway import arguments, auth, tls, wire
from zb_mom_ww_mxgateway.diagnosis import why_not_connected
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewayProtocolWarning,
    MxGatewayRefusedHereError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    error_of_grpc,
    may_have_run,
)
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.options import ClientOptions, OpenSessionOptions
from zb_mom_ww_mxgateway.reading import Arrived, EventBuffer, ReadingThread
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.streams import EventStream, MessageStream
from zb_mom_ww_mxgateway.version import GATEWAY_PROTOCOL_VERSION, __version__

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.alarms import ActiveAlarm, AlarmFeedItem
    from zb_mom_ww_mxgateway.galaxy import Galaxy
    from zb_mom_ww_mxgateway.guard import WriteGuard

T = TypeVar("T")

# gRPC servers end a connection that is pinged more often than this (too_many_pings).
_KEEPALIVE_MS = 300_000
# Seconds for closing a session that nobody wants any more.
_CLOSE_TIMEOUT = 5.0


class CommandObserver(Protocol):
    """Sees every command at the one place that sends them, typed or raw."""

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Just before it is sent; an MxGatewayError raised here keeps it from being sent."""

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """When its reply has come, whatever it says."""

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """When no reply came; `error` says whether it may have run."""


def channel_options(options: ClientOptions, trust: tls.Trust) -> list[tuple[str, Any]]:
    """The gRPC channel arguments for these options."""
    arguments: list[tuple[str, Any]] = [
        ("grpc.max_send_message_length", options.max_message_bytes),
        ("grpc.max_receive_message_length", options.max_message_bytes),
        ("grpc.enable_http_proxy", int(options.http_proxy)),
        # Nothing that may have been sent is ever sent again.
        ("grpc.enable_retries", 0),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        # A connection that broke is tried again soon, not after gRPC's minutes; and one that is idle stays.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.client_idle_timeout_ms", 2**31 - 1),
        # Otherwise a new channel inherits the back-off, and the connection, of an older one.
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.primary_user_agent", f"mxgw/{__version__}"),
    ]
    if trust.server_name is not None:
        arguments.append(("grpc.ssl_target_name_override", trust.server_name))
    return arguments


def make_channel(options: ClientOptions, trust: tls.Trust) -> grpc.aio.Channel:
    """An unconnected channel for the event loop: plaintext only when the options ask for it."""
    channel: grpc.aio.Channel = _channel(grpc.aio, options, channel_options(options, trust), trust)
    return channel


def make_reading_channel(options: ClientOptions, trust: tls.Trust) -> grpc.Channel:
    """An unconnected channel for a thread that reads one stream: no other thread works for it."""
    single = (ChannelOptions.SingleThreadedUnaryStream, 1)
    channel: grpc.Channel = _channel(grpc, options, [*channel_options(options, trust), single], trust)
    return channel


def _channel(api: Any, options: ClientOptions, arguments: list[tuple[str, Any]], trust: tls.Trust) -> Any:
    # With its scheme: a host by the name of one (unix, dns …) is a host all the same.
    target = f"dns:///{options.endpoint}"
    if trust.plaintext:
        return api.insecure_channel(target, options=arguments)
    return api.secure_channel(target, grpc.ssl_channel_credentials(trust.roots), options=arguments)


class GatewayClient:
    """A connected client. Made by :meth:`connect`; also an async context manager.

    Belongs to the event loop it was made on.
    """

    def __init__(self, options: ClientOptions, trust: tls.Trust, channel: grpc.aio.Channel) -> None:
        self.options = options
        self.trust = trust
        # In the order they came; not held, as a session that was attached is often just dropped.
        self._observers: weakref.WeakKeyDictionary[CommandObserver, None] = weakref.WeakKeyDictionary()
        self._channel = channel
        self._metadata = auth.metadata(options.api_key)
        # Weak: a stream that its reader dropped goes, and its call with it.
        self._streams: weakref.WeakSet[MessageStream[Any]] = weakref.WeakSet()
        self.handle_maps: dict[str, wire.HandleMap] = {}
        """By session id: for a session that goes on behind the handles of one that was lost."""
        self._correlation = (f"{os.urandom(4).hex()}-{number}" for number in itertools.count(1))
        self._closed = False

    @cached_property
    def galaxy(self) -> "Galaxy":
        """The galaxy behind this gateway."""
        from zb_mom_ww_mxgateway.galaxy import Galaxy  # A session needs none of it.

        return Galaxy(self)

    @classmethod
    async def connect(cls, options: ClientOptions | None = None, **names: Any) -> Self:
        """Connects, by :class:`ClientOptions` or by the same names as keywords, and makes a first call.

        Raises MxGatewayTransportError when the gateway cannot be reached or trusted and
        MxGatewayAuthenticationError when it does not accept the key. Cancelling leaves nothing open.
        """
        if options is None:
            options = ClientOptions(**names)
        elif names:
            raise MxGatewayArgumentError(f"options given twice: as an object and as {', '.join(names)}")
        try:
            async with asyncio.timeout(options.connect_timeout):
                trust = await tls.settle(options)
                client = cls(options, trust, make_channel(options, trust))
                try:
                    await client._first_call()
                except BaseException:
                    await client.close()
                    raise
        except TimeoutError:
            raise MxGatewayTransportError(
                f"cannot connect to {options.endpoint}: no answer within {options.connect_timeout:g} s; "
                f"check the address, the port and the firewall",
                endpoint=options.endpoint,
                call="connect",
            ) from None
        return client

    async def _first_call(self) -> None:
        """Proves that the gateway answers and takes the key; a key without metadata:read is good enough."""
        refused: MxGatewayAuthenticationError | None = None
        try:
            await self.unary(wire.TEST_CONNECTION, galaxy_pb.TestConnectionRequest(), call="connect")
        except (MxGatewayAuthorizationError, MxGatewayCommandError):
            pass
        except MxGatewayAuthenticationError as error:
            refused = error
        except MxGatewayTransportError as error:
            raise await why_not_connected(self.options, self.trust, error) from error
        # It answered, so this was the first use, whatever it thinks of the key.
        if self.trust.known and self.trust.is_first_use and self.options.remember_certificate:
            await asyncio.to_thread(tls.KnownGateways(self.options.known_gateways).remember, self.trust.known)
        if refused is not None:
            key = self.options.api_key
            raise MxGatewayAuthenticationError(
                f"no key: {self.options.endpoint} wants one (mxgw_<id>_<secret>); set MXGATEWAY_API_KEY, "
                f"or name a source with --api-key-env or --api-key-file"
                if key is None
                else f"{self.options.endpoint} does not accept the key {auth.redact_key(key)}: "
                f"check that it is whole, not revoked, and this gateway's",
                endpoint=refused.endpoint,
                call="connect",
                grpc_code=refused.grpc_code,
            ) from refused

    async def open_session(self, options: OpenSessionOptions | None = None) -> Session:
        """Opens a session: a worker process with one MXAccess object, until it is closed or its lease ends.

        When cancelled it closes the session that the gateway opens all the same, which takes a few seconds at most.
        """
        opening = asyncio.ensure_future(self.open_session_raw(options))
        try:
            session = Session(self, wire.session_info(await asyncio.shield(opening)), options)
        except asyncio.CancelledError:
            with suppress(MxGatewayError, TimeoutError):
                async with asyncio.timeout(_CLOSE_TIMEOUT):
                    await Session(self, wire.session_info(await opening)).close()
            raise
        await self._check_protocol(session)
        return session

    async def _check_protocol(self, session: Session) -> None:
        theirs = session.info.gateway_protocol_version
        if theirs == GATEWAY_PROTOCOL_VERSION or self.options.protocol_mismatch == "ignore":
            return
        text = (
            f"{self.options.endpoint} speaks gateway protocol version {theirs or 'unknown'}, this library "
            f"{GATEWAY_PROTOCOL_VERSION}: commands may fail or mean something else"
        )
        if self.options.protocol_mismatch == "warn":
            warnings.warn(text, MxGatewayProtocolWarning, stacklevel=3)
            return
        await session.close()
        raise MxGatewaySessionError(text, endpoint=self.options.endpoint, call="open_session")

    async def open_session_raw(self, options: OpenSessionOptions | None = None) -> pb.OpenSessionReply:
        """Opens a session and gives the gateway's message."""
        options = options or OpenSessionOptions()
        request = wire.open_session_request(
            options.client_session_name, self.next_correlation_id(), options.command_timeout
        )
        reply: pb.OpenSessionReply = await self.unary(wire.OPEN_SESSION, request, call="open_session")
        wire.raise_for_session_status(reply, call="open_session", said=self.said, endpoint=self.options.endpoint)
        return reply

    def attach(self, session_id: str) -> Session:
        """A session that was opened elsewhere, by its id. Makes no call; the handles known so far stay unknown here."""
        if not isinstance(session_id, str) or not session_id.strip():
            raise MxGatewayArgumentError("session_id must not be empty")
        return Session(self, wire.SessionInfo(session_id, "", 0, 0, 0, (), 0.0))

    def stream_alarms(self, prefix: str = "") -> "MessageStream[AlarmFeedItem]":
        """Alarms whose reference begins with `prefix`: those active now, a mark that these are all, the
        provider's status, then transitions as they come. Ends like any stream of this client."""
        request = wire.stream_alarms_request(arguments.sendable("prefix", prefix), self.next_correlation_id())
        return self.stream(wire.STREAM_ALARMS, request, call="stream_alarms", decode=wire.from_alarm_feed)

    def query_active_alarms(self, prefix: str = "") -> "MessageStream[ActiveAlarm]":
        """The alarms active now whose reference begins with `prefix`."""
        request = wire.query_active_alarms_request(arguments.sendable("prefix", prefix), self.next_correlation_id())
        return self.stream(wire.QUERY_ACTIVE_ALARMS, request, call="query_active_alarms", decode=wire.from_active_alarm)

    async def acknowledge_alarm(self, reference: str, comment: str = "", operator: str = "") -> None:
        """Acknowledges an alarm by its reference (``Galaxy!Area.Object.Alarm``) or GUID. Counts as a write:
        raises with ``outcome_unknown`` when it may have happened although no answer came."""
        from zb_mom_ww_mxgateway.alarms import check_reference  # A session needs none of it.

        request = wire.acknowledge_alarm_request(
            check_reference(reference),
            arguments.sendable("comment", comment),
            arguments.sendable("operator", operator),
            self.next_correlation_id(),
        )
        reply = await self.unary(wire.ACKNOWLEDGE_ALARM, request, call="acknowledge_alarm")
        wire.raise_for_status(
            reply,
            call="acknowledge_alarm",
            said=self.said,
            mutating=True,
            endpoint=self.options.endpoint,
            correlation_id=wire.correlation_of(request),
        )

    async def invoke(self, request: pb.MxCommandRequest, *, timeout: float | None = None) -> pb.MxCommandReply:
        """Sends one command and gives the reply as it came: the one place through which every command goes.

        A reply that says no is returned, not raised. Cancelling stops the waiting, not the command.
        Raises with ``outcome_unknown`` when a command that changes the plant may have run unanswered.
        """
        if not isinstance(request, pb.MxCommandRequest):
            raise MxGatewayArgumentError(f"request must be an MxCommandRequest, not {type(request).__name__}")
        reply: pb.MxCommandReply = await self.unary(wire.INVOKE, request, call=wire.kind_name(request), timeout=timeout)
        return reply

    async def unary(self, rpc: wire.Rpc, request: Any, *, call: str, timeout: float | None = None) -> Any:
        """One unary call, the one place that makes them: guarded, shown to the observers, with metadata, deadline and
        translated errors. `call` names it in errors."""
        self._check_open(call)
        mutating = wire.changes_plant(request)
        if mutating:
            if self.options.write_guard is not None:
                # What was allowed is what is sent, whatever becomes of the caller's message meanwhile.
                request = wire.copy_of(request)
                await self._ask_guard(self.options.write_guard, request, call)
                self._check_open(call)
            self._check_connected(request, call)
        if rpc is not wire.INVOKE:
            return await self._call(rpc, request, call, mutating, timeout)
        handles = self.handle_maps.get(wire.session_of(request))
        observers = self.observers
        try:
            for observer in observers:
                observer.sending(request)
            reply = await self._call(rpc, handles.to_gateway(request) if handles else request, call, mutating, timeout)
            if handles:
                handles.from_gateway(request, reply)
        except BaseException as error:
            for observer in observers:
                observer.failed(request, error)
            raise
        for observer in observers:
            observer.answered(request, reply)
        return reply

    async def _ask_guard(self, guard: "WriteGuard", request: Any, call: str) -> None:
        session_id = wire.session_of(request)
        from zb_mom_ww_mxgateway.guard import PendingWrite  # A session that writes nothing needs none of it.

        pending = PendingWrite(
            call=call,
            endpoint=self.options.endpoint,
            session_id=session_id,
            correlation_id=wire.correlation_of(request),
            entries=tuple(
                replace(entry, tag=self._tag(session_id, entry.server_handle, entry.item_handle))
                for entry in wire.pending_entries(request)
            ),
        )
        cause: Exception | None = None
        try:
            answer: object = await guard(pending)
        except Exception as error:
            answer, cause = f"the guard failed: {error}" if str(error) else f"the guard failed: {error!r}", error
        if answer is True:
            return
        if isinstance(answer, str) and answer:
            reason = self.said(answer)
        else:
            reason = "the write guard said no" if answer is False else f"the write guard answered {answer!r}, not True"
        raise MxGatewayRefusedHereError(
            f"refused here: {pending}: {reason}; nothing was sent",
            pending=pending,
            endpoint=self.options.endpoint,
            call=call,
            correlation_id=wire.correlation_of(request) or None,
        ) from cause

    def _tag(self, session_id: str, server_handle: int, item_handle: int) -> str:
        for observer in self.observers:
            if isinstance(observer, Session) and observer.session_id == session_id:
                item = observer.handles.items.get((server_handle, item_handle))
                return item.tag if item else ""
        return ""

    async def reconnected(self, timeout: float) -> bool:
        """Connects the channel again where it has let go, waiting at most `timeout` seconds; says whether it is
        connected."""
        try:
            async with asyncio.timeout(timeout):
                while (state := self._channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
                    await self._channel.wait_for_state_change(state)
        except (TimeoutError, grpc.aio.UsageError):
            return False
        return True

    def _check_connected(self, request: Any, call: str) -> None:
        """A call that changes the plant does not wait for a connection: who knows when it would be sent."""
        if self._channel.get_state() is grpc.ChannelConnectivity.READY:
            return
        self._channel.get_state(try_to_connect=True)
        raise MxGatewayTransportError(
            f"{call} at {self.options.endpoint}: not connected; nothing was sent",
            endpoint=self.options.endpoint,
            call=call,
            grpc_code="UNAVAILABLE",
            correlation_id=wire.correlation_of(request) or None,
        )

    async def _call(self, rpc: wire.Rpc, request: Any, call: str, mutating: bool, timeout: float | None) -> Any:
        method = self._channel.unary_unary(
            rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.decode
        )
        try:
            reply = await method(request, timeout=timeout or self.options.call_timeout, metadata=self._metadata)
        except (grpc.RpcError, grpc.aio.BaseError) as error:
            # Its cause is set; by a name here the error and its traceback would hold each other.
            raise self._translated(error, call, request, rpc.of_session, mutating)  # noqa: B904
        except asyncio.CancelledError:
            task = asyncio.current_task()
            # A call ended by close() looks to its caller like a cancelled task, which it is not.
            if not self._closed or (task and task.cancelling()):
                raise
            raise MxGatewayTransportError(
                f"{'outcome unknown: ' if mutating else ''}{call}: the client was closed before the answer came",
                endpoint=self.options.endpoint,
                call=call,
                correlation_id=wire.correlation_of(request) or None,
                outcome_unknown=mutating,
            ) from None

        if isinstance(reply, wire.Undecodable):
            raise self._undecodable(reply, call, mutating)
        return reply

    def stream(self, rpc: wire.Rpc, request: Any, *, call: str, decode: Callable[[Any], T]) -> MessageStream[T]:
        """One server stream, open from now on, with metadata and translated errors."""
        self._check_open(call)
        method = self._channel.unary_stream(
            rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.decode
        )

        def decoded(message: Any) -> T:
            if isinstance(message, wire.Undecodable):
                raise self._undecodable(message, call)
            return decode(message)

        stream: MessageStream[T] = MessageStream(
            method(request, metadata=self._metadata),
            decoded,
            self._stream_translation(call, request, rpc),
            self._streams.discard,
        )
        self._streams.add(stream)
        return stream

    def event_stream(
        self,
        session_id: str,
        after: int,
        decode: Callable[[Sequence[Arrived]], Sequence[T]],
        proof: pb.MxCommandRequest | None = None,
    ) -> EventStream[T]:
        """A session's event stream, open from now on, on a connection and in a thread of its own. `decode`
        makes what is yielded out of a message and its time of arrival (monotonic seconds). `proof` is a harmless
        command: its answer on the same connection proves that the gateway has taken the stream."""
        rpc, call = wire.STREAM_EVENTS, "stream_events"
        self._check_open(call)
        request = wire.stream_events_request(session_id, after)

        def start(buffer: EventBuffer) -> ReadingThread:
            channel = make_reading_channel(self.options, self.trust)
            method: Any = channel.unary_stream(rpc.path, request_serializer=rpc.request.SerializeToString)
            stream_call = method(request, metadata=self._metadata)
            proving = None
            if proof is not None:
                invoke: Any = channel.unary_unary(wire.INVOKE.path, wire.INVOKE.request.SerializeToString)
                # Without a deadline: a busy worker answers late, and the call ends with its channel.
                proving = invoke.future(proof, metadata=self._metadata)
            return ReadingThread(channel, stream_call, buffer, proving)

        def decoded(arrived: Sequence[Arrived]) -> Sequence[T]:
            try:
                return decode(arrived)
            except wire.DecodeError:
                raise self._undecodable(wire.Undecodable(arrived[0][1]), call) from None

        def gap(last: Arrived | None, first: Arrived) -> Arrived:
            at, data = first
            return at, wire.local_gap(session_id, last[1] if last else None, data, after)

        stream: EventStream[T] = EventStream(
            start,
            self.options.event_buffer_bytes,
            decoded,
            gap,
            self._stream_translation(call, request, rpc),
            self._streams.discard,
        )
        self._streams.add(stream)
        return stream

    def _stream_translation(self, call: str, request: Any, rpc: wire.Rpc) -> Callable[[Exception], Exception | None]:
        def translate(error: Exception) -> Exception | None:
            if isinstance(error, grpc.RpcError | grpc.aio.BaseError):
                return self._translated(error, call, request, rpc.of_session)
            return None

        return translate

    @property
    def observers(self) -> tuple[CommandObserver, ...]:
        """Who sees every command, in the order they came."""
        return tuple(self._observers)

    def observe(self, observer: CommandObserver) -> None:
        """Shows every command from now on to `observer`, as long as somebody else holds it."""
        self._observers[observer] = None

    def unobserve(self, observer: CommandObserver) -> None:
        """Shows it nothing any more. Idempotent."""
        self._observers.pop(observer, None)

    def next_correlation_id(self) -> str:
        """A correlation id of this client: the gateway logs it beside the call."""
        return next(self._correlation)

    def _check_open(self, call: str) -> None:
        if self._closed:
            raise MxGatewayTransportError(f"{call}: the client is closed", endpoint=self.options.endpoint, call=call)

    def _undecodable(self, reply: wire.Undecodable, call: str, mutating: bool = False) -> MxGatewayTransportError:
        return MxGatewayTransportError(
            f"{'outcome unknown: ' if mutating else ''}{call} at {self.options.endpoint}: {reply}",
            endpoint=self.options.endpoint,
            call=call,
            outcome_unknown=mutating,
        )

    def said(self, text: str) -> str:
        """What the other side said, fit to be shown: in one line, without the key."""
        return " ".join(auth.redact(text, self.options.api_key).split())

    def _translated(
        self, error: Exception, call: str, request: Any, of_session: bool, mutating: bool = False
    ) -> MxGatewayError:
        """The transport's failure as one of ours: one line, naming call and endpoint, without the key."""
        if isinstance(error, grpc.aio.AioRpcError):
            code, details = error.code().name, error.details() or ""
            unknown = mutating and may_have_run(code, details)
        else:
            # The channel was closed under the call, or gRPC refused to make it.
            code, details = "UNAVAILABLE", f"{type(error).__name__}: {error}"
            unknown = mutating
        kind = error_of_grpc(code, details, of_session=of_session)
        said = self.said(_in_words(details)) or "no reason given"
        translated = kind(
            f"{'outcome unknown: ' if unknown else ''}{call} at {self.options.endpoint}: {code} {said}",
            endpoint=self.options.endpoint,
            call=call,
            grpc_code=code,
            correlation_id=wire.correlation_of(request) or None,
            outcome_unknown=unknown,
        )
        # A traceback shows the cause too: not one that quotes the key.
        quoted = str(error)
        translated.__cause__ = error if auth.redact(quoted, self.options.api_key) == quoted else None
        # Its traceback holds the call, and that the connection, for as long as somebody keeps the error.
        error.__traceback__ = None
        return translated

    async def close(self) -> None:
        """Ends every stream and the connection. Idempotent. Sessions stay open until closed or expired."""
        if self._closed:
            return
        self._closed = True
        for stream in tuple(self._streams):
            await stream.aclose()
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<GatewayClient {self.options.endpoint}{' closed' if self._closed else ''}>"


def _in_words(details: str) -> str:
    """gRPC's long-winded words for a connection that nobody takes, cut to the reason; others as they are."""
    nobody = re.fullmatch(r"failed to connect to all addresses; .*: Failed to connect to remote host: (.+)", details)
    return f"no connection: {nobody[1]}" if nobody else details
