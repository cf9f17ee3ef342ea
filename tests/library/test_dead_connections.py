"""Connections that are open but dead: nothing comes over them, and nothing says so."""

import asyncio
from dataclasses import replace

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    AlarmFeed,
    GatewayClient,
    Item,
    LiveSession,
    LiveState,
    MxGatewayTransportError,
    MxGatewayWorkerError,
    Session,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.transport.streams import EventStream
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def quick_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life within a test."""
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 0.1)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANXIOUS_HEARTBEAT", 0.1)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", 0.5)


@pytest.fixture
async def item(live: LiveSession) -> Item:
    """Advised, with its first value."""
    (item,) = await live.subscribe_tags([INT], await live.session.register("dead"))
    await live.first_value(item)
    return item


async def moving(gateway: SimulatedGateway) -> None:
    """The plant changes all the time."""
    number = 0
    while True:
        number += 1
        gateway.set(INT, number)
        await asyncio.sleep(0.02)


async def reached(live: LiveSession, state: LiveState) -> None:
    async with asyncio.timeout(PATIENCE):
        while live.state is not state:
            await live.changed()


async def test_a_dead_connection_of_the_commands_is_replaced_while_events_flow(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    plant = asyncio.create_task(moving(gateway))
    try:
        told = live.changes()
        gateway.faults.swallow_connections("subscribe_bulk")
        async with asyncio.timeout(PATIENCE):
            stale = await anext(told)
        assert stale.state is LiveState.STALE
        assert isinstance(stale.lost, MxGatewayTransportError)
        assert "connection of the commands" in str(stale.lost)
        await reached(live, LiveState.LIVE)
    finally:
        plant.cancel()
    result = await live.write_and_confirm(*item.key, -1, timeout=PATIENCE)
    assert result.outcome is WriteOutcome.COMPLETED
    assert (live.rebuilds, live.gaps) == (0, 0)
    assert [write.value for write in gateway.writes] == [-1]


async def test_a_write_that_is_not_answered_asks_for_a_sign_of_life_at_once(
    gateway: SimulatedGateway, client: GatewayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 3600.0)
    async with await LiveSession.open(client) as live:
        (item,) = await live.subscribe_tags([INT], await live.session.register("dead"))
        await live.first_value(item)
        await eventually(lambda: live.round_trip is not None, "the first sign of life", seconds=PATIENCE)
        gateway.faults.swallow_connections("subscribe_bulk")
        assert (await live.write_and_confirm(*item.key, 1, timeout=0.2)).outcome is WriteOutcome.UNKNOWN
        await reached(live, LiveState.STALE)
        await reached(live, LiveState.LIVE)
        # The first one never arrived; the next one does.
        assert (await live.write_and_confirm(*item.key, 2, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED
        assert [write.value for write in gateway.writes] == [2]


@pytest.mark.parametrize(
    "codes",
    [["DEADLINE_EXCEEDED"], ["DEADLINE_EXCEEDED", "", "DEADLINE_EXCEEDED"], ["UNAVAILABLE", "UNAVAILABLE"]],
    ids=["one silence", "two silences with an answer between them", "a connection that gRPC makes again itself"],
)
async def test_signs_of_life_without_an_answer_give_up_nothing_unless_two_in_a_row_are_silent(
    gateway: SimulatedGateway,
    live: LiveSession,
    item: Item,
    monkeypatch: pytest.MonkeyPatch,
    codes: list[str],
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", PATIENCE)
    ping, asked = Session.ping, list[float | None]()

    async def silent(session: Session, *, timeout: float | None = None) -> None:
        asked.append(timeout)
        if len(asked) <= len(codes) and (code := codes[len(asked) - 1]):
            raise MxGatewayWorkerError("ping: no answer", grpc_code=code)
        await ping(session, timeout=timeout)

    monkeypatch.setattr(Session, "ping", silent)
    connections = {call.connection for call in gateway.calls}
    await reached(live, LiveState.STALE)
    await eventually(lambda: len(asked) > len(codes) + 1, "the signs of life are answered again", seconds=PATIENCE)
    await reached(live, LiveState.LIVE)
    assert (live.rebuilds, live.resumes) == (0, 0)
    assert {call.connection for call in gateway.calls} == connections


async def test_one_silence_on_the_connection_of_the_events_gives_up_nothing(
    gateway: SimulatedGateway, live: LiveSession, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", PATIENCE)
    answers, asked = EventStream.answers, list[float]()

    async def silent_once(stream: EventStream[object], timeout: float) -> bool:
        asked.append(timeout)
        return len(asked) > 1 and await answers(stream, timeout)

    monkeypatch.setattr(EventStream, "answers", silent_once)
    await reached(live, LiveState.STALE)
    await reached(live, LiveState.LIVE)
    assert len(asked) > 1
    assert (live.rebuilds, live.resumes) == (0, 0)


@pytest.mark.parametrize(("owner", "name"), [(Session, "ping"), (EventStream, "answers")])
async def test_a_silent_connection_makes_values_stale_since_the_last_sign_of_life(
    live: LiveSession, item: Item, monkeypatch: pytest.MonkeyPatch, owner: type, name: str
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", PATIENCE)
    answer, asked_at, seen = getattr(owner, name), list[float](), asyncio.Event()

    async def silent_once(*args: object, **options: object) -> object:
        asked_at.append(clock.monotonic())
        if len(asked_at) > 1:
            await seen.wait()
            return await answer(*args, **options)
        if owner is Session:
            raise MxGatewayWorkerError("ping: no answer", grpc_code="DEADLINE_EXCEEDED")
        return False

    monkeypatch.setattr(owner, name, silent_once)
    await reached(live, LiveState.STALE)
    value = live.latest(*item.key)
    assert value is not None
    assert value.stale_since is not None
    assert value.received_at <= value.stale_since <= asked_at[0]
    seen.set()
    await reached(live, LiveState.LIVE)


async def test_both_connections_are_replaced_when_both_are_dead(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    gateway.faults.swallow_connections()
    await reached(live, LiveState.STALE)
    gateway.set(INT, 7)
    value = await live.wait_for(INT, lambda value: value == 7, timeout=PATIENCE)
    assert value.stale_since is None
    assert (await live.write_and_confirm(*item.key, 8, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED
    assert live.rebuilds == 0


async def test_a_lost_session_is_rebuilt_although_the_connection_of_the_commands_is_dead(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    # It does not take the time-outs of two calls.
    client = live.session._link.transport
    client.options = replace(client.options, call_timeout=PATIENCE)
    gateway.faults.swallow_connections("subscribe_bulk")
    gateway.faults.lose_session(live.session.session_id)
    async with asyncio.timeout(PATIENCE):
        while not live.rebuilds or live.state is not LiveState.LIVE:
            await live.changed()
    assert (await live.wait_for(INT, lambda value: value == 0, timeout=PATIENCE)).stale_since is None


async def test_alarms_come_over_the_new_connection_too(
    gateway: SimulatedGateway, client: GatewayClient, live: LiveSession
) -> None:
    await live.session.register("dead")
    async with AlarmFeed(client) as feed:
        await feed.ready(timeout=PATIENCE)
        gateway.faults.swallow_connections("register")
        await eventually(lambda: not feed.is_complete, "the feed is broken", seconds=PATIENCE)
        gateway.raise_alarm("Galaxy!Area.Object.Late")
        await eventually(lambda: feed.is_complete, "the feed is read again", seconds=PATIENCE)
        assert "Galaxy!Area.Object.Late" in feed.alarms


async def test_a_closed_client_leaves_no_connection_although_a_call_waits_on_one_that_was_given_up(
    gateway: SimulatedGateway, client: GatewayClient, live: LiveSession, item: Item
) -> None:
    gateway.faults.swallow_connections("subscribe_bulk")
    waiting = asyncio.create_task(live.session.ping(timeout=3600.0))
    await reached(live, LiveState.STALE)
    await reached(live, LiveState.LIVE)
    await live.aclose()
    await client.close()
    with pytest.raises(MxGatewayTransportError, match="closed before the answer came"):
        await waiting
    await eventually(lambda: not gateway.open_connections, "every connection is closed", seconds=PATIENCE)


@pytest.mark.parametrize("how", ["closed", "left open", "broken off", "ended by the gateway"])
async def test_a_stream_that_has_ended_keeps_no_connection_though_somebody_keeps_it(
    gateway: SimulatedGateway, how: str
) -> None:
    client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
    alarms, failed = client.stream_alarms(), None
    await anext(alarms)
    if how == "closed":
        await alarms.aclose()
    elif how == "broken off":
        alarms.break_off(MxGatewayTransportError("given up"))
    elif how == "ended by the gateway":
        gateway.faults.drop_alarm_streams()
    if how in ("broken off", "ended by the gateway"):
        try:
            async for _ in alarms:
                pass
        except MxGatewayTransportError as error:
            failed = error
        assert failed is not None
    await client.close()
    await eventually(lambda: not gateway.open_connections, "the connection is closed")
    assert alarms.closed


@pytest.mark.parametrize("loss", ["lose_session", "kill_worker"])
async def test_a_session_whose_loss_its_dead_stream_does_not_tell_is_rebuilt(
    gateway: SimulatedGateway, live: LiveSession, item: Item, loss: str
) -> None:
    # The commands' connection answers that there is no worker; the end of the stream never arrives.
    gateway.faults.swallow_connections("StreamEvents")
    getattr(gateway.faults, loss)(live.session.session_id)
    async with asyncio.timeout(PATIENCE):
        while not live.rebuilds:
            await live.changed()
    await reached(live, LiveState.LIVE)
    gateway.set(INT, 77)
    await eventually(lambda: live[INT].value == 77, "its items are restored", seconds=PATIENCE)
