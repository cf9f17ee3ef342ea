"""The places of the user's own tags in the galaxy: the objects and areas that they need."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.layout import AREA, fixed, limit_alarm, template
from zb_mom_ww_mxgateway_sim.plant.limit_alarms import AlarmedTag
from zb_mom_ww_mxgateway_sim.plant.model import (
    Attribute,
    AttributeCategory,
    PlantObject,
    Security,
    Template,
    check_name,
    tag_key,
)
from zb_mom_ww_mxgateway_sim.plant.reaction_checks import ReactingTag, reacting_tags
from zb_mom_ww_mxgateway_sim.plant.reactions import Reaction
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value
from zb_mom_ww_mxgateway_sim.plant.tags import ExportedObject, TagDefinition, alarms_of, behavior_of, check, mistake
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError

_OWN_TEMPLATE = "$UserTags"
_AREA_NAME = re.compile(r"\w+(\.\w+)*")


@dataclass(slots=True)
class _Owner:
    """The object of some tags: its name, their attributes, and the tag that names its area."""

    name: str
    first: TagDefinition
    attributes: dict[str, Attribute] = field(default_factory=dict)
    """By their ``tag_key``."""
    area_of: TagDefinition | None = None

    @property
    def area(self) -> str:
        return "" if self.area_of is None else self.area_of.area


@dataclass(frozen=True, slots=True)
class PlacedTags:
    """Those of the added tags that have more than a value."""

    reacting: list[ReactingTag]
    """Each comes after those that it reacts to."""
    alarmed: list[AlarmedTag]


def add_tags(hierarchy: Hierarchy, tags: Iterable[TagDefinition]) -> PlacedTags:
    """Add objects and attributes for the tags.

    Raise TagError for a tag that is impossible or exists already.
    """
    named = _named(hierarchy, tags)
    owners: dict[str, _Owner] = {}
    galaxies: dict[int, Mapping[str, ExportedObject]] = {}
    for tag in named.values():
        name = _owner_name(tag.name, named) if tag.exported is None else tag.exported.owner.tag_name
        owner = owners.setdefault(tag_key(name), _Owner(name, tag))
        main, *others = _attributes(tag, tag.name[len(name) + 1 :], named, name)
        # An alarm that an exported tag is given takes the place of the exported one.
        owner.attributes.setdefault(tag_key(main.name), main)
        owner.attributes.update({tag_key(other.name): other for other in others})
        if tag.area:
            _settle_area(owner, tag)
        if tag.exported is not None:
            galaxies[id(tag.exported.objects)] = tag.exported.objects
    for objects in galaxies.values():
        _place_galaxy(hierarchy, objects, owners)
    for owner in owners.values():
        if owner.area:
            _area(hierarchy, owner)
    for folded in sorted(owners):
        _place(hierarchy, owners[folded])
    return PlacedTags(reacting_tags(hierarchy, named.values()), _alarmed_tags(hierarchy, named.values()))


def _named(hierarchy: Hierarchy, tags: Iterable[TagDefinition]) -> dict[str, TagDefinition]:
    """Return the tags by their ``tag_key``. A tag of the user's own takes the place of an exported one."""
    exported: dict[str, TagDefinition] = {}
    own: dict[str, TagDefinition] = {}
    for tag in tags:
        named = own if tag.exported is None else exported
        if tag.exported is None:
            try:
                check_name(tag.name)
            except TagError as error:
                raise mistake(tag, "name", str(error)) from error
        folded = tag_key(tag.name)
        if folded in named or hierarchy.attribute(folded) is not None:
            raise mistake(tag, "name", f"there is a tag {tag.name} already")
        named[folded] = tag
    for folded in exported.keys() & own.keys():
        old, new = exported[folded], own[folded]
        security = old.security if new.security is None else new.security
        historized = new.historized or old.historized
        own[folded] = replace(new, exported=old.exported, security=security, historized=historized)
    return exported | own


def _owner_name(name: str, tags: dict[str, TagDefinition]) -> str:
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
    value = check(tag)
    behavior = behavior_of(tag, value)
    made = [
        Attribute(
            name,
            tag.type,
            value,
            array_length=len(value) if isinstance(value, tuple) else None,
            security=_security(tag),
            category=_category(tag),
            alarm=tag.exported is not None and tag.exported.alarm,
            historized=tag.historized,
            signal=None if isinstance(behavior, Reaction) else behavior,
            reaction=behavior if isinstance(behavior, Reaction) else None,
            quality=tag.quality,
            low=tag.min,
            high=tag.max,
        )
    ]
    told: tuple[tuple[str, NativeType, Value], ...] = (
        ("Description", NativeType.STRING, tag.description or None),
        ("EngUnits", NativeType.STRING, tag.unit or None),
        ("RangeLo", NativeType.DOUBLE, tag.min),
        ("RangeHi", NativeType.DOUBLE, tag.max),
    )
    made.extend(
        fixed(f"{name}.{extra}", extra_value, extra_type)
        for extra, extra_type, extra_value in told
        if extra_value is not None and tag_key(f"{owner}.{name}.{extra}") not in tags
    )
    for limit in alarms_of(tag):
        for attribute in limit_alarm(f"{name}.{limit.name}", limit.limit, limit.severity, limit.limit_type):
            other = tags.get(tag_key(f"{owner}.{attribute.name}"))
            if other is not None and other.exported is None:
                raise mistake(tag, "alarms", f"{owner}.{attribute.name} is a tag of its own; leave it or the alarm out")
            made.append(attribute)
    return made


