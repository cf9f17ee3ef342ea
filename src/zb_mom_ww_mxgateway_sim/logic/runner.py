"""Runs the logic of a plant: at its times, for its writes, and on after its failures."""

import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path

from zb_mom_ww_mxgateway_sim.logic.declarations import (
    SHORTEST_PERIOD,
    PeriodTrigger,
    PlantLogic,
    WriteTrigger,
    name_of,
    place_of,
)
from zb_mom_ww_mxgateway_sim.logic.plant_access import Plant
from zb_mom_ww_mxgateway_sim.logic.plant_file import place_in, said_of
from zb_mom_ww_mxgateway_sim.logic.watchdog import CallInterrupted, Watchdog
from zb_mom_ww_mxgateway_sim.plant.simulated_plant import SimulatedPlant
from zb_mom_ww_mxgateway_sim.plant.tag_patterns import TagPattern
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import PlantError, TagError
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue
from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteQueue, WriteRecord

_log = logging.getLogger(__package__)
_MOST_KEPT = 1000


class LogicRunner:
    """The logic of one plant, running. A failure is one line in the log, and again at 10, 100, … times of it."""

    def __init__(
        self, logic: PlantLogic, plant: SimulatedPlant, writes: WriteQueue, timers: TimerQueue, clock: TimeSource
    ) -> None:
        """Listen to writes. Raise PlantError for a function of a tag that does not exist."""
        self._timers = timers
        self._access = Plant(plant, clock, timers, self._call)
        self._is_wanted = bool(logic.triggers)
        self._clock = clock
        self._given_up: set[Callable[..., object]] = set()
        self._periods = [trigger for trigger in logic.triggers if isinstance(trigger, PeriodTrigger)]
        self._watchdog = Watchdog(_log.warning)
        self._times: dict[tuple[str, str], int] = {}
        self.failures: deque[str] = deque(maxlen=_MOST_KEPT)
        for trigger in logic.triggers:
            if isinstance(trigger, WriteTrigger):
                try:
                    plant.check_glob(trigger.glob)
                except TagError as error:
                    raise PlantError(f"{place_of(trigger.function)}: {error}") from error
                writes.listen(TagPattern(trigger.glob), self._on_write(trigger.function), stores=trigger.stores)

    def run(self) -> None:
        """Call the functions at their periods from now on."""
        if self._is_wanted:
            self._watchdog.start()
        for trigger in self._periods:
            self._repeat(trigger)

    def close(self) -> None:
        """End the watch on the calls. Idempotent."""
        self._watchdog.stop()

    def _on_write(self, function: Callable[..., object]) -> Callable[[WriteRecord], None]:
        return lambda record: self._call(function, self._access, record)

    def _repeat(self, trigger: PeriodTrigger) -> None:
        """Call the function at its period, without drift. Calls that are missed are left out."""
        due = self._clock.monotonic() + trigger.seconds

        def again() -> None:
            nonlocal due
            self._call(trigger.function, self._access)
            # A call that takes longer than its period must leave time for everything else.
            now = self._clock.monotonic()
            due = max(due + trigger.seconds, now + SHORTEST_PERIOD)
            self._timers.after(due - now, again)

        self._timers.after(trigger.seconds, again)

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        if function in self._given_up:
            return
        try:
            self._watchdog.call(function, *arguments)
        except CallInterrupted as error:
            self._given_up.add(function)
            why = "ended, because it did not return" if self._watchdog.is_expired else "interrupted"
            self._report(function, error, f"{why}, and not called again")
        except (Exception, SystemExit) as error:
            self._report(function, error, said_of(error))

    def _report(self, function: Callable[..., object], error: BaseException, text: str) -> None:
        declared = place_of(function)
        place = place_in(error.__traceback__, Path(declared.rpartition(":")[0])) or declared
        line = f"{place}: {name_of(function)}: {text}"
        self.failures.append(line)
        key = (place, type(error).__name__)
        if len(self._times) >= _MOST_KEPT and key not in self._times:
            return
        times = self._times[key] = self._times.get(key, 0) + 1
        if times == 1:
            _log.warning("%s", line)
        elif str(times).strip("0") == "1":
            _log.warning("%s (%d times by now)", line, times)
