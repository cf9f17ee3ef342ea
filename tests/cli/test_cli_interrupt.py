"""Ctrl-C: one line, exit code 130, sessions closed; and a write on its way is called unknown."""

import array
import asyncio
import os
import signal
import sys
import threading
import time

import pytest
from cli_process import KEY, Open, Start, ended, until

from zb_mom_ww_mxgateway import MxGatewayError
from zb_mom_ww_mxgateway_cli import gateways
from zb_mom_ww_mxgateway_cli.gateways import Gateways
from zb_mom_ww_mxgateway_console.process import endings
from zb_mom_ww_mxgateway_sim import SimulatedGateway

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be sent Ctrl-C alone on Windows"),
    pytest.mark.usefixtures("heard_hangups"),
]

SMOKE = ("smoke", "--plaintext", "--item", "TestChildObject.TestInt")


def commanded(gateway: SimulatedGateway, kind: str) -> bool:
    """Whether such a command has come in."""
    return any(call.rpc == "Invoke" and call.request.command.HasField(kind) for call in gateway.calls)


async def test_a_stream_is_interrupted(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    process = await start(*opened.stream)
    await until(lambda: gateway.open_streams)
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    assert (ran.code, ran.out, ran.err) == (130, "", "mxgw-py: interrupted\n")
    await until(lambda: not gateway.open_streams)


async def test_an_interrupt_is_json_where_json_is_asked_for(
    gateway: SimulatedGateway, opened: Open, start: Start
) -> None:
    process = await start(*opened.stream, "--json")
    await until(lambda: gateway.open_streams)
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    assert (ran.code, ran.err) == (130, "")
    assert ran.json == [{"error": {"exit_code": 130, "message": "interrupted", "type": "Interrupted"}, "ok": False}]


async def test_a_smoke_test_closes_its_session(environment: dict[str, str], start: Start) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], first_change_delay=60) as gateway:
        process = await start(*SMOKE, MXGATEWAY_ENDPOINT=gateway.endpoint)
        await until(lambda: commanded(gateway, "advise"))
        process.send_signal(signal.SIGINT)
        ran = await ended(process)
        assert (ran.code, ran.err) == (130, "mxgw-py: interrupted\n")
        (step, said), closing = [line.split()[:2] for line in ran.out.splitlines()][-2:]
        # The signal may be quicker than the answer to advise.
        assert step in ("advise", "first-event")
        assert (said, closing) == ("failed", ["close", "ok"])
        assert [session.state for session in gateway.sessions.values()] == ["CLOSED"]


async def test_a_session_that_is_just_being_opened_is_closed(gateway: SimulatedGateway, start: Start) -> None:
    gateway.faults.delay("OpenSession", 0.5)
    process = await start(*SMOKE)
    await until(lambda: any(call.rpc == "OpenSession" for call in gateway.calls))
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    assert (ran.code, ran.err) == (130, "mxgw-py: interrupted\n")
    assert [session.state for session in gateway.sessions.values()] == ["CLOSED"]


MUTATING = [
    ("write", ["write"], ["--type", "int32", "--value", "5"]),
    ("write_bulk", ["write-bulk"], ["--entry", "{item}=int32:5"]),
    ("write2_bulk", ["write2-bulk", "--timestamp", "2026-10-02T08:14:00Z"], ["--entry", "{item}=int32:5"]),
]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(("kind", "command", "values"), MUTATING, ids=[kind for kind, _, _ in MUTATING])
async def test_a_write_on_its_way_is_unknown(
    gateway: SimulatedGateway,
    opened: Open,
    start: Start,
    number: signal.Signals,
    kind: str,
    command: list[str],
    values: list[str],
) -> None:
    gateway.faults.stall(kind)
    _, *where = opened.write
    if kind != "write":
        where = where[: where.index("--item-handle")]
    process = await start(*command, *where, *(value.format(item=opened.item) for value in values))
    await until(lambda: commanded(gateway, kind))
    process.send_signal(number)
    # As timeout does: a program and its group are told.
    process.send_signal(number)
    ran = await ended(process)
    gateway.faults.release()
    assert (ran.code, ran.out) == (6, ""), ran.err
    assert ran.err == (
        f"mxgw-py: outcome unknown: {kind} was interrupted before its answer came. "
        "It may have happened, or may still happen for up to 75 s, and was not sent again: check before you repeat it\n"
    )


async def test_a_signal_that_cuts_the_end_short_hides_no_doubt(gateway: SimulatedGateway, start: Start) -> None:
    gateway.faults.stall("write")
    gateway.faults.stall("CloseSession")
    process = await start("write", "--plaintext", "TestChildObject.TestInt", "5")
    await until(lambda: gateway.mutating_calls)
    while process.returncode is None:
        process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.1)
    ran = await ended(process)
    gateway.faults.release()
    assert ran.code == 6
    assert "outcome unknown: write was interrupted before its answer came" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_in_the_end_behind_an_unknown_write_hides_no_doubt(
    gateway: SimulatedGateway, start: Start, number: signal.Signals
) -> None:
    gateway.faults.stall("write")
    gateway.faults.stall("CloseSession")
    process = await start("write", "--plaintext", "TestChildObject.TestInt", "5", "--timeout", "1s")
    await until(lambda: any(call.rpc == "CloseSession" for call in gateway.calls))
    process.send_signal(number)
    ran = await ended(process)
    gateway.faults.release()
    assert ran.code == 6
    assert "outcome unknown: the write of TestChildObject.TestInt" in ran.err


