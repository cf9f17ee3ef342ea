"""Command files: what they say, expect, wait for and report. Each runs as a process."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from shell_lines import SIMULATED, make_example_files, run as perform
from shell_process import Runs, ShellProcess, declared

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.values import LiveState
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, TEXT, LEVEL = "TestChildObject.TestInt", "TestChildObject.TestString", "Plant.Tank1.Level"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


EVERYTHING = f"""\
# Every statement that a file can have.
let limit = 70
let TAG = {INT}
include parts/first.mxs
step "write and see"
write $TAG 5
wait $TAG = 5 timeout 10s
expect $TAG = 5 quality good age < 1m
capture was = $TAG
expect $TAG = $was
echo "$TAG is ${{was}}"
step "compare by type"
write TestChildObject.TestDouble 1.25
expect TestChildObject.TestDouble = 1.2 tol 0.1
expect TestChildObject.TestDouble != 1.2
write TestChildObject.TestFloat 0.1
expect TestChildObject.TestFloat = 0.1
write TestChildObject.TestBool true
expect TestChildObject.TestBool = true
write {TEXT} "pump 7 runs"
expect {TEXT} ~ '^pump \\d runs$'
expect {TEXT} != "pump 8 runs"
write TestChildObject.TestTime 2026-10-02T08:14:00Z
expect TestChildObject.TestTime = 2026-10-02T08:14:01Z tol 2s
expect TestChildObject.TestTime > 2026-10-02T08:13:00Z
expect TestChildObject.TestIntArray[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
expect TestChildObject.TestIntArray[2] = 2
on-error continue
note "all is well"
confirm "is it?"
sleep 10ms
finally
write $TAG 0
"""


async def test_a_name_of_var_that_is_nowhere_in_the_file_is_refused_before_anything_is_written(run: Runs) -> None:
    done = await run(f"let limit = 5\nwrite {INT} $limit\n", "--var", "limt=9")
    assert (done.code, run.written) == (2, [])
    assert done.err == "mxgw-shell: --var limt: nothing in try.mxs is called $limt; did you mean limit?\n"
    done = await run(f"write {INT} ${{limit}}\n", "--var", "limit=9")
    assert (done.code, run.written) == (0, [9])


async def test_a_file_with_everything_in_it_passes_and_is_reported(run: Runs) -> None:
    (run.folder / "parts").mkdir()
    run.file("register included\ninclude second.mxs\nfinally\nnote 'the part is over'\n", "parts/first.mxs")
    run.file(f"expect {LEVEL} < $limit\n", "parts/second.mxs")
    done = await run(EVERYTHING, "--yes", "--var", "limit=99", "--report-junit", "out.xml")
    assert (done.code, done.err) == (0, "")
    assert "limit = 99 (--var)" in done.out
    assert f"second.mxs:1  expect {LEVEL} < $limit" in done.out
    assert f"{INT} is 5" in done.out
    assert "yes (--yes)" in done.out
    assert "2 of 2 steps passed, in" in done.out.splitlines()[-1]
    assert run.written[0] == 5
    assert run.written[-1] == 0
    suite = ElementTree.parse(run.folder / "out.xml").getroot()[0]
    names = ["before the first step", "write and see", "compare by type", "finally"]
    assert [case.get("name", "").partition(" ")[2] for case in suite.findall("testcase")] == names
    (head,) = suite.findall("properties/property[@name='journal.head']")
    assert re.fullmatch("[0-9]+:[0-9a-f]{64}", head.get("value", ""))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("4", "0", "0")


async def test_each_statement_is_shown_with_its_line_what_came_of_it_and_the_time(run: Runs) -> None:
    done = await run(f"write {INT} 5\n\nlet x = 3\n")
    first, *_, last, summary = done.out.splitlines()
    assert first.startswith(f"   2  write {INT} 5")
    assert first.endswith(" ms")
    *shown, number, unit = last.split()
    assert shown == ["4", "let", "x", "=", "3", "x", "=", "3"]
    assert (number.isdigit(), unit) == (True, "ms")
    assert summary.startswith("2 statements, all done, in")


async def test_quiet_shows_only_what_fails(run: Runs) -> None:
    assert (await run(f"write {INT} 5\n", "-q")).out == ""
    done = await run(f"expect {INT} = 6\n", "-q")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"try.mxs:1:8: expected {INT} = 6, is 5 (good, ")


async def test_a_failed_expectation_shows_where_what_was_wanted_and_what_there_was(run: Runs) -> None:
    done = await run(f"  expect {INT} >= 7 tol 0.5\nwrite {INT} 1\n")
    assert done.code == 1
    message, line, caret, source, *_ = done.err.splitlines()
    assert message.startswith(f"try.mxs:2:10: expected {INT} >= 7 tol 0.5, is 0 (good, ")
    assert message.endswith(" s old)")
    assert line[caret.index("^") :].startswith(INT)
    assert source.strip().startswith("source time 20")
    assert run.written == []


async def test_a_failed_wait_shows_the_values_that_came(run: Runs) -> None:
    done = await run(f"wait {LEVEL} > 95 timeout 1s\n", "--json")
    (failed,) = done.objects
    assert (done.code, failed["ok"], failed["error"]["column"]) == (1, False, 6)
    assert re.match(rf"expected {LEVEL} > 95, is [56]\d", failed["error"]["message"])
    assert len(failed["error"]["values"]) > 1
    assert all(value["quality_word"] == "good" for value in failed["error"]["values"])
    said = await run(f"wait {LEVEL} > 95 timeout 600ms\n")
    assert re.search(r"during the wait of 0\.6 s: [56]\d", said.err)


async def test_what_is_bad_null_or_not_a_number_meets_no_expectation_silently(run: Runs) -> None:
    run.gateway.set(INT, 5, quality=0)
    run.gateway.set_message("TestChildObject.TestDouble", pb.MxValue(data_type=6, double_value=float("nan")))
    run.gateway.set(TEXT, None)
    numbers = pb.MxArray(element_data_type=6, dimensions=[2], double_values=pb.DoubleArray(values=[float("nan"), 2]))
    run.gateway.set_message("TestChildObject.TestIntArray", pb.MxValue(data_type=6, array_value=numbers))
    done = await run(
        "on-error continue\n"
        "expect TestChildObject.TestIntArray[] != [1, 2]\n"
        "capture x = TestChildObject.TestDouble\n"
        f"expect {INT} = 5\n"
        f"expect {INT} != 6\n"
        "expect TestChildObject.TestDouble != 3\n"
        "expect TestChildObject.TestDouble < 3\n"
        f"expect {TEXT} != x\n"
        f"wait {INT} = 5 now timeout 100ms\n"
        f"capture x = {TEXT}\n"
        "expect TestChildObject.TestBool = false age < 1ms\n"
        "# Asked for in words, all of it is as it is:\n"
        f"expect {INT} = 5 quality bad\n"
        f"expect {INT} = 5 quality any\n"
        "expect TestChildObject.TestDouble = nan\n"
        f"expect {TEXT} = null quality any\n",
        "--json",
    )
    assert [each["ok"] for each in done.objects] == [True, *[False] * 10, *[True] * 4]
    array, captured, *reasons = [each["error"]["message"] for each in done.objects if not each["ok"]]
    assert array.endswith("it is not a number")
    assert captured.endswith("it is not a number")
    assert "the quality is bad" in reasons[0]
    assert "it is not a number" in reasons[2]
    assert "there is no value: null" in reasons[4]
    assert reasons[7].endswith(" s old")
    assert done.code == 1


@pytest.mark.parametrize("text", ["null", "nan"])
async def test_a_text_that_reads_as_no_value_is_said_to_be_text(run: Runs, text: str) -> None:
    run.gateway.set(TEXT, text)
    done = await run(f'expect {TEXT} = "{text}"\nexpect {TEXT} = {text}\n')
    assert done.code == 1
    assert f'it is text, compared in quotes: "{text}"' in done.err


async def test_a_stale_value_meets_no_condition(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        try:
            await perform(context, f"expect {INT} = 0", lambda feed: feed.follow(print))
            context.interactive = True  # Else it waits for the stream to be back.
            for call in ("StreamEvents", "ping"):
                gateway.faults.stall(call)
            gateway.faults.drop_streams()
            live = context.live_session
            async with asyncio.timeout(15):
                while live.state is not LiveState.STALE:
                    await live.changed()
            for line in (f"expect {INT} = 0", f"expect {INT} = 0 quality any", f"wait {INT} = 0 now timeout 100ms"):
                with pytest.raises(NotMet, match="the value is stale") as raised:
                    await perform(context, line, lambda feed: feed.follow(print))
                assert raised.value.fields["actual"]["stale"] is True
            with pytest.raises(NotMet, match="is not captured"):
                await perform(context, f"capture x = {INT}", lambda feed: feed.follow(print))
        finally:
            gateway.faults.release()
            await context.disconnect()


async def test_values_of_another_kind_are_a_mistake_not_a_failure(run: Runs) -> None:
    cases = [
        (f"expect {INT} = five", "Number expected"),
        (f"expect {INT} ~ 5", "~ matches texts only; the value is a number"),
        ("expect TestChildObject.TestBool > true", "> compares numbers and times, and this is neither"),
        ("expect TestChildObject.TestBool > 0", "Boolean expected: true or false"),
        (f"expect {TEXT} > 0", "text is compared with = or != only"),
        (f"expect {INT} = 5 tol 1e999", "a tolerance is a number"),
        (f"expect {TEXT} = 'a' tol 5", "only numbers and times have a tolerance"),
        (f"expect {TEXT} = int32:5", "the value is text: it cannot be compared with a number"),
        ("expect TestChildObject.TestIntArray[] = 5", "the value is an array"),
        (f"expect {TEXT} = 5 tol 5", "text has no tolerance"),
        (f"wait {INT} = 0 hold 1s age < 2s timeout 5s", "hold and age exclude each other"),
    ]
    lines = [line for line, _ in cases]
    done = await run.process("--plaintext", "--json", stdin="\n".join(("on-error continue", *lines, "")))
    assert done.code == 2
    for each, (line, said) in zip(done.objects[1:], cases, strict=True):
        assert (each["error"]["exit_code"], said in each["error"]["message"]) == (2, True), (line, each)
    # A file of them does not begin.
    done = await run("\n".join((f"write {INT} 5", *lines)))
    assert (done.code, run.written, "and this is neither" in done.err) == (2, [], True), done


async def test_each_operator_holds_where_it_does_and_only_there(run: Runs) -> None:
    run.gateway.set(TEXT, "pump 7")
    cases = {
        f"{INT} = 0": True,
        f"{INT} = 1": False,
        f"{INT} != 1": True,
        f"{INT} != 0": False,
        f"{INT} < 1": True,
        f"{INT} < 0": False,
        f"{INT} <= 0": True,
        f"{INT} <= -1": False,
        f"{INT} > -1": True,
        f"{INT} > 0": False,
        f"{INT} >= 0": True,
        f"{INT} >= 1": False,
        f"{INT} = 2 tol 2": True,
        f"{INT} = 2 tol 1.9": False,
        f"{INT} != 2 tol 2": False,
        f"{TEXT} ~ 'p \\d$'": True,
        f"{TEXT} ~ '^7'": False,
        f'{TEXT} = "pump 7"': True,
        f"{TEXT} != 'pump 7'": False,
        "TestChildObject.TestIntArray[] = [1, 2]": False,
        "TestChildObject.TestIntArray[] != [1, 2]": True,
    }
    done = await run("on-error continue\n" + "".join(f"expect {each}\n" for each in cases), "--json")
    assert [(each["statement"], each["ok"]) for each in done.objects[1:]] == [
        (f"expect {each}", holds) for each, holds in cases.items()
    ]
    assert done.code == 1


async def test_a_wait_takes_only_new_values_unless_now_is_given(run: Runs) -> None:
    assert (await run(f"wait {INT} = 0 now timeout 5s\n")).code == 0
    held = await run(f"wait {INT} = 0 timeout 300ms\n")
    assert held.code == 1
    assert "no new value came; 'now' lets it count" in held.err
    # What came since the write is new, also where it was there before the wait began.
    fresh = await run(f"write {INT} 7\nexpect {INT} = 7\nsleep 300ms\nwait {INT} = 7 timeout 2s\n")
    assert (fresh.code, fresh.err) == (0, "")


async def test_a_hold_wants_it_so_without_a_break(run: Runs) -> None:
    done = await run("wait Plant.Tank1.LevelSP = 60 now hold 300ms timeout 10s\n", "--json")
    assert done.code == 0
    assert done.objects[0]["result"]["seconds"] >= 0.3
    run.file(f"wait {INT} = 5 now hold 1s timeout 2s\n")
    process = await run.process.start("--plaintext", "-c", "try.mxs")
    ending, value = asyncio.create_task(process.communicate()), 5
    while not ending.done():
        run.gateway.set(INT, value := 11 - value)
        await asyncio.sleep(0.02)
    _, err = await ending
    assert process.returncode == 1
    assert b"not for 1 s without a break within 2 s" in err or b": not within 2 s" in err


async def test_what_stood_before_a_write_is_what_the_write_before_it_brought(run: Runs) -> None:
    done = await run(f"write {INT} 1\nwrite {INT} 2\nwrite {INT} 3\n", "--json")
    assert [each["result"]["before"] for each in done.objects] == [0, 1, 2]


async def test_a_failed_expectation_shows_what_was_seen_lately(run: Runs) -> None:
    text = f"write {INT} 1\nwrite {INT} 2\nexpect {INT} = 3\n"
    said = await run(text)
    assert re.search(r"during the last 10 s: 0 \(.* s ago\), 1 \(.* s ago\), 2 \(.* s ago\)$", said.err.strip())
    (*_, failed) = (await run(text, "--json")).objects
    # Of a fresh session, to which the plant was as the run before it had left it.
    assert [value["value"] for value in failed["error"]["values"]] == [2, 1, 2]


async def test_a_file_stops_at_the_first_failure_and_runs_the_lines_after_finally(run: Runs) -> None:
    done = await run(
        f'step "one"\nexpect {INT} = 9\nwrite {INT} 1\nstep "two"\nwrite {INT} 2\n'
        f"finally\nexpect {INT} = 9\nwrite {INT} 3\n",
        "--report-junit",
        "out.xml",
    )
    assert done.code == 1
    assert run.written == [3]
    assert done.out.splitlines()[-1].startswith('0 of 2 steps passed; 1 failed: "one"; 1 not run; finally failed, in')
    suite = ElementTree.parse(run.folder / "out.xml").getroot()[0]
    assert [(case.get("name"), [part.tag for part in case]) for case in suite.iter("testcase")] == [
        ("try.mxs:2 one", ["failure"]),
        ("try.mxs:5 two", ["skipped"]),
        ("try.mxs:7 finally", ["failure"]),
    ]
    failure = next(suite.iter("testcase")).find("failure")
    assert failure is not None
    assert failure.get("message", "").startswith(f"expected {INT} = 9, is 0 (good")


async def test_on_error_continue_goes_on_and_the_run_has_failed_all_the_same(run: Runs) -> None:
    done = await run(
        f"on-error continue\nexpect {INT} = 9\nwrite {INT} 1\non-error stop\nexpect {INT} = 9\nnote never\n"
    )
    assert done.code == 1
    assert run.written == [1]
    assert "never" not in done.out
    run.gateway.faults.lose_next_reply("write")
    unknown = await run(f"on-error continue\nwrite {INT} 2\nwrite {INT} 3\n")
    assert unknown.code == 6
    assert run.written == [1, 2]


async def test_an_included_file_does_its_own_finally_and_exit_leads_to_it(run: Runs) -> None:
    run.file(f"write {INT} 1\nexit\nwrite {INT} 9\nfinally\nwrite {INT} 2\n", "part.mxs")
    done = await run(f"include part.mxs\nwrite {INT} 9\nfinally\nwrite {INT} 3\n")
    assert (done.code, run.written) == (0, [1, 2, 3])


async def test_a_part_that_fails_is_one_failed_line_where_the_file_goes_on(run: Runs) -> None:
    run.file(f"write {INT} 1\nexpect {INT} = 9\nwrite {INT} 9\nfinally\nwrite {INT} 2\n", "part.mxs")
    done = await run(f"on-error continue\ninclude part.mxs\nwrite {INT} 3\ninclude part.mxs\nwrite {INT} 4\n")
    assert (done.code, run.written) == (1, [1, 2, 3, 1, 2, 4])
    assert done.err.count("part.mxs:3:8: expected") == 2


# Before anything runs.

WRONG = """\
frob
write A.b $missing
wait A.b = 5
wait A.b = 5 timeout soon
include nowhere.mxs
expect A.b ~ '[a'
expect A.b == 5
watch A.b
let x=5
write A.b int23:5 --timeou 3s
finally
let limit = five
sleep $limit
finally
wait A.b = 5 hold 10s timeout 5s
py
events
alarms --follow
trend A.b
deploys
expect A.b > full
alias write note
alias w wirte A.b
set output xml
record tank.txt A.b
expect A.b = [1, x] tol 1
expect A.b = null tol 1
expect A.b = 5 tol 2s
expect A.b ~ int32:5
alias end finally
end
!rm -rf /
"""


async def test_lint_finds_everything_at_once_without_a_gateway(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    (tmp_path / "wrong.mxs").write_text(WRONG, encoding="utf-8")
    done = await run("lint", "wrong.mxs")
    assert done.code == 2
    for place, said in [
        ("1:1", "no command frob"),
        ("2:11", "$missing is not set"),
        ("3:14", "timeout is missing"),
        ("4:22", "Duration expected"),
        ("5:9", "cannot read nowhere.mxs"),
        ("6:14", "not a regular expression"),
        ("7:12", "write ="),
        ("8:1", "needs an end"),
        ("9:5", "put spaces around ="),
        ("10:11", "no type int23"),
        ("10:19", "no option --timeou; did you mean --timeout?"),
        ("13:7", "Duration expected"),
        ("13:1", "sleep waits a fixed time, which may be too short"),
        ("15:6", "cannot end within timeout 5 s"),
        ("16:1", "py needs a terminal"),
        ("14:1", "everything from line 11 on is the finally part already"),
        ("17:1", "events in a file need an end"),
        ("18:1", "alarms --follow in a file need an end"),
        ("19:1", "without a screen to redraw, a trend needs an end"),
        ("20:1", "deploys in a file needs an end"),
        ("21:14", "> compares numbers and times, and this is neither"),
        ("22:7", "write is a command"),
        ("23:9", "no command wirte; did you mean write?"),
        ("24:12", "one of table, json, csv"),
        ("25:1", "the format of tank.txt is unknown"),
        ("26:25", "only numbers and times have a tolerance"),
        ("27:23", "only numbers and times have a tolerance"),
        ("28:20", "a number is expected: the tolerance of a number"),
        ("29:12", "~ matches texts only"),
        ("31:1", "finally does not work through an alias"),
        ("32:1", "a shell on a plant does not start programs: use another terminal for that"),
    ]:
        assert any(line.startswith(f"wrong.mxs:{place}: ") and said in line for line in done.out.splitlines()), place
    places = [int(line) for line in re.findall(r"^wrong.mxs:(\d+):", done.out, re.MULTILINE)]
    assert places == sorted(places)


@pytest.mark.parametrize("name", [name for name in all_commands().commands if name != "unalias"])
def test_the_example_of_each_command_is_right_without_a_gateway(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_example_files(tmp_path)
    context = Context(all_commands(), interactive=False)
    assert context.registry.check(context.registry.commands[name].example, context) == []


async def test_lint_warns_of_sleep_and_of_an_empty_finally(tmp_path: Path) -> None:
    (tmp_path / "ok.mxs").write_text("include part.mxs\nsleep $pause\nexit\nnote never\nfinally\n", encoding="utf-8")
    (tmp_path / "part.mxs").write_text("capture level = A.b\nexpect A.b = $level\n", encoding="utf-8")
    done = await ShellProcess(tmp_path)("lint", "ok.mxs", "--var", "pause=1s", "--json")
    assert done.code == 0
    assert [(each["line"], each["severity"]) for each in done.objects] == [
        (2, "warning"),
        (4, "warning"),
        (5, "warning"),
    ]


async def test_a_file_that_includes_itself_or_is_not_text_is_reported(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    (tmp_path / "a.mxs").write_text("include b.mxs\n", encoding="utf-8")
    (tmp_path / "b.mxs").write_text("note b\ninclude a.mxs\n", encoding="utf-8")
    (tmp_path / "c.mxs").write_bytes(b"note ok\nnote \xff\n")
    assert "b.mxs:2:9: a.mxs includes itself" in (await run("lint", "a.mxs")).out
    (tmp_path / "d.mxs").write_text("note d\n", encoding="utf-16")
    done = await run("lint", "c.mxs", "nowhere.mxs", "d.mxs", "b.mxs")
    assert done.code == 2
    assert done.out.splitlines()[:4] == [
        "c.mxs:2:6: not UTF-8 text; save it as UTF-8",
        "cannot read nowhere.mxs: No such file or directory",
        "d.mxs:1:1: UTF-16; save it as UTF-8",
        "a.mxs:1:9: b.mxs includes itself",
    ]
    assert (await run("-c", "c.mxs")).err == "mxgw-shell: c.mxs:2:6: not UTF-8 text; save it as UTF-8\n"


async def test_a_file_may_have_a_mark_at_its_beginning_lines_of_windows_and_tabs(run: Runs) -> None:
    (run.folder / "dos.mxs").write_bytes(
        f"\ufeff# remark\r\nrequires\twrite {INT}\r\nwrite\t{INT}\t5\r\n\r\n\texpect {INT} = 6\t\r\n".encode()
    )
    done = await run.process("--plaintext", "-c", "dos.mxs")
    assert (done.code, run.written) == (1, [5])
    message, line, caret, *_ = done.err.splitlines()
    assert message.startswith(f"dos.mxs:5:9: expected {INT} = 6, is 5")
    assert line[caret.index("^") :].startswith(INT)


async def test_a_file_with_a_mistake_anywhere_does_not_begin(run: Runs) -> None:
    done = await run(f"write {INT} 5\nexpect {INT} = 5\nfrob\n")
    assert done.code == 2
    assert done.err.startswith("try.mxs:4:1: no command frob")
    assert run.gateway.calls == ()


async def test_a_plan_reads_and_says_what_would_be_written_and_writes_nothing(run: Runs) -> None:
    run.file(
        f"let v = 7\nwrite {INT} $v\nwrite {TEXT} hello --verify --timeout 5s\n"
        f"wait {LEVEL} > 95 timeout 60s\nexpect {INT} = 7\n"
        f"capture now = {INT}\necho $now\nconfirm go?\nsleep 1h\ntee never.log\n"
        "record never.csv\nack ZB!Plant.Tank1.Level.Hi\nwatch Plant.Tank1.Level --for 1h\n"
        f"finally\nwrite {INT} 0\n"
    )
    done = await run.process("plan", "try.mxs", "--plaintext", "--var", "v=8")
    assert (done.code, done.err) == (0, "")
    assert "would write 0 → 8" in done.out
    assert 'would write "" → hello' in done.out
    assert "does not hold now: 6" in done.out
    assert "would confirm" in done.out
    assert "would sleep" in done.out
    assert done.out.splitlines()[-1] == "planned: nothing was written"
    assert run.written == []
    assert "would ack" in done.out
    assert not list(run.folder.glob("never.*"))
    kinds = {call.request.command.WhichOneof("payload") for call in run.gateway.calls if call.rpc == "Invoke"}
    assert "subscribe_bulk" in kinds
    assert not any(kind.startswith("write") for kind in kinds)
    wrong = run.file(f"write {INT} abc\n")
    assert (await run.process("plan", wrong.name, "--plaintext")).code == 2
    done = await run.process("--report-junit", "out.xml", "plan", "try.mxs", "--plaintext")
    assert (done.code, "a plan proves nothing" in done.err, (run.folder / "out.xml").exists()) == (2, True, False)


async def test_a_plan_and_a_lint_do_not_know_the_result_of_what_did_not_run(run: Runs) -> None:
    run.file(f"read {INT}\nwrite {INT} 7\necho _\nwrite {INT} $_\nwait {INT} = 7 timeout $_\n")
    done = await run.process("plan", "try.mxs", "--plaintext")
    assert (done.code, done.out.count("$_ is known in the run only")) == (0, 3), done.err
    assert (await run.process("lint", "try.mxs")).code == 0


async def test_each_of_several_files_begins_without_what_the_one_before_it_came_to(run: Runs) -> None:
    run.file("cd TestChildObject\nread .TestInt\nexpect .TestInt = 99\n", "a.mxs")
    run.file('note "the last is $_"\nlast-error\n', "b.mxs")
    done = await run.process("--plaintext", "-c", "a.mxs", "-c", "b.mxs")
    assert done.code == 1, done.err
    assert "the last is null" in done.out
    assert "nothing has gone wrong" in done.out


async def test_each_of_several_files_may_register_for_itself(run: Runs) -> None:
    """What a file leaves registered does not make the tags of the next one ambiguous."""
    text = f"register acceptance\nwrite {INT} $value\nexpect {INT} = $value\n"
    for name, value in (("a.mxs", 5), ("b.mxs", 6)):
        run.file(f"let value = {value}\n{text}", name)
    done = await run.process("--plaintext", "-c", "a.mxs", "-c", "b.mxs")
    assert (done.code, run.written) == (0, [5, 6]), done.err + done.out
    run.file(f"register other\nregister another\nadd-item {INT}\n", "b.mxs")
    done = await run.process("--plaintext", "-c", "a.mxs", "-c", "b.mxs")
    assert (done.code, "several servers" in done.err) == (2, True), done.err


async def test_the_value_of_a_name_stays_text_in_a_file_an_option_and_a_pipe(run: Runs) -> None:
    lines = [f"write {TEXT} ${{type}}:5", f"write {TEXT} ${{dash}}-verify", f"write {TEXT} nu${{ll}}"]
    options = ["--var", "type=int32", "--var", "dash=-", "--var", "ll=ll"]
    assert (await run("\n".join(lines), *options)).code == 0
    given = [part for line in lines for part in ("-e", line)]
    assert (await run.process("--plaintext", *options, *given)).code == 0
    assert (await run.process("--plaintext", *options, stdin="\n".join(lines))).code == 0
    assert run.written == ["int32:5", "--verify", "null"] * 3


async def test_a_confirm_without_a_person_is_refused(run: Runs) -> None:
    done = await run(f'confirm "open the valve?"\nwrite {INT} 5\n')
    assert done.code == 5
    assert "nobody to ask “open the valve?”; --yes says yes to all" in done.err
    assert run.written == []


async def test_values_from_a_plant_stay_text_in_a_report_and_on_a_screen(run: Runs) -> None:
    run.gateway.set(TEXT, "a\x1b[2J<&\x00")
    done = await run(f'step "]]>\x07\x1b[2J<a>&"\nexpect {TEXT} = b\n', "--report-junit", "out.xml")
    assert "\x1b" not in done.err + done.out
    (case,) = ElementTree.parse(run.folder / "out.xml").getroot().iter("testcase")
    assert case.get("name") == "try.mxs:1 ]]>\ufffd\ufffd[2J<a>&"
    failure = ElementTree.parse(run.folder / "out.xml").getroot().find(".//failure")
    assert failure is not None
    assert r"a\x1b[2J<&\x00" in failure.get("message", "")


# Standard input.


async def test_a_redirected_file_is_a_file_and_a_pipe_comes_line_by_line(run: Runs) -> None:
    path = run.file(f"expect {INT} = 9\nfinally\nwrite {INT} 1\n")
    with path.open("rb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "zb_mom_ww_mxgateway_shell",
            *run.process.armed_for("--plaintext"),
            stdin=file,
            stderr=asyncio.subprocess.PIPE,
            env=run.process.environment,
        )
        _, err = await process.communicate()
    assert (process.returncode, run.written) == (1, [1])
    assert err.startswith(b"<stdin>:2:8: expected")
    piped = await run.process("--plaintext", stdin=f"note x\ninclude try.mxs\nwrite {INT} 2\n")
    assert (piped.code, run.written) == (2, [1])
    assert (
        "include works only in a file: mxgw-shell -c FILE.mxs runs one, and -c - one from standard input" in piped.err
    )
    whole = await run.process("--plaintext", "-c", "-", stdin=declared(f"expect {INT} = 9\nfinally\nwrite {INT} 2\n"))
    assert (whole.code, run.written) == (1, [1, 2])


@pytest.mark.parametrize(
    "ended_by", [f"expect {INT} = 9".encode(), b"exit", b"no-such-command", b"\xff\xfe", b"finally"]
)
async def test_the_lines_after_finally_run_from_a_pipe_too(run: Runs, ended_by: bytes) -> None:
    left_out = b"" if ended_by == b"finally" else f"write {INT} 3\nfinally\n".encode()
    process = await run.process.start("--plaintext")
    async with asyncio.timeout(40):
        await process.communicate(b"%s\n%swrong\nwrite %s 2\n" % (ended_by, left_out, INT.encode()))
    assert (process.returncode, run.written) == (2, [2])


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
@pytest.mark.parametrize(("answer", "code", "written"), [("n", 5, []), ("yes", 0, [5])])
async def test_a_person_at_the_terminal_is_asked(run: Runs, answer: str, code: int, written: list[int]) -> None:
    from shell_pty import at_a_terminal

    run.file(f'confirm "open the valve?"\nwrite {INT} 5\n')
    async with at_a_terminal(run.process, run.gateway, "--plaintext", "-c", "try.mxs") as terminal:
        await terminal.shows("open the valve? [y/N]")
        terminal.type(f"{answer}\r")
        assert await terminal.ended() == code
    assert run.written == written


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
async def test_records_of_csv_of_a_python_file_cannot_command_a_terminal(run: Runs) -> None:
    from shell_pty import at_a_terminal

    run.gateway.set("TestChildObject.TestString", "x\x1b]0;title\x07y")
    (run.folder / "look.py").write_text('await mx("read TestChildObject.TestString")\n', encoding="utf-8")
    async with at_a_terminal(run.process, run.gateway, "--plaintext", "--csv", "--python", "look.py") as terminal:
        await terminal.shows(r"x\x1b]0;title\x07y")
        await terminal.ended()
    assert "\x1b]0;" not in terminal.raw


# Consoles that are none, and newcomers.


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals on Windows")
async def test_a_console_that_is_none_is_read_plainly_with_a_hint_and_goes_on_after_mistakes(run: Runs) -> None:
    from shell_pty import at_a_terminal

    # As prompt_toolkit says it of a window of git-bash.
    (run.folder / "sitecustomize.py").write_text(
        "import prompt_toolkit.output.defaults as defaults\n"
        "class NoConsoleScreenBufferError(Exception): pass\n"
        "def create_output(*arguments, **options):\n"
        "    raise NoConsoleScreenBufferError('Found xterm, while expecting a Windows console.')\n"
        "defaults.create_output = create_output\n",
        encoding="utf-8",
    )
    run.process.environment["PYTHONPATH"] = str(run.folder)
    async with at_a_terminal(run.process, run.gateway, "--plaintext") as terminal:
        await terminal.shows("Found xterm, while expecting a Windows console. Lines are read without a prompt", ">")
        await terminal.enter("frob", "no command frob")
        await terminal.enter(f"arm {INT}", "armed for 10m")
        await terminal.enter(f"write {INT} 5", "→ 5")
        terminal.type("exit\r")
        assert await terminal.ended() == 0
    assert run.written == [5]


async def test_a_newcomer_writes_a_passing_file_from_help_script_alone(tmp_path: Path) -> None:
    run = ShellProcess(tmp_path)
    page = (await run("-e", "help script")).out
    lines = [line.strip() for line in page.splitlines()]
    first = lines.index("# level.mxs: the level follows its setpoint")
    last = lines.index("write Plant.LC1.Auto false")
    text = "\n".join(lines[first : last + 1])
    assert len(text.splitlines()) >= 10
    (tmp_path / "level.mxs").write_text(text, encoding="utf-8")
    commands = [line.split("   ")[0] for line in lines[last:] if line.startswith("mxgw-shell")]
    assert len(commands) == 2
    for command in commands:
        done = await run(*command.split()[1:])
        assert (done.code, done.err) == (0, ""), command
    assert "2 of 2 steps passed" in done.out
    assert (tmp_path / "out.xml").exists()
    assert "PASSED WITH OBSERVATION" in (tmp_path / "out.html").read_text(encoding="utf-8")
