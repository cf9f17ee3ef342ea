"""Courses of values over time."""

import math
from dataclasses import dataclass
from typing import Protocol

from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, NativeType, Scalar, Value, coerce_scalar

TICK = 0.2
"""Seconds between the ticks of the plant. The step of a signal is a whole number of them."""

# So that 0.6 s is the third tick in spite of the rounding of floats.
_ROUNDING = 1e-9
_WORD = 2**64 - 1


class Signal(Protocol):
    """The course of a value, with a new value every ``step`` seconds."""

    @property
    def step(self) -> float:
        """Seconds between new values."""

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value that many seconds after the start of the plant; None where the type has none.

        ``phase`` is a number that differs from tag to tag.
        """


@dataclass(frozen=True, slots=True)
class Wave:
    """The course of a simulated measurement of the built-in plant. Each tag has its own phase.

    A Boolean is true in the upper half, and a String counts batches.
    """

    mean: float
    amplitude: float
    period: float = 60.0
    step: float = 1.0
    decimals: int = 2

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value at that time."""
        swing = math.sin(2 * math.pi * (seconds / self.period + (phase % 997) / 997))
        if tag_type is NativeType.BOOLEAN:
            return swing > 0
        if tag_type is NativeType.STRING:
            return f"batch {_count(seconds, self.step) + 1}"
        return _converted(round(self.mean + self.amplitude * swing, self.decimals), tag_type)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A wave whose source is there for some seconds and then lost for some, again and again."""

    wave: Wave
    there: float
    lost: float

    @property
    def step(self) -> float:
        """Seconds between new values."""
        return self.wave.step

    def is_lost(self, seconds: float) -> bool:
        """Return whether the source is lost at that time."""
        return seconds % (self.there + self.lost) >= self.there

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value at that time; while the source is lost, the last one before."""
        since = seconds % (self.there + self.lost) - self.there
        return self.wave.value(seconds - max(0.0, since), phase, tag_type)


@dataclass(frozen=True, slots=True)
class Sine:
    """A sine between two values. It begins in the middle, rising."""

    low: float
    high: float
    period: float
    step: float

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value at that time."""
        half = (self.high - self.low) / 2
        return rounded(self.low + half + half * math.sin(2 * math.pi * seconds / self.period), 2 * half, tag_type)


@dataclass(frozen=True, slots=True)
class Ramp:
    """A straight line from one value to another, again and again."""

    first: float
    last: float
    period: float
    step: float

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value at that time."""
        way = self.last - self.first
        return rounded(self.first + way * _part(seconds, self.period), way, tag_type)


@dataclass(frozen=True, slots=True)
class Square:
    """One value for the first half of each period, another for the second."""

    first: Scalar
    second: Scalar
    period: float
    step: float = TICK

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value at that time."""
        return self.first if _part(seconds, self.period) < 0.5 else self.second


@dataclass(frozen=True, slots=True)
class RandomNumbers:
    """Numbers between two values, each as likely."""

    low: float
    high: float
    step: float

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value at that time."""
        way = self.high - self.low
        return rounded(self.low + way * _uniform(phase, _count(seconds, self.step)), way, tag_type)


@dataclass(frozen=True, slots=True)
class Noise:
    """Normally distributed numbers about a mean."""

    mean: float
    deviation: float
    step: float

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value at that time."""
        number = 2 * _count(seconds, self.step)
        far = math.sqrt(-2 * math.log(1 - _uniform(phase, number)))
        swing = far * math.cos(2 * math.pi * _uniform(phase, number + 1))
        return rounded(self.mean + self.deviation * swing, self.deviation, tag_type)


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that grows by one each period. After the largest Integer comes 0."""

    first: float
    period: float
    step: float = TICK

    def value(self, seconds: float, phase: int, tag_type: NativeType) -> Value:
        """Return the value at that time."""
        number = self.first + _count(seconds, self.period)
        return _converted(number % 2**31 if tag_type is NativeType.INTEGER and number >= 2**31 else number, tag_type)


def rounded(number: float, span: float, tag_type: NativeType) -> Value:
    """Return a number in the type, with about a thousandth of the span as its last digit."""
    decimals = 3 - math.floor(math.log10(abs(span))) if span else 6
    return _converted(round(number, decimals) if decimals > 0 else number, tag_type)


def _converted(number: float, tag_type: NativeType) -> Value:
    try:
        return coerce_scalar(number, tag_type)
    except CoercionError:
        return None


def _count(seconds: float, period: float) -> int:
    return max(0, int(seconds / period + _ROUNDING))


def _part(seconds: float, period: float) -> float:
    return max(0.0, seconds / period + _ROUNDING) % 1


def _uniform(seed: int, number: int) -> float:
    """Return a number from 0 to 1, below 1, that looks random: splitmix64 of a seed at a position."""
    word = ((seed << 32) + (number + 1) * 0x9E3779B97F4A7C15) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return ((word ^ (word >> 31)) >> 11) / 2**53
