"""Every command and program in the README works as printed."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from zb_mom_ww_mxgateway_shell.state import profiles

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Set up the machine; what they set up is what runs these tests.
SETTING_UP = ("make demo", "make test", "python3 -m venv", ".venv/bin/")
# What each program prints, among other things, in the order of the README.
SAID = ("good", "60.0 good", "accepted", "AlarmSnapshotComplete()", "True")
SIMULATOR = "mxgw-sim --port 5001 --api-key mxgw_demo_not-a-secret"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MXGATEWAY_")}
    scripts = str(Path(sys.executable).parent)
    return kept | {
        "PATH": f"{scripts}{os.pathsep}{kept['PATH']}",
        "MXGATEWAY_KNOWN_GATEWAYS": str(tmp_path / "known_gateways"),
        # Programs in the README take the user's own places, which these are here.
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }


def test_the_commands_of_the_readme(environment: dict[str, str]) -> None:
    if sys.platform == "win32":
        pytest.skip("the README's shell lines are for a POSIX shell")
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = [line for line in lines if line.strip() and not line.startswith(SETTING_UP)]
    assert SIMULATOR in commands
    assert len(commands) > 8
    port = str(free_port())
    script = ["set -eu", "trap 'kill %1' EXIT"]
    for command in commands:
        if command == SIMULATOR:
            # The terminal beside it, as the README says; it serves once it has printed its line.
            script += [f"{command} > sim.json &", "until [ -s sim.json ]; do sleep 0.05; done"]
        else:
            script.append(command)
    # The simulator has to be there before what the README runs against it, whichever comes first in the text.
    text = "\n".join(script).replace("5001", port)
    folder = Path(environment["MXGATEWAY_KNOWN_GATEWAYS"]).parent
    (folder / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run(
        ["bash", "-c", text], env=environment, cwd=folder, capture_output=True, text=True, timeout=55, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "writing 123: completed" in done.stdout


def test_the_programs_of_the_readme(environment: dict[str, str], tmp_path: Path) -> None:
    programs = blocks("python")
    assert len(programs) == len(SAID)
    port = str(free_port())
    simulator = subprocess.Popen(
        [sys.executable, "-m", "zb_mom_ww_mxgateway_sim", "--port", port, "--api-key", "mxgw_demo_not-a-secret"],
        env=environment,
        stdout=subprocess.PIPE,
    )
    try:
        assert simulator.stdout is not None
        assert b"endpoint" in simulator.stdout.readline()
        for number, program in enumerate(programs):
            file = tmp_path / f"program{number}.py"
            file.write_text(program.replace("5001", port), encoding="utf-8")
            done = subprocess.run(
                [sys.executable, str(file)],
                env=environment | {"MXGATEWAY_API_KEY": "mxgw_demo_not-a-secret"},
                capture_output=True,
                text=True,
                timeout=40,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            assert SAID[number] in done.stdout
    finally:
        simulator.terminate()
        simulator.communicate()


def test_the_file_of_the_readme(environment: dict[str, str], tmp_path: Path) -> None:
    (script,) = blocks("mxs")
    (tmp_path / "level.mxs").write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zb_mom_ww_mxgateway_shell", "--demo", "-c", "level.mxs"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "completed" in done.stdout
    assert "2 of 2 steps passed" in done.stdout


def test_every_option_and_command_the_readme_names_exists(environment: dict[str, str]) -> None:
    async def help_of(*arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments, stdout=asyncio.subprocess.PIPE, env=environment
        )
        return (await process.communicate())[0].decode()

    async def all_help() -> str:
        names = ("zb_mom_ww_mxgateway_shell", "zb_mom_ww_mxgateway_sim")
        texts = [await help_of(name, "--help") for name in names]
        for command in ("smoke", "stream-events", "read", "write", "write-bulk", "write-secured-bulk", "register"):
            texts.append(await help_of("zb_mom_ww_mxgateway_cli", command, "--help"))
        shown = (
            "watch",
            "write",
            "read",
            "trend",
            "history",
            "record",
            "events",
            "alarms",
            "ack",
            "find",
            "record-script",
        )
        lines = [word for name in shown for word in ("-e", f"help {name}")]
        texts.append(await help_of("zb_mom_ww_mxgateway_shell", *lines))
        return "\n".join(texts)

    known = asyncio.run(all_help())
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)):
        assert option in known, option


def test_make_targets_the_readme_names_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`?make ([a-z]+)", README)) <= targets


def test_the_profiles_of_the_readme_are_read(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    (tmp_path / "profiles.toml").write_text(text, encoding="utf-8")
    found = profiles.load(tmp_path / "profiles.toml")
    assert found.profiles["plantA"].asks_key
    assert found.settings == {"timing": "on"}
