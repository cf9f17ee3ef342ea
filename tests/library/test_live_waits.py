"""Reading warm tags, and waiting for a value on the event stream."""

import asyncio
import math
import time

import grpc
import pytest
from library_relay import Relay
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    EventFamily,
    EventHeader,
    GatewayClient,
    Item,
    LiveSession,
    LiveState,
    LiveValue,
    MxEvent,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWaitError,
    wire,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.wait import Wait
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE, STRING = (f"TestChildObject.Test{name}" for name in ("Int", "Double", "String"))


@pytest.fixture
async def item(live: LiveSession) -> Item:
    """INT, advised, with a first value."""
    server = await live.session.register("live")
    (found,) = await live.subscribe_tags([INT], server)
    await live.first_value(found)
    return found


def count(gateway: SimulatedGateway, kind: str) -> int:
    return sum(
        1 for call in gateway.calls if call.rpc == "Invoke" and call.request.command.WhichOneof("payload") == kind
    )


# Reading.


async def test_a_warm_tag_answers_at_once_and_the_others_are_fetched_in_one_call(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    first, second, third = await live.read([DOUBLE, INT.upper(), "No.Such.Tag"])
    assert count(gateway, "read_bulk") == 1
    assert (second.cached, second.value, second.quality_word, second.stale_for) == (True, 0, "good", None)
    assert second.age is not None
    assert second.age >= 0
    assert (first.cached, first.value, first.error) == (False, 0.0, "")
    assert first.age is not None
    assert third.error
    await live.read([INT])
    assert count(gateway, "read_bulk") == 1
    (fresh,) = await live.read([INT], fresh=True)
    assert count(gateway, "read_bulk") == 2
    assert (fresh.cached, fresh.value, fresh.error) == (False, 0, "")


async def test_a_value_that_may_be_old_is_given_as_such_and_one_that_is_not_held_raises(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    gateway.faults.stall("StreamEvents")
    gateway.faults.drop_streams()
    gateway.faults.fail_next("StreamEvents", code=grpc.StatusCode.UNAVAILABLE, details="away")
    async with asyncio.timeout(30):
        while live.state is not LiveState.STALE:
            await live.changed()
    (reading,) = await live.read([INT])
    assert reading.cached
    assert reading.stale_for is not None
    with pytest.raises(MxGatewaySessionError, match="is not held, and the session is stale, not live"):
        await live.read([INT, DOUBLE])


async def test_reading_registers_where_nothing_is_registered(live: LiveSession) -> None:
    (reading,) = await live.read([INT])
    assert not reading.error
    assert len(live.session.handles.servers) == 1


# Waiting.


async def test_the_value_that_is_held_counts_unless_a_new_one_is_asked_for(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    value = await live.wait_for(INT, lambda value: value == 0, timeout=5)
    assert value.value == 0
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 0, timeout=20, new=True))
    await eventually(lambda: live._hub.values._waits, "what had arrived before is taken in", seconds=20)
    gateway.set(INT, 1)
    gateway.set(INT, 0)
    assert (await waiting).changes == 3


async def test_no_value_is_skipped(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    waiting = asyncio.create_task(live.wait_for(INT.lower(), lambda value: value == 5, timeout=5))
    await asyncio.sleep(0)
    for value in range(10):
        gateway.set(INT, value)
    assert (await waiting).value == 5
    assert not count(gateway, "read_bulk")


async def test_it_must_hold_without_a_break(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value > 5, hold=0.2, timeout=10))  # type: ignore[operator]
    await asyncio.sleep(0)
    for value in (6, 1, 7):
        gateway.set(INT, value)
    assert (await waiting).value == 7
    with pytest.raises(MxGatewayWaitError):
        await live.wait_for(INT, lambda value: value == 7, hold=5, timeout=0.1)


@pytest.mark.parametrize("breaks", [True, False])
async def test_what_came_while_the_loop_was_blocked_breaks_a_hold(
    breaks: bool, gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 0, hold=0.1, timeout=1))
    await asyncio.sleep(0)
    buffer = live._supervisor._stream._buffer
    event = pb.MxEvent(
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, quality=192, worker_sequence=live.last_worker_sequence + 1
    )
    event.server_handle, event.item_handle = item.key
    event.value.int32_value = int(breaks)
    # As the reading thread does it while the loop is blocked.
    time.sleep(0.05)  # noqa: ASYNC251 - so that it is
    buffer.put(time.monotonic(), event.SerializeToString())
    time.sleep(0.15)  # noqa: ASYNC251 - the time to hold is over when the loop goes on
    if breaks:
        with pytest.raises(MxGatewayWaitError, match="it is 1"):
            await waiting
    else:
        assert (await waiting).changes == 2


