"""A machine that slept, events that come again, and what goes wrong in the live session itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    Changes,
    EventFamily,
    EventHeader,
    GatewayClient,
    Item,
    LiveChange,
    LiveSession,
    LiveState,
    LiveValue,
    MxEvent,
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayTransportError,
    Reading,
    Session,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestDouble"


@pytest.fixture
def machine() -> Iterator[clock.SimulatedSleep]:
    """The machine's clock, which a test lets sleep."""
    sleeping = clock.SimulatedSleep()
    with clock.replaced(sleeping):
        yield sleeping


@pytest.fixture
async def item(machine: clock.SimulatedSleep, live: LiveSession) -> Item:
    """INT, advised, with a first value."""
    server = await live.session.register("live")
    (found,) = await live.subscribe_tags([INT], server)
    await live.first_value(found)
    return found


# Sleep.


async def test_after_a_sleep_all_is_stale_until_it_is_confirmed(
    machine: clock.SimulatedSleep, gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    changes, before = live.changes(), clock.monotonic()
    gateway.faults.stall("ping")
    machine.sleep(3600)
    slept = await asyncio.wait_for(anext(changes), 20)
    assert (slept.state, round(slept.slept)) == (LiveState.STALE, 3600)
    assert slept.since is not None
    assert slept.since <= before + 1
    value = live[INT]
    assert value.stale_since is not None
    assert value.age >= 3600
    assert not await live.caught_up(timeout=0.1)
    # What comes now may have been sent long ago.
    gateway.set(INT, 1)
    await eventually(lambda: live[INT].value == 1, "it comes", seconds=20)
    assert live[INT].stale_since is not None
    assert live.state is LiveState.STALE
    (reading,) = await live.read([INT])
    assert reading.stale_for is not None
    gateway.faults.release()
    await eventually(lambda: live.state is LiveState.LIVE and live[INT].stale_since is None, "confirmed", seconds=20)
    assert (await live.read([INT]))[0].stale_for is None
    assert live.gaps == 0


async def test_who_judges_first_notices_the_sleep(
    machine: clock.SimulatedSleep, gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    gateway.faults.stall("ping")
    machine.sleep(3600)
    (reading,) = await live.read([INT], timeout=0.1)
    assert reading.stale_for is not None
    assert reading.age is not None
    assert reading.age >= 3600


async def test_a_wait_is_over_when_the_machine_slept_through_it(
    machine: clock.SimulatedSleep, live: LiveSession, item: Item
) -> None:
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 99, timeout=3000))
    await asyncio.sleep(0)
    machine.sleep(3600)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting, 20)


# Doubt.


async def test_a_value_is_stale_since_it_was_last_known_to_hold(live: LiveSession, item: Item) -> None:
    lost, received = MxGatewayTransportError("lost"), live[INT].received_at
    live._hub.set_stale(lost, received - 100)
    assert live[INT].stale_since == received
    live._hub.set_stale(lost, received + 1)
    assert live[INT].stale_since == received  # and not since the next thing that happened
    live._hub.set_live()
    live._hub.values.confirm()
    assert live[INT].stale_since is None
    live._hub.set_stale(lost, received + 2)
    assert live[INT].stale_since == received + 2
    live._hub.values.confirm()
    before = clock.monotonic()
    live._hub.set_stale(lost)
    assert before <= (live[INT].stale_since or 0) <= clock.monotonic()
    reading = Reading.held(INT, live[INT])
    assert reading.stale_for is not None
    assert 0 <= reading.stale_for <= clock.monotonic() - before


async def test_a_gap_in_what_was_stale_already_is_not_confirmed_by_a_stream_that_goes_on(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    gateway.faults.stall("read_bulk")
    live._hub.set_stale(MxGatewayTransportError("lost"))
    stale_since = live[INT].stale_since
    other = EventHeader(EventFamily.OPERATION_COMPLETE)
    live._hub.take(MxEvent(other, live.last_worker_sequence + 5))  # some are missing
    live._hub.take(MxEvent(other, live.last_worker_sequence + 1))
    live._hub.set_live()
    live._hub.set_stale(MxGatewayTransportError("lost again"))
    live._hub.take(MxEvent(other, live.last_worker_sequence + 1))
    assert live[INT].stale_since == stale_since
    live._hub.take(MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, *item.key, 192), live.last_worker_sequence + 1, 1))
    assert live[INT].stale_since is None
    gateway.faults.release()


async def test_a_value_that_comes_before_the_reply_that_names_its_item_gets_its_tag(live: LiveSession) -> None:
    server = await live.session.register("live")
    await live.session.ping()
    live._hub.take(MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, server, 1, 192), live.last_worker_sequence + 1, 7))
    early = live.latest(server, 1)
    assert early is not None
    assert (early.tag, early.value) == ("", 7)
    handle = await live.session.add_item(server, INT)
    assert handle == 1
    named = live._hub.values._values[server, 1]
    assert (named.tag, named.value) == (INT, 7)
    assert not live._hub.values._unknown


# Events that come again.


