"""The forms of conditions: ranges, lists, percentages, other tags, groups, and times before which nothing may come."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from shell_lines import SIMULATED, run
from shell_process import Runs
from shell_waiting import until

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_shell.commands import all_commands
from zb_mom_ww_mxgateway_shell.errors import InputError, NotMet, ShellError
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.watch_lists import WatchLists
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE, FLOAT, BOOL, STRING = (
    f"TestChildObject.Test{name}" for name in ("Int", "Double", "Float", "Bool", "String")
)
TANKS = ("Plant.Tank1.Level", "Plant.Tank2.Level")


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


# Forms of one tag.


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("within -5..5", True),
        ("within 0..0", True),
        ("within 1..5", False),
        ("in [1, 2, 0]", True),
        ("in [1, 2, 3]", False),
        ("= 0 tol 0.5", True),
        (f"= tag:{DOUBLE}", True),
        (f"!= tag:{DOUBLE}", False),
        (f"<= tag:{FLOAT}", True),
        (f'= tag:"{DOUBLE}" tol 1', True),
    ],
)
async def test_each_form_judges_the_value_now(context: Context, condition: str, holds: bool) -> None:
    if holds:
        assert await run(context, f"expect {INT} {condition}", _follow) is not None
        return
    with pytest.raises(NotMet, match=r"TestInt .* is 0 \(good"):
        await run(context, f"expect {INT} {condition}", _follow)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"expect {INT} = 0 tol 2%", "2% of 0 is 0, and allows no difference: a number is expected, such as tol 0.1"),
        (f"expect {INT} = 5 tol 0%", "0 % allows no difference"),
        (f"expect {INT} = true tol 2%", "only numbers and times have a tolerance"),
        (f"expect {INT} = [1, 0] tol 2%", "2% of 0 is 0"),
        (f"expect {INT} = 2026-01-01T00:00:00Z tol 2%", "a time has no percentage"),
        (f"expect {INT} = tag:{INT.casefold()}", "would be compared with itself, which proves nothing"),
        (f"expect {INT} within 5..", "within needs both limits; for one limit write >= 5"),
        (f"expect {INT} within ..5", "within needs both limits; for one limit write <= 5"),
        (f"expect {INT} within 10..5", "the lower limit comes first"),
        (f"expect {INT} within 1...5", "two dots are expected"),
        (f"expect {INT} within 5", "two limits are expected after within, such as 5..10"),
        (f"expect {INT} within 1..2 tol 1", "within has limits of its own"),
        (f"expect {INT} within a..b", "two numbers, or two times"),
        (f"expect {INT} within [1, 2]", "two limits are expected"),
        (f"expect {INT} in []", "the list is empty"),
        (f"expect {INT} in 5", "a list is expected after in, such as [1, 2, 3]"),
        (f"expect {INT} in [Plant.Tank1.Level]", "is the name of a tag"),
        (f"expect {INT} = tag:", "a tag is expected after tag:"),
        (f"expect {INT} ~ tag:{STRING}", "is compared with = != < <= > or >="),
        (f"expect {INT} = tag:Plant.*.Level", "is a glob"),
        ("expect Plant.*.Running = true", "every Plant.*.Running is about all its tags"),
        ("expect every any Plant.*.Running = true", "every and any exclude each other"),
        (f"wait {INT} = 1 timeout 2s not before 3s", "not before 3 s leaves no time before timeout 2 s"),
        (f"wait {INT} = 1 now timeout 5s not before 3s", "now and not before exclude each other"),
        (f"wait {INT} = 1 timeout 5s not 3s", "before is expected here"),
    ],
)
async def test_lint_finds_what_is_wrong_with_every_plant(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "try.mxs").write_text(f"{line}\n", encoding="utf-8")
    found = Context(all_commands(), interactive=False).registry.check(line, Context(all_commands(), interactive=False))
    assert [each for each in found if said in str(each)], found


async def test_a_percentage_is_of_the_wanted_value(context: Context, gateway: SimulatedGateway) -> None:
    gateway.set(INT, 102)
    await run(context, f"expect {INT} = 100 tol 2%", _follow)
    gateway.set(INT, 103)
    with pytest.raises(NotMet):
        await run(context, f"expect {INT} = 100 tol 2%", _follow)
    gateway.set(DOUBLE, 0.0)
    # Of a value of 0 it allows nothing, and there is one only in the run.
    with pytest.raises(NotMet):
        await run(context, f"expect {INT} = tag:{DOUBLE} tol 50%", _follow)


async def test_a_value_that_is_no_number_is_a_mistake_with_its_reason(context: Context) -> None:
    with pytest.raises(InputError, match="within judges numbers and times; the value is text"):
        await run(context, f"expect {STRING} within 1..2", _follow)
    with pytest.raises(InputError, match="text cannot be compared with a number, its value"):
        await run(context, f"expect {STRING} = tag:{INT}", _follow)
    with pytest.raises(NotMet, match=f"the reference does not resolve.*: {DOUBLE[:-6]}Nothing: the quality is bad"):
        await run(context, f"expect {INT} = tag:TestChildObject.TestNothing", _follow)


# Two tags.


async def test_a_failure_shows_both_values_and_a_bad_one_of_the_other_tag_fails(
    context: Context, gateway: SimulatedGateway
) -> None:
    gateway.set(DOUBLE, 7.0)
    with pytest.raises(NotMet, match=rf"= tag:{DOUBLE}, is 0 \(good.*, and {DOUBLE} is 7.0 \(good") as not_met:
        await run(context, f"expect {INT} = tag:{DOUBLE}", _follow)
    assert not_met.value.fields["wanted"]["value"] == 7.0
    gateway.set(DOUBLE, 0.0, quality=0)
    with pytest.raises(NotMet, match=f"{DOUBLE}: the quality is bad"):
        await run(context, f"expect {INT} = tag:{DOUBLE}", _follow)


async def test_a_wait_follows_the_other_tag_too(context: Context, gateway: SimulatedGateway) -> None:
    gateway.set(INT, 7)
    await run(context, f"watch {INT} {DOUBLE} --count 1", _follow)
    waiting = asyncio.create_task(run(context, f"wait {INT} = tag:{DOUBLE} timeout 30s", _follow))
    await until(lambda: context.live_session._hub.values._waits)
    gateway.set(DOUBLE, 7.0)
    result = await waiting
    assert result is not None
    form = result.form()
    assert (form["actual"]["value"], form["wanted"]["value"]) == (7, 7.0)
    assert sorted(each.form()["tag"] for each in result.samples) == [DOUBLE, INT]  # type: ignore[attr-defined]  # a wait's


# Groups.


async def test_every_names_the_tags_that_fail_with_their_values(context: Context, gateway: SimulatedGateway) -> None:
    await run(context, "expect every Plant.Tank?.Level > 0", _follow)
    with pytest.raises(NotMet) as not_met:
        await run(context, "expect every Plant.Tank?.Level < 0", _follow)
    error = not_met.value
    assert "expected every Plant.Tank?.Level < 0: 2 of 2 tags are not: " in str(error)
    assert [each["tag"] for each in error.fields["failed"]] == list(TANKS)
    assert all(detail.startswith(f"{tag} is ") for detail, tag in zip(error.details, TANKS, strict=True))
    assert all(each["actual"]["value"] > 0 for each in error.fields["failed"])


async def test_any_needs_one_and_says_that_none_is(context: Context) -> None:
    result = await run(context, "expect any Plant.Tank?.Level > 0", _follow)
    assert result is not None
    with pytest.raises(NotMet, match=r"expected any Plant.Tank\?.Level < 0: none of 2 tags is"):
        await run(context, "expect any Plant.Tank?.Level < 0", _follow)


@pytest.mark.parametrize("line", ["expect every {} = 1", "wait any {} = 1 timeout 1s", "watchdog every {} = 1"])
async def test_a_glob_that_matches_nothing_fails(context: Context, line: str) -> None:
    with pytest.raises(InputError, match=r"no tag matches No\.Such\.\*"):
        await run(context, line.format("No.Such.*"), _follow)
    assert len(context.file.standing) == 0


async def test_a_galaxy_that_is_not_whole_is_told(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    await run(context, "expect every Plant.Tank?.Level > 0", _follow)
    notices: list[str] = []
    context.notice = notices.append
    monkeypatch.setattr(context.catalogue, "is_complete", False)
    result = await run(context, "expect every Plant.Tank?.Level > 0", _follow)
    assert result is not None
    assert result.form()["galaxy_complete"] is False
    assert any("the galaxy could not be read to its end: more tags may match" in text for text in notices)


@pytest.fixture
async def zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a list of INT and DOUBLE."""
    monkeypatch.setattr(WatchLists, "_folder", property(lambda lists: tmp_path / "lists"))
    WatchLists().save("zeros", [INT, DOUBLE])
    return "zeros"


