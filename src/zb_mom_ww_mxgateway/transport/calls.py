"""Calls of a client: guarded, observed, with metadata and deadlines, and with errors translated."""

import asyncio
import itertools
import os
import weakref
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

import grpc
import grpc.aio

from zb_mom_ww_mxgateway import arguments, auth, wire
from zb_mom_ww_mxgateway.contract.adoption import bind
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayTransportError,
    readable,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.system.process_limits import check_descriptors, too_few_descriptors
from zb_mom_ww_mxgateway.transport import tls
from zb_mom_ww_mxgateway.transport.agreement import Agreement
from zb_mom_ww_mxgateway.transport.call_errors import (
    ended_here,
    not_connected,
    printable,
    session_lost,
    translated,
    undecodable,
)
from zb_mom_ww_mxgateway.transport.call_log import (
    LoggedCall,
    LoggedStream,
    log_answered_write,
    log_failed_write,
    log_unseen_writes,
)
from zb_mom_ww_mxgateway.transport.channels import make_channel, make_reading_channel
from zb_mom_ww_mxgateway.transport.client_observers import ReportedWrite, WriteReports, tell_of_connection
from zb_mom_ww_mxgateway.transport.command_channel import CommandChannel, HomeLoop
from zb_mom_ww_mxgateway.transport.guarding import GuardedCall, Guarding
from zb_mom_ww_mxgateway.transport.observers import CommandObserver, Observers
from zb_mom_ww_mxgateway.transport.reader_thread import Arrived, EventBuffer, ReadingThread
from zb_mom_ww_mxgateway.transport.sent_calls import FOLLOWER
from zb_mom_ww_mxgateway.transport.streams import EventStream, MessageStream
from zb_mom_ww_mxgateway.transport.urgency import Urgency

T = TypeVar("T")


