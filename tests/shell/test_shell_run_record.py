"""The record of a run: its lines, its digest, what stays secret, and what is left of a run without an end."""

import asyncio
import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_process import KEY, Runs, next_statement

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_format import INCOMPLETE, Record, parsed, read_record
from zb_mom_ww_mxgateway_shell.evidence.record_sinks import KeptLines
from zb_mom_ww_mxgateway_shell.evidence.run_record import RunRecord
from zb_mom_ww_mxgateway_shell.state.files_read import FilesRead, Source
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestBool"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="no such signals, devices and limits on Windows")
STEPS = f'step "one"\nwrite {INT} 5\nstep "two"\nexpect {INT} = 6\nstep "three"\nnote "x"\n'


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


def kept(run: Runs) -> Record:
    """The record in the file, in which nothing is wrong."""
    record = read_record(run.folder / "run.jsonl")
    assert record.problems == []
    return record


async def until(condition: object, process: asyncio.subprocess.Process) -> None:
    assert callable(condition)
    async with asyncio.timeout(30):
        while not condition():
            assert process.returncode is None
            await asyncio.sleep(0.01)


# What the lines say.


async def test_a_run_of_files_shown_as_json_is_its_record(run: Runs) -> None:
    done = await run(STEPS, "--json", "--reason", "FAT 12")
    record = parsed(done.out.encode())
    assert record.problems == []
    begin, end = record.begin, record.end
    assert (record.entries[0], record.entries[-1], record.sha256) == (begin, end, end["sha256"])
    before = done.out[: done.out.rindex('{"at"')]
    assert end["sha256"] == hashlib.sha256(before.encode()).hexdigest()
    assert all(line == json.dumps(json.loads(line), sort_keys=True) for line in done.out.splitlines())

    content = (run.folder / "try.mxs").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    assert begin["files"] == [{"bytes": len(content), "name": "try.mxs", "sha256": digest}]
    assert (begin["reason"], begin["names"], begin["operator"]) == ("FAT 12", {}, None)
    assert begin["tool"]["name"] == "mxgw-shell"
    assert begin["user"]
    assert (begin["gateway"]["endpoint"], begin["gateway"]["plaintext"]) == (run.gateway.endpoint, True)
    assert begin["gateway"]["certificate"] is None
    assert begin["gateway"]["session_id"].startswith("session-")
    assert begin["galaxy"]["deployed_at"].endswith("Z")

    statements = list(record.statements)
    assert [each["number"] for each in statements] == [1, 2, 3, 4]
    # The file declares on its first line what it writes.
    assert [each["id"] for each in statements] == ["try.mxs:2 one"] * 2 + ["try.mxs:4 two"] * 2
    assert (done.code, end["exit_code"], end["steps"]) == (1, 1, {"failed": 1, "passed": 1, "skipped": 1})
    assert end["not_run"] == [
        {"id": "try.mxs:6 three", "requirements": [], "title": "three", "why": "not reached: try.mxs:5 failed"},
    ]
    (left,) = end["left_changed"]
    assert (left["tag"], left["was"], left["ours"], left["now"]) == (INT, 0, [5], 5)


async def test_the_lines_of_the_journal_stand_in_the_record_as_they_stand_there(run: Runs) -> None:
    await run("let n = 1\n")
    await run(f"write {INT} 5\nwrite {INT} 6\n", "--record", "run.jsonl")
    record = kept(run)
    (file,) = (run.folder / "records" / "state" / "journal" / "plant").glob("*.jsonl")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    own = [entry["line"] for entry in record.of("journal")]
    assert own == lines[-len(own) :]
    assert {each["frame"] for each in lines} != {each["frame"] for each in own}
    assert [each["kind"] for each in own].count("intent") == 2
    assert record.end["journal"] == [f"{lines[-1]['number']}:{lines[-1]['hash']}"]


