"""A live session: the latest values, subscribers of one stream, and what becomes of writes and of a lost stream."""

import asyncio
import threading
import weakref
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    DataType,
    EventFamily,
    EventHeader,
    GatewayClient,
    Item,
    LiveChange,
    LiveSession,
    LiveState,
    LiveValue,
    MxAccessError,
    MxEvent,
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWaitError,
    Overflow,
    StatusCategory,
    Subscription,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, SimulatedGateway

INT, DOUBLE, STRING = (f"TestChildObject.Test{name}" for name in ("Int", "Double", "String"))


@pytest.fixture
async def items(live: LiveSession) -> list[Item]:
    """INT and STRING, advised, with a first value."""
    server = await live.session.register("live")
    found = await live.subscribe_tags([INT, STRING], server)
    for item in found:
        await live.first_value(item)
    return found


async def received(live: LiveSession, events: int) -> None:
    """Returns when so many events have come."""
    async with asyncio.timeout(30):
        while live.events < events:
            await live.changed()


async def reached(live: LiveSession, state: LiveState) -> None:
    async with asyncio.timeout(30):
        while live.state is not state:
            await live.changed()


async def values_of(subscription: Subscription, count: int) -> list[object]:
    async with asyncio.timeout(30):
        return [(await anext(subscription)).value for _ in range(count)]


def write_calls(gateway: SimulatedGateway) -> int:
    """How often a write was sent, whatever became of it."""
    commands = [call.request.command for call in gateway.calls if call.rpc == "Invoke"]
    return sum(command.WhichOneof("payload") == "write" for command in commands)


# Latest values.


async def test_the_latest_value_of_a_tag(gateway: SimulatedGateway, live: LiveSession, items: list[Item]) -> None:
    before = live.events
    gateway.set(INT, 41)
    gateway.set(INT, 42, quality=64)
    await received(live, before + 2)
    value = live[INT]
    assert value == live.latest(*items[0].key)
    assert (value.tag, value.value, value.quality, value.quality_word) == (INT, 42, 64, "uncertain")
    assert (value.data_type, value.variant_type, value.changes) == (DataType.INTEGER, "VT_I4", 3)
    assert value.stale_since is None
    assert [status.category for status in value.statuses] == [StatusCategory.OK]


async def test_a_tag_is_looked_up_in_any_letter_case(live: LiveSession, items: list[Item]) -> None:
    assert live[INT.upper()] is live[INT.lower()] is live[INT]
    for tag in ("No.Such", DOUBLE):
        with pytest.raises(KeyError, match=tag):
            live[tag]
    assert live.latest(1, 99) is None


