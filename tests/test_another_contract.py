"""Library, simulator and programs under a contract in which no number is ours: their own tests hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from permuted_contract import write_permuted

TESTS = Path(__file__).parent
# Tests that spell out no number of the contract.
RUNS = {
    "library": (
        "library/test_writing.py",
        "library/test_live_tags.py",
        "library/test_alarms.py",
        "library/test_galaxy.py",
    ),
    "mxgw-py": ("cli/test_cli_bulk_writes.py", "cli/test_cli_tags.py"),
    "mxgw-shell": ("shell/test_shell_alarms.py",),
}


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize(("seed", "run"), list(enumerate(RUNS)))
def test_the_tests_of_both_ends_hold(seed: int, run: str, tmp_path: Path) -> None:
    contract = write_permuted(tmp_path / "permuted.protoset", seed)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "--timeout", "60", *RUNS[run]],
        env=os.environ | {"MXGATEWAY_CONTRACT": str(contract), "TESTS_UNDER_A_CONTRACT": "1"},
        cwd=TESTS,
        capture_output=True,
        text=True,
        timeout=230,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    assert " passed" in done.stdout
