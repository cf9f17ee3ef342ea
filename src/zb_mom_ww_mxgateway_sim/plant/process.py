"""The process of the plant: two tanks with valves and pumps, a level controller, alarm limits."""

import math
import random
from collections.abc import Callable

from zb_mom_ww_mxgateway_sim.plant.point_store import Point, PointStore
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value, coerce_scalar
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource

# Flow in % of a tank's volume a second: a full pump through an open inlet, an open outlet under a full tank.
_FEED = 6.0
_DRAIN = 6.2
# The supply pressure swings, so that a level always moves.
_SUPPLY_SWING, _SUPPLY_PERIOD = 0.15, 20.0
_OVERFLOW_AT = 98.0
_VOLUME = 20.0
# An alarm clears this far inside its limit.
_ALARM_DEADBAND = 0.5


class _Values:
    """The plant's points by name, to be read and set."""

    def __init__(self, points: PointStore, clock: TimeSource) -> None:
        self._points = points
        self._clock = clock
        self._known: dict[str, Point] = {}

    def point(self, name: str) -> Point:
        point = self._known.get(name)
        if point is None:
            point = self._points.find(name)
            if point is None:
                raise LookupError(f"the plant's layout has no {name}")
            self._points.keep(point)
            self._known[name] = point
        return point

    def number(self, name: str) -> float:
        value = self.point(name).value
        return float(value) if isinstance(value, bool | int | float) else 0.0

    def flag(self, name: str) -> bool:
        return bool(self.point(name).value)

    def forced(self, name: str) -> float | None:
        """Return the number that somebody else holds the point at; None if the process moves it."""
        point = self.point(name)
        return self.number(name) if (point.forced or point.led) and point.value is not None else None

    def put(self, name: str, value: Value) -> None:
        """Set the value, unless ``SimulatedGateway.set`` or the user's own logic holds the point."""
        point = self.point(name)
        if point.forced or point.led:
            return
        if isinstance(value, float) and point.attribute.type is NativeType.FLOAT:
            value = coerce_scalar(value, NativeType.FLOAT)
        if point.value != value:
            point.update(value, self._clock.now())


class _Valve:
    """A valve that moves to its target at the speed of its travel time."""

    def __init__(self, values: _Values, name: str) -> None:
        self._values = values
        self._name = name
        self.position = values.number(f"{name}.Position")
        self.target = self.position
        self._steered(values.point(f"{name}.Position"))
        values.put(f"{name}.Position.Target", self.target)

    def _steered(self, point: Point) -> None:
        def go(value: Value) -> None:
            if isinstance(value, int | float):
                self.go_to(value)

        point.on_write = go

    def go_to(self, target: float) -> None:
        self.target = min(100.0, max(0.0, target))
        self._values.put(f"{self._name}.Position.Target", round(self.target, 1))

    def step(self, seconds: float) -> None:
        reach = 100.0 * seconds / max(0.1, self._values.number(f"{self._name}.Position.TravelTime"))
        self.position += min(reach, max(-reach, self.target - self.position))
        forced = self._values.forced(f"{self._name}.Position")
        if forced is not None:
            self.position = self.target = forced
        self._values.put(f"{self._name}.Position", round(self.position, 1))
        self._values.put(f"{self._name}.Travelling", abs(self.target - self.position) > 0.05)


class _Pump:
    """A pump that starts a moment after its command, and draws current by its speed."""

    def __init__(self, values: _Values, name: str, noise: Callable[[], float]) -> None:
        self._values = values
        self._name = name
        self._noise = noise
        self._differing_for = 0.0
        self._ran = 0.0
        values.point(f"{name}.Start").on_write = lambda value: self._command(True, value)
        values.point(f"{name}.Stop").on_write = lambda value: self._command(False, value)

    def _command(self, run: bool, pressed: Value) -> None:
        # A push button: only the press counts, and the button springs back.
        if pressed:
            self._values.put(f"{self._name}.Command", run)

    @property
    def flow(self) -> float:
        """Flow from 0 to 1."""
        running = self._values.flag(f"{self._name}.Running")
        return min(100.0, max(0.0, self._values.number(f"{self._name}.Speed"))) / 100 if running else 0.0

    def step(self, seconds: float) -> None:
        values, name = self._values, self._name
        wanted, running = values.flag(f"{name}.Command"), values.flag(f"{name}.Running")
        self._differing_for = 0.0 if wanted == running else self._differing_for + seconds
        if self._differing_for >= 1.0:
            running = wanted
            values.put(f"{name}.Running", running)
            values.put(f"{name}.Starts", int(values.number(f"{name}.Starts")) + running)
        if running:
            self._ran += seconds
            values.put(f"{name}.RunTime", float(math.floor(self._ran)))
        load = 2.0 + 9.5 * self.flow + 0.05 * self._noise() if running else 0.0
        values.put(f"{name}.Current", round(load, 2))


