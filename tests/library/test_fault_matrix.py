"""Every fault that the simulated gateway can make, at every stage of a client's life; see ``fault_matrix.md``."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from library_faults_stages import OF_A_CALL, STAGES, Census, outcome

from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.fault_api import GatewayFaults
from zb_mom_ww_mxgateway_sim.faults.schedule import ACTIONS

NEVER = "—"

# What the gateway's owner can call, and the row that tries it.
METHODS = {
    "delay": "delay",
    "fail_next": "refuse",
    "lose_next_reply": "lose-reply",
    "garble_next_reply": "garbage-reply",
    "oversize_next_reply": "oversized-reply",
    "stall": "stall",
    "release": "release",
    "lose_session": "lose-session",
    "fault_session": "fault-session",
    "close_session": "close-session",
    "kill_worker": "kill-worker",
    "drop_streams": "drop-stream",
    "overflow_streams": "overflow",
    "evict_replay": "evict-replay",
    "hold_write_completes": "hold-write-completes",
    "release_write_completes": "release-write-completes",
    "kill_connections": "kill-connection",
    "garble_connections": "garbage",
    "swallow_connections": "swallow",
    "revoke": "revoke-key",
    "redeploy": "redeploy",
    "lose_galaxy": "lose-galaxy",
    "drop_alarm_streams": "drop_alarm_streams()",
    "restore_galaxy": "restore-galaxy",
    "fail_alarm_provider": "fail-alarm-provider",
    "restore_alarm_provider": "restore-alarm-provider",
    "unset": "unset",
    "refuse_writes": "refuse-writes",
    "allow_writes": "allow-writes",
    "restart": "restart",
    "swap_certificate": "swap-certificate",
}
# These make no trouble.
HARMLESS = {
    *("calm", "has_key", "live_sessions", "start", "aclose", "schedule"),
    *("read", "set", "set_message", "raise_alarm", "clear_alarm"),
    *(
        "endpoint",
        "certificate_pem",
        "fingerprint_sha256",
        "calls",
        "mutating_calls",
        "writes",
        "alarms",
        "alarms_enabled",
        "plant_failures",
        "replay_ended",
    ),
    *("sessions", "open_streams", "open_alarm_streams", "open_connections"),
}


def rows() -> Iterator[list[str]]:
    for line in (Path(__file__).parent / "fault_matrix.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| fault "):
            yield [cell.strip() for cell in line.strip("|").split("|")]


CASES = [
    pytest.param(fault, before, stage, cell, id=f"{fault}{' ' if before else ''}{before} while {stage}")
    for fault, before, *cells in rows()
    for stage, cell in zip(STAGES, cells, strict=True)
    if cell != NEVER
]


def test_every_fault_has_its_row() -> None:
    tried = {fault.split()[0] for fault, *_ in rows()}
    assert set(ACTIONS) <= tried
    named = {name for name in (*vars(GatewayFaults), *vars(SimulatedGateway)) if not name.startswith("_")}
    assert named == {*METHODS, *HARMLESS}
    assert set(METHODS.values()) <= tried
    assert {action for action, takes in ACTIONS.items() if takes.startswith("CALL")} == set(OF_A_CALL)


def test_every_cell_is_tried_but_where_the_answer_has_no_place_for_it() -> None:
    assert {fault for fault, _, *cells in rows() if NEVER in cells} == {
        "refuse WORKER_UNAVAILABLE",
        "refuse SESSION_NOT_FOUND",
        "refuse TIMEOUT",
    }


@pytest.mark.parametrize(("fault", "before", "stage", "cell"), CASES)
async def test_a_fault_ends_as_the_table_says(
    fault: str, before: str, stage: str, cell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    census = Census()
    if fault == "swallow":
        # Only signs of life tell that a connection is dead.
        monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANXIOUS_HEARTBEAT", 0.1)
        monkeypatch.setattr("zb_mom_ww_mxgateway.live.supervisor._ANSWER_TIMEOUT", 0.4)
    async with SimulatedGateway(
        plaintext="certificate" not in fault, certificate_directory=tmp_path, write_complete_delay=0
    ) as gateway:
        found = await outcome(stage, fault, before, gateway, tmp_path / "known", cell)
    assert found in cell.split(" or ")
    await census.unchanged()
