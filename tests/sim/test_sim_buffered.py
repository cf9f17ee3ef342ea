"""Buffered items, which report one sample at a time by the interval, and suspended ones, which do not report."""

import pytest
from sim_wire import E_INVALIDARG, Events, Wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

TAG = "TestChildObject.TestInt"


def samples(event: pb.MxEvent) -> list[int]:
    return list(event.on_buffered_data_change.values.int32_values.values)


async def buffering(client: Wire, address: str, **fields: object) -> tuple[Events, int]:
    """A stream on a new session with one advised buffered item, and its handle."""
    await client.open()
    server = await client.register()
    reply = await client.done("add_buffered_item", server_handle=server, item_definition=address, **fields)
    assert reply.WhichOneof("payload") == "add_buffered_item"
    item = reply.add_buffered_item.item_handle
    await client.advise(server, item)
    return client.stream(), item


async def test_samples_come_one_by_one_at_the_end_of_an_interval(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item = await buffering(client, "TestInt", item_context="TestChildObject")
    await client.done("set_buffered_update_interval", server_handle=1, update_interval_milliseconds=500)
    session = gateway.sessions[client.session_id]
    await clock.advance(0.4)
    gateway.set(TAG, 1)
    gateway.set(TAG, 2, quality=64)
    begun = clock.now()
    # The interval of the first value is the one that was set when it came.
    await clock.advance(0.59)
    assert session.last_sequence == 0
    await clock.advance(0.02)
    taken = await events.take(3)
    for event, quality in zip(taken, (192, 192, 64), strict=True):
        assert event.family == pb.MX_EVENT_FAMILY_ON_BUFFERED_DATA_CHANGE
        assert event.WhichOneof("body") == "on_buffered_data_change"
        assert (event.server_handle, event.item_handle, event.quality) == (1, item, quality)
        body = event.on_buffered_data_change
        assert body.data_type == body.values.element_data_type == pb.MX_DATA_TYPE_INTEGER
        assert list(body.qualities) == [quality]
    assert [samples(event) for event in taken] == [[0], [1], [2]]
    stamps = [stamp.ToNanoseconds() for event in taken[1:] for stamp in event.on_buffered_data_change.timestamps]
    assert stamps == [begun, begun]
    gateway.set(TAG, 3)
    await clock.advance(0.49)
    assert session.last_sequence == 3
    await clock.advance(0.02)
    assert samples(await events.next()) == [3]
    # Nothing new, no event.
    await clock.advance(10)
    assert session.last_sequence == 4


@pytest.mark.parametrize(("asked", "taken"), [(1, 0.1), (100, 0.1), (101, 0.2), (1950, 2.0)])
async def test_an_interval_is_rounded_up_to_100_ms(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, asked: int, taken: float
) -> None:
    await client.open()
    await client.register()
    await client.done("set_buffered_update_interval", server_handle=1, update_interval_milliseconds=asked)
    reply = await client.done("add_buffered_item", server_handle=1, item_definition=TAG)
    session = gateway.sessions[client.session_id]
    await client.advise(1, reply.add_buffered_item.item_handle)
    await clock.advance(taken - 0.01)
    assert session.last_sequence == 0
    await clock.advance(0.02)
    assert session.last_sequence == 1


async def test_a_missing_value_keeps_its_place(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    events, _ = await buffering(client, TAG)
    gateway.set(TAG, None, quality=8)
    await clock.advance(1)
    taken = await events.take(2)
    assert [(samples(event), list(event.on_buffered_data_change.qualities)) for event in taken] == [
        ([0], [192]),
        ([0], [8]),
    ]


async def test_a_bogus_buffered_item_is_bad(client: Wire, clock: ManualClock) -> None:
    events, _ = await buffering(client, "Nobody.Nothing")
    await clock.advance(1)
    event = await events.next()
    assert event.statuses[0].category == pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR
    assert event.on_buffered_data_change.data_type == pb.MX_DATA_TYPE_NO_DATA
    assert list(event.on_buffered_data_change.qualities) == [0]
    assert len(event.on_buffered_data_change.values.string_values.values) == 1


async def test_what_was_buffered_is_gone_with_the_advise(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item = await buffering(client, TAG)
    await client.done("un_advise", server_handle=1, item_handle=item)
    await clock.advance(5)
    assert gateway.sessions[client.session_id].last_sequence == 0
    gateway.set(TAG, 7)
    await client.advise(1, item)
    await clock.advance(1)
    assert list((await events.next()).on_buffered_data_change.values.int32_values.values) == [7]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("add_buffered_item", {"server_handle": 9, "item_definition": TAG}),
        ("add_buffered_item", {"server_handle": 1, "item_definition": "TestChildObject.TestIntArray"}),
        ("set_buffered_update_interval", {"server_handle": 9, "update_interval_milliseconds": 100}),
        ("set_buffered_update_interval", {"server_handle": 1, "update_interval_milliseconds": 0}),
        ("set_buffered_update_interval", {"server_handle": 1, "update_interval_milliseconds": -5}),
        ("suspend", {"server_handle": 1, "item_handle": 9}),
        ("activate", {"server_handle": 1, "item_handle": 9}),
        ("suspend", {"server_handle": 1, "item_handle": 1}),
        ("activate", {"server_handle": 1, "item_handle": 1}),
    ],
)
async def test_what_cannot_be_is_refused_by_mxaccess(client: Wire, kind: str, fields: dict[str, object]) -> None:
    await client.open()
    server = await client.register()
    # Added, not advised.
    assert await client.add(server, TAG) == 1
    reply = await client.invoke(kind, **fields)
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    assert reply.hresult == E_INVALIDARG
    assert reply.WhichOneof("payload") is None


async def test_a_suspended_item_reports_nothing_until_it_is_activated(client: Wire, gateway: SimulatedGateway) -> None:
    events, item, _ = await client.watching(TAG)
    fields = {"server_handle": 1, "item_handle": item}
    reply = await client.done("suspend", **fields)
    assert reply.suspend.status.category == pb.MX_STATUS_CATEGORY_OK
    for value in (1, 2, 3):
        gateway.set(TAG, value)
    reply = await client.done("activate", **fields)
    assert reply.activate.status.category == pb.MX_STATUS_CATEGORY_OK
    event = await events.next()
    assert (event.worker_sequence, event.value.int32_value) == (2, 3)
    # A second time it has nothing to tell.
    await client.done("activate", **fields)
    gateway.set(TAG, 4)
    event = await events.next()
    assert (event.worker_sequence, event.value.int32_value) == (3, 4)
