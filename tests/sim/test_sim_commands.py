"""Invoke: kinds, payloads, echoes, handles, and the queue of the worker."""

import asyncio

import grpc
import pytest
from sim_wire import E_INVALIDARG, Wire, becomes, failing, wire

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway


async def test_a_reply_echoes_session_correlation_and_kind(client: Wire) -> None:
    await client.open()
    reply = await client.done("register", client_name="me")
    assert reply.session_id == client.session_id
    assert reply.correlation_id == "c-1"
    assert reply.kind == pb.MX_COMMAND_KIND_REGISTER
    assert reply.HasField("hresult")
    assert reply.hresult == 0
    assert reply.WhichOneof("payload") == "register"


@pytest.mark.parametrize("kind", [0, 35, 99, 105, 12345])
async def test_an_unknown_kind_is_an_invalid_argument(client: Wire, kind: int) -> None:
    await client.open()
    request = pb.MxCommandRequest(session_id=client.session_id)
    request.command.ping.SetInParent()
    # A number that the enum has no name for travels all the same.
    request.command.MergeFromString(b"\x08" + _varint(kind))
    code, text = await failing(client.stub.Invoke(request, metadata=client.metadata))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert str(kind) in text


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


@pytest.mark.parametrize("payload", ["advise", None])
async def test_a_kind_with_another_payload_or_none_is_an_invalid_argument(client: Wire, payload: str | None) -> None:
    await client.open()
    request = pb.MxCommandRequest(session_id=client.session_id)
    request.command.kind = pb.MX_COMMAND_KIND_REGISTER
    if payload:
        getattr(request.command, payload).SetInParent()
    code, text = await failing(client.stub.Invoke(request, metadata=client.metadata))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "register" in text


def test_every_kind_is_simulated(gateway: SimulatedGateway) -> None:
    from zb_mom_ww_mxgateway_sim.rpc.alarm_commands import handlers
    from zb_mom_ww_mxgateway_sim.rpc.invoke import HANDLERS

    kinds = set(pb.MxCommandKind.values()) - {pb.MX_COMMAND_KIND_UNSPECIFIED}
    assert set(HANDLERS) | set(handlers(gateway._alarm_service)) == kinds


async def test_server_handles_begin_at_1_and_are_not_used_twice(client: Wire) -> None:
    await client.open()
    first = await client.register()
    await client.done("unregister", server_handle=first)
    assert (first, await client.register()) == (1, 2)


async def test_item_handles_belong_to_their_server_and_are_not_used_twice(client: Wire) -> None:
    await client.open()
    one, two = await client.register(), await client.register()
    item = await client.add(one, "TestChildObject.TestInt")
    assert await client.add(two, "TestChildObject.TestInt") == item
    await client.done("remove_item", server_handle=one, item_handle=item)
    assert await client.add(one, "TestChildObject.TestInt") > item


async def test_unregistering_drops_the_items(client: Wire, gateway: SimulatedGateway) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    await client.done("unregister", server_handle=1)
    server = await client.register()
    await refused(client, "advise", server_handle=1, item_handle=item)
    await refused(client, "advise", server_handle=server, item_handle=item)
    gateway.set("TestChildObject.TestInt", 99)
    other = await client.add(server, "TestChildObject.TestBool")
    await client.advise(server, other)
    assert (await events.next()).server_handle == server


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("unregister", {"server_handle": 9}),
        ("add_item", {"server_handle": 9, "item_definition": "A.B"}),
        ("add_item2", {"server_handle": 9, "item_definition": "A.B"}),
        ("remove_item", {"server_handle": 1, "item_handle": 9}),
        ("advise", {"server_handle": 9, "item_handle": 1}),
        ("advise", {"server_handle": 1, "item_handle": 9}),
        ("advise_supervisory", {"server_handle": 1, "item_handle": 9}),
        ("un_advise", {"server_handle": 1, "item_handle": 9}),
        ("write", {"server_handle": 1, "item_handle": 9}),
        ("write2", {"server_handle": 1, "item_handle": 9}),
    ],
)
async def test_an_unknown_handle_is_refused_by_mxaccess(client: Wire, kind: str, fields: dict[str, object]) -> None:
    await client.open()
    await client.register()
    reply = await refused(client, kind, **fields)
    assert reply.diagnostic_message
    (status,) = reply.statuses
    assert status.category == pb.MX_STATUS_CATEGORY_CONFIGURATION_ERROR
    assert reply.WhichOneof("payload") is None


async def refused(client: Wire, kind: str, **fields: object) -> pb.MxCommandReply:
    reply = await client.invoke(kind, **fields)
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    assert reply.hresult == E_INVALIDARG
    return reply


