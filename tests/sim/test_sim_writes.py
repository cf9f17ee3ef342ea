"""Writes: accepted, then completed, then seen; and what refuses them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from sim_wire import E_INVALIDARG, Wire, wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, NativeType, SimulatedGateway, TagDefinition

OK = pb.MX_STATUS_CATEGORY_OK
SECURITY_ERROR = pb.MX_STATUS_CATEGORY_SECURITY_ERROR
OPERATIONAL_ERROR = pb.MX_STATUS_CATEGORY_OPERATIONAL_ERROR
CONFIGURATION_ERROR = pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR


async def written(client: Wire, clock: ManualClock, address: str, value: pb.MxValue) -> pb.MxStatusProxy:
    """Writes to a tag on a session of its own; the status of its OnWriteComplete."""
    events, item, _ = await client.watching(address)
    await client.done("write", server_handle=1, item_handle=item, value=value)
    await clock.advance(0.1)
    completed = await events.write_complete()
    assert completed.item_handle == item
    (status,) = completed.statuses
    events.call.cancel()
    return status


async def test_an_ok_reply_is_acceptance_and_the_outcome_comes_later(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    await client.write(1, item, int32_value=7)
    await clock.advance(0.09)
    assert gateway.read("TestChildObject.TestInt").value == 0
    assert not gateway.writes
    await clock.advance(0.01)
    completed, changed = await events.take(2)
    assert completed.family == pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE
    assert completed.WhichOneof("body") == "on_write_complete"
    assert (completed.server_handle, completed.item_handle) == (1, item)
    assert [status.category for status in completed.statuses] == [OK]
    assert changed.WhichOneof("body") == "on_data_change"
    assert changed.value.int32_value == 7
    (record,) = gateway.writes
    assert (record.tag, record.value) == ("TestChildObject.TestInt", 7)
    assert record.time == datetime(2026, 1, 5, 6, 0, 0, 100000, tzinfo=UTC)


async def test_a_written_value_that_is_there_already_completes_without_a_change(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    await client.write(1, item, int32_value=0)
    await clock.advance(0.1)
    await client.write(1, item, int32_value=1)
    await clock.advance(0.1)
    kinds = [event.WhichOneof("body") for event in await events.take(3)]
    assert kinds == ["on_write_complete", "on_write_complete", "on_data_change"]


async def test_a_write_before_advise_is_refused(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    await client.open()
    server = await client.register()
    item = await client.add(server, "TestChildObject.TestInt")
    for kind in ("write", "write2"):
        reply = await client.invoke(kind, server_handle=server, item_handle=item, value=pb.MxValue(int32_value=1))
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
        assert reply.hresult == E_INVALIDARG
        assert reply.diagnostic_message == "Value does not fall within the expected range"
        assert len(reply.statuses) == 1
    await clock.advance(1)
    assert not gateway.writes


async def test_an_item_advised_once_can_be_written_without_advise(client: Wire, gateway: SimulatedGateway) -> None:
    _, item, _ = await client.watching("TestChildObject.TestInt")
    await client.done("un_advise", server_handle=1, item_handle=item)
    await client.write(1, item, int32_value=1)


INT, FLOAT, DOUBLE = "TestInt", "TestFloat", "TestDouble"
BOOL, STRING, TIME, ELAPSED = "TestBool", "TestString", "TestTime", "TestElapsed"
NOON = Timestamp(seconds=1_767_873_600)

TAKEN: list[tuple[str, dict[str, Any], object]] = [
    (INT, {"int32_value": -5}, -5),
    (INT, {"int64_value": 2**31 - 1}, 2**31 - 1),
    (INT, {"string_value": " 60 "}, 60),
    (INT, {"double_value": 2.5}, 2),
    (INT, {"double_value": 3.5}, 4),
    (INT, {"double_value": -0.7}, -1),
    (INT, {"bool_value": True}, 1),
    (FLOAT, {"string_value": "60"}, 60.0),
    (FLOAT, {"int32_value": 3}, 3.0),
    (FLOAT, {"double_value": 0.1}, 0.10000000149011612),
    (DOUBLE, {"float_value": 0.5}, 0.5),
    (DOUBLE, {"int32_value": 7}, 7.0),
    (DOUBLE, {"string_value": "1e3"}, 1000.0),
    (BOOL, {"string_value": "TRUE"}, True),
    (BOOL, {"int32_value": 2}, True),
    (STRING, {"int32_value": 12}, "12"),
    (STRING, {"bool_value": True}, "true"),
    (STRING, {"double_value": 0.1}, "0.1"),
    (STRING, {"string_value": "\x1b[31mred"}, "\x1b[31mred"),
    (TIME, {"timestamp_value": NOON}, datetime(2026, 1, 8, 12, tzinfo=UTC)),
    (TIME, {"string_value": "2026-01-08T13:00:00+01:00"}, datetime(2026, 1, 8, 12, tzinfo=UTC)),
    (ELAPSED, {"double_value": 90.5}, 90.5),
    (ELAPSED, {"string_value": "01:00:30"}, 3630.0),
]


@pytest.mark.parametrize(("attribute", "value", "held"), TAKEN)
async def test_a_value_becomes_the_tags_type(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, attribute: str, value: dict[str, Any], held: object
) -> None:
    status = await written(client, clock, f"TestChildObject.{attribute}", pb.MxValue(**value))
    assert status.category == OK
    got = gateway.read(f"TestChildObject.{attribute}").value
    assert (type(got), got) == (type(held), held)


REFUSED: list[tuple[str, dict[str, Any], int]] = [
    (INT, {"string_value": "abc"}, 30),
    (INT, {"string_value": "1_000"}, 30),
    (INT, {"string_value": ""}, 30),
    (INT, {"int64_value": 2**31}, 29),
    (INT, {"double_value": 3e9}, 29),
    (INT, {"timestamp_value": NOON}, 30),
    (INT, {"raw_value": b"\x01"}, 30),
    (INT, {"is_null": True}, 30),
    (INT, {}, 30),
    (INT, {"array_value": pb.MxArray(int32_values=pb.Int32Array(values=[1]))}, 30),
    (FLOAT, {"double_value": 1e39}, 29),
    (DOUBLE, {"double_value": float("nan")}, 30),
    (DOUBLE, {"string_value": "inf"}, 30),
    (BOOL, {"string_value": "maybe"}, 30),
    (TIME, {"string_value": "yesterday"}, 30),
    (TIME, {"int32_value": 5}, 30),
    (TIME, {"timestamp_value": Timestamp(seconds=10**15)}, 30),
    (ELAPSED, {"string_value": "soon"}, 30),
    ("TestIntArray", {"int32_value": 5}, 30),
    ("TestIntArray[2]", {"string_value": "x"}, 30),
]


@pytest.mark.parametrize(("attribute", "value", "detail"), REFUSED)
async def test_a_value_that_cannot_become_the_tags_type_is_accepted_and_then_refused(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, attribute: str, value: dict[str, Any], detail: int
) -> None:
    before = gateway.read(f"TestChildObject.{attribute.partition('[')[0]}")
    status = await written(client, clock, f"TestChildObject.{attribute}", pb.MxValue(**value))
    assert (status.category, status.detail) == (OPERATIONAL_ERROR, detail)
    assert status.detected_by == pb.MX_STATUS_SOURCE_RESPONDING_AUTOMATION_OBJECT
    assert gateway.read(f"TestChildObject.{attribute.partition('[')[0]}") == before
    assert not gateway.writes


@pytest.mark.parametrize(
    ("tag", "detail"),
    [
        ("Plant.Tank1.Level", 33),
        ("Plant.Tank1.Tagname", 33),
        ("Plant.Interlock.Bypass", 56),
        ("Plant.Interlock.Reset", 57),
    ],
)
async def test_what_a_plain_write_may_not_touch_is_a_security_error(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, tag: str, detail: int
) -> None:
    status = await written(client, clock, tag, pb.MxValue(string_value="1"))
    assert (status.category, status.detail) == (SECURITY_ERROR, detail)
    assert not gateway.writes


@pytest.mark.parametrize(
    "address", ["Nobody.Nothing", "TestChildObject.TestIntArray[0]", "TestChildObject.TestIntArray[11]"]
)
async def test_a_write_to_nowhere_is_a_configuration_error(client: Wire, clock: ManualClock, address: str) -> None:
    status = await written(client, clock, address, pb.MxValue(int32_value=1))
    assert status.category == CONFIGURATION_ERROR


async def test_an_array_is_replaced_whole_and_takes_the_written_length(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    array = pb.MxValue(array_value=pb.MxArray(string_values=pb.StringArray(values=["7", "8"])))
    assert (await written(client, clock, "TestChildObject.TestIntArray", array)).category == OK
    assert gateway.read("TestChildObject.TestIntArray").value == (7, 8)


async def test_a_sparse_write_loses_what_it_does_not_name(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    sparse = pb.MxSparseArray(element_data_type=pb.MX_DATA_TYPE_INTEGER, total_length=4)
    sparse.elements.add(index=1, value=pb.MxValue(int32_value=5))
    status = await written(client, clock, "TestChildObject.TestIntArray[]", pb.MxValue(sparse_array_value=sparse))
    assert status.category == OK
    assert gateway.read("TestChildObject.TestIntArray").value == (0, 5, 0, 0)
    sparse.elements.add(index=4, value=pb.MxValue(int32_value=5))
    status = await written(client, clock, "TestChildObject.TestIntArray[]", pb.MxValue(sparse_array_value=sparse))
    assert status.category == OPERATIONAL_ERROR


async def test_one_element_is_written_by_its_address(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    status = await written(client, clock, "TestChildObject.TestIntArray[10]", pb.MxValue(int32_value=0))
    assert status.category == OK
    assert gateway.read("TestChildObject.TestIntArray").value == (*range(1, 10), 0)


async def test_write2_brings_its_own_time(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    fields = {"server_handle": 1, "item_handle": item, "value": pb.MxValue(int32_value=7)}
    await client.done("write2", **fields, timestamp_value=pb.MxValue(timestamp_value=NOON))
    await clock.advance(0.1)
    changed = (await events.take(2))[1]
    assert changed.source_timestamp == NOON
    reply = await client.invoke("write2", **fields, timestamp_value=pb.MxValue(string_value="noon"))
    assert reply.hresult == E_INVALIDARG


async def test_a_user_is_recorded_under_supervisory_advise_only(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    _, item, _ = await client.watching("TestChildObject.TestInt")
    fields = {"server_handle": 1, "item_handle": item, "user_id": 17}
    await client.done("write", **fields, value=pb.MxValue(int32_value=1))
    await client.done("advise_supervisory", server_handle=1, item_handle=item)
    await client.done("write", **fields, value=pb.MxValue(int32_value=2))
    await clock.advance(0.1)
    assert [(record.value, record.user_id) for record in gateway.writes] == [(1, 0), (2, 17)]


async def test_success_does_not_tell_a_good_status_from_a_bad_one(client: Wire, clock: ManualClock) -> None:
    await client.open()
    server = await client.register()
    tags = ["TestChildObject.TestInt", "TestChildObject.TestBool", "Nobody.Nothing"]
    await client.done("subscribe_bulk", server_handle=server, tag_addresses=tags)
    seen = [(event.statuses[0].category == OK, event.statuses[0].success) for event in await client.stream().take(3)]
    assert seen == [(True, 0), (True, -1), (False, 0)]


async def test_writes_of_one_item_take_effect_in_their_order(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    _, item, _ = await client.watching("TestChildObject.TestInt")
    for value in range(1, 20):
        await client.write(1, item, int32_value=value)
    await clock.advance(0.1)
    assert [record.value for record in gateway.writes] == list(range(1, 20))


async def test_a_write_to_an_item_removed_since_takes_effect_without_an_event(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    _, item, _ = await client.watching("TestChildObject.TestInt")
    await client.write(1, item, int32_value=3)
    await client.done("remove_item", server_handle=1, item_handle=item)
    before = gateway.sessions[client.session_id].last_sequence
    await clock.advance(0.1)
    assert gateway.read("TestChildObject.TestInt").value == 3
    assert gateway.sessions[client.session_id].last_sequence == before


def test_a_duration_is_seconds() -> None:
    gateway = SimulatedGateway(plaintext=True)
    gateway.set("TestChildObject.TestElapsed", timedelta(minutes=2))
    assert gateway.read("TestChildObject.TestElapsed").value == 120.0


FILLED: list[tuple[NativeType, dict[str, Any], object, object]] = [
    (NativeType.BOOLEAN, {"bool_value": True}, True, False),
    (NativeType.INTEGER, {"int32_value": 7}, 7, 0),
    (NativeType.FLOAT, {"float_value": 0.5}, 0.5, 0.0),
    (NativeType.DOUBLE, {"double_value": 0.1}, 0.1, 0.0),
    (NativeType.STRING, {"string_value": "x"}, "x", ""),
    (
        NativeType.TIME,
        {"timestamp_value": NOON},
        datetime(2026, 1, 8, 12, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
    ),
]


@pytest.mark.parametrize(("tag_type", "value", "held", "filling"), FILLED)
async def test_a_sparse_write_is_filled_up_with_the_types_default(
    clock: ManualClock, tag_type: NativeType, value: dict[str, Any], held: object, filling: object
) -> None:
    tags = [TagDefinition("A.B", tag_type, is_array=True)]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway, wire(gateway) as client:
        data_type = pb.MxDataType.Name(tag_type + 2)
        sparse = pb.MxSparseArray(element_data_type=data_type, total_length=3)
        sparse.elements.add(index=2, value=pb.MxValue(**value))
        assert (await written(client, clock, "A.B[]", pb.MxValue(sparse_array_value=sparse))).category == OK
        assert gateway.read("A.B").value == (filling, filling, held)


@pytest.mark.parametrize("address", ["TestInt", "TestIntArray[2]"])
async def test_a_sparse_write_to_what_is_no_array_is_refused(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, address: str
) -> None:
    sparse = pb.MxSparseArray(element_data_type=pb.MX_DATA_TYPE_INTEGER, total_length=1)
    sparse.elements.add(index=0, value=pb.MxValue(int32_value=5))
    status = await written(client, clock, f"TestChildObject.{address}", pb.MxValue(sparse_array_value=sparse))
    assert (status.category, status.detail) == (OPERATIONAL_ERROR, 30)
    assert not gateway.writes
