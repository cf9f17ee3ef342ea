"""Numbers of a column below each other: aligned at the decimal point, each with the decimals that it has."""

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"([-+]?\d+)(?:\.\d+)?(?:e[-+]?\d+)?(?=$|[ %])")
"""A number, perhaps with words behind it; its whole part is the group."""
_MOST = 20
"""Most digits before the point for which others are moved: one huge number does not widen the column of small ones."""


def aligned(texts: Sequence[str]) -> list[str]:
    """Return the texts with blanks before numbers, so that their decimal points are below each other."""
    found = [_NUMBER.match(text) for text in texts]
    places = [len(match[1]) if match else 0 for match in found]
    point = max((place for place in places if place <= _MOST), default=0)
    return [
        f"{' ' * (point - place)}{text}" if 0 < place < point else text
        for text, place in zip(texts, places, strict=True)
    ]