async def test_an_event_wakes_only_those_who_wait_for_the_first_value_of_its_item(
    gateway: SimulatedGateway, live: LiveSession, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = live.session.handles.items[item.server_handle, await live.session.add_item(item.server_handle, STRING)]
    looks, latest = [], live._hub.latest

    def look(*key: int) -> object:
        looks.append(key)
        return latest(*key)

    monkeypatch.setattr(live._hub, "latest", look)
    waiting = [asyncio.create_task(live.first_value(silent)) for _ in range(2)]
    await asyncio.sleep(0)
    events = live.events
    for value in range(1, 11):
        gateway.set(INT, value)
    async with asyncio.timeout(30):
        while live.events < events + 10:
            await live.changed()
    await asyncio.sleep(0)
    assert looks.count(silent.key) == 2
    waiting[0].cancel()
    await live.session.advise(*silent.key)
    async with asyncio.timeout(30):
        assert (await waiting[1]).tag == STRING
    assert not live._hub._item_waiters


@pytest.mark.parametrize("leave", ["unadvise", "remove_item", "unregister"])
async def test_what_is_not_advised_any_more_does_not_hold(
    leave: str, gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 0, hold=0.2, timeout=0.6))
    await asyncio.sleep(0)
    await getattr(live.session, leave)(*(item.key[:1] if leave == "unregister" else item.key))
    gateway.set(INT, 1)
    # Not even with a change that was still on its way.
    live._hub.take(MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, *item.key, 192), live.last_worker_sequence + 1, 0))
    with pytest.raises(MxGatewayWaitError):
        await waiting


async def test_what_is_advised_again_may_hold_anew(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 0, hold=0.2, timeout=5))
    await asyncio.sleep(0)
    await live.session.unadvise(*item.key)
    await live.session.advise(*item.key)
    assert (await waiting).value == 0


@pytest.mark.parametrize("quality", [0, 64])
async def test_what_is_not_good_never_satisfies(
    quality: int, gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    (double,) = await live.subscribe_tags([DOUBLE], item.server_handle)
    await live.first_value(double)
    gateway.set(DOUBLE, 1.5, quality)
    async with asyncio.timeout(30):
        while live[DOUBLE].changes < 2:
            await live.changed()
    with pytest.raises(MxGatewayWaitError, match="did not meet the condition"):
        await live.wait_for(DOUBLE, lambda value: True, timeout=0.05)
    found = await live.wait_for(DOUBLE, lambda value: True, timeout=5, any_quality=True)
    assert found.quality == quality


@pytest.mark.parametrize("value", [math.nan, None])
async def test_what_is_not_a_number_or_null_never_satisfies(
    value: object, live: LiveSession, item: Item, gateway: SimulatedGateway
) -> None:
    message = pb.MxEvent(family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, quality=192)
    message.value.CopyFrom(wire.to_mx_value(1.5 if value is not None else None))
    if value is not None:
        message.value.double_value = math.nan
    held = LiveValue.of(wire.from_mx_event(message), INT, 1)
    assert held is not None
    for any_quality in (False, True):
        wait = Wait(lambda value: True, 0.0, any_quality)
        wait.see(held)
        assert wait.over.done() == any_quality


async def test_a_wait_that_fails_says_what_it_saw(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 99, timeout=1))
    await asyncio.sleep(0)
    gateway.set(INT, 4)
    with pytest.raises(
        MxGatewayWaitError, match=r"TestInt did not meet the condition within 1 s: it is 4 \(good\), [01]\.\d s old"
    ) as caught:
        await waiting
    assert [value.value for value in caught.value.seen] == [0, 4]
    assert isinstance(caught.value, TimeoutError)


async def test_a_tag_that_is_not_advised_is(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    assert (await live.wait_for(STRING, lambda value: True, timeout=5)).tag == STRING
    assert live[STRING].value == ""


async def test_to_advise_a_tag_counts_as_waiting(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    gateway.faults.stall("subscribe_bulk")
    async with asyncio.timeout(30):
        with pytest.raises(MxGatewayWaitError, match=r"TestString was not advised within 0\.1 s"):
            await live.wait_for(STRING, lambda value: True, timeout=0.1)
    gateway.faults.release()


async def test_an_old_value_never_satisfies_and_a_loss_is_a_break(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    gateway.faults.stall("StreamEvents")
    gateway.faults.drop_streams()
    async with asyncio.timeout(30):
        while live[INT].stale_since is None:
            await live.changed()
    gateway.faults.stall("read_bulk")
    with pytest.raises(MxGatewayWaitError, match="stale"):
        await live.wait_for(INT, lambda value: True, timeout=0.1)
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: True, timeout=10))
    gateway.faults.release()
    assert (await waiting).stale_since is None


async def test_what_the_predicate_raises_comes_out(live: LiveSession, item: Item) -> None:
    with pytest.raises(ZeroDivisionError):
        await live.wait_for(INT, lambda value: 1 / value, timeout=5)  # type: ignore[operator]
    await live.session.ping()


@pytest.mark.parametrize("error", [StopIteration, asyncio.CancelledError])
async def test_a_predicate_that_raises_whatever_it_likes_ends_its_own_wait_alone(
    error: type[BaseException], gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    def fail(value: object) -> bool:
        raise error

    waiting = asyncio.create_task(live.wait_for(INT, fail, timeout=20, new=True))
    other = asyncio.create_task(live.wait_for(INT, lambda value: value == 1, timeout=20))
    picking = live.subscribe(fail)
    await eventually(
        lambda: sum(map(len, live._hub.values._waits.values())) == 2, "what had arrived before is taken in", seconds=20
    )
    gateway.set(INT, 1)
    assert (await other).value == 1
    with pytest.raises(RuntimeError if error is StopIteration else error):
        await waiting
    with pytest.raises(MxGatewayError, match="filter failed"):
        await anext(picking)
    gateway.set(INT, 2)
    assert (await live.wait_for(INT, lambda value: value == 2, timeout=5)).stale_since is None


async def test_a_cancelled_wait_leaves_nothing(live: LiveSession, item: Item) -> None:
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 99, timeout=5))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await eventually(lambda: not live._hub.values._waits, "nobody waits")