async def test_commands_of_a_session_run_one_after_the_other(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    gateway.faults.delay("register", 5)
    slow = client.calling("register", client_name="slow")
    await becomes(lambda: len(gateway.calls) == 2)
    quick = client.calling("ping")
    await becomes(lambda: len(gateway.calls) == 3)
    await clock.advance(4.9)
    assert not slow.done()
    assert not quick.done()
    await clock.advance(0.2)
    assert (await slow).register.server_handle == 1
    await quick


async def test_a_command_that_takes_too_long_is_given_up_but_runs(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    gateway.faults.delay("register", 40)
    call = client.calling("register", client_name="slow")
    await becomes(lambda: len(gateway.calls) == 2)
    await clock.advance(30.1)
    code, text = await failing(call)
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "30 s" in text
    await clock.advance(10)
    gateway.faults.delay("register", 0)
    assert await client.register() == 2


async def test_a_cancelled_command_runs_all_the_same(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    gateway.faults.delay("register", 1)
    call = client.calling("register", client_name="gone")
    await becomes(lambda: len(gateway.calls) == 2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await clock.advance(1)
    gateway.faults.delay("register", 0)
    assert await client.register() == 2


async def test_a_command_that_is_cancelled_in_the_queue_runs_all_the_same(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    gateway.faults.delay("ping", 1)
    first = client.calling("ping")
    await becomes(lambda: len(gateway.calls) == 2)
    queued = client.calling("register", client_name="gone")
    await becomes(lambda: len(gateway.calls) == 3)
    queued.cancel()
    with pytest.raises(asyncio.CancelledError):
        await queued
    # Answered behind the cancel, on the same connection.
    await client.galaxy.TestConnection(galaxy_pb.TestConnectionRequest(), metadata=client.metadata)
    await clock.advance(1)
    await first
    assert await client.register() == 2


async def test_more_than_128_pending_commands_fail_at_once(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    await client.open()
    gateway.faults.delay("ping", 1)
    # One runs, 128 wait.
    calls = [client.calling("ping") for _ in range(129)]
    await becomes(lambda: len(gateway.calls) == 130)
    code, text = await failing(client.invoke("ping"))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "128" in text
    gateway.faults.delay("ping", 0)
    await clock.advance(1)
    await asyncio.gather(*calls)


async def test_closing_answers_the_commands_that_wait(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    gateway.faults.delay("ping", 1)
    calls = [client.calling("ping") for _ in range(3)]
    await becomes(lambda: len(gateway.calls) == 4)
    await client.close()
    for call in calls:
        assert await failing(call) == (
            grpc.StatusCode.FAILED_PRECONDITION,
            "Session state is CLOSED; worker state is CLOSED",
        )


async def test_a_write_takes_effect_after_its_caller_got_a_time_out(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    gateway.faults.delay("write", 74)
    before = len(gateway.calls)
    call = client.calling("write", server_handle=1, item_handle=item, value=pb.MxValue(int32_value=7))
    await becomes(lambda: len(gateway.calls) > before)
    await clock.advance(30.1)
    assert (await failing(call))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    await clock.advance(43)
    assert not gateway.writes
    await clock.advance(2)
    assert (await events.write_complete()).item_handle == item
    assert [write.value for write in gateway.writes] == [7]
    assert gateway.sessions[client.session_id].state == "READY"


@pytest.mark.parametrize("limit", [75, 5])
async def test_a_command_that_never_ends_faults_its_session_and_has_no_effect(clock: ManualClock, limit: int) -> None:
    options = {} if limit == 75 else {"worker_command_limit": float(limit)}  # 75 s by default.
    async with SimulatedGateway(plaintext=True, clock=clock, **options) as gateway, wire(gateway) as client:
        events, item, _ = await client.watching("TestChildObject.TestInt")
        gateway.faults.stall("write")
        before = len(gateway.calls)
        call = client.calling("write", server_handle=1, item_handle=item, value=pb.MxValue(int32_value=7))
        await becomes(lambda: len(gateway.calls) > before)
        await clock.advance(limit - 0.1)
        assert gateway.sessions[client.session_id].state == "READY"
        await clock.advance(0.2)
        assert gateway.sessions[client.session_id].state == "FAULTED"
        assert (await events.end())[0] is grpc.StatusCode.FAILED_PRECONDITION
        await failing(call)
        gateway.faults.release()
        await clock.advance(1)
        assert not gateway.writes


_KINDS = {name.removeprefix("MX_COMMAND_KIND_").lower(): number for name, number in pb.MxCommandKind.items() if number}
_CHANGING = sorted(name for name in _KINDS if name.startswith(("write", "acknowledge")))


@pytest.mark.parametrize("kind", _KINDS)
async def test_calls_that_change_the_plant_are_counted(client: Wire, gateway: SimulatedGateway, kind: str) -> None:
    await client.open()
    await client.invoke(kind)
    assert gateway.mutating_calls == (kind in _CHANGING)


async def test_a_refused_change_is_counted_too(client: Wire, gateway: SimulatedGateway) -> None:
    alarm = pb.AcknowledgeAlarmRequest(alarm_full_reference="ZB!Plant.Tank1.Level.Hi")
    await failing(client.stub.AcknowledgeAlarm(alarm, metadata=(("authorization", "Bearer wrong"),)))
    request = pb.MxCommandRequest(session_id=client.session_id)
    request.command.kind = pb.MX_COMMAND_KIND_PING
    request.command.write.SetInParent()
    await failing(client.stub.Invoke(request, metadata=client.metadata))
    assert gateway.mutating_calls == 2