async def test_a_saved_list_is_a_group(context: Context, zeros: str) -> None:
    await run(context, f"expect every {zeros} = 0", _follow)
    with pytest.raises(NotMet, match="expected any zeros > 0: none of 2 tags is"):
        await run(context, f"expect any {zeros} > 0", _follow)


async def test_an_empty_list_is_a_mistake(context: Context, zeros: str) -> None:
    WatchLists().save("nothing", [])
    with pytest.raises((InputError, ShellError)):
        await run(context, "expect every nothing = 0", _follow)


async def test_a_wait_for_every_tag_ends_with_the_last_of_them(
    context: Context, gateway: SimulatedGateway, zeros: str
) -> None:
    waiting = asyncio.create_task(run(context, f"wait every {zeros} >= 1 timeout 1h", _follow))
    live = context.live_session

    def has_one() -> bool:
        item = context.find_item(INT)
        value = live.latest(*item.key) if item else None
        return value is not None and value.value == 1

    await until(lambda: live._hub.values._waits)
    gateway.set(INT, 1)
    await until(has_one)
    assert not waiting.done()
    gateway.set(DOUBLE, 1.0)
    result = await waiting
    assert result is not None
    assert result.form()["tags"] == 2


async def test_a_wait_for_a_group_fails_with_the_tags_that_miss(context: Context, zeros: str) -> None:
    with pytest.raises(NotMet, match=r"expected every zeros >= 1: 2 of 2 tags are not: .*; not within 1 s"):
        await run(context, f"wait every {zeros} >= 1 timeout 1s", _follow)
    with pytest.raises(NotMet, match=r"zeros = 0: not within 1 s: it has been so .*'now' lets it count"):
        await run(context, f"wait every {zeros} = 0 timeout 1s", _follow)
    await run(context, f"wait every {zeros} = 0 now timeout 20s", _follow)


