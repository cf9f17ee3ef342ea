"""What ends a run, whatever it is, leads to what always runs, and shows in the exit code: each by process."""

import asyncio
import io
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import prepared_programs
import pytest
from shell_process import Done, Runs, next_statement, statements
from started_programs import StartedProgram

from zb_mom_ww_mxgateway.recordings.columns import COLUMNS
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, gravest
from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestBool"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such signals, devices and limits on Windows")
pytestmark = pytest.mark.usefixtures("heard_hangups")
Process = asyncio.subprocess.Process | StartedProgram


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # a simulated gateway tells nobody
            await asyncio.sleep(0.01)


async def started(run: Runs, *arguments: str, prelude: str = "", **streams: object) -> Process:
    """A run whose streams are ours, and before which `prelude` is run in its process."""
    given: dict[str, object] = {"stdin": asyncio.subprocess.DEVNULL, "stdout": asyncio.subprocess.PIPE}
    return await prepared_programs.start(
        "zb_mom_ww_mxgateway_shell",
        ("--plaintext", *run.process.armed_for(*arguments)),
        environment=run.process.environment,
        folder=run.folder,
        # Python keeps nothing, or a half of it, where a test limits the size of files.
        prelude=f"import sys; sys.dont_write_bytecode = True; {prelude}",
        **(given | {"stderr": asyncio.subprocess.PIPE} | streams),  # type: ignore[arg-type]
    )


async def ended(process: Process) -> Done:
    async with asyncio.timeout(40):
        out, err = await process.communicate()
    return Done(process.returncode or 0, (out or b"").decode(), (err or b"").decode())


@POSIX
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("line", [f"wait {INT} = 5 timeout 10m", "sleep 10m"])
async def test_one_signal_ends_what_is_waited_for_and_does_what_always_runs(run: Runs, name: str, line: str) -> None:
    run.file(f"write {INT} 1\n{line}\nwrite {INT} 2\nfinally\nwrite {INT} 3\n")
    process = await started(run, "--json", "-c", "try.mxs")
    assert process.stdout is not None
    assert (await next_statement(process))["command"] == "write"
    await asyncio.wait_for(_waits(process), 20)
    # As timeout does, which tells a program and its group.
    process.send_signal(getattr(signal, name))
    process.send_signal(getattr(signal, name))
    done = await ended(process)
    assert (done.code, run.written) == (130, [1, 3])
    waited, *ending = done.objects
    assert waited["error"]["message"] == "interrupted"
    assert [each["ok"] for each in ending] == [True, True]
    assert "the lines after finally still run" in done.err


@POSIX
async def test_after_a_signal_the_lines_left_in_a_pipe_are_looked_through_for_finally(run: Runs) -> None:
    process = await started(run, "--json", stdin=asyncio.subprocess.PIPE)
    assert process.stdin is not None
    # The pipe stays open: whoever writes it may have more to say.
    process.stdin.write(f"sleep 10m\nwrite {INT} 2\nfinally\nwrite {INT} 3\n".encode())
    await asyncio.wait_for(_waits(process), 20)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(40):
        assert await process.wait() == 130
    assert run.written == [3]


@POSIX
async def test_what_nohup_starts_goes_on_when_its_terminal_closes(run: Runs) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    run.file(f"write {INT} 1\nwait {INT} = 5 timeout 10m\nwrite {INT} 2\n")
    process = await started(run, "--json", "-c", "try.mxs")
    await asyncio.wait_for(_waits(process), 20)
    process.send_signal(signal.SIGHUP)
    run.gateway.set(INT, 5)
    done = await ended(process)
    assert (done.code, run.written) == (0, [1, 2]), done


async def _waits(process: Process) -> None:
    """Until the line that waits shows, on standard error, how it stands."""
    assert process.stderr is not None
    while b" left" not in await process.stderr.readline():
        pass


@POSIX
async def test_a_signal_behind_finally_ends_a_wait_there_and_the_next_line_is_tried(run: Runs) -> None:
    run.file(f"write {INT} 1\nfinally\nwait {INT} = 5 timeout 10m\nwrite {INT} 3\n")
    process = await started(run, "--json", "-c", "try.mxs")
    await _waits(process)
    process.send_signal(signal.SIGTERM)
    done = await ended(process)
    assert (done.code, run.written) == (130, [1, 3])


