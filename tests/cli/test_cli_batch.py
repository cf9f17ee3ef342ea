"""A batch: a command a line, each answered, over one connection."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import grpc
import pytest
from cli_process import DEADLINE, EOR, KEY, Drive, Open, Start, ended, until

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


def count(gateway: SimulatedGateway, rpc: str) -> int:
    return sum(call.rpc == rpc for call in gateway.calls)


async def test_a_session_from_open_to_close_over_one_connection(gateway: SimulatedGateway, drive: Drive) -> None:
    batch = await drive("--plaintext")
    (opened,) = await batch.ask("open-session")
    at = ["--session-id", opened["session_id"]]
    (registered,) = await batch.ask("register", *at, "--client-name 'a client'")
    assert registered["client_name"] == "a client"
    at += ["--server-handle", str(registered["server_handle"])]
    (added,) = await batch.ask("add-item", *at, "--item", INT)
    await batch.ask("advise", *at, "--item-handle", str(added["item_handle"]))
    events = await batch.ask("stream-events", *at[:2], "--max-events 1")
    assert [event["family"] for event in events] == ["ON_DATA_CHANGE"]
    (written,) = await batch.ask("write", *at, "--item-handle 1 --type int32 --value 5")
    assert written["outcome"] == "accepted"
    (read,) = await batch.ask("read-bulk", *at, "--item", INT)
    assert read["ok"] is True
    assert len(await batch.ask("galaxy-browse --page-size 100")) > 2
    (closed,) = await batch.ask("close-session", *at[:2])
    assert closed["ok"] is True
    assert await batch.end() == (0, "")
    # Connecting asks for TestConnection, and this was all of it.
    assert (count(gateway, "TestConnection"), count(gateway, "OpenSession")) == (1, 1)


async def test_bad_lines_are_answered_and_the_next_is_run(
    gateway: SimulatedGateway, drive: Drive, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    batch = await drive("--plaintext")
    for line, code, says in (
        ("smok", 2, "No such command 'smok'. Did you mean 'smoke'?"),
        ("register --session-id s", 2, "Missing option '--client-name'"),
        ('register "', 2, "line 3: no closing quotation"),
        ("--version", 2, "line 4: a command expected, not --version"),
        ("write --help", 2, "No such option '--help'"),
        ("batch", 2, "a batch does not run in a batch"),
        ("stream-events --session-id s", 2, "in a batch a stream needs an end: --max-events or --duration"),
        ("stream-alarms", 2, "in a batch a stream needs an end: --max-messages or --duration"),
        ("galaxy-deploy-events", 2, "in a batch a stream needs an end: --max-events or --duration"),
        ("register --session-id s --client-name x --endpoint nowhere", 2, "endpoint 'nowhere': host:port expected"),
        ("register --session-id s --client-name x", 3, "it was closed or has expired"),
        ("galaxy-browse --api-key-env NO_SUCH_VARIABLE", 4, "the environment variable NO_SUCH_VARIABLE is not set"),
        ("register \u201cx\u201d", 2, "line 13, column 10: a curly quote"),
        ("# a remark\rversion", 2, "line 14, column 11: a carriage return (CR) within a line"),
        ("mxgw_plant_s3cret_with-underscore", 2, "No such command 'mxgw_plant_***'"),
        (f"read-bulk --session-id s --server-handle 1 --items-file {tmp_path / 'pipe'}", 2, "it is no regular file"),
    ):
        (answer,) = await batch.ask(line)
        assert answer["ok"] is False
        assert answer["error"]["exit_code"] == code
        assert says in answer["error"]["message"]
    (version,) = await batch.ask("version")
    assert version["ok"] is True
    assert await batch.end() == (0, "")


async def test_blank_lines_and_comments_are_passed_over(start: Start) -> None:
    process = await start("batch", stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"\xef\xbb\xbf\r\n# version\n\n  \t\n   # version\nversion\r\n\xff\nversion")
    process.stdin.close()
    ran = await ended(process)
    assert (ran.code, ran.err) == (0, "")
    answers = ran.out.splitlines()
    assert answers[1::2] == [EOR] * 3
    assert [json.loads(answer)["ok"] for answer in answers[::2]] == [True, False, True]
    assert "line 7 is not UTF-8 text" in answers[2]


async def test_a_failed_entry_gives_the_line_its_exit_code(
    gateway: SimulatedGateway, opened: Open, drive: Drive
) -> None:
    batch = await drive()
    (answer,) = await batch.ask("write-bulk", *opened.at_server, "--entry 99=int32:1 --entry '1=int32:5'")
    assert (answer["ok"], answer["failed"], answer["error"]["exit_code"]) == (False, 1, 3)
    assert [result["was_successful"] for result in answer["results"]] == [False, True]
    # What one line found out is no part of the next one's answer.
    (answer,) = await batch.ask("nope")
    assert set(answer) == {"error", "ok"}
    assert await batch.end() == (0, "")


async def test_a_line_may_say_otherwise_than_the_batch(gateway: SimulatedGateway, drive: Drive) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=[KEY]) as other:
        batch = await drive("--plaintext", "--endpoint", other.endpoint, "--connect-timeout", "5")
        for line in ("open-session", f"open-session --endpoint {gateway.endpoint}") * 2:
            (answer,) = await batch.ask(line)
            assert answer["ok"] is True
        assert await batch.end() == (0, "")
        for one in (gateway, other):
            assert (count(one, "TestConnection"), count(one, "OpenSession")) == (1, 2)


async def test_a_broken_connection_is_replaced(gateway: SimulatedGateway, drive: Drive) -> None:
    batch = await drive("--plaintext")
    gateway.faults.fail_next("OpenSession", code=grpc.StatusCode.UNAVAILABLE, details="gone")
    (answer,) = await batch.ask("open-session")
    assert (answer["error"]["exit_code"], answer["error"]["grpc_code"]) == (4, "UNAVAILABLE")
    (answer,) = await batch.ask("open-session")
    assert answer["ok"] is True
    assert await batch.end() == (0, "")
    assert count(gateway, "TestConnection") == 2


async def test_a_restart_of_the_gateway_costs_one_line_at_most(gateway: SimulatedGateway, drive: Drive) -> None:
    batch = await drive("--plaintext")
    (first,) = await batch.ask("open-session")
    await gateway.restart()
    await batch.ask("open-session")
    (answer,) = await batch.ask("open-session")
    assert answer["ok"] is True
    (lost,) = await batch.ask("register --client-name x --session-id", first["session_id"])
    assert lost["error"]["grpc_code"] == "NOT_FOUND"
    assert await batch.end() == (0, "")


async def test_many_lines_share_one_connection(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    process = await start("batch", stdin=asyncio.subprocess.PIPE)
    line = " ".join(["advise", *opened.at_server, "--item-handle 1\n"]).encode()
    out, err = await asyncio.wait_for(process.communicate(line * 200), DEADLINE)
    assert (process.returncode, err) == (0, b"")
    assert out.count(b'"ok": true') == out.count(EOR.encode()) == 200
    assert count(gateway, "TestConnection") == 2  # One is the fixture's.


async def test_a_reader_that_left_ends_it(gateway: SimulatedGateway, start: Start) -> None:
    reading, writing = os.pipe()
    process = await start("batch", "--plaintext", stdin=asyncio.subprocess.PIPE, stdout=writing)
    os.close(writing)
    os.close(reading)
    assert process.stdin is not None
    process.stdin.write(b"open-session\n" * 5)
    process.stdin.close()
    ran = await ended(process)
    assert (ran.code, ran.err) == (1, "mxgw-py: the reader of the answers has left: stopped after line 1\n")
    assert count(gateway, "OpenSession") == 1


no_windows = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C alone on Windows")


@no_windows
async def test_ctrl_c_while_it_waits_ends_it(gateway: SimulatedGateway, drive: Drive) -> None:
    batch = await drive("--plaintext")
    await batch.ask("open-session")
    batch.process.send_signal(signal.SIGINT)
    ran = await ended(batch.process)
    # Where it comes between two lines, click ends the line that a terminal's ^C stands in.
    assert (ran.code, ran.out, ran.err.lstrip()) == (130, "", "mxgw-py: interrupted\n")


@no_windows
@pytest.mark.parametrize(
    ("line", "fault", "code"),
    [("write --item-handle 1 --type int32 --value 5", "write", 6), ("advise --item-handle 1", "advise", 130)],
)
async def test_ctrl_c_in_a_line_answers_it_and_ends_it(
    line: str, fault: str, code: int, gateway: SimulatedGateway, opened: Open, drive: Drive
) -> None:
    gateway.faults.delay(fault, 5)
    batch = await drive()
    before = len(gateway.calls)
    asked = asyncio.create_task(batch.ask(line, *opened.at_server))
    # Before the write itself its range is looked up.
    await until(
        lambda: any(
            call.rpc == "Invoke" and call.request.command.WhichOneof("payload") == fault
            for call in gateway.calls[before:]
        )
    )
    batch.process.send_signal(signal.SIGINT)
    (answer,) = await asked
    assert (answer["ok"], answer["error"]["exit_code"]) == (False, code)
    ran = await ended(batch.process)
    assert (ran.code, ran.out, ran.err) == (130, "", "mxgw-py: interrupted\n")
