"""The pytest plugin: in this very run, and as a user's runs meet it."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, WriteOutcome
from zb_mom_ww_mxgateway.sync import SyncSession
from zb_mom_ww_mxgateway_sim import (
    GatewayKey,
    NativeType,
    Plant,
    SimulatedGateway,
    SimulatorError,
    TagDefinition,
    every,
)
from zb_mom_ww_mxgateway_sim.fault_api import GatewayFaults
from zb_mom_ww_mxgateway_testing import MxgwFaults, MxgwSimulator, options

SETPOINT = "Plant.Tank1.LevelSP"

# The fixtures, in this run.


def test_a_plain_test_has_a_gateway_and_a_session(mxgw_simulator: MxgwSimulator, mxgw_sync: SyncSession) -> None:
    mxgw_simulator.set(SETPOINT, 60.0)
    assert mxgw_sync.read([SETPOINT])[0].value == 60.0
    assert mxgw_sync.write(SETPOINT, 61.0).outcome is WriteOutcome.COMPLETED
    assert [write.value for write in mxgw_simulator.writes] == [61.0]
    assert mxgw_simulator.read(SETPOINT).value == 61.0


async def test_an_async_test_has_a_client_and_a_live_session(
    mxgw_simulator: MxgwSimulator, mxgw_client: GatewayClient, mxgw_live: LiveSession
) -> None:
    assert await mxgw_client.galaxy.test_connection()
    assert (await mxgw_live.write(SETPOINT, 61.0)).outcome is WriteOutcome.COMPLETED
    mxgw_simulator.set(SETPOINT, 62.0)
    await mxgw_live.wait_for(SETPOINT, lambda value: value == 62.0, timeout=30)


@pytest.mark.mxgw(tags={"Mixer1.Speed": 40.5, "Mixer1.On": True, "Mixer1.Name": "M", "Mixer1.Recipe": [1, 2]})
def test_tags_by_their_values(mxgw_sync: SyncSession) -> None:
    readings = mxgw_sync.read(["Mixer1.Speed", "Mixer1.On", "Mixer1.Name", "Mixer1.Recipe[]"])
    assert [reading.value for reading in readings] == [40.5, True, "M", [1, 2]]


@pytest.mark.mxgw(tags=[TagDefinition("Mixer1.Start", NativeType.TIME)], generated_tags=3)
def test_tags_by_their_definitions(mxgw_sync: SyncSession) -> None:
    assert not any(reading.error for reading in mxgw_sync.read(["Mixer1.Start", "Area001.Unit0001.Value03"]))


@pytest.mark.mxgw(faults=["at write 1 lose-reply"])
def test_faults(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    assert mxgw_sync.write(SETPOINT, 61.0).outcome is WriteOutcome.UNKNOWN
    # Carried out already, although no completion has said so.
    assert [write.value for write in mxgw_simulator.writes] == [61.0]
    mxgw_simulator.faults.fail_next("write", hresult=5, protocol_status=None, code=_unavailable())
    assert mxgw_simulator.faults.has_key("nobody") is False


def _unavailable() -> Any:
    import grpc

    return grpc.StatusCode.UNAVAILABLE


def count(plant: Plant) -> None:
    plant["Mixer1.Count"] += 1


@pytest.mark.mxgw(tags={"Mixer1.Count": 0}, plant=[every(1.0)(count)], clock="manual")
def test_logic_of_the_plant(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    mxgw_simulator.advance(5)
    assert mxgw_sync.read(["Mixer1.Count"])[0].value == 5
    assert not mxgw_simulator.plant_failures


@pytest.mark.mxgw(plant="../../examples/plants/mixer.py")
def test_logic_of_a_file(mxgw_simulator: MxgwSimulator) -> None:
    assert not mxgw_simulator.plant_failures


def test_files_are_beside_the_test(tmp_path: Path) -> None:
    (tmp_path / "tags.csv").write_text("name,value\nMixer1.Speed,1\n", encoding="utf-8")
    given = {"tags": "tags.csv", "plant": "plant.py", "replay": Path("run.csv")}
    made, clock = options.made([((), given)], tmp_path)
    assert [tag.name for tag in made["tags"]] == ["Mixer1.Speed"]
    assert (made["plant"], made["replay"], clock) == (tmp_path / "plant.py", tmp_path / "run.csv", None)
    with pytest.raises(SimulatorError, match=re.escape(f"{tmp_path / 'site.jsonl'}:")):
        options.made([((), {"tags": "site.jsonl"})], tmp_path)


@pytest.mark.mxgw(clock="manual", generated_tags=1)
def test_time_is_injected(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    tag = "Area001.Unit0001.Value01"
    before = mxgw_simulator.read(tag)
    assert mxgw_simulator.read(tag) == before
    mxgw_simulator.advance(300)
    after = mxgw_simulator.read(tag)
    assert (after.timestamp - before.timestamp).total_seconds() > 250
    assert mxgw_sync.read([tag])[0].value == after.value


def test_time_that_is_not_injected_is_not_advanced(mxgw_simulator: MxgwSimulator) -> None:
    with pytest.raises(RuntimeError, match='clock="manual"'):
        mxgw_simulator.advance(1)


KEY = GatewayKey.parse("mxgw_tester_not-a-secret")


@pytest.mark.mxgw(plaintext=False, api_keys=[KEY], tags={"A.B": 1})
class TestOfAClass:
    """Markers of a class, and of its tests."""

    def test_tls_and_a_key(self, mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator, tmp_path: Path) -> None:
        assert mxgw_simulator.api_key == KEY.text
        assert mxgw_simulator.certificate_pem
        assert mxgw_simulator.fingerprint_sha256
        assert mxgw_sync.read(["A.B"])[0].value == 1
        # In the folder of the test, not in that of the user.
        assert list((tmp_path / "mxgw-certificate").iterdir())

    @pytest.mark.mxgw(tags={"A.B": 2})
    def test_the_inner_marker_counts(self, mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
        assert mxgw_sync.read(["A.B"])[0].value == 2
        assert not mxgw_simulator.plaintext


async def test_it_restarts_and_ends_streams(mxgw_live: LiveSession, mxgw_simulator: MxgwSimulator) -> None:
    await mxgw_live.subscribe_tags([SETPOINT])
    mxgw_simulator.restart()
    mxgw_simulator.set(SETPOINT, 63.0)
    await mxgw_live.wait_for(SETPOINT, lambda value: value == 63.0, timeout=60)
    assert mxgw_live.rebuilds == 1
    assert len(mxgw_simulator.sessions) >= 1
    assert mxgw_simulator.live_sessions == [mxgw_live.session.session_id]
    assert mxgw_simulator.open_streams == 1
    assert mxgw_simulator.open_connections >= 1


def test_a_gateway_that_does_not_answer_is_no_failure_at_the_end(
    mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator
) -> None:
    # The fixtures end in the moment, and without an error.
    mxgw_simulator.faults.stall("CloseSession")
    mxgw_simulator.faults.fail_next("CloseSession", code=_unavailable())
    mxgw_sync.subscribe_tags([SETPOINT])


async def test_nor_is_it_in_an_async_test(mxgw_live: LiveSession, mxgw_simulator: MxgwSimulator) -> None:
    mxgw_simulator.faults.lose_session(mxgw_live.session.session_id)
    mxgw_simulator.faults.stall("OpenSession")
    mxgw_simulator.faults.stall("CloseSession")


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


def test_it_has_every_member_of_the_gateway(mxgw_simulator: MxgwSimulator) -> None:
    # The fixture starts and stops it.
    gateways = public(SimulatedGateway) - {"start", "aclose"} | {"api_key", "plaintext", "faults"}
    assert public(MxgwSimulator) | {"faults"} == gateways | {"advance", "client_options"}
    assert public(MxgwFaults) == public(GatewayFaults)
    for name in public(MxgwSimulator) | {"faults"}:
        assert getattr(mxgw_simulator, name, "") != "", name


def test_a_signature_is_that_of_the_gateway() -> None:
    assert inspect.signature(MxgwSimulator.set) == inspect.signature(SimulatedGateway.set)
    assert MxgwSimulator.restart.__doc__ == SimulatedGateway.restart.__doc__


# A run of a user's.


def run_of(folder: Path, tests: str, *options: str) -> tuple[int, str]:
    """The exit code and the output of pytest on a file of tests, as a user starts it."""
    (folder / "test_users.py").write_text(tests, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_it_loads_nothing_before_it_is_used_and_serves_the_strict_mode_of_pytest_asyncio(tmp_path: Path) -> None:
    # This run is in the automatic mode.
    tests = """
