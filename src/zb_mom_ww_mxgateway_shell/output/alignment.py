"""Numbers of a column below each other: aligned at the decimal point, each with the decimals that it has."""

import re
from collections.abc import Iterable, Sequence

from zb_mom_ww_mxgateway_console.text.terminal_text import padded, width

_NUMBER = re.compile(r"([-+]?\d+)(?:\.\d+)?(?:e[-+]?\d+)?(?=$|[ %])")
"""A number, perhaps with words behind it; its whole part is the group."""
_MOST = 20
"""Most digits before the point for which others are moved: one huge number does not widen the column of small ones."""
_WIDEST = 40
"""Most columns to which a cell of a line is filled up."""


def aligned(texts: Sequence[str]) -> list[str]:
    """Return the texts with blanks before numbers, so that their decimal points are below each other."""
    places = [_whole_part(text) for text in texts]
    point = max((place for place in places if place <= _MOST), default=0)
    return [_moved(text, place, point) for text, place in zip(texts, places, strict=True)]


def _whole_part(text: str) -> int:
    """Return the columns before the decimal point of a number; 0 for anything else."""
    match = _NUMBER.match(text)
    return len(match[1]) if match else 0


def _moved(text: str, place: int, point: int) -> str:
    return f"{' ' * (point - place)}{text}" if 0 < place < point else text


class SampleColumns:
    """Columns of lines that are shown one after the other: a tag, and its value at that time.

    A line that is shown stays as it is, so a wider value moves only those that come after it.
    """

    def __init__(self, tags: Iterable[str]) -> None:
        self._tag = max((width(tag) for tag in tags if width(tag) <= _WIDEST), default=0)
        self._point = 0
        self._value = 0

    def fit(self, text: str) -> None:
        """Make room for the text of a value."""
        if (place := _whole_part(text)) <= _MOST:
            self._point = max(self._point, place)
        if (columns := width(_moved(text, place, self._point))) <= _WIDEST:
            self._value = max(self._value, columns)

    def cells(self, tag: str, text: str) -> tuple[str, str]:
        """Return a tag and the text of its value, filled up with blanks."""
        self.fit(text)
        return padded(tag, self._tag), padded(_moved(text, _whole_part(text), self._point), self._value)
