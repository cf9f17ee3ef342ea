"""Sessions: opened, in their states, leased, at most so many, and gone for good."""

import grpc
import pytest
from sim_wire import Wire, becomes, failing, wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

NOT_READY = pb.PROTOCOL_STATUS_CODE_SESSION_NOT_READY


async def test_the_reply_to_open_session_describes_the_session_and_the_gateway(client: Wire) -> None:
    reply = await client.open(client_session_name="me")
    prefix, _, digits = reply.session_id.partition("-")
    assert prefix == "session"
    assert len(digits) == 32
    assert int(digits, 16)
    assert (reply.gateway_protocol_version, reply.worker_protocol_version) == (3, 1)
    assert reply.worker_process_id > 0
    assert reply.default_command_timeout.seconds == 30
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK


async def test_a_session_may_ask_for_its_own_command_time_out(client: Wire) -> None:
    request = pb.OpenSessionRequest()
    request.command_timeout.FromMilliseconds(2500)
    reply = await client.open(command_timeout=request.command_timeout)
    assert reply.default_command_timeout.ToMilliseconds() == 2500
    request.command_timeout.FromMilliseconds(-1)
    code, _ = await failing(client.open(command_timeout=request.command_timeout))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


async def test_no_two_sessions_have_one_id(client: Wire) -> None:
    assert (await client.open()).session_id != (await client.open()).session_id


async def test_a_closed_session_is_closed_for_good(gateway: SimulatedGateway, client: Wire) -> None:
    await client.open()
    reply = await client.close()
    assert reply.final_state == pb.SESSION_STATE_CLOSED
    assert gateway.sessions[client.session_id].state == "CLOSED"
    for call in (client.close(), client.invoke("ping"), client.stream().call.read()):
        code, text = await failing(call)
        assert code is grpc.StatusCode.NOT_FOUND
        assert client.session_id in text


async def test_closing_ends_the_stream_regularly_after_what_was_queued(client: Wire) -> None:
    events, _, _ = await client.watching("TestChildObject.TestInt")
    await client.close()
    assert (await events.end())[0] is grpc.StatusCode.OK


async def test_an_unknown_session_is_not_found(client: Wire) -> None:
    client.session_id = "session-" + "0" * 32
    assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.NOT_FOUND
    assert (await failing(client.close()))[0] is grpc.StatusCode.NOT_FOUND


async def test_a_faulted_session_can_only_be_closed(gateway: SimulatedGateway, client: Wire) -> None:
    events, _, _ = await client.watching("TestChildObject.TestInt")
    gateway.faults.fault_session(client.session_id)
    text = "Session state is FAULTED; worker state is FAULTED"
    assert await events.end() == (grpc.StatusCode.FAILED_PRECONDITION, text)
    for call in (client.invoke("ping"), client.stream().call.read()):
        assert await failing(call) == (grpc.StatusCode.FAILED_PRECONDITION, text)
    assert gateway.sessions[client.session_id].state == "FAULTED"
    assert (await client.close()).final_state == pb.SESSION_STATE_CLOSED
    assert (await failing(client.close()))[0] is grpc.StatusCode.NOT_FOUND


async def test_a_closed_session_stays_closed_whatever_its_worker_does_then(
    gateway: SimulatedGateway, client: Wire, clock: ManualClock
) -> None:
    await client.open()
    gateway.faults.delay("shutdown_worker", 1)
    shutdown = client.calling("shutdown_worker")
    await becomes(lambda: len(gateway.calls) == 2)
    await client.close()
    assert (await failing(shutdown))[0] is grpc.StatusCode.FAILED_PRECONDITION
    await clock.advance(2)
    assert gateway.sessions[client.session_id].state == "CLOSED"
    assert gateway.live_sessions == []


async def test_there_are_at_most_64_sessions(client: Wire) -> None:
    for _ in range(64):
        await client.open()
    code, text = await failing(client.open())
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "64" in text
    await client.close()
    await client.open()


async def test_a_lease_of_1800_s_runs_out(gateway: SimulatedGateway, client: Wire, clock: ManualClock) -> None:
    await client.open()
    await clock.advance(1799)
    assert gateway.sessions[client.session_id].state == "READY"
    await clock.advance(1.1)
    assert gateway.sessions[client.session_id].state == "CLOSED"
    assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.NOT_FOUND


async def test_a_lease_is_renewed_by_calls(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, lease=60) as gateway, wire(gateway) as client:
        await client.open()
        for _ in range(3):
            await clock.advance(50)
            await client.done("ping")
        await clock.advance(61)
        assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.NOT_FOUND


async def test_an_attached_stream_keeps_the_lease() -> None:
    clock = ManualClock()
    async with (
        SimulatedGateway(plaintext=True, clock=clock, lease=100, detach_grace=5) as gateway,
        wire(gateway) as client,
    ):
        events, item, _ = await client.watching("TestChildObject.TestInt")
        await clock.advance(250)
        gateway.set("TestChildObject.TestInt", 5)
        assert (await events.next()).item_handle == item


