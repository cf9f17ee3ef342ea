"""The decimals of tags: those that their values have, so that all values of a tag have the same number of them."""

import re
from typing import Any

from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.forms import value_text

_REAL = re.compile(r"[-+]?\d+\.(\d+)")
MOST_DECIMALS = 6
"""Decimals beyond which a value is shown as it is: a sensor's noise has up to 15 of them."""

_MOST_TAGS = 20_000
"""Tags whose decimals are kept."""


def decimals_of(value: Any) -> int:
    """Return how many decimals a real is shown with; 0 for one with an exponent or too many, and for anything else."""
    if isinstance(value, Typed):
        value = value.sent
    if not isinstance(value, float):
        return 0
    found = _REAL.fullmatch(value_text(value))
    return len(found[1]) if found and len(found[1]) <= MOST_DECIMALS else 0


def decimal_text(value: Any, decimals: int) -> str:
    """Return a value for a person; a real with fewer decimals gets zeros, and no digit is ever left out."""
    text = value_text(value)
    own = decimals_of(value)
    return f"{text}{'0' * (decimals - own)}" if 0 < own < decimals else text


class TagDecimals:
    """The most decimals that values of each tag had, as far as they were looked at."""

    def __init__(self) -> None:
        self._most: dict[str, int] = {}

    def note(self, tag: str, *values: Any) -> int:
        """Take in values of a tag; return its decimals."""
        most = max(map(decimals_of, values), default=0)
        if most > self._most.get(tag, 0):
            if len(self._most) >= _MOST_TAGS:
                self._most.clear()
            self._most[tag] = most
        return self._most.get(tag, 0)

    def text(self, tag: str, value: Any) -> str:
        """Return a value with the decimals of its tag."""
        return decimal_text(value, self._most.get(tag, 0))
