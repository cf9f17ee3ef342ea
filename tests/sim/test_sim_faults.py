"""Faults on purpose: each does what it says, once, and nothing else."""

from pathlib import Path

import grpc
import pytest
from sim_wire import Wire, becomes, failing, wire

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

TAG = "TestChildObject.TestInt"


async def test_a_lost_session_breaks_its_stream_and_is_unknown(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    gateway.faults.lose_session(client.session_id)
    assert (await events.end())[0] is grpc.StatusCode.UNAVAILABLE
    assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.NOT_FOUND
    await client.open()
    await client.done("ping")


async def test_a_restart_keeps_the_port_and_the_certificate_and_loses_the_sessions(tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path) as gateway, wire(gateway) as client:
        events, _, _ = await client.watching(TAG)
        before = (gateway.endpoint, gateway.fingerprint_sha256)
        gateway.faults.redeploy()
        await gateway.restart()
        assert (await events.end())[0] is grpc.StatusCode.UNAVAILABLE
        assert (gateway.endpoint, gateway.fingerprint_sha256) == before
        request = pb.CloseSessionRequest(session_id=client.session_id)
        call = client.stub.CloseSession(request, metadata=client.metadata, timeout=60, wait_for_ready=True)
        assert (await failing(call))[0] is grpc.StatusCode.NOT_FOUND
        assert (await client.open()).session_id
        watch = client.galaxy.WatchDeployEvents(galaxy.WatchDeployEventsRequest(), metadata=client.metadata)
        assert (await watch.read()).sequence == 1
        watch.cancel()


async def test_a_swapped_certificate_is_another_one_on_the_same_port(tmp_path: Path) -> None:
    async with SimulatedGateway(certificate_directory=tmp_path) as gateway:
        endpoint, before = gateway.endpoint, gateway.fingerprint_sha256
        async with wire(gateway) as client:
            await client.open()
            await gateway.swap_certificate()
            # The old certificate is this channel's only root.
            code, _ = await failing(client.invoke("ping"))
            assert code is grpc.StatusCode.UNAVAILABLE
        assert gateway.endpoint == endpoint
        assert gateway.fingerprint_sha256 != before
        async with wire(gateway) as again:
            again.session_id = client.session_id
            await again.done("ping")
        swapped = gateway.fingerprint_sha256
    async with SimulatedGateway(certificate_directory=tmp_path) as gateway:
        assert gateway.fingerprint_sha256 == swapped


async def test_plaintext_has_no_certificate_to_swap(gateway: SimulatedGateway) -> None:
    with pytest.raises(ValueError, match="plaintext"):
        await gateway.swap_certificate()


@pytest.mark.parametrize("name", ["ping", "PING", "MX_COMMAND_KIND_PING", pb.MX_COMMAND_KIND_PING, "Invoke"])
async def test_a_delay_lasts_until_it_is_taken_back(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, name: str | int
) -> None:
    await client.open()
    gateway.faults.delay(name, 2)
    for _ in range(2):
        before = len(gateway.calls)
        call = client.calling("ping")
        await becomes(lambda before=before: len(gateway.calls) > before)
        await clock.advance(1.9)
        assert not call.done()
        await clock.advance(0.2)
        await call
    gateway.faults.delay(name, 0)
    await client.done("ping")


async def test_an_rpc_can_be_delayed(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    gateway.faults.delay("TestConnection", 2)
    call = client.galaxy.TestConnection(galaxy.TestConnectionRequest(), metadata=client.metadata)
    await becomes(lambda: len(gateway.calls) == 1)
    await clock.advance(1.9)
    assert not call.done()
    await clock.advance(0.1)
    assert (await call).ok


async def test_a_call_made_to_fail_has_no_effect_and_the_next_one_has(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    gateway.faults.fail_next("register", code=grpc.StatusCode.UNAVAILABLE, details="worker is away")
    gateway.faults.fail_next("register", code=grpc.StatusCode.INTERNAL)
    assert await failing(client.invoke("register")) == (grpc.StatusCode.UNAVAILABLE, "worker is away")
    await client.done("ping")
    assert (await failing(client.invoke("register")))[0] is grpc.StatusCode.INTERNAL
    assert await client.register() == 1


@pytest.mark.parametrize("rpc", ["OpenSession", "StreamEvents", "DiscoverHierarchy"])
async def test_any_rpc_can_be_made_to_fail(client: Wire, gateway: SimulatedGateway, rpc: str) -> None:
    calls = {
        "OpenSession": lambda: client.open(),
        "StreamEvents": lambda: client.stream().call.read(),
        "DiscoverHierarchy": lambda: client.galaxy.DiscoverHierarchy(
            galaxy.DiscoverHierarchyRequest(), metadata=client.metadata
        ),
    }
    await client.open()
    gateway.faults.fail_next(rpc, code=grpc.StatusCode.ABORTED)
    assert (await failing(calls[rpc]()))[0] is grpc.StatusCode.ABORTED


@pytest.mark.parametrize("name", ["register", "Invoke"])
async def test_a_reply_can_carry_any_protocol_status(client: Wire, gateway: SimulatedGateway, name: str) -> None:
    await client.open()
    gateway.faults.fail_next(name, protocol_status=pb.PROTOCOL_STATUS_CODE_TIMEOUT, details="no answer")
    reply = await client.invoke("register")
    assert reply.protocol_status == pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_TIMEOUT, message="no answer")
    assert not reply.HasField("hresult")
    assert reply.WhichOneof("payload") is None
    gateway.faults.fail_next(name, protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE, hresult=-2147221504)
    assert (await client.invoke("register")).hresult == -2147221504
    assert await client.register() == 1


async def test_opening_and_closing_can_carry_a_protocol_status(client: Wire, gateway: SimulatedGateway) -> None:
    gateway.faults.fail_next("OpenSession", protocol_status=pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE)
    reply = await client.open()
    assert (reply.session_id, reply.protocol_status.code) == ("", pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE)
    await client.open()
    gateway.faults.fail_next("CloseSession", protocol_status=pb.PROTOCOL_STATUS_CODE_SESSION_NOT_FOUND)
    assert (await client.close()).protocol_status.code == pb.PROTOCOL_STATUS_CODE_SESSION_NOT_FOUND
    assert gateway.sessions[client.session_id].state == "READY"
    await client.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"code": grpc.StatusCode.INTERNAL, "protocol_status": pb.PROTOCOL_STATUS_CODE_TIMEOUT},
    ],
)
def test_a_failure_is_either_of_the_two(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="either code or protocol_status"):
        SimulatedGateway(plaintext=True).faults.fail_next("ping", **wrong)  # type: ignore[arg-type]  # that is what is tested


