"""Tags in addition to the plant's: what is said of each."""

import re
from dataclasses import dataclass

from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value, coerce, default
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError

_NAME = re.compile(r"[^\W]\w*(\.[^\W]\w*)+")


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
