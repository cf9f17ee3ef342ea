"""Reads tags of gateways and prints what it took: ``python growth_reader.py '{"tags": 1000, …}'``.

The gateways are another process, so that only the client's time and memory are counted.
"""

import asyncio
import gc
import json
import sys
import time
import tracemalloc
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from source import Source, delayed, flooded

from zb_mom_ww_mxgateway import GatewayClient, LiveSession
from zb_mom_ww_mxgateway.live.subscription import Subscription

# Tags of one call: as many as it takes.
AT_ONCE = 10_000


@dataclass(frozen=True)
class Load:
    """What is read."""

    tags: int
    """Of each gateway."""
    subscribers: int
    """Of each gateway; each gets every event."""
    gateways: int
    flood: int
    """Events, of all gateways together, that come as fast as they can; 0: only the tags are advised."""
    rate: float = 0.0
    """Events a second, of all gateways together, while the delay is measured."""
    seconds: float = 0.0
    memory: bool = False
    """Whether memory is counted; that takes time."""


async def found(load: Load) -> dict[str, float]:
    """Time and memory to advise the tags and have their first values; then what events took."""
    async with AsyncExitStack() as stack:
        source = stack.enter_context(Source("growth_server.py", load.gateways))
        lives = [await opened(stack, port) for port in source.ports]
        names = [f"Area{n // 2500:03}.Unit{n // 50:04}.Value{n % 50:02}" for n in range(load.tags)]
        tags = load.tags * load.gateways
        figures = await (memory if load.memory else taken)(lives, names, tags)
        if load.flood:
            followers = [
                partial(follow, await stack.enter_async_context(live.subscribe(queue_size=load.flood)))
                for live in lives
                for _ in range(load.subscribers)
            ]
            figures |= await flooded(source, followers, load.flood, load.gateways)
            figures |= await delayed(source, followers, load.rate, load.seconds, load.gateways)
        assert not any(live.gaps for live in lives)
    return figures


async def opened(stack: AsyncExitStack, port: int) -> LiveSession:
    client = await GatewayClient.connect(endpoint=f"127.0.0.1:{port}", plaintext=True)
    await stack.enter_async_context(client)
    return await stack.enter_async_context(await LiveSession.open(client))


async def advise(lives: list[LiveSession], names: list[str]) -> None:
    """Advises the tags and waits for all first values."""

    async def one(live: LiveSession) -> None:
        for start in range(0, len(names), AT_ONCE):
            for item in await live.subscribe_tags(names[start : start + AT_ONCE]):
                await live.first_value(item)

    await asyncio.gather(*(one(live) for live in lives))


async def taken(lives: list[LiveSession], names: list[str], tags: int) -> dict[str, float]:
    start, cpu = time.perf_counter(), time.process_time()
    await advise(lives, names)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"us_a_tag": cpu / tags * 1e6, "elapsed_us_a_tag": seconds / tags * 1e6}


async def memory(lives: list[LiveSession], names: list[str], tags: int) -> dict[str, float]:
    gc.collect()
    tracemalloc.start()
    await advise(lives, names)
    gc.collect()
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {"bytes_a_tag": held / tags}


async def follow(events: Subscription, count: int, delays: list[float]) -> float:
    """As :data:`source.Follow` says."""
    first, seen = 0.0, 0
    while seen < count:
        batch = await events.batch()
        now = time.monotonic()
        first = first or now
        for event in batch:
            _ = event.value, event.quality, event.source_time_ns, event.worker_sequence
            delays.append(now - event.value)  # type: ignore[operator]  # it is a number
        seen += len(batch)
        assert batch
        assert not events.dropped
    return first


if __name__ == "__main__":
    print(json.dumps(asyncio.run(found(Load(**json.loads(sys.argv[1]))))))
