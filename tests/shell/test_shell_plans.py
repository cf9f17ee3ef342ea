"""plan: what each line would do, all that cannot pass, and a hash that lets a run do exactly that, once."""

import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from shell_process import EXAMPLES, Runs
from shell_waiting import until

from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
DOUBLE = "TestChildObject.TestDouble"
SP = "Plant.Tank1.LevelSP"
LEVEL = "Plant.Tank1.Level"
LIMITS = """\
unlisted = "allow"
[tags."Plant.Tank1.LevelSP"]
writable = true
min = 20
max = 75
step = 10
guards = ['Plant.LC1.Auto == true']
note = "overflow"
[tags."TestChildObject.TestDouble"]
writable = true
rate = 1.0
[tags."TestChildObject.TestInt"]
writable = false
[tags."Plant.Tank2.LevelSP"]
writable = true
confirm = "value"
"""


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


async def planned(run: Runs, text: str, *options: str) -> list[dict[str, object]]:
    """The objects of a plan: one for each line, and its end; the file declares nothing."""
    run.file(text, declares=False)
    done = await run.process("--plaintext", *options, "plan", "try.mxs", "--json")
    return [each for each in done.objects if "command" in each]


async def hash_of(run: Runs, text: str, *options: str) -> str:
    """The hash of a plan of these lines."""
    *_, end = await planned(run, text, *options)
    found = end["result"]["hash"]  # type: ignore[index]  # an object of JSON
    assert isinstance(found, str), end
    return found


async def test_what_a_line_reads_counts_the_writes_before_it(run: Runs) -> None:
    run.file(
        f"capture first = {INT}\nwrite {INT} 7\nexpect {INT} = 7\nexpect {INT} = 8\ncapture then = {INT}\n"
        f"write {DOUBLE} $then\nexpect {LEVEL} > 95\nread {INT}\nwrite {INT} $then\nwrite {INT} $first\n",
        declares=False,
    )
    done = await run.process("--plaintext", "plan", "try.mxs")
    assert (done.code, done.err, run.written) == (0, "", [])
    out = " ".join(done.out.split())
    assert f"{INT} = 7 would hold after the write of line 2: 7" in out
    assert "would not hold after the write of line 2: 7" in out
    assert "then = 7 after the write of line 2" in out
    assert "would write 0.0 → 7.0" in out
    assert "does not hold now" in out
    assert "after 2 planned writes it depends on the plant" in out
    assert f"{INT} by then: 7, after the write of line 2" in out
    assert f"{INT} would have been written before, by line 2: it is 7 then" in out
    assert "would write 7 → 7 (unchanged)" in out
    assert f"{INT}: its value is known in the run only" in out


async def test_a_plan_ends_with_its_set_of_writes(run: Runs) -> None:
    lines = await planned(
        run, f"write {INT} 7\nfrobnicate\nwrite {SP} 55 --for 30s   # meant\nack G!Plant.Tank1.Level.Hi\n"
    )
    *_, end = lines
    assert end["command"] == "plan"
    result = end["result"]
    assert isinstance(result, dict)
    assert [(each["tag"], each["type"], each["value"], each["now"], each["by"]) for each in result["writes"]] == [
        (INT, "int32", 7, 0, "line 1"),
        (SP, "double", 55.0, 60.0, "line 3"),
        ("G!Plant.Tank1.Level.Hi", None, None, None, "line 4"),
    ]
    assert result["writes"][1]["back_after_seconds"] == 30
    assert result["hash"] is None  # Line 2 is a mistake.
    (gateway,) = result["gateways"]
    assert (gateway["endpoint"], gateway["limits"]) == (run.gateway.endpoint, None)
    assert gateway["deployed_at"] is not None


async def test_all_that_the_limits_refuse_is_a_mistake_and_what_depends_on_the_moment_is_told(run: Runs) -> None:
    (run.folder / "limits.toml").write_text(LIMITS, encoding="utf-8")
    run.file(
        f"write {SP} 80\nwrite {INT} 1\nwrite Plant.Tank2.LevelSP 50\nwrite {DOUBLE} 5\nwrite {DOUBLE} 50\n",
        declares=False,
    )
    done = await run.process("--plaintext", "--limits", "limits.toml", "plan", "try.mxs")
    assert (done.code, run.written) == (2, []), done
    assert f"try.mxs:1:7: {SP}: max: 80.0 is above 75 (limits.toml:2: overflow)" in done.err
    assert f"{SP}: step: 80.0 is 20 from 60.0, more than 10" in done.err
    assert f"try.mxs:2:7: {INT}: writable: no value may be written" in done.err
    assert "try.mxs:3:7: Plant.Tank2.LevelSP needs a person who retypes the value: no file can write it" in done.err
    assert done.err.count("try.mxs:") == 3
    assert "now refused: guard Plant.LC1.Auto == true: Plant.LC1.Auto is false" in done.out
    assert f"{DOUBLE}: may be refused: rate: 50.0 is 45 from 5" in done.out
    assert "no hash: what cannot pass is not to be run" in done.out