async def test_a_watchdog_of_a_group_names_the_tag_that_broke_it(
    context: Context, gateway: SimulatedGateway, zeros: str
) -> None:
    await run(context, f"watchdog every {zeros} < 5", _follow)
    await run(context, f"watchdog any {zeros} < 5", _follow)
    gateway.set(DOUBLE, 9.0)
    gateway.set(DOUBLE, 1.0)
    await until(lambda: context.live_session[DOUBLE].value == 1.0)
    (outcome,) = context.file.standing.look()
    assert outcome.error is not None
    assert f"expected every zeros < 5: 1 of 2 tags is not: {DOUBLE}; broken after" in str(outcome.error)
    assert [each["tag"] for each in outcome.error.fields["failed"]] == [DOUBLE]
    (outcome,) = await context.file.standing.end()
    assert outcome.error is None


# Times before which nothing may come.


async def test_a_change_that_comes_too_early_fails_with_the_time_measured(
    tmp_path: Path, gateway: SimulatedGateway
) -> None:
    done = await Runs(tmp_path, gateway)(f"write {INT} 5\nwait {INT} = 5 timeout 2h not before 1h\n", "--json")
    assert done.code == 1
    error = done.objects[-1]["error"]
    assert "too early: " in error["message"]
    assert "after the write, and not before 3600 s is expected" in error["message"]
    assert 0 <= error["too_early_seconds"] < 3600


