"""Completion in a shell: the scripts, and what they ask for while somebody types."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import CompletionItem

from zb_mom_ww_mxgateway_cli.command_group import mxgw_py, run
from zb_mom_ww_mxgateway_cli.powershell import PowerShellCompletion

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
    asked["powershell"] = {"COMP_WORDS": json.dumps(words)}
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


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_of_a_shell_is_printed(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    script, err = capsys.readouterr()
    assert err == ""
    assert re.search(f"_MXGW_PY_COMPLETE ?= ?'?{shell}_complete", script)
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


def of_powershell(*words: str) -> list[tuple[str, str]]:
    """The kind and the value of what is offered there; each has a text for the tip."""
    offered = [json.loads(line) for line in completed(*words, shell="powershell")]
    assert all(set(each) == {"help", "type", "value"} and each["help"] for each in offered)
    return [(each["type"], each["value"]) for each in offered]


def test_powershell_gets_commands_options_and_values() -> None:
    assert of_powershell("mxgw-py", "stream-al") == [("plain", "stream-alarms")]
    assert ("plain", "--client-name") in of_powershell("mxgw-py", "register", "--c")
    assert of_powershell("mxgw-py", "write", "--type", "in") == [("plain", "int32"), ("plain", "int64")]
    # Words as PowerShell has read them: nothing in them is quoted, or read as an escape.
    assert of_powershell("mxgw-py", "write", "--ca-file", "C:\\a file\\ä", "--type", "in")[0] == ("plain", "int32")
    assert of_powershell("mxgw-py", "read-bulk", "--items-file", "C:\\a b") == [("file", "C:\\a b")]
    # What is offered takes the place of the whole word.
    assert of_powershell("mxgw-py", "write", "--type=in") == [("plain", "--type=int32"), ("plain", "--type=int64")]
    assert len(of_powershell("mxgw-py", "")) == len(of_powershell("mxgw-py")) > 30


def test_the_script_of_powershell_is_for_every_code_page_and_leaves_the_environment_as_it_was() -> None:
    # There is no PowerShell here: what follows is what can be seen in the text.
    lines = PowerShellCompletion(mxgw_py, {}, "mxgw-py", "_MXGW_PY_COMPLETE").source().splitlines()
    text = "\n".join(lines)
    assert text.isascii()
    assert lines[0].startswith(
        "Register-ArgumentCompleter -Native -CommandName 'mxgw-py', 'mxgw-py.exe' -ScriptBlock {"
    )
    assert "%(" not in text
    for opened, closed in ("()", "{}", "[]"):
        assert text.count(opened) == text.count(closed)
    assert "$former = @($env:_MXGW_PY_COMPLETE, $env:COMP_WORDS)" in text
    assert "finally {\n        $env:_MXGW_PY_COMPLETE, $env:COMP_WORDS = $former\n    }" in text


def test_what_is_not_ascii_reaches_powershell() -> None:
    made = PowerShellCompletion(mxgw_py, {}, "mxgw-py", "_MXGW_PY_COMPLETE")
    line = made.format_completion(CompletionItem("Tür", help="zwei\nZeilen"))
    assert line.isascii()
    assert json.loads(line) == {"help": "zwei Zeilen", "type": "plain", "value": "Tür"}
