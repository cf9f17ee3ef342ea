"""Simulated measurements: each advised one takes a step along its wave at its turn."""

import math
import zlib
from weakref import WeakSet

from zb_mom_ww_mxgateway_sim.plant.model import PlantObject, Wave
from zb_mom_ww_mxgateway_sim.plant.point_store import Point
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, NativeType, Value, coerce_scalar
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource

# Seconds between ticks. The step of a wave is a whole number of ticks.
TICK = 0.2


class Signals:
    """Drives every point that has a wave. A point without listeners costs nothing until it is read."""

    def __init__(self, clock: TimeSource, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._start = clock.monotonic()
        self._tick = 0
        # By the wave's step in ticks, then by the turn in it: a tick moves one turn of each step.
        self._turns: dict[int, dict[int, WeakSet[Point]]] = {}

    def adopt(self, point: Point, plant_object: PlantObject) -> None:
        """Take in a new point, if it has a wave."""
        wave = point.attribute.wave
        if wave is not None:
            ticks = _ticks(wave)
            turns = self._turns.setdefault(ticks, {})
            turns.setdefault(self._phase(point) % ticks, WeakSet()).add(point)

    def refresh(self, point: Point) -> None:
        """Bring a point without listeners up to date."""
        wave = point.attribute.wave
        if wave is not None and point.swung_at_tick != self._tick and point.swings and not point.listeners:
            phase = self._phase(point)
            ticks = _ticks(wave)
            last = self._tick - (self._tick - phase) % ticks
            self._step(point, wave, last, phase)
            point.swung_at_tick = self._tick

    def tick(self) -> None:
        """Move the points whose turn it is, once each tick."""
        self._tick += 1
        for ticks, turns in self._turns.items():
            for point in turns.get(self._tick % ticks, ()):
                wave = point.attribute.wave
                if wave is not None and point.swings and point.listeners:
                    self._step(point, wave, self._tick, self._phase(point))

    def _step(self, point: Point, wave: Wave, tick: int, phase: int) -> None:
        angle = 2 * math.pi * (tick * TICK / wave.period + (phase % 997) / 997)
        ago = round((self._tick - tick) * TICK * 1e9)
        point.update(_value(wave, math.sin(angle), point.attribute.type, tick), self._clock.now() - ago)

    def _phase(self, point: Point) -> int:
        # Not hash(): that of a text differs from run to run.
        return zlib.crc32(point.reference.encode(), self._seed & 0xFFFFFFFF)


def _ticks(wave: Wave) -> int:
    return max(1, round(wave.step / TICK))


def _value(wave: Wave, swing: float, tag_type: NativeType, tick: int) -> Value:
    """Return the wave's value in the type: a Boolean is true in the upper half, a String counts batches."""
    if tag_type is NativeType.BOOLEAN:
        return swing > 0
    if tag_type is NativeType.STRING:
        return f"batch {max(0, tick) // max(1, _ticks(wave)) + 1}"
    number = round(wave.mean + wave.amplitude * swing, wave.decimals)
    try:
        return coerce_scalar(number, tag_type)
    except CoercionError:
        return None
