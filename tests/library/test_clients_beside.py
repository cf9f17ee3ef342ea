"""Clients that share one connection: each has a guard of its own, and the last one closes it."""

from collections.abc import AsyncIterator

import grpc
import pytest

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveSession,
    MxGatewayTransportError,
    MxGatewayWriteBlockedError,
    PendingWrite,
)
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(write_complete_delay=0) as gateway:
        yield gateway


class Guard:
    """Says the same to every write, and keeps what it was asked."""

    def __init__(self, answer: bool) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def __call__(self, pending: PendingWrite, /) -> bool:
        self.asked += [entry.tag or entry.alarm for entry in pending.entries]
        return self.answer


async def test_each_is_judged_by_its_own_guard(gateway: SimulatedGateway) -> None:
    no, yes = Guard(False), Guard(True)
    first = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, write_guard=no)
    async with first, first.beside(yes) as other:
        async with await LiveSession.open(first) as one, await LiveSession.open(other) as two:
            await two.write(INT, 5)
            with pytest.raises(MxGatewayWriteBlockedError):
                await one.write(INT, 6)
        with pytest.raises(MxGatewayWriteBlockedError):
            await first.acknowledge_alarm("Galaxy!Area.Object.Alarm")
    assert ([write.value for write in gateway.writes], yes.asked) == ([5], [INT])
    assert no.asked == [INT, "Galaxy!Area.Object.Alarm"]


async def test_the_connection_is_one_and_lasts_as_long_as_the_last_of_them(gateway: SimulatedGateway) -> None:
    first = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key)
    other = first.beside(None)
    channel = first._transport.channel
    assert other._transport.channel is channel
    await first.close()
    await first.close()
    with pytest.raises(MxGatewayTransportError, match="the client is closed"):
        await first.open_session()
    session = await other.open_session()
    await session.close()
    await other.close()
    assert channel.current.get_state() is grpc.ChannelConnectivity.SHUTDOWN
