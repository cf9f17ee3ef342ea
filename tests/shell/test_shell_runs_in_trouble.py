"""Runs of command files when something comes between: signals, a terminal that closes, a connection that breaks; and
what their reports say then."""

import asyncio
import json
import re
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import grpc
import pytest
from shell_process import Runs, next_statement, statements

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL, ARRAY = "TestChildObject.TestInt", "TestChildObject.TestBool", "TestChildObject.TestIntArray"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


def calls_of(gateway: SimulatedGateway, kind: str) -> int:
    return sum(call.rpc == "Invoke" and call.request.command.HasField(kind) for call in gateway.calls)


async def until(process: asyncio.subprocess.Process, condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # a simulated gateway tells nobody
            assert process.returncode is None
            await asyncio.sleep(0.01)


async def test_a_write_under_way_when_the_connection_breaks_is_unknown_and_what_always_runs_waits_for_another(
    run: Runs,
) -> None:
    run.gateway.faults.stall("write")
    run.file(f"expect {BOOL} = false\nwrite {INT} 1\nwrite {INT} 2\nfinally\nwrite {BOOL} true\nexpect {BOOL} = true\n")
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs", "--report-junit", "out.xml")
    await until(process, lambda: calls_of(run.gateway, "write") == 1)
    run.gateway.faults.kill_connections()
    run.gateway.faults.release()
    out, err = await process.communicate()
    _, unknown, *ending = statements(out)
    assert (process.returncode, unknown["ok"], unknown["result"]["outcome"]) == (6, False, "unknown")
    assert [(each["command"], each["ok"]) for each in ending] == [("finally", True), ("write", True), ("expect", True)]
    # What came of the first is not known; it was not sent again.
    assert [value for value in run.written if value != 1 or value is True] == [True]
    assert calls_of(run.gateway, "write") == 2
    assert re.search(rb"(?m)^\d\d:\d\d:\d\dZ  event stream lost, resuming", err)
    assert any("event stream lost" in notice for each in (unknown, *ending) for notice in each["notices"])
    assert re.search(r"\d\d:\d\d:\d\dZ  event stream lost", (run.folder / "out.xml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("last", "written"), [(f"write {INT} 0", 0), (f"write-elements {ARRAY} 2 0=0 1=5", (0, 5))])
async def test_what_always_runs_writes_on_the_next_session_what_the_lost_one_surely_did_not_carry_out(
    run: Runs, last: str, written: object
) -> None:
    run.file(f"write {INT} 1\nfinally\n{last}\n")
    run.gateway.schedule("at write 2 lose-session")
    code, out, err = await run.process("--plaintext", "--yes", "-c", "try.mxs")
    assert (code, run.written) == (0, [1, written])
    assert "not carried out, trying again" in out + err


@pytest.mark.parametrize("fault", ["lose-reply", "refuse UNAVAILABLE away", "kill-connection"])
async def test_what_always_runs_does_not_send_again_what_may_have_happened(run: Runs, fault: str) -> None:
    run.file(f"write {INT} 1\nfinally\nwrite {INT} 0\n")
    run.gateway.schedule(f"at write 2 {fault}")
    code, out, err = await run.process("--plaintext", "-c", "try.mxs")
    assert code == 6
    assert calls_of(run.gateway, "write") == 2
    assert "tried again" not in out + err


async def test_what_does_not_always_run_is_not_tried_again(run: Runs) -> None:
    run.file(f"write {INT} 1\nwrite {INT} 2\n")
    run.gateway.schedule("at write 2 lose-session")
    code, _, _ = await run.process("--plaintext", "-c", "try.mxs")
    assert (code, run.written) == (3, [1])


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")
@pytest.mark.parametrize("is_answered", [True, False])
async def test_a_verification_that_is_interrupted_says_how_the_write_ended(run: Runs, is_answered: bool) -> None:
    # A valve takes its time to travel.
    position = "Plant.Tank1.Inlet.Position"
    start = run.gateway.read(position).value
    run.file(f"write {position} 100 --verify within 60s\n")
    if not is_answered:
        run.gateway.faults.lose_next_reply("write")
    process = await run.process.start("--plaintext", "-c", "try.mxs")
    await until(process, lambda: run.gateway.read(position).value > start + 20)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(30):
        while b"once more ends it at once" not in said:
            said += await process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    told = (said + out + err).decode()
    assert process.returncode == (130 if is_answered else 6)
    assert ("completed" in told) == is_answered
    assert "NOT VERIFIED" in told
    assert ("UNKNOWN" in told) != is_answered


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")
async def test_a_write_that_is_interrupted_after_it_was_accepted_says_so(run: Runs) -> None:
    run.gateway.faults.hold_write_completes()
    run.file(f"write {INT} 5\n")
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs")
    journal = run.folder / "records" / "state" / "journal" / "plant"
    await until(process, lambda: any('"kind":"answer"' in each.read_text("utf-8") for each in journal.glob("*.jsonl")))
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b"once more ends it at once" not in await process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
    assert process.returncode == 6
    (line,) = [each for each in statements(out) if each.get("error")]
    assert line["error"]["message"].startswith(f"interrupted; {INT} accepted ")
    assert line["error"]["message"].endswith("; the wait for its completion was interrupted: effect unknown")


async def test_after_a_session_lost_during_a_wait_a_run_continues_but_writes_nothing(run: Runs) -> None:
    other = f"expect {BOOL} = false"
    run.file(f"{other}\nexpect {INT} = 0\nwait {INT} = 5 timeout 20s\n{other}\nwrite {INT} 6\n")
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs")
    assert process.stdout is not None
    for _ in range(2):
        assert (await next_statement(process))["ok"] is True
    (lost,) = run.gateway.live_sessions
    run.gateway.faults.lose_session(lost)
    # Before the items are there again, it would be their value from the start and no new one.
    await until(process, lambda: calls_of(run.gateway, "subscribe_bulk") == 2)
    pings = calls_of(run.gateway, "ping")
    await until(process, lambda: calls_of(run.gateway, "ping") > pings)
    run.gateway.set(INT, 5)
    out, err = await process.communicate()
    assert (process.returncode, run.written) == (5, [])
    assert [each["ok"] for each in statements(out)] == [True, True, False]
    assert b"read-only, the session was lost: see that the plant is as it should be" in out
    assert any("has taken its place" in notice for notice in statements(out)[0]["notices"])
    assert b"session lost, opening another with the same items" in err
    assert b"has taken its place: 2 items added again" in err


async def test_a_run_that_failed_keeps_its_code_when_its_session_cannot_be_closed_either(run: Runs) -> None:
    run.gateway.faults.fail_next("CloseSession", code=grpc.StatusCode.INTERNAL)
    done = await run(f"expect {INT} = 9\n")
    assert done.code == 1
    assert "expected" in done.err.splitlines()[0]


async def test_an_unwritable_report_is_reported_before_anything_runs(run: Runs) -> None:
    done = await run(f"write {INT} 5\n", "--report-junit", "nowhere/out.xml")
    assert (done.code, run.written) == (2, [])
    assert "cannot write nowhere/out.xml" in done.err
    (run.folder / "folder").mkdir()
    done = await run(f"write {INT} 5\n", "--report-junit", "folder")
    assert (done.code, done.err, run.written) == (2, "mxgw-shell: cannot write folder: Is a directory\n", [])
    done = await run(f"write {INT} 5\n", "--report-junit", "./try.mxs")
    assert (done.code, "is the file to run" in done.err, run.written) == (2, True, [])
    assert (run.folder / "try.mxs").read_text(encoding="utf-8").endswith(f"write {INT} 5\n")
    part = run.file(f"write {INT} 6\n", "part.mxs", declares=False)
    done = await run("include part.mxs\n", "--report-junit", "part.mxs")
    assert (done.code, "is the file to run" in done.err, run.written) == (2, True, [])
    assert part.read_text(encoding="utf-8") == f"write {INT} 6\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no /dev/stdout on Windows")
async def test_a_report_may_go_where_a_pipe_leads(run: Runs) -> None:
    done = await run(f"expect {INT} = 0\n", "-q", "--report-junit", "/dev/stdout")
    assert ElementTree.fromstring(done.out.encode())[0].get("tests") == "1"


async def test_no_report_of_a_former_run_is_left_to_be_taken_for_this_one(run: Runs) -> None:
    report = run.folder / "out.xml"

    def told() -> tuple[str | None, str]:
        suite = ElementTree.parse(report).getroot()[0]
        (error,) = suite.iter("error")
        return suite.get("errors"), error.get("message", "")

    report.write_text("<testsuites/>", encoding="utf-8")
    assert (await run("frob\n", "--report-junit", "out.xml")).code == 2
    assert told() == ("1", "try.mxs:1:1: no command frob; help lists them")
    report.write_text("<testsuites/>", encoding="utf-8")
    assert (await run.process("-c", "nowhere.mxs", "--report-junit", "out.xml")).code == 2
    assert told()[1].startswith("cannot read nowhere.mxs")
    away = await run(f"expect {INT} = 0\n", "--report-junit", "out.xml", "--endpoint", "127.0.0.1:1")
    assert away.code == 4
    assert told()[1].startswith("cannot connect to 127.0.0.1:1")
    run.file(f"write {INT} 1\nwait {INT} = 5 timeout 60s\n")
    process = await run.process.start("--plaintext", "-c", "try.mxs", "--report-junit", "out.xml")
    await until(process, lambda: run.written == [1])
    process.kill()
    await process.communicate()
    assert told() == ("1", "the run did not reach its end")


async def test_a_report_whose_folder_is_gone_is_not_why_a_run_did_not_begin(run: Runs) -> None:
    folder = run.folder / "reports"
    folder.mkdir()

    def gone(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        writer.close()

    async with await asyncio.start_server(gone, "127.0.0.1", 0) as server:
        endpoint = "{}:{}".format(*server.sockets[0].getsockname())
        done = await run(f"expect {INT} = 0\n", "--report-junit", "reports/out.xml", "--endpoint", endpoint)
    assert done.code == 4
    assert f"connect at {endpoint}" in done.err
    assert "no report: cannot write reports" in done.err


async def test_steps_that_did_not_run_are_reported_by_their_titles(run: Runs) -> None:
    await run(
        f'let part = pump\nexpect {INT} = 9\nstep "the $part"  # remark\nstep $part\n', "--report-junit", "out.xml"
    )
    suite = ElementTree.parse(run.folder / "out.xml").getroot()[0]
    assert [case.get("name") for case in suite.iter("testcase") if case.find("skipped") is not None] == [
        "try.mxs:3 the pump",
        "try.mxs:4 pump",
    ]


async def test_a_step_by_another_name_is_a_step(run: Runs) -> None:
    file = f'alias part step\npart one\nexpect {INT} = 0\npart two\nexpect {INT} = 9\npart "the third"\n'
    done = await run(file, "--report-junit", "out.xml")
    assert '1 of 3 steps passed; 1 failed: "two"; 1 not run' in done.out
    suite = ElementTree.parse(run.folder / "out.xml").getroot()[0]
    assert [case.get("name") for case in suite.iter("testcase")] == [
        "try.mxs:1 before the first step",
        *("try.mxs:2 one", "try.mxs:4 two", "try.mxs:6 the third"),
    ]


async def test_a_reader_that_goes_away_stops_a_run_but_not_what_always_runs(run: Runs) -> None:
    run.file(f"write {INT} 1\n" + "status\n" * 300 + f"write {INT} 2\nfinally\nwrite {INT} 3\n")
    process = await run.process.start("--plaintext", "-c", "try.mxs")
    assert process.stdout is not None
    await process.stdout.readline()
    process.stdout._transport.close()  # type: ignore[attr-defined]  # as head does
    async with asyncio.timeout(30):
        assert await process.wait() == 1
    assert run.written == [1, 3]


async def test_a_pipe_that_stays_open_does_not_hold_up_an_interrupted_run(run: Runs) -> None:
    if sys.platform == "win32":
        pytest.skip("no signal reaches another process alone on Windows")
    process = await run.process.start("--plaintext", "--json")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"let x = 5\n")
    async with asyncio.timeout(20):
        assert json.loads(await process.stdout.readline())["result"] == {"name": "x", "value": 5}
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 130


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")
class TestInterruption:
    """What a signal does to a run."""

    WAITS = f"write {INT} 1\nwait {INT} = 5 timeout 60s\nwrite {INT} 2\nfinally\nwrite {INT} 3\n"

    async def until_it_waits(self, run: Runs, text: str) -> asyncio.subprocess.Process:
        run.file(text)
        process = await run.process.start("--plaintext", "--json", "-c", "try.mxs", "--report-junit", "out.xml")
        assert process.stdout is not None
        async with asyncio.timeout(20):
            assert (await next_statement(process))["command"] == "write"
        return process

    async def err_line(self, process: asyncio.subprocess.Process) -> str:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            return (await process.stderr.readline()).decode()

    async def test_the_first_lets_the_statement_in_flight_end_and_goes_to_finally(self, run: Runs) -> None:
        process = await self.until_it_waits(run, self.WAITS)
        process.send_signal(signal.SIGINT)
        assert "interrupted: ends after this statement" in await self.err_line(process)
        run.gateway.set(INT, 5)
        out, err = await process.communicate()
        assert process.returncode == 130
        assert [each["ok"] for each in statements(out)] == [True, True, True]
        assert err == b""
        assert run.written == [1, 3]
        assert [session.state for session in run.gateway.sessions.values()] == ["CLOSED"]

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    async def test_the_second_ends_the_wait_at_once(self, run: Runs, number: signal.Signals) -> None:
        process = await self.until_it_waits(run, self.WAITS)
        process.send_signal(number)
        await self.err_line(process)
        process.send_signal(number)
        out, _ = await process.communicate()
        assert process.returncode == 130
        waited, *ending = statements(out)
        assert (waited["command"], waited["error"]["message"]) == ("wait", "interrupted")
        assert [each["ok"] for each in ending] == [True, True]
        assert run.written == [1, 3]
        assert (run.folder / "out.xml").read_text(encoding="utf-8").count("<testcase") == 2

    ENDS_SLOWLY = f"write {INT} 1\nfinally\nwait {INT} = 5 timeout 60s\nwait {INT} = 6 timeout 60s\nwrite {INT} 3\n"

    async def test_a_third_leaves_what_always_runs_too(self, run: Runs) -> None:
        process = await self.until_it_waits(run, self.ENDS_SLOWLY)
        process.send_signal(signal.SIGINT)
        await self.err_line(process)
        process.send_signal(signal.SIGINT)
        assert "still run; once more leaves them, too" in await self.err_line(process)
        said = asyncio.create_task(process.communicate())
        while not said.done():
            # A key that is held down is none; one that is pressed again is.
            process.send_signal(signal.SIGINT)
            await asyncio.wait([said], timeout=1.2)
        _, err = await said
        assert b"everything is left as it is" in err
        assert (process.returncode, run.written) == (130, [1])

    @pytest.mark.usefixtures("heard_hangups")
    async def test_a_key_that_is_held_down_and_a_terminal_that_closes_twice_leave_what_always_runs(
        self, run: Runs
    ) -> None:
        process = await self.until_it_waits(run, self.ENDS_SLOWLY)
        assert process.stderr is not None
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGINT):
            process.send_signal(number)
            if number is not signal.SIGHUP or calls_of(run.gateway, "write") < 1:
                await self.err_line(process)
        for _ in range(20):
            with suppress(ProcessLookupError):  # it may have ended
                process.send_signal(signal.SIGINT)
            await asyncio.sleep(0.01)
        run.gateway.set(INT, 5)
        run.gateway.set(INT, 6)
        await process.communicate()
        assert (process.returncode, run.written) == (130, [1, 3])

    async def test_a_run_that_is_interrupted_between_its_steps_is_no_success_in_its_report(self, run: Runs) -> None:
        process = await self.until_it_waits(run, f"write {INT} 1\nwait {INT} = 5 timeout 60s\nstep never\nnote never\n")
        process.send_signal(signal.SIGTERM)
        await self.err_line(process)
        run.gateway.set(INT, 5)
        await process.communicate()
        suite = ElementTree.parse(run.folder / "out.xml").getroot()[0]
        assert (process.returncode, suite.get("errors"), suite.get("skipped")) == (130, "1", "1")
        assert [error.get("message") for error in suite.iter("error")] == ["interrupted"]

    @pytest.mark.usefixtures("heard_hangups")
    async def test_a_terminal_that_closes_leads_to_finally(self, run: Runs) -> None:
        from shell_pty import at_a_terminal

        run.file(self.WAITS)
        async with at_a_terminal(run.process, run.gateway, "--plaintext", "-c", "try.mxs") as terminal:
            # What is waited for, and how it stands, is shown meanwhile.
            await terminal.shows(f"{INT} = 5: now 1 (good, ", "s left")
            terminal.take_away()
            run.gateway.set(INT, 5)
            assert await terminal.ended() == 130
        assert run.written == [1, 3]

    async def test_ctrl_c_at_a_narrow_terminal_leaves_lines_that_end_with_their_time_and_nothing_half(
        self, run: Runs
    ) -> None:
        from shell_pty import at_a_terminal

        run.file(self.WAITS)
        arguments = ("--plaintext", "-c", "try.mxs")
        async with at_a_terminal(run.process, run.gateway, *arguments, columns=80) as terminal:
            await terminal.shows(f"{INT} = 5: now 1 (good, ", "s left")
            terminal.type("\x03")
            await terminal.shows("interrupted: ends after this statement", "s left")
            run.gateway.set(INT, 5)
            text = await terminal.shows("interrupted, in")
        statements = [line for line in text.splitlines() if re.match(r" +\d+  (?!wait)", line)]
        assert statements
        assert all(line.endswith("ms") and len(line) == 79 for line in statements), text
        assert "s left" not in text
        assert "^" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
async def test_ctrl_c_at_a_question_is_no_and_ends_it_at_once(run: Runs) -> None:
    from shell_pty import at_a_terminal

    run.file(f'confirm "open the valve?"\nwrite {INT} 5\nfinally\nwrite {INT} 0\n')
    async with at_a_terminal(run.process, run.gateway, "--plaintext", "-c", "try.mxs") as terminal:
        await terminal.shows("open the valve? [y/N]")
        terminal.type("\x03")
        assert await terminal.ended() == 130
    assert run.written == [0]