@POSIX
async def test_a_write_that_is_not_completed_any_more_is_accepted_after_a_signal_and_finally_runs(run: Runs) -> None:
    run.file(f"expect {INT} = 0\nwrite {INT} 1\nfinally\nwrite {BOOL} true\n")
    run.gateway.faults.hold_write_completes()
    process = await started(run, "--json", "-c", "try.mxs")
    journal = run.folder / "records" / "state" / "journal" / "plant"
    # Before its answer it is only sent.
    await until(lambda: any('"kind":"answer"' in each.read_text("utf-8") for each in journal.glob("*.jsonl")))
    process.send_signal(signal.SIGTERM)
    await until(lambda: run.written == [1, True])
    run.gateway.faults.release_write_completes()
    done = await ended(process)
    assert done.code == 6
    assert f"{INT} accepted " in done.objects[1]["error"]["message"]
    assert "effect unknown" in done.objects[1]["error"]["message"]


MUCH = "".join(f'note "{"x" * 1000}"\n' for _ in range(200))


@POSIX
async def test_a_standard_output_that_nobody_reads_holds_up_nothing(run: Runs) -> None:
    run.file(f"write {INT} 1\n{MUCH}finally\n{MUCH}write {INT} 3\n")
    unread, written = os.pipe()
    process = await started(run, "-c", "try.mxs", "--report-junit", "out.xml", stdout=written)
    os.close(written)
    await until(lambda: run.written == [1, 3])
    # Its exit waits for the reader, but not for ever; and a signal ends that at once.
    await until(lambda: not run.gateway.live_sessions)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(30):
        assert await process.wait() == 1
    os.close(unread)
    assert process.stderr is not None
    assert b"standard output is stuck" in await process.stderr.read()
    assert "the run did not reach its end" not in (run.folder / "out.xml").read_text(encoding="utf-8")


@POSIX
async def test_a_reader_that_is_slow_gets_all_of_it(run: Runs) -> None:
    run.file(f"write {INT} 1\n{MUCH}")
    process = await started(run, "-c", "try.mxs")
    await until(lambda: run.written == [1] and not run.gateway.live_sessions)
    done = await ended(process)
    assert (done.code, done.out.count("x" * 1000)) == (0, 400)


@POSIX
async def test_a_terminal_that_is_stopped_holds_up_nothing_and_shows_the_rest_when_it_goes_on(run: Runs) -> None:
    from shell_pty import at_a_terminal

    run.file(f"write {INT} 1\nwait {INT} = 2 now timeout 60s\n{MUCH}finally\nwrite {INT} 3\n")
    async with at_a_terminal(run.process, run.gateway, "--plaintext", "-c", "try.mxs") as terminal:
        await terminal.shows("s left")
        terminal.type("\x13")
        run.gateway.set(INT, 2)
        await until(lambda: run.written == [1, 3])
        terminal.type("\x11")
        await terminal.shows("all done")
        assert await terminal.ended() == 0


async def test_a_stream_that_breaks_holds_up_nothing_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise LookupError("no such encoding")

    err = io.StringIO()
    monkeypatch.setattr("sys.stdout", Broken())
    monkeypatch.setattr("sys.stderr", err)
    writer = OutputWriter()
    writer.out("lost\n")
    async with asyncio.timeout(10):
        await writer.drained(None)
        assert writer.problem == "standard output cannot be written: LookupError: no such encoding"
        writer.err("told\n")
        await writer.drained(None)
    assert err.getvalue() == "told\n"


@POSIX
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_a_full_disk_beneath_a_stream_stops_a_run_but_not_what_always_runs(run: Runs, stream: str) -> None:
    run.file(f"write {INT} 1\nexpect {INT} = 9\nfinally\nwrite {INT} 3\n")
    full = os.open("/dev/full", os.O_WRONLY)
    done = await ended(await started(run, "-c", "try.mxs", **{stream: full}))
    os.close(full)
    assert (done.code, run.written[0], run.written[-1]) == (1, 1, 3)
    if stream == "stdout":
        assert "standard output cannot be written: No space left on device" in done.err


