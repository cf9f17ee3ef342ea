"""Tags in addition to the plant's: the user's own, and generated ones in any number."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.layout import AREA, template
from zb_mom_ww_mxgateway_sim.plant.model import Attribute, AttributeCategory, PlantObject, Security, Wave, tag_key
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, NativeType, Value, coerce, default
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError

_NAME = re.compile(r"[^\W]\w*(\.[^\W]\w*)+")

_VALUES_PER_UNIT = 50
_UNITS_PER_AREA = 200


@dataclass(frozen=True, slots=True)
class TagDefinition:
    """One tag of the user's own, ``Object.Attribute``. Without a value it starts with its type's default."""

    name: str
    type: NativeType = NativeType.DOUBLE
    value: object = None
    writable: bool = True
    description: str = ""
    unit: str = ""
    is_array: bool = False


def check_name(name: str) -> None:
    """Raise TagError unless this is a valid name of a tag."""
    if not _NAME.fullmatch(name):
        raise TagError(f"{name!r} is not a tag name: names of letters, digits and _, joined by dots: Object.Attribute")


def initial_value(tag: TagDefinition) -> Value:
    """Return the tag's initial value. Raise CoercionError if its value is not of its type."""
    if tag.value is None:
        return () if tag.is_array else default(tag.type)
    return coerce(tag.value, tag.type, array=tag.is_array)


def add_tags(hierarchy: Hierarchy, tags: Iterable[TagDefinition]) -> None:
    """Add objects and attributes for the tags. Raise TagError for a tag that is impossible or exists already."""
    named: dict[str, TagDefinition] = {}
    for tag in tags:
        check_name(tag.name)
        folded = tag_key(tag.name)
        if folded in named or hierarchy.attribute(folded) is not None:
            raise TagError(f"there is a tag {tag.name} already")
        named[folded] = tag
    attributes: dict[str, list[Attribute]] = {}
    owners: dict[str, str] = {}
    for tag in named.values():
        owner = _owner(hierarchy, tag.name, named)
        attributes.setdefault(tag_key(owner), []).extend(_attributes(tag, tag.name[len(owner) + 1 :], named, owner))
        owners.setdefault(tag_key(owner), owner)
    for folded in sorted(attributes):
        _place(hierarchy, owners[folded], tuple(attributes[folded]))


def _owner(hierarchy: Hierarchy, name: str, tags: dict[str, TagDefinition]) -> str:
    """Return the object of a tag: the part before the last dot, unless that is a tag itself (``PV.HiHi.Limit``)."""
    owner = name
    while "." in owner:
        owner = owner.rpartition(".")[0]
        parent = owner
        while "." in parent and tag_key(parent) not in tags:
            parent = parent.rpartition(".")[0]
        if tag_key(parent) not in tags:
            return owner
        owner = parent
    return owner


def _attributes(tag: TagDefinition, name: str, tags: dict[str, TagDefinition], owner: str) -> list[Attribute]:
    try:
        value = initial_value(tag)
    except CoercionError as error:
        raise TagError(f"{tag.name}: {error}") from error
    length = len(value) if isinstance(value, tuple) else None
    made = [
        Attribute(
            name,
            tag.type,
            value,
            array_length=length,
            security=Security.OPERATE if tag.writable else Security.VIEW_ONLY,
            category=AttributeCategory.WRITEABLE if tag.writable else AttributeCategory.WRITEABLE_S,
        )
    ]
    made.extend(
        Attribute(
            f"{name}.{extra}",
            NativeType.STRING,
            text,
            security=Security.VIEW_ONLY,
            category=AttributeCategory.CALCULATED,
        )
        for extra, text in (("Description", tag.description), ("EngUnits", tag.unit))
        if text and tag_key(f"{owner}.{name}.{extra}") not in tags
    )
    return made


def _place(hierarchy: Hierarchy, tag_name: str, attributes: tuple[Attribute, ...]) -> None:
    """Add the attributes to the object of that name. Make it, and the areas above it, if there is none."""
    try:
        if hierarchy.by_tag_name(tag_name) is not None:
            hierarchy.extend(tag_name, attributes)
            return
        parent: PlantObject | None = None
        above, _, contained = tag_name.rpartition(".")
        for end in [match.start() for match in re.finditer(r"\.", tag_name)]:
            name = tag_name[:end]
            parent = hierarchy.by_tag_name(name) or hierarchy.add(
                name, AREA, parent, contained_name=name.rpartition(".")[2] if parent else ""
            )
        own = template("$UserTags", "Tags of the user's own", *attributes)
        hierarchy.add(tag_name, own, parent, contained_name=contained if above else "")
    except ValueError as error:
        raise TagError(str(error)) from error


def add_generated(hierarchy: Hierarchy, count: int, change_period: float) -> None:
    """Add that many tags ``Area007.Unit0123.Value04``. The built-in attributes of their objects are not counted."""
    if count < 0:
        raise ValueError(f"generated_tags is {count}; use 0 or more")
    values = [_generated(number, change_period) for number in range(1, _VALUES_PER_UNIT + 1)]
    full = template("$GeneratedUnit", "Generated unit", *values)
    area: PlantObject | None = None
    for unit in range(-(-count // _VALUES_PER_UNIT)):
        if unit % _UNITS_PER_AREA == 0:
            area = hierarchy.add(f"Area{unit // _UNITS_PER_AREA + 1:03d}", AREA)
        left = count - unit * _VALUES_PER_UNIT
        shared = full if left >= _VALUES_PER_UNIT else template("$GeneratedUnit", "Generated unit", *values[:left])
        name = f"Unit{unit % _UNITS_PER_AREA + 1:04d}"
        assert area is not None
        hierarchy.add(f"{area.tag_name}.{name}", shared, area, contained_name=name)


def _generated(number: int, change_period: float) -> Attribute:
    kinds = {0: NativeType.INTEGER, 5: NativeType.BOOLEAN, 8: NativeType.FLOAT}
    tag_type = NativeType.STRING if number == _VALUES_PER_UNIT else kinds.get(number % 10, NativeType.DOUBLE)
    wave = Wave(50.0 + number, 5.0 + number / 10, change_period * 12, change_period, 3)
    return Attribute(f"Value{number:02d}", tag_type, default(tag_type), historized=number % 10 == 1, wave=wave)
