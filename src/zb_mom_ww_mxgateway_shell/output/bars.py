"""A few numbers as a row of blocks."""

from collections.abc import Collection

from zb_mom_ww_mxgateway_shell.output.scale import share

_BARS = "▁▂▃▄▅▆▇█"


def bars(numbers: Collection[float]) -> str:
    """One block a number, all of them finite, from the lowest to the highest; level where all are the same."""
    if not numbers:
        return ""
    low, high = min(numbers), max(numbers)
    if low == high:
        return _BARS[3] * len(numbers)
    return "".join(_BARS[round(share(number, low, high) * (len(_BARS) - 1))] for number in numbers)
