"""The path of every call: record it, check its key, apply its faults, run it, and answer or refuse it."""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar, cast

import grpc
from google.protobuf.message import Message

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.faults.call_faults import (
    CallEffects,
    CallFailure,
    CallFaults,
    ReplyFailure,
    protocol_status,
)
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey, KeyRing, KeyScope
from zb_mom_ww_mxgateway_sim.net.server import MAX_MESSAGE
from zb_mom_ww_mxgateway_sim.rpc.invoke import changes_plant
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import (
    CallRefused,
    ConnectionLost,
    NotAllowed,
    NotAuthenticated,
    StreamEnded,
    TooLarge,
)

_MOST_CALLS = 5000
_MOST_CALL_BYTES = 32 * 1024 * 1024
"""Bytes of the requests of the calls that are kept, as they arrived; in memory they take a few times as much."""

Context = grpc.aio.ServicerContext[Any, Any]
Reply = TypeVar("Reply", bound=Message)
# Makes a failing reply of an rpc whose replies have a protocol status.
AsReply = Callable[[ReplyFailure], Reply]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call as it arrived. A password in it is replaced by asterisks.

    ``metadata`` may hold a key. Neither it nor the request is in the repr.
    """

    rpc: str
    request: Message = field(repr=False)
    metadata: Mapping[str, str | bytes] = field(repr=False)
    session_id: str
    connection: int = 0
    """Port of the connection, as the server sees it."""


class CallPipeline:
    """Admits calls or refuses them."""

    def __init__(self, keys: KeyRing, faults: CallFaults, clock: TimeSource, *, refuse_in_reply: bool = False) -> None:
        """Start without a call. ``refuse_in_reply``: refuse with a protocol status wherever a reply has one."""
        self._keys = keys
        self._faults = faults
        self._clock = clock
        self._refuse_in_reply = refuse_in_reply
        self.calls: deque[CallRecord] = deque()
        self._call_bytes = 0
        self.mutating_calls: int = 0

    async def unary(
        self,
        rpc: str,
        request: Message,
        context: Context,
        scope: KeyScope | None,
        answer: Callable[[GatewayKey], Awaitable[Reply]],
        as_reply: AsReply[Reply] | None = None,
    ) -> Reply:
        """Answer a unary call: return its reply, or end it with a gRPC status."""
        try:
            key = self._enter(rpc, request, context, scope)
            effects = self._faults.take(rpc)
            await self.apply(effects)
            if isinstance(effects.failure, ReplyFailure) and as_reply is not None:
                return as_reply(effects.failure)
            reply = await answer(key)
            # An injected reply is bytes already, see ``RawReplies``.
            if not isinstance(reply, bytes) and reply.ByteSize() > MAX_MESSAGE:
                raise TooLarge(f"the reply has {reply.ByteSize()} bytes, more than {MAX_MESSAGE}")
            return with_effects(effects, reply)
        except CallRefused as refused:
            if as_reply is not None and refused.protocol_status and (refused.in_reply or self._refuse_in_reply):
                return as_reply(ReplyFailure(protocol_status(refused.protocol_status), None, refused.text))
            await _abort(context, refused.code, refused.text)

    async def stream(
        self,
        rpc: str,
        request: Message,
        context: Context,
        scope: KeyScope | None,
        messages: Callable[[GatewayKey], AsyncGenerator[Message, None]],
    ) -> None:
        """Answer a streaming call: write the messages. Raise CancelledError if the caller cancels."""
        try:
            key = self._enter(rpc, request, context, scope)
            effects = self._faults.take(rpc)
            await self.apply(effects)
            async with aclosing(messages(key)) as produced:
                async for message in produced:
                    while (gate := self._faults.stalled(rpc)) is not None:
                        await gate.wait()
                    await context.write(with_effects(effects, message))
                    effects.reply = None
        except CallRefused as refused:
            await _abort(context, refused.code, refused.text)
        except StreamEnded as ended:
            if ended.code is not None:
                await _abort(context, ended.code, ended.text)

    async def apply(self, effects: CallEffects) -> None:
        """Wait as the faults of the call say. Raise CallRefused if they fail it."""
        if effects.delay > 0:
            await self._clock.sleep(effects.delay)
        if effects.gate is not None:
            await effects.gate.wait()
        if isinstance(effects.failure, CallFailure):
            raise CallRefused(effects.failure.details, effects.failure.code)

    def _enter(self, rpc: str, request: Message, context: Context, scope: KeyScope | None) -> GatewayKey:
        metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
        session_id, port = str(getattr(request, "session_id", "")), context.peer().rpartition(":")[2]
        self._keep(
            CallRecord(rpc, _without_password(request), metadata, session_id, int(port) if port.isdigit() else 0)
        )
        self.mutating_calls += changes_plant(request)
        authorization = metadata.get("authorization")
        key = self._keys.admit(authorization if isinstance(authorization, str) else None)
        if key is None:
            raise NotAuthenticated("the API key is missing or not valid")
        if scope is not None:
            require(key, scope)
        return key

    def _keep(self, call: CallRecord) -> None:
        self.calls.append(call)
        self._call_bytes += call.request.ByteSize()
        while len(self.calls) > _MOST_CALLS or (self._call_bytes > _MOST_CALL_BYTES and len(self.calls) > 1):
            self._call_bytes -= self.calls.popleft().request.ByteSize()


def with_effects(effects: CallEffects, reply: Reply) -> Reply:
    """Return the reply, or the bytes that replace it. Raise ConnectionLost if the faults lose it."""
    if effects.reply_lost:
        raise ConnectionLost("the connection was lost before the reply")
    return reply if effects.reply is None else cast(Reply, effects.reply)


def require(key: GatewayKey, scope: KeyScope) -> None:
    """Raise NotAllowed unless the key has the scope."""
    if scope not in key.scopes:
        raise NotAllowed(f"the API key lacks the scope {scope}")


async def _abort(context: Context, code: str, text: str) -> NoReturn:
    """End the call with the gRPC status of that name."""
    await context.abort(grpc.StatusCode[code], text)


def _without_password(request: Message) -> Message:
    """Return the request, or a copy without its password."""
    if not isinstance(request, pb.MxCommandRequest) or not request.command.HasField("authenticate_user"):
        return request
    kept = pb.MxCommandRequest()
    kept.CopyFrom(request)
    kept.command.authenticate_user.verify_user_password = "***"
    return kept


class RawReplies(grpc.aio.ServerInterceptor):
    """Lets a method return bytes in place of its message. They are sent unchanged."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["grpc.RpcMethodHandler[Any, Any] | None"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Return the method's handler with a serializer that passes bytes on."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_streaming or handler.response_serializer is None:
            return handler
        encode = handler.response_serializer

        def serialize(reply: Any) -> bytes:
            return reply if isinstance(reply, bytes) else encode(reply)

        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(handler.unary_stream, handler.request_deserializer, serialize)
        assert handler.unary_unary is not None
        return grpc.unary_unary_rpc_method_handler(handler.unary_unary, handler.request_deserializer, serialize)
