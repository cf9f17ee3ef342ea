"""One bulk write, one outcome an entry; and arrays by some of their elements."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    GatewayClient,
    Item,
    LiveSession,
    LiveState,
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewaySessionError,
    MxGatewayWorkerError,
    MxGatewayWriteBlockedError,
    PendingWrite,
    SparseArray,
    Write2Entry,
    WriteEntry,
    WriteOutcome,
    WriteSecured2Entry,
    WriteSecuredEntry,
    wire,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GalaxyUser, GatewayKey, SimulatedGateway

INT, DOUBLE, STRING = "TestChildObject.TestInt", "TestChildObject.TestDouble", "TestChildObject.TestString"
ARRAY = "TestChildObject.TestIntArray"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
PATIENCE = 30.0


@pytest.fixture(autouse=True)
def no_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are counted here: no sign of life comes between them."""
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANXIOUS_HEARTBEAT", 3600.0)


async def ready(live: LiveSession, *tags: str) -> list[Item]:
    """The items of these tags, with their first values."""
    items = await live.subscribe_tags(tags)
    for item in items:
        await live.first_value(item)
    return items


@pytest.fixture
async def items(live: LiveSession) -> list[Item]:
    return await ready(live, INT, DOUBLE, STRING)


def kinds(gateway: SimulatedGateway) -> list[str]:
    """The commands that arrived."""
    return [wire.kind_name(call.request) for call in gateway.calls if isinstance(call.request, pb.MxCommandRequest)]


def bulk_calls(gateway: SimulatedGateway) -> list[str]:
    return [kind for kind in kinds(gateway) if kind.startswith("write") and kind.endswith("_bulk")]


async def written(gateway: SimulatedGateway, live: LiveSession, entries: list[WriteEntry], server: int) -> list[str]:
    results = await live.write_bulk_and_confirm(server, entries, timeout=PATIENCE)
    return [result.outcome.value for result in results]


async def test_each_entry_has_its_own_outcome_in_one_call(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    number, real, text = (item.item_handle for item in items)
    server = items[0].server_handle
    added = await live.session.add_item(server, "TestChildObject.TestBool")
    results = await live.write_bulk_and_confirm(
        server,
        [WriteEntry(text, "on"), WriteEntry(number, "no number"), WriteEntry(added, True), WriteEntry(real, 2.5)],
        timeout=PATIENCE,
    )
    assert [result.outcome.value for result in results] == ["completed", "refused", "refused", "completed"]
    done, late, at_once, _ = results
    assert done.completed_after is not None
    assert done.error is None
    # The second was refused in its completion, the third in the reply: it was never advised.
    assert (late.accepted_after is None, late.error, bool(late.statuses)) == (False, None, True)
    assert at_once.accepted_after is None
    assert isinstance(at_once.error, MxAccessError)
    assert f"write_bulk: item {added} was refused: 0x80070057" in str(at_once.error)
    assert bulk_calls(gateway) == ["write_bulk"]
    assert gateway.read(STRING).value == "on"
    assert gateway.read(DOUBLE).value == 2.5


async def test_a_key_that_does_not_reach_a_tag_is_a_refusal_of_that_entry() -> None:
    wide, narrow = GatewayKey("wide", "secret1"), GatewayKey("narrow", "secret2", subtrees={"Plant.Tank1"})
    async with SimulatedGateway(plaintext=True, api_keys=[wide, narrow]) as gateway:
        clients = [
            await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True)
            for key in (wide, narrow)
        ]
        async with clients[0], clients[1]:
            # Handles of a session are anybody's who knows its id.
            opened = await clients[0].open_session()
            server = await opened.register("wide")
            added = await opened.subscribe_bulk(server, [INT, "Plant.Tank1.LevelSP"])
            async with await LiveSession.open(clients[1], clients[1].attach(opened.session_id)) as live:
                for result in added:
                    async with asyncio.timeout(PATIENCE):
                        while live.latest(server, result.item_handle) is None:
                            await live.changed()
                entries = [WriteEntry(result.item_handle, 5) for result in added]
                refused, done = await live.write_bulk_and_confirm(server, entries, timeout=PATIENCE)
    assert (refused.outcome, done.outcome) == (WriteOutcome.REFUSED, WriteOutcome.COMPLETED)
    assert f"the API key does not reach {INT}" in str(refused.error)
    assert [write.tag for write in gateway.writes] == ["Plant.Tank1.LevelSP"]