import sys
import pytest

def test_before():
    loaded = {name.partition(".")[0] for name in sys.modules}
    assert "zb_mom_ww_mxgateway_testing" in loaded
    assert loaded.isdisjoint({"zb_mom_ww_mxgateway", "zb_mom_ww_mxgateway_sim", "grpc", "google"})

@pytest.mark.asyncio
async def test_live(mxgw_live):
    (reading,) = await mxgw_live.read(["Plant.Tank1.LevelSP"])
    assert reading.error == ""

def test_a_plain_test_with_a_loop(mxgw_live): ...
"""
    _, said = run_of(tmp_path, tests, "--strict-markers", "-o", "asyncio_mode=strict")
    assert "2 passed, 1 error" in said
    assert "\nmxgw_live is for async tests; a test without async takes mxgw_sync\n" in said


# Without pytest-asyncio, as many users are.
MISTAKES = """
import pytest

@pytest.mark.mxgw(tgas={"A.B": 1})
def test_a_misspelt_option(mxgw_simulator): ...

@pytest.mark.mxgw({"A.B": 1})
def test_an_option_without_a_name(mxgw_simulator): ...

@pytest.mark.mxgw(tags={"A.B": object})
def test_a_value_of_no_type(mxgw_simulator): ...

@pytest.mark.mxgw(tags={"A": 1})
def test_a_tag_that_cannot_be(mxgw_simulator): ...

