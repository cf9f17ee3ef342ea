"""The library in a program with threads: one thread runs the event loop, and the others send it their calls.

python threads.py HOST:PORT
"""

import asyncio
import os
import sys
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Self, TypeVar

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, MxValueInput, WriteResult

T = TypeVar("T")


class Plant:
    """A live session for threads. Every method may be called from any thread, and waits for its answer."""

    def __init__(self, endpoint: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateway", daemon=True)
        self._thread.start()
        self._client, self._live = self._await(self._open(endpoint))

    async def _open(self, endpoint: str) -> tuple[GatewayClient, LiveSession]:
        client = await GatewayClient.connect(endpoint, api_key=os.environ.get("MXGATEWAY_API_KEY"))
        return client, await LiveSession.open(client)

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def read(self, tag: str) -> object:
        """The value of a tag now."""
        (reading,) = self._await(self._live.read([tag]))
        if reading.error:
            raise LookupError(reading.error)
        return reading.value

    def write(self, tag: str, value: MxValueInput) -> WriteResult:
        """Writes and waits for the outcome."""
        return self._await(self._live.write(tag, value))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._await(self._live.aclose())
        self._await(self._client.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def main(endpoint: str) -> None:
    with Plant(endpoint) as plant, ThreadPoolExecutor(4) as pool:
        for result in pool.map(partial(plant.write, "TestChildObject.TestInt"), range(1, 5)):
            print(result.outcome.value)
        for value in pool.map(plant.read, ["TestChildObject.TestInt", "Plant.Tank1.LevelSP"]):
            print(value)


if __name__ == "__main__":
    main(sys.argv[1])
