"""Reads events once and prints what it took: ``python event_reader.py ours|aio PORT COUNT [look]``."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import grpc.aio

from zb_mom_ww_mxgateway import GatewayClient, MxEvent
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb, mxaccess_gateway_pb2_grpc

SESSION = "session-" + "0" * 32
Look = Callable[[Any], object]


async def ours(port: int, count: int, look: Look) -> dict[str, float]:
    """``async for`` over the library's stream: MxEvent objects."""
    async with await GatewayClient.connect(endpoint=f"127.0.0.1:{port}", plaintext=True) as client:
        session = await client.open_session()
        return await measured(session.stream_events(), count, look)


async def aio(port: int, count: int, look: Look) -> dict[str, float]:
    """``async for`` over a bare grpc.aio stub: messages as they come."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = mxaccess_gateway_pb2_grpc.MxAccessGatewayStub(channel)
        return await measured(stub.StreamEvents(pb.StreamEventsRequest(session_id=SESSION)), count, look)


def look_at_ours(event: MxEvent) -> object:
    return event.item_handle, event.value, event.quality, event.source_time_ns, event.worker_sequence


def look_at_message(message: pb.MxEvent) -> object:
    at = message.source_timestamp
    value = getattr(message.value, message.value.WhichOneof("kind"))
    return message.item_handle, value, message.quality, (at.seconds, at.nanos), message.worker_sequence


async def measured(stream, count: int, look) -> dict[str, float]:  # type: ignore[no-untyped-def]
    read = 0
    start = cpu = 0.0
    async for event in stream:
        look(event)
        if not read:
            start, cpu = time.perf_counter(), time.process_time()
        read += 1
        if read == count:
            break
    return {"events": read, "seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    variant, port, count, *looking = sys.argv[1:]
    read, look = {"ours": (ours, look_at_ours), "aio": (aio, look_at_message)}[variant]
    print(json.dumps(asyncio.run(read(int(port), int(count), look if looking else lambda event: None))))
