"""What both command lines tell from an internal error: a full disk beneath the output, and parts of another version."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway_cli import command_group
from zb_mom_ww_mxgateway_console.render.forms import error_message
from zb_mom_ww_mxgateway_shell.app import command_line
from zb_mom_ww_mxgateway_shell.output.problems import message_of

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


@pytest.mark.parametrize("text_of", [error_message, message_of])
def test_a_part_of_another_version_is_no_error_to_report(text_of: Callable[[BaseException], str]) -> None:
    with pytest.raises(ImportError) as own:
        importlib.import_module("zb_mom_ww_mxgateway_shell.of_another_version")
    assert "if it was upgraded while it ran, start it again; ModuleNotFoundError: No module" in text_of(own.value)
    with pytest.raises(ImportError) as others:
        importlib.import_module("no_such_module")
    assert text_of(others.value).startswith("internal error, please report it: ModuleNotFoundError")