def test_a_name_that_is_no_rpc_or_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no rpc or command kind 'wriet'"):
        SimulatedGateway(plaintext=True).faults.delay("wriet", 1)


@pytest.mark.parametrize("name", ["write", "Invoke"])
async def test_a_write_whose_reply_is_lost_happens(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, name: str
) -> None:
    events, item, _ = await client.watching(TAG)
    gateway.faults.lose_next_reply(name)
    fields = {"server_handle": 1, "item_handle": item}
    code, _ = await failing(client.invoke("write", **fields, value=pb.MxValue(int32_value=5)))
    assert code is grpc.StatusCode.UNAVAILABLE
    await clock.advance(0.1)
    assert [record.value for record in gateway.writes] == [5]
    await events.write_complete()
    await client.done("write", **fields, value=pb.MxValue(int32_value=6))


async def test_completions_can_be_withheld_while_the_writes_take_effect(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item, _ = await client.watching(TAG)
    gateway.faults.hold_write_completes()
    for value in (1, 2):
        await client.write(1, item, int32_value=value)
    await clock.advance(60)
    assert [event.WhichOneof("body") for event in await events.take(2)] == ["on_data_change"] * 2
    gateway.faults.release_write_completes()
    assert [event.WhichOneof("body") for event in await events.take(2)] == ["on_write_complete"] * 2
    await client.write(1, item, int32_value=3)
    await clock.advance(0.1)
    await events.write_complete()


async def test_a_session_that_an_administrator_closes_ends_its_stream_and_is_unknown(
    client: Wire, gateway: SimulatedGateway
) -> None:
    events, _, _ = await client.watching(TAG)
    gateway.faults.close_session(client.session_id)
    assert (await events.end())[0] is grpc.StatusCode.OK
    assert gateway.sessions[client.session_id].state == "CLOSED"
    assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.NOT_FOUND
    await client.open()
    await client.done("ping")


async def test_a_session_whose_worker_an_administrator_kills_can_only_be_closed(
    client: Wire, gateway: SimulatedGateway
) -> None:
    events, _, _ = await client.watching(TAG)
    gateway.faults.kill_worker(client.session_id)
    assert (await events.end())[0] is grpc.StatusCode.UNAVAILABLE
    assert gateway.sessions[client.session_id].state == "FAULTED"
    reply = await client.invoke("ping")
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE
    assert (await client.close()).final_state == pb.SESSION_STATE_CLOSED


@pytest.mark.parametrize("fault", ["close_session", "kill_worker"])
async def test_a_session_that_does_not_exist_cannot_be_ended(gateway: SimulatedGateway, fault: str) -> None:
    with pytest.raises(Exception, match="no session session-x"):
        getattr(gateway.faults, fault)("session-x")
