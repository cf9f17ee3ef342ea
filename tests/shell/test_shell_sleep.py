"""A machine that slept, and a process that was stopped: nothing from before is judged or recorded as now."""

import asyncio
import csv
import os
import signal
import sys
from pathlib import Path

import pytest
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway import GatewayClient, LiveSession, LiveState
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_shell.samples.interval_series import IntervalSeries
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"


async def test_a_sleep_is_a_row_of_recordings_and_history_and_no_value_is_younger_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    machine = clock.SimulatedSleep()
    with clock.replaced(machine):
        async with shell(tmp_path) as sh:
            await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
            await sh.terminal.enter(f"record sleep.csv {INT}", "recording 1 tag to sleep.csv")
            live = sh.context.live_session
            sh.gateway.faults.stall("ping")
            machine.sleep(3600)
            await until(lambda: live.state is LiveState.STALE)
            await sh.terminal.shows("slept for 3600 s", timeout=15)
            sh.gateway.faults.release("ping")
            await until(lambda: live.state is LiveState.LIVE and live[INT].stale_since is None, timeout=15)
            await sh.terminal.enter(f"expect {INT} = 0 age < 60s", "old")
            history, key = sh.context.connected.history, next(iter(live.session.handles.items))
            seen = history.of(key)
            asleep = [mark for mark in seen.marks if "slept" in mark.text]
            assert [mark.kind for mark in asleep] == ["stale"]
            intervals = IntervalSeries(history, key).since(0.0, clock.monotonic())
            assert any(each.mood == "stale" and each.end - each.start >= 3600 for each in intervals)
            await sh.terminal.enter("record stop", "closed")
            with (tmp_path / "sleep.csv").open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            assert any(row["kind"] == "stale" and "slept for 3600 s" in row["note"] for row in rows)
            assert any(row["kind"] == "live" for row in rows)


async def test_a_wait_at_the_prompt_is_over_when_the_machine_slept_through_it(tmp_path: Path) -> None:
    machine = clock.SimulatedSleep()
    with clock.replaced(machine):
        async with shell(tmp_path) as sh:
            await sh.terminal.enter(f"watch {INT} --count 1", "1 sample")
            await sh.terminal.enter(f"wait {INT} = 77 timeout 3000s", "left")
            machine.sleep(3600)
            await sh.terminal.shows("not within 3000 s")


async def test_a_run_that_was_stopped_expects_of_what_came_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SimulatedGateway(plaintext=True) as gateway:
        environment = os.environ | {"MXGATEWAY_API_KEY": str(gateway.api_key)}
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "zb_mom_ww_mxgateway_shell",
            "--endpoint",
            gateway.endpoint,
            "--plaintext",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
        assert program.stdin
        assert program.stdout
        try:
            async with asyncio.timeout(60):
                program.stdin.write(f"watch {INT} --count 1\n".encode())
                while b"1 sample" not in (line := await program.stdout.readline()):
                    assert line, "the shell ended"

                client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
                async with client, await LiveSession.open(client) as observer:
                    await observer.subscribe_tags([INT])
                    os.kill(program.pid, signal.SIGSTOP)
                    gateway.set(INT, 42)
                    await observer.wait_for(INT, lambda value: value == 42, timeout=30)
                    program.stdin.write(f"expect {INT} = 42\n".encode())
                    os.kill(program.pid, signal.SIGCONT)
                    program.stdin.close()
                    said = (await program.stdout.read()).decode()
                assert await program.wait() == 0, said
        finally:
            if program.returncode is None:
                program.kill()
