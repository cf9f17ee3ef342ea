"""handover: the summary of a shift, and what is not known of it."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from shell_lines import SIMULATED, follow, run as run_line
from shell_process import Runs
from shell_waiting import until

from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.markdown import escaped, table
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
DOUBLE, TEXT = "TestChildObject.TestDouble", "TestChildObject.TestString"
SP = "Plant.Tank1.LevelSP"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


def part(summary: dict[str, Any], title: str) -> dict[str, Any]:
    """The part of a summary with this title."""
    (found,) = [each for each in summary["parts"] if each["title"] == title]
    assert isinstance(found, dict)
    return found


async def test_a_shift_has_what_earlier_programs_did_and_what_is_not_put_back(run: Runs) -> None:
    first = ["-e", f'write {INT} 9 --reason "a|b *c*"', "-e", 'note "pump <1> | rattles"', "-e", f"write {SP} 61"]
    assert (await run.process("--plaintext", *first)).code == 0
    second = ["-e", f"snapshot before {INT}", "-e", f"write {SP} 60", "-e", f"write {DOUBLE} 2.5"]
    done = await run.process("--plaintext", "--json", *second, "-e", "handover --since 1h")
    assert done.code == 0, done
    summary = done.objects[-1]["result"]
    writes = part(summary, "Writes and acknowledgements")["rows"]
    assert [(each["tag"], each["old"], each["new"], each["result"], each["reason"]) for each in writes] == [
        (INT, "0", "9", "completed", "a|b *c*"),
        (SP, "60.0", "61.0", "completed", ""),
        (SP, "61.0", "60.0", "completed", ""),
        (DOUBLE, "0.0", "2.5", "completed", ""),
    ]
    left = part(summary, "Not put back")["rows"]
    assert [(each["tag"], each["last written"], each["now"]) for each in left] == [
        (INT, "9", "not known here"),
        (DOUBLE, "2.5", "2.5"),
    ]
    (note,) = part(summary, "Notes")["rows"]
    assert (note["what"], note["text"]) == ("note", "pump <1> | rattles")
    assert [each["name"] for each in part(summary, "Snapshots taken")["rows"]] == ["before"]
    # Observations of a file are notes, too.
    assert (await run('comment "dry"\ndeviation "by hand"\nexpect TestChildObject.TestInt = 9\n')).code == 0
    later = (await run.process("--plaintext", "--json", "-e", "handover --since 1h")).objects[-1]["result"]
    notes = part(later, "Notes")["rows"]
    assert [(each["what"], each["text"]) for each in notes][1:] == [("comment", "dry"), ("deviation", "by hand")]
    assert [each["what"] for each in part(summary, "Connections")["rows"]] == [
        "session opened",
        "session closed",
        "session opened",
    ]
    armed = part(summary, "Arming")["rows"]
    assert [each["what"] for each in armed][:2] == ["armed", "disarmed"]
    assert INT.partition(".")[0] in armed[0]["tags"]
    assert any("alarms before" in each for each in part(summary, "Alarms raised")["unknown"])
    assert any("lost before" in each for each in part(summary, "Losses, gaps and stale stretches")["unknown"])
    assert len(summary["heads"]) == 1


async def test_it_is_markdown_in_a_file_that_must_not_exist(run: Runs) -> None:
    lines = ["-e", f'write {INT} 9 --reason "a|b *c* [d](e)"', "-e", "handover --since 00:00 --output shift.md"]
    assert (await run.process("--plaintext", *lines)).code == 0
    text = (run.folder / "shift.md").read_text(encoding="utf-8")
    assert "a\\|b \\*c\\* \\[d\\](e)" in text
    (row,) = [line for line in text.splitlines() if f"| {INT} | 0 | 9 |" in line]
    assert row.replace("\\|", "").count("|") == 8
    assert re.match(rf"# Handover: {TIME} to {TIME}\n\nMade {TIME} by ", text)
    assert "What other users, other machines and other programs did is not known here." in text
    done = await run.process("--plaintext", "-e", "handover --output shift.md")
    assert (done.code, "shift.md exists" in done.err) == (2, True)
    assert (run.folder / "shift.md").read_text(encoding="utf-8") == text


async def test_without_a_connection_it_says_what_it_cannot_know(run: Runs) -> None:
    del run.process.environment["MXGATEWAY_ENDPOINT"]
    done = await run.process("-e", "handover")
    assert done.code == 0, done
    assert "Not known: alarms: this session has no connection" in done.out
    assert "Not known: what was lost: this session has no connection" in done.out
    assert "The journal has no line yet." in done.out
    done = await run.process("-e", "handover --since 1h --until 2h")
    assert (done.code, "--since is not before --until" in done.err) == (2, True)


async def test_what_came_after_its_end_is_left_out(run: Runs) -> None:
    done = await run.process("--plaintext", "--json", "-e", f"write {INT} 9", "-e", "handover --since 2h --until 1h")
    assert part(done.objects[-1]["result"], "Writes and acknowledgements")["rows"] == []


async def test_a_session_tells_its_losses_and_the_alarms_that_it_saw(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
        try:
            for line in ("alarms", f"read {INT}"):
                await run_line(context, line, follow)
            gateway.raise_alarm("Galaxy!Area.Object.Alarm", severity=300, description="a*b")
            live = context.live_session
            gateway.faults.drop_streams()
            while not live.resumes:
                await live.changed()
            await context.connected.settled()
            result = await run_line(context, "handover --since 1h", follow)
            assert result is not None
            summary = result.form()
        finally:
            await context.disconnect()
        (raised,) = part(summary, "Alarms raised")["rows"]
        assert (raised["alarm"], raised["severity"]) == ("Galaxy!Area.Object.Alarm", "300")
        assert [each["alarm"] for each in part(summary, "Alarms now")["rows"]] == ["Galaxy!Area.Object.Alarm"]
        losses = part(summary, "Losses, gaps and stale stretches")["rows"]
        assert "values stale" in losses[0]["what"]
        assert "a\\*b" in "\n".join(result.lines())


async def test_a_plan_keeps_no_note(run: Runs) -> None:
    run.file('note "planned only"\nexpect TestChildObject.TestInt = 0\n')
    assert (await run.process("--plaintext", "plan", "try.mxs")).code == 0
    done = await run.process("--plaintext", "--json", "-e", "handover --since 1h")
    assert part(done.objects[-1]["result"], "Notes")["rows"] == []


def test_no_text_is_read_as_markup() -> None:
    assert escaped("a|b\n*c* <b>`d`</b> [e](f) \\ ~~g~~ &amp; $h$") == (
        "a\\|b \\*c\\* \\<b\\>\\`d\\`\\</b\\> \\[e\\](f) \\\\ \\~\\~g\\~\\~ \\&amp; \\$h\\$"
    )
    assert table(("a",), [["b|c"]]) == ["| a |", "| --- |", "| b\\|c |"]


async def test_a_session_without_an_end_is_told(run: Runs) -> None:
    killed = await run.process.start("--plaintext")
    assert killed.stdin is not None
    killed.stdin.write(b"status\n")
    await killed.stdin.drain()
    journal = run.folder / "records" / "state" / "journal" / "plant"
    await until(lambda: any(b'"opened"' in path.read_bytes() for path in journal.glob("*.jsonl")))
    killed.kill()
    await killed.communicate()
    done = await run.process("--plaintext", "--json", "-e", "handover --since 1h")
    (unknown,) = part(done.objects[-1]["result"], "Connections")["unknown"]
    assert f"how the session of process {killed.pid} ended" in unknown


async def test_lines_of_the_journal_that_cannot_be_read_are_counted(run: Runs) -> None:
    assert (await run.process("--plaintext", "-e", f"write {INT} 9", "-e", f"write {INT} 8")).code == 0
    (journal,) = (run.folder / "records" / "state" / "journal" / "plant").glob("*.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    number = next(at for at, line in enumerate(lines) if b'"action"' in line)
    lines[number] = b"{" + lines[number]
    journal.write_bytes(b"".join(lines))
    done = await run.process("--plaintext", "--json", "-e", "handover --since 1h")
    (unknown,) = part(done.objects[-1]["result"], "Writes and acknowledgements")["unknown"]
    assert unknown == "1 line of the journal missing or damaged: journal verify names them"


async def test_a_secret_is_not_taken_for_the_one_before_it(run: Runs) -> None:
    run.process.environment |= {"ONE": "the first one", "TWO": "another one"}
    write = f"requires write {TEXT}\nsecret pin from env {{}}\nwrite {TEXT} $pin\n"
    assert (await run(write.format("ONE"))).code == 0
    since = datetime.now(UTC).isoformat()
    both = "secret first from env ONE\n" + write.format("TWO").partition("\n")[2]
    done = await run(f"requires write {TEXT}\n{both}handover --since {since}\n", "--json")
    (result,) = [each["result"] for each in done.objects if each["command"] == "handover"]
    (row,) = part(result, "Not put back")["rows"]
    assert (row["before the shift's first write"], row["last written"]) == ("***", "***")