async def test_a_step_goes_from_the_value_that_was_planned_before(run: Runs) -> None:
    (run.folder / "limits.toml").write_text(LIMITS, encoding="utf-8")
    text = f"write Plant.LC1.Auto true\nwrite {SP} 65\nwrite {SP} 73\nwrite {SP} 60\n"
    run.file(text, declares=False)
    done = await run.process("--plaintext", "--limits", "limits.toml", "plan", "try.mxs")
    assert (done.code, done.err.count("try.mxs:")) == (2, 1), done
    assert f"try.mxs:4:7: {SP}: step: 60.0 is 13 from 73.0" in done.err
    assert "after the write of line 3" in done.err
    # The guard is judged by the planned value.
    assert "now refused" not in done.out


async def test_a_run_does_what_was_planned_once(run: Runs) -> None:
    text = f"write {INT} 7\ncapture level = {DOUBLE}\nwrite {DOUBLE} $level\nundo\n"
    found = await hash_of(run, text)
    command = ["--plaintext", "--arm", "*Child*", "-c", "try.mxs", "--plan", found]
    run.file(f"requires write {INT} {DOUBLE}\n{text}", declares=False)
    done = await run.process(*command)
    assert (done.code, run.written) == (5, [])
    assert "changed since the plan: the file: it has other lines" in done.err
    found = await hash_of(run, f"requires write {INT} {DOUBLE}\n{text}")
    command[-1] = found
    done = await run.process(*command)
    assert (done.code, run.written) == (0, [7, 0.0, 0]), done
    again = await run.process(*command, "--json", "--report-junit", "out.xml")
    assert (again.code, run.written) == (5, [7, 0.0, 0])
    (refused,) = [each for each in again.objects if "error" in each]
    assert "its plan was run already, 20" in str(refused["error"])
    assert json.loads(again.out.splitlines()[-1])["exit_code"] == 5
    report = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert "<error" in report
    assert "its plan was run already" in report
    # Who plans it again looks at it again.
    assert await hash_of(run, f"requires write {INT} {DOUBLE}\n{text}") == found
    assert (await run.process(*command)).code == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("value", "the set of writes: write 1 was testchildobject.testint = 7, and is testchildobject.testint = 8"),
        ("limits", "the limits"),
        ("deployment", "the deployment"),
        ("hash", "no plan of yours on this machine has this hash"),
    ],
)
async def test_a_run_is_refused_if_something_has_changed_since_its_plan(run: Runs, change: str, said: str) -> None:
    limits = run.folder / "limits.toml"
    limits.write_text('unlisted = "allow"\n', encoding="utf-8")
    text = f"requires write {INT}\nlet v = 7\nwrite {INT} $v\n"
    found = await hash_of(run, text, "--limits", "limits.toml")
    options = []
    if change == "value":
        options = ["--var", "v=8"]
    elif change == "limits":
        limits.write_text('unlisted = "allow" # other\n', encoding="utf-8")
    elif change == "deployment":
        run.gateway.faults.redeploy()
    else:
        found = "0" * 64
    arguments = ["--plaintext", "--limits", "limits.toml", "--arm", INT, *options]
    done = await run.process(*arguments, "-c", "try.mxs", "--plan", found)
    assert (done.code, run.written) == (5, []), done
    assert said in done.err
    assert "nothing was run" in done.err


async def test_a_write_that_is_to_be_refused_changes_nothing_in_a_plan(run: Runs) -> None:
    text = f"requires write Plant.*\nwrite {LEVEL} 5 --refused\nexpect {LEVEL} > 5\n"
    *_, expected, end = await planned(run, text)
    assert expected["result"]["holds_now"] is True  # type: ignore[index]  # an object of JSON
    found = end["result"]["hash"]  # type: ignore[index]  # an object of JSON
    done = await run.process("--plaintext", "--arm", "Plant.*", "-c", "try.mxs", "--plan", found)
    assert (done.code, run.written) == (0, []), done


async def test_what_is_outside_the_plan_is_refused_in_the_run(run: Runs) -> None:
    run.file(f"write {INT} 5\nwrite {DOUBLE} 5\n", "inner.mxs", declares=False)
    lines = [
        f"requires write {INT} {DOUBLE}",
        "register x",
        f"add-item {INT}",
        "capture level = Plant.Tank1.Level",
        f"write {INT} 5",
        "call write " + json.dumps({"server_handle": 1, "item_handle": 1, "value": {"int32_value": 9}}),
    ]
    found = await hash_of(run, "\n".join(lines))
    done = await run.process("--plaintext", "--arm", "*Child*", "-c", "try.mxs", "--plan", found)
    assert (done.code, run.written) == (5, [5]), done
    assert f"outside the plan: {INT} is with another value among its writes" in done.err


