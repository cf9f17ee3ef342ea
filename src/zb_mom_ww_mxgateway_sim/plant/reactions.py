"""Reactions of a tag to other tags: what its definition says. ``reacting_tags`` carries them out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from zb_mom_ww_mxgateway_sim.plant.tag_types import Scalar

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<=": lambda left, right: bool(left <= right),
    ">=": lambda left, right: bool(left >= right),
    "!=": lambda left, right: bool(left != right),
    "=": lambda left, right: bool(left == right),
    "<": lambda left, right: bool(left < right),
    ">": lambda left, right: bool(left > right),
}
"""Comparisons of two values of one type. Longer signs come before those that begin them."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Another tag, and where it is named in the text, from 1."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Follows:
    """The tag has the other one's value and quality, ``delay`` seconds later."""

    source: Reference
    delay: float

    @property
    def references(self) -> tuple[Reference, ...]:
        """The tags that it reacts to."""
        return (self.source,)


@dataclass(frozen=True, slots=True)
class Travels:
    """The tag moves to where the other one wants it; the way from ``low`` to ``high`` takes ``time`` seconds.

    A Boolean wants ``low`` or ``high``, a number wants itself.
    """

    source: Reference
    low: float
    high: float
    time: float

    @property
    def references(self) -> tuple[Reference, ...]:
        """The tags that it reacts to."""
        return (self.source,)


@dataclass(frozen=True, slots=True)
class When:
    """The tag has one value while a comparison of the other one holds, and another while it does not."""

    source: Reference
    comparison: str
    operand: str
    """The value that it is compared with, as text: its type is that of the other tag."""
    operand_offset: int
    then: Reference | Scalar
    otherwise: Reference | Scalar

    @property
    def references(self) -> tuple[Reference, ...]:
        """The tags that it reacts to."""
        return (self.source, *(each for each in (self.then, self.otherwise) if isinstance(each, Reference)))


Reaction = Follows | Travels | When
