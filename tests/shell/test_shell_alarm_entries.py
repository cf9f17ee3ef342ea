"""The alarms of a run are entries of their steps, in its record and in its JUnit report, asked for or not."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from shell_process import Runs
from shell_waiting import until

from zb_mom_ww_mxgateway_sim import GatewayKey, SimulatedGateway

HI = "ZB!Plant.Tank1.Level.Hi"
INT, IN_ALARM = "TestChildObject.TestInt", "Plant.Tank1.Level.Hi.InAlarm"
FILE = (
    f"step one\nwrite {INT} 1\nwait {IN_ALARM} = true timeout 20s\nexpect-alarm {HI} active within 20s\n"
    f"ack {HI} --operator jane --comment seen\nexpect-alarm {HI} active acked within 20s\nstep two\nwrite {INT} 2\n"
    f"wait {INT} = 3 now timeout 20s\n"
)


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


def entries(run: Runs, *commands: str) -> list[dict[str, Any]]:
    lines = (run.folder / "run.jsonl").read_text(encoding="utf-8").splitlines()
    return [entry for line in lines if "statement" not in (entry := json.loads(line)) and entry["command"] in commands]


async def test_each_transition_is_an_entry_of_the_step_in_which_it_came(run: Runs) -> None:
    running = asyncio.create_task(run(FILE, "--record", "run.jsonl", "--report-junit", "out.xml"))
    await until(lambda: 1 in run.written)
    run.gateway.raise_alarm(HI)
    await until(lambda: 2 in run.written)
    run.gateway.clear_alarm(HI)
    run.gateway.set(INT, 3)
    done = await running
    assert done.code == 0, done.out + done.err
    alarms = entries(run, "alarm")
    assert [(each["kind"], each["step"]) for each in alarms] == [
        ("raise", "one"),
        ("acknowledge", "one"),
        ("clear", "two"),
    ]
    raised, acknowledged, _ = alarms
    assert (raised["reference"], raised["severity"], raised["user"]) == (HI, 300, None)
    assert raised["original_at"] == raised["transition_at"]
    assert raised["id"].endswith("try.mxs:2 one")
    assert (acknowledged["user"], acknowledged["comment"]) == ("jane", "seen")
    report = (run.folder / "out.xml").read_text(encoding="utf-8")
    assert report.count(f"  alarm  {HI}: raise, severity 300, at ") == 1
    assert report.count(f"  alarm  {HI}: acknowledge, severity 300, at ") == 1


async def test_a_lost_alarm_stream_is_an_entry_and_so_is_its_return(run: Runs) -> None:
    running = asyncio.create_task(run(f"write {INT} 1\nwait {INT} = 2 now timeout 20s\n", "--record", "run.jsonl"))
    await until(lambda: 1 in run.written)
    run.gateway.faults.drop_alarm_streams()
    await until(lambda: any(entries(run, "alarms-back")))
    run.gateway.set(INT, 2)
    assert (await running).code == 0
    assert [each["command"] for each in entries(run, "alarms-lost", "alarms-back")] == ["alarms-lost", "alarms-back"]


async def test_a_gateway_that_gives_no_alarms_is_told_once(tmp_path: Path) -> None:
    async with SimulatedGateway(plaintext=True, alarms=False) as gateway:
        run = Runs(tmp_path, gateway)
        run.file("note here\n", "a.mxs")
        done = await run("note there\n", "-c", "a.mxs", "--record", "run.jsonl", "--report-junit", "out.xml")
        assert done.code == 0
        assert done.err.count("alarms are not recorded: ") == 1
        (entry,) = entries(run, "alarms-lost")
        assert entry["text"].startswith("alarms are not recorded: ")


async def test_without_a_record_or_a_report_no_alarms_are_read(run: Runs) -> None:
    assert (await run(f"expect {INT} = 0\n")).code == 0
    assert not any(call.rpc == "StreamAlarms" for call in run.gateway.calls)


async def test_the_first_contact_is_an_entry_before_the_first_statement(tmp_path: Path) -> None:
    key = GatewayKey("plant", "s3cret", subtrees=frozenset({"TestChildObject"}))
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        run = Runs(tmp_path, gateway)
        done = await run(f"expect {INT} = 0\nexpect Plant.Tank1.Level > 0\n", "--record", "run.jsonl")
        assert done.code == 3
        (entry,) = entries(run, "first-contact")
        assert entry["tags"] == 2
        assert [each["tag"] for each in entry["missing"]] == ["Plant.Tank1.Level"]
        assert entry["missing"][0]["reason"]
        lines = [json.loads(each) for each in (run.folder / "run.jsonl").read_text(encoding="utf-8").splitlines()]
        names = [each["command"] for each in lines]
        assert names.index("first-contact") < names.index("expect")


async def test_the_alarms_of_a_suite_and_of_a_python_file_are_kept_too(run: Runs) -> None:
    run.file(f"step one\nwrite {INT} 1\nwait {INT} = 2 now timeout 20s\n")
    running = asyncio.create_task(
        run.process("--plaintext", "test", "try.mxs", "--records", "records", "--report-junit", "out.xml")
    )
    await until(lambda: 1 in run.written)
    run.gateway.raise_alarm(HI)
    await until(lambda: "raise" in (run.folder / "records" / "try.jsonl").read_text(encoding="utf-8"))
    run.gateway.set(INT, 2)
    done = await running
    assert done.code == 0, done.out + done.err
    assert f"  alarm  {HI}: raise, severity 300, at " in (run.folder / "out.xml").read_text(encoding="utf-8")
    (run.folder / "try.py").write_text(
        f"await mx('step \"one\"')\nawait mx('write {INT} 3')\nawait mx('wait {INT} = 4 now timeout 20s')\n",
        encoding="utf-8",
    )
    running = asyncio.create_task(run.process("--plaintext", "--record", "run.jsonl", "--python", "try.py"))
    await until(lambda: 3 in run.written)
    run.gateway.clear_alarm(HI)
    await until(lambda: any(entries(run, "alarm")))
    run.gateway.set(INT, 4)
    done = await running
    assert done.code == 0, done.out + done.err
    assert [(each["kind"], each["step"]) for each in entries(run, "alarm")] == [("clear", "one")]
