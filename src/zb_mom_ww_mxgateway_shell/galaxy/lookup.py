"""Look-up of one tag, its object and its attribute, by the gateway rather than from memory."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.galaxy_objects import object_beginning
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_shell.errors import closest

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyAttribute, GalaxyObject, GatewayClient

_ELEMENT = re.compile(r"(?P<path>.*?)(\[(?P<index>[^\[\]]*)\])?")
_STATE = ".InAlarm"
_INDEX = re.compile(r"[0-9]{1,30}")


@dataclass(frozen=True, slots=True)
class Place:
    """A tag as the galaxy has it."""

    path: str
    """The tag without brackets."""
    index: str | None
    """Between the brackets: empty for the whole array, None without them."""
    found: "GalaxyObject | None"
    """The object of the tag, or the object that the name is."""
    attribute: "GalaxyAttribute | None"

    @property
    def address(self) -> str:
        """The address to read: a whole array needs brackets."""
        if self.index is None:
            return f"{self.path}[]" if self.attribute and self.attribute.is_array else self.path
        return f"{self.path}[{self.index}]"

    @property
    def is_object(self) -> bool:
        """Whether the name is an object's rather than a tag's."""
        return self.found is not None and tag_key(self.found.tag_name) == tag_key(self.path)

    @property
    def hint(self) -> str:
        """Return a hint at an attribute of a similar name; empty for none."""
        if self.found is None or self.attribute is not None or self.is_object:
            return ""
        return closest(self.path, [attribute.full_tag_reference for attribute in self.found.attributes])


async def locate(client: "GatewayClient", tag: str) -> Place:
    """Look the tag up; raise the library's errors, such as for a key without metadata:read."""
    parts = _ELEMENT.fullmatch(tag.strip())
    path, index = (parts["path"], parts["index"]) if parts else (tag, None)
    found, below = await object_beginning(client, path)
    return Place(path, index, found, attribute_of(found, below) if found else None)


def attribute_of(item: "GalaxyObject", name: str) -> "GalaxyAttribute | None":
    """Return the attribute of that name in any letter case; for an element its array."""
    wanted = tag_key(name), tag_key(name.partition("[")[0])
    return next((each for each in item.attributes if tag_key(each.attribute_name) in wanted), None)


def attributes_below(item: "GalaxyObject", name: str) -> "list[GalaxyAttribute]":
    """Return the attributes of an object below a name in any letter case: ``Level.Hi.Limit`` is below ``Level.Hi``."""
    prefix = tag_key(f"{name}.")
    return [each for each in item.attributes if tag_key(each.attribute_name).startswith(prefix)]


def alarms_at(item: "GalaxyObject", name: str) -> list[str]:
    """Return the tags of the alarms of an attribute: its own, and those below it.

    An alarm whose state is the attribute ``Level.Hi.InAlarm`` is ``Level.Hi``.
    """
    own = attribute_of(item, name)
    found = [*([own] if own is not None else []), *attributes_below(item, name)]
    return [_without_state(each.full_tag_reference) for each in found if each.is_alarm]


def _without_state(tag: str) -> str:
    return tag[: -len(_STATE)] if tag_key(tag).endswith(tag_key(_STATE)) else tag


def array_problem(place: Place) -> str:
    """Return what is wrong with the brackets of an address; empty where nothing is."""
    attribute, index = place.attribute, place.index
    if attribute is None or index is None:
        return ""
    if not attribute.is_array:
        return f"{place.path} is no array: leave out [{index}]"
    if not index:
        return ""
    length = attribute.array_dimension
    if not _INDEX.fullmatch(index) or int(index) < 1:
        return f"[{index}] is no element: they count from 1{f' to {length}' if length else ''}"
    if length and int(index) > length:
        return f"the galaxy gives {place.path} {length} elements, so there is no [{index}]"
    return ""
