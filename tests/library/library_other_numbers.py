"""A gateway that numbers its messages differently: in front of a simulated one, by a permuted contract."""

from collections.abc import AsyncIterator, Container, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message
from permuted_contract import permuted

from zb_mom_ww_mxgateway.contract.descriptors import PACKAGES
from zb_mom_ww_mxgateway.contract.messages import Modules, modules_of
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import SimulatedGateway

OURS = {"mxaccess_gateway_pb2": pb, "galaxy_repository_pb2": galaxy_pb}


def translated(message: Message, into: Message) -> Message:
    """Fill a message of one contract with what the same message of another has, by the names of fields and values."""
    for field, value in message.ListFields():
        target = into.DESCRIPTOR.fields_by_name[field.name]
        if field.message_type is not None:
            for each in value if field.is_repeated else (value,):
                inner = getattr(into, field.name)
                if not field.is_repeated:
                    inner.SetInParent()
                translated(each, inner.add() if field.is_repeated else inner)
        elif field.enum_type is not None:
            known = field.enum_type.values_by_number.get(value)
            setattr(into, field.name, target.enum_type.values_by_name[known.name].number if known else value)
        elif field.is_repeated:
            getattr(into, field.name).extend(value)
        else:
            setattr(into, field.name, value)
    return into


class _Renumbering(grpc.GenericRpcHandler):
    def __init__(self, theirs: Modules, channel: grpc.aio.Channel, unread: grpc.StatusCode) -> None:
        self._theirs = theirs
        self._channel = channel
        self._unread = unread

    def service(self, handler_call_details: Any) -> Any:
        path = handler_call_details.method
        package, _, rest = path.strip("/").rpartition(".")
        service, _, name = rest.partition("/")
        module = next((module for module, each in PACKAGES.items() if each == package), None)
        if module is None:
            return None
        method = OURS[module].DESCRIPTOR.services_by_name[service].methods_by_name[name]
        asked, answered = method.input_type.name, method.output_type.name
        ours, theirs = OURS[module], self._theirs[module]

        def received(data: bytes) -> Any:
            try:
                message = theirs[asked].FromString(data)
            except DecodeError:
                return None
            return translated(message, getattr(ours, asked)())

        def sent(message: Any) -> bytes:
            return translated(message, theirs[answered]()).SerializeToString()

        kinds = (getattr(ours, asked).SerializeToString, getattr(ours, answered).FromString)

        async def unary(data: bytes, context: Any) -> bytes:
            request = await self._understood(received(data), context)
            try:
                return sent(await self._channel.unary_unary(path, *kinds)(request, metadata=_key(context)))
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details())
                raise

        async def stream(data: bytes, context: Any) -> AsyncIterator[bytes]:
            request = await self._understood(received(data), context)
            try:
                async for message in self._channel.unary_stream(path, *kinds)(request, metadata=_key(context)):
                    yield sent(message)
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details())

        if method.server_streaming:
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(unary)

    async def _understood(self, request: Any, context: Any) -> Any:
        if request is None:
            await context.abort(self._unread, "Exception deserializing request!")
        return request


def _key(context: Any) -> list[tuple[str, str]]:
    return [(key, value) for key, value in context.invocation_metadata() if key == "authorization"]


@asynccontextmanager
async def renumbered(
    gateway: SimulatedGateway,
    seed: int,
    packages: Iterable[str] = tuple(PACKAGES.values()),
    only: Container[str] | None = None,
    unread: grpc.StatusCode = grpc.StatusCode.INTERNAL,
) -> AsyncIterator[str]:
    """Serve the gateway under another numbering of the packages; gives the endpoint, in plaintext.

    `unread`: the status that it answers to a request that it cannot decode.
    """
    theirs = modules_of(Path("permuted"), permuted(seed, packages, only))
    server = grpc.aio.server()
    async with grpc.aio.insecure_channel(gateway.endpoint) as channel:
        server.add_generic_rpc_handlers((_Renumbering(theirs, channel, unread),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(None)
