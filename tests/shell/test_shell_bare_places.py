"""Containers and services: programs without a home, a passwd entry, or one of their standard streams."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from shell_terminal import shell

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no passwd and no sh on Windows")

WITHOUT_PASSWD = (
    "import pwd, sys, runpy\n"
    "def nobody(number): raise KeyError(number)\n"
    "pwd.getpwuid = nobody\n"
    "sys.argv[:1] = [sys.argv[1]]; del sys.argv[1]\n"
    "runpy.run_module(sys.argv[0], run_name='__main__')"
)
WRITES = ("zb_mom_ww_mxgateway_shell", "--demo", "-e", "write TestChildObject.TestInt 5")


def environment(tmp_path: Path) -> dict[str, str]:
    ours = ("MXGATEWAY_", "XDG_", "HOME", "PYTHONASYNCIODEBUG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"TMPDIR": str(tmp_path)}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (WRITES, 0, "completed"),
        (("zb_mom_ww_mxgateway_shell", "-e", "note x"), 0, "x"),
        (("zb_mom_ww_mxgateway_shell", "--endpoint", "127.0.0.1:1", "-e", "status"), 2, "set HOME"),
        (("zb_mom_ww_mxgateway_cli", "version"), 0, "mxgw-py"),
        (("zb_mom_ww_mxgateway_cli", "smoke", "--endpoint", "127.0.0.1:1", "--item", "A.B"), 2, "set HOME"),
        (("zb_mom_ww_mxgateway_sim",), 4, "set HOME"),
    ],
)
async def test_without_a_home_a_program_keeps_nothing_or_says_what_to_set(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        WITHOUT_PASSWD,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    async with asyncio.timeout(40):
        out, _ = await process.communicate()
    assert (process.returncode, said in out.decode()) == (code, True), out
    assert "internal error" not in out.decode()
    assert "Traceback" not in out.decode()
    assert "~" not in os.listdir(tmp_path)  # noqa: PTH208  # in an async test


async def test_a_prompt_of_a_user_without_a_home_takes_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.delenv("XDG_CONFIG_HOME")
    async with shell(tmp_path) as here:
        await here.terminal.enter("watch TestChildObject.TestInt", "added item 1")
        await here.terminal.enter("connect foo", "no profile foo")
        await here.terminal.enter("list", "no lists")
        await here.terminal.enter("list save x A.B", "set HOME or XDG_CONFIG_HOME")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", [WRITES, ("zb_mom_ww_mxgateway_cli", "version")], ids=["write", "version"])
def test_a_stream_that_is_closed_from_the_start_changes_nothing(
    tmp_path: Path, closed: str, arguments: tuple[str, ...]
) -> None:
    line = f'"$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", line, "sh", sys.executable, "-m", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(tmp_path) | {"HOME": str(tmp_path)},
        timeout=40,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == b"" if ">&-" in closed.replace("2>&-", "") else done.stdout