class PlantProcess:
    """All that moves by physics. ``step`` takes the seconds since the last step."""

    def __init__(self, points: PointStore, clock: TimeSource, seed: int) -> None:
        self._values = values = _Values(points, clock)
        random_source = random.Random(seed)

        def noise() -> float:
            return random_source.uniform(-1.0, 1.0)

        self._noise = noise
        self._inlet = _Valve(values, "Plant.Tank1.Inlet")
        self._outlet1 = _Valve(values, "Plant.Tank1.Outlet")
        self._outlet2 = _Valve(values, "Plant.Tank2.Outlet")
        self._pump1 = _Pump(values, "Plant.Pump1", noise)
        self._pump2 = _Pump(values, "Plant.Pump2", noise)
        self._level1 = values.number("Plant.Tank1.Level")
        self._level2 = values.number("Plant.Tank2.Level")
        self._time = 0.0
        self._integral = self._inlet.target
        self._in_auto = False
        # The setpoints of controller and tank are one value under two names.
        values.put("Plant.LC1.SP", values.number("Plant.Tank1.LevelSP"))
        values.point("Plant.LC1.SP").on_write = self._setpoint
        values.point("Plant.Tank1.LevelSP").on_write = self._setpoint

    def _setpoint(self, value: Value) -> None:
        self._values.put("Plant.LC1.SP", value)
        self._values.put("Plant.Tank1.LevelSP", value)

    def step(self, seconds: float) -> None:
        """Move the plant on by that many seconds."""
        self._time += seconds
        self._control(seconds)
        for part in (self._inlet, self._outlet1, self._outlet2, self._pump1, self._pump2):
            part.step(seconds)
        self._flow(seconds)
        self._show("Plant.Tank1", self._level1)
        self._show("Plant.Tank2", self._level2)
        self._values.put("Plant.LC1.PV", round(self._level1, 2))
        self._values.put("Plant.LC1.Output", round(self._inlet.target, 1))
        tripped = self._level1 >= _OVERFLOW_AT or self._level2 >= _OVERFLOW_AT
        self._values.put("Plant.Interlock.Tripped", tripped and not self._values.flag("Plant.Interlock.Bypass"))

    def _control(self, seconds: float) -> None:
        values = self._values
        if not values.flag("Plant.LC1.Auto"):
            self._in_auto = False
            return
        error = values.number("Plant.LC1.SP") - self._level1
        gain = values.number("Plant.LC1.Gain")
        if not self._in_auto:
            self._integral = self._inlet.target
            self._in_auto = True
        output = self._integral + gain * error
        if 0.0 < output < 100.0 or (error > 0) != (output > 0):
            # With the output at its stop the integral would wind up.
            self._integral += gain * error * seconds / max(1.0, values.number("Plant.LC1.ResetTime"))
        self._inlet.go_to(output)

    def _flow(self, seconds: float) -> None:
        swing = 1 + _SUPPLY_SWING * math.cos(2 * math.pi * self._time / _SUPPLY_PERIOD) + 0.01 * self._noise()
        into1 = _FEED * self._pump1.flow * self._inlet.position / 100 * swing
        over = _DRAIN * self._outlet1.position / 100 * math.sqrt(self._level1 / 100)
        head2 = math.sqrt(self._level2 / 100)
        out2 = _DRAIN * self._outlet2.position / 100 * head2 * (0.6 + 0.6 * self._pump2.flow)
        self._level1 = self._level("Plant.Tank1.Level", self._level1 + (into1 - over) * seconds)
        self._level2 = self._level("Plant.Tank2.Level", self._level2 + (over - out2) * seconds)

    def _level(self, name: str, computed: float) -> float:
        forced = self._values.forced(name)
        return min(100.0, max(0.0, computed if forced is None else forced))

    def _show(self, tank: str, level: float) -> None:
        values = self._values
        values.put(f"{tank}.Level", round(level, 2))
        values.put(f"{tank}.Volume", round(level / 100 * _VOLUME, 2))
        values.put(f"{tank}.Overflow", level >= _OVERFLOW_AT)
        raised = False
        for name, sign in (("HiHi", 1), ("Hi", 1), ("Lo", -1), ("LoLo", -1)):
            alarm = f"{tank}.Level.{name}"
            beyond = sign * (level - values.number(f"{alarm}.Limit"))
            stays = values.flag(f"{alarm}.InAlarm") and beyond > -_ALARM_DEADBAND
            raised = raised or beyond >= 0 or stays
            values.put(f"{alarm}.InAlarm", beyond >= 0 or stays)
        values.put(f"{tank}.InAlarm", raised)