@pytest.mark.parametrize(
    ("condition", "passes"),
    [
        (f"{INT} > 5 hold 20ms", False),
        (f"every {INT} > 5", False),
        ("any zeros > 5", False),
        ("any zeros = 7.5", True),
    ],
)
async def test_it_was_too_early_whatever_came_before_the_wait(
    context: Context, gateway: SimulatedGateway, zeros: str, condition: str, passes: bool
) -> None:
    await run(context, f"expect every {zeros} = 0", _follow)
    gateway.set(DOUBLE, 7.5)
    await until(lambda: context.live_session[DOUBLE].value == 7.5)
    await run(context, f"expect {DOUBLE} = 7.5", _follow)
    await run(context, f"write {INT} 7", _follow)
    await until(lambda: context.live_session[INT].value == 7)
    (sent,) = context.connected.write_moments.judged()
    came = clock.monotonic() - sent
    await until(lambda: clock.monotonic() - sent > came + 0.05)
    gateway.set(DOUBLE, 1.0)
    gateway.set(DOUBLE, 7.5)
    gateway.set(INT, 8)
    await until(lambda: context.live_session[INT].value == 8)
    line = f"wait {condition} timeout 20s not before {came + 0.02:.3f}s"
    if passes:
        await run(context, line, _follow)
        return
    with pytest.raises(NotMet, match=r"too early: .* s after the write, and not before"):
        await run(context, line, _follow)


async def test_a_change_that_comes_later_passes_and_tells_when(tmp_path: Path, gateway: SimulatedGateway) -> None:
    done = await Runs(tmp_path, gateway)(f"write {INT} 5\nwait {INT} = 5 timeout 20s not before 1ms\n", "--json")
    assert done.code == 0, done
    assert done.objects[-1]["result"]["after_write_seconds"] >= 0.001


async def test_without_a_write_the_time_counts_from_the_start_of_the_wait(
    context: Context, gateway: SimulatedGateway
) -> None:
    await run(context, f"watch {INT} --count 1", _follow)
    waiting = asyncio.create_task(run(context, f"wait {INT} = 5 timeout 2h not before 1h", _follow))
    await until(lambda: context.live_session._hub.values._waits)
    gateway.set(INT, 5)
    with pytest.raises(NotMet, match="after the wait began, and not before 3600 s is expected"):
        await waiting


# Around them.


async def test_the_record_has_the_samples_of_a_wait_with_the_moment_of_the_write(
    tmp_path: Path, gateway: SimulatedGateway
) -> None:
    runs = Runs(tmp_path, gateway)
    lines = f"write {INT} 5\nwait {INT} = 5 tol 1 timeout 20s\nexpect {INT} in [5, 6] for 50ms\nwatchdog {INT} < 9\n"
    done = await runs(lines, "--record", "run.jsonl")
    assert done.code == 0, done
    entries = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    waited, held, watched = (each for each in entries if each["command"] == "samples")
    assert [each["statement"]["line"] for each in (waited, held, watched)] == [3, 4, 5]
    assert [bound["kind"] for bound in waited["bounds"]] == ["equal", "band_low", "band_high"]
    assert [point["value"] for point in waited["points"]] == [0, 5]
    (written,) = waited["written_at"]
    assert waited["started_at"] == written < waited["points"][-1]["at"] <= waited["ended_at"]
    assert [bound["value"] for bound in held["bounds"]] == [5.0, 6.0]
    assert watched["written_at"] == []


async def test_a_recorded_script_has_each_form_again(context: Context, gateway: SimulatedGateway) -> None:
    context.records = True
    lines = [
        "expect every Plant.Tank?.Level > 0",
        f"expect {INT} within -5..5 for 50ms",
        f"expect {INT} = tag:{DOUBLE} tol 2%",
        f"wait {INT} in [0, 1] now hold 10ms timeout 20s",
        f"watchdog {INT} < 5",
        "watchdog off",
    ]
    for line in lines:
        await run(context, line, _follow)
    with pytest.raises(NotMet):
        await run(context, "wait any Plant.Tank?.Level < 0 timeout 40ms not before 20ms", _follow)
    recorded = [each.line for each in context.recorder.last(10)]
    assert recorded == [*lines, "wait any Plant.Tank?.Level < 0 timeout 40ms not before 20ms"]


def test_the_forms_are_completed() -> None:
    context = Context(all_commands(), interactive=False)
    kinds = {each.name: each.kind for each in context.registry.commands["watchdog"].parameters}
    assert [each.text for each in kinds["tag"].suggestions("o", context)][:1] == ["off"]
    assert "every" in [each.text for each in kinds["tag"].suggestions("e", context)]
    assert [each.text for each in kinds["operator"].suggestions("w", context)] == ["within"]
    usage = context.registry.commands["watchdog"].usage
    assert usage.startswith("watchdog [every] [any] <tag|item|off> [<operator>] [<value>]")