@POSIX
async def test_a_result_that_cannot_be_shown_is_an_internal_error_and_what_was_done_is_done(run: Runs) -> None:
    broken = "from zb_mom_ww_mxgateway_shell.output.formats import TableFormatter as t; o = t.result\n" + (
        "def broken(self, page, result):\n"
        " if 'events' in str(result.form()): raise KeyError('how')\n"
        " return o(self, page, result)\n"
        "t.result = broken"
    )
    run.file(f"on-error continue\nwrite {INT} 1\nstatus\nwrite {INT} 2\nfinally\nstatus\nwrite {INT} 3\n")
    done = await ended(await started(run, "-c", "try.mxs", "--report-junit", "out.xml", prelude=broken))
    assert (done.code, run.written) == (70, [1, 3])
    assert "try.mxs:4:1: it ended with 0, but its result cannot be shown: internal error" in done.err
    assert "Traceback" not in done.err
    report = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert ("<error" in report, "<failure" in report) == (True, False)


async def test_a_report_that_cannot_be_written_at_the_end_changes_nothing_about_what_was_done(run: Runs) -> None:
    (run.folder / "reports").mkdir()
    run.file(f"write {INT} 1\nwait {INT} = 2 now timeout 60s\nfinally\nwrite {INT} 3\n")
    process = await started(run, "-c", "try.mxs", "--report-junit", "reports/out.xml")
    await until(lambda: run.written == [1])
    shutil.rmtree(run.folder / "reports")
    run.gateway.set(INT, 2)
    done = await ended(process)
    assert (done.code, run.written) == (2, [1, 3])
    assert "no report: cannot write reports" in done.err
    assert "all done" in done.out


# Enough for the journal, without which nothing is written.
LIMIT = 20_000
LIMITED = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))"


@POSIX
@pytest.mark.parametrize("line", ["record-script steps.mxs", "tee copy.txt", "record samples.csv --append"])
async def test_a_full_disk_beside_a_run_never_takes_the_place_of_what_a_command_did(run: Runs, line: str) -> None:
    run.file(f"{line}\n" + f"write {INT} 1\nexpect {INT} = 1\nwrite {INT} 2\n" + f'let much = "{"x" * 9_000}"\n' * 3)
    if line.endswith("--append"):
        # Nearly as long as a file can be.
        row = ["stop", *[""] * (len(COLUMNS) - 2), "x" * (LIMIT - 300)]
        (run.folder / "samples.csv").write_text(f"{','.join(COLUMNS)}\n{','.join(row)}\n", encoding="utf-8")
    done = await ended(await started(run, "--json", "-c", "try.mxs", prelude=LIMITED))
    # A recording is what the run was asked to leave behind; the others are copies of what is typed and shown.
    assert (done.code, run.written) == (1 if line.startswith("record ") else 0, [1, 2])
    assert all(each["ok"] for each in done.objects)
    assert "File too large" in done.err
    assert "internal" not in done.err


@pytest.mark.parametrize(
    ("last", "code", "written"),
    [
        ('confirm "is the valve free?"', 5, [1, 9]),
        (f"expect {INT} = 7\nwrite {INT} 2", 1, [1, 2, 9]),
        (f"expect {INT} = 7\nwrite {INT} double:1e300\nwrite {INT} 2", 3, [1, 2, 9]),
        (f'expect {INT} = 7\nconfirm "sure?"\nwrite {INT} 2', 5, [1, 9]),
    ],
)
async def test_a_refusal_here_is_final_and_the_gravest_code_counts(
    run: Runs, last: str, code: int, written: list[int]
) -> None:
    done = await run(f"on-error continue\nwrite {INT} 1\n{last}\nwrite {INT} 2\nfinally\nwrite {INT} 9\n")
    written = [*written[:-1], *([2] if code in (1, 3) else []), 9]
    assert (done.code, run.written) == (code, written)


async def test_an_unknown_outcome_counts_more_than_an_expectation_before_and_a_refusal_behind_it(run: Runs) -> None:
    run.gateway.faults.lose_next_reply("write")
    done = await run(
        f"on-error continue\nexpect {INT} = 7\nwrite {INT} 1\nwrite {INT} 2\nfinally\nwrite {INT} double:1e300\n"
    )
    assert (done.code, run.written) == (6, [1])


