"""Ranges of tags are shown where they are known, and a value outside is pointed out before it is written."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from shell_lines import SIMULATED, run
from shell_process import Runs
from shell_terminal import CTRL_C, ENTER, shell
from shell_waiting import until

from zb_mom_ww_mxgateway import Reading
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.safety import known_numbers
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.state import tag_facts
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.tag_facts import GalaxyFacts
from zb_mom_ww_mxgateway_sim import SimulatedGateway, TagDefinition

SETPOINT, LEVEL = "Plant.Tank1.LevelSP", "Plant.Tank1.Level"
FAR = f"{SETPOINT}: 4000.0 is FAR OUTSIDE the tag's range, 0.0 to 100.0"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranges may take as long as a busy machine needs."""
    monkeypatch.setattr(known_numbers, "SECONDS", 30.0)
    monkeypatch.setattr(tag_facts, "_SECONDS", 30.0)


@pytest.mark.parametrize("columns", [80, 40])
async def test_the_prompt_asks_before_it_writes_a_value_outside(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns, write_complete_delay=0) as made:
        await until(lambda: made.context.catalogue.is_complete)
        await made.terminal.enter(f"write {SETPOINT} 65", "completed")
        shown = await made.terminal.enter(f"write {SETPOINT} 4000", "send 4000.0 to", "[y/N]")
        shown = " ".join(shown.split())
        assert "RANGE 4000.0 is FAR OUTSIDE the tag's range, 0.0 to 100.0 %" in shown
        assert "description Feed tank" in shown
        made.terminal.type(CTRL_C)
        await made.terminal.shows("nothing was sent")
        assert [each.value for each in made.gateway.writes] == [65.0]
        wanted = "100.5 is outside the tag's range, 0.0 to 100.0 %", f"send 100.5 to {SETPOINT}? [y/N]"
        await made.terminal.enter(f"write {SETPOINT} 100.5", *wanted)
        await made.terminal.enter("y", "65.0 → 100.5", "completed")
        assert [each.value for each in made.gateway.writes] == [65.0, 100.5]


async def test_a_question_names_range_and_limits_of_alarms(tmp_path: Path) -> None:
    speed = TagDefinition("Mix.Speed", value=5.0, unit="rpm", min=0, max=10, alarms="hi 8 300; lolo 1 900")
    async with shell(tmp_path, tags=[speed]) as made:
        await until(lambda: made.context.catalogue.is_complete)
        assert made.context.current is not None
        made.context.current.desk.rules.level = "yes"
        shown = await made.terminal.enter("write Mix.Speed 6", "send 6.0 to Mix.Speed? [y/N]")
        assert "range        0.0 to 10.0 rpm" in shown
        assert "alarms at    LoLo 1.0, Hi 8.0" in shown
        made.terminal.type(CTRL_C)
        await made.terminal.shows("nothing was sent")


