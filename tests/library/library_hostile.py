"""A server that lies: each call is answered with whatever bytes the test says."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import Descriptor, FieldDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb

Answer = bytes | list[bytes] | Callable[[bytes], Any]

SERVICES: list[ServiceDescriptor] = [
    *pb.DESCRIPTOR.services_by_name.values(),
    *galaxy_pb.DESCRIPTOR.services_by_name.values(),
]
METHODS = {method.name: method for service in SERVICES for method in service.methods}

SESSION_ID = "session-" + "0" * 31 + "1"
_CONTROLS = "\x1b[2J\x07\u202e\n"


class Hostile(grpc.GenericRpcHandler):
    """Answers every method of the contract as ``answers`` says; OpenSession is honest unless told otherwise."""

    def __init__(self) -> None:
        opened = pb.OpenSessionReply(session_id=SESSION_ID, gateway_protocol_version=3)
        opened.protocol_status.code = pb.PROTOCOL_STATUS_CODE_OK
        self.answers: dict[str, Answer] = {"OpenSession": opened.SerializeToString(), "TestConnection": b""}

    def service(self, handler_call_details: Any) -> Any:
        name = handler_call_details.method.rpartition("/")[2]
        method = METHODS.get(name)
        if method is None:
            return None
        if method.server_streaming:

            async def stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
                answer = self._answer(name, request)
                if hasattr(answer, "__aiter__"):
                    async for each in answer:
                        yield each
                    return
                for each in answer if isinstance(answer, list) else [answer]:
                    yield each

            return grpc.unary_stream_rpc_method_handler(stream)

        async def unary(request: bytes, context: Any) -> bytes:
            answer: bytes = self._answer(name, request)
            return answer

        return grpc.unary_unary_rpc_method_handler(unary)

    def _answer(self, name: str, request: bytes) -> Any:
        answer = self.answers.get(name, b"")
        return answer(request) if callable(answer) else answer


@asynccontextmanager
async def hostile(**options: Any) -> AsyncIterator[tuple[Hostile, GatewayClient]]:
    """Such a server, and a client connected to it."""
    handler, server = Hostile(), grpc.aio.server(options=[("grpc.max_send_message_length", -1)])
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        options = {"call_timeout": 2.0, "protocol_mismatch": "ignore"} | options
        async with await GatewayClient.connect(endpoint=f"127.0.0.1:{port}", plaintext=True, **options) as client:
            yield handler, client
    finally:
        await server.stop(None)


def random_message(descriptor: Descriptor, chance: random.Random, depth: int = 0) -> Message:
    """A message of that type with any fields set to anything their types can hold."""
    message: Message = GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if chance.random() < (0.35 if depth else 0.15):
            continue
        if field.message_type is not None and depth > 3:
            continue
        count = chance.choice((0, 1, 1, 3)) if field.is_repeated else 1
        for _ in range(count):
            _set(message, field, chance, depth)
    return message


def _set(message: Message, field: FieldDescriptor, chance: random.Random, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return
    if field.message_type is not None:
        inner = random_message(field.message_type, chance, depth + 1)
        target = getattr(message, field.name)
        (target.add() if field.is_repeated else target).CopyFrom(inner)
        return
    value = _scalar(field, chance)
    if field.is_repeated:
        getattr(message, field.name).append(value)
    else:
        setattr(message, field.name, value)


def _scalar(field: FieldDescriptor, chance: random.Random) -> Any:
    kinds = FieldDescriptor
    match field.cpp_type:
        case kinds.CPPTYPE_STRING:
            if field.type == kinds.TYPE_BYTES:
                return chance.randbytes(chance.choice((0, 3, 40)))
            return chance.choice(
                (
                    "",
                    "Plant.Tank1.Level",
                    _CONTROLS,
                    "x" * chance.choice((1, 1, 1, 20_000)),
                    SESSION_ID,
                )
            )
        case kinds.CPPTYPE_BOOL:
            return chance.random() < 0.5
        case kinds.CPPTYPE_DOUBLE | kinds.CPPTYPE_FLOAT:
            return chance.choice(
                (0.0, -1.5, float("nan"), float("inf"), 1e300 if field.type == kinds.TYPE_DOUBLE else 1e30)
            )
        case kinds.CPPTYPE_ENUM:
            return chance.choice((0, 1, 2, 5, 999, -7))
        case kinds.CPPTYPE_INT32:
            return chance.choice((0, 1, 2, 192, -1, 2**31 - 1, -(2**31)))
        case kinds.CPPTYPE_INT64:
            return chance.choice((0, 1, -1, 2**63 - 1, -(2**63)))
        case kinds.CPPTYPE_UINT32:
            return chance.choice((0, 1, 7, 2**32 - 1))
    return chance.choice((0, 1, 7, 2**64 - 1))


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with something flipped, cut, doubled or put in."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 4))):
        place = chance.randrange(len(found) + 1)
        match chance.randrange(4):
            case 0 if found:
                found[place % len(found)] ^= 1 << chance.randrange(8)
            case 1:
                del found[place : place + chance.choice((1, 9))]
            case 2:
                found[place:place] = found[place : place + 20]
            case _:
                found[place:place] = chance.randbytes(chance.choice((1, 6)))
    return bytes(found)
