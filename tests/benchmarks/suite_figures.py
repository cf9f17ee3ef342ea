"""A suite of a hundred command files as a whole process: what each file costs, as none of them waits for anything."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

TAG = "TestChildObject.TestInt"
FILE = f'step "one"\nexpect {TAG} >= -1000000000\nstep "two"\nexpect {TAG} >= -1000000000\n'
TARGETS = {"test.suite_of_100_files": ("<=", 0.15)}


def suite_figures(endpoint: str, rounds: int, files: int = 100) -> dict[str, dict[str, object]]:
    """Start, connect, run all files one after another, each in a session with a record, and report: seconds a file."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(files):
            (folder / f"{number:03}.mxs").write_text(FILE, encoding="utf-8")
        shell = [sys.executable, "-m", "zb_mom_ww_mxgateway_shell", "--endpoint", endpoint, "--plaintext"]
        reports = ["--report-junit", str(folder / "out.xml"), "--records", str(folder / "records")]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        taken = []
        for _ in range(rounds):
            start = time.perf_counter()
            command = [*shell, "test", str(folder), *reports]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            taken.append((time.perf_counter() - start) / files)
    return {"test.suite_of_100_files": {"value": round(statistics.median(taken), 4), "unit": "s a file"}}