async def test_a_case_is_what_failed_most_gravely_in_its_step(run: Runs) -> None:
    from xml.etree import ElementTree

    run.gateway.faults.lose_next_reply("write")
    file = f"on-error continue\nstep a\nexpect {INT} = 7\nwrite {INT} 1\n"
    assert (await run(file, "--report-junit", "out.xml")).code == 6
    suite = ElementTree.parse(run.folder / "out.xml").getroot()[0]
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")
    (error,) = suite.iter("error")
    assert (error.get("type"), "UNKNOWN" in error.get("message", "")) == ("UNKNOWN", True)
    assert "= 7" in (error.text or "")


def test_the_order_of_the_codes() -> None:
    assert sorted(ExitCode, key=lambda code: [gravest(code, other) is code for other in ExitCode].count(True)) == [
        ExitCode.DONE,
        ExitCode.NOT_MET,
        ExitCode.USAGE,
        ExitCode.CANNOT_CONNECT,
        ExitCode.REFUSED,
        ExitCode.GUARDED,
        ExitCode.INTERRUPTED,
        ExitCode.INTERNAL,
        ExitCode.LEFT_CHANGED,
        ExitCode.UNKNOWN,
    ]
    assert gravest() is ExitCode.DONE


async def test_what_fails_beside_a_run_is_said_when_it_happens(run: Runs) -> None:
    broken = (
        "import zb_mom_ww_mxgateway_shell.scripts.connection_news as s\n"
        "async def broken(context, say): raise KeyError('news')\n"
        "s.report_news = broken"
    )
    run.file(f"write {INT} 1\nwait {INT} = 2 now timeout 60s\n")
    process = await started(run, "-c", "try.mxs", prelude=broken)
    assert process.stderr is not None
    async with asyncio.timeout(20):
        assert b"internal error in the background" in await process.stderr.readline()
    await until(lambda: run.written == [1])
    run.gateway.set(INT, 2)
    done = await ended(process)
    assert (done.code, "all done" in done.out) == (70, True)


async def test_quiet_says_on_standard_error_where_something_was_not_done(run: Runs) -> None:
    done = await run(f"write {INT} double:1e300\n", "-q")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith(f"try.mxs:2:1: {INT}")
    assert "REFUSED" in done.err
    run.gateway.faults.lose_next_reply("write")
    done = await run(f"expect {INT} = 0\nwrite {INT} 5\n", "-q")
    assert (done.code, done.out) == (6, "")
    assert done.err.startswith("try.mxs:3:1: ")
    assert "UNKNOWN" in done.err
    done = await run(f"read {INT} No.Such.Tag\n", "-q")
    assert (done.code, done.out) == (3, "")
    assert "try.mxs:1:1: " in done.err
    assert "NOT READ" in done.err


async def test_several_files_run_in_their_order_and_the_gravest_code_counts(run: Runs) -> None:
    run.file(f"let n = 1\nwrite {INT} $n\nexpect {INT} = 7\nwrite {INT} 8\nfinally\nwrite {INT} 2\n", "a.mxs")
    run.file(f'let n = 3\nstep "second"\nwrite {INT} $n\n', "b.mxs")
    done = await run.process("--plaintext", "-c", "a.mxs", "-c", "b.mxs", "--report-junit", "out.xml")
    assert (done.code, run.written) == (1, [1, 2, 3])
    assert "a.mxs: " in done.out
    assert "b.mxs: 1 of 1 steps passed" in done.out
    report = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert (report.count("<testsuite "), report.count("<failure ")) == (2, 1)
    run.file('confirm "sure?"\n', "a.mxs")
    done = await run.process("--plaintext", "-c", "a.mxs", "-c", "b.mxs", "--report-junit", "out.xml")
    assert (done.code, run.written) == (5, [1, 2, 3])
    assert (run.folder / "out.xml").read_text(encoding="utf-8").count("<skipped") == 1
    run.file("frob\n", "b.mxs")
    done = await run.process("--plaintext", "-c", "a.mxs", "-c", "b.mxs")
    assert (done.code, "b.mxs:1:1: no command frob" in done.err) == (2, True)


