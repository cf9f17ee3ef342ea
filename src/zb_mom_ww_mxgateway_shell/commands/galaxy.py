"""browse, cd, find, tag, deploys: the galaxy, as the gateway reports it; none of them needs a session."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from zb_mom_ww_mxgateway.galaxy_objects import object_at, object_beginning
from zb_mom_ww_mxgateway.models.security_classes import VIEW_ONLY
from zb_mom_ww_mxgateway.safety.known_range import range_text
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.render.forms import one_line, safe
from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import category_text, security_meaning, security_name
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.feeds.search import Deployments, ObjectSearch, TagSearch
from zb_mom_ww_mxgateway_shell.galaxy.lookup import (
    alarms_at,
    attribute_of,
    attributes_below,
)
from zb_mom_ww_mxgateway_shell.galaxy.tag_index_storage import type_text
from zb_mom_ww_mxgateway_shell.language.argument_types import CountOption, DurationOption, FlagOption
from zb_mom_ww_mxgateway_shell.language.command_traits import CommandTraits
from zb_mom_ww_mxgateway_shell.language.commands import command
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.target_types import GalaxyPlace, TemplateName, full_address
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Table, TextResult
from zb_mom_ww_mxgateway_shell.output.tag_texts import (
    alarm_limits_text,
    description_of,
    fact_fields,
    number_fields,
    unit_of,
)
from zb_mom_ww_mxgateway_shell.state.context import Context, context_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyAttribute, GalaxyObject, GatewayClient

_HINT_SECONDS = 2.0
_TEXTS_SECONDS = 0.3
"""Most seconds that tag waits for unit and description."""
"""Seconds to read the galaxy for a hint."""
_ABOVE = 20
"""Most objects above a tag's object that are read to find its area."""

ObjectArgument = Annotated[Token | None, GalaxyPlace("object", objects=True)]


@command("browse", example="browse Plant.Tank1", needs_session=False, in_plan=True)
async def browse(context: Context, object: ObjectArgument = None) -> Result:
    """List one level of an area or object: areas first, then objects, then its attributes.

    Without a name it lists the focused object, or the top of the galaxy. … marks what has more below it.
    `browse Plant.Tank1.Level` lists what is below an attribute.
    """
    place, below = await _place(context, object)
    children = await context.connected.client.galaxy.browse(
        place.gobject_id if place else None, include_attributes=False
    )
    for node in children:
        context.catalogue.learn(node.object)
    records = [] if below else [_object_record(node.object, node.has_children) for node in children]
    if place is not None:
        context.catalogue.learn(place)
        attributes = _attribute_records(place, below)
        if below and not attributes:
            raise _missing_error(context, object, place, below)
        records += attributes
    rows = [[each["kind"], each["name"], each["type"] or "", each["security"] or "", _marks(each)] for each in records]
    where = _whole(place, below) if place else "the galaxy"
    names = [each["name"] for each in records]
    headings, empty = ("kind", "name", "type", "security", ""), f"nothing below {safe(where)}"
    return Table(headings, rows, records, names, empty, columns=_BROWSED)


_BROWSED = ("alarm", "browse_name", "has_more", "historized", "kind", "name", "security", "type")


def _focus_ahead(scope: Scope, given: Sequence[Any]) -> None:
    # A check knows that there will be a focus; only the run knows which one.
    context_of(scope).focus_ahead = given[0].text if given and given[0] else ""


@command(
    "cd",
    example="cd Plant.Tank1",
    needs_session=False,
    in_plan=True,
    traits=CommandTraits(checked_effect=_focus_ahead, changes_subject="object"),
)
async def cd(context: Context, object: ObjectArgument = None) -> Result:
    """Focus an object: after `cd Plant.Tank1` a leading dot stands for it, .Level is Plant.Tank1.Level.

    `cd ..` goes up one level, cd alone leaves the focus. The name of a child of the focused object works, too.
    """
    connected = context.connected
    place = None
    if object is not None:
        place, below = await _place(context, object)
        if below:
            assert place is not None  # only an object has children
            hint = f"; cd {place.tag_name} focuses its object"
            raise object.mistake(f"{_whole(place, below)} is not an object{hint}")
    connected.focus = safe(place.tag_name) if place else ""
    text = f"in {connected.focus}" if place else "nothing is focused"
    return TextResult(text, {"focus": connected.focus or None}, connected.focus or None)


