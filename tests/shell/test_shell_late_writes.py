"""A write whose outcome is unknown may still happen for 75 s: it is never called not done, and what is seen is told."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_lines import SIMULATED, run
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway
from zb_mom_ww_mxgateway_sim.faults.call_faults import kind_of

INT = "TestChildObject.TestInt"


async def follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as made:
        yield made


@pytest.fixture
async def context(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    made = Context(all_commands(), interactive=False)
    await made.connect(Connection(endpoint=gateway.endpoint, plaintext=True), "plant", terms=SIMULATED)
    try:
        yield made
    finally:
        await made.disconnect()


async def text_of(context: Context, line: str) -> str:
    result = await run(context, line, follow)
    assert result is not None
    return "\n".join(result.lines())


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
    await until(lambda: [write.seen_at for write in context.connected.doubtful()] != [None])
    assert [write.value for write in gateway.writes] == [3, 7]
    for line in ("status", f"why {INT}"):
        assert "the write of 7, whose outcome is unknown: the tag had that value" in await text_of(context, line)
    assert len(context.connected.doubtful_writes.news()) == 1
    assert not context.connected.doubtful_writes.news()


async def test_a_value_that_came_before_the_write_was_given_up_is_seen_too(
    context: Context, gateway: SimulatedGateway
) -> None:
    await run(context, f"write {INT} 3", follow)
    gateway.faults.stall("write")
    writing = asyncio.create_task(given_up(context, gateway, f"write {INT} 7 --timeout 2s", first=False))
    await until(lambda: sum(kind_of(call.request) == "write" for call in gateway.calls) == 2)
    gateway.set(INT, 7)
    assert (await writing).exit_code is ExitCode.UNKNOWN
    (write,) = context.connected.doubtful()
    assert write.seen_at is not None
    assert "the tag had that value" in write.text()
    gateway.faults.release()


async def test_what_is_not_seen_in_time_is_not_called_undone(
    context: Context, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given_up(context, gateway)
    monkeypatch.setattr(clock, "monotonic", lambda now=clock.monotonic: now() + 80)
    (write,) = context.connected.doubtful()
    assert "it may just have happened" in write.text()
    monkeypatch.setattr(clock, "monotonic", lambda now=clock.monotonic: now() + 20)
    (write,) = context.connected.doubtful()
    assert write.text().endswith("that value was not seen within 90 s after it was sent")
    monkeypatch.undo()
    gateway.faults.release()


async def test_a_later_write_with_an_outcome_and_a_removed_item_end_the_doubt(
    context: Context, gateway: SimulatedGateway
) -> None:
    await given_up(context, gateway)
    gateway.faults.release()
    await run(context, f"write {INT} 8", follow)
    assert not context.connected.doubtful()
    await given_up(context, gateway)
    assert context.connected.doubtful()
    gateway.faults.release()
    await run(context, f"remove-item {INT}", follow)
    assert not context.connected.doubtful()


async def test_a_write_of_the_value_that_is_there_has_nothing_to_show(
    context: Context, gateway: SimulatedGateway
) -> None:
    await given_up(context, gateway, f"write {INT} 3 --timeout 300ms")
    assert not context.connected.doubtful()
    gateway.faults.release()


async def test_the_prompt_says_by_itself_what_was_seen(tmp_path: Path) -> None:
    async with shell(tmp_path) as made:
        await made.terminal.enter(f"write {INT} 3", "completed")
        made.gateway.faults.stall("write")
        await made.terminal.enter(f"write {INT} 7 --timeout 300ms", "may still happen for up to 75 s")
        made.gateway.faults.release()
        await made.terminal.shows("the tag had that value")