async def test_the_type_of_the_entries_tells_the_call() -> None:
    users = [GalaxyUser("bob", "b"), GalaxyUser("anna", "a")]
    async with SimulatedGateway(plaintext=True, users=users) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
        async with client, await LiveSession.open(client) as live:
            plain, secured, verified = await ready(live, INT, "Plant.Interlock.Bypass", "Plant.Interlock.Reset")
            server = plain.server_handle
            bob = await live.session.authenticate_user(server, "bob", "b")
            anna = await live.session.authenticate_user(server, "anna", "a")
            for entries in (
                [WriteEntry(plain.item_handle, 1)],
                [Write2Entry(plain.item_handle, 2, NOON)],
                [
                    WriteSecuredEntry(secured.item_handle, True, bob),
                    WriteSecuredEntry(verified.item_handle, True, bob, anna),
                ],
                [WriteSecured2Entry(secured.item_handle, False, NOON, bob)],
            ):
                results = await live.write_bulk_and_confirm(server, entries, timeout=PATIENCE)
                assert {result.outcome for result in results} == {WriteOutcome.COMPLETED}
    assert bulk_calls(gateway) == ["write_bulk", "write2_bulk", "write_secured_bulk", "write_secured2_bulk"]
    assert [write.verifier_id for write in gateway.writes] == [0, 0, 0, anna, 0]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "entries must have 1 to 10000 entries"),
        ([(1, 5)], r"entries\[0\]: one of WriteEntry, .* expected, not tuple"),
        ([WriteEntry(1, 5), Write2Entry(2, 5, NOON)], r"entries\[1\]: one call has entries of one type"),
        ([WriteEntry(1, 5), WriteEntry(2, 5), WriteEntry(1, 6)], r"entries\[2\]: item 1 is in entries\[0\] too"),
        ([WriteEntry(1, 5), WriteEntry(2, 2**70)], r"entries\[1\]: "),
    ],
)
async def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    entries: list[WriteEntry], said: str, gateway: SimulatedGateway, live: LiveSession
) -> None:
    with pytest.raises(MxGatewayArgumentError, match=said):
        await live.write_bulk_and_confirm(1, entries)
    assert not bulk_calls(gateway)


LOST: dict[str, Callable[[SimulatedGateway], None]] = {
    "reply lost": lambda gateway: gateway.faults.lose_next_reply("write_bulk"),
    "unavailable": lambda gateway: gateway.faults.fail_next("write_bulk", code=grpc.StatusCode.UNAVAILABLE),
}


