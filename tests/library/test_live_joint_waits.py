"""Waits and observations of several items at once."""

import asyncio
from collections.abc import Callable

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import Item, LiveSession, LiveValue, MxGatewayArgumentError, MxGatewayWaitError
from zb_mom_ww_mxgateway.live.wait import Wait
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestDouble"


@pytest.fixture
async def items(live: LiveSession) -> list[Item]:
    """INT and DOUBLE, advised, with first values of 0."""
    server = await live.session.register("live")
    found = await live.subscribe_tags([INT, DOUBLE], server)
    for each in found:
        await live.first_value(each)
    return list(found)


def _both(live: LiveSession, items: list[Item], wanted: float) -> Callable[[], bool]:
    def judge() -> bool:
        values = [live.latest(*item.key) for item in items]
        return all(value is not None and value.stale_since is None and value.value == wanted for value in values)

    return judge


async def test_a_condition_on_two_items_is_judged_at_the_changes_of_both(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    waiting = asyncio.create_task(live.wait_until(items, _both(live, items, 5), timeout=20))
    await eventually(lambda: live._hub.values._waits, "the wait has begun", seconds=20)
    gateway.set(DOUBLE, 5.0)
    gateway.set(INT, 5)
    value = await waiting
    assert (value.tag, value.value) == (INT, 5)
    # What is held counts at once.
    assert (await live.wait_until(items, _both(live, items, 5), timeout=20)).value == 5


async def test_a_hold_of_two_items_is_broken_by_either(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    waiting = asyncio.create_task(live.wait_until(items, _both(live, items, 0), timeout=3600, hold=3000))
    waits = live._hub.values._waits
    await eventually(lambda: waits and _wait_of(live, items).course.satisfied, "the value held is judged", seconds=20)
    for value in (1.0, 0.0):
        gateway.set(DOUBLE, value)
    await eventually(lambda: _wait_of(live, items).course.satisfied >= 2, "it holds again", seconds=20)
    assert (_wait_of(live, items).course.breaks, waiting.done()) == (1, False)
    waiting.cancel()


def _wait_of(live: LiveSession, items: list[Item]) -> Wait:
    (wait,) = live._hub.values._waits[items[1].key]
    assert isinstance(wait, Wait)
    return wait


async def test_the_time_of_a_joint_wait_ends(live: LiveSession, items: list[Item]) -> None:
    with pytest.raises(MxGatewayWaitError, match=r"the condition on 2 items, .*TestInt first, .* within 0\.05 s"):
        await live.wait_until(items, lambda: False, timeout=0.05)


async def test_a_wait_on_no_item_is_refused(live: LiveSession) -> None:
    with pytest.raises(MxGatewayArgumentError, match="at least one item"):
        await live.wait_until([], lambda: True, timeout=1)


async def test_an_observation_sees_every_change_and_every_doubt(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    seen: list[object] = []

    def look(value: LiveValue | None) -> None:
        seen.append(None if value is None else value.value)

    with live.observe(items, look) as observation:
        gateway.set(INT, 1)
        gateway.set(INT, 0)
        gateway.set(DOUBLE, 2.5)
        await eventually(lambda: len(seen) >= 3, "all changes are seen", seconds=20)
        assert seen == [1, 0, 2.5]
        await live.session.suspend(*items[0].key)
        await eventually(lambda: None in seen, "the doubt is seen", seconds=20)
    assert not observation.is_active
    assert not live._hub.values._waits


async def test_an_observer_that_fails_or_ends_itself_leaves_the_others_alone(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: reports.append(context["message"]))
    calls: list[object] = []

    def fails(value: LiveValue | None) -> None:
        raise ValueError("on purpose")

    def ends(value: LiveValue | None) -> None:
        calls.append(value)
        ending.close()

    live.observe(items, fails)
    ending = live.observe(items, ends)
    await live.aclose()
    assert len(calls) == 1
    assert all("on purpose" in report for report in reports)
    assert len(reports) >= 2


async def test_a_pulse_since_the_first_write_counts_until_the_next_check(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    integer, real = items
    await live.write_and_confirm(*integer.key, 5)
    for value in (1.0, 2.0):
        gateway.set(DOUBLE, value)
    await eventually(lambda: live[DOUBLE].value == 2.0, "the pulse is over", seconds=20)
    assert [each.value for each in live.came_since_write(*real.key)] == [1.0, 2.0]
    met = await live.wait_for(DOUBLE, lambda value: value == 1.0, timeout=20, new=True)
    assert met.value == 1.0
    # That was a check.
    assert live.came_since_write(*real.key) == []
    with pytest.raises(MxGatewayWaitError) as ended:
        await live.wait_for(DOUBLE, lambda value: value == 1.0, timeout=1, new=True)
    assert [each.value for each in ended.value.seen] == [2.0]


async def test_a_hold_is_not_met_by_a_pulse(gateway: SimulatedGateway, live: LiveSession, items: list[Item]) -> None:
    await live.write_and_confirm(*items[0].key, 5)
    for value in (1.0, 2.0):
        gateway.set(DOUBLE, value)
    await eventually(lambda: live[DOUBLE].value == 2.0, "the pulse is over", seconds=20)
    seen: list[object] = []
    for timeout in (0.05, 0.5, 5, 50):  # A short one may end before the gateway has answered.
        with pytest.raises(MxGatewayWaitError) as ended:
            await live.wait_for(DOUBLE, lambda value: value == 1.0, timeout=timeout, hold=0.01, new=True)
        if seen := [each.value for each in ended.value.seen]:
            break
    assert seen == [2.0]
