"""Paces of a replay. A module of its own: the help of a program needs no messages."""

import math
import re

_MULTIPLE = re.compile(r"(\d+(?:\.\d+)?)x", re.ASCII)


def parse_pace(text: str) -> float:
    """Return how many times faster than it was recorded; infinity for ``at-once``. Raise ValueError."""
    if text in ("at-once", "recorded"):
        return math.inf if text == "at-once" else 1.0
    found = _MULTIPLE.fullmatch(text)
    if found is None or float(found[1]) == 0:
        raise ValueError(f"{text!r} is not a pace; use at-once, recorded, or a multiple such as 10x")
    return float(found[1])