async def test_the_samples_of_a_wait_follow_its_statement(run: Runs) -> None:
    await run(f"write {INT} 5\nwait {INT} = 5 timeout 10s\n", "--record", "run.jsonl")
    record = kept(run)
    (waited,) = (each for each in record.statements if each["command"] == "wait")
    (samples,) = (each for each in record.of("samples") if each["statement"]["number"] == waited["number"])
    assert record.entries.index(samples) == record.entries.index(waited) + 1
    assert (samples["tag"], samples["points"][-1]["value"], len(samples["written_at"])) == (INT, 5, 1)


def test_the_samples_of_a_statement_name_it() -> None:
    record, lines = RunRecord(), KeptLines()
    record.sinks.append(lines)
    record.begin({})
    record.add_statement({"command": "wait", "file": "try.mxs", "line": 3, "statement": "wait A = 5"}, [Series()])
    record.end({})
    found = parsed("".join(lines.lines).encode())
    assert found.problems == []
    _, waited, samples, _ = found.entries
    assert (waited["number"], samples["command"], samples["tag"]) == (1, "samples", "A")
    assert samples["statement"] == {"file": "try.mxs", "line": 3, "number": 1}


def test_what_is_no_json_is_left_out_and_the_record_stays_whole() -> None:
    record, lines = RunRecord(), KeptLines()
    record.sinks.append(lines)
    record.begin({})
    for wrong in (object(), float("nan")):
        with pytest.raises((TypeError, ValueError)):
            record.add_statement({"command": "read", "statement": "read A", "result": wrong})
    record.add_statement({"command": "read", "statement": "read A", "ok": False})
    record.end({})
    record.add({"command": "news"})  # Too late.
    found = parsed("".join(lines.lines).encode())
    assert (found.problems, [each["number"] for each in found.statements]) == ([], [1])


class Series:
    """Samples of a tag, as a wait has them."""

    def form(self) -> dict[str, object]:
        return {"tag": "A", "points": []}


async def test_what_is_given_about_a_run_is_in_its_record(run: Runs) -> None:
    about = ("--about", "site=Basel", "--about", "operator=A. Meier", "--about", "number=FAT 12")
    done = await run("let n = $batch\n", "--record", "run.jsonl", "--var", "batch=007", *about)
    assert done.code == 0
    begin = kept(run).begin
    assert begin["about"] == {"number": "FAT 12", "operator": "A. Meier", "site": "Basel"}
    assert (begin["operator"], begin["names"]) == ("A. Meier", {"batch": "007"})
    for wrong, why in (("site", "NAME=TEXT expected"), ("=x", "NAME=TEXT expected")):
        done = await run("let n = 1\n", "--record", "run.jsonl", "--about", wrong)
        assert (done.code, why in done.err) == (2, True)
    done = await run("let n = 1\n", "--about", "site=Basel")
    assert (done.code, "add --record FILE" in done.err) == (2, True)


async def test_files_of_one_run_are_in_one_record(run: Runs) -> None:
    run.file('step "a"\nexpect 1 = 1\n'.replace("expect 1 = 1", f"expect {INT} = 1"), "a.mxs")
    run.file('step "b"\nnote "b"\n', "b.mxs")
    done = await run.process("--plaintext", "-c", "a.mxs", "-c", "b.mxs", "--record", "run.jsonl")
    record = kept(run)
    assert [each["name"] for each in record.begin["files"]] == ["a.mxs", "b.mxs"]
    assert [each["id"] for each in record.statements] == ["a.mxs:1 a"] * 2 + ["b.mxs:1 b"] * 2
    assert (done.code, record.end["exit_code"]) == (1, 1)
    assert record.end["steps"] == {"failed": 1, "passed": 1, "skipped": 0}


