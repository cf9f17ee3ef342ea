"""Numbers between a lowest and a highest, whatever finite doubles those are: their places, and a sparkline of them."""

import math
from collections.abc import Collection

_BARS = "▁▂▃▄▅▆▇█"


def share(number: float, low: float, high: float) -> float:
    """Return how far a number is on the way from the lowest to the highest, 0 to 1; 0.5 where those are equal."""
    if not low < high:
        return 0.5
    if math.isinf(high - low):
        number, low, high = number / 2, low / 2, high / 2
    return min(1.0, max(0.0, (number - low) / (high - low)))


def sparkline(numbers: Collection[float]) -> str:
    """Return one block for each finite number, from the lowest to the highest; level where all are equal."""
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    if low == high:
        return _BARS[3] * len(numbers)
    return "".join(_BARS[round(share(number, low, high) * (len(_BARS) - 1))] for number in numbers)
