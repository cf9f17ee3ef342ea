"""Places of numbers between a lowest and a highest, whatever finite doubles those are."""

import math


def share(number: float, low: float, high: float) -> float:
    """How far a number is on the way from the lowest to the highest, 0 to 1; half-way where those are the same."""
    if not low < high:
        return 0.5
    if math.isinf(high - low):
        number, low, high = number / 2, low / 2, high / 2
    return min(1.0, max(0.0, (number - low) / (high - low)))


def between(low: float, high: float, part: float) -> float:
    """The number that is a part of the way from the lowest to the highest."""
    # The smallest numbers have no half.
    return min(high, max(low, low * (1 - part) + high * part))
