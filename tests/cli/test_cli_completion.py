"""Completion in a shell: the scripts, and what they ask for while somebody types."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from zb_mom_ww_mxgateway_cli.command_group import run

PROGRAM = """
import atexit, sys
slow = ("grpc", "google.protobuf", "asyncio", "prompt_toolkit", "pygments")
atexit.register(lambda: print([name for name in slow if name in sys.modules], file=sys.stderr))
from zb_mom_ww_mxgateway_cli.__main__ import main
sys.argv = ["mxgw-py"]
main()
"""


def completed(*words: str, shell: str = "bash") -> list[str]:
    """What is offered for the last word, by click's own protocol; nothing slow may have been loaded for it."""
    asked = {"bash": {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}}
    asked["zsh"] = asked["bash"]
    asked["fish"] = {"COMP_WORDS": " ".join(words), "COMP_CWORD": words[-1]}
    env = os.environ | {"_MXGW_PY_COMPLETE": f"{shell}_complete"} | asked[shell]
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=env, capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
    return done.stdout.splitlines()


def test_the_name_of_a_command_is_completed() -> None:
    assert completed("mxgw-py", "write") == [
        f"plain,{name}" for name in ("write", "write-bulk", "write2-bulk", "write-secured-bulk", "write-secured2-bulk")
    ]


def test_the_name_of_an_option_is_completed() -> None:
    assert completed("mxgw-py", "register", "--c") == [
        "plain,--client-name",
        "plain,--ca-file",
        "plain,--connect-timeout",
    ]


def test_the_value_of_an_option_is_completed() -> None:
    assert completed("mxgw-py", "write", "--type", "in") == ["plain,int32", "plain,int64"]
    assert completed("mxgw-py", "read-bulk", "--items-file", "x") == ["file,x"]


def test_zsh_and_fish_get_the_kind_of_a_completion() -> None:
    kind, name, what = completed("mxgw-py", "close", shell="zsh")
    assert (kind, name) == ("plain", "close-session")
    assert what.startswith("Close a session")
    (offered,) = completed("mxgw-py", "close", shell="fish")
    assert offered.startswith("plain,close-session")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    script, err = capsys.readouterr()
    assert err == ""
    assert f"_MXGW_PY_COMPLETE={shell}_complete" in script
    assert run(["completion", shell, "--json"]) == 0
    form = json.loads(capsys.readouterr().out)
    assert set(form) == {"ok", "script", "shell"}
    assert (form["ok"], form["script"].strip(), form["shell"]) == (True, script.strip(), shell)


def test_bash_completes_by_the_script() -> None:
    bash = shutil.which("bash")
    if bash is None or sys.platform == "win32":
        pytest.skip("no bash")
    ask = 'COMP_WORDS=(mxgw-py stream-al); COMP_CWORD=1; _mxgw_py_completion mxgw-py; echo "${COMPREPLY[@]}"'
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"  # noqa: PTH120  # as the PATH has it
    script = f'eval "$(mxgw-py completion bash)" && {ask}'
    done = subprocess.run(
        [bash, "-c", script], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("stream-alarms\n", "")
