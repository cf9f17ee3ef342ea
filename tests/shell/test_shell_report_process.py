"""mxgw-shell report as its user runs it: on records of real runs, verified, sealed, and tampered with."""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shell_process import Done, ShellProcess
from shell_records import acceptance_record, record

LEVEL = """requires write Plant.Tank1.LevelSP
step "set the level"
write Plant.Tank1.LevelSP 65 --reason "the test of the report"
wait Plant.Tank1.LevelSP = 65 timeout 10s
expect Plant.Tank1.Level > 10
step "another"
expect Plant.Tank1.Level < 1000
finally
undo
"""


@pytest.fixture
def shell(tmp_path: Path) -> ShellProcess:
    return ShellProcess(tmp_path)


async def run_of(shell: ShellProcess, name: str = "run.jsonl", text: str = LEVEL, *arguments: str) -> Done:
    (shell.folder / "level.mxs").write_text(text, encoding="utf-8")
    about = ("--about", "title=The level", "--about", "number=T-1", "--about", "tester=Anna", "--about", "author=anna")
    arm = ("--arm", "Plant.Tank1.LevelSP")
    return await shell("--demo", *arm, "--record", name, *about, *arguments, "-c", "level.mxs")


def changed(path: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Change the lines of a record, and make the digest of its last line right again."""
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    change(lines)
    *before, last = lines
    text = "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in before)
    last |= {"sha256": hashlib.sha256(text.encode()).hexdigest(), "entries": len(lines)}
    path.write_text(f"{text}{json.dumps(last, sort_keys=True)}\n", encoding="utf-8")


async def test_the_report_of_a_run_has_its_writes_with_who_and_why(shell: ShellProcess) -> None:
    assert (await run_of(shell)).code == 0
    done = await shell("report", "run.jsonl", "--output", "run.html")
    assert (done.code, done.out, done.err) == (0, "", "")
    page = (shell.folder / "run.html").read_text(encoding="utf-8")
    for fact in (
        "The level",
        "T-1",
        "PASSED: 2 steps passed",
        "set the level",
        "the test of the report",
        "level.mxs:4",
    ):
        assert fact in page
    assert "Anna is named as author and as tester." not in page
    assert "anna is named as author and as tester." in page
    shown = await shell("report", "run.jsonl", "--md")
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert shown.out.startswith("# The level\n")
    [write] = [line for line in lines if "reason: the test of the report" in line]
    assert "60.0 (good)<br>→ 65.0" in write
    assert "| completed |" in write


async def test_what_a_run_did_not_reach_is_in_its_report_with_its_requirements(shell: ShellProcess) -> None:
    text = """requires write Plant.Tank1.LevelSP
step "shown" req URS-7
watchdog Plant.Tank1.Level > 10
expect Plant.Tank1.Level within 10..90 for 1s
comment "a bird sat on the gauge"
step "fails"
expect Plant.Tank1.Level > 1000
step "never" req URS-8, URS-9
write Plant.Tank1.LevelSP 65
"""
    assert (await run_of(shell, "run.jsonl", text, "--report", "run.html")).code == 1
    page = (shell.folder / "run.html").read_text(encoding="utf-8")
    assert page.count('<svg class="trend"') == 2
    done = await shell("report", "run.jsonl", "--md")
    assert "| URS-7 | shown: passed with observation |  | △ passed with observation |" in done.out
    for name in ("URS-8", "URS-9"):
        assert f"| {name} | never: not run | NOT SHOWN: no step with a check passed | ○ not run |" in done.out
    assert "a bird sat on the gauge" in done.out
    # The report of the run has the lines of its record, and no file's name.
    again = await shell("report", "run.jsonl")
    assert again.out == page.replace("<td>the lines of this run</td>", "<td>run.jsonl</td>")
    assert (await shell("report", "verify", "run.jsonl")).code == 0


async def test_a_record_that_is_as_it_was_written_is_verified(shell: ShellProcess) -> None:
    await run_of(shell)
    done = await shell("report", "verify", "run.jsonl")
    assert done.code == 0, done.out
    assert done.out.splitlines()[0].startswith("digest   holds: ")
    assert "contents holds: exit code 0, 2 steps passed" in done.out
    assert "journal  holds: " in done.out
    assert done.out.endswith("run.jsonl: all of it holds\n")
    # Another journal, or none, does not confirm it.
    (shell.folder / "other").mkdir()
    other = await shell("report", "verify", "run.jsonl", "--journal", "other", "--json")
    assert other.code == 1
    form = json.loads(other.out)
    assert {each["check"]: each["holds"] for each in form["checks"]} == {
        "digest": True,
        "contents": True,
        "journal": False,
        "seal": None,
    }
    assert (await shell("report", "verify", "run.jsonl", "--journal", "none")).code == 2
    # A copy of the journal does.
    [journal] = shell.folder.glob("records/**/journal-000001.jsonl")
    shutil.copytree(journal.parent, shell.folder / "copy")
    copied = await shell("report", "verify", "run.jsonl", "--journal", "copy")
    assert copied.code == 0, copied.out


async def test_what_was_changed_in_a_record_is_found(shell: ShellProcess) -> None:
    await run_of(shell)
    path, whole = shell.folder / "run.jsonl", (shell.folder / "run.jsonl").read_bytes()

    def without_the_write(lines: list[dict[str, Any]]) -> None:
        """Leave out the lines about the write to the tag, in the journal and as a statement."""
        lines[:] = [line for line in lines if "the test of the report" not in json.dumps(line)]

    def another_value(lines: list[dict[str, Any]]) -> None:
        [line] = [each["line"] for each in lines if "the test of the report" in json.dumps(each.get("line"))]
        line["entries"][0]["new"] = 64.0

    def passed_after_all(lines: list[dict[str, Any]]) -> None:
        lines[-1]["steps"] = {"passed": 3, "failed": 0, "skipped": 0}

    def another_head(lines: list[dict[str, Any]]) -> None:
        lines[-1]["journal"] = [f"5:{'0' * 64}"]

    for change, check, said in (
        (without_the_write, "journal", "of this run (action Plant.Tank1.LevelSP) is not in the record"),
        (another_value, "journal", "of the journal in the record: "),
        (passed_after_all, "contents", "it says that 3 steps passed, and 2 did"),
        (another_head, "journal", f"the head 5:{'0' * 64} is not in the journal"),
    ):
        path.write_bytes(whole)
        changed(path, change)
        done = await shell("report", "verify", "run.jsonl")
        assert done.code == 1, change
        assert f"{check:9}DIFFERS: " in done.out
        assert "digest   holds" in done.out
        assert said in done.out
        assert done.out.endswith("run.jsonl: NOT ALL OF IT HOLDS\n")
    path.write_bytes(whole.replace(b'"value": 65.0', b'"value": 64.0', 1))
    done = await shell("report", "verify", "run.jsonl")
    assert "digest   DIFFERS: the SHA-256 in run-end is not that of the lines before it" in done.out


async def test_a_journal_that_was_changed_is_found(shell: ShellProcess) -> None:
    await run_of(shell)
    [journal] = shell.folder.glob("records/**/journal-000001.jsonl")
    journal.write_bytes(journal.read_bytes().replace(b'"new":65.0', b'"new":66.0'))
    done = await shell("report", "verify", "run.jsonl")
    assert done.code == 1
    assert "journal  DIFFERS: " in done.out
    assert "the journal itself is wrong: journal-000001.jsonl:" in done.out


async def test_a_record_without_its_end_is_reported_and_not_verified(shell: ShellProcess) -> None:
    (shell.folder / "cut.jsonl").write_bytes(acceptance_record().rsplit(b"\n", 2)[0] + b"\n")
    done = await shell("report", "cut.jsonl", "--output", "cut.html")
    assert done.code == 1
    assert done.err.startswith("mxgw-shell: cut.jsonl: no run-end: ")
    assert "This record is incomplete" in (shell.folder / "cut.html").read_text(encoding="utf-8")
    assert (await shell("report", "verify", "cut.jsonl")).code == 1
    refused = await shell("report", "seal", "cut.jsonl", "--new-key", "k.pem")
    assert refused.code == 1
    assert "cut.jsonl is not sealed: no run-end" in refused.err
    assert not (shell.folder / "k.pem").exists()


async def test_a_seal_is_checked_by_its_key(shell: ShellProcess) -> None:
    (shell.folder / "run.jsonl").write_bytes(record([{"command": "run-begin", "format": 1, "run": "r1"}]))
    whole = (shell.folder / "run.jsonl").read_bytes()
    made = await shell("report", "seal", "run.jsonl", "--new-key", "mine.pem")
    assert made.code == 0, made.err
    assert "run.jsonl is sealed in run.jsonl.seal: " in made.out
    assert (await shell("report", "seal", "run.jsonl", "--key", "mine.pem")).code == 0
    # The record itself is as it was.
    assert (shell.folder / "run.jsonl").read_bytes() == whole
    plain = await shell("report", "verify", "run.jsonl")
    assert plain.code == 0
    assert plain.out.count("not checked: --public-key FILE names its key") == 2
    checked = await shell("report", "verify", "run.jsonl", "--public-key", "mine.pem.pub")
    assert (checked.code, checked.out.count(": checked\n")) == (0, 2)
    assert "journal  the run wrote nothing" in checked.out
    # By another key, of another record, or by nobody.
    await shell("report", "seal", "run.jsonl", "--new-key", "other.pem")
    seals = (shell.folder / "run.jsonl.seal").read_bytes().splitlines(keepends=True)
    assert len(seals) == 3
    (shell.folder / "run.jsonl.seal").write_bytes(b"".join(seals[:2]))
    other = await shell("report", "verify", "run.jsonl", "--public-key", "other.pem.pub")
    assert other.code == 1
    assert "no seal by the key" in other.out
    forged = json.loads(seals[0]) | {"by": "someone@else"}
    (shell.folder / "run.jsonl.seal").write_text(f"{json.dumps(forged)}\n", encoding="utf-8")
    done = await shell("report", "verify", "run.jsonl", "--public-key", "mine.pem.pub")
    assert (done.code, "the seal is not by the key" in done.out) == (1, True)
    (shell.folder / "run.jsonl.seal").write_bytes(seals[0])
    (shell.folder / "run.jsonl").write_bytes(record([{"command": "run-begin", "format": 1, "run": "r2"}]))
    moved = await shell("report", "verify", "run.jsonl")
    assert (moved.code, "IT SEALS OTHER BYTES" in moved.out) == (1, True)
    page = await shell("report", "run.jsonl", "--html")
    assert "OF OTHER BYTES THAN THIS RECORD" in page.out
    (shell.folder / "run.jsonl.seal").write_text("{}\n", encoding="utf-8")
    assert "run.jsonl.seal is damaged" in (await shell("report", "verify", "run.jsonl")).out


async def test_two_runs_give_a_summary_of_what_changed(shell: ShellProcess) -> None:
    await run_of(shell, "one.jsonl")
    failing = LEVEL.replace("< 1000", "> 1000")
    assert (await run_of(shell, "two.jsonl", failing)).code == 1
    done = await shell("report", "two.jsonl", "one.jsonl", "--md")
    assert done.code == 0
    assert done.out.startswith("# The level: summary of 2 runs of 1 test\n")
    assert "| newly failing | another | passed → failed |" in done.out
    assert "| changed | file level.mxs | " in done.out


async def test_standard_output_is_in_utf_8_as_the_page_says(shell: ShellProcess) -> None:
    (shell.folder / "run.jsonl").write_bytes(acceptance_record())
    shell.environment |= {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    started = await shell.start("report", "run.jsonl")
    out, err = await asyncio.wait_for(started.communicate(), 40)
    assert (started.returncode, err) == (0, b"")
    assert "✗".encode() in out


async def test_what_is_asked_for_wrongly_is_refused(shell: ShellProcess) -> None:
    (shell.folder / "run.jsonl").write_bytes(acceptance_record())
    for arguments, said in (
        ((), "Missing argument 'RUN.jsonl…'"),
        (("none.jsonl",), "cannot read none.jsonl: "),
        (("run.jsonl", "--output", "run.jsonl"), "run.jsonl is a record: it is never replaced by its report"),
        (("run.jsonl", "--output", "none/run.html"), "cannot write none"),
        (("seal", "run.jsonl"), "report seal needs a key"),
        (("seal", "run.jsonl", "--key", "a", "--new-key", "b"), "report seal needs a key"),
        (("verify", "run.jsonl", "--public-key", "none.pub"), "cannot read the key none.pub"),
    ):
        done = await shell("report", *arguments)
        assert done.code == 2, arguments
        assert said in done.err
    assert (shell.folder / "run.jsonl").read_bytes() == acceptance_record()
