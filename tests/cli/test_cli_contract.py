"""``mxgw-py contract``: compare, use, show, reset, export."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from permuted_contract import write_permuted

from zb_mom_ww_mxgateway.contract.adoption import kept_path
from zb_mom_ww_mxgateway.contract.descriptors import built_in_files
from zb_mom_ww_mxgateway_cli.command_group import run


@pytest.fixture
def other(tmp_path: Path) -> Path:
    return write_permuted(tmp_path / "other.protoset", 1)


def started(*arguments: str) -> tuple[int, str, str]:
    """A program of its own, as the user's next one is."""
    done = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, check=False, timeout=50)
    return done.returncode, done.stdout, done.stderr


def test_differences_are_listed_and_what_matters_is_an_exit_code(
    other: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["contract", "compare", str(other)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("matters   ")
    assert lines[-1].endswith("mxgw-py contract use FILE.protoset")
    assert run(["contract", "compare", str(other), "--json"]) == 1
    form = json.loads(capsys.readouterr().out)
    assert sorted(form) == ["compared_with", "differences", "ok"]
    assert (form["compared_with"], form["ok"], len(form["differences"])) == ("built-in", False, len(lines) - 2)
    same = tmp_path / "same.protoset"
    assert run(["contract", "export", str(same)]) == 0
    assert run(["contract", "compare", str(same)]) == 0
    assert capsys.readouterr().out.endswith("no differences\n")
    kept = same.read_bytes()
    assert run(["contract", "export", str(same)]) == 2
    assert f"{same} exists: name another file" in capsys.readouterr().err
    assert same.read_bytes() == kept


def test_a_set_is_adopted_shown_and_given_up(other: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contract", "show"]) == 0
    assert run(["contract", "use", str(other)]) == 0
    assert run(["contract", "reset"]) == 0
    assert run(["contract", "reset", "--json"]) == 0
    shown, used, removed, nothing = capsys.readouterr().out.splitlines()
    assert shown == "contract: built-in"
    assert used.startswith(f"adopted: {kept_path()} (adopted, sha256 ")
    assert removed == f"removed {kept_path()}: the contract is the built-in one"
    assert json.loads(nothing) == {"ok": True, "removed": None}


def test_every_program_says_what_it_speaks(other: Path) -> None:
    assert run(["contract", "use", str(other)]) == 0
    kept = str(kept_path())
    code, out, err = started("zb_mom_ww_mxgateway_cli", "version")
    assert (code, kept in out, err) == (0, True, "")
    code, out, err = started("zb_mom_ww_mxgateway_cli", "contract", "show", "--json")
    assert (code, json.loads(out)["origin"], json.loads(out)["path"]) == (0, "adopted", kept)
    # The demo's gateway is in the same process, and speaks the same.
    code, out, err = started(
        "zb_mom_ww_mxgateway_shell", "--demo", "-e", "status", "-e", "read TestChildObject.TestInt"
    )
    assert (code, f"contract    {kept}" in out, err) == (0, True, "")
    # Nothing differs from what it speaks.
    assert started("zb_mom_ww_mxgateway_cli", "contract", "compare", str(other))[:2] == (0, "no differences\n")


def test_a_kept_set_that_has_become_unusable_is_told_by_every_program_and_given_up(other: Path) -> None:
    assert run(["contract", "use", str(other)]) == 0
    kept_path().write_bytes(other.read_bytes()[:500])
    remedy = "mxgw-py contract reset goes back to the built-in contract"
    for program in (
        ("zb_mom_ww_mxgateway_cli", "contract", "show"),
        ("zb_mom_ww_mxgateway_cli", "read", "A.b", "--endpoint", "localhost:1"),
        ("zb_mom_ww_mxgateway_shell", "--demo", "-e", "status"),
        ("zb_mom_ww_mxgateway_sim",),
    ):
        code, out, err = started(*program)
        assert (code, out, err.count("\n")) == (2, "", 1), program
        assert remedy in err
    code, out, _ = started("zb_mom_ww_mxgateway_cli", "version")
    assert (code, "unusable" in out) == (0, True)
    assert started("zb_mom_ww_mxgateway_cli", "contract", "reset")[0] == 0
    assert started("zb_mom_ww_mxgateway_cli", "contract", "show")[:2] == (0, "contract: built-in\n")


def test_a_set_that_cannot_be_spoken_is_refused_with_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files, path = built_in_files(), tmp_path / "lacking.protoset"
    for file in files.file:
        if file.package == "mxaccess_gateway.v1":
            del file.enum_type[0].value[-1]
    path.write_bytes(files.SerializeToString())
    assert run(["contract", "use", str(path)]) == 2
    err = capsys.readouterr().err
    assert "missing" in err
    assert err.count("\n") == 1
    assert not kept_path().exists()
    assert run(["contract", "compare", str(path)]) == 1
    assert "This library cannot speak that contract" in capsys.readouterr().out


def test_a_variable_that_goes_first_is_said(
    other: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MXGATEWAY_CONTRACT", "elsewhere.protoset")
    assert run(["contract", "use", str(other)]) == 0
    assert "MXGATEWAY_CONTRACT is set and goes first: elsewhere.protoset" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="rights are inherited there")
def test_a_kept_set_that_others_may_change_is_not_spoken(other: Path) -> None:
    assert run(["contract", "use", str(other)]) == 0
    kept_path().chmod(0o666)
    code, _, err = started("zb_mom_ww_mxgateway_cli", "contract", "show")
    assert code == 2
    assert "others may change" in err
    assert "chmod go-w" in err


@pytest.mark.parametrize("command", ["compare", "use", "show", "reset", "export"])
def test_help_fits_a_terminal_and_describes_the_json(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["contract", command, "--help"]) == 0
    out = capsys.readouterr().out
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "JSON" in out
