"""Python that leaves docstrings out leaves the texts of help out: help says so, and all else works."""

import subprocess
import sys

import pytest


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-OO", "-m", *arguments], capture_output=True, timeout=50, check=True)
    return " ".join(done.stdout.decode().split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("zb_mom_ww_mxgateway_cli", "--help"),
        ("zb_mom_ww_mxgateway_cli", "write", "--help"),
        ("zb_mom_ww_mxgateway_shell", "--help"),
        ("zb_mom_ww_mxgateway_shell", "trust", "--help"),
        ("zb_mom_ww_mxgateway_shell", "--demo", "-e", "help write"),
    ],
)
def test_help_says_why_it_has_no_text(arguments: tuple[str, ...]) -> None:
    assert "Python runs with -OO or PYTHONOPTIMIZE=2" in run(*arguments)
