"""Tests of your own code against a simulated gateway: no plant is needed, and nothing is mocked.

python -m pytest own_tests.py
"""

import asyncio

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, WriteOutcome, WriteResult
from zb_mom_ww_mxgateway_sim import SimulatedGateway

SETPOINT = "Plant.Tank1.LevelSP"


async def raise_setpoint(live: LiveSession, by: float) -> WriteResult:
    """The code under test: raises the setpoint, to 80 at most."""
    (reading,) = await live.read([SETPOINT])
    if reading.error or reading.quality_word != "good" or not isinstance(reading.value, float):
        raise RuntimeError(f"{SETPOINT} cannot be trusted: {reading.error or reading.quality_word}")
    return await live.write(SETPOINT, min(reading.value + by, 80.0))


async def raised(by: float, *, quality: int = 192, faulty: bool = False) -> tuple[WriteOutcome | None, list[object]]:
    """Return the outcome that the code reports, and the writes that reached the simulated plant."""
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        gateway.set(SETPOINT, 60.0, quality=quality)
        if faulty:
            gateway.faults.lose_next_reply("write")
        async with (
            await GatewayClient.connect(gateway.endpoint, plaintext=True) as client,
            await LiveSession.open(client) as live,
        ):
            try:
                outcome = (await raise_setpoint(live, by)).outcome
            except RuntimeError:
                outcome = None
        return outcome, [write.value for write in gateway.writes]


def test_the_setpoint_is_raised() -> None:
    assert asyncio.run(raised(5.0)) == (WriteOutcome.COMPLETED, [65.0])


def test_it_ends_at_80() -> None:
    assert asyncio.run(raised(50.0)) == (WriteOutcome.COMPLETED, [80.0])


def test_a_bad_value_is_not_built_upon() -> None:
    assert asyncio.run(raised(5.0, quality=0)) == (None, [])


def test_a_lost_answer_is_unknown_and_the_write_is_not_repeated() -> None:
    assert asyncio.run(raised(5.0, faulty=True)) == (WriteOutcome.UNKNOWN, [65.0])
