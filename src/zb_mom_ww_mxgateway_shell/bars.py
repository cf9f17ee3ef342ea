"""A few numbers as a row of blocks."""

from collections.abc import Collection

_BARS = "▁▂▃▄▅▆▇█"


def bars(numbers: Collection[float]) -> str:
    """One block a number, from the lowest of them to the highest; a level line where they are all the same."""
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    step = (high - low) / (len(_BARS) - 1)
    return "".join(_BARS[round((number - low) / step) if step else 3] for number in numbers)
