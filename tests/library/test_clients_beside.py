"""Clients that share one connection: each has a guard of its own, and the last one closes it."""

import asyncio
import gc
from collections.abc import AsyncIterator

import grpc
import pytest

from zb_mom_ww_mxgateway import (
    AlarmFeed,
    AlarmFeedItem,
    AlarmFeedLost,
    AlarmListRead,
    GatewayClient,
    LiveSession,
    MessageStream,
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


async def test_a_closed_one_has_no_other_beside_it(gateway: SimulatedGateway) -> None:
    first = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key)
    await first.close()
    with pytest.raises(MxGatewayTransportError, match="the client is closed"):
        first.beside(None)


async def test_one_that_was_dropped_does_not_keep_the_connection(gateway: SimulatedGateway) -> None:
    first = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key)
    channel = first._transport.channel
    first.beside(None)
    gc.collect()
    await first.close()
    assert channel.current.get_state() is grpc.ChannelConnectivity.SHUTDOWN


async def all_of(alarms: MessageStream[AlarmFeedItem]) -> None:
    async for _ in alarms:
        pass


async def test_streams_of_all_of_them_end_with_an_error_where_one_gives_the_connection_up(
    gateway: SimulatedGateway,
) -> None:
    first = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, call_timeout=0.5)
    async with first, first.beside(None) as other:
        async with asyncio.timeout(30):
            alarms = other.stream_alarms()
            await anext(alarms)
            first._transport.renew_channel(MxGatewayTransportError("it is dead", endpoint=gateway.endpoint))
            with pytest.raises(MxGatewayTransportError, match="it is dead"):
                await all_of(alarms)
            async for _ in other.stream_alarms():  # The new connection is that of both.
                break


async def test_a_feed_of_alarms_goes_on_where_another_client_gives_the_connection_up(
    gateway: SimulatedGateway,
) -> None:
    first = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, call_timeout=0.5)
    async with first, first.beside(None) as other, AlarmFeed(other) as feed, feed.follow() as news:
        async with asyncio.timeout(30):
            await feed.ready()
            first._transport.renew_channel(MxGatewayTransportError("it is dead", endpoint=gateway.endpoint))
            told = [await anext(news)]
            while not (isinstance(told[-1], AlarmListRead) and any(isinstance(each, AlarmFeedLost) for each in told)):
                told.append(await anext(news))