async def test_every_file_that_a_line_names_is_in_the_record(run: Runs) -> None:
    """A file that the lines name is in the first line; one of which only the run knows the name or content, later."""
    row = f"tag,value\n{INT},4\n"
    for name in ("named.csv", "computed.csv", "changed.csv"):
        run.file(row, name)
    digest = hashlib.sha256(row.encode()).hexdigest()
    lines = 'write-many named.csv\nlet f = "computed.csv"\nwrite-many $f\nwrite-many $f\n'
    done = await run(lines, "--record", "run.jsonl", "--report", "run.md")
    assert (done.code, done.err) == (0, "")
    record = kept(run)
    of_name = {each["name"]: each["sha256"] for each in record.begin["files"]}
    assert of_name.keys() == {"try.mxs", "named.csv", "computed.csv"}
    assert of_name["named.csv"] == of_name["computed.csv"] == digest
    assert list(record.of("run-file")) == []

    done = await run.process("--plaintext", "--record", "run.jsonl", "-e", "write-many changed.csv")
    assert (done.code, [each["name"] for each in kept(run).begin["files"]]) == (0, ["changed.csv"])
    python = run.file('await mx("write-many changed.csv")\n', "lines.py")
    done = await run.process("--plaintext", "--record", "run.jsonl", "--report", "run.md", "--python", python.name)
    assert (done.code, done.err) == (0, "")
    (later,) = kept(run).of("run-file")
    assert (later["name"], later["sha256"], later["bytes"]) == ("changed.csv", digest, len(row))
    assert f"| changed.csv | {len(row)} | {digest} |" in (run.folder / "run.md").read_text(encoding="utf-8")


def test_a_file_is_told_once_and_again_where_its_content_has_changed() -> None:
    record, sink = RunRecord(), KeptLines()
    record.sinks.append(sink)
    record.begin({})
    files = FilesRead()
    files.know([Source.of(b"1", "a.csv")])
    for content in (b"1", b"2", b"2", b"1"):
        files.note(content, "a.csv", record)
    told = [each["sha256"] for each in parsed("".join(sink.lines).encode()).of("run-file")]
    assert told == [hashlib.sha256(content).hexdigest() for content in (b"2", b"1")]


async def test_a_record_never_replaces_a_file_that_a_line_reads(run: Runs) -> None:
    row = f"tag,value\n{INT},4\n"
    path = run.file(row, "rows.csv")
    done = await run("write-many rows.csv\n", "--record", "rows.csv")
    assert (done.code, "--record would replace it" in done.err, run.written) == (2, True, [])
    assert path.read_text(encoding="utf-8") == row


