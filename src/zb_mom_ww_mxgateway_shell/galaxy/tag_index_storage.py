"""Parts of a tag index: tag kinds, sets of attributes that objects share, and objects in order."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from zb_mom_ww_mxgateway.models.security_classes import VIEW_ONLY
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import safe
from zb_mom_ww_mxgateway_shell.language.literals import TagType

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyAttribute, GalaxyTag

LAST = "\U0010ffff"
"""A character after all that names have."""
_RUN = 1024
"""Objects of one run, at most."""


class TagKind(NamedTuple):
    """Type and access of a tag."""

    type: TagType | None
    """None for a name from a result, without a galaxy."""
    type_name: str
    """For a person: ``Double``, ``Integer[]``."""
    security: int | None
    """Security classification; None where it is not known."""

    @property
    def is_writable(self) -> bool:
        """False for a tag that nobody may write."""
        return self.security != VIEW_ONLY

    @property
    def description(self) -> str:
        """Type and access, as completion shows them."""
        return self.type_name if self.is_writable else f"{self.type_name}, read-only"


SEEN = TagKind(None, "seen before", None)
"""Kind of a tag that a result has shown, but no galaxy."""


def type_text(attribute: "GalaxyAttribute | GalaxyTag") -> str:
    """Return an attribute's type for a person, as the gateway spells it: ``Double``, ``Integer[]``."""
    description = attribute.data_type_name or name_of(attribute.data_type).lower()
    return f"{description}[]" if attribute.is_array else description


@dataclass(slots=True, eq=False)
class Shape:
    """The attributes that many objects share, in the order of their folded names, each between newlines."""

    keys: str
    names: str
    kinds: "array[int]"
    owners: list["Owner"] = field(default_factory=list)

    @classmethod
    def of(cls, names: list[str], kinds: "array[int]") -> "Shape":
        """Return the shape of these names, in the order of their folded names; raise ValueError in another order."""
        keys = [tag_key(name) for name in names]
        if any(key >= after for key, after in pairwise(keys)):
            raise ValueError("attributes that are not in order")
        return cls(between_newlines(keys), between_newlines(names), kinds)

    def position(self, key: str) -> int | None:
        """Return the place of the attribute with this folded name."""
        at = self.keys.find(f"\n{key}\n")
        return None if at < 0 else self.keys.count("\n", 0, at)

    def listed(self) -> tuple[list[str], list[str]]:
        """Yield folded names and names, in the same order."""
        return (self.keys[1:-1].split("\n"), self.names[1:-1].split("\n")) if self.kinds else ([], [])


@dataclass(slots=True, eq=False)
class Owner:
    """One object, with the attributes of its tags."""

    name: str
    shape: Shape
    description: str
    """``area``, or its template."""

    def tag(self, attribute: str) -> str:
        return f"{self.name}.{attribute}" if self.name else attribute


class _Run:
    """Some objects in the order of their folded names, which are also one text for searching."""

    __slots__ = ("_text", "keys", "owners")

    def __init__(self, keys: list[str], owners: list[Owner]) -> None:
        self.keys = keys
        self.owners = owners
        self._text = ""

    def changed(self) -> None:
        self._text = ""

    @property
    def text(self) -> str:
        if not self._text:
            self._text = "\n" + "\n".join(self.keys) + "\n"
        return self._text


class Owners:
    """Objects in the order of their folded names, in runs that are split as they grow.

    Adding an object moves few others, and nothing is sorted at the end.
    """

    def __init__(self) -> None:
        self._runs = [_Run([], [])]
        self._firsts = [""]

    def __iter__(self) -> Iterator[Owner]:
        return (owner for run in self._runs for owner in run.owners)

    def insert(self, key: str, owner: Owner) -> None:
        """Add an object by its folded name."""
        number, at = self._place(key)
        run = self._runs[number]
        run.keys.insert(at, key)
        run.owners.insert(at, owner)
        run.changed()
        if len(run.keys) > _RUN:
            half = _RUN // 2
            rest = _Run(run.keys[half:], run.owners[half:])
            del run.keys[half:], run.owners[half:]
            self._runs.insert(number + 1, rest)
            self._firsts.insert(number + 1, rest.keys[0])

    def get(self, key: str) -> Owner | None:
        """Return the object of this folded name."""
        number, at = self._place(key)
        run = self._runs[number]
        return run.owners[at] if at < len(run.keys) and run.keys[at] == key else None

    def _place(self, key: str) -> tuple[int, int]:
        number = max(0, bisect_right(self._firsts, key) - 1)
        return number, bisect_left(self._runs[number].keys, key)

    def beginning(self, start: str) -> Iterator[Owner]:
        """Yield objects whose folded names begin with a text, in order."""
        number, at = self._place(start)
        while number < len(self._runs):
            run = self._runs[number]
            while at < len(run.keys):
                if not run.keys[at].startswith(start):
                    return
                yield run.owners[at]
                at += 1
            number, at = number + 1, 0

    def groups(self, start: str, depth: int) -> Iterator[tuple[str, Owner, bool]]:
        """Yield folded names that begin with a text, each up to the dot of this number, in order.

        With each comes the first object that has it, and whether it is all of that object's name.
        """
        number, at = self._place(start)
        while number < len(self._runs):
            run = self._runs[number]
            if at >= len(run.keys):
                number, at = number + 1, 0
                continue
            key = run.keys[at]
            if not key.startswith(start):
                return
            group = first_segments(key, depth)
            is_whole = group == key
            yield group, run.owners[at], is_whole
            number, at = (number, at + 1) if is_whole else self._place(f"{group}.{LAST}")

    def containing(self, pattern: str) -> Iterator[tuple[str, Owner]]:
        """Yield objects that match a pattern after the beginning of their folded names; a newline is the name's end.

        Neighbours that are equal up to the dot after the match count once.
        """
        for run in self._runs:
            text = run.text
            at, counted, line = text.find(pattern), 0, -1
            while at >= 0:
                if text[at - 1] == "\n":
                    at = text.find(pattern, at + 1)
                    continue
                line += text.count("\n", counted, at)
                counted = at
                key = run.keys[line]
                yield key, run.owners[line]
                dot = key.find(".", at - text.rfind("\n", 0, at) - 1 + len(pattern))
                after = line + 1
                if dot >= 0 and after < len(run.keys) and run.keys[after].startswith(key[: dot + 1]):
                    after = bisect_left(run.keys, f"{key[: dot + 1]}{LAST}", lo=after)
                    at = text.find(pattern, 1 + sum(map(len, run.keys[:after])) + after)
                else:
                    at = text.find(pattern, text.find("\n", at + 1))


def is_plain(name: str) -> bool:
    return safe(name) == name


def between_newlines(names: Iterable[str]) -> str:
    return "\n" + "".join(f"{name}\n" for name in names)


def first_segments(name: str, count: int) -> str:
    """Return a name up to, and without, the dot of this number."""
    end = -1
    for _ in range(count):
        end = name.find(".", end + 1)
        if end < 0:
            return name
    return name[:end]