@command("find", example="find Plant.Tank*", needs_session=False)
async def find(
    context: Context,
    glob: Annotated[Token, GalaxyPlace("glob", objects=True)],
    *,
    tags: FlagOption = False,
    under: ObjectArgument = None,
    template: Annotated[str | None, TemplateName()] = None,
    alarms: FlagOption = False,
    historized: FlagOption = False,
    count: CountOption = None,
) -> Feed:
    """Find objects whose names match a glob (*, ?), in any letter case; the gateway searches.

    Without * or ? the text may be anywhere in the name. --under OBJECT searches only below it, --template NAME only
    objects that derive from it, --alarms and --historized only those with such attributes, --count stops after that
    many. A template is named as listings show it, $Tank, unless let gave that name a value. --tags instead matches
    whole tag names, such as *.Level, among those this shell has read.
    """
    pattern = full_address(glob, context)
    if not any(mark in pattern for mark in "*?"):
        pattern = f"*{pattern}*"
    if tags:
        if under or template or alarms or historized:
            raise ShellError("--tags matches names alone: omit --under, --template, --alarms and --historized")
        return TagSearch(context.connected, pattern, count)
    root, below = await _place(context, under) if under is not None else (None, "")
    if below and under is not None:
        raise under.mistake(f"{full_address(under, context)} is not an object")
    filters: dict[str, Any] = {
        "alarm_bearing_only": alarms,
        "historized_only": historized,
        "template_chain_contains": [template] if template else [],
    }
    return ObjectSearch(context.connected, pattern, root.gobject_id if root else None, filters, count)


@command("tag", example="tag Plant.Tank1.Level", needs_session=False, in_plan=True)
async def tag(context: Context, name: Annotated[Token, GalaxyPlace("tag", objects=False)]) -> Result:
    """Show what the galaxy knows of a tag: its type, security classification, history, alarms and object.

    The list has type, array, category, security classification, whether the tag is historized, its alarms and the
    attributes below it; then its object, templates, area and host. At the prompt unit, range (TAG.RangeLo to
    TAG.RangeHi), limits of its alarms and description follow, as far as they are known. A name without a value, such as
    that of an alarm, has only what is below it.
    """
    place, below = await _place(context, name)
    assert place is not None  # a word was given
    context.catalogue.learn(place)
    if not below:
        raise name.mistake(f"{place.tag_name} is an object: browse {place.tag_name} lists its attributes")
    found, parts = attribute_of(place, below), attributes_below(place, below)
    if found is None and not parts:
        raise name.mistake(f"{place.tag_name} has no {below}", lambda: context.catalogue.closest(_whole(place, below)))
    client = context.connected.client
    area = await _area_of(client, place)
    host = await object_at(client, place.hosted_by_gobject_id) if place.hosted_by_gobject_id else None
    # The galaxy's spelling, where a name alone is no attribute.
    spelled = found.full_tag_reference if found else parts[0].full_tag_reference[: len(place.tag_name) + 1 + len(below)]
    own, alarms = _own_facts(found), alarms_at(place, below)
    fields = {
        **own.fields,
        "alarm": bool(alarms),
        "alarms": alarms,
        "area": area.tag_name if area else None,
        "below": [each.full_tag_reference for each in parts],
        "hosted_by": host.tag_name if host else None,
        "object": place.tag_name,
        "tag": spelled,
        "template_chain": list(place.template_chain),
    }
    lines = {
        "tag": spelled,
        **own.lines,
        "alarms": ", ".join("itself" if each == spelled else each.removeprefix(f"{spelled}.") for each in alarms)
        or "none",
        **({"below it": ", ".join(_next_names(below, parts))} if parts else {}),
        "object": place.tag_name,
        "templates": " < ".join(place.template_chain) or "none",
        "area": area.tag_name if area else "none",
        "hosted by": host.tag_name if host else "nothing",
    }
    texts = context.connected.facts
    await texts.soon([spelled], _TEXTS_SECONDS)
    await texts.learn_numbers([spelled])
    facts = texts.known(spelled)
    known = {
        "unit": unit_of(facts),
        "range": one_line(range_text(facts)),
        "alarms at": alarm_limits_text(facts),
        "description": description_of(facts),
    }
    lines |= {name: text for name, text in known.items() if text}
    fields |= fact_fields(facts) | number_fields(facts)
    return TextResult("\n".join(f"{name:<12}{text}" for name, text in lines.items()), fields, fields["tag"])


