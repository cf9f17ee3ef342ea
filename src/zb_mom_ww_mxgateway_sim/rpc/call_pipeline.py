"""What every call goes through: it is noted, its key looked at, its faults applied, its refusal spoken."""

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
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.refusal import (
    CallRefused,
    ConnectionLost,
    NotAllowed,
    NotAuthenticated,
    StreamEnded,
    TooLarge,
)

Context = grpc.aio.ServicerContext[Any, Any]
Reply = TypeVar("Reply", bound=Message)
# How a reply of that rpc says a protocol status, where it can.
AsReply = Callable[[ReplyFailure], Reply]


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call as it came in, before anything was done with it; a password in it is blotted out.

    Keys are in ``metadata`` only; neither that nor the request is in the repr.
    """

    rpc: str
    request: Message = field(repr=False)
    metadata: Mapping[str, str | bytes] = field(repr=False)
    session_id: str
    connection: int = 0
    """The port from which its connection reaches the server."""


class CallPipeline:
    """Lets calls in, or refuses them. ``refuse_in_reply``: with a protocol status wherever a reply has one."""

    def __init__(self, keys: KeyRing, faults: CallFaults, clock: TimeSource, *, refuse_in_reply: bool = False) -> None:
        self._keys = keys
        self._faults = faults
        self._clock = clock
        self._refuse_in_reply = refuse_in_reply
        self.calls: deque[CallRecord] = deque(maxlen=5000)

    async def unary(
        self,
        rpc: str,
        request: Message,
        context: Context,
        scope: KeyScope | None,
        answer: Callable[[GatewayKey], Awaitable[Reply]],
        as_reply: AsReply[Reply] | None = None,
    ) -> Reply:
        """The reply to a unary call, or its end with a gRPC status."""
        try:
            key = self._enter(rpc, request, context, scope)
            effects = self._faults.meet(rpc)
            await self.apply(effects)
            if isinstance(effects.failure, ReplyFailure) and as_reply is not None:
                return as_reply(effects.failure)
            reply = await answer(key)
            # What is to be sent in place of a reply is bytes already; see ``RawReplies``.
            if not isinstance(reply, bytes) and reply.ByteSize() > MAX_MESSAGE:
                raise TooLarge(f"the reply has {reply.ByteSize()} bytes, more than {MAX_MESSAGE}")
            return with_effects(effects, reply)
        except CallRefused as refused:
            if as_reply is not None and refused.protocol_status and (refused.in_reply or self._refuse_in_reply):
                return as_reply(ReplyFailure(protocol_status(refused.protocol_status), None, refused.text))
            await abort(context, refused.code, refused.text)

    async def stream(
        self,
        rpc: str,
        request: Message,
        context: Context,
        scope: KeyScope | None,
        messages: Callable[[GatewayKey], AsyncGenerator[Message, None]],
    ) -> None:
        """Writes the messages to the caller; raises CancelledError when the caller goes."""
        try:
            key = self._enter(rpc, request, context, scope)
            effects = self._faults.meet(rpc)
            await self.apply(effects)
            async with aclosing(messages(key)) as produced:
                async for message in produced:
                    while (gate := self._faults.stalled(rpc)) is not None:
                        await gate.wait()
                    await context.write(with_effects(effects, message))
                    effects.reply = None
        except CallRefused as refused:
            await abort(context, refused.code, refused.text)
        except StreamEnded as ended:
            if ended.code is not None:
                await abort(context, ended.code, ended.text)

    async def apply(self, effects: CallEffects) -> None:
        """Waits as long as the call's fate says; raises Refused if that is how it ends."""
        if effects.delay > 0:
            await self._clock.sleep(effects.delay)
        if effects.gate is not None:
            await effects.gate.wait()
        if isinstance(effects.failure, CallFailure):
            raise CallRefused(effects.failure.details, effects.failure.code)

    def _enter(self, rpc: str, request: Message, context: Context, scope: KeyScope | None) -> GatewayKey:
        metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
        session_id, port = str(getattr(request, "session_id", "")), context.peer().rpartition(":")[2]
        self.calls.append(
            CallRecord(rpc, _without_password(request), metadata, session_id, int(port) if port.isdigit() else 0)
        )
        authorization = metadata.get("authorization")
        key = self._keys.admit(authorization if isinstance(authorization, str) else None)
        if key is None:
            raise NotAuthenticated("the API key is missing or not valid")
        if scope is not None:
            require(key, scope)
        return key


def with_effects(effects: CallEffects, reply: Reply) -> Reply:
    """The reply, or what its fate puts in its place; ConnectionLost if it never arrives."""
    if effects.reply_lost:
        raise ConnectionLost("the connection was lost before the answer")
    return reply if effects.reply is None else cast(Reply, effects.reply)


def require(key: GatewayKey, scope: KeyScope) -> None:
    """NotAllowed unless the key has the scope."""
    if scope not in key.scopes:
        raise NotAllowed(f"the API key lacks the scope {scope}")


async def abort(context: Context, code: str, text: str) -> NoReturn:
    """Ends the call with the status of that name."""
    await context.abort(grpc.StatusCode[code], text)


def _without_password(request: Message) -> Message:
    """The request, or a copy without its password."""
    if not isinstance(request, pb.MxCommandRequest) or not request.command.HasField("authenticate_user"):
        return request
    kept = pb.MxCommandRequest()
    kept.CopyFrom(request)
    kept.command.authenticate_user.verify_user_password = "***"
    return kept
