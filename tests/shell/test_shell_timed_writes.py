"""Timed writes of real processes: killed at any stage, ended, or left behind; and what a run leaves changed."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from shell_process import Done, Runs
from shell_terminal import CTRL_D, ENTER, shell
from shell_waiting import until

from zb_mom_ww_mxgateway.system.state_dir import state_folder
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestDouble"


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Runs]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        yield Runs(tmp_path, gateway)


def files() -> list[Path]:
    return sorted((state_folder() / "reverts").glob("*.json"))


async def lines(run: Runs, *given: str) -> Done:
    return await run.process("--plaintext", "--json", *(word for each in given for word in ("-e", each)))


Stage = Callable[[SimulatedGateway], Awaitable[None]]


async def before_the_gateway_takes_it(gateway: SimulatedGateway) -> None:
    await until(lambda: gateway.mutating_calls and files())


async def before_its_completion(gateway: SimulatedGateway) -> None:
    await until(lambda: gateway.writes)


async def while_it_is_pending(gateway: SimulatedGateway) -> None:
    await until(lambda: gateway.writes and json.loads(files()[0].read_bytes())["stage"] == "pending")


async def while_it_is_put_back(gateway: SimulatedGateway) -> None:
    await until(lambda: gateway.writes)
    gateway.faults.stall("write")
    await until(lambda: gateway.mutating_calls == 2)


@pytest.mark.long
@pytest.mark.parametrize(
    ("stage", "fault", "seconds"),
    [
        (before_the_gateway_takes_it, lambda gateway: gateway.faults.stall("write"), "10m"),
        (before_its_completion, lambda gateway: gateway.faults.hold_write_completes(), "10m"),
        (while_it_is_pending, lambda gateway: None, "10m"),
        (while_it_is_put_back, lambda gateway: None, "3s"),
    ],
)
async def test_a_killed_shell_leaves_a_revert_that_the_next_one_offers(
    run: Runs, stage: Stage, fault: Callable[[SimulatedGateway], object], seconds: str
) -> None:
    gateway = run.gateway
    fault(gateway)
    arguments = ("-e", f"write {INT} 5 --for {seconds}", "-e", "sleep 10m")
    process = await run.process.start("--plaintext", *arguments)
    await stage(gateway)
    assert len(files()) == 1, "it is on disk before the write is sent"
    process.kill()
    await process.communicate()
    gateway.faults.calm()
    gateway.faults.release_write_completes()
    await until(lambda: gateway.writes)
    # Nothing is put back without a person, whatever the time.
    asked = await lines(run, "changes")
    (row,) = asked.objects[0]["result"]
    assert {name: row[name] for name in ("left_behind", "tag", "before", "ours")} == {
        "left_behind": True,
        "tag": INT,
        "before": 0,
        "ours": [5],
    }
    assert f"revert {INT} puts it back, keep {INT} leaves it" in asked.err
    done = await lines(run, f"revert {INT}", f"read {INT}")
    assert gateway.read(INT).value == 0
    assert f"to {INT} by " in done.err
    # The end of the run waits for what may still happen; closing the connection waits no second time.
    assert done.err.count("put back now, before it is closed") == (done.code == ExitCode.UNKNOWN)
    assert done.code in (ExitCode.DONE, ExitCode.UNKNOWN)  # Unknown as long as the first write may still happen.
    if done.code == ExitCode.DONE:
        assert files() == []


async def test_a_run_puts_back_at_its_end_and_says_so(run: Runs) -> None:
    done = await lines(run, f"write {INT} 5 --for 10m", f"write {DOUBLE} 1.5 --for 5m")
    assert done.code == ExitCode.DONE
    assert (run.gateway.read(INT).value, run.gateway.read(DOUBLE).value) == (0, 0.0)
    assert "2 timed writes of " in done.err
    assert f"{INT} is put back to 0" in done.err
    assert files() == []


async def test_a_run_that_cannot_put_back_is_loud_and_exits_with_6(run: Runs) -> None:
    process = await run.process.start(
        "--plaintext", "-e", f"write {INT} 5 --for 10m", "-e", f"wait {INT} = 9 timeout 1m"
    )
    await until(lambda: run.gateway.writes)
    run.gateway.set(INT, 9)
    async with asyncio.timeout(40):
        _, err = await process.communicate()
    assert process.returncode == ExitCode.UNKNOWN
    assert f"{INT} is NOT put back to 0: its value is not ours (5)" in err.decode()
    assert run.gateway.read(INT).value == 9
    assert len(files()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals on Windows")
async def test_a_run_that_is_ended_puts_back_first(run: Runs) -> None:
    process = await run.process.start("--plaintext", "-e", f"write {INT} 5 --for 10m", "-e", "sleep 10m")
    await until(lambda: run.gateway.writes and run.gateway.read(INT).value == 5)
    process.terminate()
    async with asyncio.timeout(40):
        await process.communicate()
    assert run.gateway.read(INT).value == 0
    assert files() == []


async def test_leave_clean_exits_with_7_and_names_what_is_left(run: Runs) -> None:
    text = f"write {INT} 5\nwrite {DOUBLE} 1.5\nwrite {DOUBLE} 0\n"
    done = await run(text, "--leave-clean", "--report-junit", "out.xml")
    assert done.code == ExitCode.LEFT_CHANGED
    assert done.err.count("left changed: ") == 1
    assert f"left changed: {INT} is changed: it was 0, ours is 5, and it is 5 now" in done.err
    suite = ElementTree.parse(run.folder / "out.xml").getroot()[0]
    assert suite.get("errors") == "1"
    assert (await run(text)).code == ExitCode.DONE


@pytest.mark.parametrize(
    "text",
    [
        f"write {INT} 5\nfinally\nwrite {INT} 0\n",
        f"write {INT} 5\nfinally\nundo\n",
        f"write {INT} 5 --for 10m   # meant\n",
        f"read {INT}\n",
    ],
)
async def test_leave_clean_is_content_with_what_was_put_back(run: Runs, text: str) -> None:
    done = await run(text, "--leave-clean")
    assert (done.code, run.gateway.read(INT).value) == (ExitCode.DONE, 0)


async def test_leave_clean_counts_what_a_closed_connection_left(run: Runs) -> None:
    done = await run(f"write {INT} 5\ndisconnect\n", "--leave-clean")
    assert done.code == ExitCode.LEFT_CHANGED


async def test_leave_clean_counts_in_python_too(run: Runs) -> None:
    run.file(f'await mx("write {INT} 5")\n', "try.py")
    done = await run.process("--plaintext", "--python", "try.py", "--leave-clean")
    assert done.code == ExitCode.LEFT_CHANGED
    assert f"left changed: {INT} is changed" in done.err


async def test_leaving_the_prompt_with_a_change_asks(tmp_path: Path) -> None:
    async with shell(tmp_path, write_complete_delay=0) as sh:
        screen = sh.terminal
        await screen.enter(f"write {INT} 5", "completed")
        await screen.enter(
            "exit", f"{INT} is changed: it was 0, ours is 5, and it is 5 now", "Leave all the same? [y/N]"
        )
        screen.type("n" + ENTER)
        await screen.prompted()
        await screen.enter("status", "gateway  ")
        await screen.prompted()
        screen.type(CTRL_D)
        await until(lambda: screen.text.count("Leave all the same?") == 2)
        screen.type("y" + ENTER)
        await until(lambda: sh.exit_code is not None or "closing demo" in screen.text)


async def test_leaving_the_prompt_without_a_change_does_not_ask(tmp_path: Path) -> None:
    async with shell(tmp_path, write_complete_delay=0) as sh:
        screen = sh.terminal
        await screen.enter(f"write {INT} 5", "completed")
        await screen.enter("undo", "5 → 0")
        await screen.enter("exit", "closing demo")
        assert "Leave" not in screen.text


async def test_a_timed_write_alone_does_not_keep_a_person_and_is_put_back(tmp_path: Path) -> None:
    async with shell(tmp_path, cursor_reports=True, write_complete_delay=0) as sh:
        screen = sh.terminal
        await screen.enter(f"write {INT} 5 --for 10m", "put back at")
        await screen.shows(f"reverts {INT} in 9:5")
        await screen.enter("exit", "closing demo")
        assert "Leave" not in screen.text
    assert sh.gateway.writes[-1].value == 0
    assert files() == []


async def test_lint_warns_of_the_meaning_that_for_has_now(run: Runs) -> None:
    lines = (f"write {INT} 5 --for 5s", f"write {INT} 5 --for 5s   # meant", f"watch {INT} --for 5s", f"write {INT} 6")
    path = run.file("\n".join(lines) + "\n")
    done = await run.process("lint", path.name)
    assert done.code == ExitCode.DONE
    assert done.out.count("(warning)") == 1
    text = " ".join(done.out.split())
    assert (
        "--for puts the value from before back after that time; the time to wait for the outcome is --timeout" in text
    )
    assert "nothing wrong, 1 warning" in done.out
