"""A bare gRPC client of the simulator's tests: generated stubs, no library, nothing converted."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest

from zb_mom_ww_mxgateway.generated import (
    galaxy_repository_pb2_grpc,
    mxaccess_gateway_pb2 as pb,
    mxaccess_gateway_pb2_grpc,
)
from zb_mom_ww_mxgateway_sim import SimulatedGateway

DEADLINE = 60.0
E_INVALIDARG = -2147024809
_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    # A channel of its own connection: from the common pool it may get one that a fault has just killed.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 16 * 1024 * 1024),
]


class Wire:
    """One channel to a gateway, and one session on it once ``open`` was called."""

    def __init__(self, channel: grpc.aio.Channel, key: str | None) -> None:
        self.stub = mxaccess_gateway_pb2_grpc.MxAccessGatewayStub(channel)
        self.galaxy = galaxy_repository_pb2_grpc.GalaxyRepositoryStub(channel)
        self.metadata = bearer(key)
        self.session_id = ""

    async def open(self, **fields: Any) -> pb.OpenSessionReply:
        reply = await self.stub.OpenSession(pb.OpenSessionRequest(**fields), metadata=self.metadata, timeout=DEADLINE)
        self.session_id = reply.session_id
        return reply

    async def close(self, session_id: str | None = None) -> pb.CloseSessionReply:
        request = pb.CloseSessionRequest(session_id=session_id or self.session_id)
        return await self.stub.CloseSession(request, metadata=self.metadata, timeout=DEADLINE)

    def calling(self, name: str, **fields: Any) -> "grpc.aio.UnaryUnaryCall[Any, pb.MxCommandReply]":
        """The command of that kind, sent and not waited for."""
        request = pb.MxCommandRequest(session_id=self.session_id, client_correlation_id="c-1")
        request.command.kind = pb.MxCommandKind.Value(f"MX_COMMAND_KIND_{name.upper()}")
        payload = getattr(request.command, name)
        payload.SetInParent()
        payload.MergeFrom(type(payload)(**fields))
        return self.stub.Invoke(request, metadata=self.metadata, timeout=DEADLINE)

    async def invoke(self, name: str, **fields: Any) -> pb.MxCommandReply:
        """The command of that kind, and its reply whatever it says."""
        return await self.calling(name, **fields)

    async def done(self, name: str, **fields: Any) -> pb.MxCommandReply:
        """The command of that kind, which must succeed."""
        reply = await self.invoke(name, **fields)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK, reply
        assert reply.hresult == 0
        return reply

    async def register(self) -> int:
        return (await self.done("register", client_name="test")).register.server_handle

    async def add(self, server: int, address: str) -> int:
        return (await self.done("add_item", server_handle=server, item_definition=address)).add_item.item_handle

    async def advise(self, server: int, item: int) -> None:
        await self.done("advise", server_handle=server, item_handle=item)

    async def write(self, server: int, item: int, **value: Any) -> None:
        await self.done("write", server_handle=server, item_handle=item, value=pb.MxValue(**value))

    def stream(self, after: int = 0, session_id: str | None = None) -> "Events":
        request = pb.StreamEventsRequest(session_id=session_id or self.session_id, after_worker_sequence=after)
        return Events(self.stub.StreamEvents(request, metadata=self.metadata))

    async def watching(self, address: str) -> tuple["Events", int, pb.MxEvent]:
        """A stream on a new session, with one item advised: the stream, its handle, its first data change."""
        await self.open()
        server = await self.register()
        item = await self.add(server, address)
        await self.advise(server, item)
        events = self.stream()
        return events, item, await events.next()


class Events:
    """An event stream, read with a deadline."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def next(self) -> pb.MxEvent:
        async with asyncio.timeout(DEADLINE):
            event = await self.call.read()
        assert event is not grpc.aio.EOF, "the stream ended"
        return event

    async def take(self, count: int) -> list[pb.MxEvent]:
        return [await self.next() for _ in range(count)]

    async def until(self, found: Callable[[pb.MxEvent], bool]) -> pb.MxEvent:
        while not found(event := await self.next()):
            pass
        return event

    async def write_complete(self) -> pb.MxEvent:
        return await self.until(lambda event: event.family == pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE)

    async def end(self) -> tuple[grpc.StatusCode, str]:
        """Reads to the end, which must come; how the call ended."""
        async with asyncio.timeout(DEADLINE):
            try:
                while await self.call.read() is not grpc.aio.EOF:
                    pass
            except grpc.aio.AioRpcError:
                pass
            return await self.call.code(), await self.call.details()


@asynccontextmanager
async def wire(gateway: SimulatedGateway, key: str | None = None) -> AsyncIterator[Wire]:
    """A client of that gateway, with its first key unless another is given."""
    if gateway.certificate_pem is None:
        channel = grpc.aio.insecure_channel(gateway.endpoint, options=_OPTIONS)
    else:
        options = [*_OPTIONS, ("grpc.ssl_target_name_override", "localhost")]
        credentials = grpc.ssl_channel_credentials(gateway.certificate_pem.encode())
        channel = grpc.aio.secure_channel(gateway.endpoint, credentials, options=options)
    async with channel:
        yield Wire(channel, key or gateway.api_key)


def bearer(key: str | None) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),) if key else ()


async def failing(call: Any) -> tuple[grpc.StatusCode, str]:
    """The status that the call fails with, which it must."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code(), caught.value.details() or ""


async def after_restart(calling: Callable[[], Awaitable[Any]]) -> Any:
    """The answer of a call, or its error, made again while it is lost: it may go out on the connection that has ended,
    before gRPC has read that it has."""
    limit = time.monotonic() + DEADLINE
    while True:
        try:
            return await calling()
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > limit:
                raise


async def becomes(condition: Callable[[], bool]) -> None:
    """Returns once the condition holds; it must, soon."""
    limit = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < limit, "it never came true"
        await asyncio.sleep(0.001)
