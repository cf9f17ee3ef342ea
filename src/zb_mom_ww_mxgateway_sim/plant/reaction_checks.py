"""Tags that react to others, held against the galaxy: the others exist, are of fitting types, and form no loop."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.model import Attribute, tag_key
from zb_mom_ww_mxgateway_sim.plant.reactions import Follows, Reaction, Reference, Travels, When
from zb_mom_ww_mxgateway_sim.plant.tag_types import NUMBERS, CoercionError, NativeType, coerce_scalar
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition, alarms_of, mistake
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError

_SWITCHED = (*NUMBERS, NativeType.BOOLEAN)
_MOST_NAMES_IN_A_LOOP = 5


@dataclass(frozen=True, slots=True)
class ReactingTag:
    """One tag that reacts, and the tags that it reacts to, each by its ``tag_key``."""

    key: str
    sources: tuple[str, ...]


def reacting_tags(hierarchy: Hierarchy, tags: Collection[TagDefinition]) -> list[ReactingTag]:
    """Return the tags that react, each after those that it reacts to. Raise TagError with the place of a mistake."""
    reacting: dict[str, tuple[TagDefinition, Reaction]] = {}
    for tag in tags:
        if not tag.does:
            continue
        found = hierarchy.attribute(tag.name)
        if found is not None and found[1].reaction is not None:
            reacting[tag_key(tag.name)] = tag, found[1].reaction
            _check(hierarchy, tag, found[1], found[1].reaction)
    if not reacting:
        return []
    alarms = _alarms(hierarchy, tags)
    ways = {
        key: [
            (reached, reference)
            for reference in reaction.references
            for reached in (tag_key(reference.name), *alarms.get(tag_key(reference.name), ()))
            if reached in reacting
        ]
        for key, (_, reaction) in reacting.items()
    }
    return [
        ReactingTag(key, tuple(tag_key(reference.name) for reference in reacting[key][1].references))
        for key in _ordered(reacting, ways)
    ]


def _alarms(hierarchy: Hierarchy, tags: Iterable[TagDefinition]) -> dict[str, list[str]]:
    """Return the tags that move a part of an alarm, or ``InAlarm`` of an object, all by their ``tag_key``."""
    moved: dict[str, list[str]] = {}
    for tag in tags:
        for limit in alarms_of(tag):
            found = hierarchy.attribute(tag.name)
            owner = found[0].tag_name if found else ""
            for name in (f"{tag.name}.{limit.name}.InAlarm", f"{tag.name}.{limit.name}.Acked", f"{owner}.InAlarm"):
                moved.setdefault(tag_key(name), []).append(tag_key(tag.name))
    return moved


def _check(hierarchy: Hierarchy, tag: TagDefinition, attribute: Attribute, reaction: Reaction) -> None:
    sources = {reference: _source(hierarchy, tag, reference) for reference in reaction.references}
    source = sources[reaction.source]
    match reaction:
        case Follows():
            _check_copy(tag, reaction.source, source, attribute)
        case Travels():
            if source.is_array or source.type not in _SWITCHED:
                raise _misfit(tag, reaction.source, source, "it must be a number or a bool")
        case When():
            _check_operand(tag, reaction, source)
            for reference in reaction.references[1:]:
                _check_copy(tag, reference, sources[reference], attribute)


def _source(hierarchy: Hierarchy, tag: TagDefinition, reference: Reference) -> Attribute:
    found = hierarchy.attribute(reference.name)
    if found is not None:
        return found[1]
    owner, _, name = reference.name.rpartition(".")
    place = hierarchy.by_tag_name(owner)
    known = [attribute.name for attribute in place.template.attributes] if place else []
    close = get_close_matches(name, known, 1)
    hint = f"; did you mean {owner}.{close[0]}?" if close else "" if place else f"; there is no object {owner}"
    raise mistake(tag, "does", f"there is no tag {reference.name}{hint}", reference.offset)


def _check_copy(tag: TagDefinition, reference: Reference, source: Attribute, attribute: Attribute) -> None:
    """Check that the tag can take the values of another."""
    fits = source.type is attribute.type or (source.type in _SWITCHED and attribute.type in _SWITCHED)
    if source.is_array is not attribute.is_array or not (
        fits or (attribute.type is NativeType.STRING and not attribute.is_array)
    ):
        wanted = f"{tag.name} is {_kind(attribute)}"
        raise _misfit(tag, reference, source, wanted)


def _check_operand(tag: TagDefinition, reaction: When, source: Attribute) -> None:
    if source.is_array:
        raise _misfit(tag, reaction.source, source, "only single values are compared")
    if reaction.comparison not in ("=", "!=") and source.type in (NativeType.BOOLEAN, NativeType.STRING):
        raise _misfit(tag, reaction.source, source, f"it cannot be compared by {reaction.comparison}, only by = and !=")
    try:
        coerce_scalar(reaction.operand, source.type)
    except CoercionError as error:
        text = f"{error}, as {reaction.source.name} is {_kind(source)}"
        raise mistake(tag, "does", text, reaction.operand_offset) from error


def _misfit(tag: TagDefinition, reference: Reference, source: Attribute, text: str) -> TagError:
    return mistake(tag, "does", f"{reference.name} is {_kind(source)}; {text}", reference.offset)


def _kind(attribute: Attribute) -> str:
    name = attribute.type.name.lower().replace("_", " ")
    return f"{'an array of ' if attribute.is_array else ''}{name}"


def _ordered(
    reacting: Mapping[str, tuple[TagDefinition, Reaction]], ways: Mapping[str, list[tuple[str, Reference]]]
) -> list[str]:
    """Return the keys, each after those that it reacts to. Raise TagError for a loop."""
    done: dict[str, None] = {}
    for start in reacting:
        # The way from the first tag to the present one, with what each still has to look at. No recursion: a way may be
        # long.
        way: dict[str, Iterator[tuple[str, Reference]]] = {}
        at: str | None = start if start not in done else None
        while at is not None:
            following = next(way.setdefault(at, iter(ways[at])), None)
            if following is None:
                done[at] = None
                del way[at]
                at = next(reversed(way), None)
                continue
            key, reference = following
            if key in way:
                raise _loop(reacting, [*way], key, reference)
            if key not in done:
                at = key
    return list(done)


def _loop(
    reacting: Mapping[str, tuple[TagDefinition, Reaction]], way: list[str], closing: str, reference: Reference
) -> TagError:
    names = [reacting[key][0].name for key in way[way.index(closing) :]]
    shown = names if len(names) <= _MOST_NAMES_IN_A_LOOP else [*names[: _MOST_NAMES_IN_A_LOOP - 1], "…"]
    loop = " → ".join([*shown, names[0]])
    text = f"a loop: {loop}; let one of them react to something else" if len(names) > 1 else "a tag reacts to another"
    return mistake(reacting[way[-1]][0], "does", text, reference.offset)
