"""trace write: the time line of one write."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from shell_lines import connected, follow
from shell_process import Runs
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.feeds.write_trace import WriteTrace
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
DOUBLE = "TestChildObject.TestDouble"
LEVEL = "Plant.Tank1.Level"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True) as gateway:
        yield Runs(tmp_path, gateway)


async def traced(run: Runs, line: str, *options: str) -> dict[str, Any]:
    """The result of a line, as JSON."""
    done = await run.process("--plaintext", "--json", *options, "-e", line)
    (statement,) = [each for each in done.objects if each.get("command") == "trace"]
    found = statement["result"]
    assert isinstance(found, dict)
    return found


async def test_the_time_line_is_that_of_the_write_and_of_what_changed_after_it(run: Runs) -> None:
    result = await traced(run, f"trace write {INT} 7 --with {LEVEL} {DOUBLE} --for 500ms")
    assert (result["outcome"], run.written) == ("completed", [7])
    trace = result["trace"]
    moments = {(each["what"], each["name"]): each for each in trace["moments"]}
    assert moments["sent", None]["ms"] == 0
    assert 0 <= moments["accepted", None]["ms"] <= moments["completed", None]["ms"]
    assert moments["changed", INT]["value"] == 7
    assert ("changed", LEVEL) in moments
    assert trace["unchanged"] == [DOUBLE]
    assert trace["moments"] == sorted(trace["moments"], key=lambda each: each["ms"])
    assert (trace["events_lost"], trace["alarms_unknown"], trace["window_seconds"]) == (False, None, 0.5)
    assert "monotonic clock of this machine" in trace["clock"]


async def test_a_value_that_comes_again_is_no_change(run: Runs) -> None:
    tracing = asyncio.create_task(traced(run, f"trace write {INT} 7 --with {DOUBLE} --for 3s"))
    await until(lambda: run.written == [7])
    run.gateway.set(DOUBLE, 0.0, quality=193)
    trace = (await tracing)["trace"]
    assert trace["unchanged"] == [DOUBLE]
    assert ("changed", INT) in {(each["what"], each["name"]) for each in trace["moments"]}


async def test_nothing_is_written_where_a_tag_to_look_at_is_none(run: Runs) -> None:
    line = f"trace write {INT} 7 --with {DOUBLE} No.Such --for 300ms"
    done = await run(f"requires write {INT}\n{line}\n")
    assert (done.code, run.written, "no tag No.Such" in done.err) == (2, [], True), done


async def test_an_alarm_that_is_raised_is_part_of_it(run: Runs) -> None:
    tracing = asyncio.create_task(traced(run, f"trace write {INT} 7 --for 3s"))
    await until(lambda: run.written == [7])
    run.gateway.raise_alarm("Galaxy!Area.Object.Alarm", severity=300)
    result = await tracing
    (alarm,) = [each for each in result["trace"]["moments"] if each["what"] == "alarm"]
    assert (alarm["name"], alarm["severity"], alarm["ms"] > 0) == ("Galaxy!Area.Object.Alarm", 300, True)


async def test_an_unknown_outcome_stays_unknown(run: Runs) -> None:
    run.gateway.faults.lose_next_reply("write")
    done = await run.process("--plaintext", "-e", f"trace write {INT} 6 --for 100ms")
    assert done.code == 6
    assert "outcome UNKNOWN" in done.out
    assert " accepted" not in done.out.split("UNKNOWN")[1]
    assert "0.0 ms  *" in done.out


@pytest.mark.parametrize(
    ("tag", "kind", "told"), [(LEVEL, Interrupted, "REFUSED"), (INT, InterruptedInDoubt, "UNKNOWN")]
)
async def test_only_a_write_with_an_open_outcome_is_in_doubt_where_the_look_at_it_is_interrupted(
    tag: str, kind: type[Interrupted], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(tracing: WriteTrace, seconds: float) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(WriteTrace, "watch", interrupted)
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway, connected(gateway) as context:
        if told == "UNKNOWN":
            gateway.faults.lose_next_reply("write")
        error = (await LineRun(context, f"trace write {tag} 5").run(follow)).error
        assert type(error) is kind
        assert told in str(error)


async def test_it_is_guarded_declared_planned_and_checked_like_a_write(run: Runs) -> None:
    line = f"trace write {INT} 7 --with {LEVEL} Plant.Nothing --for 100ms"
    done = await run.process("--plaintext", "--read-only", "-e", f"trace write {INT} 7")
    assert (done.code, run.written) == (5, [])
    run.file(f"{line}\n", declares=False)
    done = await run.process("lint", "try.mxs")
    assert f"{INT} is not declared" in done.out
    done = await run.process("--plaintext", "plan", "try.mxs")
    assert (done.code, "no tag Plant.Nothing" in done.err) == (2, True), done
    run.file(f"{line.replace(' Plant.Nothing', '')}\n", declares=False)
    done = await run.process("--plaintext", "plan", "try.mxs")
    assert (done.code, run.written) == (0, []), done
    assert f"{INT}  int32  0    7      line 1" in done.out


async def test_what_is_wrong_with_its_words_is_told(run: Runs) -> None:
    for line, said in (
        (f"trace read {INT} 7", "one of write is expected"),
        (f"trace write {INT}", "value is missing"),
        (f"trace write {INT} 7 --with", "--with needs a value"),
        (f"trace write {INT} 7 8", "one word too many"),
        (f"trace write {INT} maybe", "Integer expected"),
    ):
        done = await run.process("--plaintext", "-e", line)
        assert (done.code, run.written) == (2, []), line
        assert said in done.err, done


async def test_completion_knows_its_tags(tmp_path: Path) -> None:
    async with shell(tmp_path) as made:
        assert await made.context.catalogue.loaded(30)
        made.terminal.type(f"trace write {INT} 7 --with {LEVEL} plant.tank1.vol\t")
        await made.terminal.shows("Plant.Tank1.Volume")
