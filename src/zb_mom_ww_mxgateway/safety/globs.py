"""Globs that name tags: which tags one matches, which of two is closer to a tag, and how two of them relate.

``*`` stands for any characters and ``?`` for one; letters differ as names of tags do. An element ``TAG[3]``, and the
whole array ``TAG[]``, are matched as themselves and as ``TAG``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.tag_names import array_names, glob, tag_key

_WILDCARDS: Final = "*?"
_MOST_STATES = 20_000
"""Pairs of states that `covers` looks at: no glob that a person writes needs a hundredth of them."""


@dataclass(frozen=True)
class TagGlob:
    """The exact name of a tag, or a glob that names several; two are equal if they are the same in any letter case."""

    text: str

    def __init__(self, text: str) -> None:
        """Raise MxGatewayArgumentError if the text names nothing: it has no letter and no digit."""
        if not any(letter.isalnum() for letter in text):
            shown = text if text.isprintable() else repr(text)
            raise MxGatewayArgumentError(f'"{shown}" names nothing: a tag, or a glob with a part of its name, expected')
        if text != text.strip() or not text.isprintable():
            raise MxGatewayArgumentError(f"the tag {text!r} has blanks around it or characters that cannot be seen")
        object.__setattr__(self, "text", text)

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TagGlob) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @cached_property
    def key(self) -> str:
        """The text as tags are compared."""
        return tag_key(self.text)

    @property
    def is_exact(self) -> bool:
        """Whether it names one tag, with its elements."""
        return not any(mark in self.key for mark in _WILDCARDS)

    @property
    def rank(self) -> tuple[bool, int]:
        """The least is the closest to a tag: an exact name before a glob, then the most literal characters."""
        return not self.is_exact, -sum(mark not in _WILDCARDS for mark in self.key)

    def matches(self, tag: str) -> bool:
        """Return whether it names the tag, or the array of which the tag is an element."""
        return any(self._expression.fullmatch(name) for name in array_names(tag_key(tag)))

    def overlaps(self, other: "TagGlob") -> bool:
        """Return whether some tag is matched by both."""
        if not _agree(_head(self.key), _head(other.key)):
            return False
        waiting = [(0, 0)]
        seen = set(waiting)
        while waiting:
            mine, theirs = waiting.pop()
            if self._is_end(mine) and other._is_end(theirs):
                return True
            for my_label, my_next in self._steps(mine):
                for their_label, their_next in other._steps(theirs):
                    pair = (my_next, their_next)
                    if pair not in seen and _meet(my_label, their_label):
                        seen.add(pair)
                        waiting.append(pair)
        return False

    def covers(self, other: "TagGlob") -> bool:
        """Return whether every tag that `other` matches is matched by this one; False where that is too long to tell.

        The states that this one can be in after the same characters are followed together.
        """
        letters = sorted({*self.key, *other.key, *"[]"} - {*_WILDCARDS})
        letters.append(next(chr(code) for code in range(0xE000, 0xF8FF) if chr(code) not in letters))
        start = (0, frozenset((0,)))
        waiting = [start]
        seen = {start}
        while waiting:
            theirs, mine = waiting.pop()
            if other._is_end(theirs) and not any(map(self._is_end, mine)):
                return False
            for label, their_next in other._steps(theirs):
                for letter in letters if label in _SEVERAL else [label]:
                    if not _meet(label, letter):
                        continue
                    pair = (their_next, frozenset(self._after(mine, letter)))
                    if pair not in seen:
                        if len(seen) >= _MOST_STATES:
                            return False
                        seen.add(pair)
                        waiting.append(pair)
        return True

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        return glob(self.key)

    # A glob as an automaton. States are places in the key; the place after its last character is an end, from which
    # `[` leads to one more state, in an index, and `]` from there back.

    def _is_end(self, state: int) -> bool:
        return state <= len(self.key) and not self.key[state:].strip("*")

    def _steps(self, state: int) -> Iterator[tuple[str, int]]:
        """Return each character, or set of characters, that leads on, with the state to which it leads."""
        length = len(self.key)
        while state < length and self.key[state] == "*":
            yield _ANY, state
            state += 1
        if state < length:
            yield (_ANY if self.key[state] == "?" else self.key[state]), state + 1
        elif state == length:
            yield "[", length + 1
        else:
            yield _IN_INDEX, length + 1
            yield "]", length

    def _after(self, states: Iterable[int], letter: str) -> Iterator[int]:
        return (following for state in states for label, following in self._steps(state) if _meet(label, letter))


_ANY = "any"
_IN_INDEX = "any but brackets"
_SEVERAL = (_ANY, _IN_INDEX)


def _meet(one: str, other: str) -> bool:
    """Return whether two characters, or sets of them, have a character in common."""
    if _ANY in (one, other) or one == other:
        return True
    if _IN_INDEX in (one, other):
        return one not in ("[", "]") and other not in ("[", "]")
    return False


def _head(key: str) -> str:
    """Return the characters before the first wildcard."""
    return key[: min((key.find(mark) for mark in _WILDCARDS if mark in key), default=len(key))]


def _agree(one: str, other: str) -> bool:
    """Return whether the heads of two globs can be those of one name, or of an array and its element."""
    return one.startswith(other) or other.startswith(one)