class _OwnFacts(NamedTuple):
    """What the galaxy knows of a tag's own value."""

    fields: dict[str, Any]
    lines: dict[str, str]


def _own_facts(found: "GalaxyAttribute | None") -> _OwnFacts:
    """Return the facts of an attribute; None stands for a name that has no value, only attributes below it."""
    if found is None:
        names = ("array_dimension", "can_be_written", "category", "historized", "is_array", "security")
        return _OwnFacts(
            dict.fromkeys((*names, "security_classification", "type")), {"type": "none: it has no value of its own"}
        )
    security = found.security_classification
    means = security_meaning(security)
    length = "" if found.array_dimension is None else f" of {found.array_dimension}"
    return _OwnFacts(
        {
            "array_dimension": found.array_dimension,
            "can_be_written": security != VIEW_ONLY,
            "category": found.category,
            "historized": found.is_historized,
            "is_array": found.is_array,
            "security": security_name(security),
            "security_classification": security,
            "type": type_text(found),
        },
        {
            "type": f"{type_text(found)}{f', an array{length}' if found.is_array else ''}",
            "security": f"{security_name(security)} ({security}){f': {means}' if means else ''}",
            "category": category_text(found.category),
            "historized": "yes" if found.is_historized else "no",
        },
    )


def _next_names(below: str, parts: "Sequence[GalaxyAttribute]") -> list[str]:
    """Return the names one level below a name, in the order of the attributes."""
    return list(dict.fromkeys(each.attribute_name[len(below) + 1 :].partition(".")[0] for each in parts))


def _unending(given: Collection[str]) -> str:
    return "" if {"for_", "count"} & set(given) else "deploys in a file needs an end: --for 5m or --count 1"


@command("deploys", example="deploys --count 1", needs_session=False, unending=_unending)
async def deploys(context: Context, *, for_: DurationOption = None, count: CountOption = None) -> Feed:
    """Show when the galaxy was last deployed, and then each deployment as it happens.

    A deployment may change the tags; the shell then reads the galaxy again by itself.
    """
    return Deployments(context.connected.client, for_, count)


# Find an object.


