"""A live session on a session that another program has read before: it goes on after a sequence."""

import asyncio

from library_waiting import eventually

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, LiveState, MxEvent
from zb_mom_ww_mxgateway_sim import SimulatedGateway

ITEM = "TestChildObject.TestInt"


async def _read_before(client: GatewayClient, gateway: SimulatedGateway) -> str:
    """The id of a session whose reader saw one event and left; 1, 2 and 3 came since."""
    live = await LiveSession.open(client)
    (item,) = await live.subscribe_tags([ITEM])
    await live.first_value(item)
    await live.detach()
    await eventually(lambda: not gateway.open_streams, "its stream ended")
    for value in (1, 2, 3):
        gateway.set(ITEM, value)
    return live.session.session_id


async def _events(live: LiveSession, count: int) -> list[MxEvent]:
    async with live.subscribe() as events:
        await live.ready(timeout=20)
        async with asyncio.timeout(20):
            return [await anext(events) for _ in range(count)]


async def test_what_was_missed_comes_first(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session_id = await _read_before(client, gateway)
    async with LiveSession(client.attach(session_id), after=1) as live:
        assert [(event.worker_sequence, event.value) for event in await _events(live, 3)] == [(2, 1), (3, 2), (4, 3)]
        assert (live.gaps, live.last_worker_sequence) == (0, 4)


async def test_what_the_gateway_has_no_more_of_is_a_gap(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session_id = await _read_before(client, gateway)
    gateway.faults.evict_replay(session_id)
    gateway.set(ITEM, 4)
    async with LiveSession(client.attach(session_id), after=1) as live:
        gap, event = await _events(live, 2)
        assert (gap.replay_gap and gap.replay_gap.oldest_available_sequence, event.value) == (5, 4)
        assert (live.gaps, live.lost_events, live.lost_is_known) == (1, 3, True)


async def test_changes_that_wait_are_taken_at_once(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with await LiveSession.open(client) as live:
        changes = live.changes(queue_size=1)
        gateway.faults.drop_streams()
        await eventually(lambda: live.resumes and live.state is LiveState.LIVE, "live again")
        (last,) = changes.take()
        assert (last.state, last.dropped >= 1) == (LiveState.LIVE, True)
        assert changes.take() == []
