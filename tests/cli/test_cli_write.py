"""Writing through a session that is open elsewhere: accepted, refused, or unknown and never sent again."""

import re
from datetime import UTC, datetime

import grpc
import pytest
from cli_process import KEY, Open, Run, until

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, SimulatedGateway


def sent(gateway: SimulatedGateway) -> int:
    writes = [call for call in gateway.calls if call.rpc == "Invoke" and call.request.command.HasField("write")]
    return len(writes)


async def test_an_accepted_write_says_so(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    ran = await mxgw_py(*opened.write, "--type", "int32", "--value", "-123")
    assert (ran.code, ran.out, ran.err) == (0, "accepted\n", "")
    await until(lambda: gateway.read("TestChildObject.TestInt").value == -123)


async def test_the_json_of_a_write(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    ran = await mxgw_py(*opened.write, "--type", "int32", "--value", "123", "--user-id", "7", "--json")
    assert (ran.code, ran.err) == (0, "")
    (form,) = ran.json
    milliseconds = form.pop("milliseconds")
    assert isinstance(milliseconds, float)
    assert form == {
        "item_handle": 1,
        "ok": True,
        "outcome": "accepted",
        "result": "accepted",
        "server_handle": 1,
        "session_id": opened.session.session_id,
        "type": "int32",
        "user_id": 7,
        "value": 123,
    }
    assert gateway.calls[-1].request.command.write.user_id == 7


@pytest.mark.parametrize(
    ("type_name", "text", "arm", "shown"),
    [
        ("bool", "TRUE", "bool_value", True),
        ("int64", "5", "int64_value", 5),
        ("float", "1.5", "float_value", 1.5),
        ("double", "-1.5", "double_value", -1.5),
        ("string", "--json", "string_value", "--json"),
        ("time", "2026-10-02T10:14:00+02:00", "timestamp_value", "2026-10-02T08:14:00.000Z"),
    ],
)
async def test_the_type_decides_what_is_sent(
    type_name: str, text: str, arm: str, shown: object, gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    ran = await mxgw_py(*opened.write, "--json", "--type", type_name, "--value", text)
    assert ran.code == 0
    assert ran.json[0]["value"] == shown
    value = gateway.calls[-1].request.command.write.value
    assert value.WhichOneof("kind") == arm
    if arm == "timestamp_value":
        assert value.timestamp_value.ToDatetime(UTC) == datetime(2026, 10, 2, 8, 14, tzinfo=UTC)
    else:
        assert getattr(value, arm) == shown


async def test_a_write_before_advise_is_refused(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    await opened.session.add_item(opened.server, "TestChildObject.TestBool")
    arguments = [*opened.write, "--item-handle", "2", "--type", "bool", "--value", "true"]
    ran = await mxgw_py(*arguments)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("mxgw-py: write: MXAccess refused: 0x80070057; ")
    assert "Value does not fall within the expected range" in ran.err
    assert ran.err.count("\n") == 1
    (error,) = (await mxgw_py(*arguments, "--json")).json
    assert error["ok"] is False
    assert error["error"]["type"] == "MxAccessError"
    assert error["error"]["hresult"] == "0x80070057"
    assert error["error"]["protocol_status"] == "MXACCESS_FAILURE"
    assert error["error"]["exit_code"] == 3
    assert error["error"]["outcome_unknown"] is False


async def test_a_lost_reply_is_an_unknown_outcome(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    gateway.faults.lose_next_reply("write")
    ran = await mxgw_py(*opened.write, "--type", "int32", "--value", "123")
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.startswith(f"mxgw-py: outcome unknown: write at {gateway.endpoint}: UNAVAILABLE ")
    assert ran.err.endswith(
        ". It may have happened, or may still happen for up to 75 s, "
        "and was not sent again: check before you repeat it\n"
    )
    assert ran.err.count("\n") == 1
    assert sent(gateway) == 1


@pytest.mark.parametrize(
    "failure",
    [
        {"code": grpc.StatusCode.DEADLINE_EXCEEDED},
        {"code": grpc.StatusCode.UNAVAILABLE, "details": "the worker is down"},
        {"code": grpc.StatusCode.INTERNAL},
        {"protocol_status": pb.PROTOCOL_STATUS_CODE_TIMEOUT},
        {"protocol_status": pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE},
    ],
)
async def test_whatever_may_have_happened_is_unknown(
    failure: dict[str, object], gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    gateway.faults.fail_next("write", **failure)  # type: ignore[arg-type]  # one of two pairs
    ran = await mxgw_py(*opened.write, "--json", "--type", "int32", "--value", "123")
    assert ran.code == 6
    (error,) = ran.json
    assert error["error"]["outcome_unknown"] is True
    assert error["error"]["exit_code"] == 6
    assert sent(gateway) == 1


async def test_a_session_that_is_gone_is_refused(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    await opened.session.close()
    ran = await mxgw_py(*opened.write, "--type", "int32", "--value", "1")
    assert ran.code == 3
    assert re.search(rf"NOT_FOUND .*it was closed or has expired: open a new one at {gateway.endpoint}\n$", ran.err)


async def test_a_session_not_found_in_a_reply_says_the_same(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    gateway.faults.fail_next("write", protocol_status=pb.PROTOCOL_STATUS_CODE_SESSION_NOT_FOUND)
    ran = await mxgw_py(*opened.write, "--type", "int32", "--value", "1")
    assert ran.code == 3
    assert ran.err.endswith(f"it was closed or has expired: open a new one at {gateway.endpoint}\n")


async def test_a_faulted_session_is_refused_with_what_to_do(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    gateway.faults.fault_session(opened.session.session_id)
    ran = await mxgw_py(*opened.write, "--type", "int32", "--value", "1")
    assert ran.code == 3
    assert "Session state is FAULTED" in ran.err
    assert ran.err.endswith(f"close the session at {gateway.endpoint} and open a new one\n")


async def test_a_key_that_may_not_write_is_refused(mxgw_py: Run) -> None:
    reader = GatewayKey("reader", KEY.secret, frozenset({KeyScope.INVOKE_READ, KeyScope.METADATA_READ}))
    async with SimulatedGateway(plaintext=True, api_keys=[reader]) as gateway:
        ran = await mxgw_py(
            *("write", "--plaintext", "--session-id", "session-1", "--server-handle", "1", "--item-handle", "1"),
            *("--type", "int32", "--value", "1"),
            MXGATEWAY_ENDPOINT=gateway.endpoint,
            MXGATEWAY_API_KEY=reader.text,
        )
        assert ran.code == 3
        assert "PERMISSION_DENIED" in ran.err
