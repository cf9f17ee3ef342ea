"""Several processes at one journal, and processes that are killed."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway.safety.journal import Journal
from zb_mom_ww_mxgateway.safety.journal_chain import JournalLine, parse_line
from zb_mom_ww_mxgateway.safety.journal_verification import verify

PROGRAM = Path(__file__).with_name("library_journal_process.py")


def started(folder: Path, name: str, count: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), str(folder), name, str(count)], stdout=subprocess.PIPE, text=True
    )


def lines_of(folder: Path) -> list[JournalLine]:
    texts = b"".join(path.read_bytes() for path in sorted((folder / "state").glob("*.jsonl"))).splitlines()
    return [parse_line(text) for text in texts]


def test_processes_append_to_one_journal_and_the_chain_is_whole(tmp_path: Path) -> None:
    processes = {name: started(tmp_path, name, 60) for name in ("one", "two", "three")}
    for process in processes.values():
        with process:
            process.communicate()
        assert process.returncode == 0
    verdict = verify(tmp_path / "state", tmp_path / "data")
    assert (verdict.wrong, verdict.torn, verdict.notes) == (None, None, ())
    assert verdict.complete_up_to == verdict.end
    lines = lines_of(tmp_path)
    assert len(list((tmp_path / "state").glob("*.jsonl"))) > 2
    for name in processes:
        mine = [line.fields["mine"] for line in lines if line.who["name"] == name and "mine" in line.fields]
        assert mine == list(range(120))


@pytest.mark.parametrize("groups", [1, 7, 23])
async def test_a_killed_process_leaves_what_it_had_reported(tmp_path: Path, groups: int) -> None:
    with started(tmp_path, "killed", 0) as process:
        assert process.stdout is not None
        for _ in range(groups):
            process.stdout.readline()
        process.kill()
    assert process.returncode in (-signal.SIGKILL, 1)
    verdict = verify(tmp_path / "state", tmp_path / "data")
    assert verdict.wrong is None
    assert verdict.complete_up_to is not None
    journal = Journal(tmp_path / "state", tmp_path / "data", {"name": "next"})
    await journal.append("opened", {})
    head = await journal.aclose()
    verdict = verify(tmp_path / "state", tmp_path / "data")
    assert (verdict.wrong, verdict.complete_up_to) == (None, head)
    mine = [
        line.fields["mine"] for line in lines_of(tmp_path) if line.who["name"] == "killed" and "mine" in line.fields
    ]
    assert mine == list(range(len(mine)))
    assert len(mine) >= 2 * groups
    assert [line.who["name"] for line in journal.foreign_lines()][-1:] == ["killed"]
