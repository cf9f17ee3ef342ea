"""What a gateway does on its own: late writes, sessions that an administrator ends, other keys, a galaxy's copy."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    EventFamily,
    GatewayClient,
    Item,
    LiveSession,
    LiveState,
    MxGatewayAuthorizationError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway.live.completions import SentWrite
from zb_mom_ww_mxgateway_sim import ALL_SCOPES, GatewayKey, KeyScope, SimulatedGateway

INT = "TestChildObject.TestInt"


async def watched(live: LiveSession) -> Item:
    (item,) = await live.subscribe_tags([INT])
    await live.first_value(item)
    return item


async def test_a_write_that_its_caller_gave_up_is_unknown_and_its_late_effect_is_seen(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    item = await watched(live)
    events = live.subscribe()
    gateway.faults.stall("write")
    result = await live.write_and_confirm(*item.key, 7, timeout=0.3)
    assert (result.outcome, gateway.writes) == (WriteOutcome.UNKNOWN, ())
    assert isinstance(result.error, MxGatewayWorkerError)
    assert result.error.outcome_unknown
    assert not result.error.never_reached
    unseen = live.unseen_write(*item.key)
    assert unseen is not None
    assert unseen.value == 7
    gateway.faults.release()
    await live.wait_for(item, lambda value: value == 7, timeout=30)
    async with asyncio.timeout(30):
        completion = await anext(event async for event in events if event.family is EventFamily.ON_WRITE_COMPLETE)
    assert not completion.failed
    assert live.unseen_write(*item.key) is None
    # It was sent once, and a later write is not in doubt.
    assert (await live.write_and_confirm(*item.key, 8, timeout=30)).outcome is WriteOutcome.COMPLETED
    assert [write.value for write in gateway.writes] == [7, 8]


async def test_a_write_whose_command_times_out_at_the_gateway_is_unknown_too(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    item = await watched(live)
    sent = live.session.info
    assert sent.default_command_timeout > 0
    gateway.schedule("at write 1 refuse TIMEOUT write took longer than 30 s")
    result = await live.write_and_confirm(*item.key, 7, timeout=30)
    assert result.outcome is WriteOutcome.UNKNOWN
    assert result.error is not None
    assert result.error.outcome_unknown


@pytest.mark.parametrize(("seconds", "may_run"), [(0.0, True), (COMMAND_SECONDS, True), (COMMAND_SECONDS + 16, False)])
def test_a_write_may_run_for_as_long_as_a_worker_may_take(seconds: float, may_run: bool) -> None:
    write = SentWrite(None, 1, 100.0, in_flight=False)
    assert write.cannot_run_any_more(100.0 + seconds) is not may_run


Ending = Callable[[SimulatedGateway, str], object]
ENDINGS: dict[str, Ending] = {
    "closed": lambda gateway, session_id: gateway.faults.close_session(session_id),
    "killed": lambda gateway, session_id: gateway.faults.kill_worker(session_id),
}


@pytest.mark.parametrize("how", ENDINGS)
async def test_a_session_that_an_administrator_ends_is_rebuilt(
    how: str, gateway: SimulatedGateway, live: LiveSession
) -> None:
    item = await watched(live)
    before = live.session.session_id
    gateway.set(INT, 41)
    ENDINGS[how](gateway, before)
    async with asyncio.timeout(30):
        while live.rebuilds < 1 or live.state is not LiveState.LIVE:
            await live.changed()
    await live.wait_for(item, lambda value: value == 41, timeout=30)
    assert live.session.session_id != before
    assert (await live.write_and_confirm(*item.key, 7, timeout=30)).outcome is WriteOutcome.COMPLETED
    # What is left of the ended one is closed, too.
    await eventually(lambda: gateway.live_sessions == [live.session.session_id], "the ended session is closed")


@pytest.mark.parametrize(("how", "error"), [("closed", MxGatewaySessionError), ("killed", MxGatewayWorkerError)])
async def test_a_plain_session_that_an_administrator_ends_says_so(
    how: str, error: type[Exception], gateway: SimulatedGateway, client: GatewayClient
) -> None:
    session = await client.open_session()
    ENDINGS[how](gateway, session.session_id)
    with pytest.raises(error):
        await session.ping()
    await session.close()


async def test_a_session_is_used_with_another_key_that_has_the_scopes() -> None:
    opener, other = GatewayKey("opener", "x"), GatewayKey("other", "x", ALL_SCOPES - {KeyScope.SESSION_OPEN})
    reader = GatewayKey("reader", "x", frozenset({KeyScope.METADATA_READ}))
    async with SimulatedGateway(plaintext=True, api_keys=(opener, other, reader)) as gateway:

        def connect(key: GatewayKey) -> Awaitable[GatewayClient]:
            return GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True)

        async with await connect(opener) as first, await connect(other) as second, await connect(reader) as third:
            opened = await first.open_session()
            async with LiveSession(second.attach(opened.session_id), rebuild=False) as live:
                await live.ready()
                await watched(live)
            with pytest.raises(MxGatewayAuthorizationError):
                await third.attach(opened.session_id).ping()


async def test_a_galaxy_is_browsed_from_a_copy_while_its_database_is_down(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    before = [found.tag_name async for found in client.galaxy.discover()]
    gateway.faults.lose_galaxy()
    await gateway.restart()
    async with asyncio.timeout(30):
        # The first call may go out on the ended connection, before gRPC has read that it has ended: it is lost with it.
        while (answer := await _answer_or_loss(client)) is None:
            assert await client.reconnected(30)
    assert answer is False
    assert [found.tag_name async for found in client.galaxy.discover()] == before
    assert await client.galaxy.last_deploy_time() is not None


async def _answer_or_loss(client: GatewayClient) -> bool | None:
    try:
        return await client.galaxy.test_connection()
    except MxGatewayTransportError:
        return None
