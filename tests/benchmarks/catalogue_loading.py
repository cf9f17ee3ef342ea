"""Loads the catalogue of a gateway's tags, with the pauses that this makes for others on the loop.

``python catalogue_loading.py ENDPOINT TAGS`` prints what it took in a process that had loaded nothing before.
"""

import asyncio
import gc
import json
import subprocess
import sys
import time

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.state.context import Context

_LOADING_SECONDS = 600
_LONG_PAUSE = 0.020


class Pauses:
    """How long others on the loop had to wait at worst, by the clock and by this process's own work; how often long."""

    def __init__(self) -> None:
        self.worst = 0.0
        self.worst_cpu = 0.0
        self.long = 0

    async def measure(self) -> None:
        """Until it is cancelled."""
        while True:
            before, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0)
            paused = time.perf_counter() - before
            self.worst = max(self.worst, paused)
            self.long += paused > _LONG_PAUSE
            self.worst_cpu = max(self.worst_cpu, time.thread_time() - cpu)
            await asyncio.sleep(0.0005)


async def loaded(context: Context, tags: int, *, until_kept: bool) -> tuple[float, "Pauses"]:
    """Loads the catalogue; returns the seconds until it is whole, and the pauses until then or until it is kept."""
    catalogue, client = context.catalogue, context.client
    assert client is not None
    pauses = Pauses()
    beating = asyncio.create_task(pauses.measure())
    started = time.perf_counter()
    catalogue.start(client)
    assert await catalogue.loaded(_LOADING_SECONDS), catalogue.error
    seconds = time.perf_counter() - started
    while until_kept and catalogue.earlier.path is None:
        assert not catalogue.earlier.problem
        await asyncio.sleep(0.001)
    beating.cancel()
    assert len(catalogue) >= tags
    return seconds, pauses


def in_another_process(endpoint: str, tags: int) -> dict[str, float]:
    """What it takes in a process of its own, which finds what an earlier one kept."""
    command = [sys.executable, __file__, endpoint, str(tags)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


async def kept_figures(endpoint: str, tags: int) -> dict[str, float]:
    """Until its catalogue is whole and verified; all tags of a large galaxy were kept."""
    context = Context(all_commands(), interactive=False)
    await context.connect(Connection(endpoint=endpoint, plaintext=True), "another run")
    gc.freeze()  # As mxgw-shell does then.
    try:
        seconds, pauses = await loaded(context, tags, until_kept=False)
        is_kept = context.catalogue.earlier.path is not None
        return {"seconds": seconds, "pauses": float(pauses.long), "worst": pauses.worst, "is_kept": is_kept}
    finally:
        await context.disconnect()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(kept_figures(sys.argv[1], int(sys.argv[2])))))
