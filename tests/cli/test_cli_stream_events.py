"""Streaming an open session's events: what is printed, when it ends, and that the stream is never held up."""

import asyncio
import os
import re
import threading
import time
from pathlib import Path
from unittest.mock import ANY

import grpc
import pytest
from cli_process import KEY, Open, Run, Start, ended, until

from zb_mom_ww_mxgateway import EventFamily, EventHeader, GatewayClient, MxEvent
from zb_mom_ww_mxgateway_cli.commands.streaming import Printer, Rendering
from zb_mom_ww_mxgateway_console.render.event_forms import event_form, event_text
from zb_mom_ww_mxgateway_console.render.forms import ExpectationNotMet
from zb_mom_ww_mxgateway_console.render.report import Report
from zb_mom_ww_mxgateway_sim import Category, SimulatedGateway, Source, Status

ITEM = "TestChildObject.TestInt"


async def test_max_events_ends_it(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    process = await start(*opened.stream, "--max-events", "2")
    await until(lambda: gateway.open_streams)
    for value in (7, 8, 9):
        gateway.set(ITEM, value)
    ran = await ended(process)
    assert (ran.code, ran.err) == (0, "")
    first, second = ran.out.splitlines()
    assert re.fullmatch(r" +2  ON_DATA_CHANGE     1/1      7  good  20\S+Z  OK", first)
    assert re.fullmatch(r" +3  ON_DATA_CHANGE     1/1      8  good  20\S+Z  OK", second)


async def test_duration_ends_it(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    started = time.monotonic()
    ran = await mxgw_py(*opened.stream, "--duration", "300ms")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    # Not before; that it ends at all is what the deadline of every run is for.
    assert time.monotonic() - started > 0.3


async def test_the_json_of_an_event(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    process = await start(*opened.stream, "--max-events", "3", "--json")
    await until(lambda: gateway.open_streams)
    denied = Status(Category.SECURITY_ERROR, Source.RESPONDING_LMX, 33, "no\x1b[0m")
    gateway.set(ITEM, 7, quality=64, statuses=[denied])
    gateway.set(ITEM, None, quality=0)
    await opened.session.write(opened.server, opened.item, 5)
    ran = await ended(process)
    assert (ran.code, ran.err) == (0, "")
    ok = {"category": "OK", "detail": 0, "detected_by": "RESPONDING_LMX", "diagnostic_text": "", "success": ANY}
    first = {
        "body": None,
        "data_type": "INTEGER",
        "family": "ON_DATA_CHANGE",
        "gateway_receive_timestamp": ANY,
        "hresult": None,
        "item_handle": 1,
        "quality": 64,
        "quality_word": "uncertain",
        "replay_gap": None,
        "server_handle": 1,
        "source_timestamp": ANY,
        "statuses": [ok | {"category": "SECURITY_ERROR", "detail": 33, "diagnostic_text": "no\x1b[0m"}],
        "value": 7,
        "variant_type": "VT_I4",
        "worker_sequence": 2,
    }
    events = ran.json
    assert events[0] == first
    nothing = {"data_type": "NO_DATA", "quality": 0, "quality_word": "bad", "value": None, "variant_type": "VT_EMPTY"}
    assert events[1] == first | nothing | {"statuses": [ok], "worker_sequence": 3}
    assert "\x1b" not in ran.out


async def test_the_completion_of_a_write_has_no_quality(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    process = await start(*opened.stream, "--max-events", "2", "--json")
    await until(lambda: gateway.open_streams)
    await opened.session.write(opened.server, opened.item, 5)
    events = {event["family"]: event for event in (await ended(process)).json}
    assert events["ON_DATA_CHANGE"]["quality_word"] == "good"
    assert events["ON_WRITE_COMPLETE"]["quality_word"] is None
    assert [status["category"] for status in events["ON_WRITE_COMPLETE"]["statuses"]] == ["OK"]


async def test_buffered_changes_are_told_in_the_body(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    await opened.session.set_buffered_update_interval(opened.server, 50)
    item = await opened.session.add_buffered_item(opened.server, "TestChildObject.TestDouble")
    process = await start(*opened.stream, "--max-events", "1", "--json")
    await until(lambda: gateway.open_streams)
    await opened.session.advise(opened.server, item)
    ran = await ended(process)
    assert (ran.code, ran.err) == (0, "")
    (event,) = ran.json
    assert event["family"] == "ON_BUFFERED_DATA_CHANGE"
    assert set(event["body"]) == {"data_type", "qualities", "timestamps", "values"}
    assert event["body"]["data_type"] == "DOUBLE"
    assert len(event["body"]["values"]) == len(event["body"]["qualities"]) == len(event["body"]["timestamps"]) > 0


async def test_nothing_from_the_gateway_reaches_the_terminal_raw(
    gateway: SimulatedGateway, opened: Open, start: Start
) -> None:
    item = await opened.session.add_item(opened.server, "TestChildObject.TestString")
    process = await start(*opened.stream, "--max-events", "1")
    await until(lambda: gateway.open_streams)
    gateway.set("TestChildObject.TestString", "a\x1b]0;title\x07\r\nb\u202e Füllstand")
    await opened.session.advise(opened.server, item)
    ran = await ended(process)
    assert "a\\x1b]0;title\\x07\\r\\nb\\u202e Füllstand  good" in ran.out
    assert ran.out.count("\n") == 1


async def test_a_console_that_cannot_show_a_character_gets_an_escape(
    gateway: SimulatedGateway, opened: Open, start: Start
) -> None:
    item = await opened.session.add_item(opened.server, "TestChildObject.TestString")
    process = await start(*opened.stream, "--max-events", "1", PYTHONIOENCODING="cp1252")
    await until(lambda: gateway.open_streams)
    gateway.set("TestChildObject.TestString", "10 € \N{RIGHTWARDS ARROW}")
    await opened.session.advise(opened.server, item)
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert "10 € \\u2192  good".encode("cp1252") in out


async def test_after_resumes_and_a_gap_is_told(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    for value in (1, 2, 3):
        gateway.set(ITEM, value)
    ran = await mxgw_py(*opened.stream, "--after", "2", "--max-events", "2", "--json")
    assert [(event["worker_sequence"], event["value"]) for event in ran.json] == [(3, 2), (4, 3)]
    await until(lambda: not gateway.open_streams)
    gateway.faults.evict_replay(opened.session.session_id)
    ran = await mxgw_py(*opened.stream, "--after", "2", "--max-events", "1", "--json")
    assert ran.json[0]["replay_gap"] == {"oldest_available_sequence": 0, "requested_after_sequence": 2}
    await until(lambda: not gateway.open_streams)
    ran = await mxgw_py(*opened.stream, "--after", "2", "--max-events", "1")
    assert ran.out.strip() == "GAP: events lost after 2; none is available"


async def test_an_unknown_session_is_one_line(gateway: SimulatedGateway, mxgw_py: Run) -> None:
    ran = await mxgw_py("stream-events", "--plaintext", "--session-id", "session-1")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == (
        f"mxgw-py: stream_events at {gateway.endpoint}: NOT_FOUND no session session-1; "
        f"it was closed or has expired: open a new one at {gateway.endpoint}\n"
    )


async def test_a_second_reader_is_told_of_the_first(gateway: SimulatedGateway, opened: Open, mxgw_py: Run) -> None:
    async with opened.session.stream_events():
        await until(lambda: gateway.open_streams)
        ran = await mxgw_py(*opened.stream, "--json")
        assert ran.code == 3
        (error,) = ran.json
        assert (error["ok"], error["error"]["grpc_code"]) == (False, "ALREADY_EXISTS")
        assert error["error"]["message"].endswith("a session has one event stream: end its other reader first")


async def test_a_broken_stream_is_an_error_after_its_events(
    gateway: SimulatedGateway, opened: Open, start: Start
) -> None:
    process = await start(*opened.stream, "--json", "--max-events", "100")
    await until(lambda: gateway.open_streams)
    gateway.set(ITEM, 7)
    assert process.stdout is not None
    first = await process.stdout.readline()
    gateway.faults.drop_streams(grpc.StatusCode.UNAVAILABLE)
    ran = await ended(process)
    assert b'"value": 7' in first
    assert ran.code == 4
    (error,) = ran.json
    assert set(error) == {"error", "ok"}
    assert error["error"] == {
        "call": "stream_events",
        "correlation_id": None,
        "endpoint": gateway.endpoint,
        "exit_code": 4,
        "grpc_code": "UNAVAILABLE",
        "hresult": None,
        "message": f"stream_events at {gateway.endpoint}: UNAVAILABLE the event stream was dropped",
        "outcome_unknown": False,
        "protocol_status": None,
        "statuses": [],
        "type": "MxGatewayTransportError",
    }


async def test_a_session_that_is_closed_elsewhere_ends_it_with_an_error(
    gateway: SimulatedGateway, opened: Open, start: Start
) -> None:
    process = await start(*opened.stream, "--duration", "1h")
    await until(lambda: gateway.open_streams)
    await opened.session.close()
    ran = await ended(process)
    assert (ran.code, ran.err) == (
        3,
        f"mxgw-py: {gateway.endpoint} ended the event stream, as it does when the session is closed\n",
    )


async def test_each_event_is_flushed(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    process = await start(*opened.stream)
    await until(lambda: gateway.open_streams)
    assert process.stdout is not None
    for value in (5, 6):
        gateway.set(ITEM, value)
        async with asyncio.timeout(30):
            assert f"  {value}  good  ".encode() in await process.stdout.readline()


async def test_a_reader_that_has_enough_ends_it_without_a_word(
    gateway: SimulatedGateway, opened: Open, start: Start
) -> None:
    reading, writing = os.pipe()
    process = await start(*opened.stream, stdout=writing)
    os.close(writing)
    await until(lambda: gateway.open_streams)
    gateway.set(ITEM, 1)
    assert b"good" in await asyncio.to_thread(os.read, reading, 1000)
    os.close(reading)
    for value in range(2, 1000):
        gateway.set(ITEM, value)
        await asyncio.sleep(0.01)
        if process.returncode is not None:
            break
    ran = await ended(process)
    assert (ran.code, ran.err) == (0, "")


def waiting_at(gateway: SimulatedGateway, session_id: str) -> int:
    """Events that the gateway has not yet handed over."""
    return gateway.sessions[session_id].waiting_events


async def test_a_reader_that_pauses_does_not_stop_the_stream(environment: dict[str, str], start: Start) -> None:
    async with (
        SimulatedGateway(plaintext=True, api_keys=[KEY], event_queue_size=2000) as gateway,
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=KEY.text, plaintext=True) as client,
        await client.open_session() as session,
    ):
        item = await session.add_item(await session.register("test"), ITEM)
        await session.advise(1, item)
        reading, writing = os.pipe()
        count = 7_000
        process = await start(
            "stream-events",
            "--plaintext",
            "--json",
            "--session-id",
            session.session_id,
            "--max-events",
            str(count),
            stdout=writing,
            MXGATEWAY_ENDPOINT=gateway.endpoint,
        )
        os.close(writing)
        await until(lambda: gateway.open_streams)
        for value in range(1, count):
            gateway.set(ITEM, value)
            if value % 500 == 0:
                # However busy the machine is: what waits at the gateway is taken, or this ends the test.
                await until(lambda: waiting_at(gateway, session.session_id) < 1_000)
        await until(lambda: not gateway.open_streams)
        assert gateway.sessions[session.session_id].state == "READY"
        with os.fdopen(reading, encoding="utf-8") as lines:
            last = (await asyncio.to_thread(lines.readlines))[-1]
        assert f'"worker_sequence": {count}' in last
        ran = await ended(process)
        assert (ran.code, ran.err) == (0, "")


async def test_a_reader_too_far_behind_ends_it() -> None:
    printing, resumed = threading.Event(), threading.Event()

    class Paused(Report):
        def lines(self, lines: list[str]) -> None:
            printing.set()
            resumed.wait(10)
            printed.extend(lines)

    printed: list[str] = []
    event = MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, 1, 1, 192), 1, 7)
    printer = Printer(Paused(), Rendering(event_form, event_text), most_waiting=3)
    async with printer:
        for _ in range(4):  # One is being printed, three may wait.
            printer.put(event)
            await until(lambda: printing.is_set())
        with pytest.raises(ExpectationNotMet, match="the reader of the output is 3 lines behind"):
            printer.put(event)
        resumed.set()
    assert len(printed) == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
async def test_output_that_cannot_be_written_is_told(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    with open("/dev/full", "wb") as full:  # noqa: ASYNC230, PTH123  # a device
        process = await start(*opened.stream, "--json", "--max-events", "1", stdout=full.fileno())
    await until(lambda: gateway.open_streams)
    gateway.set(ITEM, 1)
    ran = await ended(process)
    assert (ran.code, ran.err) == (1, "mxgw-py: cannot write the output: No space left on device\n")
    with open("/dev/full", "wb") as full:  # noqa: ASYNC230, PTH123  # a device
        process = await start("smoke", "--json", "--item", "x", "--endpoint", "localhost", stdout=full.fileno())
    ran = await ended(process)
    assert (ran.code, ran.err) == (2, "mxgw-py: endpoint 'localhost': host:port expected, for example localhost:5000\n")