async def test_a_value_that_the_run_gives_is_bound_by_its_tag(run: Runs) -> None:
    text = (
        'requires write TestChildObject.*\nask reading "what does the gauge show?"\nsecret pin from env THE_PIN\n'
        f"let twice = $reading\nwrite {DOUBLE} $twice\nwrite TestChildObject.TestString $pin\n"
    )
    *_, end = await planned(run, text)
    result = end["result"]
    assert isinstance(result, dict)
    assert [(each["tag"], each["known"], each["value"]) for each in result["writes"]] == [
        (DOUBLE, False, None),
        ("TestChildObject.TestString", False, None),
    ]
    run.process.environment["THE_PIN"] = "gauge-4711"
    arguments = ["--plaintext", "--arm", "TestChildObject.*", "-c", "try.mxs", "--plan"]
    done = await run.process(*arguments, result["hash"])
    assert (done.code, "nobody to ask" in done.err) == (5, True), done.err
    *_, given = await planned(run, text, "--var", "reading=5")
    result = given["result"]
    assert isinstance(result, dict)
    assert [each["known"] for each in result["writes"]] == [True, False]
    done = await run.process(*arguments, result["hash"], "--var", "reading=6")
    assert (done.code, "the set of writes" in done.err, run.written) == (5, True, [])
    done = await run.process(*arguments, result["hash"], "--var", "reading=5")
    assert (done.code, run.written) == (0, [5.0, "gauge-4711"]), done
    plans = (run.folder / "records" / "state" / "plans").glob("*")
    assert not any("gauge-4711" in path.read_text(encoding="utf-8") for path in plans)


async def test_every_way_of_writing_is_bound_by_its_value(run: Runs) -> None:
    (run.folder / "rows.csv").write_text(f"tag,value\n{INT},3\n{DOUBLE},1.5\n", encoding="utf-8")
    array = "TestChildObject.TestIntArray"
    text = "\n".join(
        [
            "requires write TestChildObject.*",
            f"write {INT} 7 --for 5s   # meant",
            f"write {array} [1, 2, 3]",
            f"write {array}[3] 5",
            f"write-elements {array} 10 0=5 3=7",
            f"write {DOUBLE} 5 --at 2020-01-02T00:00:00Z",
            "write TestChildObject.TestFloat 0.1",
            'write TestChildObject.TestString "a b"',
            "write TestChildObject.TestBool true --verify",
            f"snapshot before {DOUBLE}",
            "write-many rows.csv",
            "restore before",
            f"trace write {INT} 4 --for 10ms",
        ]
    )
    found = await hash_of(run, text)
    arm = ["--arm", "TestChildObject.*", "--yes"]
    done = await run.process("--plaintext", *arm, "-c", "try.mxs", "--plan", found)
    assert done.code == 0, done
    # What a timed write puts back at the end belongs to it.
    assert run.written[-5:] == [3, 1.5, 5.0, 4, 0]


async def test_no_line_is_silent(run: Runs) -> None:
    text = (
        f'requires write {INT}\nstep "a"\nnote "x"\nconfirm "go?"\nsleep 1s # meant\nexit\nwrite {INT} 3\n'
        f"finally\nwrite {INT} 0\n"
    )
    lines = await planned(run, text)
    assert [each["line"] for each in lines] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]
    run.file(text, declares=False)
    done = await run.process("--plaintext", "plan", "try.mxs")
    assert "would not run: it is behind exit" in done.out
    assert f"{INT}  int32  0    0      line 9" in done.out
    found = await hash_of(run, text)
    done = await run.process("--plaintext", "--yes", "--arm", INT, "-c", "try.mxs", "--plan", found)
    assert (done.code, run.written) == (0, [0]), done


async def test_a_plan_of_files_with_rows_is_void_with_another_row(run: Runs) -> None:
    for path in (EXAMPLES / "water-plant").rglob("*"):
        if path.is_file():
            target = run.folder / path.relative_to(EXAMPLES / "water-plant")
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    done = await run.process("--demo", "plan", "acceptance.mxs", "--json")
    assert done.code == 0, done
    end = done.objects[-1]["result"]
    assert {each["kind"] for each in end["writes"]} == {"value", "acknowledgement", "to be refused"}
    again = await run.process("--demo", "plan", "acceptance.mxs", "--json")
    assert again.objects[-1]["result"]["hash"] == end["hash"]
    rows = run.folder / "valves.csv"
    rows.write_text(rows.read_text(encoding="utf-8").replace("45", "46"), encoding="utf-8")
    done = await run.process("--demo", "-c", "acceptance.mxs", "--plan", end["hash"])
    assert (done.code, "changed since the plan: the file" in done.err) == (5, True), done


