"""What judges a value: from before or after a write, by what was seen on the stream and by no clock."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shell_lines import SIMULATED, run
from shell_process import Runs
from shell_waiting import until

from zb_mom_ww_mxgateway import DataType, EventFamily, LiveState, MxEvent, MxGatewayWaitError
from zb_mom_ww_mxgateway.commands.writes import write_request
from zb_mom_ww_mxgateway.models.events import EventHeader
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import NotMet
from zb_mom_ww_mxgateway_shell.output.problems import exit_code_for
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway, SystemClock

INT, FLOAT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestFloat", "TestChildObject.TestBool"


async def _follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=()) as gateway:
        yield gateway


@pytest.fixture
async def context(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    context = Context(all_commands(), interactive=False)
    context.records = True
    await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
    yield context
    await context.disconnect()


async def _form(context: Context, line: str) -> Any:
    result = await run(context, line, _follow)
    assert result is not None
    return result.form()


class _OfThePlant(SystemClock):
    """A clock that is so many seconds ahead of ours."""

    def __init__(self, ahead: float) -> None:
        self._ahead = int(ahead * 1e9)

    def now(self) -> int:
        return super().now() + self._ahead


# read, items, watch and record-script behind a write.


async def test_what_was_written_is_read_as_it_is_then(tmp_path: Path, gateway: SimulatedGateway) -> None:
    runs = Runs(tmp_path, gateway)
    done = await runs(f"write {FLOAT} 0.5\nread {FLOAT}\nwrite {FLOAT} 0.75\nexpect {FLOAT} = 0.75\n", "--json")
    read = done.objects[1]["result"][0]
    assert (done.code, read["value"], read.get("written_seconds_ago")) == (0, 0.5, None)


async def test_a_value_from_before_a_write_says_so_wherever_it_is_shown(context: Context) -> None:
    live = context.live_session
    await _form(context, f"watch {INT} --count 1")
    (item,) = context.items
    # A write that is on its way, whatever it meets there.
    request = write_request(live.session._link, *item.key, 5)
    live._hub.unseen.sending(request)
    said = "not seen yet"
    (record,) = await _form(context, "items")
    assert (record["value"], "written_seconds_ago" in record) == (0, True)
    for line in ("items", f"read {INT}"):
        result = await run(context, line, _follow)
        assert result is not None
        assert said in "\n".join(result.lines())
    shown: list[str] = []
    await run(context, f"watch {INT} --count 1", lambda feed: feed.follow(shown.append))
    assert said in shown[0]
    with pytest.raises(NotMet) as not_met:
        await run(context, f"expect {INT} = 5", _follow)
    assert any(said in line for line in not_met.value.details)
    # No expectation is made of it.
    expects = [expect for typed in context.recorder.last(10) for expect in typed.expects]
    assert not any(INT in expect for expect in expects[1:])


async def test_neither_a_refused_write_nor_one_of_the_same_value_is_waited_for(
    context: Context, gateway: SimulatedGateway
) -> None:
    await _form(context, f"write {INT} 5")
    live, (item,) = context.live_session, context.items
    await _form(context, f"write {INT} 5")
    assert live.unseen_write(*item.key) is None
    gateway.faults.fail_next("write", protocol_status=9, hresult=-2147024891)
    result = await run(context, f"write {INT} 6", _follow)
    assert result is not None
    assert result.exit_code == 3
    assert live.unseen_write(*item.key) is None


# wait.


@pytest.mark.parametrize("ahead", [-3.0, 0.0, 3.0, 3600.0])
async def test_a_wait_that_advises_its_tag_takes_no_old_value_and_misses_no_new_one(ahead: float) -> None:
    async with SimulatedGateway(plaintext=True, api_keys=(), clock=_OfThePlant(ahead)) as gateway:
        context = Context(all_commands(), interactive=False)
        await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
        gateway.set(INT, 7)
        try:
            with pytest.raises(NotMet, match="'now' lets it count"):
                # Long enough for a busy machine to take in what has arrived.
                await run(context, f"wait {INT} = 7 timeout 1s", _follow)
            gateway.set(BOOL, False)
            waiting = asyncio.create_task(run(context, f"wait {BOOL} = true timeout 30s", _follow))
            live = context.live_session
            await until(lambda: (item := context.find_item(BOOL)) and live.latest(*item.key))
            gateway.set(BOOL, True)
            result = await waiting
            assert result is not None
            assert result.value is True
        finally:
            await context.disconnect()


@pytest.mark.parametrize("ahead", [-3.0, 0.0, 3.0])
async def test_what_a_write_changes_before_the_wait_begins_counts_in_a_file(tmp_path: Path, ahead: float) -> None:
    """The valve follows its command at once: long before the line that waits for it."""
    async with SimulatedGateway(plaintext=True, api_keys=(), clock=_OfThePlant(ahead)) as gateway:
        runs = Runs(tmp_path, gateway)
        lines = [f"write {INT} 5", f"write {FLOAT} 1.5", "sleep 300ms", f"wait {INT} = 5 timeout 20s"]
        done = await runs("\n".join(lines))
        assert done.code == 0, done.err


async def test_a_wait_counts_from_the_first_of_the_writes_since_the_last_check(context: Context) -> None:
    for line in (f"write {INT} 5", f"write {FLOAT} 1.5", f"write {BOOL} true"):
        await run(context, line, _follow)
    result = await run(context, f"wait {INT} = 5 timeout 300ms", _follow)
    assert result is not None
    assert result.value == 5
    # That was a check: with the next write it begins anew.
    await run(context, f"write {BOOL} false", _follow)
    with pytest.raises(NotMet):
        await run(context, f"wait {INT} = 5 timeout 300ms", _follow)


async def test_an_age_that_nobody_knows_is_not_below_another(context: Context, gateway: SimulatedGateway) -> None:
    gateway.set(INT, 5, timestamp=datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(NotMet, match="in the future"):
        await run(context, f"expect {INT} = 5 age < 5s", _follow)


# What has arrived.


@pytest.mark.parametrize("line", ["expect {} = 7", "capture seen = {}", "read {}", "items", "write {} 8"])
async def test_what_has_arrived_is_taken_in_before_a_value_is_judged(
    context: Context, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    await run(context, f"watch {INT} --count 1", _follow)
    live, (item,) = context.live_session, context.items
    caught_up = live.caught_up

    async def refined_by(**options: float) -> bool:
        """As if a change had waited in a buffer till now."""
        header = EventHeader(EventFamily.ON_DATA_CHANGE, *item.key, quality=192, data_type=DataType.INTEGER)
        live._hub.take(MxEvent(header, live.last_worker_sequence + 1, 7))
        return await caught_up(**options)

    monkeypatch.setattr(live._reader, "caught_up", refined_by)
    form = await _form(context, line.format(INT))
    assert "'value': 7" in str(form) or "'before': 7" in str(form)


async def test_a_value_is_not_judged_while_the_gateway_does_not_say_that_it_is_all(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(context, f"watch {INT} --count 1", _follow)

    async def silent(**options: float) -> bool:
        return False

    monkeypatch.setattr(context.live_session._reader, "caught_up", silent)
    for line in (f"expect {INT} = 0", f"capture seen = {INT}"):
        with pytest.raises(NotMet, match="the value is stale"):
            await run(context, line, _follow)
    (reading,) = await _form(context, f"read {INT}")
    assert reading["stale"]


async def test_a_wait_takes_no_change_from_before_it_that_arrives_late(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(context, f"watch {INT} --count 1", _follow)
    live, (item,) = context.live_session, context.items
    caught_up, asked = live.caught_up, 0

    async def held_up(**options: float) -> bool:
        """As if a change had waited on the way till now, and the first question had not been answered in time."""
        nonlocal asked
        asked += 1
        if asked == 2:
            header = EventHeader(EventFamily.ON_DATA_CHANGE, *item.key, quality=192, data_type=DataType.INTEGER)
            live._hub.take(MxEvent(header, live.last_worker_sequence + 1, 7))
        return asked > 1 and await caught_up(**options)

    monkeypatch.setattr(live._reader, "caught_up", held_up)
    with pytest.raises(NotMet, match="no new value came"):
        await run(context, f"wait {INT} = 7 timeout 1s", _follow)


async def test_a_wait_that_cannot_tell_what_is_new_is_not_met_when_its_time_is_over(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(context, f"watch {INT} --count 1", _follow)

    async def held_up(*, timeout: float = 5.0) -> bool:
        await asyncio.sleep(timeout)
        return False

    monkeypatch.setattr(context.live_session._reader, "caught_up", held_up)
    async with asyncio.timeout(4):
        with pytest.raises(NotMet, match="it is unknown what is new") as not_met:
            await run(context, f"wait {INT} = 0 timeout 300ms", _follow)
    assert exit_code_for(not_met.value) is ExitCode.NOT_MET
    assert "stale" in str(not_met.value)


async def test_a_wait_takes_no_change_from_before_it_that_a_rebuilt_session_shows(
    context: Context, gateway: SimulatedGateway
) -> None:
    await run(context, f"watch {INT} --count 1", _follow)
    live = context.live_session
    gateway.faults.stall("OpenSession")
    gateway.faults.lose_session(live.session.session_id)
    await until(lambda: live.state is LiveState.REBUILDING)
    gateway.set(INT, 7)
    context.interactive = True  # At the prompt nothing waits for the session first.
    waiting = asyncio.create_task(run(context, f"wait {INT} = 7 timeout 30s", _follow))
    await until(lambda: live._hub.values._waits)
    gateway.faults.release()
    await until(lambda: live[INT].value == 7 and live[INT].stale_since is None)
    (item,) = context.items
    (wait,) = live._hub.values._waits[item.key]
    assert not wait.over.done()
    gateway.set(INT, 8)
    await until(lambda: live[INT].value == 8)
    gateway.set(INT, 7)
    await waiting


# A hold that did not last.


async def test_a_broken_hold_keeps_what_broke_it_and_how_near_it_came(
    context: Context, gateway: SimulatedGateway
) -> None:
    gateway.set(INT, 10)
    await run(context, f"watch {INT} --count 1", _follow)
    line = f"wait {INT} < 50 now hold 20s timeout 21s"
    waiting = asyncio.create_task(run(context, line, _follow))
    live, (item,) = context.live_session, context.items
    await until(lambda: live._hub.values._waits and live._hub.values._waits[item.key][0]._held_since is not None)
    for value in (20, 60, 30, 70, 40):
        gateway.set(INT, value)
        await until(lambda value=value: live[INT].value == value)  # type: ignore[misc]
    (wait,) = live._hub.values._waits[item.key]
    # The time that is over is not waited for.
    wait.fail(MxGatewayWaitError("the time is over", seen=tuple(wait.seen), course=wait.course))
    with pytest.raises(NotMet) as not_met:
        await waiting
    hold = not_met.value.fields["hold"]
    assert (hold["values_true"], hold["values_false"], hold["lowest"], hold["highest"]) == (4, 2, 10, 70)
    assert (hold["breaks"], hold["broken_by"]["value"]) == (2, 70)
    assert hold["longest_seconds"] >= hold["broken_after_seconds"] > 0
    assert "broken 2 times, last by 70, good at " in not_met.value.details[-2]
    assert "4 values met it, 2 did not, from 10 to 70" in not_met.value.details[-1]
