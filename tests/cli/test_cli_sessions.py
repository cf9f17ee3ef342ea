"""Opening a session that stays open, and closing it; and a gateway that speaks another protocol version."""

import grpc
import pytest
from cli_process import KEY, Open, Run

import zb_mom_ww_mxgateway_sim.rpc.gateway_service as gateway_service
from zb_mom_ww_mxgateway_sim import SimulatedGateway

OPEN = ("open-session", "--plaintext")


async def test_open_session_prints_the_id_alone_and_leaves_the_session_open(
    gateway: SimulatedGateway, mxgw_py: Run
) -> None:
    ran = await mxgw_py(*OPEN)
    (session_id,) = gateway.sessions
    assert (ran.code, ran.out, ran.err) == (0, f"{session_id}\n", "")
    assert gateway.sessions[session_id].state == "READY"


async def test_the_json_of_an_opened_session(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*OPEN, "--json", "--name", "nightly", "--command-timeout", "1500ms")
    (form,) = ran.json
    (session_id,) = gateway.sessions
    assert isinstance(form.pop("milliseconds"), float)
    assert isinstance(form.pop("worker_process_id"), int)
    assert "events" in form.pop("capabilities")
    assert form == {
        "backend_name": "mxaccess-simulated",
        "default_command_timeout": 1.5,
        "gateway_protocol_version": 3,
        "ok": True,
        "session_id": session_id,
        "worker_protocol_version": 1,
    }
    (request,) = (call.request for call in gateway.calls if call.rpc == "OpenSession")
    assert request.client_session_name == "nightly"


async def test_a_session_that_is_not_granted_is_one_line(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.faults.fail_next("OpenSession", code=grpc.StatusCode.RESOURCE_EXHAUSTED, details="64 sessions")
    ran = await mxgw_py(*OPEN)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith(f"mxgw-py: open_session at {gateway.endpoint}: RESOURCE_EXHAUSTED 64 sessions")


async def test_a_session_is_closed(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    session_id = opened.session.session_id
    ran = await mxgw_py("close-session", "--plaintext", "--session-id", session_id)
    assert (ran.code, ran.out, ran.err) == (0, "closed\n", "")
    assert gateway.sessions[session_id].state == "CLOSED"
    # Nothing is said to be closed that was not open: the id may be another's, with a letter wrong.
    for unknown in (session_id, "nonsense"):
        ran = await mxgw_py("close-session", "--plaintext", "--session-id", unknown, "--json")
        (form,) = ran.json
        assert (ran.code, form["ok"], form["error"]["type"]) == (3, False, "MxGatewaySessionError")
        assert "closed or has expired" in form["error"]["message"]


async def test_a_session_that_cannot_be_closed_is_reported(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    gateway.faults.fail_next("CloseSession", code=grpc.StatusCode.UNAVAILABLE, details="gone")
    ran = await mxgw_py("close-session", "--plaintext", "--session-id", opened.session.session_id)
    assert (ran.code, ran.err) == (4, f"mxgw-py: close_session at {gateway.endpoint}: UNAVAILABLE gone\n")


@pytest.fixture
def another_protocol(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated gateway has one version; this is the only way to another."""
    monkeypatch.setattr(gateway_service, "GATEWAY_PROTOCOL_VERSION", 4)


SPEAKS = "speaks gateway protocol version 4, this library 3: commands may fail or mean something else"


@pytest.mark.usefixtures("another_protocol")
async def test_another_protocol_version_is_a_warning_beside_the_answer(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*OPEN)
    assert (ran.code, ran.err) == (0, f"mxgw-py: {gateway.endpoint} {SPEAKS}\n")
    assert ran.out == f"{next(iter(gateway.sessions))}\n"
    ran = await mxgw_py(*OPEN, "--json")
    assert (ran.code, ran.err) == (0, f"mxgw-py: {gateway.endpoint} {SPEAKS}\n")
    assert ran.json[0]["gateway_protocol_version"] == 4


@pytest.mark.usefixtures("another_protocol")
async def test_another_protocol_version_may_be_an_error(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*OPEN, "--protocol-mismatch", "error")
    assert (ran.code, ran.out, ran.err) == (3, "", f"mxgw-py: {gateway.endpoint} {SPEAKS}\n")
    assert [session.state for session in gateway.sessions.values()] == ["CLOSED"]


@pytest.mark.usefixtures("another_protocol")
async def test_another_protocol_version_may_be_ignored(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py(*OPEN, "--protocol-mismatch", "ignore")
    assert (ran.code, ran.err) == (0, "")
    assert KEY.secret not in ran.out
