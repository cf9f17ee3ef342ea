"""Tags by a glob, and the tag that a wrong name was meant to be."""

import re
from difflib import get_close_matches
from fnmatch import translate

from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.model import tag_key

# Comparing a name with more tags than that takes seconds.
_MOST_COMPARED = 5000


class TagPattern:
    """A tag name, or a glob of names with ``*``, ``?`` and ``[…]``, in any letter case."""

    def __init__(self, glob: str) -> None:
        self.glob: str = glob
        self._matches = re.compile(translate(tag_key(glob))).match

    def matches(self, reference: str) -> bool:
        """Return whether ``Object.Attribute`` is one of these tags."""
        return self._matches(tag_key(reference)) is not None

    def has_tag(self, hierarchy: Hierarchy) -> bool:
        """Return whether the galaxy has such a tag."""
        if hierarchy.attribute(self.glob) is not None:
            return True
        return any(
            self.matches(f"{plant_object.tag_name}.{attribute.name}")
            for plant_object in hierarchy
            for attribute in plant_object.template.attributes
        )


def no_tag(hierarchy: Hierarchy, name: str) -> str:
    """Return the message that there is no such tag, with a similar one that there is."""
    close = _similar(hierarchy, name)
    return f"there is no tag {name}" + (f"; did you mean {close}?" if close else "")


def _similar(hierarchy: Hierarchy, name: str) -> str:
    owner = name
    while "." in owner:
        owner = owner.rpartition(".")[0]
        plant_object = hierarchy.by_tag_name(owner)
        if plant_object is not None:
            wanted = tag_key(name[len(owner) + 1 :])
            close = get_close_matches(wanted, plant_object.template.by_name, 1)
            return f"{plant_object.tag_name}.{plant_object.template.by_name[close[0]].name}" if close else ""
    if hierarchy.attribute_count > _MOST_COMPARED:
        return ""
    names = {
        tag_key(f"{plant_object.tag_name}.{attribute.name}"): f"{plant_object.tag_name}.{attribute.name}"
        for plant_object in hierarchy
        for attribute in plant_object.template.attributes
    }
    close = get_close_matches(tag_key(name), names, 1)
    return names[close[0]] if close else ""
