"""A live session whose session is lost: another takes its place, behind the same handles."""

import asyncio
from collections.abc import Callable

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveChange,
    LiveSession,
    LiveState,
    MxGatewayArgumentError,
    MxGatewayAuthenticationError,
    MxGatewayError,
    MxGatewaySessionError,
    OpenSessionOptions,
    SessionState,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.commands.writes import write_request
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import CallRecord, GatewayKey, SimulatedGateway

INT, DOUBLE, STRING, BOOL = (f"TestChildObject.Test{name}" for name in ("Int", "Double", "String", "Bool"))

Losing = Callable[[SimulatedGateway, str], object]
LOSSES: dict[str, Losing] = {
    "worker ends": lambda gateway, session_id: gateway.faults.lose_session(session_id),
    "faulted": lambda gateway, session_id: gateway.faults.fault_session(session_id),
    "overflow": lambda gateway, session_id: gateway.faults.drop_streams(grpc.StatusCode.RESOURCE_EXHAUSTED),
}


async def rebuilt(live: LiveSession, times: int = 1) -> None:
    async with asyncio.timeout(30):
        while live.rebuilds < times or live.state is not LiveState.LIVE:
            await live.changed()


async def test_the_gap_that_a_lost_session_leaves_ends_before_what_the_next_one_brings(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    (item,) = await live.subscribe_tags([INT], await live.session.register("one"))
    await live.session.register("two")
    await live.first_value(item)
    stream = live.subscribe()
    # The first value is here while the rest is still being registered.
    gateway.faults.delay("register", 0.2)
    gateway.faults.lose_session(live.session.session_id)
    await rebuilt(live)
    gap = await anext(event async for event in stream if event.replay_gap)
    assert gap.received_at <= (await anext(stream)).received_at


async def confirmed(live: LiveSession, tag: str) -> None:
    async with asyncio.timeout(30):
        while live[tag].stale_since is not None:
            await live.changed()


@pytest.mark.parametrize("how", LOSSES)
async def test_a_lost_session_is_rebuilt_with_everything_it_had(
    how: str, gateway: SimulatedGateway, live: LiveSession
) -> None:
    session = live.session
    server = await session.register("one")
    other = await session.register("two")
    gone = await session.add_item(server, BOOL)
    first, second = await live.subscribe_tags([INT, STRING], server)
    supervised = await session.add_item2(other, "TestInt", "TestChildObject")
    await session.advise_supervisory(other, supervised)
    unadvised = await session.add_item(other, DOUBLE)
    await session.remove_item(server, gone)
    await live.first_value(first)
    lost_id, stream = session.session_id, live.subscribe()
    changes: list[LiveChange] = []

    async def collect() -> None:
        async for change in live.changes():
            changes.append(change)

    collecting = asyncio.create_task(collect())
    await asyncio.sleep(0)
    LOSSES[how](gateway, lost_id)
    await rebuilt(live)

    assert live.session is session
    assert session.session_id != lost_id
    assert [change.state for change in changes] == [LiveState.REBUILDING, LiveState.REBUILDING, LiveState.LIVE]
    assert (live.gaps, live.rebuilds) == (1, 1)
    gap = (await anext(event async for event in stream if event.replay_gap)).replay_gap
    assert gap is not None
    assert gap.oldest_available_sequence == 0
    assert gateway.sessions[lost_id].state == "CLOSED"
    assert session.handles.servers == {server: "one", other: "two"}
    assert {key: item.tag for key, item in session.handles.items.items()} == {
        first.key: INT,
        second.key: STRING,
        (other, supervised): "TestChildObject.TestInt",
        (other, unadvised): DOUBLE,
    }
    await confirmed(live, INT)
    # The handles mean what they meant, whatever the gateway calls them now.
    result = await live.write_and_confirm(*first.key, 77, timeout=5)
    assert result.outcome is WriteOutcome.COMPLETED
    result = await live.write_and_confirm(*second.key, "text", timeout=5)
    assert result.outcome is WriteOutcome.COMPLETED
    assert [(write.tag, write.value) for write in gateway.writes][-2:] == [(INT, 77), (STRING, "text")]
    async with asyncio.timeout(30):
        while live[STRING].value != "text" or live[INT].value != 77:
            await live.changed()
    assert await session.get_session_state() is SessionState.READY
    collecting.cancel()


async def test_a_new_item_never_gets_a_handle_that_meant_another(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("live")
    dropped, kept = await live.session.add_item_bulk(server, [BOOL, INT])
    await live.session.advise(server, kept.item_handle)
    await live.session.remove_item(server, dropped.item_handle)
    gateway.faults.lose_session(live.session.session_id)
    await rebuilt(live)
    (added,) = await live.subscribe_tags([STRING], server)
    assert added.item_handle not in (dropped.item_handle, kept.item_handle)
    await live.session.write(server, kept.item_handle, 5)
    await eventually(lambda: gateway.writes, "the write arrives")
    assert (gateway.writes[-1].tag, gateway.writes[-1].value) == (INT, 5)
    value = await live.first_value(added)
    assert value.tag == STRING
    calls = len(gateway.calls)
    with pytest.raises(
        MxGatewayArgumentError, match=f"item handle {dropped.item_handle} on server 1 is not one of this session"
    ):
        await live.session.write(server, dropped.item_handle, True)
    with pytest.raises(MxGatewayArgumentError, match="server handle 99 is not one"):
        await live.session.add_item(99, INT)
    assert len(gateway.calls) == calls


async def test_a_user_id_dies_with_its_session(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("live")
    (item,) = await live.subscribe_tags([INT], server)
    await live.first_value(item)
    user = await live.session.authenticate_user(server, "operator", "password")
    gateway.faults.lose_session(live.session.session_id)
    await rebuilt(live)
    with pytest.raises(MxGatewayArgumentError, match="authenticate again"):
        await live.session.write(*item.key, 1, user)
    assert not gateway.writes
    user = await live.session.authenticate_user(server, "operator", "password")
    await confirmed(live, INT)
    await live.session.write(*item.key, 1, user)
    await eventually(lambda: len(gateway.writes) == 1, "the write arrives")


async def test_a_gateway_that_restarts_is_waited_for(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("live")
    (item,) = await live.subscribe_tags([INT], server)
    await live.first_value(item)
    await gateway.restart()
    async with asyncio.timeout(30):
        while live.state is LiveState.LIVE:
            await live.changed()
    assert live[INT].stale_since is not None
    with pytest.raises(MxGatewayError, match="nothing was sent"):
        await live.write_and_confirm(*item.key, 1)
    await rebuilt(live)
    await confirmed(live, INT)
    assert (await live.write_and_confirm(*item.key, 2, timeout=5)).outcome is WriteOutcome.COMPLETED
    assert [write.value for write in gateway.writes] == [2]


async def test_every_path_of_a_write_is_refused_while_it_is_not_live(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    server = await live.session.register("live")
    (item,) = await live.subscribe_tags([INT], server)
    await live.first_value(item)
    gateway.faults.stall("OpenSession")
    gateway.faults.lose_session(live.session.session_id)
    async with asyncio.timeout(30):
        while live.state is not LiveState.REBUILDING:
            await live.changed()
    request = write_request(live.session._link, *item.key, 1)
    calls = len([call for call in gateway.calls if call.rpc == "Invoke"])
    for attempt in (
        live.write_and_confirm(*item.key, 1),
        live.session.write(*item.key, 1),
        live.session.write_bulk(server, [(item.item_handle, 1)]),
        live.session._link.transport.invoke(request),
    ):
        with pytest.raises(MxGatewaySessionError, match=r"rebuilding, not live .*nothing was sent") as caught:
            await attempt
        assert not caught.value.outcome_unknown
    assert len([call for call in gateway.calls if call.rpc == "Invoke"]) == calls
    gateway.faults.release("OpenSession")
    await rebuilt(live)
    assert not gateway.writes


async def test_a_refused_key_is_the_end(gateway: SimulatedGateway, client: GatewayClient) -> None:
    live = await LiveSession.open(client)
    gateway.faults.revoke(gateway.api_key.split("_")[1])
    gateway.faults.lose_session(live.session.session_id)
    async with asyncio.timeout(30):
        while live.state is not LiveState.CLOSED:
            await live.changed()
    assert isinstance(live.lost, MxGatewayAuthenticationError)
    with pytest.raises(MxGatewayAuthenticationError):
        await live.aclose()
    assert not gateway.open_streams


async def test_the_new_session_is_opened_as_the_lost_one_was(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session = await client.open_session(OpenSessionOptions(client_session_name="night shift"))
    async with await LiveSession.open(client, session) as live:
        gateway.faults.lose_session(session.session_id)
        await rebuilt(live)
        opened = [call for call in gateway.calls if call.rpc == "OpenSession"]
        assert [call.request.client_session_name for call in opened] == ["night shift", "night shift"]


async def test_closing_while_rebuilding_leaves_no_session(gateway: SimulatedGateway, live: LiveSession) -> None:
    gateway.faults.stall("OpenSession")
    gateway.faults.lose_session(live.session.session_id)
    async with asyncio.timeout(30):
        while live.state is not LiveState.REBUILDING:
            await live.changed()
    closing = asyncio.create_task(live.aclose())
    await asyncio.sleep(0)
    gateway.faults.release("OpenSession")
    async with asyncio.timeout(30):
        await closing
    await eventually(
        lambda: all(session.state == "CLOSED" for session in gateway.sessions.values()), "every session is closed"
    )
    assert gateway.open_streams == 0


async def test_closing_that_is_cancelled_while_rebuilding_is_cancelled_and_leaves_no_session(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    await live.session.register("live")
    gateway.faults.stall("register")
    gateway.faults.lose_session(live.session.session_id)

    def registering() -> list[CallRecord]:
        commands = [call for call in gateway.calls if call.rpc == "Invoke"]
        return [call for call in commands if call.request.command.WhichOneof("payload") == "register"]

    await eventually(lambda: len(registering()) == 2, "another one is being filled")
    # The lost one is closed, by whoever rebuilds and by whoever closes; then the other.
    gateway.schedule("at CloseSession 3 stall")
    closing = asyncio.create_task(live.aclose())
    await eventually(lambda: [call.rpc for call in gateway.calls].count("CloseSession") == 3, "it is being closed")
    closing.cancel()
    await asyncio.sleep(0)
    gateway.faults.release()
    with pytest.raises(asyncio.CancelledError):
        await closing
    await eventually(lambda: not gateway.live_sessions, "every session is closed")
    await eventually(lambda: not gateway.open_streams, "no stream is open")
    assert live.state is LiveState.CLOSED


async def test_values_are_read_again_when_the_stream_is_resumed_on_a_quiet_plant(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    server = await live.session.register("live")
    (item,) = await live.subscribe_tags([INT], server)
    await live.first_value(item)
    gateway.faults.drop_streams()
    async with asyncio.timeout(30):
        while live.state is LiveState.LIVE:
            await live.changed()
    assert live[INT].stale_since is not None
    await confirmed(live, INT)
    assert (live.rebuilds, live.gaps) == (0, 0)


async def test_values_are_read_again_after_a_gap(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("live")
    (item,) = await live.subscribe_tags([INT], server)
    await live.first_value(item)
    gateway.faults.stall("StreamEvents")
    gateway.faults.drop_streams()
    async with asyncio.timeout(30):
        while live.state is LiveState.LIVE:
            await live.changed()
    gateway.set(INT, 41)
    gateway.faults.evict_replay(live.session.session_id)
    gateway.faults.release("StreamEvents")
    async with asyncio.timeout(30):
        while live[INT].value != 41 or live[INT].stale_since is not None:
            await live.changed()
    assert live.gaps == 1


@pytest.mark.parametrize("is_late", [False, True], ids=["while another takes its place", "afterwards"])
async def test_handles_that_a_lost_session_still_gives_are_nobodys(
    is_late: bool, gateway: SimulatedGateway, live: LiveSession
) -> None:
    server = await live.session.register("live")
    lost = live.session.session_id
    # The session is lost for the client, and goes on at the gateway.
    gateway.faults.fail_next("CloseSession", code=grpc.StatusCode.UNAVAILABLE)
    gateway.faults.stall("subscribe_bulk")
    adding = asyncio.create_task(live.subscribe_tags([INT], server))
    await eventually(
        lambda: [call for call in gateway.calls if call.rpc == "Invoke"][-1].request.command.kind == 23, ""
    )
    if not is_late:
        gateway.faults.stall("OpenSession")
    gateway.faults.drop_streams(grpc.StatusCode.DEADLINE_EXCEEDED)
    await eventually(lambda: live.state is LiveState.REBUILDING, "the client gives the session up")
    if is_late:
        await rebuilt(live)
    gateway.faults.release("subscribe_bulk")
    with pytest.raises(MxGatewaySessionError, match="lost during the call"):
        await adding
    gateway.faults.release("OpenSession")
    await rebuilt(live)
    assert lost in gateway.live_sessions
    assert not live.session.handles.items
    (item,) = await live.subscribe_tags([INT], server)
    gateway.set(INT, 43)
    async with asyncio.timeout(30):
        while (value := live.latest(*item.key)) is None or value.value != 43:
            await live.changed()
    assert value.tag == INT


async def test_a_new_session_whose_stream_is_resumed_has_confirmed_only_what_came_in_it(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    server = await live.session.register("live")
    (first,) = await live.subscribe_tags([INT], server)
    buffered = await live.session.add_buffered_item(server, STRING)
    await live.session.advise(server, buffered)
    await live.first_value(first)
    async with asyncio.timeout(30):
        while live.latest(server, buffered) is None:
            await live.changed()
    gateway.faults.stall("read_bulk")
    # The buffered item reports after its interval: not in this test's time.
    await live.session.set_buffered_update_interval(server, 3_600_000)
    gateway.faults.lose_session(live.session.session_id)
    await rebuilt(live)
    gateway.faults.drop_streams()
    async with asyncio.timeout(30):
        while live.state is LiveState.LIVE:
            await live.changed()
    gateway.set(INT, 2)
    await live.wait_for(INT, lambda value: value == 2, timeout=5)
    value = live.latest(server, buffered)
    assert value is not None
    assert value.stale_since is not None
    gateway.faults.release("read_bulk")


async def test_every_kind_of_item_is_had_again_as_it_was(gateway: SimulatedGateway, live: LiveSession) -> None:
    session = live.session
    server = await session.register("live")
    await session.set_buffered_update_interval(server, 50)
    buffered = await session.add_buffered_item(server, "TestInt", "TestChildObject")
    await session.advise(server, buffered)
    (suspended,) = await live.subscribe_tags([STRING], server)
    await session.suspend(*suspended.key)
    supervised = await session.add_item(server, DOUBLE)
    await session.advise_supervisory(server, supervised)
    await session.send(session.request("subscribe_alarms", subscription_expression=r"\\.\Galaxy!Plant"))
    before = dict(session.handles.items)
    gateway.faults.lose_session(session.session_id)
    await rebuilt(live)
    assert session.handles.items == before
    found = {item.address.rpartition(".")[2]: item for item in gateway.sessions[session.session_id].items}
    assert {name: (item.advised, item.supervisory, item.suspended, item.buffered) for name, item in found.items()} == {
        "TestInt": (True, False, False, True),
        "TestString": (True, False, True, False),
        "TestDouble": (True, True, False, False),
    }
    again = [
        call.request.command
        for call in gateway.calls
        if call.rpc == "Invoke" and call.request.session_id == session.session_id
    ]
    (interval,) = [each for each in again if each.WhichOneof("payload") == "set_buffered_update_interval"]
    assert interval.set_buffered_update_interval.update_interval_milliseconds == 50
    (alarms,) = [each for each in again if each.WhichOneof("payload") == "subscribe_alarms"]
    assert alarms.subscribe_alarms.subscription_expression == r"\\.\Galaxy!Plant"
    # What is suspended stays in doubt, whatever its first report says.
    value = live.latest(*suspended.key)
    assert value is None or value.stale_since is not None


async def test_what_cannot_be_had_again_is_named_with_the_reason() -> None:
    key = GatewayKey("narrow", "secret", subtrees={"TestChildObject", "Plant.Tank1"})
    async with (
        SimulatedGateway(plaintext=True, api_keys=[key]) as gateway,
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True) as client,
        await LiveSession.open(client) as live,
    ):
        server = await live.session.register("live")
        kept, gone = await live.subscribe_tags([INT, "Plant.Tank1.Level"], server)
        in_context = await live.session.add_item2(server, "TestDouble", "TestChildObject")
        await live.session.advise(server, in_context)
        for item in (kept, gone):
            await live.first_value(item)
        changes = live.changes()
        object.__setattr__(key, "subtrees", frozenset({"testchildobject"}))  # as if somebody narrowed it
        gateway.faults.fail_next(
            "add_item2", protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE, details="no such thing"
        )
        gateway.faults.lose_session(live.session.session_id)
        missing = await anext(change.missing async for change in changes if change.missing)
        assert [text.partition(" ")[0] for text in missing] == ["Plant.Tank1.Level", DOUBLE]
        assert "no such thing" in missing[1]
        assert missing[0] != "Plant.Tank1.Level (no reason given)"
        await rebuilt(live)
        assert list(live.session.handles.items) == [kept.key]
        assert live.latest(*gone.key) is None
        await confirmed(live, INT)
        with pytest.raises(MxGatewayArgumentError, match="is not one of this session"):
            await live.session.write(*gone.key, 1.0)
