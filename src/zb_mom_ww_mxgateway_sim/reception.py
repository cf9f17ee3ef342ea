"""What every call goes through: it is noted, its key looked at, its faults applied, its refusal spoken."""

from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import grpc
from google.protobuf.message import Message

from .clock import Clock
from .faults import Faults
from .keys import ApiKey, KeyRing, Scope
from .refusal import ConnectionLost, Ended, NotAllowed, NotAuthenticated, Refused

Context = grpc.aio.ServicerContext[Any, Any]
Reply = TypeVar("Reply")


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call as it came in, before anything was done with it. Neither keys nor passwords are in its repr."""

    rpc: str
    request: Message = field(repr=False)
    metadata: Mapping[str, str | bytes] = field(repr=False)
    session_id: str


class Reception:
    """Lets calls in, or refuses them."""

    def __init__(self, keys: KeyRing, faults: Faults, clock: Clock) -> None:
        self._keys = keys
        self._faults = faults
        self._clock = clock
        self.calls: deque[CallRecord] = deque(maxlen=5000)

    async def unary(
        self,
        rpc: str,
        request: Message,
        context: Context,
        scope: Scope | None,
        answer: Callable[[ApiKey], Awaitable[Reply]],
    ) -> Reply:
        """The reply to a unary call, or its end with a gRPC status."""
        try:
            key = await self._enter(rpc, request, context, scope)
            reply = await answer(key)
            if self._faults.take_lost_reply(rpc):
                raise ConnectionLost("the connection was lost before the answer")
        except Refused as refused:
            await abort(context, refused.code, refused.text)
        return reply

    async def stream(
        self,
        rpc: str,
        request: Message,
        context: Context,
        scope: Scope | None,
        messages: Callable[[ApiKey], AsyncGenerator[Message, None]],
    ) -> None:
        """Writes the messages to the caller; raises CancelledError when the caller goes."""
        try:
            key = await self._enter(rpc, request, context, scope)
            async with aclosing(messages(key)) as produced:
                async for message in produced:
                    await context.write(message)
        except Refused as refused:
            await abort(context, refused.code, refused.text)
        except Ended as ended:
            if ended.code is not None:
                await abort(context, ended.code, ended.text)

    async def _enter(self, rpc: str, request: Message, context: Context, scope: Scope | None) -> ApiKey:
        metadata = {str(key): value for key, value in context.invocation_metadata() or ()}
        self.calls.append(CallRecord(rpc, request, metadata, str(getattr(request, "session_id", ""))))
        authorization = metadata.get("authorization")
        key = self._keys.admit(authorization if isinstance(authorization, str) else None)
        if key is None:
            raise NotAuthenticated("the API key is missing or not valid")
        if scope is not None:
            require(key, scope)
        delay = self._faults.delay_of(rpc)
        if delay:
            await self._clock.sleep(delay)
        failure = self._faults.take_call_failure(rpc)
        if failure is not None:
            raise Refused(failure.details, failure.code)
        return key


def require(key: ApiKey, scope: Scope) -> None:
    """NotAllowed unless the key has the scope."""
    if scope not in key.scopes:
        raise NotAllowed(f"the API key lacks the scope {scope}")


async def abort(context: Context, code: str, text: str) -> NoReturn:
    """Ends the call with the status of that name."""
    await context.abort(grpc.StatusCode[code], text)
