"""What goes on beside a prompt, a run and Python code: what it fails with is said when it happens."""

import asyncio
from pathlib import Path

import pytest
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway_shell.process.tasks import UnawaitedTasks, in_background


async def fails(after: float = 0.0) -> None:
    await asyncio.sleep(after)
    raise ValueError("not so")


async def test_the_failure_of_a_task_that_is_not_awaited_is_reported_while_it_is_referenced() -> None:
    told: list[str] = []
    with UnawaitedTasks(lambda error: told.append(str(error))):
        held = asyncio.create_task(fails())
        await until(lambda: told == ["not so"])
        assert held.done()
        # It can be asked for all the same.
        with pytest.raises(ValueError, match="not so"):
            await held
    assert asyncio.get_running_loop().get_task_factory() is None


async def test_the_failure_of_an_awaited_task_is_not_reported() -> None:
    told: list[BaseException] = []
    with UnawaitedTasks(told.append) as tasks:
        with pytest.raises(ValueError, match="not so"):
            await asyncio.create_task(fails(0.01))
        await asyncio.gather(asyncio.create_task(fails()), asyncio.create_task(fails()), return_exceptions=True)
        with pytest.raises(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(fails())
        cancelled = asyncio.create_task(asyncio.sleep(60))
        cancelled.cancel()
        await asyncio.wait([cancelled])
        tasks.report_all()
    assert told == []


async def test_each_failure_in_a_group_is_reported_and_the_work_restarts() -> None:
    told: list[BaseException] = []
    begun = 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())

    async with in_background("work", work, told.append):
        await until(lambda: begun >= 2)
    assert {type(error) for error in told} == {ValueError}


async def test_a_prompt_says_at_once_what_fails_beside_it_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*arguments: object) -> None:
        raise KeyError("news")

    monkeypatch.setattr("zb_mom_ww_mxgateway_shell.terminal.prompt.report_news", broken)
    async with shell(tmp_path) as sh:
        await sh.terminal.shows("internal error in the background", "KeyError")
        await sh.terminal.enter("echo still here", "\nstill here")


async def test_the_failure_of_a_connections_task_is_reported_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.shows("type help")
        monkeypatch.setattr(sh.context.connected.history, "catch_up", lambda: 1 / 0)
        await sh.terminal.shows("internal error in the background", "ZeroDivisionError", "history has ended")
        await sh.terminal.enter("echo still here", "\nstill here")