async def test_the_age_of_a_value_counts_from_its_source(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    taken = datetime.now(UTC) - timedelta(seconds=60)
    before = live.events
    gateway.set(INT, 7, timestamp=taken)
    await received(live, before + 1)
    value = live[INT]
    assert value.source_timestamp == taken
    assert 60 <= value.age < 65
    younger = value.age
    assert value.age > younger


async def test_a_source_ahead_of_the_gateway_is_not_of_negative_age(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    before = live.events
    gateway.set(INT, 7, timestamp=datetime.now(UTC) + timedelta(hours=1))
    await received(live, before + 1)
    assert 0 <= live[INT].age < 5


async def test_a_tag_that_does_not_exist_has_a_bad_value(live: LiveSession) -> None:
    server = await live.session.register("live")
    (item,) = await live.subscribe_tags(["No.Such"], server)
    value = await live.first_value(item)
    assert (value.value, value.quality_word) == (None, "bad")
    assert value.statuses[0].category is StatusCategory.CONFIGURATION_ERROR


@pytest.mark.parametrize("leave", ["unadvise", "remove_item", "unregister"])
async def test_a_value_goes_with_its_item(leave: str, live: LiveSession, items: list[Item]) -> None:
    key = items[0].key
    await getattr(live.session, leave)(*(key[:1] if leave == "unregister" else key))
    assert live.latest(*key) is None
    assert (live.latest(*items[1].key) is None) == (leave == "unregister")


async def test_a_suspended_item_holds_an_old_value_until_it_is_activated(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    await live.session.suspend(*items[0].key)
    gateway.set(INT, 7)
    gateway.set(STRING, "seven")
    await live.wait_for(STRING, lambda value: value == "seven", timeout=5)
    assert (live[INT].value, live[STRING].stale_since) == (0, None)
    assert live[INT].stale_since is not None
    for fresh in (False, True):
        (reading,) = await live.read([INT], fresh=fresh)
        assert (reading.value, reading.cached, reading.stale_for is not None) == (0, True, True)
    with pytest.raises(MxGatewayWaitError, match="stale"):
        await live.wait_for(INT, lambda value: value == 0, timeout=0.05)
    gateway.faults.drop_streams()
    await reached(live, LiveState.STALE)
    await reached(live, LiveState.LIVE)
    await eventually(lambda: live[STRING].stale_since is None, "the other item is confirmed")
    assert live[INT].stale_since is not None
    await live.session.activate(*items[0].key)
    assert (await live.wait_for(INT, lambda value: value == 7, timeout=5)).stale_since is None


async def test_an_item_that_is_advised_anew_is_not_suspended_any_more(live: LiveSession, items: list[Item]) -> None:
    await live.session.suspend(*items[0].key)
    await live.session.unadvise(*items[0].key)
    await live.session.advise(*items[0].key)
    assert (await live.first_value(items[0])).stale_since is None
    assert not items[0].suspended


async def test_subscribing_tags_adds_each_once(gateway: SimulatedGateway, live: LiveSession, items: list[Item]) -> None:
    server = items[0].server_handle
    calls = len(gateway.calls)
    again = await live.subscribe_tags([STRING, INT.lower(), STRING], server)
    assert [item.key for item in again] == [items[1].key, items[0].key, items[1].key]
    assert len(gateway.calls) == calls
    mixed = await live.subscribe_tags([DOUBLE, INT, DOUBLE], server)
    assert [item.tag for item in mixed] == [DOUBLE, INT, DOUBLE]
    assert len(gateway.calls) == calls + 1
    assert all(item.advised for item in mixed)


async def test_subscribing_a_tag_that_was_only_added_advises_it(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("live")
    added = await live.session.add_item(server, INT)
    (item,) = await live.subscribe_tags([INT], server)
    assert item.item_handle == added
    assert (await live.first_value(item)).value == 0


async def test_subscribing_names_every_tag_that_was_refused() -> None:
    key = GatewayKey("tank1", "secret", subtrees={"Plant.Tank1"})
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True)
        async with client, await LiveSession.open(client) as live:
            server = await live.session.register("live")
            added = await live.session.add_item(server, "Plant.Tank1.LevelSP")
            with pytest.raises(MxGatewayCommandError) as caught:
                await live.subscribe_tags([INT, "Plant.Tank1.Level", "Plant.Tank1.LevelSP", DOUBLE], server)
            assert live.session.handles.items[server, added].advised
            assert INT in str(caught.value)
            assert DOUBLE in str(caught.value)
            assert "Plant.Tank1.Level" not in str(caught.value)
            async with asyncio.timeout(30):
                item = live.session.handles.find("Plant.Tank1.Level")
                assert item
                await live.first_value(item)


async def test_live_without_an_event(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with await LiveSession.open(client) as live:
        assert (live.state, live.events, live.lost) == (LiveState.LIVE, 0, None)


async def test_live_with_a_key_that_may_not_ping() -> None:
    key = GatewayKey("watcher", "secret", {KeyScope.SESSION_OPEN, KeyScope.SESSION_CLOSE, KeyScope.EVENTS_READ})
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True)
        async with client, await LiveSession.open(client) as live, asyncio.timeout(30):
            await live.ready()


async def test_live_on_a_session_that_was_opened_before(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    async with await LiveSession.open(client, session) as live:
        assert live.session is session
    assert gateway.sessions[session.session_id].state == "CLOSED"


# Subscribers.


async def test_every_subscriber_sees_every_event(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    subscriptions = [live.subscribe() for _ in range(3)]
    for value in range(1, 4):
        gateway.set(INT, value)
    assert [await values_of(subscription, 3) for subscription in subscriptions] == [[1, 2, 3]] * 3
    assert [call.rpc for call in gateway.calls].count("StreamEvents") == 1


async def test_a_subscriber_picks_what_it_wants(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    key = items[1].key
    subscription = live.subscribe(lambda event: (event.server_handle, event.item_handle) == key)
    gateway.set(INT, 7)
    gateway.set(STRING, "seven")
    assert await values_of(subscription, 1) == ["seven"]
    assert subscription.dropped == 0


async def flood(gateway: SimulatedGateway, live: LiveSession, count: int) -> None:
    before = live.events
    for value in range(1, count + 1):
        gateway.set(INT, value)
    await received(live, before + count)


async def test_a_slow_subscriber_loses_its_oldest_and_counts_them(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    slow, fast = live.subscribe(queue_size=3), live.subscribe()
    await flood(gateway, live, 10)
    assert await values_of(slow, 3) == [8, 9, 10]
    assert await values_of(fast, 10) == list(range(1, 11))
    assert (slow.dropped, fast.dropped) == (7, 0)


async def test_a_subscriber_takes_what_is_queued_in_one_go(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    subscription = live.subscribe()
    await flood(gateway, live, 10)
    assert [event.value for event in await subscription.batch()] == list(range(1, 11))
    assert subscription.take() == []
    waiting = asyncio.create_task(subscription.batch())
    gateway.set(INT, 11)
    assert [event.value for event in await waiting] == [11]
    gateway.set(INT, 12)
    await received(live, live.events + 1)
    subscription._end()
    assert [event.value for event in await subscription.batch()] == [12]
    assert await subscription.batch() == []


async def test_a_hole_in_the_sequence_is_an_event_of_its_own_for_subscribers(
    live: LiveSession, items: list[Item]
) -> None:
    subscription = live.subscribe()
    last = live.last_worker_sequence
    live._hub.take(MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, *items[0].key, 192), last + 4, 7))
    gap, event = subscription.take()
    assert gap.replay_gap is not None
    assert (gap.replay_gap.requested_after_sequence, gap.replay_gap.oldest_available_sequence) == (last, last + 4)
    assert (event.value, live.gaps, live.lost_events) == (7, 1, 3)


async def test_a_subscriber_of_the_latest_gets_the_newest_of_each_item(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    subscription = live.subscribe(queue_size=3, overflow=Overflow.LATEST)
    before = live.events
    for value in range(1, 6):
        gateway.set(INT, value)
        gateway.set(STRING, str(value))
    await received(live, before + 10)
    assert await values_of(subscription, 2) == [5, "5"]
    assert subscription.dropped == 8


async def test_a_subscriber_may_ask_to_be_ended_rather_than_lose(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    strict, other = live.subscribe(queue_size=3, overflow=Overflow.DISCONNECT), live.subscribe()
    await flood(gateway, live, 5)
    assert await values_of(strict, 3) == [1, 2, 3]
    with pytest.raises(MxGatewaySessionError, match="3 events behind"):
        await anext(strict)
    with pytest.raises(StopAsyncIteration):
        await anext(strict)
    assert strict.dropped == 1
    assert await values_of(other, 5) == [1, 2, 3, 4, 5]
    assert live.state is LiveState.LIVE


@pytest.mark.parametrize("queue_size", [0, -1, True, 1.5, None])
async def test_a_queue_has_room_for_one_at_least(queue_size: Any, live: LiveSession) -> None:
    with pytest.raises(MxGatewayArgumentError, match="queue_size"):
        live.subscribe(queue_size=queue_size)


async def test_a_subscriber_that_fails_ends_itself_alone(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    def wanted(event: MxEvent) -> bool:
        raise ZeroDivisionError("in the filter")

    failing, other = live.subscribe(wanted), live.subscribe()
    gateway.set(INT, 7)
    assert await values_of(other, 1) == [7]
    with pytest.raises(MxGatewayError, match="in the filter") as caught:
        await anext(failing)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert live.state is LiveState.LIVE


async def test_leaving_a_subscription_ends_it(gateway: SimulatedGateway, live: LiveSession, items: list[Item]) -> None:
    async with live.subscribe() as subscription:
        reader = asyncio.create_task(anext(subscription, None))
        await asyncio.sleep(0)
    assert await reader is None
    await flood(gateway, live, 2)
    with pytest.raises(StopAsyncIteration):
        await anext(subscription)
    await subscription.aclose()
    assert gateway.open_streams == 1


async def test_a_subscription_that_is_dropped_is_not_kept(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    kept, left = live.subscribe(), live.subscribe()
    dropped = weakref.ref(left)
    await flood(gateway, live, 2)
    async for _ in left:
        break
    assert len(live._hub._subscriptions) == 2
    del left
    assert dropped() is None
    assert len(live._hub._subscriptions) == 1
    assert await values_of(kept, 2) == [1, 2]


async def test_closing_gives_subscribers_what_is_queued_and_then_the_end(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    subscription = live.subscribe()
    await flood(gateway, live, 2)
    await live.aclose()
    assert [event.value async for event in subscription] == [1, 2]
    assert [event async for event in live.subscribe()] == []


# Writes.


async def test_a_write_that_completes(gateway: SimulatedGateway, live: LiveSession, items: list[Item]) -> None:
    result = await live.write_and_confirm(*items[0].key, 123)
    assert result.outcome is WriteOutcome.COMPLETED
    assert result.accepted_after is not None
    assert result.completed_after is not None
    assert 0 < result.accepted_after <= result.completed_after < 5
    assert [status.category for status in result.statuses] == [StatusCategory.OK]
    assert result.error is None
    assert [(write.tag, write.value) for write in gateway.writes] == [(INT, 123)]


async def test_a_write_that_is_refused_at_once(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("live")
    item = await live.session.add_item(server, INT)
    result = await live.write_and_confirm(server, item, 123)  # before it was advised
    assert result.outcome is WriteOutcome.REFUSED
    assert isinstance(result.error, MxAccessError)
    assert result.error.hresult == -2147024809
    assert result.statuses == result.error.statuses != ()
    assert (result.accepted_after, result.completed_after, gateway.writes) == (None, None, ())


async def test_a_write_that_is_refused_on_completion(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    result = await live.write_and_confirm(*items[0].key, "no number")
    assert result.outcome is WriteOutcome.REFUSED
    assert [status.category for status in result.statuses] == [StatusCategory.OPERATIONAL_ERROR]
    assert (result.error, gateway.writes) == (None, ())
    assert result.accepted_after is not None


async def test_a_write_whose_completion_does_not_come_is_accepted(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.hold_write_completes()
    result = await live.write_and_confirm(*items[0].key, 123, timeout=2)
    assert (result.outcome, result.completed_after, result.error) == (WriteOutcome.ACCEPTED, None, None)
    assert result.accepted_after is not None
    # The completion that comes late is not taken for the next write's.
    gateway.faults.release_write_completes()
    late = await live.write_and_confirm(*items[0].key, "no number")
    assert late.outcome is WriteOutcome.REFUSED


async def test_a_write_whose_reply_is_lost_is_unknown_and_not_sent_again(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    completions = live.subscribe(lambda event: event.family is EventFamily.ON_WRITE_COMPLETE)
    gateway.faults.lose_next_reply("write")
    result = await live.write_and_confirm(*items[0].key, 123)
    assert result.outcome is WriteOutcome.UNKNOWN
    assert isinstance(result.error, MxGatewayTransportError)
    assert result.error.outcome_unknown
    await eventually(lambda: gateway.writes, "the write has happened all the same")
    assert [write.value for write in gateway.writes] == [123]
    assert write_calls(gateway) == 1
    # Its completion is its own: once it has come, the next write's is certain.
    async with asyncio.timeout(30):
        await anext(completions)
    assert (await live.write_and_confirm(*items[0].key, "no number")).outcome is WriteOutcome.REFUSED
    assert (await live.write_and_confirm(*items[0].key, 124)).outcome is WriteOutcome.COMPLETED


async def test_a_write_that_times_out_is_unknown(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.fail_next("write", protocol_status=pb.PROTOCOL_STATUS_CODE_TIMEOUT)
    result = await live.write_and_confirm(*items[0].key, 123)
    assert result.outcome is WriteOutcome.UNKNOWN
    assert write_calls(gateway) == 1


@pytest.mark.parametrize(
    "failure",
    [
        {"code": grpc.StatusCode.PERMISSION_DENIED},
        {"code": grpc.StatusCode.INVALID_ARGUMENT},
        {"protocol_status": pb.PROTOCOL_STATUS_CODE_SESSION_NOT_READY},
    ],
)
async def test_a_write_the_gateway_itself_refuses_raises(
    failure: dict[str, Any], gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.fail_next("write", **failure)
    with pytest.raises(MxGatewayError) as caught:
        await live.write_and_confirm(*items[0].key, 123)
    assert not caught.value.outcome_unknown
    assert gateway.writes == ()
    assert (await live.write_and_confirm(*items[0].key, 124)).outcome is WriteOutcome.COMPLETED


@pytest.mark.parametrize("value", [float("nan"), [], 2**63, object()])
async def test_a_value_that_cannot_be_right_is_not_sent(
    value: Any, gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    with pytest.raises(MxGatewayArgumentError):
        await live.write_and_confirm(*items[0].key, value)
    assert write_calls(gateway) == 0


async def test_concurrent_writes_to_one_item_get_each_its_own_completion(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    written: list[Any] = [1, "no number", 2, "no number", 3]
    results = await asyncio.gather(*(live.write_and_confirm(*items[0].key, value) for value in written))
    assert [result.outcome is WriteOutcome.COMPLETED for result in results] == [True, False, True, False, True]
    assert [write.value for write in gateway.writes] == [1, 2, 3]


async def test_writes_to_several_items_do_not_mix(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    good, bad = await asyncio.gather(
        live.write_and_confirm(*items[1].key, "text"), live.write_and_confirm(*items[0].key, "no number")
    )
    assert (good.outcome, bad.outcome) == (WriteOutcome.COMPLETED, WriteOutcome.REFUSED)


async def test_a_plain_write_does_not_take_anothers_completion(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    await live.session.write(*items[0].key, 1)
    bad = await live.write_and_confirm(*items[0].key, "no number")
    await live.session.write(*items[0].key, "no number")
    good = await live.write_and_confirm(*items[0].key, 2)
    assert (bad.outcome, good.outcome) == (WriteOutcome.REFUSED, WriteOutcome.COMPLETED)


async def test_a_raw_bulk_write_does_not_take_anothers_completion(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    session, server = live.session, items[0].server_handle
    unadvised = await session.add_item(server, INT)
    value = pb.MxValue(int32_value=1)
    request = session.request("write_bulk", server_handle=server)
    for handle in (items[0].item_handle, unadvised, items[0].item_handle):
        request.command.write_bulk.entries.add(item_handle=handle, value=value)
    reply = await session._link.transport.invoke(request)
    assert [result.was_successful for result in reply.write_bulk.results] == [True, False, True]
    assert (await live.write_and_confirm(*items[0].key, "no number")).outcome is WriteOutcome.REFUSED
    await session.advise(server, unadvised)
    await live.first_value(Item(INT, server, unadvised))
    assert (await live.write_and_confirm(server, unadvised, "no number")).outcome is WriteOutcome.REFUSED


async def test_a_write_that_is_given_up_keeps_its_completion(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(live.write_and_confirm(*items[0].key, 1))
    await eventually(lambda: gateway.writes, "the write arrives")
    # The answer of the write is here when that of a later command is: it is given up while it waits for its completion.
    await live.session.ping()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    gateway.faults.release_write_completes()
    assert (await live.write_and_confirm(*items[0].key, "no number")).outcome is WriteOutcome.REFUSED


async def test_a_write_waiting_when_the_session_closes_is_unknown(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(live.write_and_confirm(*items[0].key, 1))
    await eventually(lambda: gateway.writes, "the write arrives")
    await live.aclose()
    assert (await writing).outcome is WriteOutcome.UNKNOWN


async def test_a_write_whose_completion_is_replayed_completes(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(live.write_and_confirm(*items[0].key, 1))
    await eventually(lambda: gateway.writes, "the write arrives")
    gateway.faults.drop_streams()
    gateway.faults.release_write_completes()
    assert (await writing).outcome is WriteOutcome.COMPLETED


async def test_a_write_whose_completion_is_lost_in_a_gap_is_unknown(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(live.write_and_confirm(*items[0].key, 1, timeout=0.6))
    await eventually(lambda: gateway.writes, "the write arrives")
    gateway.faults.drop_streams()
    gateway.faults.release_write_completes()
    gateway.faults.evict_replay(live.session.session_id)
    gateway.set(STRING, "after")
    assert (await writing).outcome is WriteOutcome.UNKNOWN


@pytest.mark.parametrize("how", ["its completion is lost in a gap", "its reply leaves open if it ran"])
async def test_after_a_write_in_doubt_no_other_gets_a_completion_that_may_not_be_its_own(
    how: str, gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    key = items[0].key
    if "gap" in how:
        gateway.faults.hold_write_completes()
        await live.session.write(*key, 1)
        await eventually(lambda: gateway.writes, "the write arrives")
        gateway.faults.drop_streams()
        gateway.faults.release_write_completes()
        gateway.faults.evict_replay(live.session.session_id)
        gateway.set(STRING, "after")
        await eventually(lambda: live.gaps and live.state is LiveState.LIVE, "the gap is seen")
    else:
        gateway.faults.fail_next("write", protocol_status=pb.PROTOCOL_STATUS_CODE_TIMEOUT)
        assert (await live.write_and_confirm(*key, 1)).outcome is WriteOutcome.UNKNOWN
    gateway.faults.hold_write_completes()
    before = len(gateway.writes)
    good = asyncio.create_task(live.write_and_confirm(*key, 2, timeout=5))
    await eventually(lambda: len(gateway.writes) > before, "the good one arrives")
    await live.session.write(*key, "no number")
    gateway.faults.release_write_completes()
    result = await good
    assert (result.outcome, result.ambiguous) == (WriteOutcome.ACCEPTED, True)


# A stream that is lost and resumed.


async def test_a_dropped_stream_is_resumed_and_nothing_is_lost(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    subscription = live.subscribe()
    gateway.set(INT, 1)
    await values_of(subscription, 1)
    last = live.last_worker_sequence
    gateway.faults.drop_streams()
    for value in (2, 3):
        gateway.set(INT, value)
    await reached(live, LiveState.STALE)
    assert isinstance(live.lost, MxGatewayTransportError)
    assert live[INT].stale_since is not None
    assert live[INT].value == 1
    async with asyncio.timeout(30):
        events = [await anext(subscription), await anext(subscription)]
    assert [(event.worker_sequence, event.value) for event in events] == [(last + 1, 2), (last + 2, 3)]
    assert (live.state, live.lost, live.gaps, live.lost_events) == (LiveState.LIVE, None, 0, 0)
    # What went on without a hole holds for every item.
    assert live[INT].stale_since is None
    assert live[STRING].stale_since is None


async def test_a_dropped_stream_is_resumed_while_nothing_happens(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.drop_streams()
    await reached(live, LiveState.STALE)
    await reached(live, LiveState.LIVE)
    gateway.set(INT, 9)
    async with asyncio.timeout(30):
        while live[INT].value != 9:
            await live.changed()
    assert live[INT].stale_since is None


async def test_resuming_waits_until_the_gateway_has_let_go_of_the_former_stream(
    gateway: SimulatedGateway, client: GatewayClient, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.drop_streams()
    other = client.attach(live.session.session_id).stream_events(after=live.last_worker_sequence)
    await eventually(lambda: gateway.open_streams == 1, "the other stream is attached")
    tried = [call.rpc for call in gateway.calls].count("StreamEvents")
    await eventually(
        lambda: [call.rpc for call in gateway.calls].count("StreamEvents") > tried, "a first attempt to resume"
    )
    await other.aclose()
    gateway.set(INT, 5)
    async with asyncio.timeout(30):
        while live[INT].value != 5:
            await live.changed()
    assert (live.state, live.gaps) == (LiveState.LIVE, 0)


async def test_a_write_while_the_stream_is_lost_is_not_sent(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.drop_streams()
    await reached(live, LiveState.STALE)
    with pytest.raises(MxGatewaySessionError, match="nothing was sent"):
        await live.write_and_confirm(*items[0].key, 1)
    assert write_calls(gateway) == 0


async def test_a_replay_gap_is_counted_and_what_it_may_concern_is_stale(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    subscription = live.subscribe()
    gateway.faults.stall("read_bulk")
    gateway.faults.drop_streams()
    for value in (1, 2, 3):
        gateway.set(INT, value)
    gateway.faults.evict_replay(live.session.session_id)
    gateway.set(INT, 4)
    async with asyncio.timeout(30):
        gap, event = await anext(subscription), await anext(subscription)
    assert gap.replay_gap is not None
    assert gap.family is EventFamily.UNSPECIFIED
    assert event.value == 4
    assert (live.gaps, live.lost_events) == (1, 3)
    # INT is known again; of STRING nobody knows.
    assert live[INT].stale_since is None
    assert live[STRING].stale_since is not None
    gateway.set(STRING, "known again")
    await values_of(subscription, 1)
    assert live[STRING].stale_since is None
    gateway.faults.release("read_bulk")


async def test_what_a_gap_leaves_in_doubt_is_read_at_once_and_not_with_the_next_sign_of_life(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.drop_streams()
    gateway.set(INT, 1)
    gateway.faults.evict_replay(live.session.session_id)
    await eventually(lambda: live.gaps and live[STRING].stale_since is None, "it is read when the stream is back")
    # Only the next event tells that one was lost.
    gateway.set(INT, 2)
    await eventually(lambda: live.lost_events, "the gap is seen")
    await eventually(lambda: live[STRING].stale_since is None, "it is read again")


async def test_a_stream_that_goes_on_confirms_nothing_that_was_lost_before(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.stall("read_bulk")
    gateway.faults.drop_streams()
    gateway.set(STRING, "lost")
    gateway.faults.evict_replay(live.session.session_id)
    gateway.set(INT, 1)
    await live.wait_for(INT, lambda value: value == 1, timeout=5)
    assert live.gaps == 1
    gateway.faults.drop_streams()
    await reached(live, LiveState.STALE)
    gateway.set(INT, 2)
    assert (await live.wait_for(INT, lambda value: value == 2, timeout=5)).stale_since is None
    assert live.gaps == 1
    assert (live[STRING].value, live[STRING].stale_since is None) == ("", False)
    gateway.faults.release("read_bulk")
    assert (await live.wait_for(STRING, lambda value: value == "lost", timeout=5)).stale_since is None


async def test_an_answer_from_before_a_gap_confirms_nothing_after_it(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, read_it, go_on = live.session.read_bulk, asyncio.Event(), asyncio.Event()

    async def late(*arguments: Any) -> Any:
        answer = await read(*arguments)
        read_it.set()
        await go_on.wait()
        return answer

    def hole(value: int) -> None:
        sequence = live.last_worker_sequence + 3
        live._hub.take(MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, *items[0].key, 192), sequence, value))

    monkeypatch.setattr(live.session, "read_bulk", late)
    hole(7)
    await asyncio.wait_for(read_it.wait(), 5)
    hole(8)  # and the change of STRING that was in it nobody has seen
    go_on.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    go_on.clear()
    assert live[STRING].stale_since is not None
    go_on.set()
    await eventually(lambda: live[STRING].stale_since is None, "it is read once more")


@pytest.mark.parametrize("why", ["the entry failed", "the session is not live any more"])
async def test_a_reading_that_proves_nothing_confirms_nothing(
    why: str, gateway: SimulatedGateway, live: LiveSession, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, read_it = live.session.read_bulk, asyncio.Event()

    async def useless(*arguments: Any) -> Any:
        answer = await read(*arguments)
        if why == "the entry failed":
            answer = [result._replace(was_successful=False, value=None) for result in answer]
        else:
            live._hub.set_stale(MxGatewayTransportError("away"))
        read_it.set()
        return answer

    monkeypatch.setattr(live.session, "read_bulk", useless)
    sequence = live.last_worker_sequence + 3
    live._hub.take(MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, *items[0].key, 192), sequence, 7))
    await asyncio.wait_for(read_it.wait(), 5)
    await asyncio.sleep(0)
    assert (live[STRING].value, live[STRING].stale_since is None) == ("", False)


async def test_a_stream_that_breaks_before_its_first_event_may_have_lost_some() -> None:
    async with (
        SimulatedGateway(plaintext=True, first_change_delay=(3600, 3600)) as gateway,
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True) as client,
        await LiveSession.open(client) as live,
    ):
        await live.subscribe_tags([INT], await live.session.register("live"))
        gateway.faults.drop_streams()
        await eventually(lambda: live.resumes and live.state is LiveState.LIVE, "it is resumed")
        assert (live.events, live.gaps, live.lost_events, live.lost_is_known) == (0, 1, 0, False)


async def test_a_gap_of_which_nothing_is_kept_counts_once(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    subscription = live.subscribe()
    gateway.faults.drop_streams()
    for value in (1, 2, 3):
        gateway.set(INT, value)
    gateway.faults.evict_replay(live.session.session_id)
    async with asyncio.timeout(30):
        gap = await anext(subscription)
    assert gap.replay_gap is not None
    assert gap.replay_gap.oldest_available_sequence == 0
    assert (live.gaps, live.lost_is_known) == (1, False)
    assert live[INT].stale_since is not None
    gateway.set(INT, 4)
    await values_of(subscription, 1)
    assert (live.gaps, live.lost_events, live.lost_is_known) == (1, 3, True)
    assert live[INT].stale_since is None
    assert live[STRING].stale_since is not None
    # With that event it is over: the next one is another.
    gateway.faults.drop_streams()
    gateway.set(INT, 5)
    gateway.faults.evict_replay(live.session.session_id)
    await eventually(lambda: live.gaps > 1, "the next gap is counted", seconds=30)


async def test_an_error_in_the_block_is_the_one_seen_when_closing_fails_too(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    gateway.faults.fail_next("CloseSession", code=grpc.StatusCode.INTERNAL, details="cannot")
    with pytest.raises(KeyError) as caught:
        async with await LiveSession.open(client):
            raise KeyError("in the block")
    assert any("closing the session failed" in note and "cannot" in note for note in caught.value.__notes__)


async def test_changes_tell_what_became_of_the_session(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    changes: list[LiveChange] = []

    async def follow() -> None:
        async for change in live.changes():
            changes.append(change)

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    gateway.faults.drop_streams()
    gateway.set(INT, 1)
    gateway.faults.evict_replay(live.session.session_id)
    gateway.set(INT, 2)
    await reached(live, LiveState.STALE)
    async with asyncio.timeout(30):
        while live[INT].value != 2:
            await live.changed()
    await live.aclose()
    await asyncio.wait_for(following, 5)
    assert [(change.state, change.lost_events) for change in changes] == [
        (LiveState.STALE, 0),
        (LiveState.LIVE, 0),
        (LiveState.LIVE, 1),
        (LiveState.CLOSED, 0),
    ]
    assert isinstance(changes[0].lost, MxGatewayTransportError)
    assert changes[-1].lost is None


# A session that is lost.

Losing = Callable[[SimulatedGateway, str], object]


@pytest.mark.parametrize(
    ("lose", "said"),
    [
        (lambda gateway, session_id: gateway.faults.lose_session(session_id), "worker"),
        (lambda gateway, session_id: gateway.faults.fault_session(session_id), "FAULTED"),
        (
            lambda gateway, session_id: gateway.faults.drop_streams(grpc.StatusCode.RESOURCE_EXHAUSTED),
            "RESOURCE_EXHAUSTED",
        ),
        (lambda gateway, session_id: gateway.faults.drop_streams(grpc.StatusCode.UNAUTHENTICATED), "UNAUTHENTICATED"),
    ],
    ids=["worker ends", "faulted", "overflow", "key revoked"],
)
async def test_a_session_that_may_not_be_rebuilt_is_closed_with_its_reason_and_writes_fail_at_once(
    lose: Losing, said: str, gateway: SimulatedGateway, client: GatewayClient
) -> None:
    async with await LiveSession.open(client, rebuild=False) as live:
        server = await live.session.register("live")
        items = await live.subscribe_tags([INT], server)
        await live.first_value(items[0])
        subscription = live.subscribe()
        lose(gateway, live.session.session_id)
        await reached(live, LiveState.CLOSED)
        assert live.lost is not None
        assert said in str(live.lost)
        assert live[INT].stale_since is not None
        calls = len(gateway.calls)
        for attempt in (
            live.write_and_confirm(*items[0].key, 1),
            live.ready(),
            live.first_value(Item("x", 1, 99)),
            live.wait_for(INT, bool, timeout=5),
            anext(subscription),
        ):
            with pytest.raises(MxGatewayError, match=said):
                await attempt
        assert len(gateway.calls) == calls


async def test_a_write_waiting_when_the_session_is_lost_is_unknown(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(live.write_and_confirm(*items[0].key, 1))
    await eventually(lambda: gateway.writes, "the write arrives")
    gateway.faults.lose_session(live.session.session_id)
    result = await writing
    assert result.outcome is WriteOutcome.UNKNOWN
    assert result.error is live.lost


async def test_a_second_reader_of_one_session_is_told(
    gateway: SimulatedGateway, client: GatewayClient, live: LiveSession
) -> None:
    with pytest.raises(MxGatewaySessionError, match="event subscriber") as caught:
        await LiveSession.open(client, client.attach(live.session.session_id))
    assert caught.value.grpc_code == "ALREADY_EXISTS"
    # It was not the second reader's to close.
    await live.session.ping()
    assert live.state is LiveState.LIVE


# Closing.


async def test_closing_closes_the_session_and_is_idempotent(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    await asyncio.gather(live.aclose(), live.aclose())
    await live.aclose()
    assert (live.state, live.lost) == (LiveState.CLOSED, None)
    assert gateway.sessions[live.session.session_id].state == "CLOSED"
    assert gateway.open_streams == 0
    with pytest.raises(MxGatewaySessionError, match="closed"):
        await live.write_and_confirm(*items[0].key, 1)


async def test_closing_leaves_no_task_and_no_observer_behind(far_gateway: Any) -> None:
    tasks = asyncio.all_tasks()
    options = {"endpoint": far_gateway.endpoint, "api_key": far_gateway.api_key, "plaintext": True}
    async with await GatewayClient.connect(**options) as client:
        observers = len(client._transport.observers)
        async with await LiveSession.open(client) as live:
            server = await live.session.register("live")
            (item,) = await live.subscribe_tags([INT], server)
            await live.first_value(item)
            subscription = live.subscribe()
            await live.write_and_confirm(*item.key, 7)
        assert len(client._transport.observers) == observers
        assert [event.family async for event in subscription] != []
        await eventually(lambda: asyncio.all_tasks() <= tasks, "no tasks are left")


async def a_life(gateway: SimulatedGateway) -> None:
    """Everything a session goes through, from connecting to closing."""
    options = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
    async with await GatewayClient.connect(**options) as client, await LiveSession.open(client) as live:
        server = await live.session.register("live")
        (item,) = await live.subscribe_tags([INT], server)
        await live.first_value(item)
        async with live.subscribe() as subscription:
            await live.write_and_confirm(*item.key, 5)
            await live.wait_for(INT, lambda value: value == 5, hold=0.01, timeout=5)
            gateway.faults.drop_streams()
            await reached(live, LiveState.STALE)
            await reached(live, LiveState.LIVE)
            gateway.faults.lose_session(live.session.session_id)
            await reached(live, LiveState.REBUILDING)
            await reached(live, LiveState.LIVE)
            await anext(subscription)
        await live.read([DOUBLE])


async def test_a_life_that_is_cancelled_anywhere_leaves_nothing(gateway: SimulatedGateway) -> None:
    chance = Random("anywhere")
    cancelled = 0

    def left() -> list[object]:
        ours = [task for task in asyncio.all_tasks() if "/zb_mom_ww_mxgateway/" in _file_of(task.get_coro())]
        return [*ours, *(thread for thread in threading.enumerate() if thread.name == "reading events")]

    await a_life(gateway)
    calls_of_a_life = len(gateway.calls)
    for number in range(calls_of_a_life + 20):
        before = len(gateway.calls)
        living = asyncio.create_task(a_life(gateway))
        if number < calls_of_a_life:
            # While the gateway is about to answer a call, each in its turn.
            await eventually(lambda: living.done() or len(gateway.calls) - before > number, "a call")  # noqa: B023 - now
        else:
            await asyncio.sleep(chance.random() * 0.3)
        cancelled += living.cancel()
        async with asyncio.timeout(30):
            (ended,) = await asyncio.gather(living, return_exceptions=True)
        assert ended is None or isinstance(ended, asyncio.CancelledError)
        await eventually(
            lambda: not (left() or gateway.live_sessions or gateway.open_streams), f"{number}: all has ended"
        )
    assert cancelled > calls_of_a_life // 2


def _file_of(coroutine: Any) -> str:
    code = getattr(coroutine, "cr_code", None)
    return code.co_filename.replace("\\", "/") if code else ""


async def test_closing_while_the_stream_is_lost(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.drop_streams()
    await reached(live, LiveState.STALE)
    await live.aclose()
    assert live.state is LiveState.CLOSED
    assert gateway.sessions[live.session.session_id].state == "CLOSED"


async def test_closing_when_the_gateway_is_gone_says_so_and_closes_all_the_same() -> None:
    async with SimulatedGateway(plaintext=True) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
        live = await LiveSession.open(client)
        await live.ready()
    async with client:
        with pytest.raises(MxGatewayTransportError):
            await live.aclose()
        assert live.state is LiveState.CLOSED
        await live.aclose()


def test_a_value_without_a_source_time_has_none() -> None:
    value = LiveValue("x", 1, 192, DataType.INTEGER, "VT_I4", (), 0, 1, 0.0, 0.0)
    assert value.source_timestamp is None
