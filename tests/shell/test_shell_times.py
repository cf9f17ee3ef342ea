"""Times as people see them: in the zone of this machine or in UTC, always with the zone, in every place alike."""

import re
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from shell_process import ShellProcess
from shell_terminal import ENTER, Terminal, shell
from shell_waiting import until

from zb_mom_ww_mxgateway.times import (
    date_and_time,
    exact_nanoseconds,
    exact_time,
    show_times_as,
    shown_text,
    time_of_day,
)
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.language.moments import Since
from zb_mom_ww_mxgateway_shell.language.tokens import split
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, TIME_TAG = "TestChildObject.TestInt", "TestChildObject.TestTime"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows takes no time zone from TZ")
BARE = re.compile(r"\d\d:\d\d:\d\d(?:\.\d+)?(?![\d.]*(?:Z|\+05:30))")
"""A time without its zone."""
TYPED = "2026-10-02T08:14:00Z"
LINES = (
    f"write {INT} 5 --for 1h",
    f"write {TIME_TAG} {TYPED}",
    f"snapshot morning {INT}",
    f"read {TIME_TAG} {INT}",
    f"history {INT}",
    f"expect {TIME_TAG} = {TYPED}",
    "changes",
    "alarms",
    "journal",
    "snapshots",
    "diff morning",
    "galaxy",
    "deploys --count 1",
    "session",
    f"why {INT}",
    "handover",
    "status",
)


@pytest.fixture
def process(tmp_path: Path) -> ShellProcess:
    return ShellProcess(tmp_path)


@pytest.fixture
def kolkata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def line_before(terminal: Terminal, text: str) -> str:
    """What stands on the screen on the line of a text and before it."""
    return terminal.text.partition(text)[0].rpartition("\n")[2]


async def tee(terminal: Terminal, path: Path, lines: tuple[str, ...]) -> str:
    """Types the lines, and returns what the screen showed of them."""
    await terminal.enter(f"tee {path}", "copying")
    for line in lines:
        await terminal.enter(line)
        await terminal.prompted()
    await terminal.enter("tee", f"{path.name[:3]}")
    await terminal.prompted()
    return path.read_text(encoding="utf-8").replace(TYPED, "")  # noqa: ASYNC240  # a short file


@pytest.mark.usefixtures("kolkata")
@pytest.mark.parametrize("columns", [110, 40])
async def test_every_time_at_the_prompt_is_local_or_utc_and_says_which(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns, write_complete_delay=0) as sh:
        sh.context.settings.pager, sh.context.is_demo = "off", True
        await until(lambda: sh.context.connected.alarms.is_complete)
        sh.gateway.raise_alarm("ZB!North.A.Hi", severity=300)
        await sh.terminal.shows("ALARM severity 300 ZB!North.A.Hi")
        assert re.match(r"\d\d:\d\d:\d\d\+05:30  $", line_before(sh.terminal, "ALARM severity"))
        shown = await tee(sh.terminal, tmp_path / "local.txt", LINES)
        assert "2026-10-02T13:44:00.000+05:30" in shown
        assert re.search(rf"{TIME_TAG}.*  completed", shown.rpartition("demo> journal")[2])
        for what in (
            "put back at ",
            "changes? seen since ",
            "last deploy ",
            "deployed +",
            "North.A.Hi .*",
            "morning +",
        ):
            assert re.search(rf"{what}(?:\d{{4}}-\d\d-\d\d )?\d\d:\d\d:\d\d\+05:30", shown), what
        assert BARE.findall(shown) == []
        assert "0Z" not in shown

        await sh.terminal.enter("watch Plant.Tank1.Level --full", " as asked")
        sh.terminal.type(ENTER)
        if columns > 40:  # A narrow screen cuts it.
            await sh.terminal.shows("source time 20")
            assert re.search(r"source time \S+\+05:30\b", sh.terminal.text), sh.terminal.text
        sh.terminal.type("q")
        await sh.terminal.prompted()

        await sh.terminal.enter("set times utc", "times utc")
        shown = await tee(sh.terminal, tmp_path / "utc.txt", LINES[3:])
        assert "2026-10-02T08:14:00.000Z" in shown
        assert BARE.findall(shown) == []
        assert "+05:30" not in shown


@pytest.mark.usefixtures("kolkata")
async def test_a_run_follows_the_environment_and_json_stays_in_utc(
    tmp_path: Path, gateway: SimulatedGateway, process: ShellProcess
) -> None:
    process.on(gateway)
    lines = ("--plaintext", "-e", f"watch {TIME_TAG} --count 1")
    value, arrived = "2026-01-01T05:30:00.000", r"(?m)^ +\d\d:\d\d:\d\d\.\d\d\d"
    local = await process(*lines)
    assert re.search(rf"{arrived}\+05:30   {TIME_TAG}   {value}\+05:30   good", local.out)
    (form,) = (await process("--json", *lines)).objects
    assert form["result"]["samples"][0]["value"] == "2026-01-01T00:00:00.000Z"
    process.environment["MXGATEWAY_TIMES"] = "utc"
    assert re.search(rf"{arrived}Z   {TIME_TAG}   2026-01-01T00:00:00.000Z   good", (await process(*lines)).out)
    process.environment["MXGATEWAY_TIMES"] = "gmt"
    wrong = await process(*lines)
    assert (wrong.code, wrong.err) == (2, "MXGATEWAY_TIMES: times is one of local, utc, not gmt\n")


@pytest.mark.usefixtures("kolkata")
def test_what_is_shown_can_be_typed_as_a_moment() -> None:
    def since(text: str) -> datetime:
        (word,) = split(text)
        return Since().parse(word, Context(all_commands(), interactive=False))

    moment = datetime(2026, 10, 2, 8, 14, tzinfo=UTC)
    assert date_and_time(moment) == "2026-10-02 13:44:00+05:30"
    assert since(f'"{date_and_time(moment)}"') == since(exact_time(moment)) == moment
    earlier = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    assert since(time_of_day(earlier)) == since(f"{earlier:%H:%M:%S}Z") == earlier
    assert since(time_of_day(earlier).removesuffix("+05:30")) == earlier
    exact = earlier + timedelta(milliseconds=250)
    assert since(time_of_day(exact, milliseconds=True)) == exact
    show_times_as(lambda: "utc")
    assert time_of_day(earlier, milliseconds=True) == f"{earlier:%H:%M:%S}.000Z"
    assert since(f"{earlier:%H:%M:%S}") == earlier


@pytest.mark.usefixtures("kolkata")
def test_a_time_at_the_ends_of_the_calendar_is_shown_in_utc() -> None:
    assert exact_time(datetime.max.replace(tzinfo=UTC)) == "9999-12-31T23:59:59.999999Z"
    assert exact_nanoseconds(0) == ""
    assert shown_text("9999-12-31T23:59:59Z") == "9999-12-31 23:59:59Z"
    assert shown_text("0001-01-01T00:00:00+14:00") == "0001-01-01 00:00:00+14:00"


@pytest.mark.usefixtures("kolkata")
def test_a_text_that_is_a_time_is_shown_as_one_and_any_other_as_it_is() -> None:
    assert shown_text("2026-01-01T00:00:00+00:00") == "2026-01-01 05:30:00+05:30"
    for other in ("", "2026", "2026-01-01T00:00:00", "yesterday"):
        assert shown_text(other) == other