async def test_after_its_stream_is_gone_a_session_lives_for_the_grace_only(
    gateway: SimulatedGateway, client: Wire, clock: ManualClock
) -> None:
    events, _, _ = await client.watching("TestChildObject.TestInt")
    events.call.cancel()
    await becomes(lambda: gateway.open_streams == 0)
    await clock.advance(29)
    # A call does not save it, a new stream does.
    await client.done("ping")
    events = client.stream(after=1)
    await becomes(lambda: gateway.open_streams == 1)
    await clock.advance(120)
    await client.done("ping")
    events.call.cancel()
    await becomes(lambda: gateway.open_streams == 0)
    await clock.advance(29)
    await client.done("ping")
    await clock.advance(1.1)
    assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.NOT_FOUND


async def test_closed_sessions_do_not_pile_up(client: Wire, gateway: SimulatedGateway) -> None:
    for _ in range(300):
        await client.open()
        await client.close()
    assert len(gateway.sessions) <= 258


@pytest.mark.parametrize(
    ("command", "arm", "check"),
    [
        ("get_session_state", "session_state", lambda reply: reply.state == pb.SESSION_STATE_READY),
        (
            "get_worker_info",
            "worker_info",
            lambda reply: reply.worker_process_id > 0 and reply.mxaccess_version and reply.started_at.seconds,
        ),
    ],
)
async def test_a_session_can_be_asked_about_itself(client: Wire, command: str, arm: str, check: object) -> None:
    await client.open()
    reply = await client.done(command)
    assert reply.WhichOneof("payload") == arm
    assert callable(check)
    assert check(getattr(reply, arm))


async def test_a_ping_is_answered_without_a_payload(client: Wire) -> None:
    await client.open()
    assert (await client.done("ping")).WhichOneof("payload") is None


async def test_a_starting_session_goes_through_its_states(clock: ManualClock) -> None:
    async with SimulatedGateway(plaintext=True, clock=clock, session_start_time=5) as gateway, wire(gateway) as client:
        await client.open()
        seen = []
        for worker in ("NOT_STARTED", "STARTING", "STARTING", "HANDSHAKING", "INITIALIZING"):
            state = gateway.sessions[client.session_id].state
            text = f"Session state is {state}; worker state is {worker}"
            reply = await client.invoke("register", client_name="early")
            assert (reply.protocol_status.code, reply.protocol_status.message) == (NOT_READY, text)
            assert not reply.HasField("hresult")
            assert await failing(client.stream().call.read()) == (grpc.StatusCode.FAILED_PRECONDITION, text)
            shown = (await client.done("get_session_state")).session_state.state
            assert pb.SessionState.Name(shown) == f"SESSION_STATE_{state}"
            seen.append(state)
            await clock.advance(1)
        assert seen == ["CREATING", "STARTING_WORKER", "WAITING_FOR_PIPE", "HANDSHAKING", "INITIALIZING_WORKER"]
        assert await client.register() == 1
        other = await client.open()
        assert (await client.close(other.session_id)).final_state == pb.SESSION_STATE_CLOSED
        await clock.advance(10)
        assert gateway.sessions[other.session_id].state == "CLOSED"


async def test_a_faulted_session_tells_its_state(gateway: SimulatedGateway, client: Wire) -> None:
    await client.open()
    gateway.faults.fault_session(client.session_id)
    assert (await client.done("get_session_state")).session_state.state == pb.SESSION_STATE_FAULTED


async def test_without_its_worker_a_session_can_only_be_closed(
    gateway: SimulatedGateway, client: Wire, clock: ManualClock
) -> None:
    events, item, _ = await client.watching("TestChildObject.TestInt")
    gateway.faults.delay("shutdown_worker", 1)
    ending = client.calling("shutdown_worker")
    await becomes(lambda: len(gateway.calls) == 6)
    behind = client.calling("ping")
    await becomes(lambda: len(gateway.calls) == 7)
    await clock.advance(1)
    assert (await ending).protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
    assert (await events.end())[0] is grpc.StatusCode.UNAVAILABLE
    fields = {"server_handle": 1, "item_handle": item}
    for reply in (await behind, await client.invoke("advise", **fields)):
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE
        assert client.session_id in reply.protocol_status.message
    assert (await failing(client.stream().call.read()))[0] is grpc.StatusCode.UNAVAILABLE
    assert (await client.close()).final_state == pb.SESSION_STATE_CLOSED


async def test_a_gateway_may_prefer_to_refuse_in_its_replies(clock: ManualClock) -> None:
    async with (
        SimulatedGateway(plaintext=True, clock=clock, refuse_in_reply=True) as gateway,
        wire(gateway) as client,
    ):
        await client.open()
        gateway.faults.delay("ping", 40)
        slow = client.calling("ping")
        await becomes(lambda: len(gateway.calls) == 2)
        await clock.advance(30.1)
        assert (await slow).protocol_status.code == pb.PROTOCOL_STATUS_CODE_TIMEOUT
        gateway.faults.fault_session(client.session_id)
        assert (await client.invoke("ping")).protocol_status.code == NOT_READY
        request = pb.MxCommandRequest(session_id=client.session_id, client_correlation_id="c-2")
        reply = await client.stub.Invoke(request, metadata=client.metadata)
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST
        assert reply.correlation_id == "c-2"
        await client.close()
        for answer in (client.invoke("ping"), client.close()):
            assert (await answer).protocol_status.code == pb.PROTOCOL_STATUS_CODE_SESSION_NOT_FOUND
        # A key is refused as ever.
        client.metadata = ()
        assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.UNAUTHENTICATED
