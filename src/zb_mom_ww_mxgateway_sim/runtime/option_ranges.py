"""Ranges of the numbers that a simulated gateway is set up with."""

import math
from typing import Final

ABOVE_ZERO: Final = math.ulp(0.0)
"""The least number above zero."""


def refuse_below(least: float, **given: float) -> None:
    """Raise ValueError at the first option, by its name, that is less than the least one."""
    for name, value in given.items():
        if not value >= least:
            wanted = "more than 0" if least == ABOVE_ZERO else f"{least:g} or more"
            raise ValueError(f"{name} is {value:g}; use {wanted}")


def delay_range(delay: float | tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the bounds of ``first_change_delay``; None for no delay. Raise ValueError for impossible ones."""
    if delay is None:
        return None
    low, high = delay if isinstance(delay, tuple) else (delay, delay)
    if not 0 <= low <= high:
        raise ValueError(f"first_change_delay goes from {low:g} to {high:g} seconds; use 0 or more, the smaller first")
    return (low, high) if high else None
