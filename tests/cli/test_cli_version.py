"""The version, and that what needs no gateway loads nothing for one."""

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_process import Start

from zb_mom_ww_mxgateway import __version__
from zb_mom_ww_mxgateway_cli.command_group import run
from zb_mom_ww_mxgateway_sim import SimulatedGateway


@pytest.mark.parametrize("arguments", [["version"], ["--version"]])
def test_version_is_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 0
    assert capsys.readouterr().out == f"mxgw-py {__version__}\n"


def test_version_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["version", "--json"]) == 0
    assert capsys.readouterr().out == (
        f'{{"contract": "built-in", "gateway_protocol_version": 3, "ok": true, '
        f'"python": "{platform.python_version()}", "version": "{__version__}"}}\n'
    )


def test_the_console_script_is_installed() -> None:
    script = shutil.which("mxgw-py", path=str(Path(sys.executable).parent))
    assert script is not None
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"mxgw-py {__version__}\n", "")


# Loaded only where there is something to call, or a terminal to draw on.
SLOW = ("grpc", "google.protobuf", "prompt_toolkit", "ptpython", "pygments", "cryptography", "asyncio")
if sys.platform == "linux":  # elsewhere it says where an adopted contract would be
    SLOW = (*SLOW, "platformdirs")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--version"], 0),
        (["version", "--json"], 0),
        (["--help"], 0),
        *(
            ([name, "--help"], 0)
            for name in ("smoke", "register", "write2-bulk", "stream-alarms", "galaxy-browse", "batch")
        ),
        (["completion", "bash"], 0),
        (["completion", "zsh", "--json"], 0),
        (["batch"], 0),
        ([], 2),
        (["smok"], 2),
        (["smoke", "--item"], 2),
        (["write", "--type", "int32", "--value", "x"], 2),
    ],
    ids=str,
)
def test_what_needs_no_gateway_loads_nothing_for_one(arguments: list[str], code: int) -> None:
    program = (
        "import atexit, json, sys\n"
        f"atexit.register(lambda: print(json.dumps([m for m in {SLOW!r} if m in sys.modules]), file=sys.stderr))\n"
        f"sys.argv[1:] = {arguments!r}\n"
        "from zb_mom_ww_mxgateway_cli.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input="", capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert json.loads(done.stderr.splitlines()[-1]) == []


@pytest.mark.parametrize("endpoint", [[], ["--endpoint", "localhost"]])
def test_a_usage_error_found_late_loads_no_grpc_either(endpoint: list[str]) -> None:
    program = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('grpc' in sys.modules, file=sys.stderr))\n"
        f"sys.argv[1:] = ['smoke', '--item', 'x', *{endpoint!r}]\n"
        "from zb_mom_ww_mxgateway_cli.__main__ import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env={"PATH": ""}
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "False"


_UNNEEDED = ("arming", "csv_records", "journal", "kept_galaxy", "live.session", "models.alarms", "profiles", "schemas")


async def test_a_read_loads_only_what_it_needs(start: Start, gateway: SimulatedGateway) -> None:
    process = await start("read", "TestChildObject.TestInt", "--plaintext", PYTHONPROFILEIMPORTTIME="1")
    _, err = await process.communicate()
    assert process.returncode == 0
    lines = err.decode().splitlines()
    loaded = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    ours = {name for name in loaded if name.startswith("zb_mom_ww_mxgateway")}
    assert "zb_mom_ww_mxgateway.session" in ours
    assert not {name for name in ours if name.endswith(tuple(f".{each}" for each in _UNNEEDED))}
    others = {"click.shell_completion", "cryptography", "csv", "decimal", "filelock", "random", "secrets", "tempfile"}
    # On Windows the locks are those of filelock.
    assert not (others - ({"filelock"} if sys.platform == "win32" else set())) & loaded
    assert len(ours) <= 100
