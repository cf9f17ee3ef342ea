"""The complete acceptance test of the examples: it runs as its README says, and its report has all that it shows."""

import asyncio
import re
import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from shell_process import EXAMPLES, ShellProcess

from zb_mom_ww_mxgateway_shell.evidence.record_format import read_record

FOLDER = EXAMPLES / "water-plant"


def commands() -> list[list[str]]:
    """The arguments of the program in the lines of the README."""
    (block,) = re.findall(r"^```sh\n(.*?)^```$", (FOLDER / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    lines = block.replace("\\\n", " ").splitlines()
    return [words[1:] for line in lines if (words := shlex.split(line))[0] == "mxgw-shell"]


async def finished(process: ShellProcess, arguments: Iterable[str]) -> tuple[int, str]:
    started = await process.start(*arguments)
    out, err = await asyncio.wait_for(started.communicate(), 150)
    assert started.returncode is not None
    return started.returncode, (out + err).decode()


@pytest.mark.timeout(300)
async def test_the_example_runs_as_its_readme_says_and_its_report_shows_what_happened(tmp_path: Path) -> None:
    folder = tmp_path / "water-plant"
    shutil.copytree(FOLDER, folder)
    process = ShellProcess(tmp_path)
    process.folder = folder
    lines = commands()
    assert len(lines) == 5
    for arguments in lines:
        code, out = await finished(process, arguments)
        assert code == 0, f"{arguments}: {out}"
    record = read_record(folder / "run.jsonl")
    assert record.is_complete
    assert record.end["left_changed"] == []
    assert record.end["steps"] == {"passed": 10, "failed": 0, "skipped": 0}
    assert {each["name"] for each in record.begin["files"]} >= {"acceptance.mxs", "valves.csv", "parts/valve.mxs"}
    report = (folder / "run.html").read_text(encoding="utf-8")
    required = {f"URS-{number}" for number in ("01", "02", "21", "22", "23", "31", "32", "41", "42", "51", "61")}
    assert required <= set(re.findall(r"URS-\d\d", report))
    for shown in ("passed with observation", "the alarm horn was not connected", "SAT-001", "Cleo", "<svg"):
        assert shown.lower() in report.lower(), shown
    junit = (folder / "run.xml").read_text(encoding="utf-8")
    assert "2 Plant.Tank2.Outlet goes to 50 % and back to 40 %" in junit
