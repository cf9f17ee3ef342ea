"""A session, and a gateway that does not keep to the contract."""

from collections.abc import AsyncIterator

import pytest

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, Session


@pytest.fixture
async def session(client: GatewayClient) -> AsyncIterator[Session]:
    """An open session of `client`."""
    async with await client.open_session() as opened:
        yield opened


@pytest.fixture
async def live(client: GatewayClient) -> AsyncIterator[LiveSession]:
    """A live session of `client`, live already."""
    async with await LiveSession.open(client) as opened:
        await opened.ready()
        yield opened