@pytest.mark.parametrize("error", [MxGatewayError("in doubt", outcome_unknown=True), None])
def test_a_signal_while_the_connections_are_closed_hides_no_doubt(
    monkeypatch: pytest.MonkeyPatch, error: MxGatewayError | None
) -> None:
    async def interrupted(_: Gateways) -> None:
        raise KeyboardInterrupt

    def ended_with() -> None:
        with Gateways() as all_gateways:
            all_gateways._loop = asyncio.Runner()
            if error:
                raise error

    monkeypatch.setattr(Gateways, "_disconnected", interrupted)
    with pytest.raises((MxGatewayError, KeyboardInterrupt)) as raised:
        ended_with()
    assert raised.type is (MxGatewayError if error else KeyboardInterrupt)


async def test_a_write_by_name_that_waits_for_its_first_value_is_not_sent(
    environment: dict[str, str], start: Start
) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=[KEY], first_change_delay=60) as gateway:
        write = ("write", "--plaintext", "TestChildObject.TestInt", "5", "--json")
        process = await start(*write, MXGATEWAY_ENDPOINT=gateway.endpoint)
        await until(lambda: commanded(gateway, "subscribe_bulk"))
        process.send_signal(signal.SIGINT)
        ran = await ended(process)
        assert (ran.code, ran.json[0]["error"]["message"]) == (130, "interrupted; no write was sent")
        assert gateway.mutating_calls == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_what_writes_nothing_is_interrupted_by_any_signal(
    gateway: SimulatedGateway, opened: Open, start: Start, number: signal.Signals
) -> None:
    gateway.faults.stall("register")
    before = len(gateway.calls)
    process = await start("register", "--plaintext", "--session-id", opened.session.session_id, "--client-name", "x")
    await until(lambda: any(call.rpc == "Invoke" for call in list(gateway.calls)[before:]))
    process.send_signal(number)
    ran = await ended(process)
    gateway.faults.release()
    assert (ran.code, ran.out, ran.err) == (130, "", "mxgw-py: interrupted\n")


async def test_what_nohup_starts_goes_on_when_its_terminal_closes(
    gateway: SimulatedGateway, opened: Open, start: Start
) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    process = await start(*opened.stream, "--count", "2")
    await until(lambda: gateway.open_streams)
    process.send_signal(signal.SIGHUP)
    for value in (5, 6):
        gateway.set("TestChildObject.TestInt", value)
    ran = await ended(process)
    assert (ran.code, ran.err) == (0, "")


async def test_connecting_is_interrupted(gateway: SimulatedGateway, start: Start) -> None:
    gateway.faults.delay("TestConnection", 30)
    process = await start(*SMOKE)
    await until(lambda: gateway.calls)
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    assert (ran.code, ran.out, ran.err) == (130, "", "mxgw-py: interrupted\n")


def filled(pipe: int) -> int:
    """How many bytes wait in a pipe."""
    import fcntl
    import termios

    waiting = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, waiting)
    return waiting[0]


async def test_a_reader_that_pauses_cannot_hold_it(gateway: SimulatedGateway, opened: Open, start: Start) -> None:
    reading, writing = os.pipe()
    process = await start(*opened.stream, "--json", stdout=writing)
    os.close(writing)
    await until(lambda: gateway.open_streams)
    for value in range(1, 1000):
        gateway.set("TestChildObject.TestInt", value)
    # The events take some 400 KB, more than the pipe holds: soon a print waits for room.
    seen = [0]
    async with asyncio.timeout(30):
        while len(seen) < 20:
            await asyncio.sleep(0.01)
            now = filled(reading)
            seen = [*seen, now] if now == seen[-1] > 32_000 else [now]
    process.send_signal(signal.SIGINT)
    ran = await ended(process)
    os.close(reading)
    assert (ran.code, ran.err) == (130, "mxgw-py: interrupted\n")


def interrupt_elsewhere() -> None:
    """Has Ctrl-C come on this thread, while the other one waits."""
    while "select" not in sys._current_frames()[threading.main_thread().ident or 0].f_code.co_name:
        time.sleep(0.01)
    time.sleep(0.1)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)


async def test_a_signal_that_does_not_end_the_wait_of_the_loop_ends_the_call_at_once() -> None:
    """One that comes right before the loop begins to wait, or on another thread as here, leaves it waiting."""
    handlers = {number: signal.getsignal(number) for number in endings.numbers(endings.ENDING)}

    async def called() -> None:
        with gateways._ended_by_signals(asyncio.get_running_loop(), asyncio.current_task()):
            threading.Thread(target=interrupt_elsewhere).start()
            await asyncio.Event().wait()

    try:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(called())
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
