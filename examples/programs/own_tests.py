"""Tests of your own code against a simulated gateway: no plant is needed, and nothing is mocked.

python -m pytest own_tests.py
"""

import pytest

from zb_mom_ww_mxgateway import WriteOutcome, WriteResult
from zb_mom_ww_mxgateway.sync import SyncSession
from zb_mom_ww_mxgateway_testing import MxgwSimulator

SETPOINT = "Plant.Tank1.LevelSP"


def raise_setpoint(plant: SyncSession, by: float) -> WriteResult:
    """The code under test: raises the setpoint, to 80 at most."""
    (reading,) = plant.read([SETPOINT])
    if reading.error or reading.quality_word != "good" or not isinstance(reading.value, float):
        raise RuntimeError(f"{SETPOINT} cannot be trusted: {reading.error or reading.quality_word}")
    return plant.write(SETPOINT, min(reading.value + by, 80.0))


@pytest.mark.parametrize(("by", "written"), [(5.0, 65.0), (50.0, 80.0)])
def test_the_setpoint_is_raised_to_80_at_most(
    mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator, by: float, written: float
) -> None:
    mxgw_simulator.set(SETPOINT, 60.0)
    assert raise_setpoint(mxgw_sync, by).outcome is WriteOutcome.COMPLETED
    assert [write.value for write in mxgw_simulator.writes] == [written]


def test_a_bad_value_is_not_built_upon(mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator) -> None:
    mxgw_simulator.set(SETPOINT, 60.0, quality=0)
    with pytest.raises(RuntimeError, match="cannot be trusted: bad"):
        raise_setpoint(mxgw_sync, 5.0)
    assert not mxgw_simulator.writes


def test_a_lost_answer_is_unknown_and_the_write_is_not_repeated(
    mxgw_sync: SyncSession, mxgw_simulator: MxgwSimulator
) -> None:
    mxgw_simulator.faults.lose_next_reply("write")
    assert raise_setpoint(mxgw_sync, 5.0).outcome is WriteOutcome.UNKNOWN
    assert len(mxgw_simulator.writes) == 1