async def test_a_login_is_told_with_the_writes_after_it(run: Runs, tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("hush-hush", encoding="utf-8")
    lines = f"write {INT} 1\nlogin ada --password-file pw\nwrite {INT} 2\nlogout\nwrite {INT} 3\n"
    done = await run(lines, "--record", "run.jsonl", "--report", "run.md")
    assert (done.code, done.err) == (0, "")
    assert kept(run).begin["operator"] is None
    report = (run.folder / "run.md").read_text(encoding="utf-8")
    operator = next(line for line in report.splitlines() if line.startswith("| Operator"))
    assert re.fullmatch(r"\| Operator \| ada, logged in [0-9:.]+ \|", operator)
    who = [line.split(" | ")[1].partition(" (")[0] for line in report.splitlines() if f"command: write {INT} " in line]
    assert [each == "ada" for each in who] == [False, True, False]
    assert "hush-hush" not in report + (run.folder / "run.jsonl").read_text(encoding="utf-8")


async def test_lines_alone_are_shown_as_before_and_have_a_record_where_one_is_asked_for(run: Runs) -> None:
    lines = ("-e", "let n = 1", "-e", f"expect {INT} = $n")
    plain = await run.process("--plaintext", "--json", *lines)
    assert [each["command"] for each in plain.entries] == ["let", "expect"]
    assert "id" not in plain.entries[0]
    done = await run.process("--plaintext", "--json", "--record", "run.jsonl", *lines)
    assert [each["command"] for each in done.entries] == ["let", "expect"]
    record = kept(run)
    assert [each["statement"] for each in record.statements] == ["let n = 1", f"expect {INT} = $n"]
    done = await run.process("--plaintext", "--record", "run.jsonl", stdin="let n = 2\n")
    assert [each["statement"] for each in kept(run).statements] == ["let n = 2"]
    done = await run.process("--plaintext", "--json", "-c", "-", stdin="let n = 2\n")
    assert parsed(done.out.encode()).problems == []
    assert parsed(done.out.encode()).begin["files"][0]["sha256"] == hashlib.sha256(b"let n = 2\n").hexdigest()


async def test_a_gateway_that_a_file_connects_to_has_a_line(run: Runs) -> None:
    name = run.process.environment.pop("MXGATEWAY_ENDPOINT")
    done = await run(f"connect {name} --plaintext\nexpect {INT} = 0\n", "--record", "run.jsonl")
    assert done.code == 5  # A run sends its key only where its user said so.
    run.process.environment["MXGATEWAY_ENDPOINT"] = name
    done = await run(f"disconnect\nconnect {name} --plaintext\nexpect {INT} = 0\n", "--record", "run.jsonl")
    assert (done.code, done.err) == (0, "")
    record = kept(run)
    (later,) = record.of("run-gateway")
    assert later["gateway"]["endpoint"] == record.begin["gateway"]["endpoint"]
    assert later["gateway"]["session_id"] != record.begin["gateway"]["session_id"]


async def test_no_secret_is_in_a_record(run: Runs) -> None:
    text = f'let n = $db_password\nnote "{KEY}"\n# login wwadmin hunter2\n'
    given = ("--var", "db_password=hunter2", "--about", f"note={KEY}", "--reason", f"bearer {KEY}")
    done = await run(text, "--json", "--record", "run.jsonl", *given)
    assert done.code == 0
    shown = (run.folder / "run.jsonl").read_text(encoding="utf-8")
    assert shown == done.out
    begin, end = kept(run).begin, kept(run).end
    assert "hunter2" not in json.dumps([begin, end])
    assert KEY not in shown
    assert begin["names"] == {"db_password": "***"}


async def test_a_secret_of_a_file_is_in_no_line_and_the_digest_still_holds(run: Runs) -> None:
    run.process.environment["DB_CODE"] = 'quo"ted\\7zq'
    run.gateway.set("TestChildObject.TestString", 'say quo"ted\\7zq')
    text = "secret code from env DB_CODE\nread TestChildObject.TestString\nexpect TestChildObject.TestString = $code\n"
    done = await run(text, "--json", "--record", "run.jsonl", "--report", "run.md")
    assert done.code == 1
    record = kept(run)
    assert any(each["command"] == "read" and "***" in json.dumps(each) for each in record.statements)
    for name in ("run.jsonl", "run.md"):
        assert "7zq" not in (run.folder / name).read_text(encoding="utf-8")
    assert "7zq" not in done.out


# What happens to a connection.


async def test_a_lost_session_and_what_it_disarmed_are_never_hidden(run: Runs) -> None:
    run.file(f"expect {INT} = 0\nwrite {INT} 1\nwait {INT} = 5 timeout 20s now\n")
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs", "--record", "run.jsonl")
    for _ in range(2):
        assert (await next_statement(process))["ok"] is True
    (lost,) = run.gateway.live_sessions
    run.gateway.faults.lose_session(lost)
    await until(lambda: lost not in run.gateway.live_sessions and run.gateway.live_sessions, process)
    record = run.folder / "run.jsonl"
    await until(lambda: '"live"' in record.read_text(encoding="utf-8"), process)
    run.gateway.set(INT, 5)
    await asyncio.wait_for(process.communicate(), 30)
    news = {entry["kind"]: entry for entry in kept(run).of("news")}
    assert {"rebuilding", "live", "disarmed"} <= news.keys()
    assert news["rebuilding"]["from"] == news["live"]["from"] < news["live"]["to"]
    assert news["rebuilding"]["to"] is None
    assert "session lost" in news["rebuilding"]["text"]


# Runs without an end, and changed records.


@POSIX
async def test_a_run_that_is_killed_leaves_a_record_that_says_so(run: Runs) -> None:
    run.file(f"write {INT} 1\nwait {INT} = 9 timeout 60s\n")
    (run.folder / "run.jsonl").write_text("that of another run\n", encoding="utf-8")
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs", "--record", "run.jsonl")
    assert (await next_statement(process))["command"] == "write"
    process.kill()
    await process.communicate()
    record = read_record(run.folder / "run.jsonl")
    assert record.problems == [INCOMPLETE]
    assert (record.begin["format"], [each["command"] for each in record.statements]) == (1, ["write"])
    shown = (await run.process("report", "run.jsonl", "--md")).out
    assert "The journal has no write" not in shown
    assert "Unknown: the record has no lines of the journal." in shown


@POSIX
async def test_a_signal_and_what_always_runs_are_in_the_record(run: Runs) -> None:
    run.file(f'step "one"\nwait {INT} = 9 timeout 60s\nstep "two"\nnote "x"\nfinally\nwrite {INT} 3\n')
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs", "--record", "run.jsonl")
    assert (await next_statement(process))["command"] == "step"
    process.send_signal(signal.SIGTERM)
    await asyncio.wait_for(process.communicate(), 30)
    record = kept(run)
    assert (process.returncode, record.end["exit_code"], record.end["broken_off"]) == (130, 130, "interrupted")
    assert [each["why"] for each in record.end["not_run"]] == ["not reached: interrupted"]
    assert [(each["command"], each["id"]) for each in record.statements][-1] == ("write", "try.mxs:6 finally")


async def test_a_run_that_could_not_begin_replaces_the_record_and_says_why(run: Runs) -> None:
    for text, code, why in (
        ("frob\n", 2, "no command frob"),
        ("# nothing\n", 2, "there is no statement"),
    ):
        (run.folder / "run.jsonl").write_text("that of another run\n", encoding="utf-8")
        done = await run(text, "--record", "run.jsonl")
        assert (done.code, kept(run).end["exit_code"]) == (code, code)
        assert why in kept(run).end["broken_off"]
        shown = (await run.process("report", "run.jsonl", "--md")).out
        assert "Unknown: the run did not come to its first step." in shown
        assert "Unknown: the run did not come to look." in shown
    done = await run(f"expect {INT} = 0\n", "--json", "--record", "run.jsonl", "--endpoint", "127.0.0.1:1")
    record = kept(run)
    assert (done.code, record.end["exit_code"], record.begin["gateway"]) == (4, 4, None)
    assert [each["command"] for each in done.entries] == ["run-begin", "connect", "run-end"]


def changed(text: str) -> list[str]:
    return parsed(text.encode()).problems


async def test_every_change_of_a_record_is_found(run: Runs) -> None:
    done = await run(STEPS, "--json")
    lines = done.out.splitlines(keepends=True)
    assert changed("".join(lines).replace("\n", "\r\n")) == []  # As Windows writes it.
    changed_value = done.out.replace('"value": 5', '"value": 6', 1)
    assert changed_value != done.out
    assert changed(changed_value) == ["the SHA-256 in run-end is not that of the lines before it: they were changed"]
    assert any("lines, and there are" in each for each in changed("".join([*lines[:2], *lines[3:]])))
    assert changed("".join([*lines, lines[1]])) == [f"lines follow run-end, from line {len(lines) + 1} on"]
    assert changed("".join(lines)[:-20]) == [f"line {len(lines)} is cut off", INCOMPLETE]
    assert "line 2 is no JSON object" in changed("".join([lines[0], "[]\n", *lines[2:]]))
    assert changed("".join(lines[1:]))[0] == "it does not begin with run-begin: it is no record of a run"
    assert changed("".join([*lines, *lines]))[-1] == "there is more than one run-begin: these are several records"
    assert changed(done.out.replace('"format": 1', '"format": 2', 1))[0] == "its format is 2, and 1 is known here"
    assert changed("")[0] == "it does not begin with run-begin: it is no record of a run"
    with pytest.raises(ShellError, match="cannot read"):
        read_record(run.folder / "none.jsonl")


# The report.


async def test_a_run_writes_its_report_at_its_end_also_after_a_failure(run: Runs) -> None:
    done = await run(STEPS, "-q", "--report", "run.md", "--about", "site=Basel")
    text = (run.folder / "run.md").read_text(encoding="utf-8")
    assert (done.code, "Basel" in text, "incomplete" in text.lower()) == (1, True, False)
    assert "three" in text
    done = await run("frob\n", "--report", "run.md")
    assert done.code == 2
    assert "no command frob" in (run.folder / "run.md").read_text(encoding="utf-8")


@POSIX
async def test_a_run_that_is_killed_leaves_a_report_that_proves_nothing(run: Runs) -> None:
    (run.folder / "run.html").write_text("passed", encoding="utf-8")
    run.file(f"write {INT} 1\nwait {INT} = 9 timeout 60s\n")
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs", "--report", "run.html")
    assert (await next_statement(process))["command"] == "write"
    process.kill()
    await process.communicate()
    assert "the record is incomplete" in (run.folder / "run.html").read_text(encoding="utf-8")


# Where it cannot be written.


async def test_a_record_that_cannot_be_written_is_found_before_anything_is_sent(run: Runs) -> None:
    for arguments, why in (
        (("--record", "try.mxs"), "try.mxs is the file to run: --record would replace it"),
        (("--record", "none/run.jsonl"), "cannot write none"),
        (("--record", "run.jsonl", "--report-junit", "run.jsonl"), "name the same file"),
        (("--report", "none/run.html"), "cannot write none"),
        (("--report", "run.pdf"), "a file that ends in .html or .htm or .md or .markdown expected"),
    ):
        done = await run(f"write {INT} 5\n", *arguments)
        assert (done.code, why in done.err, run.written) == (2, True, [])


@POSIX
async def test_a_full_disk_makes_the_run_fail_at_its_end_and_never_stops_it(run: Runs) -> None:
    run.file(f'write {INT} 1\nlet a = "{"x" * 9_000}"\nlet b = "{"x" * 9_000}"\nfinally\nwrite {INT} 3\n')
    limit = 20_000  # Enough for the journal, without which nothing is written.
    prelude = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"{prelude}\nfrom zb_mom_ww_mxgateway_shell.__main__ import main; main()",
        *("--plaintext", *run.process.armed_for("-c", "try.mxs", "--record", "run.jsonl")),
        env=run.process.environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        cwd=run.folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, run.written) == (2, [1, 3]), err
    assert b"mxgw-shell: the record is not whole: cannot write run.jsonl: File too large" in err
    assert INCOMPLETE in read_record(run.folder / "run.jsonl").problems


