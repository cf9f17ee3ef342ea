"""A Python file has steps, reports and a record, as a command file has; its own errors are those of its steps."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from junit_schemas import breaches
from shell_process import Done, Runs

from zb_mom_ww_mxgateway_shell.evidence.record_format import Record, read_record
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
ALL = ("--record", "run.jsonl", "--report-junit", "out.xml")


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway, "--python", "try.py")


def record_of(run: Runs) -> Record:
    record = read_record(run.folder / "run.jsonl")
    assert record.problems == []
    return record


def cases(run: Runs) -> dict[str | None, str]:
    """The kind of each case of the JUnit report, which keeps to the schemas."""
    text = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert breaches(text) == []
    found = ElementTree.fromstring(text.encode()).iter("testcase")
    return {case.get("name"): case[0].tag if len(case) else "passed" for case in found}


async def test_lines_of_the_shell_are_statements_of_steps(run: Runs) -> None:
    text = f"""
await mx('register python')
await mx('step "one" req URS-1, URS-2')
value = 5
await mx(f'write {INT} {{value}}')
await mx('step "two"')
await mx('expect {INT} = 5')
"""
    done = await run(text, *ALL, "--reason", "FAT 12")
    assert (done.code, done.err, run.written) == (0, "", [5])
    ids = ["try.py:2 before the first step", "try.py:3 one", "try.py:6 two"]
    assert cases(run) == dict.fromkeys(ids, "passed")
    record = record_of(run)
    assert [(each["id"], each["line"]) for each in record.statements] == [
        (None, 2),
        *[(ids[1], line) for line in (3, 5)],
        *[(ids[2], line) for line in (6, 7)],
    ]
    assert [each["requirements"] for each in record.statements][1:4] == [["URS-1", "URS-2"]] * 2 + [[]]
    assert [each["name"] for each in record.begin["files"]] == ["try.py"]
    assert record.end["steps"] == {"failed": 0, "passed": 2, "skipped": 0}
    (intent,) = [each["line"] for each in record.of("journal") if each["line"]["kind"] == "intent"]
    assert (intent["reason"], intent["command"]) == ("FAT 12", f"write {INT} 5")
    assert [each["tag"] for each in record.end["left_changed"]] == [INT]


async def test_an_error_is_that_of_the_present_step_and_told_once(run: Runs) -> None:
    text = """
await mx('step "own"')
assert 1 == 2, "no sum"
"""
    done = await run(text, *ALL)
    assert (done.code, "try.py:3: AssertionError: no sum" in done.err) == (1, True)
    assert cases(run) == {"try.py:2 own": "failure"}
    *_, own = record_of(run).statements
    assert (own["command"], own["statement"], own["id"]) == ("python", 'assert 1 == 2, "no sum"', "try.py:2 own")

    done = await run(f"await mx('step \"line\"')\nawait mx('expect {INT} = 9')\n", *ALL)
    assert (done.code, cases(run)) == (1, {"try.py:1 line": "failure"})
    record = record_of(run)
    assert [each["ok"] for each in record.statements] == [True, False]
    assert [each["error"]["type"] for each in record.of("python")] == ["NotMet"]

    # A line that fails makes its step fail, also where the program goes on, whose exit code is its own.
    caught = f"await mx('step \"a\"')\ntry:\n    await mx('expect {INT} = 9')\nexcept Exception:\n    pass\n"
    done = await run(f"{caught}await mx('step \"b\"')\n", *ALL)
    assert (done.code, cases(run)) == (0, {"try.py:1 a": "failure", "try.py:6 b": "passed"})
    # The record says both, and is whole; of steps that did not come the program alone knows.
    verified = await run.process("report", "verify", "run.jsonl")
    assert (verified.code, "contents holds" in verified.out) == (0, True), verified.out
    shown = await run.process("report", "run.jsonl", "--md")
    assert "Unknown: a Python file names its steps as it comes to them." in shown.out


async def test_a_check_that_stands_is_judged_in_its_step(run: Runs) -> None:
    text = f"""