def _alarmed_tags(hierarchy: Hierarchy, tags: Iterable[TagDefinition]) -> list[AlarmedTag]:
    alarmed: list[AlarmedTag] = []
    for tag in tags:
        limits = alarms_of(tag)
        found = hierarchy.attribute(tag.name) if limits else None
        if found is not None:
            owner = found[0].tag_name if found[0].template.chain[:1] == (_OWN_TEMPLATE,) else ""
            alarmed.append(AlarmedTag(tag.name, limits, owner))
    return alarmed


def _category(tag: TagDefinition) -> int:
    if tag.exported is not None:
        return tag.exported.category
    return AttributeCategory.WRITEABLE_USC_LOCKABLE if tag.writable else AttributeCategory.WRITEABLE_S


def _security(tag: TagDefinition) -> Security:
    if tag.security is not None:
        return tag.security
    return Security.OPERATE if tag.writable else Security.VIEW_ONLY


def _settle_area(owner: _Owner, tag: TagDefinition) -> None:
    """Note the area of an object, for which all its tags must agree."""
    if not _AREA_NAME.fullmatch(tag.area):
        raise mistake(tag, "area", f"{tag.area!r} is not the name of an area: letters, digits and _, joined by dots")
    if tag_key(tag.area) == tag_key(owner.name):
        raise mistake(tag, "area", f"{owner.name} cannot be in itself; name another area")
    if owner.area and tag_key(owner.area) != tag_key(tag.area):
        raise mistake(tag, "area", f"{owner.name} is in area {owner.area} by another of its tags; use one area for all")
    owner.area_of = owner.area_of or tag


def _area(hierarchy: Hierarchy, owner: _Owner) -> PlantObject:
    """Return the area that the tags of an object name. Make it, and those above it, if there is none."""
    assert owner.area_of is not None
    area = _areas(hierarchy, owner.area)
    if area is None or not area.is_area:
        raise mistake(owner.area_of, "area", f"{owner.area} is an object and no area; name another")
    return area


def _areas(hierarchy: Hierarchy, name: str) -> PlantObject | None:
    """Return the object of that name. Make areas of it, and of each part before a dot, that does not exist."""
    place: PlantObject | None = None
    for end in [*(match.start() for match in re.finditer(r"\.", name)), len(name)]:
        part = name[:end]
        place = hierarchy.by_tag_name(part) or hierarchy.add(
            part, AREA, place, contained_name=part.rpartition(".")[2] if place else ""
        )
    return place


def _place_galaxy(hierarchy: Hierarchy, objects: Mapping[str, ExportedObject], owners: dict[str, _Owner]) -> None:
    """Add the objects of an exported galaxy, each after its parent. Take them from the owners."""
    by_id = {each.gobject_id: each for each in objects.values()}
    placed: dict[int, PlantObject] = {}
    for each in objects.values():
        way: dict[int, ExportedObject] = {}
        step: ExportedObject | None = each
        while step is not None and step.gobject_id not in placed:
            if step.gobject_id in way:
                raise TagError(f"{step.origin.place('', 1)}: object {step.tag_name} is inside of itself")
            way[step.gobject_id] = step
            step = by_id.get(step.parent_id)
        for step in reversed(way.values()):
            owner = owners.pop(tag_key(step.tag_name), None)
            if owner is not None and owner.area_of is not None:
                text = f"{step.tag_name} has its place by the exported galaxy; leave its area out"
                raise mistake(owner.area_of, "area", text)
            own = Template(step.template_chain, tuple(owner.attributes.values()) if owner else (), step.category)
            try:
                placed[step.gobject_id] = hierarchy.add(
                    step.tag_name,
                    own,
                    placed.get(step.parent_id),
                    contained_name=step.contained_name,
                    gobject_id=step.gobject_id,
                )
            except ValueError as error:
                raise TagError(f"{step.origin.place('', 1)}: {error}") from error


def _place(hierarchy: Hierarchy, owner: _Owner) -> None:
    """Add the attributes to the object of that name. Make it, and the areas above it, if there is none."""
    attributes = tuple(owner.attributes.values())
    above, _, contained = owner.name.rpartition(".")
    existing = hierarchy.by_tag_name(owner.name)
    if existing is None:
        parent = _area(hierarchy, owner) if owner.area else _areas(hierarchy, above) if above else None
        own = template(_OWN_TEMPLATE, "Tags of the user's own", *attributes)
        try:
            hierarchy.add(owner.name, own, parent, contained_name=contained if above else "")
        except ValueError as error:
            raise mistake(owner.first, "name", str(error)) from error
        return
    if owner.area_of is not None:
        inside = hierarchy.by_id(existing.parent_id)
        if inside is None or tag_key(inside.tag_name) != tag_key(owner.area):
            place = f"in {inside.tag_name}" if inside else "at the top"
            raise mistake(owner.area_of, "area", f"{existing.tag_name} exists already, {place}; leave its area out")
    try:
        hierarchy.extend(owner.name, attributes)
    except ValueError as error:
        raise mistake(owner.first, "name", str(error)) from error
