"""The programs of the guides and of examples/ are what mypy and pyright want in their strict modes, and both find what
is wrong with a call of the library. That every public name has a type is what ``make types`` checks."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import documents
import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = [
    ROOT / "examples" / "read_and_write.py",
    *sorted((ROOT / "examples" / "programs").glob("*.py")),
    *sorted((ROOT / "examples" / "plants").glob("*.py")),
]

RIGHT = """
from zb_mom_ww_mxgateway import ActiveAlarm, GatewayClient, LiveSession, LiveValue
from zb_mom_ww_mxgateway.sync import connect


def blocking() -> list[ActiveAlarm]:
    with connect("localhost:5001", plaintext=True, wait=60) as plant:
        value: LiveValue = plant.wait_for("A.B", lambda v: v > 60, timeout=5)
        print(plant.write(value.tag, 5).outcome.value, plant.run(plant.client.galaxy.test_connection()))
        return plant.query_active_alarms("A")


async def main() -> None:
    client = await GatewayClient.connect("localhost:5001", plaintext=True, wait=60)
    client = await GatewayClient.connect(endpoint="localhost:5001", api_key=None, connect_timeout=5)
    live = await LiveSession.open(client)
    value: LiveValue = await live.wait_for("A.B", lambda v: v > 60, timeout=5)
    live.on_change(value.tag, lambda value: print(value.value))
    for tag, result in (await live.write_many({"A.B": 5, "C.D": "text"}, timeout=5)).items():
        print(tag, result.outcome.value)
"""
WRONG = """
from zb_mom_ww_mxgateway import GatewayClient, LiveSession, NoSuchName, OpenSessionOptions, Session
from zb_mom_ww_mxgateway.sync import SyncSession
from zb_mom_ww_mxgateway_sim import NoSuchGateway, SimulatedGateway
from zb_mom_ww_mxgateway_testing import MxgwSimulator


def blocking(plant: SyncSession, simulator: MxgwSimulator) -> None:
    plant.read(["A.B"], fersh=True)
    plant.discover(glbo="A.*")
    simulator.set("A.B", 5, qualtiy=0)
    simulator.faults.delay("write", secnods=5)


async def main() -> None:
    await GatewayClient.connect(endpont="localhost:5001")
    await GatewayClient.connect(endpoint="localhost:5001", plaintext="yes")
    OpenSessionOptions(naem="x")
    SimulatedGateway(plantext=True)


async def methods(client: GatewayClient, session: Session, live: LiveSession) -> None:
    await session.write(1, 2, 3, usr_id=4)
    await LiveSession.open(client, rebiuld=True)
    await live.write_and_confirm(1, 2, 3, in_tern=True)
"""
WRONG_NAMES = (
    "NoSuchName",
    "NoSuchGateway",
    "endpont",
    "plaintext",
    "naem",
    "usr_id",
    "rebiuld",
    "in_tern",
    "plantext",
    "fersh",
    "glbo",
    "qualtiy",
    "secnods",
)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every program, and those that are right or wrong on purpose, in one folder."""
    folder = tmp_path_factory.mktemp("programs")
    for path in PROGRAMS:
        shutil.copy(path, folder)
    blocks = [text for _, _, text in documents.programs()]
    assert len(blocks) >= 6
    for number, block in enumerate(blocks):
        (folder / f"guide_{number}.py").write_text(block, encoding="utf-8")
    (folder / "right.py").write_text(RIGHT, encoding="utf-8")
    (folder / "wrong.py").write_text(WRONG, encoding="utf-8")
    settings = {"typeCheckingMode": "strict", "extraPaths": [str(ROOT / "src")]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def ran(*command: str) -> str:
    """What a checker says. It is installed by ``make setup``; without it this fails, it is not passed over."""
    environment = os.environ | {"MYPYPATH": str(ROOT / "src"), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    environment["PYTHONPATH"] = str(ROOT / "src")
    done = subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        cwd=ROOT,
        env=environment,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def test_no_program_has_left_the_examples() -> None:
    assert len(PROGRAMS) >= 12


@pytest.mark.timeout(300)
def test_mypy_strict_has_nothing_to_say(programs: Path) -> None:
    lines = ran("mypy", "--strict", "--no-pretty", str(programs)).splitlines()
    errors = [line for line in lines if ": error:" in line]
    assert [line for line in errors if "wrong.py" not in line] == []
    for name in WRONG_NAMES:
        assert any(name in error for error in errors), name


@pytest.mark.timeout(300)
def test_pyright_strict_has_nothing_to_say(programs: Path) -> None:
    said = json.loads(ran("pyright", "--outputjson", "--pythonpath", sys.executable, "-p", str(programs)))
    errors = [(Path(each["file"]).name, each["message"]) for each in said["generalDiagnostics"]]
    assert [error for error in errors if error[0] != "wrong.py"] == []
    assert said["summary"]["filesAnalyzed"] >= len(PROGRAMS) + 8
    for name in WRONG_NAMES:
        assert any(name in message for _, message in errors), name
