"""A full disk beneath standard output is told as such by both command lines, also where nothing is run."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway_cli import command_group
from zb_mom_ww_mxgateway_shell.app import command_line

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    ("name", "run", "arguments"),
    [
        ("mxgw-py", command_group.run, ["--help"]),
        ("mxgw-py", command_group.run, ["read", "--help"]),
        ("mxgw-shell", command_line.run, ["--version"]),
        ("mxgw-shell", command_line.run, ["lint", "right.mxs"]),
        ("mxgw-shell", command_line.run, ["lint", "wrong.mxs", "--json"]),
    ],
)
def test_a_full_disk_is_no_internal_error(
    name: str,
    run: Callable[[list[str]], int],
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("right.mxs").write_text("read Plant.Tank1.Level\n", encoding="utf-8")
    Path("wrong.mxs").write_text("reed Plant.Tank1.Level\n", encoding="utf-8")
    with FULL.open("w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run(arguments) == 1
    assert capsys.readouterr().err == f"{name}: cannot write the output: No space left on device\n"
