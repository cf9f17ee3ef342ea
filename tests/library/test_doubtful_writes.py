"""A write whose outcome is unknown is watched, however it was made, until it was seen or cannot happen any more."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    ClientOptions,
    GatewayClient,
    Item,
    LiveSession,
    MxGatewayError,
    SparseArray,
    WriteEntry,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.desk import WriteDesk
from zb_mom_ww_mxgateway.safety.doubtful_writes import WATCHED_SECONDS, DoubtfulWrites
from zb_mom_ww_mxgateway.safety.write_records import WriteRecords
from zb_mom_ww_mxgateway.safety.write_rules import WriteRules
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE, ARRAY = "TestChildObject.TestInt", "TestChildObject.TestDouble", "TestChildObject.TestIntArray"


@pytest.fixture
def records(gateway: SimulatedGateway) -> WriteRecords:
    return WriteRecords("plant", gateway.endpoint)


@pytest.fixture
async def live(gateway: SimulatedGateway, records: WriteRecords) -> AsyncIterator[LiveSession]:
    arming = Arming()
    arming.arm(["TestChildObject.*"], 600)
    options = ClientOptions(
        endpoint=gateway.endpoint,
        api_key=gateway.api_key,
        plaintext=True,
        write_guard=WriteDesk(WriteRules(arming), records),
    )
    client = await GatewayClient.connect(options)
    async with client, await LiveSession.open(client) as opened:
        records.doubtful.live = opened
        yield opened


@pytest.fixture
def doubtful(records: WriteRecords) -> DoubtfulWrites:
    return records.doubtful


@pytest.fixture
async def item(live: LiveSession) -> Item:
    items = await live.subscribe_tags([INT, DOUBLE, ARRAY])
    for each in items:
        await live.first_value(each)
    return items[0]


async def given_up(gateway: SimulatedGateway, live: LiveSession, value: int = 7) -> None:
    """A write whose caller gives up while it still runs in the worker."""
    gateway.faults.stall("write")
    assert (await live.write(INT, value, timeout=0.2)).outcome is WriteOutcome.UNKNOWN


async def test_a_write_that_is_given_up_is_told_once_when_it_happens(
    gateway: SimulatedGateway, live: LiveSession, item: Item, doubtful: DoubtfulWrites
) -> None:
    await given_up(gateway, live)
    (write,) = doubtful.open()
    assert (write.tag, write.value, write.seen_at, write.is_watched) == (INT, 7, None, True)
    assert 60 < write.may_still_happen_for <= 75
    assert not doubtful.news()
    gateway.faults.release()
    await eventually(lambda: not doubtful.open(), "the write is seen")
    assert (write.seen_at or 0) > write.sent_at
    assert doubtful.news() == [write]
    assert not doubtful.news()
    # What was told ends with a later write that has an outcome.
    assert doubtful.all() == [write]
    await live.write(INT, 8)
    assert not doubtful.all()


async def test_a_value_that_was_there_for_a_moment_is_seen(
    gateway: SimulatedGateway, live: LiveSession, item: Item, doubtful: DoubtfulWrites
) -> None:
    await given_up(gateway, live)
    (write,) = doubtful.open()
    await asyncio.sleep(0)
    gateway.set(INT, 7)
    gateway.set(INT, 8)
    await live.wait_for(INT, lambda value: value == 8, timeout=30)
    assert write.seen_at is not None
    gateway.faults.release()


async def test_a_later_write_does_not_hide_one_that_may_still_happen(
    gateway: SimulatedGateway, live: LiveSession, item: Item, doubtful: DoubtfulWrites
) -> None:
    gateway.faults.fail_next("write", protocol_status=7)
    assert (await live.write(INT, 7)).outcome is WriteOutcome.UNKNOWN
    await live.write(INT, 9)
    assert [write.value for write in doubtful.open()] == [7]


async def test_it_is_seen_however_it_was_sent(
    gateway: SimulatedGateway, live: LiveSession, item: Item, doubtful: DoubtfulWrites
) -> None:
    server, handle = item.key
    gateway.faults.lose_next_reply("write")
    raw = {"server_handle": server, "item_handle": handle, "value": {"int32_value": 11}}
    with pytest.raises(MxGatewayError):
        await live.session.call_json("write", json.dumps(raw))
    gateway.faults.lose_next_reply("write")
    with pytest.raises(MxGatewayError):
        await live.session.write(server, handle, 12)
    gateway.faults.lose_next_reply("write_bulk")
    other = live.session.handles.find(DOUBLE)
    assert other is not None
    entries = [WriteEntry(handle, 13), WriteEntry(other.item_handle, 1.5)]
    results = await live.write_bulk_and_confirm(server, entries)
    assert {each.outcome for each in results} == {WriteOutcome.UNKNOWN}
    whole = live.session.handles.find(ARRAY)
    assert whole is not None
    gateway.faults.lose_next_reply("write")
    assert (await live.write_and_confirm(*whole.key, SparseArray(3, ((1, 5),)))).outcome is WriteOutcome.UNKNOWN
    assert [(write.tag, write.value) for write in doubtful.all()] == [
        (INT, 11),
        (INT, 12),
        (INT, 13),
        (DOUBLE, 1.5),
        (ARRAY, SparseArray(3, ((1, 5),))),
    ]
    await eventually(lambda: not doubtful.open(), "all of them are seen")


async def test_a_completion_that_does_not_come_and_one_that_nobody_waits_for_any_more(
    gateway: SimulatedGateway, live: LiveSession, item: Item, doubtful: DoubtfulWrites
) -> None:
    gateway.faults.hold_write_completes()
    assert (await live.write(INT, 7, timeout=0.2)).outcome is WriteOutcome.ACCEPTED
    assert [write.value for write in doubtful.all()] == [7]
    writing = asyncio.create_task(live.write(DOUBLE, 1.5))
    await eventually(lambda: len(gateway.writes) == 2, "it is accepted")
    await live.wait_for(DOUBLE, lambda value: value == 1.5, timeout=30)
    writing.cancel()
    await asyncio.wait([writing])
    assert [write.value for write in doubtful.all()] == [7, 1.5]


async def test_what_is_known_is_not_doubtful(
    gateway: SimulatedGateway, live: LiveSession, item: Item, doubtful: DoubtfulWrites
) -> None:
    await live.write(INT, 7)
    gateway.faults.fail_next("write", protocol_status=9, hresult=-2147024809)
    assert (await live.write(INT, 8)).outcome is WriteOutcome.REFUSED
    with pytest.raises(MxGatewayError, match="blocked locally"):
        await live.write("Plant.Tank1.LevelSP", 60.0)
    # The value is there already: it has nothing to show.
    gateway.faults.lose_next_reply("write")
    assert (await live.write(INT, 7)).outcome is WriteOutcome.UNKNOWN
    assert not doubtful.all()


async def test_what_is_not_seen_in_time_is_over_and_told(
    gateway: SimulatedGateway, live: LiveSession, item: Item, doubtful: DoubtfulWrites, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_up(gateway, live)
    now = clock.monotonic
    monkeypatch.setattr(clock, "monotonic", lambda: now() + WATCHED_SECONDS - 5)
    assert [write.may_still_happen_for for write in doubtful.open()] == [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now() + WATCHED_SECONDS + 5)
    (write,) = doubtful.news()
    assert (write.is_over, write.seen_at) == (True, None)
    monkeypatch.undo()
    gateway.faults.release()


async def test_an_item_that_is_removed_is_not_watched_any_more(
    gateway: SimulatedGateway, live: LiveSession, item: Item, doubtful: DoubtfulWrites
) -> None:
    gateway.faults.fail_next("write", protocol_status=7)
    assert (await live.write(INT, 7)).outcome is WriteOutcome.UNKNOWN
    await live.session.remove_item(*item.key)
    (write,) = doubtful.open()
    assert not write.is_watched