async def test_each_of_several_files_begins_anew(run: Runs) -> None:
    run.file("cd Plant.Tank1\nset output json\nalias level read Plant.Tank1.Level\nlevel\n", "a.mxs")
    run.file("alias\nbrowse\n", "b.mxs")
    done = await run.process("--plaintext", "-c", "a.mxs", "-c", "b.mxs")
    assert done.code == 0
    # As a table, of no alias, and of the top of the galaxy.
    assert "no aliases; alias NAME LINE makes one" in done.out
    assert "area  TestArea" in done.out


async def test_each_of_several_files_has_its_own_time_and_cases_that_are_told_apart(run: Runs) -> None:
    from xml.etree import ElementTree

    run.file('step "a"\nsleep 1s  # meant\n', "a.mxs")
    for folder in ("east", "west"):
        (run.folder / folder).mkdir()
        run.file('step "a"\nlet n = 1\n', f"{folder}/b.mxs")
    files = [word for name in ("east/b.mxs", "a.mxs", "west/b.mxs") for word in ("-c", name)]
    done = await run.process("--plaintext", *files, "--report-junit", "out.xml")
    assert done.code == 0
    east, slow, west = ElementTree.parse(run.folder / "out.xml").getroot()
    began = [datetime.fromisoformat(suite.get("timestamp", "")) for suite in (east, slow, west)]
    ended = [
        at + timedelta(seconds=float(suite.get("time", "")))
        for at, suite in zip(began, (east, slow, west), strict=True)
    ]
    # Neither what ran before it nor what runs behind it is of a file's time; when it began is said in whole seconds.
    assert began[1] < began[2]
    assert ended[0] <= began[1] + timedelta(seconds=1)
    assert [case.get("name") for suite in (east, slow, west) for case in suite.iter("testcase")] == [
        f"{name}:1 a" for name in ("east/b.mxs", "a.mxs", "west/b.mxs")
    ]


async def test_a_report_of_lines_of_which_none_came_has_no_case_that_passed(run: Runs) -> None:
    done = await run.process("--plaintext", "--report-junit", "out.xml", stdin="# nothing\n")
    report = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert (done.code, report.count("<testcase "), report.count("<error ")) == (2, 1, 1)


@pytest.mark.parametrize("form", ["--csv", "--csv-raw"])
async def test_csv_of_what_was_not_done_has_records_alone(run: Runs, form: str) -> None:
    import csv

    done = await run(f"read {INT} No.Such.Tag\n", form)
    heading, *records = csv.reader(done.out.splitlines())
    assert (done.code, heading[0]) == (3, "age_seconds")
    assert [record[heading.index("tag")] for record in records] == [INT, "No.Such.Tag"]


async def test_a_long_wait_shows_how_it_stands_before_it_is_over_without_a_terminal(run: Runs) -> None:
    run.file(f"wait {INT} = 5 timeout 60s\n")
    process = await started(run, "-c", "try.mxs")
    assert process.stdout is not None
    async with asyncio.timeout(20):
        assert b"wait" in await process.stdout.readline()
        assert b"now 0 (good" in await process.stdout.readline()
    run.gateway.set(INT, 5)
    assert (await ended(process)).code == 0


async def test_json_with_python_gives_an_object_a_line_and_one_for_what_it_raises(run: Runs) -> None:
    (run.folder / "try.py").write_text(f"await mx('write {INT} 5')\nprint('own')\n1 / 0\n", encoding="utf-8")
    done = await run.process("--plaintext", "--json", "--python", "try.py")
    lines = done.out.splitlines()
    assert lines.pop(lines.index("own")) == "own"
    written, raised = statements("\n".join(lines))
    assert (written["result"]["outcome"], written["line"]) == ("completed", 1)
    assert (raised["ok"], raised["line"], raised["file"]) == (False, 3, "try.py")
    assert (done.code, raised["error"]["exit_code"]) == (1, 1)


