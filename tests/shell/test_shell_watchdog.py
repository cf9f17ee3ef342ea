"""expect … for, and watchdog: conditions that have to be met all the time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from shell_lines import SIMULATED, run
from shell_process import Runs
from shell_terminal import shell
from shell_waiting import until

from zb_mom_ww_mxgateway import LiveState
from zb_mom_ww_mxgateway.commands.writes import write_request
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, NotMet
from zb_mom_ww_mxgateway_shell.feeds import items
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE, BOOL = (f"TestChildObject.Test{name}" for name in ("Int", "Double", "Bool"))


async def _follow(feed: Feed) -> Result:
    return await feed.follow(lambda line: None)


@pytest.fixture
async def gateway() -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, api_keys=(), write_complete_delay=0) as gateway:
        yield gateway


@pytest.fixture
async def context(gateway: SimulatedGateway) -> AsyncIterator[Context]:
    context = Context(all_commands(), interactive=False)
    await context.connect(Connection(endpoint=gateway.endpoint, plaintext=True), terms=SIMULATED)
    yield context
    await context.disconnect()


@pytest.fixture
def runs(tmp_path: Path, gateway: SimulatedGateway) -> Runs:
    return Runs(tmp_path, gateway)


async def _broken(context: Context) -> NotMet:
    await until(lambda: context.file.standing._checks[0].broken() is not None)
    (outcome,) = context.file.standing.look()
    assert outcome.error is not None
    return outcome.error


# A watchdog in a file.


async def test_a_break_is_found_though_the_value_is_back_when_the_line_ends(runs: Runs) -> None:
    done = await runs(
        f"""\
step "one"
watchdog {INT} < 5
write {INT} 7
write {INT} 2
wait {INT} = 2 timeout 20s
step "two"
expect {INT} = 2
""",
        "--json",
    )
    assert done.code == 1
    (broken,) = [each for each in done.objects if not each["ok"]]
    assert (broken["command"], broken["line"], broken["step"]) == ("watchdog", 3, "one")
    assert broken["error"]["actual"]["value"] == 7
    assert broken["error"]["unknown"] is False
    # The file stopped there.
    assert not any(each["step"] == "two" for each in done.objects)


async def test_a_write_in_the_last_line_of_a_step_belongs_to_it(
    context: Context, gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its completion may come before the change."""
    monkeypatch.setattr(items, "_ANSWER_SECONDS", 60.0)
    await run(context, f"watchdog {INT} < 5", _follow)
    live, (item,) = context.live_session, context.items
    live._hub.unseen.sending(write_request(live.session._link, *item.key, 7))
    ending = asyncio.create_task(context.file.standing.end())
    await until(lambda: live._hub._waiters)
    gateway.set(INT, 7)
    (outcome,) = await ending
    assert outcome.error is not None
    assert outcome.error.fields["actual"]["value"] == 7


async def test_one_that_holds_tells_its_extremes_at_the_end_of_its_step(runs: Runs) -> None:
    done = await runs(
        f"""\
step "one"
watchdog {INT} < 5
write {INT} 4
write {INT} -3
wait {INT} = -3 timeout 20s
step "two"
write {INT} 9
wait {INT} = 9 timeout 20s
finally
write {INT} 0
""",
        "--json",
    )
    assert done.code == 0
    begun, held = (each for each in done.objects if each["command"] == "watchdog")
    assert (held["step"], held["line"], held["result"]["lowest"], held["result"]["highest"]) == ("one", 3, -3, 4)
    assert begun["result"]["actual"]["value"] == 0
    order = [each["command"] for each in done.objects]
    assert (
        order.index("step")
        < len(order) - 1 - order[::-1].index("watchdog")
        < len(order) - 1 - order[::-1].index("step")
    )


async def test_on_error_continue_tells_a_break_once_and_goes_on(runs: Runs) -> None:
    done = await runs(
        f"""\
on-error continue
step "one"
watchdog {INT} < 5
write {INT} 7
wait {INT} = 7 timeout 20s
write {INT} 8
wait {INT} = 8 timeout 20s
step "two"
expect {INT} = 8
"""
    )
    assert done.code == 1
    assert done.err.count(f"expected {INT} < 5") == 1
    assert '1 of 2 steps passed; 1 failed: "' in done.out