class Transport:
    """Makes every call of one client, on its channels."""

    def __init__(
        self,
        options: ClientOptions,
        trust: tls.Trust,
        channel: CommandChannel,
        tag_of: Callable[[Iterable[CommandObserver], str, int, int], str] = lambda *_: "",
    ) -> None:
        """`tag_of` finds the tag behind a session's handles among the observers, for the write guard."""
        # Its messages are those of one contract from now on.
        bind()
        self.options = options
        self.trust: tls.Trust = trust
        self.channel: CommandChannel = channel
        self.observers: Observers = Observers()
        tags = partial(tag_of, self.observers)
        self.guarding: Guarding = Guarding(lambda: self.options.write_guard, options.endpoint, tags, self.printable)
        self._reports = WriteReports(lambda: self.options)
        self._metadata = auth.metadata(options.api_key)
        # Weak: a stream that its reader dropped goes, and its call with it.
        self._streams: weakref.WeakSet[MessageStream[Any]] = weakref.WeakSet()
        self.handle_maps: dict[str, wire.HandleMap] = {}
        """Handle maps by session id, of sessions that go on behind the handles of a lost one."""
        self.lost_sessions: set[str] = set()
        """Ids of sessions that have been, or are being, replaced; their handles are invalid."""
        self.turns: dict[str, Callable[[], Awaitable[float]]] = {}
        """By correlation id of a write that waits for its turn: waits, and returns the seconds left for its call."""
        self.failed_at: float = float("-inf")
        """When a call last found no connection or lost it, in seconds of :func:`clock.monotonic`; for a moment after it
        the channel may still seem connected."""
        # Once: asking the system for each call takes longer than the rest of its id.
        self._name = os.urandom(8).hex()
        self._numbers = itertools.count(1)
        self._closed = False
        self._home = HomeLoop()
        channel.join(self)
        self.agreement: Agreement = Agreement(options.endpoint)

    async def unary(self, rpc: wire.Rpc, request: Any, *, call: str, timeout: float | None = None) -> Any:
        """Make a unary call: guarded, shown to the observers, with metadata, deadline and translated errors.

        This is the one place that makes them. `call` names it in errors.
        """
        self.check_open(call)
        if timeout is not None:
            arguments.seconds("timeout", timeout)
        if not wire.changes_plant(request):
            return await self._sent(rpc, request, call, timeout)
        try:
            with self._reports.reported(request, call) as write:
                send = partial(self._ready_and_sent, rpc, call, timeout, write)
                write.reply = reply = await self.guarding.run(request, call, send)
        except BaseException as error:
            if (follower := FOLLOWER.get()) is not None:
                follower.failed(request, error)
            if isinstance(error, MxGatewayError):
                log_failed_write(self.options, call, request, error)
            raise
        if (follower := FOLLOWER.get()) is not None:
            follower.answered(request, reply)
        log_answered_write(self.options, call, request, reply)
        return reply

    async def _ready_and_sent(
        self,
        rpc: wire.Rpc,
        call: str,
        timeout: float | None,
        write: ReportedWrite,
        request: Any,
        guarded: GuardedCall,
    ) -> Any:
        write.guarded = guarded
        self.check_open(call)
        if not self.agreement.is_shown:
            await self._prove(rpc, request, call)
        if turn := self.turns.get(wire.correlation_of(request)):
            # From here to the call nothing is awaited: the turn is this write's.
            timeout = min(await turn(), timeout or self.options.call_timeout)
            self.check_open(call)
        self._check_connected(request, call)
        return await self._sent(rpc, request, call, timeout, guarded)

    async def _sent(
        self, rpc: wire.Rpc, request: Any, call: str, timeout: float | None, guarded: GuardedCall | None = None
    ) -> Any:
        mutating = guarded is not None
        if rpc is not wire.INVOKE:
            if guarded:
                guarded.check()
                guarded.begin(request)
            reply = await self._call(rpc, request, call, mutating, timeout)
            self.agreement.check_fit(reply, call, mutating=mutating)
            return reply
        session_id = wire.session_of(request)
        handles = self.handle_maps.get(session_id)
        observers = tuple(self.observers)
        if guarded:
            # Before the observers: to them the value that the guard judges is from before this write.
            guarded.check()
        try:
            for observer in observers:
                observer.sending(request)
            if guarded:
                self._check_not_lost(request, call)
                guarded.begin(request)
            reply = await self._call(rpc, handles.to_gateway(request) if handles else request, call, mutating, timeout)
            self.agreement.check_reply(request, reply, call, mutating=mutating)
            if session_id in self.lost_sessions and wire.concerns_handles(request, reply):
                raise session_lost(self.options, call, request, "during the call; its effect died with it")
            if handles:
                handles.from_gateway(request, reply)
        except BaseException as error:
            for observer in observers:
                observer.failed(request, error)
            raise
        for observer in observers:
            observer.answered(request, reply)
        return reply

    async def _prove(self, rpc: wire.Rpc, request: Any, call: str) -> None:
        """Nothing that changes the plant goes to a gateway that may take it for something else."""
        if rpc is wire.INVOKE:
            await self.agreement.prove(request, call, self._ask, self.next_correlation_id(), self.printable)
        else:
            # Empty: it asks for all alarms however its fields are numbered.
            alarms = wire.query_active_alarms_request("", "")
            timeout = self.options.call_timeout
            await self.agreement.prove_alarms(
                call,
                lambda: self.stream(
                    wire.QUERY_ACTIVE_ALARMS, alarms, call="query_active_alarms", decode=lambda m: m, timeout=timeout
                ),
            )
        self.check_open(call)

    async def _ask(self, rpc: wire.Rpc, request: Any, call: str) -> Any:
        self._check_connected(request, call)
        return await self._call(rpc, request, call, False, None)

    async def invoke(self, request: pb.MxCommandRequest, *, timeout: float | None = None) -> pb.MxCommandReply:
        """Send one command and return the reply as it came: the one place through which every command goes.

        A reply that says no is returned, not raised. Cancelling stops the waiting, not the command. `timeout` is in
        seconds; without one it is the `call_timeout` of the options.
        Raises with ``outcome_unknown`` when a command that changes the plant may have run unanswered.
        """
        if not isinstance(request, pb.MxCommandRequest):
            raise MxGatewayArgumentError(f"request must be an MxCommandRequest, not {type(request).__name__}")
        reply: pb.MxCommandReply = await self.unary(wire.INVOKE, request, call=wire.kind_name(request), timeout=timeout)
        return reply

    @property
    def closed(self) -> bool:
        """True once :meth:`close` was called."""
        return self._closed

    @contextmanager
    def followed(self, request: Any) -> Iterator[Callable[[Sequence[Any]], None]]:
        """Within the block: yield a function that takes the outcome of each entry of this request, when known.

        The log, the write guard and the observers are shown these outcomes.
        """
        with self.guarding.followed(request) as guard, self._reports.followed(request) as observers:

            def confirmed(outcomes: Sequence[Any]) -> None:
                log_unseen_writes(self.options, request, outcomes)
                guard(outcomes)
                observers(outcomes)

            yield confirmed

    @contextmanager
    def without_key(self) -> Iterator[None]:
        """Send no key within the block."""
        key, self._metadata = self._metadata, ()
        try:
            yield
        finally:
            self._metadata = key

    def renew_channel(self, error: MxGatewayError) -> None:
        """Replace the connection of commands and alarms, which is open but dead.

        Calls that still wait on it end as they would have; streams, except those of events, break with `error`, also
        those of other clients on it.
        """
        if self._closed or too_few_descriptors() is not None:
            return
        tell_of_connection(self.options, "replaced", error)
        self.channel.replace(make_channel(self.options, self.trust), self.options.call_timeout, error)

    async def renew_trust(self) -> None:
        """Rely on the certificate that is remembered now, if it is another one: a person had it remembered meanwhile.

        Call it where there is no connection. A channel that trusts the former one never comes back.
        """
        trust = None if self._closed else await tls.renewed(self.options, self.trust)
        if trust is None:
            return
        self.trust = trust
        if self.channel.is_connected():
            return  # Another client on it came first.
        endpoint = self.options.endpoint
        why = f"connect: another certificate of {endpoint} is remembered now: another connection is made"
        self.renew_channel(MxGatewayTransportError(why, endpoint=endpoint, call="connect"))

    def break_streams(self, error: MxGatewayError) -> None:
        """End the streams on the connection of commands and alarms with `error`: it is given up."""
        for stream in tuple(self._streams):
            if not isinstance(stream, EventStream):
                stream.break_off(error)

    def _check_connected(self, request: Any, call: str) -> None:
        """Raise where there is no connection: a call that changes the plant is not sent at some later time."""
        if not self.channel.is_connected():
            raise not_connected(self.options, call, request)

    def _check_not_lost(self, request: Any, call: str) -> None:
        """Raise for a write on a session that was lost meanwhile, while the guard was asked.

        The gateway may still have the session, and the outcome would go unseen.
        """
        if wire.session_of(request) in self.lost_sessions:
            raise session_lost(self.options, call, request, "meanwhile; nothing was sent")

    async def _call(self, rpc: wire.Rpc, request: Any, call: str, mutating: bool, timeout: float | None) -> Any:
        channel = self.channel.current
        try:
            with LoggedCall(self.options, rpc, call, request, mutating=mutating):
                timeout = timeout or self.options.call_timeout
                reply = await self.channel.unary(rpc)(request, timeout=timeout, metadata=self._metadata)
        except (grpc.RpcError, grpc.aio.BaseError) as error:
            # A name for the new error here would make a reference cycle of it and its traceback.
            raise self._translated(error, call, request, rpc, mutating=mutating)  # noqa: B904  # it has its cause
        except asyncio.CancelledError as ended:
            task = asyncio.current_task()
            # A call ended with its channel looks to its caller like a cancelled task, which it is not.
            if not (self._closed or channel is not self.channel.current) or (task and task.cancelling()):
                raise
            ended.__traceback__ = None  # It holds the call, as below.
            what = "client was closed" if self._closed else "connection was given up"
            raise ended_here(self.options, call, request, what, mutating=mutating) from None

        if isinstance(reply, wire.Undecodable):
            raise undecodable(self.options, reply, call, mutating=mutating)
        return reply

    def stream(
        self, rpc: wire.Rpc, request: Any, *, call: str, decode: Callable[[Any], T], timeout: float | None = None
    ) -> MessageStream[T]:
        """Open a server stream now, with metadata and translated errors; without `timeout` it has no deadline."""
        self.check_open(call)
        if timeout is not None:
            arguments.seconds("timeout", timeout)
        method = self.channel.current.unary_stream(
            rpc.path, request_serializer=rpc.request.SerializeToString, response_deserializer=rpc.decode
        )

        logged = LoggedStream(self.options, rpc, call, request)
        is_first = True

        def decoded(message: Any) -> T:
            nonlocal is_first
            logged.took()
            if isinstance(message, wire.Undecodable):
                raise undecodable(self.options, message, call)
            if is_first:
                is_first = False
                self._check_first(rpc, message, call)
            return decode(message)

        stream: MessageStream[T] = MessageStream(
            method(request, timeout=timeout, metadata=self._metadata),
            decoded,
            self._stream_translation(call, request, rpc),
            partial(self._stream_ended, logged),
        )
        self._streams.add(stream)
        return stream

    def _stream_ended(self, logged: LoggedStream, stream: MessageStream[Any], error: BaseException | None) -> None:
        self._streams.discard(stream)
        logged.ended(error)

    def _check_first(self, rpc: wire.Rpc, message: Any, call: str) -> None:
        if rpc in (wire.STREAM_ALARMS, wire.QUERY_ACTIVE_ALARMS) and not self.agreement.is_shown:
            self.agreement.check_alarm(message, call)
        else:
            self.agreement.check_fit(message, call)

    def event_stream(
        self,
        session_id: str,
        after: int,
        decode: Callable[[Sequence[Arrived]], Sequence[T]],
        proof: pb.MxCommandRequest | None = None,
        urgency: Urgency | None = None,
    ) -> EventStream[T]:
        """Open a session's event stream now, on a separate connection and in a separate thread.

        `decode` makes what is yielded from messages and their times of arrival (seconds of :func:`clock.monotonic`).
        `proof` is a harmless command: its answer on the same connection proves that the gateway has taken the stream.
        `urgency` tells who waits for an event.
        """
        rpc, call = wire.STREAM_EVENTS, "stream_events"
        self.check_open(call)
        check_descriptors(self.options.endpoint, call)
        request = wire.stream_events_request(session_id, after)

        def start(buffer: EventBuffer) -> ReadingThread:
            channel = make_reading_channel(self.options, self.trust)
            method: Any = channel.unary_stream(rpc.path, request_serializer=rpc.request.SerializeToString)
            stream_call = method(request, metadata=self._metadata)
            if proof is None:
                return ReadingThread(channel, stream_call, buffer)
            invoke: Any = channel.unary_unary(wire.INVOKE.path, wire.INVOKE.request.SerializeToString)
            # Without a deadline: a busy worker answers late, and the call ends with its channel.
            return ReadingThread(channel, stream_call, buffer, lambda: invoke.future(proof, metadata=self._metadata))

        def decoded(arrived: Sequence[Arrived]) -> Sequence[T]:
            try:
                return decode(arrived)
            except wire.DecodeError:
                raise undecodable(self.options, wire.Undecodable(arrived[0][1]), call) from None

        def gap(last: Arrived | None, first: Arrived) -> Arrived:
            at, data = first
            return at, wire.local_gap(session_id, last[1] if last else None, data, after)

        logged = LoggedStream(self.options, rpc, call, request)
        stream: EventStream[T] = EventStream(
            start,
            self.options.event_buffer_bytes,
            decoded,
            gap,
            self._stream_translation(call, request, rpc),
            partial(self._stream_ended, logged),
            logged.took_events,
            urgency,
        )
        self._streams.add(stream)
        return stream

    def _stream_translation(self, call: str, request: Any, rpc: wire.Rpc) -> Callable[[Exception], Exception | None]:
        def translate(error: Exception) -> Exception | None:
            if isinstance(error, grpc.RpcError | grpc.aio.BaseError):
                return self._translated(error, call, request, rpc)
            return None

        return translate

    def next_correlation_id(self) -> str:
        """Return a new correlation id of this client; the gateway logs it with the call."""
        return f"{self._name}-{next(self._numbers)}"

    def check_open(self, call: str) -> None:
        """Raise MxGatewayTransportError where no call can be made: it is closed, or belongs to another event loop."""
        if self._closed:
            raise MxGatewayTransportError(f"{call}: the client is closed", endpoint=self.options.endpoint, call=call)
        self._home.check(call, self.options.endpoint)

    def printable(self, text: str, secret: str = "") -> str:
        """Return a text of the gateway in one line, without the key and without this secret."""
        return printable(self.options, text, secret)

    def _translated(
        self, error: Exception, call: str, request: Any, rpc: wire.Rpc, *, mutating: bool = False
    ) -> MxGatewayError:
        result = translated(self.options, error, call, request, of_session=rpc.of_session, mutating=mutating)
        if isinstance(result, MxGatewayTransportError) and result.grpc_code != "DEADLINE_EXCEEDED":
            self.failed_at = clock.monotonic()
        # Servers in .NET and in Python answer UNKNOWN where a request cannot be decoded, others INTERNAL.
        is_unread = result.grpc_code in ("INTERNAL", "UNKNOWN")
        # A gateway that looked for another session than this one took another field for its id.
        is_misread = result.grpc_code == "NOT_FOUND" and rpc.of_session and wire.session_of(request) not in str(result)
        is_unshown = not self.agreement.is_shown and (is_unread or is_misread)
        if is_unshown or (rpc is wire.INVOKE and result.grpc_code == "INVALID_ARGUMENT"):
            # What a gateway answers that cannot read the request, or reads a kind and the payload of another.
            result.args = (readable(f"{result}; {wire.COMPARE}"),)
        return result

    async def close(self) -> None:
        """End every stream and the connection. Idempotent. Sessions stay open until closed or expired."""
        if self._closed:
            return
        self._closed = True
        for stream in tuple(self._streams):
            await stream.aclose()
        self.observers.release()
        if await self.channel.close(self) and self.channel.is_known:
            tell_of_connection(self.options, "closed")