async def test_a_wait_ends_with_the_session(live: LiveSession, item: Item) -> None:
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 99, timeout=5))
    await asyncio.sleep(0)
    await live.aclose()
    with pytest.raises(MxGatewaySessionError, match="closed"):
        await waiting


async def test_a_dead_connection_is_noticed_on_a_quiet_plant(
    gateway: SimulatedGateway, live: LiveSession, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 0.01)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANXIOUS_HEARTBEAT", 0.01)
    gateway.faults.drop_streams()  # the listening starts anew
    await eventually(lambda: live.round_trip is not None, "a sign of life")
    gateway.faults.fail_next("ping", code=grpc.StatusCode.UNAVAILABLE, details="away")
    async with asyncio.timeout(30):
        while live.state is LiveState.LIVE:
            await live.changed()
        assert live[INT].stale_since is not None
        assert isinstance(live.lost, MxGatewayTransportError)
        while live.state is not LiveState.LIVE or live[INT].stale_since is not None:
            await live.changed()


async def test_a_dead_connection_of_the_stream_alone_is_noticed_and_replaced(
    gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 0.1)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANXIOUS_HEARTBEAT", 0.1)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", 0.2)
    async with (
        Relay(gateway.endpoint) as relay,
        await GatewayClient.connect(endpoint=relay.endpoint, api_key=gateway.api_key, plaintext=True) as client,
        await LiveSession.open(client) as live,
    ):
        (item,) = await live.subscribe_tags([INT], await live.session.register("live"))
        await live.first_value(item)
        assert relay.connections == 2
        relay.silent.add(2)
        gateway.set(INT, 1)
        await eventually(lambda: live.state is LiveState.STALE and live[INT].stale_since is not None, "it is noticed")
        assert live[INT].value == 0
        await live.session.ping()
        await eventually(lambda: relay.connections > 2, "another connection is made for the stream")
        relay.silent.clear()  # so that the gateway sees that the first one has gone
        assert (await live.wait_for(INT, lambda value: value == 1, timeout=5)).stale_since is None
        assert (live.gaps, live.rebuilds) == (0, 0)


async def test_what_a_dead_connection_brought_is_stale_since_it_was_last_heard_of(
    gateway: SimulatedGateway, live: LiveSession, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._HEARTBEAT", 0.2)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", 0.2)
    gateway.faults.drop_streams()  # the listening starts anew
    await eventually(lambda: live.resumes and live[INT].stale_since is None, "it is known to hold")
    gateway.faults.stall("ping")
    asked = count(gateway, "ping")
    await eventually(lambda: count(gateway, "ping") > asked, "a sign of life is asked for, in vain")
    silent_from = time.monotonic()
    changes = live.changes()
    lost = await anext(changes)
    assert lost.state is LiveState.STALE
    assert lost.since is not None
    assert lost.since <= silent_from
    assert live[INT].stale_since is not None
    assert live[INT].received_at <= live[INT].stale_since <= silent_from
    gateway.faults.release("ping")


async def test_a_wait_whose_time_is_over_while_it_looks_still_says_what_is_held(live: LiveSession, item: Item) -> None:
    wait = Wait(lambda value: value == "never", 0.0, False)

    async def until_it_is_over() -> None:
        while not wait.over.done():  # noqa: ASYNC110 - each turn of the loop is looked at
            await asyncio.sleep(0)

    with pytest.raises(MxGatewayWaitError, match=r"it is 0 \(good\)"):
        await wait.result(INT, 0.05, clock.monotonic() + 0.05, lambda: live[INT], until_it_is_over)