async def _place(context: Context, word: Token | None) -> "tuple[GalaxyObject | None, str]":
    """Return the object that a word names and the rest of the name; None stands for the top.

    No word means the focus, ``..`` its parent; the name of a child of the focused object works, too. Raises
    InputError if there is no such object.
    """
    connected = context.connected
    client, focus = connected.client, connected.focus
    if word is None:
        return (await _existing(client, focus) if focus else None), ""
    if word.value == "..":
        focused = await _existing(client, focus) if focus else None
        return (
            await object_at(client, focused.parent_gobject_id) if focused and focused.parent_gobject_id else None
        ), ""
    name = full_address(word, context).rstrip(".")
    if not name:
        raise word.mistake("an object's name is expected")
    catalogue = connected.catalogue
    # The object of a known tag is known, too.
    owner = catalogue.owner_of(name) if catalogue.kind_of(name) else None
    found, below = await object_beginning(client, name, name[: len(owner.name)] if owner else "")
    if found is not None:
        return found, below
    if focus and (focused := await object_at(client, focus)) is not None:
        for node in await client.galaxy.browse(focused.gobject_id, include_attributes=False):
            if tag_key(name) in (tag_key(node.object.browse_name), tag_key(node.object.contained_name)):
                return await _existing(client, node.object.tag_name), ""
    catalogue.start(client)
    await catalogue.loaded(_HINT_SECONDS)
    hint = catalogue.closest_object(name) or catalogue.closest(name) or "; browse lists the objects"
    raise word.mistake(f"the galaxy has no {name}{hint}")


def _missing_error(context: Context, word: Token | None, place: "GalaxyObject", below: str) -> ShellError:
    whole, catalogue = _whole(place, below), context.catalogue
    message = f"{place.tag_name} has no {below}"
    return (
        word.mistake(message, lambda: catalogue.closest(whole) or catalogue.closest_object(whole))
        if word
        else ShellError(message)
    )


async def _existing(client: "GatewayClient", name: str) -> "GalaxyObject":
    found = await object_at(client, name)
    if found is None:
        raise ShellError(f"the galaxy no longer has {name}: cd leaves the focus")
    return found


async def _area_of(client: "GatewayClient", item: "GalaxyObject") -> "GalaxyObject | None":
    above: GalaxyObject | None = item
    for _ in range(_ABOVE):
        if above is None or above.is_area:
            return above
        above = await object_at(client, above.parent_gobject_id) if above.parent_gobject_id else None
    return None


# Format it.


def _whole(item: "GalaxyObject", below: str) -> str:
    return f"{item.tag_name}.{below}" if below else item.tag_name


def _object_record(item: "GalaxyObject", has_more: bool) -> dict[str, Any]:
    return {
        "alarm": None,
        "browse_name": item.browse_name,
        "has_more": has_more,
        "historized": None,
        "kind": "area" if item.is_area else "object",
        "name": item.tag_name,
        "security": None,
        "type": item.template_chain[0] if item.template_chain else None,
    }


def _attribute_records(item: "GalaxyObject", below: str) -> list[dict[str, Any]]:
    """Return the attributes one level below a place in an object."""
    prefix = tag_key(f"{below}.") if below else ""
    own: dict[str, GalaxyAttribute] = {}
    groups: dict[str, str] = {}
    for attribute in item.attributes:
        name = attribute.attribute_name
        if tag_key(name).startswith(prefix):
            first, dot, _ = name[len(prefix) :].partition(".")
            if dot:
                groups.setdefault(tag_key(first), name[: len(prefix)] + first)
            else:
                own[tag_key(first)] = attribute
    alarmed = {
        tag_key(start) for each in item.attributes if each.is_alarm for start in _beginnings(each.attribute_name)
    }
    records = []
    for key in sorted({*own, *groups}):
        found = own.get(key)
        records.append(
            {
                "alarm": tag_key(found.attribute_name if found else groups[key]) in alarmed,
                "browse_name": found.attribute_name if found else groups[key],
                "has_more": key in groups,
                "historized": found.is_historized if found else None,
                "kind": "attribute",
                "name": found.full_tag_reference if found else _whole(item, groups[key]),
                "security": security_name(found.security_classification) if found else None,
                "type": type_text(found) if found else None,
            }
        )
    return records


def _beginnings(name: str) -> list[str]:
    """Return a dotted name, and all names above it."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _marks(record: dict[str, Any]) -> str:
    marks = {"…": record["has_more"], "historized": record["historized"], "alarm": record["alarm"]}
    return " ".join(mark for mark, is_so in marks.items() if is_so)


COMMANDS = (browse, cd, find, tag, deploys)