async def test_it_ends_before_finally_and_at_the_end_of_the_file(runs: Runs) -> None:
    done = await runs(f"watchdog {INT} < 5\nfinally\nwrite {INT} 9\n", "--json")
    assert done.code == 0
    done = await runs(f"finally\nwatchdog {INT} > 5\nwrite {INT} 1\nwait {INT} = 1 timeout 20s\n")
    assert done.code == 1
    assert f"expected {INT} > 5, is 1" in done.err


async def test_a_condition_that_is_not_met_at_the_start_fails_at_once(runs: Runs) -> None:
    done = await runs(f"watchdog {INT} > 5\n")
    assert done.code == 1
    assert f"expected {INT} > 5, is 0 (good" in done.err


async def test_single_lines_and_standard_input_have_watchdogs_too(runs: Runs) -> None:
    lines = [f"watchdog {INT} < 5", f"write {INT} 7", f"wait {INT} = 7 timeout 20s"]
    by_options = [word for line in lines for word in ("-e", line)]
    for done in (
        await runs.process("--plaintext", *by_options),
        await runs.process("--plaintext", stdin="".join(f"{line}\n" for line in [f"write {INT} 0", *lines])),
    ):
        assert done.code == 1, done
        assert f"expected {INT} < 5, is 7 (good" in done.err
        runs.gateway.set(INT, 0)


async def test_watchdog_off_ends_it_and_tells_what_it_saw(runs: Runs) -> None:
    done = await runs(f"watchdog {INT} < 5\nwatchdog off\nwrite {INT} 7\nwait {INT} = 7 timeout 20s\nwatchdog off\n")
    assert (done.code, done.err) == (0, "")
    assert f"{INT} < 5: held for" in done.out
    assert "no watchdog watches" in done.out
    told = (await runs(f"watchdog {BOOL} = false\nwatchdog off\n")).out
    assert "1 value" in told
    assert "0.0" not in told.split("1 value")[1].splitlines()[0], "a Boolean has no extremes"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("watchdog", "tag is missing"),
        (f"watchdog {INT}", "a condition is expected: watchdog TAG OPERATOR VALUE"),
        (f"watchdog {INT} <", "a condition is expected"),
        ("watchdog off = 5", "nothing follows off"),
        (f"watchdog {INT} < 5 age < 5s", "so it has no age"),
        (f"expect {INT} < 5 for 2s age < 5s", "for and age exclude each other"),
        (f"expect {INT} < 5 for 0s", "Duration expected, above zero"),
    ],
)
async def test_mistakes_are_found_without_a_gateway(tmp_path: Path, line: str, said: str) -> None:
    context = Context(all_commands(), interactive=False)
    found = context.registry.check(line, context)
    assert any(said in str(each) for each in found), found


async def test_plan_says_whether_it_holds_and_starts_nothing(runs: Runs) -> None:
    runs.file(f"watchdog {INT} < 5\nwrite {INT} 7\nwatchdog {INT} < 5\nexpect {INT} = 0 for 30s\nwatchdog off\n")
    done = await runs.process("plan", "try.mxs", "--plaintext")
    assert "holds now" in done.out
    assert "would not hold after the write of line 3" in done.out
    assert not runs.written


# What is unknown never passes as watched.


@pytest.mark.parametrize("line", [f"watchdog {INT} < 5", f"watchdog {INT} < 5 quality any"])
async def test_a_stale_stretch_breaks_it_as_unknown(context: Context, gateway: SimulatedGateway, line: str) -> None:
    await run(context, line, _follow)
    gateway.faults.stall("StreamEvents")
    gateway.faults.drop_streams()
    error = await _broken(context)
    assert error.fields["unknown"] is True
    assert "unknown after" in str(error)
    assert "the value is stale" in str(error)
    (series,) = error.samples
    assert series.form()["tag"] == INT


async def test_a_gap_in_the_stream_breaks_it_as_unknown(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, f"watchdog {INT} < 5", _follow)
    live = context.live_session
    gateway.faults.stall("StreamEvents")
    gateway.faults.drop_streams()
    await until(lambda: live.state is not LiveState.LIVE)
    gateway.set(INT, 9)
    gateway.set(INT, 0)
    gateway.faults.evict_replay(live.session.session_id)
    gateway.faults.release()
    error = await _broken(context)
    assert error.fields["unknown"] is True


