"""Axes on round numbers: values at 1, 2 or 5 times a power of ten, times at round times of day."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, count, takewhile

from zb_mom_ww_mxgateway_console.render.forms import value_text

_FEWEST = 3
"""Values on both sides of zero need a tick below it, zero, and one above it."""
_FINEST = 1e12
"""Steps from zero beyond which a double can no longer be a multiple of the step."""
_CLOSE = 1e-7
"""Relative error of a 32-bit real that was a round number."""
_MOST_CLOSE = 0.01
"""Part of a step within which a value is a multiple of it at most."""
_SMALLEST = 1e-300
_LABEL = 9
"""Columns of a label before it is written with an exponent."""
_SECONDS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
_SECOND = 1_000_000
_DAY = 86_400 * _SECOND


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of values; its ends are ticks."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    """Places and labels, from low to high."""


BOOLEAN = Axis(0.0, 1.0, ((0.0, "false"), (1.0, "true")))
"""The axis of a Boolean."""


def value_axis(low: float, high: float, most: int) -> Axis:
    """Return an axis with at most `most` (3 or more) ticks, which contains two finite numbers.

    Its ends are round; where doubles are too large or too close together for that, they are the numbers themselves.
    Equal numbers are in the middle of it.
    """
    if low == high:
        margin = abs(low) * 0.05 or 1.0
        low, high = low - margin, high + margin
        if not (math.isfinite(low) and math.isfinite(high)):
            low = high = low + margin if math.isfinite(low) else high - margin
    return _round_axis(low, high, max(_FEWEST, most)) or _exact_axis(low, high)


def _exact_axis(low: float, high: float) -> Axis:
    places = [low] if low == high else [low, high]
    return Axis(low, high, [(place, value_text(place).removesuffix(".0")) for place in places])


def _round_axis(low: float, high: float, most: int) -> Axis | None:
    rough = (high - low) / (most - 1)
    if not (math.isfinite(rough) and rough > _SMALLEST):
        return None
    for exponent in count(math.floor(math.log10(rough))):
        for factor in (1, 2, 5):
            step = float(f"{factor}e{exponent}")
            if not (0 < step < math.inf) or max(abs(low), abs(high)) / step > _FINEST:
                return None
            first, last = math.floor(low / step + _close(low / step)), math.ceil(high / step - _close(high / step))
            if last - first < most:
                # From text: 3 * 0.1 is not 0.3.
                places = [float(f"{number * factor}e{exponent}") for number in range(first, last + 1)]
                if not (math.isfinite(places[0]) and math.isfinite(places[-1])):
                    return None
                return Axis(places[0], places[-1], list(zip(places, _labels(places, exponent), strict=True)))
    raise AssertionError("the exponents have no end")


def _close(steps: float) -> float:
    """Return the part of a step that is a rounding error at this many steps: 12.2 / 0.05 is a little less than 244."""
    return min(_MOST_CLOSE, 1e-9 + abs(steps) * _CLOSE)


def _labels(places: Sequence[float], exponent: int) -> list[str]:
    """Return labels with the same decimals: those of 10 to the power `exponent`."""
    plain = [f"{place:.{max(0, -exponent)}f}" for place in places]
    if max(map(len, plain)) > _LABEL:
        short = [_with_exponent(place, exponent) for place in places]
        plain = min(plain, short, key=lambda labels: max(map(len, labels)))
    return plain


def _with_exponent(place: float, exponent: int) -> str:
    if place == 0:
        return "0"
    digits = max(0, math.floor(math.log10(abs(place))) - exponent)
    mantissa, _, power = f"{place:.{digits}e}".partition("e")
    return f"{mantissa}e{int(power)}"


def time_ticks(start: datetime, end: datetime, columns: int) -> list[tuple[float, str]]:
    """Return round times between two times of one zone, as the part (0 to 1) of the way from `start`, and as text.

    As many as fit side by side in so many columns.
    """
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    offset, span = _microseconds(start - midnight), _microseconds(end - start)
    for step in _time_steps(4 * span):
        form = "%H:%M:%S" if step < 60 * _SECOND else "%H:%M" if step < _DAY else "%m-%d"
        tenths = step < _SECOND
        if columns * step < span * (len(f"{midnight:{form}}") + 2 * tenths + 2):
            continue
        places = range(-(-offset // step) * step, offset + span + 1, step)
        times = [(place, midnight + timedelta(microseconds=place)) for place in places]
        return [
            ((place - offset) / span, f"{at:{form}}{f'.{at.microsecond // 100_000}' * tenths}") for place, at in times
        ]
    return []


def _time_steps(most: int) -> Iterator[int]:
    """Yield the steps between round times up to `most`, in microseconds."""
    days = (_DAY * 2**power for power in count(1))
    return takewhile(lambda step: step <= most, chain((round(each * _SECOND) for each in _SECONDS), days))


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
