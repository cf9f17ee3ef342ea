"""Every command and program in README.md, CONTRIBUTING.md and docs/ works as printed."""

import asyncio
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import prepared_programs
import pytest
from documents import GUIDES, ROOT, blocks, guides_with, programs, text_of
from settings_of_the_user import programs_environment

from zb_mom_ww_mxgateway.safety.limits_file import read_limits
from zb_mom_ww_mxgateway_shell.state import profiles
from zb_mom_ww_mxgateway_sim import GatewayKey, SimulatedGateway
from zb_mom_ww_mxgateway_sim.faults.schedule import read_faults
from zb_mom_ww_mxgateway_sim.plant.tag_file import read_tags

# Set up the machine; what they set up is what runs these tests.
SETTING_UP = ("make ", "python3 -m venv", ".venv/bin/")
# What each program prints, among other things, by its guide and number there.
SAID = {
    ("README.md", 0): "completed",
    # Parts of a program.
    ("docs/logging.md", 0): "",
    ("docs/logging.md", 1): "",
    ("docs/python.md", 0): "good",
    ("docs/python.md", 1): "60.0 good",
    ("docs/python.md", 2): "65.0",
    ("docs/python.md", 3): "accepted",
    ("docs/python.md", 4): "AlarmSnapshotComplete()",
    ("docs/simulator.md", 0): "True",
    ("docs/simulator.md", 1): "",
    ("docs/testing.md", 0): "3 passed",
}
# What the commands of a guide print, among other things.
PRINTED = {
    "docs/python.md": "writing 123: completed",
    "docs/mxgw-py.md": "__MXGW_BATCH_EOR__",
    "docs/operating.md": "signed by operator, verified by supervisor",
}
SIMULATOR = "mxgw-sim --port 5001 --api-key mxgw_demo_not-a-secret"


def commands_of(guide: str) -> list[str]:
    lines = [line for block in blocks("sh", guide) for line in block.splitlines()]
    return [line for line in lines if line.strip() and not line.startswith(SETTING_UP)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = programs_environment(tmp_path)
    # Programs of the guides take the user's own places, which these are here.
    del kept["MXGATEWAY_STATE"]
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
        **{f"XDG_{kind.upper()}_HOME": str(tmp_path / kind) for kind in ("config", "data", "state")},
    }


def test_no_block_has_left_the_documents() -> None:
    assert sum(len(commands_of(guide)) for guide in GUIDES) >= 30
    assert {(guide, number) for guide, number, _ in programs()} == set(SAID)
    assert len(guides_with("mxs")) >= 2
    assert len(guides_with("toml")) >= 1


