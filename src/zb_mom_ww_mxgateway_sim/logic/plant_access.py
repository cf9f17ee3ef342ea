"""The plant as its logic sees it: tags, alarms and time."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from zb_mom_ww_mxgateway_sim.logic.declarations import SHORTEST_PERIOD
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.alarms import Alarm
from zb_mom_ww_mxgateway_sim.plant.point_store import TagReading
from zb_mom_ww_mxgateway_sim.plant.simulated_plant import SimulatedPlant
from zb_mom_ww_mxgateway_sim.plant.status import WRITE_DENIED, Status
from zb_mom_ww_mxgateway_sim.plant.tag_patterns import no_tag
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource, moment
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue

Call = Callable[..., None]


class Plant:
    """The plant, for the functions that move it: ``plant["Mixer1.Speed"]`` is the value of a tag.

    Names are in any letter case. A tag that does not exist, or a value that is not of its type, is a TagError.
    """

    def __init__(self, plant: SimulatedPlant, clock: TimeSource, timers: TimerQueue, call: Call) -> None:
        self._plant = plant
        self._clock = clock
        self._timers = timers
        self._call = call
        self._start = clock.monotonic()

    def __getitem__(self, tag: str) -> Any:
        """Return the tag's value; None if it has none."""
        return self.read(tag).value

    def __setitem__(self, tag: str, value: object) -> None:
        """Set the tag's value, with good quality. See ``set``."""
        self.set(tag, value)

    def read(self, tag: str) -> TagReading:
        """Return the tag's value with its quality and time."""
        try:
            return self._plant.read(tag)
        except KeyError:
            raise TagError(no_tag(self._plant.hierarchy, tag)) from None

    def set(self, tag: str, value: object, quality: int | str = status.GOOD) -> None:
        """Set the tag, read-only or not; None means no value. Advised items report it if it has changed.

        A quality is ``"good"``, ``"uncertain"``, ``"bad"`` or a number from 0 to 255; ValueError for any other.
        The built-in process leaves the tag alone until a client writes it. A tag that the gateway's ``set``, or ``set``
        in a fault file, holds keeps that value.
        """
        try:
            self._plant.points.lead(tag, value, status.quality_of(quality))
        except KeyError:
            raise TagError(no_tag(self._plant.hierarchy, tag)) from None
        except CoercionError as error:
            raise TagError(f"{tag}: {error}") from None

    @property
    def alarms(self) -> Sequence[Alarm]:
        """Alarms that are active or not yet acknowledged, in the order in which they were raised."""
        return () if self._plant.alarms is None else tuple(self._plant.alarms.all)

    def raise_alarm(self, reference: str, *, severity: int = 500, description: str = "") -> None:
        """Raise an alarm ``Galaxy!Area.Object.Alarm``; do nothing if it is active, or if alarms are disabled."""
        if self._plant.alarms is not None:
            self._plant.alarms.raise_alarm(reference, severity=severity, description=description)

    def clear_alarm(self, reference: str) -> None:
        """Clear an alarm; do nothing if it is not active."""
        if self._plant.alarms is not None:
            self._plant.alarms.clear_alarm(reference)

    def refuse_writes(self, glob: str, outcome: Status = WRITE_DENIED) -> None:
        """Complete every write to these tags with this status from now on, without an effect."""
        self._plant.refuse_writes(glob, outcome)

    def allow_writes(self, glob: str | None = None) -> None:
        """Take writes to these tags again; without a glob, to all."""
        self._plant.allow_writes(glob)

    @property
    def time(self) -> float:
        """Seconds of the gateway's clock since the gateway was made."""
        return self._clock.monotonic() - self._start

    @property
    def now(self) -> datetime:
        """The gateway's time, in UTC."""
        return moment(self._clock.now())

    def after(self, seconds: float, function: Callable[["Plant"], object]) -> None:
        """Call ``function(plant)`` once, that many seconds of the gateway's clock from now, but 10 ms at least."""
        if not callable(function):
            raise TypeError(f"after takes a function of the plant, not {function!r}")
        self._timers.after(max(SHORTEST_PERIOD, seconds), lambda: self._call(function, self))
