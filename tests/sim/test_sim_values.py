"""Values on the wire: each type's own arm and variant name."""

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from sim_wire import Wire, failing

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import CoercionError, ManualClock, NativeType, SimulatedGateway, TagDefinition
from zb_mom_ww_mxgateway_sim.plant.tag_types import Value
from zb_mom_ww_mxgateway_sim.wire.codec import encode_value

AT = datetime(2026, 1, 8, 12, 0, 0, 123456, tzinfo=UTC)
WIRE = [
    ("TestBool", True, "bool_value", True, "VT_BOOL", pb.MX_DATA_TYPE_BOOLEAN),
    ("TestInt", -2, "int32_value", -2, "VT_I4", pb.MX_DATA_TYPE_INTEGER),
    ("TestFloat", 0.5, "float_value", 0.5, "VT_R4", pb.MX_DATA_TYPE_FLOAT),
    ("TestDouble", 0.1, "double_value", 0.1, "VT_R8", pb.MX_DATA_TYPE_DOUBLE),
    ("TestString", "ä\x1b", "string_value", "ä\x1b", "VT_BSTR", pb.MX_DATA_TYPE_STRING),
    (
        "TestTime",
        AT,
        "timestamp_value",
        Timestamp(seconds=1767873600, nanos=123456000),
        "VT_DATE",
        pb.MX_DATA_TYPE_TIME,
    ),
    ("TestElapsed", 1.5, "double_value", 1.5, "VT_R8", pb.MX_DATA_TYPE_ELAPSED_TIME),
]


@pytest.mark.parametrize(("attribute", "value", "arm", "sent", "variant", "data_type"), WIRE)
async def test_each_type_has_its_arm_and_variant(
    client: Wire,
    gateway: SimulatedGateway,
    attribute: str,
    value: Any,
    arm: str,
    sent: object,
    variant: str,
    data_type: int,
) -> None:
    gateway.set(f"TestChildObject.{attribute}", value)
    _, _, first = await client.watching(f"TestChildObject.{attribute}")
    assert first.value.WhichOneof("kind") == arm
    assert getattr(first.value, arm) == sent
    assert (first.value.variant_type, first.value.data_type) == (variant, data_type)
    assert not first.value.is_null


@pytest.mark.parametrize(
    ("tag_type", "value", "arm"),
    [
        (NativeType.BOOLEAN, (True, False), "bool_values"),
        (NativeType.INTEGER, (1, -1), "int32_values"),
        (NativeType.FLOAT, (0.5,), "float_values"),
        (NativeType.DOUBLE, (), "double_values"),
        (NativeType.STRING, ("a", ""), "string_values"),
        (NativeType.ELAPSED_TIME, (1.5,), "double_values"),
    ],
)
def test_arrays_of_each_type(tag_type: NativeType, value: Value, arm: str) -> None:
    message = pb.MxValue()
    encode_value(message, value, tag_type, True)
    array = message.array_value
    assert array.WhichOneof("values") == arm
    assert tuple(getattr(array, arm).values) == value
    assert list(array.dimensions) == [len(value or ())]
    assert message.variant_type == f"VT_ARRAY|{array.variant_type}"


def test_an_array_of_times() -> None:
    message = pb.MxValue()
    encode_value(message, (AT, AT + timedelta(seconds=1)), NativeType.TIME, True)
    times = message.array_value.timestamp_values.values
    assert [time.seconds for time in times] == [1767873600, 1767873601]


def test_a_tag_is_set_by_its_type() -> None:
    gateway = SimulatedGateway(plaintext=True, tags=[TagDefinition("A.B", NativeType.INTEGER, 3)])
    gateway.set("a.b", "4")
    assert gateway.read("A.B").value == 4
    with pytest.raises(CoercionError, match="'x' is not a number"):
        gateway.set("A.B", "x")
    with pytest.raises(KeyError):
        gateway.set("A.C", 1)
    with pytest.raises(KeyError):
        gateway.read("A.C")


def test_a_set_tag_keeps_the_time_it_was_given() -> None:
    gateway = SimulatedGateway(plaintext=True)
    gateway.set("TestChildObject.TestInt", 4, timestamp=AT)
    assert gateway.read("TestChildObject.TestInt").timestamp == AT


async def test_messages_of_almost_16_mib_travel_both_ways(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    long = "x" * (16 * 1024 * 1024 - 1000)
    events, item, _ = await client.watching("TestChildObject.TestString")
    await client.write(1, item, string_value=long)
    await clock.advance(0.1)
    await events.write_complete()
    assert (await events.next()).value.string_value == long
    fields = {"server_handle": 1, "item_handle": item, "value": pb.MxValue(string_value=long + "x" * 1000)}
    assert (await failing(client.invoke("write", **fields)))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(gateway.writes) == 1


UNUSUAL = {
    "a byte": pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, variant_type="VT_UI1", int32_value=200),
    "what was not converted": pb.MxValue(
        data_type=pb.MX_DATA_TYPE_UNKNOWN,
        variant_type="VT_DISPATCH",
        raw_diagnostic="no projection of VT_DISPATCH",
        raw_data_type=77,
        raw_value=b"\x01\x02",
    ),
    "two dimensions": pb.MxValue(
        data_type=pb.MX_DATA_TYPE_INTEGER,
        variant_type="VT_ARRAY|VT_I8",
        array_value=pb.MxArray(
            element_data_type=pb.MX_DATA_TYPE_INTEGER,
            dimensions=[2, 2],
            int64_values=pb.Int64Array(values=[1, 2, 3, 2**40]),
        ),
    ),
}


@pytest.mark.parametrize("name", UNUSUAL)
async def test_a_value_that_no_tag_has_can_be_sent_as_it_is(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, name: str
) -> None:
    tag = "TestChildObject.TestInt"
    events, item, _ = await client.watching(tag)
    gateway.set_message(tag, UNUSUAL[name], quality=64)
    event = await events.next()
    assert (event.value, event.quality) == (UNUSUAL[name], 64)
    (read,) = (await client.done("read_bulk", server_handle=1, tag_addresses=[tag])).read_bulk.results
    assert read.value == UNUSUAL[name]
    await client.write(1, item, int32_value=5)
    await clock.advance(0.1)
    await events.write_complete()
    assert (await events.next()).value.int32_value == 5