async def test_a_plan_needs_a_hash_and_a_file(run: Runs) -> None:
    done = await run.process("--plaintext", "-c", "try.mxs", "--step", "a*", "--plan", "0" * 64)
    assert (done.code, "--plan and --step exclude each other" in done.err) == (2, True)
    for arguments in (["-c", "try.mxs", "--plan", "12"], ["-e", "status", "--plan", "0" * 64]):
        done = await run.process("--plaintext", *arguments)
        assert (done.code, "--plan is for -c FILE" in done.err) == (2, True)


async def test_a_plan_is_kept_for_its_user_alone(run: Runs) -> None:
    found = await hash_of(run, f"write {INT} 7\n")
    path = run.folder / "records" / "state" / "plans" / f"{found}.json"
    assert json.loads(path.read_text(encoding="utf-8"))["writes"][0]["value"] == 7
    path.write_text(path.read_text(encoding="utf-8").replace("7", "8"), encoding="utf-8")
    run.file(f"requires write {INT}\nwrite {INT} 8\n", declares=False)
    done = await run.process("--plaintext", "--arm", INT, "-c", "try.mxs", "--plan", found)
    assert (done.code, "what has changed is unknown" in done.err) == (5, True), done


async def test_the_demo_can_be_planned(run: Runs) -> None:
    run.file(f"write {INT} 7\n", declares=False)
    first = await run.process("--demo", "plan", "try.mxs", "--json")
    found = first.objects[-1]["result"]["hash"]
    assert (await run.process("--demo", "-c", "try.mxs", "--plan", found)).code == 0


async def test_that_a_hash_was_used_outlives_its_plan(run: Runs) -> None:
    text = f"requires write {INT}\nwrite {INT} 7\n"
    found = await hash_of(run, text)
    command = ["--plaintext", "--arm", INT, "-c", "try.mxs", "--plan", found]
    assert (await run.process(*command)).code == 0
    path = run.folder / "records" / "state" / "plans" / f"{found}.json"
    os.utime(path, (0, 0))
    await hash_of(run, f"requires write {INT}\nwrite {INT} 8\n")
    assert not path.exists()
    run.file(text, declares=False)
    done = await run.process(*command)
    assert (done.code, run.written) == (5, [7]), done
    assert "its plan was run already" in done.err


async def test_a_gateway_that_fails_before_the_first_line_is_in_the_report_and_leaves_the_hash(run: Runs) -> None:
    found = await hash_of(run, f'requires write {INT}\nstep "one"\nwrite {INT} 7\n')
    # Sessions after that of the plan: the run's, and the one that plans again.
    run.gateway.schedule("at OpenSession 3 refuse UNAVAILABLE")
    command = ["--plaintext", "--arm", INT, "-c", "try.mxs", "--plan", found, "--report-junit", "out.xml"]
    done = await run.process(*command)
    assert (done.code, run.written) == (4, []), done
    cases = {case.get("name"): case for case in ElementTree.parse(run.folder / "out.xml").iter("testcase")}
    assert list(cases) == ["the whole run", "try.mxs:2 one"]
    assert "open_session" in (cases["the whole run"].findtext("error") or "")
    assert "not run: open_session" in (cases["try.mxs:2 one"].findtext("skipped") or "")
    assert (await run.process(*command)).code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no signal reaches another process alone on Windows")
async def test_a_run_that_is_interrupted_while_it_is_planned_again_says_so(run: Runs) -> None:
    found = await hash_of(run, f'requires write {INT}\nstep "one"\nwrite {INT} 7\n')
    run.gateway.schedule("at OpenSession 3 stall")
    command = ["--plaintext", "--arm", INT, "-c", "try.mxs", "--plan", found, "--report-junit", "out.xml"]
    process = await run.process.start(*command)
    await until(lambda: [call.rpc for call in run.gateway.calls].count("OpenSession") == 3)
    process.terminate()
    await until(lambda: process.returncode is not None or run.gateway.faults.release("OpenSession"))
    _, err = await process.communicate()
    assert (process.returncode, run.written) == (130, [])
    assert b"interrupted before the first line: nothing was run" in err
    (error,) = ElementTree.parse(run.folder / "out.xml").iter("error")
    assert error.text == "interrupted"


async def test_an_alarm_that_is_cleared_because_nothing_has_it_cannot_pass(run: Runs) -> None:
    run.file("expect-alarm Plant.NoAlarm.Hi cleared within 1s\n", declares=False)
    done = await run.process("--plaintext", "plan", "try.mxs")
    assert done.code == 2, done
    assert "the galaxy has nothing with an alarm that is called Plant.NoAlarm.Hi" in done.err
    assert "no hash" in done.out
