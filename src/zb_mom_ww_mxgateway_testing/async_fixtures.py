"""The fixtures for async tests, on the event loop that pytest-asyncio gives them."""

import inspect
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient, LiveSession
    from zb_mom_ww_mxgateway_testing.simulator import MxgwSimulator


@pytest_asyncio.fixture
async def mxgw_client(
    request: pytest.FixtureRequest, mxgw_simulator: "MxgwSimulator"
) -> "AsyncIterator[GatewayClient]":
    """A client that is connected to ``mxgw_simulator``, on the event loop of the test."""
    from zb_mom_ww_mxgateway import GatewayClient

    _check(request, "mxgw_client")
    async with await GatewayClient.connect(mxgw_simulator.client_options) as client:
        yield client


@pytest_asyncio.fixture
async def mxgw_live(
    request: pytest.FixtureRequest, mxgw_client: "GatewayClient", mxgw_simulator: "MxgwSimulator"
) -> "AsyncIterator[LiveSession]":
    """A live session of ``mxgw_client``."""
    from zb_mom_ww_mxgateway import LiveSession, MxGatewayError

    _check(request, "mxgw_live")
    live = await LiveSession.open(mxgw_client)
    yield live
    mxgw_simulator.faults.calm()
    # What the test has done to the gateway is no failure of the test.
    with suppress(MxGatewayError):
        await live.aclose()


def _check(request: pytest.FixtureRequest, fixture: str) -> None:
    """Fail a plain test that asks for it: its loop would stand still while the test runs."""
    test = getattr(request, "function", None)
    if test is None or inspect.iscoroutinefunction(inspect.unwrap(test)):
        return
    if fixture in inspect.signature(test).parameters:
        pytest.fail(f"{fixture} is for async tests; a test without async takes mxgw_sync", pytrace=False)