async def test_an_end_of_the_connection_breaks_it(context: Context) -> None:
    await run(context, f"watchdog {INT} < 5", _follow)
    await context.disconnect()
    (outcome,) = await context.file.standing.end()
    assert outcome.error is not None
    assert outcome.error.fields["unknown"] is True


async def test_a_gateway_that_does_not_answer_at_the_end_is_no_pass(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run(context, f"watchdog {INT} < 5", _follow)

    async def no_answer(*, timeout: float = 5.0) -> bool:
        return False

    monkeypatch.setattr(context.live_session._reader, "caught_up", no_answer)
    (outcome,) = await context.file.standing.end()
    assert outcome.error is not None
    assert "the gateway does not answer" in str(outcome.error)


async def test_a_value_of_another_type_or_quality_breaks_it(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, f"watchdog {INT} < 5", _follow)
    gateway.set(INT, 1, quality=0)
    error = await _broken(context)
    assert "the quality is bad" in str(error)
    assert error.fields["unknown"] is False


# Its samples.


async def test_the_samples_of_a_break_have_the_value_that_broke_it(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, f"watchdog {INT} < 5", _follow)
    gateway.set(INT, 3)
    gateway.set(INT, 7)
    error = await _broken(context)
    (series,) = error.samples
    form = series.form()
    assert [point["value"] for point in form["points"]] == [0, 3, 7]
    assert form["bounds"] == [{"kind": "high", "value": 5.0}]
    assert error.fields["broken_after_seconds"] >= 0


# expect … for.


async def test_what_stays_as_expected_passes_with_its_extremes(context: Context) -> None:
    result = await run(context, f"expect {INT} < 5 for 100ms", _follow)
    assert result is not None
    form = result.form()
    assert (form["lowest"], form["highest"], form["values"], form["actual"]["value"]) == (0, 0, 1, 0)
    assert form["seconds"] == 0.1


async def test_the_first_break_fails_with_value_and_time(context: Context, gateway: SimulatedGateway) -> None:
    watching = asyncio.create_task(run(context, f"expect {INT} < 5 for 1h", _follow))
    live = context.live_session
    await until(lambda: live._hub.values._waits)
    for value in (4, 9, 1):
        gateway.set(INT, value)
    with pytest.raises(NotMet) as not_met:
        await watching
    assert not_met.value.fields["actual"]["value"] == 9
    assert f"expected {INT} < 5, is 9 (good" in str(not_met.value)
    assert "broken after" in str(not_met.value)
    (series,) = not_met.value.samples
    assert 9 in [point["value"] for point in series.form()["points"]]
    assert not live._hub.values._waits


async def test_an_unknown_stretch_breaks_an_expectation_too(context: Context, gateway: SimulatedGateway) -> None:
    watching = asyncio.create_task(run(context, f"expect {INT} < 5 for 1h", _follow))
    live = context.live_session
    await until(lambda: live._hub.values._waits)
    gateway.faults.drop_streams()
    with pytest.raises(NotMet, match="unknown after"):
        await watching


async def test_it_does_not_start_where_the_value_is_not_as_expected(context: Context) -> None:
    with pytest.raises(NotMet, match=r"TestInt > 5, is 0 \(good") as not_met:
        await run(context, f"expect {INT} > 5 for 1h", _follow)
    assert "broken_at" not in not_met.value.fields


async def test_a_check_that_ends_begins_what_counts_as_new(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, f"expect {INT} = 0 for 50ms", _follow)
    await run(context, f"write {INT} 3", _follow)
    result = await run(context, f"wait {INT} = 3 timeout 20s", _follow)
    assert result is not None


# At the prompt.


async def test_at_the_prompt_a_break_is_told_at_once_and_only_once(context: Context, gateway: SimulatedGateway) -> None:
    alerts: list[str] = []
    context.interactive, context.alert = True, alerts.append
    await run(context, f"watchdog {INT} < 5", _follow)
    gateway.set(INT, 7)
    await until(lambda: alerts)
    assert alerts[0].startswith(f"watchdog: expected {INT} < 5, is 7")
    result = await run(context, "watchdog off", _follow)
    assert result is not None
    assert result.form() == {"ended": []}


async def test_at_the_prompt_the_next_step_ends_it(context: Context, gateway: SimulatedGateway) -> None:
    alerts: list[str] = []
    context.interactive, context.alert = True, alerts.append
    await run(context, f"watchdog {INT} < 5", _follow)
    await run(context, 'step "next"', _follow)
    assert len(context.file.standing) == 0
    assert not context.live_session._hub.values._waits


# From Python.


async def _python(tmp_path: Path, gateway: SimulatedGateway, text: str) -> Any:
    return await Runs(tmp_path, gateway, "--python", "try.py")(text)


async def test_in_python_the_next_line_raises_what_was_broken(tmp_path: Path, gateway: SimulatedGateway) -> None:
    done = await _python(
        tmp_path,
        gateway,
        f"""\
await mx("watchdog {INT} < 5")
try:
    await mx("write {INT} 7")
    await mx("wait {INT} = 7 timeout 20s")
except Exception as error:
    print("raised", error)
await mx("expect {INT} = 7")
print("told once")
""",
    )
    assert (done.code, done.err) == (0, "")
    assert f"raised expected {INT} < 5, is 7" in done.out
    assert "told once" in done.out


async def test_in_python_the_end_of_the_file_and_a_step_look_a_last_time(
    tmp_path: Path, gateway: SimulatedGateway
) -> None:
    text = f"""\
await mx("watchdog {INT} < 5")
await live.write("{INT}", 7)
await live.wait_for("{INT}", lambda value: value == 7, timeout=20)
"""
    done = await _python(tmp_path, gateway, text)
    assert done.code == 1
    assert f"expected {INT} < 5, is 7" in done.err
    gateway.set(INT, 0)
    done = await _python(tmp_path, gateway, text + "await mx('step \"next\"')\n")
    assert done.code == 1
    assert f"expected {INT} < 5, is 7" in done.err


def test_the_two_forms_of_a_watchdog_are_told_apart() -> None:
    context = Context(all_commands(), interactive=False)
    invocation = context.registry.parse("watchdog off", context, ahead=True)
    assert invocation is not None
    with pytest.raises(InputError):
        context.registry.parse("watchdog offline", context, ahead=True)


@pytest.mark.parametrize("line", ["watchdog {} < 5", "expect {} < 5 for 1h"])
async def test_a_buffered_item_is_refused_as_not_each_of_its_values_would_be_judged(
    context: Context, gateway: SimulatedGateway, line: str
) -> None:
    for each in ("register me", f"add-buffered {INT}", "advise 1"):
        await run(context, each, _follow)
    gateway.set(INT, 1)
    with pytest.raises(InputError, match="is a buffered item"):
        await run(context, line.format(1), _follow)
    assert len(context.file.standing) == 0


async def test_a_stale_other_tag_is_unknown_and_a_different_one_is_broken(
    context: Context, gateway: SimulatedGateway
) -> None:
    await run(context, f"watchdog {INT} = tag:{DOUBLE}", _follow)
    gateway.set(DOUBLE, 3.0)
    error = await _broken(context)
    assert (error.fields["unknown"], error.fields["wanted"]["value"]) == (False, 3.0)
    gateway.set(DOUBLE, 0.0)
    await until(lambda: context.live_session[DOUBLE].value == 0.0)
    await run(context, f"watchdog {INT} = tag:{DOUBLE}", _follow)
    item = context.find_item(DOUBLE)
    assert item is not None
    await run(context, f"suspend {item.item_handle}", _follow)
    error = await _broken(context)
    assert error.fields["unknown"] is True
    assert f"{DOUBLE}: the value is stale" in str(error)


async def test_the_terminal_shows_a_break_without_a_line_more(tmp_path: Path) -> None:
    async with shell(tmp_path) as sh:
        await sh.terminal.enter(f"watchdog {INT} < 5", "watching")
        await sh.terminal.enter(f"write {INT} 7", f"watchdog: expected {INT} < 5, is 7")