async def test_events_that_come_again_are_given_to_nobody(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    gateway.set(INT, 1)
    await eventually(lambda: live[INT].value == 1, "it comes", seconds=20)
    gateway.faults.stall("StreamEvents")
    subscription, events, value = live.subscribe(), live.events, live[INT]
    gateway.faults.drop_streams()
    await eventually(lambda: live.state is LiveState.STALE, "the stream is lost", seconds=20)
    again = MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, *item.key, 192), live.last_worker_sequence, 5)
    live._hub.take(again)
    live._hub.take(MxEvent(EventHeader(EventFamily.ON_WRITE_COMPLETE, *item.key), live.last_worker_sequence, None))
    assert (live.repeated, live.events, live.gaps) == (2, events, 0)
    assert live[INT] is value
    assert subscription.take() == []
    gateway.faults.release()
    await eventually(lambda: live.state is LiveState.LIVE, "it is back", seconds=20)
    result = await live.write_and_confirm(*item.key, 2)
    assert result.outcome is WriteOutcome.COMPLETED
    # In the middle of a stream nothing may come again: who knows what did not come.
    live._hub.take(again)
    assert live[INT].value != 5
    assert live.gaps == 1


# What goes wrong here.


@pytest.mark.parametrize("part", ["ping", "reconnected", "read_again"])
async def test_a_task_of_the_session_that_fails_is_told_and_makes_values_stale(
    part: str, gateway: SimulatedGateway, live: LiveSession, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*anything: object, **more: object) -> None:
        raise ZeroDivisionError("a mistake in here")

    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 0.01)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANXIOUS_HEARTBEAT", 0.01)
    changes = live.changes()
    transport, values = live.session._link.transport, live._hub.values
    owner = {"ping": Session, "reconnected": type(transport.channel), "read_again": type(values)}[part]
    monkeypatch.setattr(owner, part, broken)
    gateway.faults.drop_streams()  # the tasks begin anew
    async with asyncio.timeout(20):
        told = [change async for change in changes]
    assert told[-1].state is live.state is LiveState.CLOSED
    assert "a mistake in here" in str(live.lost)
    assert live[INT].stale_since is not None
    with pytest.raises(MxGatewayError, match="a mistake in here"):
        await live.write_and_confirm(*item.key, 1)


# Whoever uses it elsewhere.


def test_what_belongs_to_a_closed_loop_says_so(far_gateway: Any) -> None:
    async def opened() -> tuple[GatewayClient, Session, LiveSession]:
        client = await GatewayClient.connect(endpoint=far_gateway.endpoint, api_key=far_gateway.api_key, plaintext=True)
        return client, await client.open_session(), await LiveSession.open(client)

    async def used(client: GatewayClient, session: Session, live: LiveSession) -> None:
        assert live.state is LiveState.CLOSED
        calls: list[Callable[[], Awaitable[object]]] = [
            client.open_session,
            session.ping,
            session.close,
            lambda: live.read([INT]),
            lambda: live.write_and_confirm(1, 1, 1),
            lambda: client.galaxy.test_connection(),
            live.aclose,
        ]
        with pytest.raises(MxGatewayError, match="event loop that is closed"):
            session.stream_events()
        for call in calls:
            with pytest.raises(MxGatewayError, match=r"event loop that is closed|was cancelled"):
                await asyncio.wait_for(call(), 20)
        await client.close()

    asyncio.run(used(*asyncio.run(opened())))


# Whoever follows.


async def test_changes_are_listened_to_from_the_call(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    changes = live.changes()
    gateway.faults.drop_streams()
    await eventually(lambda: live.resumes and live.state is LiveState.LIVE, "it is resumed", seconds=20)
    states = [(await asyncio.wait_for(anext(changes), 20)).state for _ in range(2)]
    assert states == [LiveState.STALE, LiveState.LIVE]


async def test_changes_that_nobody_takes_are_bounded_and_counted(live: LiveSession) -> None:
    changes = live.changes(queue_size=3)
    for lost in range(1, 11):
        live._hub._notify(LiveChange(LiveState.LIVE, None, lost_events=lost))
    first = await anext(changes)
    assert (first.lost_events, first.dropped) == (8, 7)
    assert (await anext(changes)).dropped == 0
    await changes.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(changes)
    with pytest.raises(MxGatewayArgumentError):
        live.changes(queue_size=0)


async def test_who_no_longer_follows_is_forgotten(live: LiveSession) -> None:
    async def look() -> None:
        async for _ in live.changes():
            pass

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    assert len(live._hub._listeners) >= 1
    looking.cancel()
    await asyncio.wait([looking])
    del looking
    await eventually(lambda: not live._hub._listeners, "it is forgotten", seconds=20)
    for _ in range(100):
        waiting = asyncio.create_task(live.changed())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    assert not live._hub._waiters
    async with live.changes() as closed:
        assert isinstance(closed, Changes)


# Ages.


@pytest.mark.parametrize(("seconds", "ahead"), [(0.5, 0.0), (3.0, 3.0), (3600.0, 3600.0), (-3.0, 0.0)])
def test_a_source_whose_clock_is_fast_leaves_the_age_open(seconds: float, ahead: float) -> None:
    now = 1_700_000_000_000_000_000
    event = MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, 1, 1, 192), 1, 5, now + int(seconds * 1e9), now)
    value = LiveValue.of(event, INT, 1)
    assert value is not None
    assert value.ahead == ahead
    assert value.age >= max(0.0, -seconds)
