"""The alarm feed: kept up to date whatever becomes of its stream, and clear about what it does not know."""

import asyncio

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    AlarmConditionState,
    AlarmFeed,
    AlarmFeedLost,
    AlarmListRead,
    AlarmProviderStatus,
    AlarmTransition,
    AlarmTransitionKind,
    GatewayClient,
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayWaitError,
)
from zb_mom_ww_mxgateway_sim import SimulatedGateway

HIGH, LOW = "ZB!Area.Object.Hi", "ZB!Area.Object.Lo"


async def test_a_feed_has_the_alarms_there_are_and_follows_their_changes(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    gateway.raise_alarm(HIGH)
    async with AlarmFeed(client) as feed, asyncio.timeout(20):
        await feed.ready()
        assert [alarm.reference for alarm in feed.unacknowledged] == [HIGH]
        async with feed.follow() as news:
            gateway.raise_alarm(LOW)
            raised = await anext(news)
            while not (isinstance(raised, AlarmTransition) and raised.reference == LOW):
                raised = await anext(news)
            assert raised.kind is AlarmTransitionKind.RAISE
            await client.acknowledge_alarm(LOW)
            await eventually(lambda: feed.alarms[LOW].state is AlarmConditionState.ACTIVE_ACKED, "acknowledged")
            gateway.clear_alarm(LOW)
            await eventually(lambda: LOW not in feed.alarms, "cleared and acknowledged: over")


async def test_a_broken_stream_is_reported_and_reopened_with_the_new_alarms(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    gateway.raise_alarm(HIGH)
    async with AlarmFeed(client, "ZB!Area") as feed, feed.follow() as news, asyncio.timeout(20):
        first = await anext(news)
        assert isinstance(first, AlarmListRead)
        assert (first.is_first, [alarm.reference for alarm in first.new]) == (True, [HIGH])
        gateway.faults.stall("StreamAlarms")
        gateway.faults.drop_alarm_streams()
        while not isinstance(await anext(news), AlarmFeedLost):
            pass
        assert not feed.is_complete
        assert feed.lost_at is not None
        gateway.clear_alarm(HIGH)
        gateway.raise_alarm(LOW)
        gateway.faults.release("StreamAlarms")
        again = await anext(news)
        while not isinstance(again, AlarmListRead):
            assert isinstance(again, AlarmProviderStatus)
            again = await anext(news)
        assert (again.is_first, [alarm.reference for alarm in again.new if alarm.reference == LOW]) == (False, [LOW])
        # Nobody has said that it was acknowledged: it does not vanish.
        assert feed.unsure == {HIGH}
        assert feed.alarms[HIGH].state is AlarmConditionState.INACTIVE
        feed.forget(HIGH)
        assert HIGH not in feed.alarms


async def test_a_gateway_without_alarms_raises_for_waiters_and_followers() -> None:
    async with (
        SimulatedGateway(plaintext=True, api_keys=(), alarms=False) as gateway,
        await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True) as client,
        AlarmFeed(client) as feed,
        asyncio.timeout(20),
    ):
        news = feed.follow()
        with pytest.raises(MxGatewayCommandError, match="disabled"):
            await feed.ready()
        with pytest.raises(MxGatewayCommandError, match="disabled"):
            await anext(news)
        with pytest.raises(StopAsyncIteration):
            await anext(news)
        with pytest.raises(MxGatewayCommandError, match="disabled"):
            await feed.follow().batch()
        assert feed.has_ended


async def test_waiting_for_a_list_that_does_not_come_has_an_end(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    gateway.faults.stall("StreamAlarms")
    async with AlarmFeed(client) as feed:
        with pytest.raises(MxGatewayWaitError, match=r"within 0\.05 s"):
            await feed.ready(timeout=0.05)


async def test_a_slow_follower_counts_its_losses_and_slows_no_other(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    async with AlarmFeed(client) as feed, asyncio.timeout(20):
        await feed.ready()
        slow, quick = feed.follow(queue_size=1), feed.follow()
        for number in range(3):
            gateway.raise_alarm(f"ZB!Area.Object{number}.Hi")
        seen: set[str] = set()
        while len(seen) < 3:
            news = await anext(quick)
            if isinstance(news, AlarmTransition):
                seen.add(news.reference)
        assert slow.dropped >= 2
        with pytest.raises(MxGatewayArgumentError, match="queue_size"):
            feed.follow(queue_size=0)
    assert await quick.batch() == []


async def test_closing_the_feed_ends_its_followers(client: GatewayClient) -> None:
    feed = AlarmFeed(client)
    feed.start()
    feed.start()
    news = feed.follow()
    await feed.ready(timeout=20)
    await feed.aclose()
    await feed.aclose()
    assert [each async for each in news if not isinstance(each, AlarmListRead | AlarmProviderStatus)] == []