@pytest.mark.long
@pytest.mark.timeout(180)
@pytest.mark.parametrize("guide", [guide for guide in GUIDES if commands_of(guide)])
def test_the_commands_of_a_guide(guide: str, environment: dict[str, str]) -> None:
    if sys.platform == "win32":
        pytest.skip("the guides' shell lines are for a POSIX shell")
    commands = commands_of(guide)
    port = str(free_port())
    script = ["set -eu"]
    for command in commands:
        if command == SIMULATOR:
            # The terminal beside it, as the guides say; it serves once it has printed its line.
            script += ["trap 'kill %1' EXIT", f"{command} > sim.json &", "until [ -s sim.json ]; do sleep 0.05; done"]
        else:
            script.append(command)
    text = "\n".join(script).replace("5001", port)
    folder = Path(environment["MXGATEWAY_KNOWN_GATEWAYS"]).parent
    (folder / "examples").symlink_to(ROOT / "examples")
    environment, files = prepared_programs.commands(folder / "prepared", environment)
    done = subprocess.run(
        ["bash", "-c", text],
        env=environment,
        cwd=folder,
        pass_fds=files,
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert PRINTED.get(guide, "") in done.stdout


async def test_the_programs_of_the_guides(environment: dict[str, str], tmp_path: Path) -> None:
    async with SimulatedGateway(api_keys=[GatewayKey("demo", "not-a-secret")]) as gateway:
        port = gateway.endpoint.rpartition(":")[2]
        environment["MXGATEWAY_API_KEY"] = "mxgw_demo_not-a-secret"
        for count, (guide, number, program) in enumerate(programs()):
            file = tmp_path / f"program{count}.py"
            file.write_text(program.replace("5001", port), encoding="utf-8")
            # Tests are for pytest. Warnings about a user's own project are none of the guide.
            is_test = "\ndef test_" in program
            tool = ("pytest", "-p", "no:cacheprovider", "-p", "no:xdist", str(file)) if is_test else (file.stem,)
            async with asyncio.timeout(60):
                done = await prepared_programs.ended(
                    tool[0],
                    tool[1:],
                    environment=environment | ({"PYTHONWARNINGS": "default"} if is_test else {}),
                    folder=tmp_path,
                    stdin=None,
                )
            assert done.code == 0, done.out + done.err
            assert SAID[guide, number] in done.out.decode(), guide


@pytest.mark.long
@pytest.mark.parametrize("guide", guides_with("mxs"))
async def test_the_files_of_the_guides(guide: str, environment: dict[str, str], tmp_path: Path) -> None:
    for script in blocks("mxs", guide):
        (tmp_path / "level.mxs").write_text(script, encoding="utf-8")
        async with asyncio.timeout(60):
            done = await prepared_programs.ended(
                "zb_mom_ww_mxgateway_shell",
                ("--demo", "-c", "level.mxs"),
                environment=environment,
                folder=tmp_path,
                stdin=None,
            )
        assert done.code == 0, done.err
        assert re.search(b"completed|as expected refused", done.out)
        steps = script.count("\nstep ")
        assert f"{steps} of {steps} step" in done.out.decode()


async def test_every_option_and_command_the_guides_name_exists(environment: dict[str, str], tmp_path: Path) -> None:
    async def help_of(module: str, *arguments: str) -> str:
        done = await prepared_programs.ended(module, arguments, environment=environment, folder=tmp_path, stdin=None)
        return done.out.decode()

    async def all_help() -> str:
        names = ("zb_mom_ww_mxgateway_shell", "zb_mom_ww_mxgateway_sim")
        texts = [await help_of(name, "--help") for name in names]
        for name in ("trust", "test"):
            texts.append(await help_of("zb_mom_ww_mxgateway_shell", name, "--help"))
        for command in ((), ("verify",), ("seal",)):
            texts.append(await help_of("zb_mom_ww_mxgateway_shell", "report", *command, "--help"))
        of_writes = "write", "write-bulk", "write-secured-bulk"
        for command in (
            "smoke",
            "stream-events",
            "read",
            *of_writes,
            "register",
            "add-buffered-item",
            "call",
            "forward",
        ):
            texts.append(await help_of("zb_mom_ww_mxgateway_cli", command, "--help"))
        shown = (
            "watch",
            "write",
            "read",
            "trend",
            "history",
            "diff",
            "record",
            "events",
            "alarms",
            "ack",
            "no-new-alarms",
            "journal",
            "find",
            "record-script",
            "login",
            "advise",
            "add-buffered",
            "limits",
            "handover",
            "trace",
        )
        lines = [word for name in shown for word in ("-e", f"help {name}")]
        texts.append(await help_of("zb_mom_ww_mxgateway_shell", *lines))
        return "\n".join(texts)

    known = await all_help()
    # Options of mypy in CONTRIBUTING.md, of the installer of a bundle, and of the nats command in docs/forwarding.md.
    others = {"--extras", "--max-age", "--platform", "--strict", "--subjects"}
    for option in {option for guide in GUIDES for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text_of(guide))}:
        assert option in known or option in others, option


def test_make_targets_the_guides_name_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    for guide in (*GUIDES, "examples/README.md", "proto/README.md"):
        assert set(re.findall(r"(?:`|^)make ([a-z-]+)", text_of(guide), re.MULTILINE)) <= targets, guide


@pytest.mark.parametrize("guide", [guide for guide in guides_with("toml") if guide != "docs/safety.md"])
def test_the_profiles_of_a_guide_are_read(guide: str, tmp_path: Path) -> None:
    (text,) = blocks("toml", guide)
    (tmp_path / "profiles.toml").write_text(text, encoding="utf-8")
    found = profiles.load(tmp_path / "profiles.toml")
    assert "plantA" in found.profiles
    assert found.settings == ({"timing": "on"} if guide == "docs/operating.md" else {})


def test_the_limits_of_a_guide_are_read_and_as_their_examples_say(tmp_path: Path) -> None:
    (text,) = blocks("toml", "docs/safety.md")
    (tmp_path / "limits.toml").write_text(text, encoding="utf-8")
    limits = read_limits(tmp_path / "limits.toml")
    assert [each.run(limits).is_as_said for each in limits.examples] == [True]


def test_the_files_of_the_simulator_are_read(tmp_path: Path) -> None:
    tags, (faults,) = blocks("csv", "docs/simulator.md"), blocks("faults", "docs/simulator.md")
    for number, text in enumerate(tags):
        (tmp_path / f"tags{number}.csv").write_text(text, encoding="utf-8")
        read = read_tags(tmp_path / f"tags{number}.csv")
        assert [tag.name for tag in read] == [line.partition(",")[0] for line in text.splitlines()[1:]]
    (tmp_path / "faults.txt").write_text(faults, encoding="utf-8")
    assert len(read_faults(tmp_path / "faults.txt")) == len(faults.splitlines())


def test_the_readme_is_three_screens_and_names_the_two_commands() -> None:
    lines = text_of("README.md").splitlines()
    assert len(lines) <= 120
    assert [line.split("#")[0].strip() for line in lines if line.startswith("make ")] == ["make demo", "make test"]
