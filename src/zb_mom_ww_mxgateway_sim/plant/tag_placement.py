"""The places of the user's own tags in the galaxy: the objects and areas that they need."""

import re
from collections.abc import Iterable

from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.layout import AREA, template
from zb_mom_ww_mxgateway_sim.plant.model import Attribute, AttributeCategory, PlantObject, Security, tag_key
from zb_mom_ww_mxgateway_sim.plant.tag_types import CoercionError, NativeType
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition, check_name, initial_value
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError


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