async def test_many_values_at_once_are_asked_for_too(tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(f"tag,value\n{SETPOINT},4000\nTestChildObject.TestInt,7\n", encoding="utf-8")
    async with shell(tmp_path) as made:
        await until(lambda: made.context.catalogue.is_complete)
        shown = await made.terminal.enter(f"write-many {rows}", "send these 2 writes on demo?")
        assert "4000.0 is FAR OUTSIDE" in shown
        made.terminal.type(CTRL_C)
        await made.terminal.shows("nothing was sent")
        assert made.gateway.mutating_calls == 0


@pytest.mark.parametrize("line", ["write {0} 4000", "write-many {1}", "await session.write(*items[0].key, 4000.0)"])
async def test_ctrl_c_while_ranges_are_read_says_that_no_write_was_sent(tmp_path: Path, line: str) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(f"tag,value\n{SETPOINT},4000\n", encoding="utf-8")
    async with shell(tmp_path) as made:
        await until(lambda: made.context.catalogue.is_complete)
        await made.terminal.enter(f"watch {SETPOINT}", "good")
        await made.terminal.prompted()
        is_python = line.startswith("await")
        if is_python:
            await made.terminal.enter("py", ">>>")
        made.gateway.faults.stall("read_bulk")
        made.terminal.type(line.format(SETPOINT, rows) + ENTER)
        await until(lambda: any("RangeLo" in str(call.request) for call in made.gateway.calls))
        made.terminal.type(CTRL_C)
        await made.terminal.shows("KeyboardInterrupt" if is_python else "interrupted; no write was sent")
        if not is_python:
            await made.terminal.enter("last-error", "nothing of it is in doubt")
        assert "UNKNOWN" not in made.terminal.text
        assert made.gateway.mutating_calls == 0
        made.gateway.faults.release()


async def test_the_python_pane_asks_too(tmp_path: Path) -> None:
    async with shell(tmp_path, write_complete_delay=0) as made:
        await until(lambda: made.context.catalogue.is_complete)
        await made.terminal.enter("py", ">>>")
        await made.terminal.enter(f'await live.write("{SETPOINT}", 4000.0)', "4000.0 is FAR OUTSIDE", "[y/N]")
        await made.terminal.enter("no", "it was not confirmed")
        assert not made.gateway.writes


async def no_feed(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


async def _run(lines: list[str], **simulated: Any) -> tuple[list[str], SimulatedGateway]:
    """Run lines as a file does; return its notices."""
    notices: list[str] = []
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0, **simulated) as gateway:
        context = Context(all_commands(), interactive=False)
        context.set_outputs(notices.append)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        try:
            for line in lines:
                await run(context, line, no_feed)
        finally:
            await context.disconnect()
    return notices, gateway


async def test_a_file_writes_as_it_did_and_says_it_before() -> None:
    notices, gateway = await _run([f"write {SETPOINT} 4000", f"write {SETPOINT} 99", f"write {SETPOINT} 4000 --verify"])
    assert [each.value for each in gateway.writes] == [4000.0, 99.0, 4000.0]
    assert [each for each in notices if "OUTSIDE" in each] == [FAR, FAR]
    reads = [call.request for call in gateway.calls if b"RangeLo" in call.request.SerializeToString()]
    assert len([each for each in reads if isinstance(each, pb.MxCommandRequest)]) == 1


async def test_a_write_that_is_to_be_refused_is_not_pointed_out() -> None:
    tag = TagDefinition("Mix.Speed", value=5.0, min=0, max=10)
    notices, gateway = await _run(["write Mix.Speed 400 --refused"], tags=[tag])
    assert (gateway.mutating_calls, [each for each in notices if "OUTSIDE" in each]) == (1, [])


async def test_a_range_that_cannot_be_read_stops_no_write() -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        try:
            gateway.faults.fail_next("read_bulk", code=grpc.StatusCode.INTERNAL)
            for value in (4000, 4001):
                await run(context, f"write {SETPOINT} {value}", no_feed)
        finally:
            await context.disconnect()
        assert [each.value for each in gateway.writes] == [4000.0, 4001.0]


@pytest.mark.parametrize(("low", "high", "quality"), [(10.0, 0.0, 192), (6.0, 6.0, 192), (6.0, 10.0, 0)])
async def test_ends_that_are_no_range_say_nothing(low: float, high: float, quality: int) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        for end, value in (("RangeLo", low), ("RangeHi", high)):
            gateway.set(f"{SETPOINT}.{end}", value, quality=quality)
        context, notices = Context(all_commands(), interactive=False), list[str]()
        context.set_outputs(notices.append)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        try:
            await run(context, f"write {SETPOINT} 5", no_feed)
        finally:
            await context.disconnect()
        assert [each.value for each in gateway.writes] == [5.0]
        assert [each for each in notices if "outside" in each.casefold()] == []


@pytest.mark.parametrize(("stale_for", "low"), [(None, 5.0), (1.0, None)])
async def test_an_end_that_is_stale_is_unknown(stale_for: float | None, low: float | None) -> None:
    class Kind:
        type = None

    class Catalogue:
        redeployed_at = None

        def kind_of(self, tag: str) -> Kind | None:
            return Kind() if tag.endswith("RangeLo") else None

        def owner_of(self, tag: str) -> None:
            return None

    class Live:
        async def read(self, tags: Sequence[str], *, timeout: float) -> list[Reading]:
            return [Reading(tag, 5.0, 192, None, (), 0.0, True, stale_for) for tag in tags]

    async def security_of(tag: str) -> None:
        return None

    facts = GalaxyFacts(Live(), Catalogue(), security_of)  # type: ignore[arg-type]  # what it needs of them
    assert (await facts.of([SETPOINT], for_a_person=False))[SETPOINT].low == low


async def test_a_plan_says_it_and_so_does_a_run_in_every_form(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        runs = Runs(tmp_path, gateway)
        runs.file(f'requires write "Plant.*"\nwrite {SETPOINT} 4000\nwrite {SETPOINT} 40\n', declares=False)
        plan = await runs.process("--plaintext", "plan", "try.mxs")
        assert (plan.code, plan.out.count("OUTSIDE"), FAR in plan.out, gateway.mutating_calls) == (0, 1, True, 0)
        arm = ("--plaintext", "--arm", "Plant.*")
        assert FAR in (await runs.process(*arm, "-c", "try.mxs")).out
        assert FAR in (await runs.process(*arm, "-e", f"write {SETPOINT} 4000")).out
        assert FAR in (await runs.process(*arm, stdin=f"write {SETPOINT} 4000\n")).out
        program = tmp_path / "try.py"
        program.write_text(f'await live.write("{SETPOINT}", 4000.0)\n', encoding="utf-8")
        ran = await runs.process(*arm, "--python", "try.py")
        assert (ran.code, FAR in ran.out) == (0, True)
        assert [each.value for each in gateway.writes] == [4000.0, 40.0, 4000.0, 4000.0, 4000.0]


@pytest.mark.parametrize("columns", [110, 40])
async def test_range_and_limits_of_alarms_are_shown_where_they_are_known(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, columns=columns) as made:
        await until(lambda: made.context.catalogue.is_complete)
        await made.terminal.enter(f"watch {LEVEL}", "good")
        await made.terminal.enter(
            f"tag {LEVEL}", "range 0.0 to 100.0 %", "alarms at LoLo 10.0, Lo 20.0, Hi 80.0, HiHi 90.0"
        )
        form = (await run(made.context, f"tag {LEVEL}", no_feed)).form()  # type: ignore[union-attr]  # tag has a result
        assert (form["range_low"], form["range_high"], form["alarm_limits"]["Hi"]) == (0.0, 100.0, 80.0)
        await made.terminal.enter(f"trend {LEVEL} --range", " 100 % ┤", " 0 ")
        made.terminal.type(CTRL_C)
        await made.terminal.prompted()
        await made.terminal.enter(f"watch {LEVEL} --full", "q ")
        made.terminal.type(ENTER)
        await made.terminal.shows("range 0.0 to 100.0 %")
        made.terminal.type("q")
        await made.terminal.prompted()


async def test_a_limit_that_is_tuned_is_shown_as_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_numbers, "_HOLD_SECONDS", 0.0)
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=True)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        try:
            await run(context, f"read {LEVEL}", no_feed)
            for limit in (80.0, 75.0):
                gateway.set(f"{LEVEL}.Hi.Limit", limit)
                shown = await run(context, f"tag {LEVEL}", no_feed)
                assert shown is not None
                assert shown.form()["alarm_limits"]["Hi"] == limit
        finally:
            await context.disconnect()
