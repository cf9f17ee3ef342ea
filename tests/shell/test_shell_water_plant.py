"""The complete acceptance test of the examples: it runs as its README says, and its report has all that it shows."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shell_browser import A4_WIDTH, CHROMIUM, DRIVER, OVERFLOWING, POINTS, PRINTED_WIDTH, Browser
from shell_process import EXAMPLES, ShellProcess

from zb_mom_ww_mxgateway_shell.evidence.record_format import Record, read_record

EXAMPLE = EXAMPLES / "water-plant"
REQUIREMENTS = {f"URS-{number}" for number in ("01", "02", "21", "22", "23", "31", "32", "41", "42", "51", "61")}


def commands() -> list[list[str]]:
    """The arguments of the program in the lines of the README."""
    (block,) = re.findall(r"^```sh\n(.*?)^```$", (EXAMPLE / "README.md").read_text(encoding="utf-8"), re.M | re.S)
    lines = block.replace("\\\n", " ").splitlines()
    return [words[1:] for line in lines if (words := shlex.split(line))[0] == "mxgw-shell"]


def followed(place: Path) -> Path:
    """A copy of the example, after the lines of its README."""
    folder = place / "water-plant"
    shutil.copytree(EXAMPLE, folder)
    environment = ShellProcess(place).environment
    assert len(commands()) == 5
    for arguments in commands():
        done = subprocess.run(
            [sys.executable, "-m", "zb_mom_ww_mxgateway_shell", *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
    return folder


def has_all_that_happened(record: Record) -> None:
    assert record.problems == []
    assert record.end["left_changed"] == []
    assert record.end["steps"] == {"passed": 10, "failed": 0, "skipped": 0}
    assert {each["name"] for each in record.begin["files"]} >= {"acceptance.mxs", "valves.csv", "parts/valve.mxs"}
    (contact,) = record.of("first-contact")
    assert contact["missing"] == []
    assert [each["kind"] for each in record.of("alarm")] == ["raise", "acknowledge", "clear"]
    refused = [each["statement"] for each in record.statements if "--refused" in each["statement"]]
    assert len(refused) == 2
    assert {need for each in record.statements for need in each["requirements"]} == REQUIREMENTS


def looks_right(browser: Browser, page: Path, record: Record) -> None:
    assert browser.opened(page) == {page.as_uri()}
    assert browser.complaints() == []
    assert [len(each) for each in browser.asked(POINTS)] == [len(each["points"]) for each in record.of("samples")]
    for width, media in ((A4_WIDTH, "screen"), (PRINTED_WIDTH, "print")):
        browser.shown(width=width, media=media)
        browser.opened(page)
        assert browser.asked(OVERFLOWING) == []


# One test: the run takes as long as the plant does.
@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_example_runs_as_its_readme_says_and_its_report_shows_what_happened(tmp_path: Path) -> None:
    folder = followed(tmp_path)
    record = read_record(folder / "run.jsonl")
    has_all_that_happened(record)
    report = (folder / "run.html").read_text(encoding="utf-8")
    assert set(re.findall(r"URS-\d\d", report)) >= REQUIREMENTS
    for shown in ("passed with observation", "the alarm horn was not connected", "SAT-001", "Cleo", "a visible swing"):
        assert shown.lower() in report.lower(), shown
    assert "2 Plant.Tank2.Outlet goes to 50 % and back to 40 %" in (folder / "run.xml").read_text(encoding="utf-8")
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("all but the look in a browser: install chromium and chromium-driver")
    browser = Browser(tmp_path / "browser")
    try:
        looks_right(browser, folder / "run.html", record)
    finally:
        browser.driver.quit()
