"""Regular expressions whose matching time grows only with the text, whatever the expression is.

A file's expression meets texts of a plant, and Python's own engine may need years for thirty characters, without
reacting to Ctrl-C or a time-out. Here all ways of matching are followed at once (a set of states for each character).
What such an engine cannot do, look-around and back-references, is refused when the file is checked. The syntax is
Python's.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from re import _constants as sre, _parser as parser  # type: ignore[attr-defined]  # its syntax tree, not its engine
from typing import Any, TypeAlias

_MOST_STATES = 2_000
_MOST_KNOWN = 5_000
"""Number of remembered steps from a set of states by a character."""
_MOST_WORK = 1_000_000
"""States visited in one search: about a second, in which nothing else runs."""

Test: TypeAlias = Callable[[str], bool]
"""Returns whether a character matches."""


class PatternError(ValueError):
    """The text is not a supported expression; the message says why."""


@lru_cache(maxsize=100)
def pattern(text: str) -> "Pattern":
    """Compile an expression; raise PatternError."""
    try:
        tree = parser.parse(text)
    except (re.error, RecursionError, ValueError, OverflowError, Warning) as error:  # Warnings may be errors.
        raise PatternError(f"not a regular expression: {error}") from None
    try:
        return Pattern(_Builder().built(tree, tree.state.flags))
    except RecursionError:
        raise PatternError("the expression is too large: groups are nested too deeply") from None


class Pattern:
    """A regular expression as states and the steps between them."""

    def __init__(self, states: "list[_State]") -> None:
        self._states = states
        self._known: dict[tuple[frozenset[int], str, str], tuple[frozenset[int], bool]] = {}
        self._work = 0

    def found_in(self, text: str) -> bool:
        """Return whether it matches anywhere in a text; raise PatternError where the search takes too long."""
        self._work = 0
        open_states: frozenset[int] = frozenset((0,))
        before = "start"
        last = len(text) - 1
        for at, character in enumerate(text):
            ahead = "last newline" if at == last and character == "\n" else character
            key = (open_states, before, ahead)
            step = self._known.get(key)
            if step is None:
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                step = self._known[key] = self._step(open_states, before, ahead, character)
            open_states, is_match = step
            if is_match:
                return True
            before = _kind(character)
        return self._closure(open_states, before, "end")[1]

    def _step(
        self, open_states: frozenset[int], before: str, ahead: str, character: str
    ) -> tuple[frozenset[int], bool]:
        closed, is_match = self._closure(open_states, before, ahead)
        # A match may begin at each character.
        taken = {0, *(state.following[0] for state in closed if state.takes is not None and state.takes(character))}
        return frozenset(taken), is_match

    def _closure(self, open_states: frozenset[int], before: str, ahead: str) -> "tuple[list[_State], bool]":
        """Return the states reached without a character, and whether the end is one of them."""
        waiting, seen, reached = list(open_states), set(open_states), []
        kind = ahead if ahead in ("end", "last newline") else _kind(ahead)
        while waiting:
            self._work += 1
            if self._work > _MOST_WORK:
                raise PatternError("the expression takes too long on this text; a simpler one is needed")
            state = self._states[waiting.pop()]
            if state.is_end:
                return [], True
            reached.append(state)
            if state.takes is None and (state.holds is None or state.holds(before, kind)):
                for following in state.following:
                    if following not in seen:
                        seen.add(following)
                        waiting.append(following)
        return reached, False


def _kind(character: str) -> str:
    if character == "\n":
        return "newline"
    if character.isalnum() or character == "_":
        return "word" if character.isascii() else "wide word"
    return "other"


class _State:
    """One place in an expression."""

    __slots__ = ("following", "holds", "is_end", "takes")

    def __init__(self) -> None:
        self.following: list[int] = []
        self.takes: Test | None = None
        """Set where it consumes a character."""
        self.holds: Callable[[str, str], bool] | None = None
        """Returns whether it can be passed, by the characters before and after."""
        self.is_end = False


class _Builder:
    """Builds the states of a syntax tree."""

    def __init__(self) -> None:
        self._states: list[_State] = []

    def built(self, tree: Any, flags: int) -> list[_State]:
        first = self._new()
        last = self._sequence(tree, first, flags)
        self._states[last].is_end = True
        return self._states

    def _new(self) -> int:
        if len(self._states) >= _MOST_STATES:
            raise PatternError(f"the expression is too large: it expands to more than {_MOST_STATES} characters")
        self._states.append(_State())
        return len(self._states) - 1

    def _link(self, start: int, end: int) -> None:
        self._states[start].following.append(end)

    def _sequence(self, nodes: Any, start: int, flags: int) -> int:
        for operation, argument in nodes:
            start = self._node(operation, argument, start, flags)
        return start

    def _node(self, operation: Any, argument: Any, start: int, flags: int) -> int:
        if operation is sre.AT:
            return self._passing(start, _assertion(argument, flags))
        if operation is sre.BRANCH:
            return self._branch(argument[1], start, flags)
        if operation is sre.SUBPATTERN:
            _, added, taken, inner = argument
            return self._sequence(inner, start, (flags | added) & ~taken)
        if operation in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            least, most, inner = argument
            return self._repeat(least, most, inner, start, flags)
        if operation in _TAKES:
            end = self._new()
            middle = self._new()
            self._link(start, middle)
            self._states[middle].takes = _TAKES[operation](argument, flags)
            self._link(middle, end)
            return end
        what = {
            sre.ASSERT: "(?=…) and (?<=…)",
            sre.ASSERT_NOT: "(?!…) and (?<!…)",
            sre.GROUPREF: r"\1 and (?P=name)",
        }.get(operation, str(operation).lower().replace("_", " "))
        raise PatternError(f"{what} is not supported: its matching time is not bounded")

    def _passing(self, start: int, holds: Callable[[str, str], bool] | None) -> int:
        middle, end = self._new(), self._new()
        self._link(start, middle)
        self._states[middle].holds = holds
        self._link(middle, end)
        return end

    def _branch(self, branches: Any, start: int, flags: int) -> int:
        end = self._new()
        for branch in branches:
            first = self._new()
            self._link(start, first)
            self._link(self._sequence(branch, first, flags), end)
        return end

    def _repeat(self, least: int, most: int, inner: Any, start: int, flags: int) -> int:
        for _ in range(least):
            start = self._sequence(inner, self._after(start), flags)
        if most is sre.MAXREPEAT:
            loop, end = self._after(start), self._new()
            self._link(self._sequence(inner, self._after(loop), flags), loop)
            self._link(loop, end)
            return end
        end = self._new()
        self._link(start, end)
        for _ in range(most - least):
            start = self._sequence(inner, self._after(start), flags)
            self._link(start, end)
        return end

    def _after(self, start: int) -> int:
        """Return a new state, so that loops back to it do not lead into what was before."""
        end = self._new()
        self._link(start, end)
        return end


def _assertion(where: Any, flags: int) -> Callable[[str, str], bool]:
    lines = bool(flags & re.MULTILINE)
    words = ("word",) if flags & re.ASCII else ("word", "wide word")
    if where is sre.AT_BEGINNING:
        return lambda before, ahead: before == "start" or (lines and before == "newline")
    if where is sre.AT_BEGINNING_STRING:
        return lambda before, ahead: before == "start"
    if where is sre.AT_END:
        return lambda before, ahead: ahead in ("end", "last newline") or (lines and ahead == "newline")
    if where is sre.AT_END_STRING:
        return lambda before, ahead: ahead == "end"
    if where is sre.AT_BOUNDARY:
        return lambda before, ahead: (before in words) != (ahead in words)
    return lambda before, ahead: (before in words) == (ahead in words)


def _letter_cases(character: str, flags: int) -> frozenset[str]:
    if not flags & re.IGNORECASE:
        return frozenset((character,))
    forms = {character, character.lower(), character.upper(), character.upper().lower()}
    return frozenset(each for each in forms if not flags & re.ASCII or each.isascii() or each == character)


def _literal(code: int, flags: int) -> Test:
    cases = _letter_cases(chr(code), flags)
    return lambda character: not cases.isdisjoint(_letter_cases(character, flags))


def _any(_: Any, flags: int) -> Test:
    return (lambda character: True) if flags & re.DOTALL else (lambda character: character != "\n")


def _category(which: Any, flags: int) -> Test:
    name, is_ascii = str(which), bool(flags & re.ASCII)
    tests: dict[str, Test] = {"DIGIT": str.isdecimal, "SPACE": str.isspace, "WORD": lambda c: c.isalnum() or c == "_"}
    test = tests[name.rpartition("_")[2]]
    is_not = "_NOT_" in name
    return lambda character: (test(character) and (not is_ascii or character.isascii())) != is_not


def _in(items: Any, flags: int) -> Test:
    is_not = bool(items) and items[0][0] is sre.NEGATE
    tests = list(_members(items[is_not:], flags))
    return lambda character: any(test(character) for test in tests) != is_not


def _members(items: Any, flags: int) -> Iterator[Test]:
    for operation, argument in items:
        if operation is sre.LITERAL:
            yield _literal(argument, flags)
        elif operation is sre.CATEGORY:
            yield _category(argument, flags)
        else:
            yield _range(argument, flags)


def _range(ends: Any, flags: int) -> Test:
    low, high = ends
    return lambda character: any(low <= ord(each) <= high for each in _letter_cases(character, flags) if len(each) == 1)


def _not_literal(code: int, flags: int) -> Test:
    is_it = _literal(code, flags)
    return lambda character: not is_it(character)


_TAKES: dict[Any, Callable[[Any, int], Test]] = {
    sre.LITERAL: _literal,
    sre.NOT_LITERAL: _not_literal,
    sre.ANY: _any,
    sre.IN: _in,
}
