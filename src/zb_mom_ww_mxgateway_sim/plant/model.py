"""The parts of a galaxy: templates, objects, attributes and their names. Current values are in ``point_store``."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from string import ascii_lowercase, ascii_uppercase

from zb_mom_ww_mxgateway_sim.plant.reactions import Reaction
from zb_mom_ww_mxgateway_sim.plant.signal_shapes import Signal
from zb_mom_ww_mxgateway_sim.plant.status import GOOD
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError

AREA_CATEGORY = 13
OBJECT_CATEGORY = 10

_NAME = re.compile(r"[^\W]\w*(\.[^\W]\w*)+")
_FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)


def tag_key(name: str) -> str:
    """Return the name with its ASCII letters in lower case: names with the same key are one name to the gateway.

    The library has its own function: code that both ends share cannot check itself.
    """
    return name.translate(_FOLDED)


def check_name(name: str) -> None:
    """Raise TagError unless this is a valid name of a tag."""
    if not _NAME.fullmatch(name):
        raise TagError(f"{name!r} is not a tag name: names of letters, digits and _, joined by dots: Object.Attribute")


class Security(IntEnum):
    """Security classifications, by their native numbers."""

    FREE_ACCESS = 0
    OPERATE = 1
    SECURED_WRITE = 2
    VERIFIED_WRITE = 3
    TUNE = 4
    CONFIGURE = 5
    VIEW_ONLY = 6

    @classmethod
    def of(cls, name: str) -> "Security":
        """Return the classification of a name such as ``SecuredWrite``, in any letter case. Raise ValueError."""
        folded = tag_key(re.sub(r"[ _-]", "", name))
        found = next((each for each in cls if tag_key(each.name.replace("_", "")) == folded), None)
        if found is None:
            raise ValueError(f"no security {name!r}; there are {SECURITIES}")
        return found


SECURITIES = "FreeAccess, Operate, SecuredWrite, VerifiedWrite, Tune, Configure, ViewOnly"
"""The names of the security classifications."""


class AttributeCategory(IntEnum):
    """Who may set an attribute at run time, by native numbers: U users, S objects and scripts, C the IDE."""

    PACKAGE_ONLY = 0
    PACKAGE_ONLY_LOCKABLE = 1
    CALCULATED = 2
    CALCULATED_RETENTIVE = 3
    WRITEABLE_U = 4
    WRITEABLE_S = 5
    WRITEABLE_US = 6
    WRITEABLE_UC = 7
    WRITEABLE_USC = 8
    WRITEABLE_UC_LOCKABLE = 9
    WRITEABLE_USC_LOCKABLE = 10
    WRITEABLE_C_LOCKABLE = 11


USER_CATEGORIES = frozenset(
    {
        AttributeCategory.WRITEABLE_U,
        AttributeCategory.WRITEABLE_US,
        AttributeCategory.WRITEABLE_UC,
        AttributeCategory.WRITEABLE_USC,
        AttributeCategory.WRITEABLE_UC_LOCKABLE,
        AttributeCategory.WRITEABLE_USC_LOCKABLE,
    }
)
"""The categories that let users write."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a template. ``value`` is the initial value, or a function of the object that returns it.

    ``category`` is an AttributeCategory, or a number that a galaxy export has. ``low`` and ``high`` bound what is
    written to it. ``first_change_delay`` are the seconds from its first advise in a session to its first data change.
    """

    name: str
    type: NativeType
    value: "Value | Callable[[PlantObject], Value]"
    array_length: int | None = None
    security: Security = Security.OPERATE
    category: int = AttributeCategory.WRITEABLE_USC_LOCKABLE
    historized: bool = False
    alarm: bool = False
    signal: Signal | None = None
    reaction: Reaction | None = None
    quality: int = GOOD
    low: float | None = None
    high: float | None = None
    first_change_delay: float = 0.0

    @property
    def is_array(self) -> bool:
        """Whether the attribute holds an array."""
        return self.array_length is not None


class Template:
    """Attributes that many objects share. ``by_name`` finds them by ``tag_key``."""

    __slots__ = ("attributes", "by_name", "category", "chain", "has_alarm", "has_history")

    def __init__(
        self, chain: tuple[str, ...], attributes: tuple[Attribute, ...], category: int = OBJECT_CATEGORY
    ) -> None:
        self.chain: tuple[str, ...] = chain
        self.attributes: tuple[Attribute, ...] = attributes
        self.category: int = category
        self.by_name: dict[str, Attribute] = {tag_key(attribute.name): attribute for attribute in attributes}
        self.has_alarm: bool = any(attribute.alarm for attribute in attributes)
        self.has_history: bool = any(attribute.historized for attribute in attributes)


@dataclass(frozen=True, slots=True, eq=False)
class PlantObject:
    """One deployed object. References to its attributes are ``tag_name.attribute``."""

    gobject_id: int
    tag_name: str
    contained_name: str
    parent_id: int
    template: Template
    # Initial values that differ from the template's, by the ``tag_key`` of the attribute.
    initial: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_area(self) -> bool:
        """Whether the object is an area."""
        return self.template.category == AREA_CATEGORY

    @property
    def browse_name(self) -> str:
        """Name in the browse tree."""
        return self.contained_name or self.tag_name

    def initial_value(self, attribute: Attribute) -> Value:
        """Return the attribute's value at the start of the plant."""
        folded = tag_key(attribute.name)
        if folded in self.initial:
            return self.initial[folded]
        return attribute.value(self) if callable(attribute.value) else attribute.value
