"""The clock that counts while the machine sleeps."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from zb_mom_ww_mxgateway.system import clock


class Fixed:
    """Two clocks that a test sets."""

    def __init__(self) -> None:
        self.counts, self.stands = 1000.0, 500.0

    def with_sleep(self) -> float:
        return self.counts

    def without_sleep(self) -> float:
        return self.stands

    def pass_awake(self, seconds: float) -> None:
        self.counts += seconds
        self.stands += seconds


def test_a_system_with_a_clock_that_counts_sleep_uses_it() -> None:
    before = time.monotonic()
    now = clock.monotonic()
    assert before - 0.001 <= now <= time.monotonic() + 0.001
    assert clock.SleepWatch().slept() == 0


def test_sleep_is_what_one_clock_counted_and_the_other_did_not() -> None:
    fixed = Fixed()
    with clock.replaced(fixed):
        watch = clock.SleepWatch()
        fixed.pass_awake(3600)
        assert watch.slept() == 0
        fixed.counts += 3600
        assert watch.slept() == 3600
        assert watch.slept() == 0
        assert clock.monotonic() == fixed.counts
    assert clock.monotonic() != fixed.counts


def test_where_there_is_one_monotonic_clock_the_time_of_day_tells_of_sleep() -> None:
    monotonic, of_day = 10.0, 1_000_000.0
    clocks = clock.EstimatedClocks(lambda: monotonic, lambda: of_day)
    monotonic, of_day = monotonic + 5, of_day + 5
    assert clocks.with_sleep() == 15
    of_day += 3600
    assert (clocks.with_sleep(), clocks.without_sleep()) == (3615, 15)
    assert clocks.with_sleep() == 3615  # It slept once.
    of_day -= 7200  # set back: no time goes back with it
    assert clocks.with_sleep() == 3615
    monotonic, of_day = monotonic + 1, of_day + 1
    assert clocks.with_sleep() == 3616


def test_on_linux_it_is_the_time_since_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return
    before, of_system = clock.monotonic(), time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda which: of_system(which) + 3600 * (which == time.CLOCK_BOOTTIME))
    assert clock.monotonic() >= before + 3600


async def test_a_timeout_is_over_when_the_machine_slept_through_it() -> None:
    machine = clock.SimulatedSleep()

    async def wait(seconds: float) -> None:
        async with clock.timeout(seconds):
            machine.sleep(seconds)
            await asyncio.Event().wait()

    with clock.replaced(machine):
        with pytest.raises(TimeoutError):
            await wait(3600)
        sleeping = asyncio.create_task(clock.sleep(3600))
        await asyncio.sleep(0)
        machine.sleep(3600)
        async with asyncio.timeout(20):
            await sleeping


@pytest.mark.parametrize("wait", [clock.sleep, clock.timeout])
async def test_it_is_looked_again_and_again_whether_the_machine_slept(
    wait: Callable[[float], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "_CHECK_SECONDS", 0.01)
    machine = clock.SimulatedSleep()

    async def over() -> None:
        if wait is clock.sleep:
            await clock.sleep(3600)
            return
        with pytest.raises(TimeoutError):
            async with clock.timeout(3600):
                await asyncio.Event().wait()

    with clock.replaced(machine):
        waits = asyncio.ensure_future(over())
        for _ in range(3):  # Some looks later.
            await asyncio.wait([waits], timeout=0.02)
        assert not waits.done()
        machine.sleep(3600)
        await asyncio.wait_for(waits, 30)


async def test_a_timeout_that_is_not_over_changes_nothing() -> None:
    async with clock.timeout(20), clock.timeout(None):
        await asyncio.sleep(0)
    for seconds in (0, 0.01):
        with pytest.raises(TimeoutError):
            async with clock.timeout(seconds):
                await asyncio.Event().wait()
