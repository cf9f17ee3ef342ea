"""A service that runs until a signal ends it: it waits for the gateway, does its work, and leaves the plant in order.

    python service.py HOST:PORT

It ends on SIGTERM (systemd, docker stop) and on Ctrl-C. However it ends, it sets the controller back to automatic.
"""

import asyncio
import os
import signal
import sys

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, LiveValue

LEVEL, AUTOMATIC = "Plant.Tank1.Level", "Plant.LC1.Auto"


async def work(live: LiveSession) -> None:
    def show(value: LiveValue) -> None:
        print(f"{value.tag} {value.value} {value.quality_word}", flush=True)

    async with live.on_change(LEVEL, show):
        async for change in live.changes():
            print(f"the session is {change.state.value}", flush=True)


async def main(endpoint: str) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def end(number: int, frame: object) -> None:
        loop.call_soon_threadsafe(ended.set)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)  # not loop.add_signal_handler, which Windows lacks
    key = os.environ.get("MXGATEWAY_API_KEY")
    async with (
        await GatewayClient.connect(endpoint, api_key=key, wait=600) as client,
        await LiveSession.open(client) as live,
    ):
        working = asyncio.create_task(work(live))
        ending = asyncio.create_task(ended.wait())
        try:
            await asyncio.wait([working, ending], return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()  # raises what it failed with
        finally:
            working.cancel()
            ending.cancel()
            result = await live.write(AUTOMATIC, True, timeout=10)
            print(f"{AUTOMATIC} = true: {result.outcome.value}", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
