"""Reads events of another system and prints what it took: ``python peer_reader.py KIND COUNT RATE SECONDS``.

It looks at value, quality, time and sequence of each event, as the reader of ours does.
"""

import asyncio
import json
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from source import Follow, Source, delayed, flooded


def json_follower(payloads: AsyncIterator[bytes]) -> Follow:
    """What reads events from messages in JSON."""

    async def follow(count: int, delays: list[float]) -> float:
        first, left = 0.0, count
        async for payload in payloads:
            event = json.loads(payload)
            now = time.monotonic()
            first = first or now
            _ = (event["value"], event["quality"], event["time"], event["sequence"])
            delays.append(now - event["value"])
            left -= 1
            if not left:
                break
        return first

    return follow


@asynccontextmanager
async def nats(port: int) -> AsyncIterator[Follow]:
    import nats

    client = await nats.connect(f"nats://127.0.0.1:{port}")
    subscription = await client.subscribe("bench.>")
    await client.flush()

    async def payloads() -> AsyncIterator[bytes]:
        async for message in subscription.messages:
            yield message.data

    yield json_follower(payloads())
    await client.close()


@asynccontextmanager
async def redis(port: int) -> AsyncIterator[Follow]:
    import redis.asyncio

    async with redis.asyncio.Redis(port=port) as client, client.pubsub() as channels:
        await channels.psubscribe("bench.*")

        async def payloads() -> AsyncIterator[bytes]:
            async for message in channels.listen():
                if message["type"] == "pmessage":
                    yield message["data"]

        await anext(channels.listen())  # that it is subscribed
        yield json_follower(payloads())


@asynccontextmanager
async def asyncua(port: int) -> AsyncIterator[Follow]:
    from asyncua import Client
    from peer_source import TAGS

    def took(value: float) -> None: ...

    class Handler:
        def datachange_notification(self, node, value, data) -> None:  # type: ignore[no-untyped-def]  # asyncua's
            found = data.monitored_item.Value
            _ = value, found.StatusCode.value, found.SourceTimestamp
            took(value)

    async def follow(count: int, delays: list[float]) -> float:
        nonlocal took
        done = asyncio.get_running_loop().create_future()
        first = 0.0

        def take(value: float) -> None:
            nonlocal first
            now = time.monotonic()
            first = first or now
            delays.append(now - value)
            if len(delays) == count:
                done.set_result(None)

        took = take
        await done
        return first

    async with Client(f"opc.tcp://127.0.0.1:{port}/") as client:
        subscription = await client.create_subscription(10, Handler())
        nodes = [client.get_node(f"ns=1;s=Value{number}") for number in range(TAGS)]
        initial = asyncio.create_task(follow(TAGS, []))
        await asyncio.sleep(0)
        await subscription.subscribe_data_change(nodes, queuesize=1_000)
        await initial
        yield follow


async def main(kind: str, count: int, rate: float, seconds: float) -> dict[str, float]:
    with Source("peer_source.py", kind) as source:
        async with {"nats": nats, "redis": redis, "asyncua": asyncua}[kind](source.ports[0]) as follow:
            figures = await flooded(source, [follow], count)
            return figures | await delayed(source, [follow], rate, seconds)


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    kind, count, rate, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(main(kind, int(count), float(rate), float(seconds)))))
