"""A command file of two lines as a whole process, beside a bare grpc.aio script that makes the same calls."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

TAG = "TestChildObject.TestInt"
FILE = f"register bench\nexpect {TAG} >= -1000000000\n"
TARGETS = {"script.run_vs_grpc_aio": ("<=", 1.35)}
HERE = Path(__file__).parent


def script_figures(endpoint: str, rounds: int) -> dict[str, dict[str, object]]:
    """Start, connect, run and leave: the ratio, and both in milliseconds."""
    with TemporaryDirectory() as folder:
        # Both find their bytecode, as what is installed does.
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        script = Path(folder) / "two-lines.mxs"
        script.write_text(FILE, encoding="utf-8")
        shell = [sys.executable, "-m", "zb_mom_ww_mxgateway_shell", "--endpoint", endpoint, "--plaintext"]
        commands = {
            "run": [*shell, "-c", str(script)],
            "bare": [sys.executable, str(HERE / "bare_script.py"), endpoint, TAG],
        }
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for number in range(rounds + 1):
            for name, command in commands.items():
                start = time.perf_counter()
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
                if number:  # The first round makes the bytecode.
                    taken[name].append(time.perf_counter() - start)
    ratios = [a / b for a, b in zip(taken["run"], taken["bare"], strict=True)]
    median = statistics.median
    return {
        "script.run_vs_grpc_aio": {"value": round(median(ratios), 3), "unit": "ratio of seconds"},
        "script.run": {"value": round(median(taken["run"]) * 1e3, 3), "unit": "ms"},
        "script.grpc_aio": {"value": round(median(taken["bare"]) * 1e3, 3), "unit": "ms"},
    }
