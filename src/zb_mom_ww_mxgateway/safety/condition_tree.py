"""A condition as a tree: comparisons and questions of quality, joined by ``and``, ``or`` and ``not``.

The text of every node reads back as an equal node.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

BARE_NAME = re.compile(r"[\w$#]+(?:\.[\w$#]+)+(?:\[[0-9]+\])?")
"""A tag that needs no backticks, provided that each of its names is :func:`is_name`."""
_DIGITS = re.compile(r"[0-9]+")


def is_bare_tag(text: str) -> bool:
    """Whether a text is the name of a tag that needs no backticks: two or more names, none of digits alone."""
    return BARE_NAME.fullmatch(text) is not None and not any(
        _DIGITS.fullmatch(name) for name in text.partition("[")[0].split(".")
    )


@dataclass(frozen=True, slots=True)
class TagOperand:
    """The value of a tag."""

    tag: str

    def __str__(self) -> str:
        return self.tag if is_bare_tag(self.tag) else f"`{self.tag}`"


@dataclass(frozen=True, slots=True)
class AgeOperand:
    """The age of the value of a tag, in seconds."""

    tag: str

    def __str__(self) -> str:
        return f"age({TagOperand(self.tag)})"


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a text, true or false."""

    value: int | Fraction | str | bool
    spelled: str
    """As it was typed."""

    def __str__(self) -> str:
        return self.spelled


@dataclass(frozen=True, slots=True)
class DurationConstant:
    """A span of time to compare an age with."""

    seconds: Fraction
    spelled: str
    """As it was typed."""

    def __str__(self) -> str:
        return self.spelled


Operand: TypeAlias = TagOperand | AgeOperand | Constant | DurationConstant


@dataclass(frozen=True, slots=True)
class OperandComparison:
    """Two operands and one of ``== != < <= > >=``."""

    left: Operand
    operator: str
    right: Operand

    def __str__(self) -> str:
        return f"{self.left} {self.operator} {self.right}"


@dataclass(frozen=True, slots=True)
class QualityTest:
    """Whether the quality of a tag is, or is not, ``good``, ``uncertain`` or ``bad``."""

    tag: str
    quality: str
    negated: bool = False

    def __str__(self) -> str:
        return f"{TagOperand(self.tag)} is {'not ' if self.negated else ''}{self.quality}"


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite of a condition."""

    part: "Node"

    def __str__(self) -> str:
        return f"not {_within(self.part)}"


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more conditions joined by ``and`` or by ``or``."""

    word: str
    parts: "tuple[Node, ...]"

    def __str__(self) -> str:
        return f" {self.word} ".join(map(_within, self.parts))


Leaf: TypeAlias = OperandComparison | QualityTest
Node: TypeAlias = Leaf | Negation | Junction


def _within(part: Node) -> str:
    return f"({part})" if isinstance(part, Junction) else str(part)


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield the comparisons and questions of quality of a condition, from left to right."""
    match node:
        case Negation(part):
            yield from leaves(part)
        case Junction(_, parts):
            for each in parts:
                yield from leaves(each)
        case _:
            yield node


def tags_of(leaf: Leaf) -> tuple[str, ...]:
    """Return the tags that a leaf names, from left to right."""
    if isinstance(leaf, QualityTest):
        return (leaf.tag,)
    return tuple(each.tag for each in (leaf.left, leaf.right) if isinstance(each, TagOperand | AgeOperand))