await mx('step "one"')
await mx('watchdog {INT} < 3')
await mx('write {INT} 2')
await mx('step "two"')
await mx('watchdog {INT} < 3')
await mx('write {INT} 4')
await mx('wait {INT} = 4 now timeout 10s')
await mx('step "three"')
"""
    done = await run(text, *ALL)
    assert done.code == 1
    found = cases(run)
    assert (found["try.py:2 one"], found["try.py:5 two"]) == ("passed", "failure")
    assert "try.py:9 three" not in found
    told = [each for each in record_of(run).statements if each["command"] == "watchdog"]
    assert [(each["line"], each["ok"]) for each in told] == [(3, True), (3, True), (6, True), (6, False)]


async def test_what_ends_a_program_early_is_in_its_reports(run: Runs) -> None:
    done = await run("await mx('step \"one\"')\nexit(3)\n", *ALL)
    assert done.code == record_of(run).end["exit_code"] == 3
    assert record_of(run).end["broken_off"] == "the program ended itself with 3"
    assert cases(run) == {"try.py:1 one": "passed", "the whole run": "error"}
    done = await run("1 +\n", *ALL)
    assert (done.code, cases(run), record_of(run).end["exit_code"]) == (2, {"the whole run": "error"}, 2)
    done = await run("await mx('ping')\n", *ALL, "--endpoint", "127.0.0.1:1")
    assert (done.code, cases(run), record_of(run).end["exit_code"]) == (4, {"the whole run": "error"}, 4)


async def test_steps_can_be_selected(run: Runs) -> None:
    text = f"""
await mx('register r')
if await mx('step "1 fill"'):
    print('own code of the first')
await mx('write {INT} 5')
print(await mx('step "2 check"'), await mx('expect {INT} = 0'))
"""
    done = await run(text, *ALL, "--step", "2*")
    assert (done.code, run.written) == (0, [])
    assert "own code" not in done.out
    assert "True 0\n1 of 1 steps passed; 1 not selected, in " in done.out
    assert cases(run) == {
        "try.py:2 before the first step": "passed",
        "try.py:6 2 check": "passed",
        "try.py:3 1 fill": "skipped",
    }
    assert [each["why"] for each in record_of(run).end["not_run"]] == ["not selected by --step"]
    done = await run(text, *ALL, "--step", "3*")
    assert (done.code, "no step has such a title, so nothing was tried" in done.err) == (2, True)


async def test_its_record_is_what_json_shows_between_what_it_prints(run: Runs) -> None:
    done = await run("print('own')\nawait mx('ping')\n", "--json", "--record", "run.jsonl")
    own, shown = [], []
    for line in done.out.splitlines(keepends=True):
        (shown if line.startswith("{") else own).append(line)
    assert (own, "".join(shown)) == (["own\n"], (run.folder / "run.jsonl").read_text(encoding="utf-8"))
    assert [each["command"] for each in map(json.loads, shown)][:2] == ["run-begin", "ping"]


async def test_its_reports_never_replace_it(run: Runs) -> None:
    for option in ("--report-junit", "--record"):
        done = await run("print(1)\n", option, "try.py")
        assert (done.code, "try.py is the file to run" in done.err, done.out) == (2, True, "")
    assert (run.folder / "try.py").read_text(encoding="utf-8") == "print(1)\n"


async def test_a_line_in_a_task_belongs_to_the_line_that_called_it(run: Runs) -> None:
    text = "import asyncio\ntask = asyncio.create_task(mx('ping'))\nawait asyncio.gather(task, mx('ping'))\n"
    done: Done = await run(text, *ALL)
    assert done.code == 0
    assert sorted(each["line"] for each in record_of(run).statements) == [2, 3]


async def test_a_line_that_nothing_awaits_did_not_run_and_is_a_mistake(run: Runs) -> None:
    done = await run(f"await mx('step \"one\"')\nmx('write {INT} 5')\nmx('expect {INT} = 7')\n", *ALL)
    assert (done.code, run.written) == (2, [])
    said = f"line 2: mx('write {INT} 5') is not awaited, and did not run, and 1 more did not: write await mx("
    assert said in done.err
    assert cases(run)["try.py:1 one"] == "error"
    assert record_of(run).end["exit_code"] == 2


async def test_a_line_that_arranges_others_is_refused(run: Runs) -> None:
    done = await run("await mx('on-error continue')\n")
    assert (done.code, "on-error works only in a file" in done.err) == (2, True), done


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (f"await mx('read {INT}')\nawait mx('expect {INT} = 0')\n", "2 statements, all done, in "),
        (
            f"await mx('step \"one\"')\nawait mx('step \"two\"')\nawait mx('expect {INT} = 9')\n",
            '1 of 2 steps passed; 1 failed: "two", in ',
        ),
        (f"await mx('read {INT}')\nexit(3)\n", "1 statement, the program ended itself with 3, in "),
    ],
)
async def test_it_ends_with_the_summary_that_a_command_file_ends_with(run: Runs, text: str, summary: str) -> None:
    assert (await run(text)).out.splitlines()[-1].startswith(summary)
    for option in ("--quiet", "--json", "--csv"):
        assert summary not in (await run(text, option)).out


async def test_a_program_without_lines_of_the_shell_has_no_summary(run: Runs) -> None:
    assert (await run("print(1)\n")).out == "1\n"
