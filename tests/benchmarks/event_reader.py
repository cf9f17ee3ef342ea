"""Reads events once and prints what it took: ``python event_reader.py ours|aio PORT COUNT``."""

import asyncio
import json
import sys
import time

import grpc.aio

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb, mxaccess_gateway_pb2_grpc

SESSION = "session-" + "0" * 32


async def ours(port: int, count: int) -> dict[str, float]:
    """``async for`` over the library's stream: MxEvent objects."""
    async with await GatewayClient.connect(endpoint=f"127.0.0.1:{port}", plaintext=True) as client:
        session = await client.open_session()
        return await measured(session.stream_events(), count)


async def aio(port: int, count: int) -> dict[str, float]:
    """``async for`` over a bare grpc.aio stub: messages as they come."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = mxaccess_gateway_pb2_grpc.MxAccessGatewayStub(channel)
        return await measured(stub.StreamEvents(pb.StreamEventsRequest(session_id=SESSION)), count)


async def measured(stream, count: int) -> dict[str, float]:  # type: ignore[no-untyped-def]
    read = 0
    start = cpu = 0.0
    async for _ in stream:
        if not read:
            start, cpu = time.perf_counter(), time.process_time()
        read += 1
        if read == count:
            break
    return {"events": read, "seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


if __name__ == "__main__":
    variant, port, count = sys.argv[1:]
    print(json.dumps(asyncio.run({"ours": ours, "aio": aio}[variant](int(port), int(count)))))
