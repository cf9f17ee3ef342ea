"""Bulk commands: a result an entry, in order, and no entry that fails the call."""

import pytest
from sim_wire import E_INVALIDARG, Wire, becomes, wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

TAGS = ["TestChildObject.TestInt", "Nobody.Nothing", "TestChildObject.TestBool"]


async def test_add_advise_un_advise_and_remove(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    server = await client.register()
    added = (await client.done("add_item_bulk", server_handle=server, tag_addresses=TAGS)).add_item_bulk.results
    assert [(entry.tag_address, entry.was_successful, entry.server_handle) for entry in added] == [
        (tag, True, server) for tag in TAGS
    ]
    handles = [entry.item_handle for entry in added]
    assert handles == sorted(set(handles))
    assert gateway.sessions[client.session_id].last_sequence == 0

    mixed = [handles[0], 999, handles[2]]
    for kind in ("advise_item_bulk", "un_advise_item_bulk", "remove_item_bulk"):
        reply = await client.done(kind, server_handle=server, item_handles=mixed)
        assert reply.WhichOneof("payload") == kind
        results = getattr(reply, kind).results
        assert [entry.item_handle for entry in results] == mixed
        assert [entry.was_successful for entry in results] == [True, False, True]
        assert "999" in results[1].error_message
        assert not results[0].error_message
        assert results[0].tag_address == TAGS[0]
    again = await client.done("advise_item_bulk", server_handle=server, item_handles=mixed)
    assert not any(entry.was_successful for entry in again.advise_item_bulk.results)


async def test_subscribe_is_add_and_advise_and_unsubscribe_the_reverse(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    server = await client.register()
    reply = await client.done("subscribe_bulk", server_handle=server, tag_addresses=TAGS)
    handles = [entry.item_handle for entry in reply.subscribe_bulk.results]
    assert all(entry.was_successful for entry in reply.subscribe_bulk.results)
    events = client.stream()
    assert [event.item_handle for event in await events.take(3)] == handles
    reply = await client.done("unsubscribe_bulk", server_handle=server, item_handles=[*handles[:2], 77])
    assert [entry.was_successful for entry in reply.unsubscribe_bulk.results] == [True, True, False]
    gateway.set(TAGS[0], 5)
    gateway.set(TAGS[2], True)
    assert (await events.next()).item_handle == handles[2]


async def test_an_unknown_server_fails_every_entry_but_not_the_call(client: Wire) -> None:
    await client.open()
    reply = await client.done("subscribe_bulk", server_handle=5, tag_addresses=TAGS)
    assert [entry.was_successful for entry in reply.subscribe_bulk.results] == [False] * 3
    reply = await client.done("read_bulk", server_handle=5, tag_addresses=TAGS)
    assert [entry.was_successful for entry in reply.read_bulk.results] == [False] * 3


async def test_an_empty_list_has_no_results(client: Wire) -> None:
    await client.open()
    server = await client.register()
    for kind in ("add_item_bulk", "advise_item_bulk", "write_bulk", "read_bulk"):
        reply = await client.done(kind, server_handle=server)
        assert reply.WhichOneof("payload") == kind
        assert not getattr(reply, kind).results


async def test_write_bulk_accepts_and_refuses_by_entry(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item, _ = await client.watching(TAGS[0])
    never_advised = await client.add(1, TAGS[2])
    entries = [
        pb.WriteBulkEntry(item_handle=handle, value=pb.MxValue(int32_value=9)) for handle in (never_advised, item, 55)
    ]
    reply = await client.done("write_bulk", server_handle=1, entries=entries)
    results = reply.write_bulk.results
    assert [entry.item_handle for entry in results] == [never_advised, item, 55]
    assert [entry.was_successful for entry in results] == [False, True, False]
    assert [entry.hresult for entry in results] == [E_INVALIDARG, 0, E_INVALIDARG]
    assert results[0].error_message == "Value does not fall within the expected range"
    assert results[0].statuses
    await clock.advance(0.1)
    assert (await events.write_complete()).item_handle == item
    assert [(record.tag, record.value) for record in gateway.writes] == [(TAGS[0], 9)]


async def test_write2_bulk_brings_times(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    _, item, _ = await client.watching(TAGS[0])
    stamp = pb.MxValue()
    stamp.timestamp_value.FromSeconds(1_700_000_000)
    entries = [
        pb.Write2BulkEntry(item_handle=item, value=pb.MxValue(int32_value=9), timestamp_value=stamp),
        pb.Write2BulkEntry(
            item_handle=item, value=pb.MxValue(int32_value=8), timestamp_value=pb.MxValue(bool_value=True)
        ),
    ]
    reply = await client.done("write2_bulk", server_handle=1, entries=entries)
    assert [entry.was_successful for entry in reply.write2_bulk.results] == [True, False]
    await clock.advance(0.1)
    assert gateway.read(TAGS[0]).timestamp.timestamp() == 1_700_000_000


async def test_read_bulk_takes_an_advised_item_from_its_last_change(client: Wire, gateway: SimulatedGateway) -> None:
    _, item, _ = await client.watching(TAGS[0])
    gateway.set(TAGS[0], 5, quality=216)
    reply = await client.done(
        "read_bulk", server_handle=1, tag_addresses=[TAGS[0].upper(), TAGS[1], TAGS[2]], timeout_ms=100
    )
    cached, bogus, fresh = reply.read_bulk.results
    assert (cached.was_successful, cached.was_cached, cached.item_handle) == (True, True, item)
    assert (cached.value.int32_value, cached.quality, cached.tag_address) == (5, 216, TAGS[0].upper())
    assert cached.source_timestamp.seconds
    assert (bogus.was_successful, bogus.was_cached, bogus.value.is_null) == (False, False, True)
    assert bogus.statuses[0].category == pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR
    assert bogus.error_message
    assert (fresh.was_successful, fresh.was_cached, fresh.value.bool_value) == (True, False, False)
    assert fresh.item_handle not in (0, item)
    # It was removed again.
    reply = await client.invoke("advise", server_handle=1, item_handle=fresh.item_handle)
    assert reply.hresult == E_INVALIDARG


async def test_read_bulk_does_not_take_an_item_that_is_advised_no_more(client: Wire, gateway: SimulatedGateway) -> None:
    _, item, _ = await client.watching(TAGS[0])
    await client.done("un_advise", server_handle=1, item_handle=item)
    gateway.set(TAGS[0], 5)
    (result,) = (await client.done("read_bulk", server_handle=1, tag_addresses=TAGS[:1])).read_bulk.results
    assert (result.was_cached, result.value.int32_value) == (False, 5)


async def test_read_bulk_wants_arrays_in_brackets(client: Wire) -> None:
    await client.open()
    server = await client.register()
    tags = ["TestChildObject.TestIntArray", "TestChildObject.TestIntArray[]", "TestChildObject.TestIntArray[2]"]
    reply = await client.done("read_bulk", server_handle=server, tag_addresses=tags)
    bare, whole, element = reply.read_bulk.results
    assert not bare.was_successful
    assert (bare.statuses[0].category, bare.statuses[0].detail) == (pb.MX_STATUS_CATEGORY_COMMUNICATION_ERROR, 1003)
    assert len(whole.value.array_value.int32_values.values) == 10
    assert element.value.int32_value == 2


async def test_read_bulk_gives_up_when_the_first_value_takes_too_long() -> None:
    clock = ManualClock()
    async with (
        SimulatedGateway(plaintext=True, clock=clock, first_change_delay=3) as gateway,
        wire(gateway) as client,
    ):
        await client.open()
        server = await client.register()

        async def read(timeout_ms: int, seconds: float) -> pb.BulkReadResult:
            before = len(gateway.calls)
            call = client.calling("read_bulk", server_handle=server, tag_addresses=TAGS, timeout_ms=timeout_ms)
            await becomes(lambda: len(gateway.calls) > before)
            # All of them are waited for together.
            await clock.advance(seconds)
            first, _, last = (await call).read_bulk.results
            assert first.was_successful is last.was_successful
            return first

        late = await read(500, 0.5)
        assert not late.was_successful
        assert "time-out" in late.error_message
        assert (await read(0, 3)).was_successful
        # The session has met the tag by now.
        assert (await read(1, 0)).was_successful


async def test_large_requests_leave_fewer_calls_on_record(
    client: Wire, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_sim.rpc.call_pipeline._MOST_CALL_BYTES", 10_000)
    await client.open()
    server = await client.register()
    for _ in range(20):
        await client.done("add_item_bulk", server_handle=server, tag_addresses=["T" * 4_000])
    assert [call.request.ByteSize() > 4_000 for call in gateway.calls] == [True, True]
    for _ in range(20):
        await client.done("ping")
    assert [call.request.ByteSize() > 4_000 for call in gateway.calls] == [True, True] + [False] * 20
    await client.done("add_item_bulk", server_handle=server, tag_addresses=["T" * 12_000])
    assert len(gateway.calls) == 1