@pytest.mark.mxgw(tags=["A.B"])
def test_a_tag_without_a_value(mxgw_simulator): ...

@pytest.mark.mxgw(faults=5)
def test_no_faults(mxgw_simulator): ...

@pytest.mark.mxgw(faults=["after 5s explode"])
def test_a_line_that_is_no_fault(mxgw_simulator): ...

@pytest.mark.mxgw(api_keys=["mxgw_me_not-a-secret"])
def test_the_text_of_a_key(mxgw_simulator): ...

@pytest.mark.mxgw(faults="faults.txt")
def test_a_fault_that_there_is_not(mxgw_simulator): ...

@pytest.mark.mxgw(tags="no-such.csv")
def test_a_file_that_there_is_not(mxgw_simulator): ...

@pytest.mark.mxgw(clock="slow")
def test_a_clock_that_there_is_not(mxgw_simulator): ...

@pytest.mark.mxgw(generated_tags=-1)
def test_a_number_that_cannot_be(mxgw_simulator): ...

def test_plain(mxgw_sync):
    assert mxgw_sync.read(["Plant.Tank1.LevelSP"])[0].error == ""

async def test_live(mxgw_live): ...

async def test_client(mxgw_client): ...
"""


def test_a_mistake_is_one_line_and_so_is_a_plugin_that_is_missing(tmp_path: Path) -> None:
    (tmp_path / "faults.txt").write_text("after 5s explode\n", encoding="utf-8")
    code, said = run_of(tmp_path, MISTAKES, "-p", "no:asyncio", "-p", "no:anyio")
    assert code == 1
    assert "1 passed, 14 errors" in said
    for line in (
        "@pytest.mark.mxgw: no option tgas; did you mean tags?",
        "@pytest.mark.mxgw: give options by their names, such as tags=…, not {'A.B': 1}",
        "@pytest.mark.mxgw: A.B: <class 'object'> is no bool, int, float or str, nor a list of one; use TagDefinition",
        "@pytest.mark.mxgw: tags takes a mapping of values, the path of a file, or TagDefinition objects",
        "@pytest.mark.mxgw: faults takes a list of lines, or the path of a file",
        "@pytest.mark.mxgw: api_keys takes GatewayKey objects, None for a random key, or () for none",
        f"@pytest.mark.mxgw: {tmp_path / 'no-such.csv'}: No such file or directory",
        "@pytest.mark.mxgw: clock is 'slow'; use \"manual\" or a clock such as ManualClock()",
        "@pytest.mark.mxgw: generated_tags is -1; use 0 or more",
        "mxgw_live needs pytest-asyncio (pip install pytest-asyncio); a test without async takes mxgw_sync",
        "mxgw_client needs pytest-asyncio (pip install pytest-asyncio); a test without async takes mxgw_sync",
    ):
        assert f"\n{line}\n" in said
    assert f"\n@pytest.mark.mxgw: {tmp_path / 'faults.txt'}:1:10: no fault 'explode'" in said
    assert "\n@pytest.mark.mxgw: 'after 5s explode':10: no fault 'explode'" in said
    assert "'A' is not a tag name: " in said
    assert "Traceback" not in said
    assert "another exception" not in said
