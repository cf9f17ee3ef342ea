"""A write whose outcome is unknown may still happen for 75 s: it is never called not done, and what is seen is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_lines import connected, follow, run, text_of
from shell_process import ShellProcess
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.output.doubt_text import doubt_text
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.faults.call_faults import kind_of

INT = "TestChildObject.TestInt"


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as made:
        yield made


@pytest.fixture
async def context(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    async with connected(gateway) as made:
        yield made


async def given_up(
    context: Context, gateway: SimulatedGateway, line: str = f"write {INT} 7 --timeout 300ms", *, first: bool = True
) -> Result:
    """A write whose caller gives up while it still runs in the worker; `first` the tag gets the value 3."""
    if first:
        await run(context, f"read {INT}", follow)
        await run(context, f"write {INT} 3", follow)
    gateway.faults.stall("write")
    result = await run(context, line, follow)
    assert result is not None
    return result


async def test_a_write_that_is_given_up_may_still_happen_and_is_seen_when_it_does(
    context: Context, gateway: SimulatedGateway
) -> None:
    result = await given_up(context, gateway)
    assert result.exit_code is ExitCode.UNKNOWN
    shown = "\n".join(result.lines())
    assert "outcome UNKNOWN" in shown
    assert "It was not sent again, and may still happen for up to 75 s" in shown
    assert "REFUSED" not in shown
    assert "not seen yet, it may still happen for" in await text_of(context, "status")
    assert "not seen yet, it may still happen for" in await text_of(context, f"why {INT}")
    assert "may still happen for up to 75 s" in await text_of(context, "last-error")
    gateway.faults.release()
    await until(lambda: [write.seen_at for write in context.connected.doubtful.all()] != [None])
    assert [write.value for write in gateway.writes] == [3, 7]
    for line in ("status", f"why {INT}"):
        assert "the write of 7, whose outcome is unknown: the tag had that value" in await text_of(context, line)
    assert [write.name for write in context.connected.doubtful.news()] == [INT]
    assert not context.connected.doubtful.news()


async def test_a_value_that_came_before_the_write_was_given_up_is_seen_too(
    context: Context, gateway: SimulatedGateway
) -> None:
    await run(context, f"write {INT} 3", follow)
    gateway.faults.stall("write")
    writing = asyncio.create_task(given_up(context, gateway, f"write {INT} 7 --timeout 2s", first=False))
    await until(lambda: sum(kind_of(call.request) == "write" for call in gateway.calls) == 2)
    gateway.set(INT, 7)
    assert (await writing).exit_code is ExitCode.UNKNOWN
    (write,) = context.connected.doubtful.all()
    assert write.seen_at is not None
    assert "the tag had that value" in doubt_text(write)
    gateway.faults.release()


async def test_what_is_not_seen_in_time_is_not_called_undone(
    context: Context, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_up(context, gateway)
    monkeypatch.setattr(clock, "monotonic", lambda now=clock.monotonic: now() + 80)
    (write,) = context.connected.doubtful.all()
    assert "it may just have happened" in doubt_text(write)
    monkeypatch.setattr(clock, "monotonic", lambda now=clock.monotonic: now() + 20)
    (write,) = context.connected.doubtful.all()
    assert doubt_text(write).endswith("that value was not seen within 90 s after it was sent")
    monkeypatch.undo()
    gateway.faults.release()


async def test_neither_a_later_write_nor_a_removed_item_ends_the_doubt(
    context: Context, gateway: SimulatedGateway
) -> None:
    await run(context, f"write {INT} 3", follow)
    gateway.faults.fail_next("write", protocol_status=7)
    assert "outcome UNKNOWN" in await text_of(context, f"write {INT} 7")
    await run(context, f"write {INT} 8", follow)
    assert "the write of 7, whose outcome is unknown: not seen yet" in await text_of(context, "status")
    await run(context, f"remove-item {INT}", follow)
    assert "its item was removed, so it is not watched" in await text_of(context, "status")


async def test_a_write_of_the_value_that_is_there_has_nothing_to_show(
    context: Context, gateway: SimulatedGateway
) -> None:
    await given_up(context, gateway, f"write {INT} 3 --timeout 300ms")
    assert not context.connected.doubtful.all()
    gateway.faults.release()


async def test_the_prompt_says_by_itself_what_was_seen(tmp_path: Path) -> None:
    async with shell(tmp_path) as made:
        await made.terminal.enter(f"write {INT} 3", "completed")
        made.gateway.faults.stall("write")
        await made.terminal.enter(f"write {INT} 7 --timeout 300ms", "may still happen for up to 75 s")
        made.gateway.faults.release()
        await made.terminal.shows("the tag had that value")


async def test_a_run_lists_at_its_end_what_is_still_open(tmp_path: Path, gateway: SimulatedGateway) -> None:
    process = ShellProcess(tmp_path).on(gateway)
    (tmp_path / "rows.csv").write_text(f"tag,value\n{INT},5\nTestChildObject.TestBool,true\n", encoding="utf-8")
    for line, values in (
        (f"write {INT} 7", ["7"]),
        ("write-many rows.csv", ["5", "true"]),
        ('call write {"server_handle": 1, "item_handle": 1, "value": {"int32_value": 9}}', ["9"]),
        ("write-elements TestChildObject.TestIntArray 2 0=4", ["an array of 2 with 1 element set"]),
    ):
        # The gateway gives up: whether the worker carries it out is unknown.
        gateway.faults.fail_next("write_bulk" if "many" in line else "write", protocol_status=7)
        done = await process("--plaintext", "-q", "--yes", "-e", f"watch {INT} --count 1", "-e", line)
        assert done.code == ExitCode.UNKNOWN
        for value in values:
            assert f"the write of {value}" in done.err, line
        assert done.err.count("not seen yet, it may still happen for") == len(values)
        assert done.err.count("it is not watched any more: check it") == len(values)
    done = await process("--plaintext", "-e", f"write {INT} 8")
    assert (done.code, "may still happen" in done.err) == (ExitCode.DONE, False)
