"""Parts of a tag index: tag kinds, sets of attributes that objects share, and runs of objects."""

from array import array
from collections.abc import Iterable
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


class Run:
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
