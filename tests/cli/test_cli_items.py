"""Registrations, items and reading, one by one and in bulk."""

from pathlib import Path
from typing import Any
from unittest.mock import ANY

import grpc
import pytest
from cli_process import KEY, Drive, Open, Run

from zb_mom_ww_mxgateway import GatewayClient
from zb_mom_ww_mxgateway_cli.commands.benchmark import figures
from zb_mom_ww_mxgateway_sim import GatewayKey, SimulatedGateway

INT, BOOL, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestBool", "TestChildObject.TestDouble"


def last(gateway: SimulatedGateway) -> Any:
    """The payload of the last command that came in."""
    command = [call for call in gateway.calls if call.rpc == "Invoke"][-1].request.command
    return getattr(command, command.WhichOneof("payload"))


async def answer(mxgw_py: Run, *arguments: str) -> dict[str, Any]:
    """The one JSON object of a command that succeeds."""
    ran = await mxgw_py(*arguments, "--json")
    assert (ran.code, ran.err) == (0, "")
    (form,) = ran.json
    assert isinstance(form.pop("milliseconds"), float)
    return form


async def test_register_gives_a_server_handle(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    session = ["--plaintext", "--session-id", opened.session.session_id]
    ran = await mxgw_py("register", *session, "--client-name", "second")
    assert (ran.code, ran.out, ran.err) == (0, "2\n", "")
    assert await answer(mxgw_py, "register", *session, "--client-name", "third") == {
        "client_name": "third",
        "ok": True,
        "server_handle": 3,
        "session_id": opened.session.session_id,
    }


async def test_add_item_gives_an_item_handle(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    ran = await mxgw_py("add-item", *opened.at_server, "--item", BOOL)
    assert (ran.code, ran.out, ran.err) == (0, "2\n", "")
    form = await answer(mxgw_py, "add-item", *opened.at_server, "--item", "TestInt", "--context", "TestChildObject")
    assert form == {
        "context": "TestChildObject",
        "item": "TestInt",
        "item_handle": 3,
        "ok": True,
        "server_handle": 1,
        "session_id": opened.session.session_id,
    }
    assert last(gateway).item_context == "TestChildObject"


@pytest.mark.parametrize("command", ["advise", "advise-supervisory"])
async def test_an_item_is_advised(command: str, gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    item = str(await opened.session.add_item(1, BOOL))
    ran = await mxgw_py(command, *opened.at_server, "--item-handle", item)
    assert (ran.code, ran.out, ran.err) == (0, "advised\n", "")
    again = [command, *opened.at_server, "--item-handle", str(await opened.session.add_item(1, DOUBLE))]
    assert await answer(mxgw_py, *again) == {
        "item_handle": 3,
        "ok": True,
        "server_handle": 1,
        "session_id": opened.session.session_id,
    }


async def test_items_are_added_and_removed_in_every_way(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    at = opened.at_server
    ran = await mxgw_py("add-item2", *at, "--item", "TestBool", "--context", "TestChildObject")
    assert (ran.code, ran.out, ran.err) == (0, "2\n", "")
    assert (last(gateway).item_definition, last(gateway).item_context) == ("TestBool", "TestChildObject")
    assert (await mxgw_py("add-item2", *at, "--item", "TestBool")).code == 2
    form = await answer(mxgw_py, "add-buffered-item", *at, "--item", DOUBLE, "--interval", "1500ms")
    assert (form["context"], form["interval_ms"], form["item_handle"]) == (None, 1500, 3)
    commands = [call.request.command for call in gateway.calls if call.rpc == "Invoke"][-2:]
    assert commands[0].set_buffered_update_interval.update_interval_milliseconds == 1500
    assert commands[1].add_buffered_item.item_definition == DOUBLE
    before = len(gateway.calls)
    assert (await mxgw_py("add-buffered-item", *at, "--item", DOUBLE, "--interval", "0.1ms")).code == 2
    assert len(gateway.calls) == before
    ran = await mxgw_py("remove-item", *at, "--item-handle", "2")
    assert (ran.code, ran.out, ran.err) == (0, "removed\n", "")
    assert (await mxgw_py("remove-item", *at, "--item-handle", "2")).code == 3
    ran = await mxgw_py("unregister", *at)
    assert (ran.code, ran.out, ran.err) == (0, "unregistered\n", "")
    assert (await mxgw_py("unregister", *at)).code == 3


async def test_data_changes_are_suspended_resumed_and_ended(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run
) -> None:
    at = [*opened.at_server, "--item-handle", str(opened.item)]
    for command, done in (("suspend", "suspended"), ("activate", "activated"), ("unadvise", "unadvised")):
        ran = await mxgw_py(command, *at)
        assert (ran.code, ran.out, ran.err) == (0, f"{done}\n", "")
        assert (last(gateway).server_handle, last(gateway).item_handle) == (opened.server, opened.item)
    ran = await mxgw_py("suspend", *at, "--json")
    assert ran.code == 3  # It is not advised any more.
    await opened.session.advise(opened.server, opened.item)
    form = await answer(mxgw_py, "suspend", *at)
    assert set(form["status"]) == {"category", "detail", "detected_by", "diagnostic_text", "success"}


async def test_a_refused_call_is_told(gateway: SimulatedGateway, opened: Open, drive: Drive) -> None:
    batch = await drive()
    for command, fault in (
        ("register --plaintext --client-name x", "register"),
        ("add-item --item x", "add_item"),
        ("advise --item-handle 1", "advise"),
        ("advise-supervisory --item-handle 1", "advise_supervisory"),
        ("subscribe-bulk --item x", "subscribe_bulk"),
        ("read-bulk --item x", "read_bulk"),
        ("bench-read-bulk --item x", "read_bulk"),
    ):
        gateway.faults.fail_next(fault, code=grpc.StatusCode.PERMISSION_DENIED, details="not for you")
        at = opened.at_server[1:3] if fault == "register" else opened.at_server
        (answer,) = await batch.ask(command, *at)
        assert (answer["ok"], answer["error"]["exit_code"]) == (False, 3)
        assert answer["error"]["message"] == f"{fault} at {gateway.endpoint}: PERMISSION_DENIED not for you"
    assert await batch.end() == (0, "")


async def test_a_handle_that_does_not_exist_is_refused(opened: Open, mxgw_py: Run) -> None:
    ran = await mxgw_py("advise", *opened.at_server, "--item-handle", "99", "--json")
    assert ran.code == 3
    assert ran.json[0]["error"]["hresult"] == "0x80070057"


async def test_subscribe_bulk_tells_each_entry(
    gateway: SimulatedGateway, opened: Open, mxgw_py: Run, tmp_path: Path
) -> None:
    (tmp_path / "items").write_text(f"{DOUBLE}\r\n\n  No.Such Tag \n", encoding="utf-8-sig")
    arguments = ["subscribe-bulk", *opened.at_server, "--item", BOOL, "--items-file", str(tmp_path / "items")]
    ran = await mxgw_py(*arguments)
    assert (ran.code, ran.err) == (0, "")
    assert [line.split(maxsplit=1) for line in ran.out.splitlines()] == [
        ["2", f"{BOOL}  advised"],
        ["3", f"{DOUBLE}  advised"],
        ["4", "No.Such Tag  advised"],
    ]
    assert await answer(mxgw_py, *arguments) == {
        "failed": 0,
        "ok": True,
        "results": [
            {"error_message": "", "item_handle": handle, "tag": tag, "tag_address": tag, "was_successful": True}
            for handle, tag in ((5, BOOL), (6, DOUBLE), (7, "No.Such Tag"))
        ],
        "server_handle": 1,
        "session_id": opened.session.session_id,
    }


async def test_an_entry_that_is_refused_is_told_at_its_place(mxgw_py: Run) -> None:
    limited = GatewayKey("limited", KEY.secret, subtrees=frozenset({"TestChildObject"}))
    async with (
        SimulatedGateway(plaintext=True, api_keys=[limited]) as gateway,
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=limited.text, plaintext=True) as client,
        await client.open_session() as session,
    ):
        await session.register("test")
        at = ["--plaintext", "--session-id", session.session_id, "--server-handle", "1"]
        settings = {"MXGATEWAY_ENDPOINT": gateway.endpoint, "MXGATEWAY_API_KEY": limited.text}
        ran = await mxgw_py("subscribe-bulk", *at, "--item", "Tank\x1b.PV", "--item", INT, **settings)
        assert ran.code == 3
        refused, advised = ran.out.splitlines()
        assert refused == "     -  Tank\\x1b.PV  failed: the API key does not reach Tank\\x1b.PV"
        assert advised == f"     1  {INT}  advised"
        assert ran.err == "mxgw-py: subscribe_bulk: 1 of 2 failed\n"
        ran = await mxgw_py("read-bulk", "--json", *at, "--item", INT, "--item", "Tank.PV", **settings)
        assert (ran.code, ran.err) == (3, "")
        (form,) = ran.json
        assert form["error"] == {"exit_code": 3, "message": "read_bulk: 1 of 2 failed", "type": "EntriesFailed"}
        assert (form["ok"], form["failed"]) == (False, 1)
        assert [result["was_successful"] for result in form["results"]] == [True, False]
        assert form["results"][1]["error_message"] == "the API key does not reach Tank.PV"
        ran = await mxgw_py("bench-read-bulk", "--json", *at, "--rounds", "2", "--item", "Tank.PV", **settings)
        assert ran.code == 3
        (form,) = ran.json
        assert (form["ok"], form["failed_reads"], form["error"]["message"]) == (False, 2, "read_bulk: 2 of 2 failed")


async def test_read_bulk_tells_each_value(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    gateway.set(INT, 41)
    gateway.set(DOUBLE, 1.5, quality=64)
    arguments = ["read-bulk", *opened.at_server, "--item", INT, "--item", DOUBLE, "--timeout-ms", "2500"]
    form = await answer(mxgw_py, *arguments)
    assert last(gateway).timeout_ms == 2500
    ok = {"category": "OK", "detail": 0, "detected_by": "RESPONDING_LMX", "diagnostic_text": "", "success": ANY}
    assert form == {
        "failed": 0,
        "ok": True,
        "results": [
            {
                "error_message": "",
                "item_handle": ANY,
                "quality": quality,
                "quality_word": word,
                "source_timestamp": ANY,
                "statuses": [ok],
                "cached": cached,
                "tag": tag,
                "tag_address": tag,
                "value": value,
                "was_cached": cached,
                "was_successful": True,
            }
            for tag, value, quality, word, cached in (
                (INT, 41, 192, "good", True),
                (DOUBLE, 1.5, 64, "uncertain", False),
            )
        ],
        "server_handle": 1,
        "session_id": opened.session.session_id,
    }
    ran = await mxgw_py(*arguments, "--item", "No.Such")
    assert ran.code == 3
    cached, read, failed = ran.out.splitlines()
    assert cached.startswith(f"{INT}  41  good  20")
    assert cached.endswith("Z  cached")
    assert read.startswith(f"{DOUBLE}  1.5  uncertain  20")
    assert failed == "No.Such  failed: the reference does not resolve"
    assert ran.err == "mxgw-py: read_bulk: 1 of 3 failed\n"


async def test_reading_is_timed(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    arguments = ["bench-read-bulk", *opened.at_server, "--item", INT, "--item", DOUBLE, "--rounds", "5"]
    ran = await mxgw_py(*arguments, "--json")
    assert (ran.code, ran.err) == (0, "")
    (form,) = ran.json
    assert 0 < form["min_ms"] <= form["median_ms"] <= form["p99_ms"] <= form["max_ms"]
    assert form["calls_per_second"] > 0
    assert form["seconds"] > 0
    assert {name: form[name] for name in form if not name.endswith(("_ms", "second", "seconds"))} == {
        "cached_reads": 5,
        "failed_reads": 0,
        "ok": True,
        "reads": 10,
        "rounds": 5,
        "server_handle": 1,
        "session_id": opened.session.session_id,
        "tags": 2,
    }
    assert sum(call.rpc == "Invoke" and call.request.command.HasField("read_bulk") for call in gateway.calls) == 5
    ran = await mxgw_py(*arguments)
    assert ran.out.startswith("5 rounds of 2 tags in 0.")
    assert ran.out.endswith("; 5 of 10 reads cached\n")


def test_the_99th_percentile_is_the_nearest_rank() -> None:
    assert figures(range(1, 101)) == {"min_ms": 1, "median_ms": 50.5, "p99_ms": 99, "max_ms": 100}
    assert figures([3, 1]) == {"min_ms": 1, "median_ms": 2, "p99_ms": 3, "max_ms": 3}
