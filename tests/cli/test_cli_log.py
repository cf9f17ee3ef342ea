"""``--log-file`` and ``--log-level`` of ``mxgw-py`` and ``mxgw-shell``."""

import logging
import os
import stat
from pathlib import Path

import pytest
from cli_process import Drive, Run

from zb_mom_ww_mxgateway_console.process.log_file import logged
from zb_mom_ww_mxgateway_sim import SimulatedGateway


def files(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


async def test_a_log_is_private_and_appended(mxgw_py: Run, gateway: SimulatedGateway, tmp_path: Path) -> None:
    file = tmp_path / "mxgw.log"
    options = ["--plaintext", "--endpoint", gateway.endpoint, "--log-file", str(file), "--log-level", "debug"]
    for _ in range(2):
        ran = await mxgw_py("open-session", *options)
        assert (ran.code, ran.err) == (0, "")
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text(encoding="utf-8")
    assert text.count("mxgw.calls open_session OK") == 2
    assert text.count("closed") == 2


async def test_without_the_option_nothing_is_written(mxgw_py: Run, gateway: SimulatedGateway, tmp_path: Path) -> None:
    before = files(tmp_path)
    ran = await mxgw_py("open-session", "--plaintext", "--endpoint", gateway.endpoint)
    assert (ran.code, ran.err) == (0, "")
    assert files(tmp_path) == before
    assert (await mxgw_py("version", "--log-level", "debug")).code == 2


@pytest.mark.skipif(os.name != "posix", reason="pipes with names, and links that anybody may make, are POSIX's")
@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
async def test_a_log_that_cannot_be_written_changes_no_result(
    kind: str, mxgw_py: Run, gateway: SimulatedGateway, tmp_path: Path
) -> None:
    file = tmp_path / "log"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "link":
        file.symlink_to(tmp_path / "elsewhere")
    else:
        file.mkdir()
    ran = await mxgw_py(
        "open-session", "--json", "--plaintext", "--endpoint", gateway.endpoint, "--log-file", str(file)
    )
    assert ran.code == 0
    assert ran.json[-1]["ok"] is True
    assert ran.err.count("cannot write the log") == len(ran.err.splitlines()) == 1
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(number: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with logged(str(tmp_path / "log"), "info", "mxgw-py"):
        logging.getLogger("mxgw.calls").debug("not this")
        logging.getLogger("mxgw.session").info("this, with mxgw_demo_secret")
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            logging.getLogger("mxgw.session").info("lost")
            logging.getLogger("mxgw.session").info("lost")
    logging.getLogger("mxgw.session").warning("after it")
    (line,) = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert line.endswith("INFO mxgw.session this, with mxgw_demo_***")
    assert capsys.readouterr().err.count("No space left on device") == 1


async def test_a_batch_has_one_log(drive: Drive, gateway: SimulatedGateway, tmp_path: Path) -> None:
    options = ["--plaintext", "--endpoint", gateway.endpoint, "--log-file", str(tmp_path / "log")]
    batch = await drive(*options)
    (opened,) = await batch.ask("open-session")
    assert opened["ok"] is True
    (answer,) = await batch.ask(f"open-session --log-file {(tmp_path / 'other').as_posix()}")
    assert answer["error"]["exit_code"] == 2
    assert (await batch.end())[0] == 0
    assert "opened" in (tmp_path / "log").read_text(encoding="utf-8")
    assert not (tmp_path / "other").exists()
