"""Where the galaxy has a tag: its object and attribute. Asked of the gateway, not of memory."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_shell.problems import closest

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyAttribute, GalaxyObject, GatewayClient

_ELEMENT = re.compile(r"(?P<path>.*?)(\[(?P<index>[^\[\]]*)\])?")


@dataclass(frozen=True, slots=True)
class Place:
    """What the galaxy says of a tag."""

    path: str
    """The tag without brackets."""
    index: str | None
    """Between the brackets: empty for the whole array, None without them."""
    found: "GalaxyObject | None"
    """The object that has it, or that it is itself."""
    attribute: "GalaxyAttribute | None"
    last_deploy: datetime | None

    @property
    def address(self) -> str:
        """What can be read: a whole array needs its brackets."""
        if self.index is None:
            return f"{self.path}[]" if self.attribute and self.attribute.is_array else self.path
        return f"{self.path}[{self.index}]"

    @property
    def is_object(self) -> bool:
        """True where the name is an object's, and no tag."""
        return self.found is not None and self.found.tag_name.casefold() == self.path.casefold()

    @property
    def hint(self) -> str:
        """At an attribute of a similar name, or nothing."""
        if self.found is None or self.attribute is not None or self.is_object:
            return ""
        return closest(self.path, [attribute.full_tag_reference for attribute in self.found.attributes])

    def of_object(self, name: str) -> "GalaxyAttribute | None":
        """The object's attribute of that name, in any letter case."""
        attributes = self.found.attributes if self.found else ()
        return next((each for each in attributes if each.attribute_name.casefold() == name.casefold()), None)


async def locate(client: "GatewayClient", tag: str) -> Place:
    """Looks the tag up: the longest dotted beginning that is an object, and the attribute in it.

    Raises the library's errors: a key without metadata:read sees no galaxy.
    """
    parts = _ELEMENT.fullmatch(tag.strip())
    path, index = (parts["path"], parts["index"]) if parts else (tag, None)
    found = await _object_of(client, path)
    attributes = found.attributes if found else ()
    attribute = next((a for a in attributes if a.full_tag_reference.casefold() == path.casefold()), None)
    return Place(path, index, found, attribute, await client.galaxy.last_deploy_time())


async def _object_of(client: "GatewayClient", path: str) -> "GalaxyObject | None":
    segments = path.split(".")
    for count in range(len(segments), 0, -1):
        name = ".".join(segments[:count])
        if name and not any(mark in name for mark in "*?[]"):
            async for found in client.galaxy.discover(tag_name_glob=name):
                if found.tag_name.casefold() == name.casefold():
                    return found
    return None
