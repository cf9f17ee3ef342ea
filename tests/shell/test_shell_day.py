"""The day that the guides walk through, typed line by line: in another zone, at 80 and 40 columns, in vi mode, without
colour."""

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prompt_toolkit.history import InMemoryHistory
from shell_terminal import CTRL_C, ENTER, Shell, Terminal, shell
from shell_waiting import until

from zb_mom_ww_mxgateway_sim import SystemClock

DOCS = Path(__file__).parents[2] / "docs"
GUIDES = ("first-hour.md", "operating.md")
HI = "Plant.Tank1.Level.Hi"
LAB = "Utilities.AT1.LabResult"

SHOWN: dict[str, tuple[str, ...]] = {
    "help first": ("A new tag is registered",),
    "browse": ("Packaging", "$ProcessArea"),
    "watch Plant.Tank1.Level Plant.Pump1.Running": ("first values after",),
    "write Plant.Tank1.LevelSP 63": ("60.0 → 63.0", "completed"),
    "write Plant.Interlock.Bypass true": ("signed by operator",),
    "why Plant.Tank1.Levl": ("did you mean Plant.Tank1.Level?",),
    f"read --bad Utilities.AT1.PH {LAB}": ("the sensor failed", "2 of 2 tags not good"),
    "why Utilities.AT1.PH": ("the value is bad: the sensor failed",),
    f"write {LAB} 0.6": ("null → 0.6", "completed"),
    "why Utilities.AT1.Turbidity": ("read for this: 0.8, good",),
    "write Plant.Tank1.LevelSP 60 --verify": ("verified: the value is 60.0",),
    "write Plant.Tank1.Inlet.Position 100 --verify tol 0.5 within 60s": ("verified: the value is",),
    "cd Plant.Tank1": ("in Plant.Tank1",),
    "watch .lev": ("no tag Plant.Tank1.lev",),
    "tag .Level": ("historized", "HiHi, Hi, Lo, LoLo"),
    "record tank.csv Plant.Tank1.Level Plant.Pump1.Running": ("recording 2 tags to tank.csv",),
    f'ack ZB!{HI} --comment "inlet was stuck"': ("acknowledged",),
    "record stop": ("closed",),
    "write TestChildObject.TestInt 7": ("0 → 7", "completed"),
}
"""What a line shows that cannot be the line itself; others only give the prompt back."""

LATER = (
    "alarms",
    "status",
    "items",
    "history Plant.Tank1.Level --count 3",
    "snapshot evening Plant.Tank1.LevelSP Plant.Tank1.Level",
    "diff evening",
    "snapshots",
    "expect Plant.Tank1.Level > 1000",
    "last-error",
    "changes",
    'note "pump 1 rattles"',
    "handover",
    "trace write Plant.Tank1.LevelSP 62 --for 100ms",
    "watch Plant.Pump1.Current --count 2",
    "events --count 2",
)
"""Lines of the table of commands that show times, or fill a screen."""

ANSWERS = {
    "login operator": [("password of operator:", "demo-1")],
    "write Plant.Interlock.Reset true": [
        ("needs a second person to verify it. Their user name:", "supervisor"),
        ("password of supervisor:", "demo-2"),
    ],
}
UNSIGNED = "write Plant.Interlock.Bypass true"
HOURS = re.compile(r"(?<![\d:])(\d\d):(\d\d):\d\d(?:\.\d+)?( ?(?:Z|UTC|[+-]\d\d:\d\d))?(?![\d:])")


class Hurried(SystemClock):
    """A clock of the plant by which what takes seconds takes tenths; its time of day is that of the machine."""

    def monotonic(self) -> float:
        return 10 * super().monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 10)


def lines_of(guide: str) -> list[str]:
    """The lines that the guide types at the prompt, in order."""
    return re.findall(r"^demo[^>\n]*> (.+)$", (DOCS / guide).read_text(encoding="utf-8"), re.MULTILINE)


class Operator:
    """Types the lines of the guides, and looks at each screen."""

    def __init__(self, sh: Shell) -> None:
        self._sh = sh
        self._screen: Terminal = sh.terminal
        self._signed = False

    async def types(self, line: str) -> None:
        screen = self._screen
        wanted = SHOWN.get(line, ())
        if line == "login operator":
            self._signed = True
        if line == UNSIGNED and not self._signed:
            wanted = ("nobody is logged in",)
        if line == "exit":
            return
        await screen.enter(line)
        for question, answer in ANSWERS.get(line, ()):
            await screen.shows(question)
            screen.type(answer + ENTER)
        if line.startswith("trend "):
            await screen.shows("Ctrl-C ends", "good")
            screen.type(CTRL_C)
        # What a page leaves on the screen may stand there until the next picture.
        await until(
            lambda: screen.is_prompted() or (screen.takes_lines() and "q leaves" in screen.text),
            lambda: f"the end of {line}:\n{screen.text}",
        )
        if not screen.is_prompted():
            screen.type("G")
        await screen.shows(*wanted)
        self.looks(line)
        if not screen.is_prompted():
            screen.type("q")
            await screen.prompted()

    def looks(self, line: str) -> None:
        """Fails where a stranger would find the screen wrong."""
        text = self._screen.text
        assert "Traceback" not in text, text
        now = datetime.now(UTC)
        for found in HOURS.finditer(text):
            shown = now.replace(hour=int(found[1]), minute=int(found[2]))
            is_utc = abs(shown - now) < timedelta(minutes=20)
            assert found[3] or not is_utc, f"{line} shows the time {found[0]} in UTC without saying so:\n{text}"
        assert not self._screen.screen.overran, f"{line}: {self._screen.screen.overran}"


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("the zone of a process can be set on POSIX alone")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Kolkata")
        patch.chdir(tmp_path)
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("columns", "keys", "colour"),
    [(80, "emacs", True), (40, "emacs", True), (80, "vi", True), (80, "emacs", False)],
    ids=["at 80 columns", "at 40 columns", "in vi mode", "without colour"],
)
async def test_the_day_of_the_guides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int, keys: str, colour: bool
) -> None:
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    async with shell(tmp_path, columns=columns, clock=Hurried(), history=InMemoryHistory()) as sh:
        operator = Operator(sh)
        if keys == "vi":
            await sh.terminal.enter("set keys vi")
        for guide in GUIDES:
            for line in lines_of(guide):
                if line.startswith("ack "):
                    sh.gateway.set(f"{HI}.Limit", 5.0)
                    await operator.types(f"expect-alarm {HI} active within 60s")
                await operator.types(line)
            await operator.types("unwatch")
            await operator.types("cd")
        for line in LATER:
            await operator.types(line)
        assert (tmp_path / "tank.csv").stat().st_size
        raw = sh.terminal.raw
    assert sh.exit_code == 0
    assert bool(re.search(r"\x1b\[[\d;]*(?:3[0-7]|9[0-7]|38;)[\d;]*m", raw)) is colour
