"""Whose outcome it is: completions name the item, not the write, so several writes to an item must not be mixed up."""

import asyncio
from dataclasses import replace

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    EventFamily,
    Item,
    LiveSession,
    LiveState,
    MxGatewayWorkerError,
    PendingWrite,
    WriteEntry,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are counted here: no sign of life comes between them."""
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANXIOUS_HEARTBEAT", 3600.0)


@pytest.fixture
async def item(live: LiveSession) -> Item:
    """Advised, with its first value."""
    (item,) = await live.subscribe_tags([INT], await live.session.register("outcomes"))
    await live.first_value(item)
    return item


def commands(gateway: SimulatedGateway) -> int:
    """How many arrived at the gateway."""
    return sum(call.rpc == "Invoke" for call in gateway.calls)


async def hold_next(gateway: SimulatedGateway, kind: str = "Invoke") -> None:
    """The next command is held up on its way to the worker, until it is released; those behind it overtake it."""
    gateway.schedule(f"at {kind} {commands(gateway) + 1} stall")


async def arrived(gateway: SimulatedGateway, number: int) -> None:
    await eventually(lambda: commands(gateway) >= number, f"{number} commands arrive", seconds=PATIENCE)


async def test_a_write_waits_for_the_answer_of_another_to_its_item(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    before = commands(gateway)
    await hold_next(gateway)
    first = asyncio.create_task(live.write_and_confirm(*item.key, "abc", timeout=PATIENCE))
    await arrived(gateway, before + 1)
    second = asyncio.create_task(live.write_and_confirm(*item.key, 5, timeout=PATIENCE))
    # What comes behind it is answered, so it would have been sent by now.
    await live.session.ping()
    assert commands(gateway) == before + 2
    gateway.faults.release("Invoke")
    assert [(await one).outcome for one in (first, second)] == [WriteOutcome.REFUSED, WriteOutcome.COMPLETED]
    assert gateway.read(INT).value == 5


async def test_a_write_to_another_item_waits_for_nobody(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    (other,) = await live.subscribe_tags(["TestChildObject.TestDouble"], item.server_handle)
    await live.first_value(other)
    before = commands(gateway)
    await hold_next(gateway)
    first = asyncio.create_task(live.write_and_confirm(*item.key, 1, timeout=PATIENCE))
    await arrived(gateway, before + 1)
    assert (await live.write_and_confirm(*other.key, 2.5, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED
    gateway.faults.release("Invoke")
    assert (await first).outcome is WriteOutcome.COMPLETED


async def test_waiting_for_its_turn_ends_with_the_time_of_a_write_and_nothing_is_sent(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    before = commands(gateway)
    await hold_next(gateway)
    first = asyncio.create_task(live.write_and_confirm(*item.key, 1, timeout=PATIENCE))
    await arrived(gateway, before + 1)
    with pytest.raises(MxGatewayWorkerError, match="nothing was sent") as caught:
        await live.write_and_confirm(*item.key, 2, timeout=0.05)
    assert not caught.value.outcome_unknown
    gateway.faults.release("Invoke")
    assert (await first).outcome is WriteOutcome.COMPLETED
    assert (await live.write_and_confirm(*item.key, 3, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED
    assert [write.value for write in gateway.writes] == [1, 3]


@pytest.mark.parametrize("how", ["write_and_confirm out of turn", "plain write", "bulk write"])
async def test_writes_in_flight_together_are_in_doubt_where_their_completions_differ(
    how: str, gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    # The item has the value already, so no data change can tell that the second write was carried out.
    await live.write_and_confirm(*item.key, 5, timeout=PATIENCE)
    await live.wait_for(item, lambda value: value == 5, timeout=PATIENCE)
    # The wait asked for a sign of life: it is not to be the command that is held up.
    assert await live.caught_up(timeout=PATIENCE)
    before = commands(gateway)
    await hold_next(gateway)
    first = asyncio.create_task(live.write_and_confirm(*item.key, "abc", timeout=PATIENCE))
    await arrived(gateway, before + 1)
    outcomes = []
    if "confirm" in how:
        second = asyncio.create_task(live.write_and_confirm(*item.key, 5, timeout=PATIENCE, in_turn=False))
        await eventually(lambda: len(gateway.writes) == 2, "the second overtakes", seconds=PATIENCE)
        gateway.faults.release("Invoke")
        outcomes.append(await second)
    else:
        if "plain" in how:
            await live.session.write(*item.key, 5)
        else:
            await live.session.write_bulk(item.server_handle, [WriteEntry(item.item_handle, 5)])
        gateway.faults.release("Invoke")
    outcomes.append(await first)
    assert {(result.outcome, result.ambiguous) for result in outcomes} == {(WriteOutcome.ACCEPTED, True)}
    assert gateway.read(INT).value == 5
    # Both have completed: the next one's outcome is its own again.
    assert (await live.write_and_confirm(*item.key, "no number", timeout=PATIENCE)).outcome is WriteOutcome.REFUSED


async def test_writes_in_flight_together_that_all_complete_have_completed(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    before = commands(gateway)
    await hold_next(gateway)
    first = asyncio.create_task(live.write_and_confirm(*item.key, 4, timeout=PATIENCE))
    await arrived(gateway, before + 1)
    second = asyncio.create_task(live.write_and_confirm(*item.key, 5, timeout=PATIENCE, in_turn=False))
    await eventually(lambda: gateway.writes, "the second overtakes", seconds=PATIENCE)
    gateway.faults.release("Invoke")
    assert [(await one).outcome for one in (first, second)] == [WriteOutcome.COMPLETED] * 2


# Doubt, and its end.


async def never_carried_out(gateway: SimulatedGateway, live: LiveSession, item: Item, value: object = 1) -> None:
    """A write whose outcome is unknown, and which nobody will ever carry out."""
    gateway.faults.fail_next("write", code=grpc.StatusCode.UNAVAILABLE)
    assert (await live.write_and_confirm(*item.key, value, timeout=PATIENCE)).outcome is WriteOutcome.UNKNOWN  # type: ignore[arg-type]


async def test_behind_a_write_that_never_was_the_others_complete_when_their_values_are_read_back(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    await never_carried_out(gateway, live, item)
    for value in (2, 3, 4):
        result = await live.write_and_confirm(*item.key, value, timeout=PATIENCE)
        assert (result.outcome, result.ambiguous) == (WriteOutcome.COMPLETED, False)
    # A refusal may be the first one's: it changes nothing that could be read back.
    refused = await live.write_and_confirm(*item.key, "no number", timeout=PATIENCE)
    assert (refused.outcome, refused.ambiguous) == (WriteOutcome.ACCEPTED, True)
    assert (await live.write_and_confirm(*item.key, 5, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED


async def test_a_value_that_an_unknown_write_was_of_too_proves_nothing(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    await never_carried_out(gateway, live, item, 2)
    result = await live.write_and_confirm(*item.key, 2, timeout=PATIENCE)
    assert (result.outcome, result.ambiguous) == (WriteOutcome.ACCEPTED, True)


async def test_a_value_that_the_item_had_before_proves_nothing(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    await never_carried_out(gateway, live, item, 2)
    gateway.set(INT, 3)
    await live.wait_for(INT, lambda value: value == 3, timeout=PATIENCE)
    result = await live.write_and_confirm(*item.key, 3, timeout=PATIENCE)
    assert (result.outcome, result.ambiguous) == (WriteOutcome.ACCEPTED, True)


async def test_doubt_ends_when_what_was_never_answered_cannot_be_carried_out_any_more(
    gateway: SimulatedGateway, live: LiveSession, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    await never_carried_out(gateway, live, item)
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.completions._MAY_STILL_RUN", 0.0)
    # That time alone is no proof.
    refused = await live.write_and_confirm(*item.key, "no number", timeout=PATIENCE)
    assert refused.outcome is WriteOutcome.ACCEPTED
    assert (await live.write_and_confirm(*item.key, 2, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED
    assert (await live.write_and_confirm(*item.key, "no number", timeout=PATIENCE)).outcome is WriteOutcome.REFUSED


async def test_doubt_ends_when_as_many_completions_have_come_as_there_were_writes(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    gateway.faults.stall("write")
    assert (await live.write_and_confirm(*item.key, 1, timeout=0.2)).outcome is WriteOutcome.UNKNOWN
    before = commands(gateway)
    second = asyncio.create_task(live.write_and_confirm(*item.key, "no number", timeout=PATIENCE))
    await arrived(gateway, before + 1)
    # The first is carried out after all.
    gateway.faults.release("write")
    assert (await second).outcome is WriteOutcome.ACCEPTED
    await eventually(lambda: not live._hub.tracker._items, "both have completed", seconds=PATIENCE)
    assert (await live.write_and_confirm(*item.key, "no number", timeout=PATIENCE)).outcome is WriteOutcome.REFUSED


async def test_doubt_ends_with_the_session(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    for value in range(10, 15):  # Its sequence is further on than that of the next session will be.
        assert (await live.write_and_confirm(*item.key, value, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED
    await never_carried_out(gateway, live, item)
    gateway.faults.lose_session(live.session.session_id)
    async with asyncio.timeout(PATIENCE):
        while not live.rebuilds or live.state is not LiveState.LIVE or live[INT].stale_since is not None:
            await live.changed()
    assert (await live.write_and_confirm(*item.key, "no number", timeout=PATIENCE)).outcome is WriteOutcome.REFUSED


async def test_a_completion_that_comes_late_is_never_the_next_writes(
    gateway: SimulatedGateway, live: LiveSession, item: Item, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.faults.hold_write_completes()
    result = await live.write_and_confirm(*item.key, 1, timeout=1.0)
    assert (result.outcome, result.ambiguous) == (WriteOutcome.ACCEPTED, False)
    # However late.
    now = clock.monotonic
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.write_tracker.clock.monotonic", lambda: now() + 86_400)
    late = asyncio.create_task(live.write_and_confirm(*item.key, "no number", timeout=PATIENCE))
    await eventually(lambda: len(live._hub.tracker._items[item.key].writes) == 2, "it is sent", seconds=PATIENCE)
    gateway.faults.release_write_completes()
    assert (await late).outcome is WriteOutcome.REFUSED
    assert (await live.write_and_confirm(*item.key, 2, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED


async def test_a_completion_that_is_delivered_again_is_not_the_next_writes(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    completions = live.subscribe(lambda event: event.family is EventFamily.ON_WRITE_COMPLETE)
    assert (await live.write_and_confirm(*item.key, 1, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED
    gateway.faults.hold_write_completes()
    bad = asyncio.create_task(live.write_and_confirm(*item.key, "no number", timeout=PATIENCE))
    await eventually(lambda: item.key in live._hub.tracker._items, "it is sent", seconds=PATIENCE)
    live._hub.tracker.take(await anext(completions))
    assert len(live._hub.tracker._items[item.key].writes) == 1
    gateway.faults.release_write_completes()
    assert (await bad).outcome is WriteOutcome.REFUSED


async def test_one_time_covers_the_call_and_the_completion(
    gateway: SimulatedGateway, live: LiveSession, item: Item
) -> None:
    assert live.session._link.transport.options.call_timeout > 5
    gateway.faults.stall("write")
    async with asyncio.timeout(live.session._link.transport.options.call_timeout):
        result = await live.write_and_confirm(*item.key, 1, timeout=0.1)
    gateway.faults.release("write")
    assert result.outcome is WriteOutcome.UNKNOWN


async def test_the_time_of_the_guard_is_not_the_writes(
    gateway: SimulatedGateway, item: Item, live: LiveSession
) -> None:
    timeout = 1.0
    asked: list[PendingWrite] = []

    async def slow(pending: PendingWrite) -> bool:
        asked.append(pending)
        await asyncio.sleep(timeout * 1.5)
        return True

    client = live.session._link.transport
    client.options = replace(client.options, write_guard=slow)
    assert (await live.write_and_confirm(*item.key, 1, timeout=timeout)).outcome is not WriteOutcome.UNKNOWN
    assert len(asked) == 1
    assert [write.value for write in gateway.writes] == [1]


async def test_nothing_is_kept_of_writes_to_items_that_are_gone(live: LiveSession, item: Item) -> None:
    for value in range(3):
        (again,) = await live.subscribe_tags([INT])
        await live.first_value(again)
        assert (await live.write_and_confirm(*again.key, value)).outcome is WriteOutcome.COMPLETED
        await live.unsubscribe_tags([INT])
    tracker = live._hub.tracker
    assert not tracker._turns
    assert not tracker._items
    assert not tracker._awaited
    assert not live._hub.unseen._writes
