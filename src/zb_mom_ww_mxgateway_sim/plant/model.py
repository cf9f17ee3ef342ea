"""What a galaxy is made of: templates, objects and their attributes. No values of now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from zb_mom_ww_mxgateway_sim.plant.tag_names import tag_key
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value

AREA_CATEGORY = 13
OBJECT_CATEGORY = 10


class Security(IntEnum):
    """Security classifications, native numbers."""

    FREE_ACCESS = 0
    OPERATE = 1
    SECURED_WRITE = 2
    VERIFIED_WRITE = 3
    TUNE = 4
    CONFIGURE = 5
    VIEW_ONLY = 6


class AttributeCategory(IntEnum):
    """Who may set an attribute at run time: only its object, objects and scripts, or users too."""

    CALCULATED = 2
    WRITEABLE_S = 5
    WRITEABLE = 10


@dataclass(frozen=True, slots=True)
class Wave:
    """A measurement that swings by itself; one new value every ``step`` seconds."""

    mean: float
    amplitude: float
    period: float = 60.0
    step: float = 1.0
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of a template. ``value`` is what it begins with, or how an object comes to it."""

    name: str
    type: NativeType
    value: "Value | Callable[[PlantObject], Value]"
    array_length: int | None = None
    security: Security = Security.OPERATE
    category: AttributeCategory = AttributeCategory.WRITEABLE
    historized: bool = False
    alarm: bool = False
    wave: Wave | None = None

    @property
    def is_array(self) -> bool:
        return self.array_length is not None


class Template:
    """Attributes that many objects share, found by folded name."""

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
    # Where this object begins otherwise than its template says; keys are folded attribute names.
    initial: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_area(self) -> bool:
        return self.template.category == AREA_CATEGORY

    @property
    def browse_name(self) -> str:
        return self.contained_name or self.tag_name

    def initial_value(self, attribute: Attribute) -> Value:
        """The attribute's value at the start of the plant."""
        folded = tag_key(attribute.name)
        if folded in self.initial:
            return self.initial[folded]
        return attribute.value(self) if callable(attribute.value) else attribute.value
