"""Schedules of random faults: what the client believes in the end agrees with what the gateway did.

25 of them: continuous integration runs a thousand others. ``FAULT_SEED=123`` runs one schedule alone, again and again
if ``FAULT_TIMES`` says so; ``FAULT_SCHEDULES=5000`` runs that many, from ``FAULT_FIRST`` on. ``FAULT_BUSY=2`` keeps two
processes busy beside each that runs them.
"""

import asyncio
import gc
import os
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress

import library_faults_random
import pytest
from library_faults_checks import check, settled
from library_faults_random import FAULTS
from library_faults_rig import rig
from library_waiting import soon

from zb_mom_ww_mxgateway import MxGatewayWorkerError
from zb_mom_ww_mxgateway_sim import SimulatedGateway

# They take as long as the machine lets them.
pytestmark = [pytest.mark.timeout(900), pytest.mark.long]

BLOCK, AT_ONCE, ACTS = 25, 20, 4


# As long as the process that began it lives.
BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"


@pytest.fixture(scope="module", autouse=True)
def busy_machine() -> Iterator[None]:
    """As many loops as asked for take the processor's time."""
    with ExitStack() as ending:
        for _ in range(int(os.environ.get("FAULT_BUSY", "0"))):
            loop = ending.enter_context(subprocess.Popen([sys.executable, "-c", BUSY]))
            ending.callback(loop.kill)
        yield


@pytest.fixture(autouse=True)
def quick_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is dead is given up within seconds."""
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 1.0)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANXIOUS_HEARTBEAT", 0.3)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", 1.0)


async def nothing_open(gateway: SimulatedGateway) -> bool:
    """Whether every stream and connection has ended, a minute later at the latest."""
    for _ in range(60):
        if await soon(lambda: not (gateway.open_streams or gateway.open_connections), 1):
            return True
        # An error whose traceback holds itself keeps its connection until the next collection; and it may have become
        # garbage only now.
        gc.collect()
    return False


async def run(seed: int, struck: Counter[str]) -> list[str]:
    """One schedule; everything that was wrong in the end."""
    try:
        async with rig() as found:
            await library_faults_random.run(found, seed, ACTS)
            await settled(found)
            await check(found)
            struck.update(found.struck)
            problems, gateway = found.problems, found.gateway
            with suppress(MxGatewayWorkerError):  # a machine that is too busy for the short time-out
                await found.live.aclose()
            await found.client.close()
            if not await nothing_open(gateway):
                left = f"{gateway.open_streams} streams and {gateway.open_connections} connections"
                problems.append(f"after closing everything {left} are open")
            return problems
    except Exception:
        return [traceback.format_exc()]


async def run_all(seeds: Iterable[int]) -> tuple[list[str], Counter[str]]:
    limit, struck, complaints = asyncio.Semaphore(AT_ONCE), Counter[str](), list[str]()

    async def one(seed: int) -> None:
        async with limit:
            complaints.extend(f"FAULT_SEED={seed}: {problem}" for problem in await run(seed, struck))

    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            group.create_task(one(seed))
    return complaints, struck


def blocks() -> list[list[int]]:
    """The schedules, a block a test."""
    if seed := os.environ.get("FAULT_SEED"):
        return [[int(seed)] * int(os.environ.get("FAULT_TIMES", "1"))]
    first = int(os.environ.get("FAULT_FIRST", "0"))
    end = first + int(os.environ.get("FAULT_SCHEDULES", str(BLOCK)))
    return [list(range(start, min(start + BLOCK, end))) for start in range(first, end, BLOCK)]


@pytest.mark.parametrize("seeds", blocks(), ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
async def test_after_random_faults_client_and_gateway_agree(seeds: list[int]) -> None:
    complaints, struck = await run_all(seeds)
    assert not complaints, "\n".join(complaints)
    assert set(struck) == set(FAULTS) or len(set(seeds)) < BLOCK