async def test_equal_titles_and_none_get_names_of_their_own(run: Runs) -> None:
    from xml.etree import ElementTree

    run.file(
        f'on-error continue\nstep a\nexpect {INT} = 1\nstep a\nstep " "\nstep "  "\nstep finally\nfinally\nnote x\n'
    )
    await run.process("--plaintext", "-c", "try.mxs", "--report-junit", "out.xml")
    cases = list(ElementTree.parse(run.folder / "out.xml").getroot().iter("testcase"))
    names = ["before the first step", "a", "a", "(untitled)", "(untitled)", "finally", "finally"]
    lines = [1, 2, 4, 5, 6, 7, 8]
    assert [case.get("name") for case in cases] == [
        f"try.mxs:{line} {name}" for line, name in zip(lines, names, strict=True)
    ]
    assert [case.get("name") for case in cases if case.find("failure") is not None] == ["try.mxs:2 a"]


@POSIX
async def test_a_report_replaces_its_own_file_alone(run: Runs) -> None:
    for name in ("out.xml.new", "out.new"):
        (run.folder / name).symlink_to(run.folder / "theirs")
    (run.folder / "theirs").write_text("theirs", encoding="utf-8")
    done = await run(f"expect {INT} = 0\n", "--report-junit", "out.xml")
    assert (done.code, (run.folder / "theirs").read_text(encoding="utf-8")) == (0, "theirs")
    assert (run.folder / "out.xml.new").is_symlink()
    assert not list(run.folder.glob(".out*"))


@POSIX
@pytest.mark.parametrize(
    "line",
    [
        "tee pipe",
        "record pipe --format csv",
        "record pipe --format csv --append",
        "record-script pipe --overwrite",
        "record-script pipe",
        "tee /dev/ptmx",
    ],
)
async def test_a_pipe_is_no_file_to_write_to(run: Runs, line: str) -> None:
    os.mkfifo(run.folder / "pipe")
    done = await run(f"{line}\nwrite {INT} 5\n")
    assert (done.code, run.written) == (2, [])
    assert "it is a pipe or a terminal" in done.err


@POSIX
async def test_a_key_that_comes_through_a_pipe_is_read_once_and_a_signal_ends_the_wait_for_it(run: Runs) -> None:
    pipe = run.folder / "key"
    os.mkfifo(pipe)
    run.process.environment.pop("MXGATEWAY_API_KEY", None)
    run.file(f"write {INT} 1\nconnect --plaintext\nwrite {INT} 2\n")
    process = await started(run, "--api-key-file", "key", "-c", "try.mxs")
    async with asyncio.timeout(30):
        await asyncio.to_thread(pipe.write_text, run.gateway.api_key)
    assert ((await ended(process)).code, run.written) == (0, [1, 2])

    process = await started(run, "--api-key-file", "key", "-c", "try.mxs")
    async with asyncio.timeout(30):
        writer = await asyncio.to_thread(os.open, pipe, os.O_WRONLY)  # Opened once somebody reads.
    try:
        process.send_signal(signal.SIGTERM)
        assert (await ended(process)).code == 130
    finally:
        os.close(writer)


TOLD_AGAIN = """
import asyncio, signal, sys
from zb_mom_ww_mxgateway_console.process.endings import CALLED_OFF, ENDING
from zb_mom_ww_mxgateway_shell.process.signals import on_signals

async def run():
    with on_signals(ENDING, lambda: None):
        with on_signals(CALLED_OFF, lambda: None):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)

asyncio.run(run())
signal.raise_signal(signal.SIGTERM)
sys.exit(7)
"""


@POSIX
async def test_an_end_that_is_told_again_does_not_take_the_place_of_the_exit_code() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", TOLD_AGAIN)
    assert await process.wait() == 7


INTERRUPTED_AS_IT_LOADS = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
from zb_mom_ww_mxgateway_{0}.__main__ import main
main()
"""


@pytest.mark.parametrize(("package", "program"), [("cli", "mxgw-py"), ("shell", "mxgw-shell")])
async def test_an_interruption_before_a_program_is_loaded_is_said_in_one_line(package: str, program: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", INTERRUPTED_AS_IT_LOADS.format(package), stderr=asyncio.subprocess.PIPE
    )
    done = await ended(process)
    assert (done.code, done.err.splitlines()) == (130, [f"{program}: interrupted"])
