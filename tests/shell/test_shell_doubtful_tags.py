"""The demo plant's doubtful tags at the prompt: bad, lost and back, never set, slow at first; and what `why` says."""

from pathlib import Path

from shell_terminal import CTRL_C, shell

from zb_mom_ww_mxgateway_sim import ManualClock

PH, CHLORINE, LAB, TURBIDITY = (f"Utilities.AT1.{name}" for name in ("PH", "Chlorine", "LabResult", "Turbidity"))


async def test_each_doubt_of_the_demo_plant_can_be_learned(tmp_path: Path) -> None:
    clock = ManualClock()
    async with shell(tmp_path, clock=clock) as sh:
        screen = sh.terminal
        await screen.enter(
            f"read --bad {PH} {CHLORINE} {LAB}", "PH bad: the sensor failed", "2 of 3 tags not good", "demo>"
        )
        await screen.enter(f"why {PH}", "meaning      the value is bad: the sensor failed")
        await screen.enter(f"why {LAB}", "meaning      the value is bad: waiting for the first value")
        await screen.enter(f"write {LAB} 0.6", "accepted")
        await clock.advance(0.1)
        await screen.shows("null → 0.6 mg/l", "completed")
        await screen.enter(f"why {LAB}", f"meaning      nothing is wrong with {LAB}")

        await screen.enter(f"watch {CHLORINE}", "first values after")
        await clock.advance(21)
        await screen.shows("Chlorine bad: the source is lost")
        await screen.enter(f"why {CHLORINE}", "not good 1 time in", "the value is bad: the source is lost")
        await clock.advance(10)
        await screen.gone("bad      ")
        await screen.enter(f"why {CHLORINE}", f"meaning      {CHLORINE} is good now, but it comes and goes")

        await screen.enter(f"watch {TURBIDITY}", f"waiting for the first value of {TURBIDITY}, ")
        screen.type(CTRL_C)
        await screen.prompted()
        await screen.enter(f"why {TURBIDITY}", "meaning      no data change has come yet. The first takes 3 to 8 s")
        await clock.advance(6)
        await screen.enter(f"read {TURBIDITY}", "0.8 NTU")
        await screen.enter(f"why {TURBIDITY}", "nothing is wrong, but it is read-only")