@POSIX
async def test_a_pipe_gets_the_record_as_a_whole_at_the_end(run: Runs) -> None:
    os.mkfifo(run.folder / "pipe")
    run.file(f"expect {INT} = 0\n")
    process = await run.process.start("--plaintext", "-q", "-c", "try.mxs", "--record", "pipe")
    text = await asyncio.wait_for(asyncio.to_thread((run.folder / "pipe").read_bytes), 30)
    await process.communicate()
    assert process.returncode == 0
    assert parsed(text).problems == []
    done = await run(f"expect {INT} = 0\n", "-q", "--record", "/dev/stdout")
    assert parsed(done.out.encode()).problems == []


@POSIX
async def test_a_record_that_was_removed_during_the_run_is_told(run: Runs) -> None:
    """Such as by another run with the same file: neither passes with the record of the other."""
    run.file(f"write {INT} 1\nwait {INT} = 9 timeout 60s\n")
    process = await run.process.start("--plaintext", "--json", "-c", "try.mxs", "--record", "run.jsonl")
    assert (await next_statement(process))["command"] == "write"
    assert (await run("let n = 1\n", "--record", "run.jsonl")).code == 0
    run.gateway.set(INT, 9)
    _, err = await process.communicate()
    assert (process.returncode, b"run.jsonl was replaced or removed during the run" in err) == (2, True)
    assert [each["statement"] for each in kept(run).statements] == ["let n = 1"]
