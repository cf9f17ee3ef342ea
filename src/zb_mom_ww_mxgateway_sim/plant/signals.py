"""Simulated measurements: each advised one takes a step along its signal at its turn."""

import zlib
from weakref import WeakSet

from zb_mom_ww_mxgateway_sim.plant.point_store import Point
from zb_mom_ww_mxgateway_sim.plant.signal_shapes import TICK, Interrupted, Signal, Wave
from zb_mom_ww_mxgateway_sim.plant.status import BAD, LAST_VALUE
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource


class Signals:
    """Drives every point that has a signal. A point without listeners costs nothing until it is read."""

    def __init__(self, clock: TimeSource, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._start = clock.monotonic()
        self._tick = 0
        # By the signal's step in ticks, then by the turn in it: a tick moves one turn of each step.
        self._turns: dict[int, dict[int, WeakSet[Point]]] = {}

    def adopt(self, point: Point) -> None:
        """Take in a new point, if it has a signal."""
        signal = point.attribute.signal
        if signal is not None:
            ticks = _ticks(signal)
            turns = self._turns.setdefault(ticks, {})
            turns.setdefault(_turn(signal, self._phase(point)), WeakSet()).add(point)

    def refresh(self, point: Point) -> None:
        """Bring a point without listeners up to date."""
        if point.moved_at_tick != self._tick and point.moves and not point.listeners:
            self.resume(point)

    def resume(self, point: Point) -> None:
        """Give a point with a signal the value of its last step."""
        signal = point.attribute.signal
        if signal is not None:
            phase = self._phase(point)
            ticks = _ticks(signal)
            last = max(0, self._tick - (self._tick - _turn(signal, phase)) % ticks)
            self._step(point, signal, last, phase)
            point.moved_at_tick = self._tick

    def tick(self) -> None:
        """Move the points whose turn it is, once each tick."""
        self._tick += 1
        # Copies: a listener may use a point for the first time.
        for ticks, turns in list(self._turns.items()):
            for point in list(turns.get(self._tick % ticks, ())):
                signal = point.attribute.signal
                if signal is not None and point.moves and point.listeners:
                    self._step(point, signal, self._tick, self._phase(point))

    def _step(self, point: Point, signal: Signal, tick: int, phase: int) -> None:
        ago = round((self._tick - tick) * TICK * 1e9)
        seconds = tick * TICK
        value = signal.value(seconds, phase, point.attribute.type)
        quality = BAD if value is None else point.attribute.quality
        if isinstance(signal, Interrupted) and signal.is_lost(seconds):
            quality = LAST_VALUE
        point.update(value, self._clock.now() - ago, quality)

    def _phase(self, point: Point) -> int:
        # Not hash(): that of a text differs from run to run.
        return zlib.crc32(point.reference.encode(), self._seed & 0xFFFFFFFF)


def _turn(signal: Signal, phase: int) -> int:
    """Return the tick of each step at which a point moves: points with a wave take turns, of which there are many."""
    return phase % _ticks(signal) if isinstance(signal, Wave) else 0


def _ticks(signal: Signal) -> int:
    return max(1, round(signal.step / TICK))
