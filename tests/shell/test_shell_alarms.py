"""alarms, ack and events at a real prompt: what is in alarm, what became of an acknowledgement, what streams by."""

import asyncio
import re
from pathlib import Path

import grpc
import pytest
from shell_lines import follow, run
from shell_process import ShellProcess
from shell_terminal import ENTER, TAB, Shell, shell
from shell_waiting import until

from zb_mom_ww_mxgateway import AlarmConditionState
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
HI = "ZB!Plant.Tank1.Level.Hi"


async def alarms_read(sh: Shell) -> None:
    await sh.context.connected.alarms.ready(20)


def above(sh: Shell, word: str) -> int:
    """Lines on the screen that begin so, behind the time of their arrival."""
    return len(re.findall(rf"(?m)^\d\d:\d\d:\d\dZ  {word}", sh.terminal.text))


async def test_a_new_alarm_is_shown_above_the_prompt_listed_acknowledged_and_counted(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await alarms_read(sh)
        await screen.enter("alarms", "no active alarms", "alarms 0")
        await screen.prompted()
        screen.type("writ")
        sh.gateway.raise_alarm(HI, severity=300, description="too full", value=81.5, limit=80.0)
        await screen.shows(f"ALARM severity 300 {HI}", "demo> writ", "alarms 1 (1 unacked)")
        screen.type("\x15ack ")
        await screen.shows(f"{HI}  300")
        screen.type(TAB)
        await screen.enter(' --comment "seen it" --operator jane', f"{HI} acknowledged")
        await until(lambda: "alarms 1" in screen.text and "alarms 1 (" not in screen.text)
        await screen.enter("alarms", "acked", "[jane:")
        await screen.enter("alarms --unacknowledged", "no alarm passes the filter", "0 of 1 alarms")
        sh.gateway.clear_alarm(HI)
        await screen.shows("alarms 0")


async def test_alarms_are_filtered_by_area_and_severity_and_the_most_urgent_come_first(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await alarms_read(sh)
        for reference, severity in (("ZB!North.A.Hi", 500), ("ZB!South.B.Hi", 100), ("ZB!North.C.Lo", 300)):
            sh.gateway.raise_alarm(reference, severity=severity)
        await screen.shows("ALARMS 3 new, the most severe 100: ZB!South.B.Hi")
        text = await screen.enter("alarms", "ZB!North.A.Hi")
        assert text.rindex("ZB!South.B.Hi") < text.rindex("ZB!North.C.Lo") < text.rindex("ZB!North.A.Hi")
        await screen.enter("alarms --area north --severity 300", "1 of 3 alarms")
        await screen.enter("alarms --area north.c", "1 of 3 alarms")
        await screen.enter("alarms --severity 400", "2 of 3 alarms")


async def test_dozens_of_alarms_at_once_are_one_line(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await alarms_read(sh)
        for number in range(60):
            sh.gateway.raise_alarm(f"ZB!Area.Object{number}.Hi", severity=900 - number)
        await sh.terminal.shows("ALARMS 60 new, the most severe 841: ZB!Area.Object59.Hi; alarms lists them")
        await sh.terminal.enter("status", "contract    ")
        await sh.terminal.prompted()
        assert above(sh, "ALARM") == 1, sh.terminal.text


async def test_active_alarms_are_reported_once_when_the_shell_starts(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await alarms_read(sh)
        sh.gateway.raise_alarm(HI)
        sh.gateway.raise_alarm("ZB!Plant.Tank2.Level.Hi")
        await sh.terminal.shows("ALARM")
        await sh.context.disconnect()
        await sh.terminal.enter("connect", "connected to", "2 alarms active, 2 unacknowledged: alarms lists them")


async def test_a_cleared_alarm_waits_for_its_acknowledgement(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        await alarms_read(sh)
        sh.gateway.raise_alarm("ZB!Area.Object.Hi")
        await sh.terminal.shows("ALARM severity 500 ZB!Area.Object.Hi")
        sh.gateway.clear_alarm("ZB!Area.Object.Hi")
        feed = sh.context.connected.alarms
        await until(lambda: feed.alarms["ZB!Area.Object.Hi"].state is AlarmConditionState.INACTIVE)
        await sh.terminal.enter("alarms", "cleared, UNACKED")
        await sh.terminal.enter("ack ZB!Area.Object.Hi", "ZB!Area.Object.Hi acknowledged", "alarms 0")


async def test_an_acknowledgement_passes_the_guard_and_its_lost_answer_is_unknown(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        sh.gateway.raise_alarm("ZB!Area.Object.Hi")
        await screen.enter("disarm", "read-only: nothing")
        await screen.enter("ack ZB!Area.Object.Hi", "arm Area.Object.Hi")
        await screen.enter("arm *.Object.* No.Such.*", "armed for 10m")
        await screen.enter(
            "ack Area.Object.Hi",
            "Galaxy!Area.Object.Alarm is expected",
            "several words is quoted",
            "for example ZB!Area.Object.Hi",
        )
        await screen.enter("ack ZB!No.Such.Alarm", "NOT acknowledged", "no alarm ZB!No.Such.Alarm")
        sh.gateway.faults.lose_next_reply("AcknowledgeAlarm")
        await screen.enter("ack ZB!Area.Object.Hi", "outcome UNKNOWN: acknowledge_alarm at", "It was not sent again")
        sent = [call.rpc for call in sh.gateway.calls].count("AcknowledgeAlarm")
        assert sent == 2
        result = await run(sh.context, "ack ZB!No.Such.Alarm", follow)
        assert result is not None
        assert result.exit_code is ExitCode.REFUSED


async def test_each_of_several_acknowledgements_reports_its_outcome_whatever_stops_them(tmp_path: Path) -> None:
    first, second = "ZB!Area.Object.Hi", "ZB!Area.Object.Lo"
    async with shell(tmp_path) as sh:
        for reference in (first, second):
            sh.gateway.raise_alarm(reference)
        sh.gateway.faults.stall("AcknowledgeAlarm")
        acknowledging = asyncio.create_task(run(sh.context, f"ack {first} {second}", follow))
        await until(lambda: any(call.rpc == "AcknowledgeAlarm" for call in sh.gateway.calls), lambda: "no call")
        sh.context.connected.arming.disarm("somebody said so")
        sh.gateway.faults.release()
        result = await acknowledging
        assert result is not None
        assert [each["outcome"] for each in result.form()] == ["acknowledged", "refused"]
        assert result.exit_code is ExitCode.GUARDED
        sh.context.connected.arming.reopen()
        sh.gateway.faults.lose_next_reply("AcknowledgeAlarm")
        result = await run(sh.context, f"ack {first} {second}", follow)
        assert result is not None
        assert [each["outcome"] for each in result.form()] == ["unknown", "refused"]
        assert f"not tried: the outcome of {first} before it is unknown" in result.lines()[1]
        assert result.exit_code is ExitCode.UNKNOWN
        assert [call.rpc for call in sh.gateway.calls].count("AcknowledgeAlarm") == 2


async def test_in_subtag_mode_ack_says_that_it_is_impossible(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await alarms_read(sh)
        sh.gateway.raise_alarm("ZB!Area.Object.Hi")
        sh.gateway.faults.fail_alarm_provider("the alarm manager is away")
        await sh.terminal.shows("alarms come from subtags", "(degraded): the alarm manager is away")
        await sh.terminal.enter("ack ZB!Area.Object.Hi", "NOT acknowledged", "acknowledge it at its source")
        await sh.terminal.enter("alarms", "UNACKED", "(degraded)")


async def test_the_alarm_stream_comes_back_by_itself_and_an_old_list_looks_old(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await alarms_read(sh)
        sh.gateway.raise_alarm("ZB!Area.Object.Hi")
        await screen.shows("alarms 1 (1 unacked)")
        sh.gateway.faults.stall("StreamAlarms")
        sh.gateway.faults.drop_alarm_streams()
        await screen.shows("alarms 1? (1 unacked)")
        await screen.enter("alarms", "ZB!Area.Object.Hi", "OLD: not kept up to date for")
        sh.gateway.raise_alarm("ZB!Area.Other.Hi")
        sh.gateway.faults.release("StreamAlarms")
        await screen.shows("ALARM severity 500 ZB!Area.Other.Hi", "alarms 2 (2 unacked)")


async def test_an_unacknowledged_alarm_that_cleared_while_the_stream_was_down_stays_listed(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True) as sh:
        screen = sh.terminal
        await alarms_read(sh)
        for name in ("Before", "Meanwhile", "Elsewhere"):
            sh.gateway.raise_alarm(f"ZB!Area.{name}.Hi")
        await screen.shows("alarms 3 (3 unacked)")
        sh.gateway.clear_alarm("ZB!Area.Before.Hi")
        feed = sh.context.connected.alarms
        await until(lambda: feed.alarms["ZB!Area.Before.Hi"].state is AlarmConditionState.INACTIVE)
        sh.gateway.faults.stall("StreamAlarms")
        sh.gateway.faults.drop_alarm_streams()
        await screen.shows("3? (3 unacked)")
        sh.gateway.clear_alarm("ZB!Area.Meanwhile.Hi")
        sh.gateway.clear_alarm("ZB!Area.Elsewhere.Hi")
        await sh.context.connected.client.acknowledge_alarm("ZB!Area.Elsewhere.Hi", "", "another")
        sh.gateway.faults.release("StreamAlarms")
        await screen.shows("alarms 3 (3 unacked)")
        text = await screen.enter("alarms", "cleared, UNACKED?  ZB!Area.Meanwhile.Hi", "cleared, perhaps acknowledged")
        assert "cleared, UNACKED?  ZB!Area.Before.Hi" in text
        await screen.enter("ack ZB!Area.Before.Hi", "acknowledged", "alarms 2 (2 unacked)")
        # What the gateway knows nothing of any more has been acknowledged.
        await screen.enter("ack ZB!Area.Elsewhere.Hi", "NOT acknowledged", "alarms 1 (1 unacked)")


async def test_an_absent_alarm_stream_is_reported_and_so_is_its_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.samples.alarm_monitor._PATIENCE", 0.1)
    async with shell(tmp_path) as sh:
        await alarms_read(sh)
        sh.gateway.faults.stall("StreamAlarms")
        sh.gateway.faults.drop_alarm_streams()
        await sh.terminal.shows("alarms are not kept up to date: ")
        sh.gateway.faults.release("StreamAlarms")
        await sh.terminal.shows("alarm stream back: 0 active; what happened meanwhile is unknown")


@pytest.mark.parametrize("columns", [60, 110])
async def test_the_toolbar_keeps_gaps_and_alarms_in_view(tmp_path: Path, columns: int) -> None:
    async with shell(tmp_path, cursor_reports=True, columns=columns) as sh:
        await alarms_read(sh)
        sh.gateway.raise_alarm("ZB!Area.Object.Hi")
        await sh.terminal.shows("ready · armed · gaps 0 · alarms 1 (1 unacked)")


@pytest.mark.parametrize("columns", [60, 110])
async def test_the_number_of_alarms_in_the_toolbar_has_the_colour_of_the_most_urgent_one(
    tmp_path: Path, columns: int
) -> None:
    async with shell(tmp_path, cursor_reports=True, columns=columns) as sh:
        screen = sh.terminal

        def look() -> tuple[str, bool, bool] | None:
            row = max(number for number, line in enumerate(screen.text.split("\n")) if " · alarms " in line)
            at = screen.text.split("\n")[row].index("alarms ")
            cell, next_to_it = screen.screen.buffer[row][at], screen.screen.buffer[row][at - 2]
            assert (next_to_it.fg, next_to_it.reverse) == ("default", False)
            return cell.fg, cell.bold, cell.reverse

        await alarms_read(sh)
        await screen.shows("alarms 0")
        assert look() == ("default", False, False)
        sh.gateway.raise_alarm("ZB!Area.Object.Lo", severity=600)
        await screen.shows("alarms 1 (1 unacked)")
        await until(lambda: look() == ("brown", False, False))
        sh.gateway.raise_alarm("ZB!Area.Object.Hi", severity=200)
        await screen.shows("alarms 2 (2 unacked)")
        await until(lambda: look() == ("red", True, True))
        await screen.enter("ack ZB!Area.Object.Hi", "acknowledged", "alarms 2 (1 unacked)")
        await until(lambda: look() == ("brown", False, False))


async def test_a_gateway_without_alarms_disturbs_nothing_else(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True, alarms=False) as sh:
        await sh.terminal.shows("alarms off")
        await sh.terminal.enter("alarms", "no alarms: ", "alarms are disabled")
        await sh.terminal.enter(f"write {INT} 5", "completed")
        assert "ALARM" not in sh.terminal.text


async def test_alarms_are_followed_to_an_end(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await alarms_read(sh)
        sh.terminal.type("alarms --follow --area area --count 2" + ENTER)
        await until(lambda: bool(sh.context.connected.alarms._followers))
        sh.gateway.raise_alarm("ZB!Elsewhere.Object.Hi")
        sh.gateway.raise_alarm("ZB!Area.Object.Hi")
        sh.gateway.clear_alarm("ZB!Area.Object.Hi")
        await sh.terminal.shows("RAISE          500  ZB!Area.Object.Hi", "CLEAR ", "2 changes in")
        # That it was raised may be told by itself, too.
        assert "500  ZB!Elsewhere" not in sh.terminal.text


async def test_alarms_in_a_file_are_read_when_asked_for(tmp_path: Path, gateway: SimulatedGateway) -> None:
    gateway.raise_alarm("ZB!Area.Object.Hi", severity=7)
    process = ShellProcess(tmp_path).on(gateway)
    done = await process("--plaintext", "--json", "-e", "alarms", "-e", "ack ZB!Area.Object.Hi")
    listed, acked = done.objects
    assert [alarm["severity"] for alarm in listed["result"]["alarms"]] == [7]
    assert acked["result"] == [
        {"error": None, "outcome": "acknowledged", "reference": "ZB!Area.Object.Hi", "result": "completed"}
    ]
    refused = await process("--plaintext", "-e", "alarms --follow")
    assert (refused.code, "need an end" in refused.err) == (2, True)


# events.


async def test_events_are_filtered_by_tag_and_family_and_counted(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        screen = sh.terminal
        await screen.enter(f"watch {INT} TestChildObject.TestBool --count 2", "2 samples")
        await screen.prompted()
        screen.type(f"events {INT} --family data-change --count 2" + ENTER)
        await until(lambda: len(sh.context.live_session._hub._subscriptions) > 1)
        sh.gateway.set("TestChildObject.TestBool", True)
        sh.gateway.set(INT, 41)
        sh.gateway.set(INT, 42, quality=0)
        text = await screen.shows(f"{INT}  41  good", f"{INT}  42  bad", "2 events in")
        assert "TestBool  true" not in text
        await screen.enter("events --family data --count 1", "one of data-change, write-complete")
        await screen.enter("events No.Such --count 1", "No.Such is not added")


async def test_a_gap_is_shown_whatever_is_filtered(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
        await sh.terminal.prompted()
        sh.terminal.type("events --family write-complete --count 1" + ENTER)
        await until(lambda: len(sh.context.live_session._hub._subscriptions) > 1)
        sh.gateway.faults.drop_streams(grpc.StatusCode.UNAVAILABLE)
        sh.gateway.set(INT, 1)
        sh.gateway.faults.evict_replay(sh.context.live_session.session.session_id)
        await sh.terminal.shows("GAP: events lost after", "1 events in")


async def test_more_events_than_can_be_seen_are_counted_not_shown(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
        await sh.terminal.prompted()
        sh.terminal.type("events --count 500" + ENTER)
        await until(lambda: len(sh.context.live_session._hub._subscriptions) > 1)
        for number in range(1, 501):
            sh.gateway.set(INT, number)
        await sh.terminal.shows("more at that moment, not shown", "500 events in", " not shown")


@pytest.mark.parametrize("line", ["events", "alarms --follow"])
async def test_what_never_ends_needs_an_end_in_a_file(tmp_path: Path, gateway: SimulatedGateway, line: str) -> None:
    done = await ShellProcess(tmp_path).on(gateway)("--plaintext", "-e", line)
    assert done.code == 2
    assert "need an end" in done.err


def looks(sh: Shell, text: str) -> tuple[str, bool, bool]:
    """Colour of the first line of the screen with a text, whether it is bold, and whether it is reversed."""
    row = next(number for number, line in enumerate(sh.terminal.text.split("\n")) if text in line)
    cell = sh.terminal.screen.buffer[row][sh.terminal.text.split("\n")[row].index(text)]
    return cell.fg, cell.bold, cell.reverse


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        (250, ("red", True, True)),
        (251, ("red", True, False)),
        (501, ("brown", False, False)),
        (751, ("default", False, False)),
    ],
)
async def test_an_alarm_has_the_colour_of_its_severity_wherever_it_is_shown(
    tmp_path: Path, severity: int, expected: tuple[str, bool, bool]
) -> None:
    async with shell(tmp_path) as sh:
        await alarms_read(sh)
        sh.gateway.raise_alarm("ZB!North.A.Hi", severity=severity)
        await sh.terminal.shows(f"ALARM severity {severity}")
        assert looks(sh, "ALARM severity") == expected
        await sh.terminal.enter("alarms --severity 999", "sev  state")
        assert looks(sh, f"  {severity}  UNACKED") == expected
        assert looks(sh, "sev  state")[0] == "default"
