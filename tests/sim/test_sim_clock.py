"""Time under control: what waits is woken at its own moment."""

import asyncio
from datetime import UTC, datetime

import pytest

from zb_mom_ww_mxgateway_sim import ManualClock, SystemClock
from zb_mom_ww_mxgateway_sim.runtime.task_owner import TaskOwner
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue


async def test_sleepers_wake_in_the_order_of_their_times_each_at_its_own() -> None:
    clock = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))
    begun = clock.now()
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((name, (clock.now() - begun) / 1e9))

    async with asyncio.TaskGroup() as group:
        for name, seconds in (("late", 3.0), ("early", 1.0), ("middle", 2.0)):
            group.create_task(sleeper(name, seconds))
        await clock.advance(2.5)
        assert woken == [("early", 1.0), ("middle", 2.0)]
        await clock.advance(0.5)
    assert woken[-1] == ("late", 3.0)
    assert clock.monotonic() == 3.0


async def test_a_clock_cannot_go_back() -> None:
    with pytest.raises(ValueError, match="go back"):
        await ManualClock().advance(-1)


def test_a_manual_clock_needs_to_know_its_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 3, 1))


async def test_a_timer_queue_keeps_order_and_forgets_what_was_cancelled() -> None:
    clock = ManualClock()
    timers = TimerQueue(clock)
    done: list[str] = []
    tasks = TaskOwner("test")
    tasks.start(timers.run(), "timers")
    timers.after(2, lambda: done.append("second"))
    timers.after(2, lambda: done.append("third"))
    timers.after(1, lambda: done.append("never")).cancel()
    await clock.advance(0)
    timers.after(0.5, lambda: done.append("first"))
    await clock.advance(3)
    await tasks.aclose()
    assert done == ["first", "second", "third"]


async def test_what_recurs_does_not_drift_though_every_wake_up_is_late() -> None:
    class Late(ManualClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds + 0.05)

    clock = Late()
    timers = TimerQueue(clock)
    times: list[float] = []
    tasks = TaskOwner("test")
    timers.every(0.2, lambda: times.append(round(clock.monotonic(), 6)))
    tasks.start(timers.run(), "timers")
    await clock.advance(1.1)
    await tasks.aclose()
    assert times == [0.25, 0.45, 0.65, 0.85, 1.05]


async def test_a_failure_in_the_background_is_shown_and_raised(caplog: pytest.LogCaptureFixture) -> None:
    async def fails() -> None:
        raise RuntimeError("it broke")

    tasks = TaskOwner("owner")
    tasks.start(fails(), "work")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "owner: work failed" in caplog.text
    with pytest.raises(ExceptionGroup) as caught:
        await tasks.aclose()
    assert str(caught.value.exceptions[0]) == "it broke"
    await tasks.aclose()


async def test_the_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.001)
    assert clock.monotonic() > before
    assert abs(clock.now() / 1e9 - datetime.now(UTC).timestamp()) < 5


async def test_an_action_that_is_slower_than_its_period_leaves_time_for_others() -> None:
    class Passing(ManualClock):
        passed = 0.0

        def monotonic(self) -> float:
            return self.passed

    clock = Passing()
    timers = TimerQueue(clock)
    calls = 0

    def slow() -> None:
        nonlocal calls
        calls += 1
        assert calls < 100, "nothing else had a turn"
        clock.passed += 1

    tasks = TaskOwner("test")
    timers.every(0.2, slow)
    clock.passed = 1
    tasks.start(timers.run(), "timers")
    for _ in range(20):
        await asyncio.sleep(0)
    await tasks.aclose()
    assert 1 <= calls <= 21
