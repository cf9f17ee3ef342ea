"""Fixtures of the simulator's tests: a clock that stands still, a plaintext gateway on it, a client."""

from collections.abc import AsyncIterator

import pytest
from sim_wire import Wire, wire

from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def gateway(clock: ManualClock) -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, clock=clock) as running:
        yield running


@pytest.fixture
async def client(gateway: SimulatedGateway) -> AsyncIterator[Wire]:
    async with wire(gateway) as connected:
        yield connected
