"""Timed, secured, bulk and sparse writes, users, bulk reads: what is sent, what comes back, what is refused here."""

import traceback
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from zb_mom_ww_mxgateway import (
    Array,
    DataType,
    GatewayClient,
    LiveSession,
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayError,
    Session,
    Typed,
    Write2Entry,
    WriteEntry,
    WriteSecured2Entry,
    WriteSecuredEntry,
    from_mx_value,
    to_mx_value,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import SimulatedGateway

NOON = datetime(2026, 10, 2, 12, 0, tzinfo=UTC)
INT = "TestChildObject.TestInt"
FLOAT = "TestChildObject.TestFloat"


def value(number: int) -> pb.MxValue:
    return pb.MxValue(data_type=pb.MX_DATA_TYPE_INTEGER, variant_type="VT_I4", int32_value=number)


def noon() -> pb.MxValue:
    time = pb.MxValue(data_type=pb.MX_DATA_TYPE_TIME, variant_type="VT_DATE")
    time.timestamp_value.seconds = int(NOON.timestamp())
    return time


def last_command(gateway: SimulatedGateway) -> pb.MxCommand:
    return next(call.request.command for call in reversed(gateway.calls) if call.rpc == "Invoke")


Call = Callable[[Session], Awaitable[Any]]

REQUESTS: list[tuple[Call, str, Any]] = [
    (
        lambda s: s.write2(1, 2, 5, NOON, user_id=7),
        "write2",
        pb.Write2Command(server_handle=1, item_handle=2, value=value(5), timestamp_value=noon(), user_id=7),
    ),
    (
        lambda s: s.write_secured(1, 2, 5, 8, 9),
        "write_secured",
        pb.WriteSecuredCommand(server_handle=1, item_handle=2, value=value(5), current_user_id=8, verifier_user_id=9),
    ),
    (
        lambda s: s.write_secured2(1, 2, 5, NOON, 8, 9),
        "write_secured2",
        pb.WriteSecured2Command(
            server_handle=1,
            item_handle=2,
            value=value(5),
            timestamp_value=noon(),
            current_user_id=8,
            verifier_user_id=9,
        ),
    ),
    (
        lambda s: s.write_bulk(1, [WriteEntry(2, 5), WriteEntry(3, 6, 7)]),
        "write_bulk",
        pb.WriteBulkCommand(
            server_handle=1,
            entries=[
                pb.WriteBulkEntry(item_handle=2, value=value(5)),
                pb.WriteBulkEntry(item_handle=3, value=value(6), user_id=7),
            ],
        ),
    ),
    (
        lambda s: s.write2_bulk(1, [Write2Entry(2, 5, NOON, 7)]),
        "write2_bulk",
        pb.Write2BulkCommand(
            server_handle=1,
            entries=[pb.Write2BulkEntry(item_handle=2, value=value(5), timestamp_value=noon(), user_id=7)],
        ),
    ),
    (
        lambda s: s.write_secured_bulk(1, [WriteSecuredEntry(2, 5, 8, 9)]),
        "write_secured_bulk",
        pb.WriteSecuredBulkCommand(
            server_handle=1,
            entries=[pb.WriteSecuredBulkEntry(item_handle=2, value=value(5), current_user_id=8, verifier_user_id=9)],
        ),
    ),
    (
        lambda s: s.write_secured2_bulk(1, [WriteSecured2Entry(2, 5, NOON, 8)]),
        "write_secured2_bulk",
        pb.WriteSecured2BulkCommand(
            server_handle=1,
            entries=[
                pb.WriteSecured2BulkEntry(item_handle=2, value=value(5), timestamp_value=noon(), current_user_id=8)
            ],
        ),
    ),
    (
        lambda s: s.write_array_elements(1, 2, 10, {3: 5, 0: 6}, user_id=7),
        "write",
        pb.WriteCommand(
            server_handle=1,
            item_handle=2,
            user_id=7,
            value=pb.MxValue(
                data_type=pb.MX_DATA_TYPE_INTEGER,
                sparse_array_value=pb.MxSparseArray(
                    element_data_type=pb.MX_DATA_TYPE_INTEGER,
                    total_length=10,
                    elements=[
                        pb.MxSparseElement(index=0, value=value(6)),
                        pb.MxSparseElement(index=3, value=value(5)),
                    ],
                ),
            ),
        ),
    ),
    (
        lambda s: s.read_bulk(1, ["A.B", "C.D"], timeout_ms=250),
        "read_bulk",
        pb.ReadBulkCommand(server_handle=1, tag_addresses=["A.B", "C.D"], timeout_ms=250),
    ),
    (
        lambda s: s.authenticate_user(1, "operator", "pass word"),
        "authenticate_user",
        # The password itself is checked where it is received: the gateway's record may leave it out.
        pb.AuthenticateUserCommand(server_handle=1, verify_user="operator"),
    ),
    (
        lambda s: s.archestra_user_to_id(1, "{0a}"),
        "archestra_user_to_id",
        pb.ArchestrAUserToIdCommand(server_handle=1, user_id_guid="{0a}"),
    ),
    (
        lambda s: s.add_buffered_item(1, "TestInt", "TestChildObject"),
        "add_buffered_item",
        pb.AddBufferedItemCommand(server_handle=1, item_definition="TestInt", item_context="TestChildObject"),
    ),
    (
        lambda s: s.set_buffered_update_interval(1, 500),
        "set_buffered_update_interval",
        pb.SetBufferedUpdateIntervalCommand(server_handle=1, update_interval_milliseconds=500),
    ),
    (lambda s: s.suspend(1, 2), "suspend", pb.SuspendCommand(server_handle=1, item_handle=2)),
    (lambda s: s.activate(1, 2), "activate", pb.ActivateCommand(server_handle=1, item_handle=2)),
    (lambda s: s.ping(), "ping", pb.PingCommand()),
    (lambda s: s.get_session_state(), "get_session_state", pb.GetSessionStateCommand()),
    (lambda s: s.get_worker_info(), "get_worker_info", pb.GetWorkerInfoCommand()),
    (lambda s: s.drain_events(9), "drain_events", pb.DrainEventsCommand(max_events=9)),
    (lambda s: s.shutdown_worker(), "shutdown_worker", pb.ShutdownWorkerCommand()),
]


@pytest.mark.parametrize(("call", "kind", "payload"), REQUESTS, ids=[f"{r[1]}-{i}" for i, r in enumerate(REQUESTS)])
async def test_what_the_gateway_receives(
    call: Call, kind: str, payload: Any, gateway: SimulatedGateway, session: Session
) -> None:
    await session.register("requests")
    with suppress(MxAccessError):
        await call(session)
    command = last_command(gateway)
    assert command.WhichOneof("payload") == kind
    assert command.kind == pb.MxCommandKind.Value(f"MX_COMMAND_KIND_{kind.upper()}")
    received = getattr(command, kind)
    if kind == "authenticate_user":
        received = pb.AuthenticateUserCommand.FromString(received.SerializeToString())
        received.ClearField("verify_user_password")
    assert received == payload


REFUSED: list[tuple[Call, str]] = [
    (lambda s: s.write2(1, 2, 5, datetime(2026, 1, 1)), "no time zone"),
    (lambda s: s.write2(1, 2, 5, 7), "timestamp must be a datetime"),  # type: ignore[arg-type]
    (lambda s: s.write2(1, 2, float("nan"), NOON), "value: nan"),
    (lambda s: s.write_secured(1, 2, 5, -1), "current_user_id"),
    (lambda s: s.write_secured(1, 2, 5, 1, True), "verifier_user_id"),
    (lambda s: s.write_bulk(1, []), "entries must have 1 to"),
    (lambda s: s.write_bulk(1, [WriteEntry(2, 5), WriteEntry(-2, 5)]), r"entries\[1\]: item_handle"),
    (lambda s: s.write_bulk(1, [WriteEntry(2, float("inf"))]), r"entries\[0\]: value: inf"),
    (lambda s: s.write_bulk(1, [(2,)]), r"entries\[0\]: "),  # type: ignore[list-item]
    (lambda s: s.write_bulk(1, [WriteEntry(2, 5)] * 10_001), "entries must have 1 to 10000"),
    (lambda s: s.write_array_elements(1, 2, 0, {0: 1}), "total_length"),
    (lambda s: s.write_array_elements(1, 2, 3, {}), "elements must be a mapping"),
    (lambda s: s.write_array_elements(1, 2, 3, {3: 1}), "index of elements"),
    (lambda s: s.write_array_elements(1, 2, 3, {0: 1, 1: "a"}), "one type for all"),
    (lambda s: s.write_array_elements(1, 2, 3, {0: [1]}), r"elements\[0\]: a single value"),  # type: ignore[dict-item]
    (lambda s: s.read_bulk(1, []), "tag_addresses must have"),
    (lambda s: s.read_bulk(1, ["A.B", ""]), r"tag_addresses\[1\]"),
    (lambda s: s.read_bulk(1, ["A.B"], -1), "timeout_ms"),
    (lambda s: s.authenticate_user(1, "", "x"), "user must be text"),
    (lambda s: s.authenticate_user(1, "a", None), "password must be text"),  # type: ignore[arg-type]
    (lambda s: s.archestra_user_to_id(1, " "), "user_id_guid"),
    (lambda s: s.set_buffered_update_interval(1, 0), "milliseconds"),
    (lambda s: s.drain_events(-1), "max_events"),
    (lambda s: s.suspend(1, -1), "item_handle"),
]


@pytest.mark.parametrize(("call", "said"), REFUSED, ids=[f"{r[1]}-{i}" for i, r in enumerate(REFUSED)])
async def test_a_bad_argument_is_refused_before_anything_is_sent(
    call: Call, said: str, gateway: SimulatedGateway, session: Session
) -> None:
    before = len(gateway.calls)
    with pytest.raises(MxGatewayArgumentError, match=said):
        await call(session)
    assert len(gateway.calls) == before


async def test_bulk_writes_answer_an_entry_at_its_index(gateway: SimulatedGateway, live: LiveSession) -> None:
    server = await live.session.register("bulk")
    items = await live.subscribe_tags([INT, FLOAT], server)
    for item in items:
        await live.first_value(item)
    handles = [item.item_handle for item in items]
    results = await live.session.write_bulk(
        server, [WriteEntry(handles[0], 5), WriteEntry(99, 6), WriteEntry(handles[1], Typed("float", 1.5))]
    )
    assert [result.was_successful for result in results] == [True, False, True]
    assert [result.item_handle for result in results] == [handles[0], 99, handles[1]]
    assert results[1].error_message
    timed = await live.session.write2_bulk(server, [Write2Entry(handles[0], 6, NOON)])
    assert timed[0].was_successful
    while live[INT].value != 6:
        await live.changed()
    assert live[INT].source_timestamp == NOON
    assert [write.value for write in gateway.writes if write.tag == INT] == [5, 6]


async def test_reads_answer_from_an_advised_item_and_otherwise_by_a_visit(live: LiveSession) -> None:
    server = await live.session.register("reads")
    (item,) = await live.subscribe_tags([INT], server)
    await live.first_value(item)
    cached, visited, bogus = await live.session.read_bulk(server, [INT, FLOAT, "No.Such"])
    assert (cached.was_cached, cached.value, cached.quality_word) == (True, 0, "good")
    assert (visited.was_cached, visited.value, visited.quality_word) == (False, 0.0, "good")
    assert cached.source_timestamp is not None
    assert bogus.quality_word == "bad"
    assert any(status.failed for status in bogus.statuses)


@pytest.mark.parametrize(
    ("sent", "data_type"),
    [
        ([True, False], DataType.BOOLEAN),
        ([1, 2, 3], DataType.INTEGER),
        ([2**40], DataType.INTEGER),
        (Typed("float", [1.5]), DataType.FLOAT),
        ([1.5, 2.5], DataType.DOUBLE),
        (["a", ""], DataType.STRING),
        ([NOON], DataType.TIME),
        ([b"\x00\xff"], DataType.UNKNOWN),
    ],
)
async def test_arrays_of_every_type_are_sent_and_come_back(
    sent: Any, data_type: DataType, gateway: SimulatedGateway, session: Session
) -> None:
    with suppress(MxAccessError):
        await session.write(1, 1, sent)
    array = last_command(gateway).write.value
    back = from_mx_value(array)
    assert isinstance(back, Array)
    assert back == list(sent.value if isinstance(sent, Typed) else sent)
    assert back.dimensions == (len(back),)
    assert back.element_type == data_type


@pytest.mark.parametrize(
    "array",
    [
        Array([1, 2, 3, 4, 5, 6], (2, 3), DataType.INTEGER),
        Array([2**40, 1], (2,), DataType.INTEGER),
        Array([1.5], (1,), DataType.FLOAT),
        Array([], (0,), DataType.STRING),
    ],
)
def test_an_array_that_was_read_is_written_back_as_it_was(array: Array) -> None:
    back = from_mx_value(to_mx_value(array))
    assert isinstance(back, Array)
    assert (back, back.dimensions, back.element_type) == (array, array.dimensions, array.element_type)


def test_dimensions_that_do_not_make_the_elements_are_refused() -> None:
    with pytest.raises(MxGatewayArgumentError, match="do not make 5 elements"):
        to_mx_value(Array([1, 2, 3, 4, 5], (2, 3), DataType.INTEGER))


async def test_control_calls(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with await client.open_session() as session:
        assert (await session.get_session_state()).name == "READY"  # type: ignore[union-attr]
        info = await session.get_worker_info()
        assert info.worker_process_id == session.info.worker_process_id
        assert info.started_at is not None
        server = await session.register("drain")
        await session.advise(server, await session.add_item(server, INT))
        (event,) = await session.drain_events()
        assert (event.value, event.quality_word) == (0, "good")
        assert await session.drain_events() == []


async def test_an_error_never_contains_a_password(gateway: SimulatedGateway, session: Session) -> None:
    await session.register("users")
    secret = "open sesame!"
    gateway.faults.fail_next(
        "authenticate_user", protocol_status=pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST, details=f"bad password {secret}"
    )
    with pytest.raises(MxGatewayCommandError) as caught:
        await session.authenticate_user(1, "operator", secret)
    assert "bad password ***" in str(caught.value)
    assert secret not in str(caught.value)
    assert secret not in repr(caught.value)
    gateway.faults.fail_next("authenticate_user", code=grpc.StatusCode.INTERNAL, details=f"bad password {secret}")
    with pytest.raises(MxGatewayError) as broken:
        await session.authenticate_user(1, "operator", secret)
    assert "bad password ***" in str(broken.value)
    assert secret not in "".join(traceback.format_exception(broken.value))
    with pytest.raises(MxGatewayArgumentError) as refused:
        await session.authenticate_user(-1, "operator", secret)
    assert secret not in str(refused.value)