@pytest.mark.parametrize("how", LOST)
async def test_a_lost_answer_leaves_every_entry_unknown_and_nothing_is_sent_again(
    how: str, gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    LOST[how](gateway)
    entries = [WriteEntry(items[0].item_handle, 1), WriteEntry(items[1].item_handle, 2.0)]
    results = await live.write_bulk_and_confirm(items[0].server_handle, entries, timeout=2.0)
    assert [result.outcome for result in results] == [WriteOutcome.UNKNOWN] * 2
    assert all(result.error and result.error.outcome_unknown for result in results)
    assert bulk_calls(gateway) == ["write_bulk"]


async def test_completions_that_are_held_leave_their_entries_accepted_and_the_next_write_is_not_misled(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.hold_write_completes()
    entries = [WriteEntry(items[0].item_handle, 1), WriteEntry(items[1].item_handle, 2.0)]
    results = await live.write_bulk_and_confirm(items[0].server_handle, entries, timeout=1.0)
    assert [(result.outcome, result.ambiguous) for result in results] == [(WriteOutcome.ACCEPTED, False)] * 2
    late = asyncio.create_task(
        live.write_bulk_and_confirm(
            items[0].server_handle,
            [WriteEntry(items[0].item_handle, "no number"), WriteEntry(items[1].item_handle, 3.0)],
            timeout=PATIENCE,
        )
    )
    await eventually(lambda: len(bulk_calls(gateway)) == 2, "it is sent", seconds=PATIENCE)
    gateway.faults.release_write_completes()
    assert [result.outcome for result in await late] == [WriteOutcome.REFUSED, WriteOutcome.COMPLETED]


async def test_an_entry_behind_a_write_that_never_was_is_ambiguous_and_the_others_are_not(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.fail_next("write", code=grpc.StatusCode.UNAVAILABLE)
    assert (await live.write_and_confirm(*items[0].key, 1, timeout=PATIENCE)).outcome is WriteOutcome.UNKNOWN
    entries = [WriteEntry(items[0].item_handle, "no number"), WriteEntry(items[1].item_handle, 2.0)]
    doubtful, sure = await live.write_bulk_and_confirm(items[0].server_handle, entries, timeout=PATIENCE)
    assert (doubtful.outcome, doubtful.ambiguous) == (WriteOutcome.ACCEPTED, True)
    assert (sure.outcome, sure.ambiguous) == (WriteOutcome.COMPLETED, False)


async def test_it_waits_for_an_earlier_write_to_one_of_its_items(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    server = items[0].server_handle
    entries = [WriteEntry(item.item_handle, value) for item, value in zip(items, (7, 2.5, "x"), strict=True)]
    # It alone is held up on its way to the worker.
    gateway.schedule(f"at Invoke {len(kinds(gateway)) + 1} stall")
    first = asyncio.create_task(live.write_and_confirm(*items[1].key, 1.0, timeout=PATIENCE))
    await eventually(lambda: "write" in kinds(gateway), "it arrives", seconds=PATIENCE)
    with pytest.raises(MxGatewayWorkerError, match="write_bulk: an earlier write to one of its items was not answered"):
        await live.write_bulk_and_confirm(server, entries, timeout=0.1)
    second = asyncio.create_task(live.write_bulk_and_confirm(server, entries, timeout=PATIENCE))
    # What comes behind it is answered, so it would have been sent by now.
    await live.session.ping()
    assert not bulk_calls(gateway)
    gateway.faults.release("Invoke")
    assert (await first).outcome is WriteOutcome.COMPLETED
    assert {result.outcome for result in await second} == {WriteOutcome.COMPLETED}
    assert gateway.read(DOUBLE).value == 2.5


async def test_bulk_writes_of_the_same_items_in_any_order_all_come_to_an_end(
    live: LiveSession, items: list[Item]
) -> None:
    server, handles = items[0].server_handle, [items[0].item_handle, items[1].item_handle]
    calls = [
        live.write_bulk_and_confirm(server, [WriteEntry(handle, 5) for handle in order], timeout=PATIENCE)
        for order in (handles, handles[::-1]) * 5
    ]
    results = await asyncio.gather(*calls)
    assert {result.outcome for each in results for result in each} == {WriteOutcome.COMPLETED}


async def test_in_a_session_that_is_rebuilt_meanwhile_all_are_unknown_and_the_next_goes_to_the_same_items(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    server = items[0].server_handle
    entries = [WriteEntry(items[0].item_handle, 1), WriteEntry(items[1].item_handle, 2.0)]
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(live.write_bulk_and_confirm(server, entries, timeout=PATIENCE))
    await eventually(lambda: len(gateway.writes) == 2, "it reached the plant", seconds=PATIENCE)
    gateway.faults.lose_session(live.session.session_id)
    assert [result.outcome for result in await writing] == [WriteOutcome.UNKNOWN] * 2
    gateway.faults.release_write_completes()
    async with asyncio.timeout(PATIENCE):
        while not live.rebuilds or live.state is not LiveState.LIVE or live[DOUBLE].stale_since is not None:
            await live.changed()
    assert await written(gateway, live, [entries[0]._replace(value=8), entries[1]], server) == ["completed"] * 2
    assert gateway.read(INT).value == 8
    assert bulk_calls(gateway) == ["write_bulk"] * 2


async def test_the_guard_is_asked_once_with_all_entries(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    asked: list[PendingWrite] = []

    async def guard(pending: PendingWrite) -> bool | str:
        asked.append(pending)
        return "not now"

    transport = live.session._link.transport
    unguarded = transport.options
    transport.options = replace(unguarded, write_guard=guard)
    entries = [WriteEntry(items[0].item_handle, 1), WriteEntry(items[1].item_handle, 2.0)]
    with pytest.raises(MxGatewayWriteBlockedError, match="not now; nothing was sent"):
        await live.write_bulk_and_confirm(items[0].server_handle, entries)
    (pending,) = asked
    assert [(entry.tag, entry.value) for entry in pending.entries] == [(INT, 1), (DOUBLE, 2.0)]
    assert not bulk_calls(gateway)
    # It is not waited for either.
    transport.options = unguarded
    assert await written(gateway, live, entries, items[0].server_handle) == ["completed"] * 2


async def test_cancelling_stops_the_waiting_and_not_the_writes(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    server = items[0].server_handle
    entries = [WriteEntry(items[0].item_handle, 1), WriteEntry(items[1].item_handle, 2.0)]
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(live.write_bulk_and_confirm(server, entries, timeout=PATIENCE))
    # Only what has arrived goes on without its caller.
    await eventually(lambda: len(gateway.writes) == 2, "both have arrived", seconds=PATIENCE)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    gateway.faults.release_write_completes()
    await eventually(lambda: not live._hub.tracker._items, "both complete", seconds=PATIENCE)
    assert gateway.read(INT).value == 1
    assert await written(gateway, live, [entries[0]._replace(value="no number")], server) == ["refused"]


async def test_of_a_session_that_is_closed_nothing_is_written(gateway: SimulatedGateway, live: LiveSession) -> None:
    await live.aclose()
    with pytest.raises(MxGatewaySessionError):
        await live.write_bulk_and_confirm(1, [WriteEntry(1, 1)])
    assert not bulk_calls(gateway)


# Arrays by some of their elements.


async def test_a_sparse_write_has_an_outcome_and_loses_what_is_not_named(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    (item,) = await ready(live, ARRAY)
    result = await live.write_and_confirm(*item.key, SparseArray(5, ((0, 7), (3, 9))), timeout=PATIENCE)
    assert result.outcome is WriteOutcome.COMPLETED
    assert gateway.read(ARRAY).value == (7, 0, 0, 9, 0)
    value = await live.wait_for(ARRAY, lambda value: len(value) == 5, timeout=PATIENCE)
    assert list(value.value) == [7, 0, 0, 9, 0]


async def test_a_sparse_write_of_another_type_is_refused(live: LiveSession) -> None:
    (item,) = await ready(live, ARRAY)
    result = await live.write_and_confirm(*item.key, SparseArray(5, ((0, "no number"),)), timeout=PATIENCE)
    assert result.outcome is WriteOutcome.REFUSED


async def test_behind_a_sparse_write_whose_outcome_is_unknown_the_same_array_proves_nothing(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    (item,) = await ready(live, ARRAY)
    gateway.faults.fail_next("write", code=grpc.StatusCode.UNAVAILABLE)
    lost = await live.write_and_confirm(*item.key, SparseArray(2, ((0, 7),)), timeout=PATIENCE)
    assert lost.outcome is WriteOutcome.UNKNOWN
    # The sparse one would have made the same of it.
    result = await live.write_and_confirm(*item.key, [7, 0], timeout=PATIENCE)
    assert (result.outcome, result.ambiguous) == (WriteOutcome.ACCEPTED, True)
