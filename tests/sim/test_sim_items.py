"""Items: names that resolve and names that do not, arrays, advise and un-advise."""

import pytest
from sim_wire import E_INVALIDARG, Wire, wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import Category, ManualClock, SimulatedGateway, Source, Status


async def test_advise_brings_the_value_as_an_event(client: Wire, gateway: SimulatedGateway) -> None:
    gateway.set("TestChildObject.TestInt", 42)
    events, item, first = await client.watching("TestChildObject.TestInt")
    assert first.family == pb.MX_EVENT_FAMILY_ON_DATA_CHANGE
    assert first.WhichOneof("body") == "on_data_change"
    assert (first.server_handle, first.item_handle) == (1, item)
    assert (first.value.int32_value, first.quality) == (42, 192)
    assert first.value.variant_type == "VT_I4"
    assert [status.category for status in first.statuses] == [pb.MX_STATUS_CATEGORY_OK]
    gateway.set("TestChildObject.TestInt", 43, quality=64)
    second = await events.next()
    assert (second.value.int32_value, second.quality) == (43, 64)


async def test_a_status_of_the_plant_arrives_with_its_source_time(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, _, _ = await client.watching("TestChildObject.TestInt")
    lost = Status(Category.COMMUNICATION_ERROR, Source.RESPONDING_NMX, 20, "engine does not answer")
    gateway.set("TestChildObject.TestInt", None, quality=8, statuses=[lost])
    event = await events.next()
    (status,) = event.statuses
    assert (status.category, status.raw_category) == (pb.MX_STATUS_CATEGORY_COMMUNICATION_ERROR, 3)
    assert (status.detected_by, status.raw_detected_by) == (pb.MX_STATUS_SOURCE_RESPONDING_NMX, 3)
    assert (status.detail, status.diagnostic_text) == (20, "engine does not answer")
    assert (event.quality, event.value.is_null) == (8, True)
    assert event.source_timestamp.ToNanoseconds() == clock.now()


@pytest.mark.parametrize("name", ["testchildobject.testint", "TESTCHILDOBJECT.TestInt", " TestChildObject.TestInt "])
async def test_names_resolve_whatever_their_case(client: Wire, name: str) -> None:
    _, _, first = await client.watching(name)
    assert first.quality == 192


@pytest.mark.parametrize("name", ["Nobody.Nothing", "TestChildObject", "TestChildObject.", "", "A[1]B", "..", "X.Y[2]"])
async def test_a_bogus_name_is_accepted_and_then_bad(client: Wire, name: str) -> None:
    _, _, first = await client.watching(name)
    assert first.quality < 64
    assert first.value.is_null
    assert (first.value.variant_type, first.value.data_type) == ("VT_EMPTY", pb.MX_DATA_TYPE_NO_DATA)
    assert first.value.WhichOneof("kind") is None
    (status,) = first.statuses
    assert status.category == pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR
    assert (status.detected_by, status.detail) == (pb.MX_STATUS_SOURCE_REQUESTING_LMX, 2)


async def test_a_context_completes_a_relative_name(client: Wire) -> None:
    await client.open()
    server = await client.register()
    for definition, context in (("TestInt", "TestChildObject"), ("Tank1.Level", "Plant."), ("Plant.Tank1.Level", "")):
        reply = await client.done("add_item2", server_handle=server, item_definition=definition, item_context=context)
        await client.advise(server, reply.add_item2.item_handle)
    events = client.stream()
    assert [event.quality for event in await events.take(3)] == [192, 192, 192]


@pytest.mark.parametrize("name", ["TestChildObject.TestIntArray", "TestChildObject.TestIntArray[]"])
async def test_an_array_comes_whole(client: Wire, name: str) -> None:
    _, _, first = await client.watching(name)
    assert first.value.variant_type == "VT_ARRAY|VT_I4"
    assert first.value.data_type == pb.MX_DATA_TYPE_INTEGER
    array = first.value.array_value
    assert array.element_data_type == pb.MX_DATA_TYPE_INTEGER
    assert (list(array.dimensions), list(array.int32_values.values)) == ([10], list(range(1, 11)))


async def test_an_element_counts_from_one_and_hears_only_of_itself(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, first = await client.watching("TestChildObject.TestIntArray[3]")
    assert (first.value.variant_type, first.value.int32_value) == ("VT_I4", 3)
    gateway.set("TestChildObject.TestIntArray", (9, 2, 3))
    gateway.set("TestChildObject.TestIntArray", (9, 2, 30))
    assert (await events.next()).value.int32_value == 30
    gateway.set("TestChildObject.TestIntArray", (9,))
    assert (await events.next()).quality < 64


async def test_a_status_of_the_array_alone_is_news_of_its_element(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching("TestChildObject.TestIntArray[3]")
    pending = Status(Category.PENDING, Source.RESPONDING_LMX, 7, "settling")
    gateway.set("TestChildObject.TestIntArray", tuple(range(1, 11)), statuses=[pending])
    event = await events.next()
    assert (event.value.int32_value, event.statuses[0].category) == (3, pb.MX_STATUS_CATEGORY_PENDING)


@pytest.mark.parametrize(
    "address", ["TestIntArray[0]", "TestIntArray[11]", "TestIntArray[-1]", "TestInt[]", "TestInt[1]"]
)
async def test_a_bad_element_is_bad(client: Wire, address: str) -> None:
    _, _, first = await client.watching(f"TestChildObject.{address}")
    assert first.quality < 64
    assert first.value.is_null
    assert first.statuses[0].category == pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR


async def test_an_item_advised_twice_is_reported_once(client: Wire, gateway: SimulatedGateway) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    await client.advise(1, item)
    await client.done("advise_supervisory", server_handle=1, item_handle=item)
    for value in (1, 2):
        gateway.set("TestChildObject.TestInt", value)
    assert [event.value.int32_value for event in await events.take(2)] == [1, 2]


async def test_two_items_of_one_tag_are_both_reported(client: Wire, gateway: SimulatedGateway) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    other = await client.add(1, "TestChildObject.TestInt")
    await client.advise(1, other)
    assert (await events.next()).item_handle == other
    gateway.set("TestChildObject.TestInt", 5)
    assert [event.item_handle for event in await events.take(2)] == [item, other]


async def test_un_advise_ends_the_events_and_advise_brings_them_back(client: Wire, gateway: SimulatedGateway) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    await client.done("un_advise", server_handle=1, item_handle=item)
    gateway.set("TestChildObject.TestInt", 5)
    gateway.set("TestChildObject.TestInt", 6)
    await client.advise(1, item)
    assert (await events.next()).value.int32_value == 6
    await client.done("remove_item", server_handle=1, item_handle=item)
    gateway.set("TestChildObject.TestInt", 7)
    again = await client.add(1, "TestChildObject.TestInt")
    await client.advise(1, again)
    event = await events.next()
    assert (event.item_handle, event.value.int32_value) == (again, 7)


async def test_un_advise_needs_an_advised_item(client: Wire) -> None:
    await client.open()
    server = await client.register()
    item = await client.add(server, "TestChildObject.TestInt")
    reply = await client.invoke("un_advise", server_handle=server, item_handle=item)
    assert reply.hresult == E_INVALIDARG


async def test_a_value_that_does_not_change_is_not_reported(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching("TestChildObject.TestInt")
    gateway.set("TestChildObject.TestInt", 0)
    gateway.set("TestChildObject.TestInt", 1)
    assert (await events.next()).value.int32_value == 1


async def test_a_first_change_may_take_its_time_once_a_session() -> None:
    clock = ManualClock()
    async with (
        SimulatedGateway(plaintext=True, clock=clock, first_change_delay=(3, 8)) as gateway,
        wire(gateway) as client,
    ):
        await client.open()
        server = await client.register()
        item = await client.add(server, "TestChildObject.TestInt")
        session = gateway.sessions[client.session_id]
        await client.advise(server, item)
        # Not before its first data change can it be written.
        reply = await client.invoke("write", server_handle=server, item_handle=item, value=pb.MxValue(int32_value=1))
        assert reply.hresult == E_INVALIDARG
        await clock.advance(2.9)
        assert session.last_sequence == 0
        await clock.advance(5.2)
        assert session.last_sequence == 1
        again = await client.add(server, "testchildobject.TESTINT")
        await client.advise(server, again)
        assert [event.item_handle for event in await client.stream().take(2)] == [item, again]


async def test_thousands_of_advised_items_need_no_task_each(clock: ManualClock) -> None:
    import asyncio

    async with (
        SimulatedGateway(plaintext=True, clock=clock, generated_tags=5000) as gateway,
        wire(gateway) as client,
    ):
        await client.open()
        server = await client.register()
        tasks = len(asyncio.all_tasks())
        tags = [f"Area001.Unit{unit:04d}.Value{value:02d}" for unit in range(1, 101) for value in range(1, 51)]
        await client.done("subscribe_bulk", server_handle=server, tag_addresses=tags)
        assert len(asyncio.all_tasks()) <= tasks + 1
        # Not all at once: that would overflow the queue of anyone who reads.
        assert gateway.sessions[client.session_id].last_sequence < 2500
        await clock.advance(1)
        assert gateway.sessions[client.session_id].last_sequence > 5000
        await clock.advance(9)
        # Each took its one step; a Boolean or a batch number may have kept its value.
        assert gateway.sessions[client.session_id].last_sequence > 8500
