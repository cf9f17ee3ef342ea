"""The smoke test: every step told, each step's failure told, and the session closed whatever happens."""

import asyncio
import os
import re
from unittest.mock import ANY

import grpc
import pytest
from cli_process import KEY, Run, Start, ended

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, SimulatedGateway

ITEM = "TestChildObject.TestInt"
SMOKE = ("smoke", "--plaintext", "--item", ITEM)
STEPS = ["open", "register", "add-item", "advise", "first-event", "close"]


def states(gateway: SimulatedGateway) -> list[str]:
    return [session.state for session in gateway.sessions.values()]


async def test_each_step_is_one_line(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.set(ITEM, 41)
    ran = await mxgw_py(*SMOKE)
    assert (ran.code, ran.err) == (0, "")
    *steps, last = ran.out.splitlines()
    assert [line.split()[0] for line in steps] == STEPS
    assert all(re.fullmatch(r"\S+ +ok +\d+ ms(  .*)?", line) for line in steps)
    assert re.search(r"  41  good  20\S+Z  OK$", steps[4])
    assert re.fullmatch(r"smoke ok, \d+ ms", last)
    assert states(gateway) == ["CLOSED"]


async def test_the_json_of_a_smoke_test(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.set(ITEM, 41)
    ran = await mxgw_py(*SMOKE, "--json")
    assert (ran.code, ran.err) == (0, "")
    (session_id,) = gateway.sessions
    event = {
        "body": None,
        "data_type": "INTEGER",
        "family": "ON_DATA_CHANGE",
        "gateway_receive_timestamp": ANY,
        "hresult": None,
        "item_handle": 1,
        "quality": 192,
        "quality_word": "good",
        "replay_gap": None,
        "server_handle": 1,
        "source_timestamp": ANY,
        "statuses": [
            {"category": "OK", "detail": 0, "detected_by": "RESPONDING_LMX", "diagnostic_text": "", "success": ANY}
        ],
        "value": 41,
        "variant_type": "VT_I4",
        "worker_sequence": 1,
    }
    found = [{"session_id": session_id}, {"server_handle": 1}, {"item_handle": 1}, {}, {"event": event}, {}]
    plain = [{"milliseconds": ANY, "ok": True, "step": step} for step in STEPS]
    *steps, summary = ran.json
    assert steps == [step | what for step, what in zip(plain, found, strict=True)]
    assert summary == {
        "endpoint": gateway.endpoint,
        "event": event,
        "item": ITEM,
        "item_handle": 1,
        "milliseconds": ANY,
        "ok": True,
        "server_handle": 1,
        "session_id": session_id,
        "steps": plain,
    }
    assert isinstance(summary["milliseconds"], float)
    for moment in (summary["event"]["source_timestamp"], summary["event"]["gateway_receive_timestamp"]):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.(\d{3}|\d{6})Z", moment)


async def test_the_stream_is_opened_before_the_item_is_advised(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    assert (await mxgw_py(*SMOKE)).code == 0
    calls = [call.request.command.WhichOneof("payload") if call.rpc == "Invoke" else call.rpc for call in gateway.calls]
    assert calls.index("StreamEvents") < calls.index("advise")


FAILING = {
    "open": ("OpenSession", STEPS[:1]),
    "register": ("register", [*STEPS[:2], "close"]),
    "add-item": ("add_item", [*STEPS[:3], "close"]),
    "advise": ("advise", [*STEPS[:4], "close"]),
    "first-event": ("StreamEvents", STEPS),
    "close": ("CloseSession", STEPS),
}


@pytest.mark.parametrize("step", FAILING)
async def test_a_failing_step_is_told_and_the_session_closed(
    step: str, gateway: SimulatedGateway, mxgw_py: Run
) -> None:
    fault, steps = FAILING[step]
    gateway.faults.fail_next(fault, code=grpc.StatusCode.PERMISSION_DENIED, details="not for you")
    ran = await mxgw_py(*SMOKE, "--json")
    assert (ran.code, ran.err) == (3, "")
    *told, summary = ran.json
    assert [one["step"] for one in told] == steps
    assert [one["step"] for one in told if not one["ok"]] == [step]
    assert summary["ok"] is False
    assert summary["error"]["type"] == "MxGatewayAuthorizationError"
    assert summary["error"]["grpc_code"] == "PERMISSION_DENIED"
    assert summary["steps"] == [{key: one[key] for key in ("milliseconds", "ok", "step")} for one in told]
    assert summary["session_id"] == next(iter(gateway.sessions), None)
    # A close that is refused leaves nothing more to do.
    assert states(gateway) == {"open": [], "close": ["READY"]}.get(step, ["CLOSED"])


async def test_a_failing_step_is_one_line_on_standard_error(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.faults.fail_next(
        "advise",
        protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE,
        hresult=-2147024809,
        details="no\x1b[2J luck",
    )
    ran = await mxgw_py(*SMOKE)
    assert ran.code == 3
    assert ran.err.startswith("mxgw-py: advise: MXAccess refused: 0x80070057; no")
    assert ran.err.count("\n") == 1
    assert "\x1b" not in ran.err
    assert re.fullmatch(r"advise +failed +\d+ ms", ran.out.splitlines()[3])
    assert ran.out.splitlines()[4].startswith("close        ok")


async def test_a_tag_that_does_not_exist_fails_at_its_first_event(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("smoke", "--plaintext", "--item", "No.Such\x07Tag", "--json")
    assert ran.code == 3
    summary = ran.json[-1]
    assert [step["ok"] for step in summary["steps"]] == [True, True, True, True, False, True]
    assert summary["event"]["quality_word"] == "bad"
    assert summary["error"]["statuses"][0]["category"] == "CONFIGURATION_ERROR"
    assert summary["error"]["message"].startswith("first-event: no good value of No.Such\\x07Tag: quality bad; CONFIG")
    assert states(gateway) == ["CLOSED"]


async def test_no_first_value_in_time_is_an_expectation_not_met(environment: dict[str, str], mxgw_py: Run) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], first_change_delay=60) as gateway:
        ran = await mxgw_py(*SMOKE, "--timeout", "4s", MXGATEWAY_ENDPOINT=gateway.endpoint)
        assert ran.code == 1
        assert ran.err == f"mxgw-py: first-event: no value of {ITEM} from {gateway.endpoint} within 4 s\n"
        assert states(gateway) == ["CLOSED"]


async def test_a_step_that_hangs_ends_in_time_and_the_session_is_closed(
    gateway: SimulatedGateway, mxgw_py: Run
) -> None:
    gateway.faults.delay("register", 60)
    ran = await mxgw_py(*SMOKE, "--timeout", "4")
    assert (ran.code, ran.err) == (1, f"mxgw-py: register: no answer from {gateway.endpoint} within 4 s\n")
    assert states(gateway) == ["CLOSED"]


async def test_a_session_that_opens_too_late_is_closed_all_the_same(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    gateway.faults.delay("OpenSession", 0.6)
    ran = await mxgw_py(*SMOKE, "--timeout", "200ms")
    assert (ran.code, ran.err) == (1, f"mxgw-py: open: no answer from {gateway.endpoint} within 0.2 s\n")
    assert states(gateway) == ["CLOSED"]


async def test_a_stream_that_breaks_is_the_first_events_failure(environment: dict[str, str], mxgw_py: Run) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], first_change_delay=60) as gateway:
        gateway.faults.fail_next("StreamEvents", code=grpc.StatusCode.UNAVAILABLE, details="gone")
        ran = await mxgw_py(*SMOKE, MXGATEWAY_ENDPOINT=gateway.endpoint)
        assert (ran.code, ran.err) == (4, f"mxgw-py: stream_events at {gateway.endpoint}: UNAVAILABLE gone\n")
        assert states(gateway) == ["CLOSED"]


async def test_a_key_without_the_scope_is_refused_not_unknown(mxgw_py: Run) -> None:
    reader = GatewayKey("reader", KEY.secret, frozenset({KeyScope.METADATA_READ}))
    async with SimulatedGateway(plaintext=True, api_keys=[reader]) as gateway:
        ran = await mxgw_py(*SMOKE, MXGATEWAY_ENDPOINT=gateway.endpoint, MXGATEWAY_API_KEY=reader.text)
        assert ran.code == 3
        assert "PERMISSION_DENIED" in ran.err


async def test_a_reader_that_has_enough_does_not_change_what_is_done(gateway: SimulatedGateway, start: Start) -> None:
    reading, writing = os.pipe()
    gateway.faults.delay("register", 0.3)
    process = await start(*SMOKE, stdout=writing)
    os.close(writing)
    assert (await asyncio.to_thread(os.read, reading, 1000)).startswith(b"open ")
    os.close(reading)
    ran = await ended(process)
    assert (ran.code, ran.err) == (0, "")
    assert states(gateway) == ["CLOSED"]
