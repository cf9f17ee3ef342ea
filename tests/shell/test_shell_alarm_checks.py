"""expect-alarm, expect-no-alarm and no-new-alarms in files: each by process, against alarms that the plant has."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from shell_process import Done, Runs, ShellProcess
from shell_waiting import until

from zb_mom_ww_mxgateway_sim import GatewayKey, SimulatedGateway

HI = "ZB!Plant.Tank1.Level.Hi"
TAG = "Plant.Tank1.Level.Hi"
INT = "TestChildObject.TestInt"
IN_ALARM = f"{TAG}.InAlarm"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


async def ran_while(run: Runs, text: str, *arguments: str) -> "asyncio.Task[Done]":
    return asyncio.create_task(run(text, *arguments))


def has_written(run: Runs, value: object) -> bool:
    return value in run.written


async def test_an_alarm_is_named_by_its_reference_its_tag_or_its_object(run: Runs) -> None:
    run.gateway.raise_alarm(HI, severity=300)
    names = (HI, HI.casefold(), TAG, "Plant.Tank1.Level", "Plant.Tank1")
    done = await run(
        "".join(f"expect-alarm {name} active\nexpect-alarm {name} active unacked\n" for name in names), "--json"
    )
    assert (done.code, len(done.objects)) == (0, 2 * len(names)), done.err
    for each in done.objects:
        actual = each["result"]["actual"]
        assert [(alarm["reference"], alarm["state"]) for alarm in actual] == [(HI, "ACTIVE")], each


async def test_what_is_otherwise_fails_and_names_the_alarm_as_it_is(run: Runs) -> None:
    run.gateway.raise_alarm("ZB!Plant.Tank1.Level.Hi", severity=301)
    run.gateway.raise_alarm("ZB!North.A.Hi", severity=301)
    wrong = {
        f"expect-alarm {TAG} active acked": "active, unacked",
        "expect-alarm North.A.Hi active severity 400": "severity 301",
        f"expect-alarm {TAG} cleared": "active, unacked",
        "expect-alarm Plant.Tank2.Level.Hi active": "none of its alarms is active",
        f"expect-alarm {TAG} active within 100ms": "it has been so since before; 'now' lets it count",
    }
    done = await run("\n".join(("on-error continue", *wrong)))
    assert done.code == 1
    _, *told = re.split(r"^try\.mxs:", done.err, flags=re.MULTILINE)
    for each, (line, what) in zip(told, wrong.items(), strict=True):
        assert what in each, (line, each)


async def test_now_lets_a_state_from_before_count(run: Runs) -> None:
    run.gateway.raise_alarm(HI)
    done = await run(f"expect-alarm {TAG} active now within 5s\nexpect-alarm {TAG} active\n")
    assert done.code == 0, done.err


async def test_what_came_since_the_first_write_counts_also_behind_a_wait(run: Runs) -> None:
    running = await ran_while(
        run,
        f"write {INT} 1\nwait {IN_ALARM} = true timeout 20s\nexpect-alarm {TAG} active within 20s\n"
        f"ack {HI} --operator jane\nexpect-alarm {TAG} active acked within 20s\n"
        f"write {INT} 2\nexpect-alarm {TAG} cleared within 20s\n",
    )
    await until(lambda: has_written(run, 1))
    run.gateway.raise_alarm(HI)
    await until(lambda: has_written(run, 2))
    run.gateway.clear_alarm(HI)
    done = await running
    assert done.code == 0, done.out + done.err
    assert "by jane" in done.out


async def test_an_area_that_the_galaxy_does_not_have_is_a_mistake(run: Runs) -> None:
    for area, line in (("Plnt", "expect-no-alarm --area Plnt"), ("Plant.Tank9", "no-new-alarms --area Plant.Tank9")):
        done = await run(f"{line}\n")
        assert (done.code, f"the galaxy has no area {area}" in done.err) == (2, True), done.err
    assert (await run.process("plan", "try.mxs", "--plaintext")).code == 2
    assert (await run("expect-no-alarm --area plant\nno-new-alarms --area Plant.Tank2\n")).code == 0


async def test_a_glob_of_areas_would_prove_nothing(run: Runs) -> None:
    for command in ("expect-no-alarm", "no-new-alarms"):
        done = await run(f'{command} --area "Pl*"\n')
        assert (done.code, "Pl* may match no area" in done.err) == (2, True), done.err


async def test_another_alarm_of_the_same_object_does_not_make_an_old_one_new(run: Runs) -> None:
    run.gateway.raise_alarm(HI, severity=300)
    running = await ran_while(run, f"write {INT} 1\nexpect-alarm Plant.Tank1 active severity 300 within 5s\n")
    await until(lambda: has_written(run, 1))
    run.gateway.raise_alarm("ZB!Plant.Tank1.Level.HiHi", severity=100)
    done = await running
    assert (done.code, "'now' lets it count" in done.err) == (1, True), done.err
    assert "came: ZB!Plant.Tank1.Level.HiHi" in done.err


async def test_a_wait_that_is_not_met_tells_the_transitions_that_came(run: Runs) -> None:
    running = await ran_while(run, f"write {INT} 1\nexpect-alarm {TAG} active acked within 5s\n", "--json")
    await until(lambda: has_written(run, 1))
    run.gateway.raise_alarm(HI)
    done = await running
    assert done.code == 1
    error = done.objects[1]["error"]
    assert [each["kind"] for each in error["transitions"]] == ["RAISE"]
    assert error["expected"] == f"{TAG} active acked within 5 s"


async def test_an_acknowledgement_that_is_taken_back_is_seen_although_no_transition_tells_it(run: Runs) -> None:
    run.gateway.faults.fail_alarm_provider("no manager")
    run.gateway.raise_alarm(HI)
    run.gateway.set(f"{TAG}.Acked", True)
    running = await ran_while(
        run, f"expect-alarm {TAG} active acked\nwrite {INT} 1\nexpect-alarm {TAG} active unacked now within 20s\n"
    )
    await until(lambda: has_written(run, 1))
    run.gateway.set(f"{TAG}.Acked", False)
    done = await running
    assert done.code == 0, done.out + done.err


async def test_a_cleared_alarm_may_wait_for_its_acknowledgement(run: Runs) -> None:
    running = await ran_while(
        run,
        f"write {INT} 1\nexpect-alarm {TAG} active within 20s\nwrite {INT} 2\n"
        f"expect-alarm {TAG} cleared unacked within 20s\nack {HI}\nexpect-alarm {TAG} cleared acked within 20s\n",
    )
    await until(lambda: has_written(run, 1))
    run.gateway.raise_alarm(HI)
    await until(lambda: has_written(run, 2))
    run.gateway.clear_alarm(HI)
    done = await running
    assert done.code == 0, done.out + done.err


async def test_a_name_that_the_galaxy_does_not_have_is_not_taken_for_cleared(run: Runs) -> None:
    done = await run(f"expect-alarm {TAG} cleared\nexpect-alarm {HI} cleared\nexpect-alarm Plant.Tank1 cleared\n")
    assert done.code == 0, done.err
    done = await run("expect-alarm Plant.Tnak1.Level.Hi cleared\n")
    assert (done.code, "called Plant.Tnak1.Level.Hi" in done.err) == (2, True)


async def test_no_alarm_is_active_or_it_is_named(run: Runs) -> None:
    assert (await run("expect-no-alarm\nexpect-no-alarm --area Plant\n")).code == 0
    run.gateway.raise_alarm("ZB!North.A.Hi", severity=120, description="too full")
    done = await run(
        "on-error continue\nexpect-no-alarm --area Plant\nexpect-no-alarm\nexpect-no-alarm --area North.A\n"
    )
    assert done.code == 1
    assert done.err.count("1 alarm: ZB!North.A.Hi: active, unacked, severity 120, at ") == 2
    assert "too full" in done.err


async def test_what_is_unknown_is_not_taken_for_no_alarm(run: Runs) -> None:
    run.gateway.faults.fail_next("QueryActiveAlarms", code=grpc.StatusCode.UNAVAILABLE)
    done = await run("expect-no-alarm\n")
    assert (done.code, "it is unknown: " in done.err) == (1, True), done.err


async def test_a_gateway_without_alarms_passes_none_of_them(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, alarms=False) as gateway:
        done = await Runs(tmp_path, gateway)(
            f"on-error continue\nexpect-no-alarm\nno-new-alarms\nexpect-alarm {TAG} cleared\n"
        )
        assert (done.code, done.err.count("no alarms: ")) == (3, 3), done.err


async def test_a_key_without_the_scope_passes_none_either(tmp_path: Path) -> None:
    scopes = frozenset({"session:open", "session:close", "invoke:read", "metadata:read"})
    async with SimulatedGateway(plaintext=True, api_keys=[GatewayKey("k", "s3cret", scopes=scopes)]) as gateway:
        done = await Runs(tmp_path, gateway)("expect-no-alarm\n")
        assert done.code != 0


async def test_an_alarm_that_is_raised_in_the_step_breaks_it_and_is_named(run: Runs) -> None:
    run.gateway.raise_alarm("ZB!North.B.Hi")
    running = await ran_while(
        run,
        f"step one\nno-new-alarms\nwrite {INT} 1\nwait {IN_ALARM} = true timeout 20s\nstep two\nno-new-alarms\n"
        f"write {INT} 2\n",
        "--json",
        "--report-junit",
        "out.xml",
    )
    await until(lambda: has_written(run, 1))
    run.gateway.raise_alarm(HI)
    done = await running
    assert (done.code, run.written) == (1, [1])
    (broken,) = [each for each in done.objects if each["command"] == "no-new-alarms" and not each["ok"]]
    assert (broken["line"], broken["step"]) == (3, "one")
    assert broken["error"]["message"].startswith(f"expected no new alarm: 1 alarm came: {HI}: raise, severity 300, at ")
    assert [each["reference"] for each in broken["error"]["actual"]] == [HI]


async def test_a_step_without_a_new_alarm_passes_and_tells_what_was_active(run: Runs) -> None:
    run.gateway.raise_alarm("ZB!North.B.Hi", severity=900)
    done = await run("step one\nno-new-alarms\nnote here\nstep two\nnote there\n")
    assert done.code == 0, done.err
    assert "no new alarm in " in done.out
    assert "; 1 alarm active since before" in done.out


@pytest.mark.parametrize(
    ("options", "code"), [("--area Plant", 0), ("--above 400", 0), ("--area Utilities", 1), ("", 1)]
)
async def test_an_area_and_a_severity_choose_what_counts(run: Runs, options: str, code: int) -> None:
    running = await ran_while(run, f"no-new-alarms {options}\nwrite {INT} 1\nwait {INT} = 2 now timeout 20s\n")
    await until(lambda: has_written(run, 1))
    run.gateway.raise_alarm("ZB!Utilities.A.Hi", severity=500)
    run.gateway.set(INT, 2)
    assert (await running).code == code


async def test_an_alarm_stream_that_was_lost_meanwhile_is_no_proof(run: Runs) -> None:
    running = await ran_while(run, f"no-new-alarms\nwrite {INT} 1\nwait {INT} = 2 now timeout 20s\n")
    await until(lambda: has_written(run, 1))
    run.gateway.faults.drop_alarm_streams()
    # It is back, or the run is over before it is: unknown either way.
    await until(lambda: sum(call.rpc == "StreamAlarms" for call in run.gateway.calls) >= 2 or running.done())
    run.gateway.set(INT, 2)
    done = await running
    assert (done.code, "it is unknown: the alarm stream was lost meanwhile" in done.err) == (1, True), done.err


async def test_a_plan_looks_and_fails_for_no_state(run: Runs) -> None:
    run.gateway.raise_alarm(HI)
    run.file(f"expect-alarm {TAG} cleared\nexpect-alarm {TAG} active within 1h\nexpect-no-alarm\nno-new-alarms\n")
    done = await run.process("plan", "try.mxs", "--plaintext")
    assert done.code == 0, done.err
    assert "does not hold now" in done.out
    assert "1 alarm active now" in done.out


async def test_mistakes_are_found_without_a_gateway(tmp_path: Path) -> None:
    wrong = {
        f"expect-alarm {TAG} on": "one of active, cleared is expected",
        f"expect-alarm {TAG} active acked unacked": "exclude each other",
        f"expect-alarm {TAG} cleared severity 5": "has no severity",
        f"expect-alarm {TAG} active now": "leave out now",
        "expect-alarm ZB!nonsense active": "no alarm's reference",
    }
    (tmp_path / "try.mxs").write_text("\n".join(wrong), encoding="utf-8")
    done = await ShellProcess(tmp_path)("lint", "try.mxs")
    assert done.code == 2
    _, *told = re.split(r"^try\.mxs:\d", done.out, flags=re.MULTILINE)
    for each, (line, why) in zip(told, wrong.items(), strict=True):
        assert why in each, (line, each)


async def test_lines_of_no_file_follow_the_alarms_before_they_write(run: Runs) -> None:
    running = asyncio.create_task(
        run.process("--plaintext", "--json", "-e", f"write {INT} 1", "-e", f"expect-alarm {TAG} active within 20s")
    )
    await until(lambda: has_written(run, 1))
    run.gateway.raise_alarm(HI)
    done = await running
    assert done.code == 0, done.err
    assert json.loads(done.out.splitlines()[1])["ok"]
