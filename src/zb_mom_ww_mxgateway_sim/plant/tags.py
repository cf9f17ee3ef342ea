"""Tags in addition to the plant's: what is said of each."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Protocol

from zb_mom_ww_mxgateway_sim.plant.alarm_limits import AlarmLimit, parse_alarms
from zb_mom_ww_mxgateway_sim.plant.behavior import parse_behavior
from zb_mom_ww_mxgateway_sim.plant.model import Security
from zb_mom_ww_mxgateway_sim.plant.reactions import Reaction
from zb_mom_ww_mxgateway_sim.plant.signal_shapes import Signal
from zb_mom_ww_mxgateway_sim.plant.status import GOOD
from zb_mom_ww_mxgateway_sim.plant.tag_types import NUMBERS, CoercionError, NativeType, Value, coerce, default
from zb_mom_ww_mxgateway_sim.runtime.errors import LineError, TagError


class Origin(Protocol):
    """The row of a file that a tag comes from."""

    def place(self, column: str, offset: int) -> str:
        """Return ``file:line:column`` of a character, from 1, in the field of that name."""


@dataclass(frozen=True, slots=True)
class ExportedObject:
    """One object of an exported galaxy. ``parent_id`` is 0 at the top, or the id of an object outside of the export."""

    tag_name: str
    contained_name: str
    template_chain: tuple[str, ...]
    category: int
    gobject_id: int
    parent_id: int
    origin: Origin = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExportedAttribute:
    """What an exported galaxy says of a tag beyond its definition: its object, and all objects by their ``tag_key``."""

    objects: Mapping[str, ExportedObject] = field(compare=False, repr=False)
    owner: ExportedObject
    name: str
    category: int
    alarm: bool


@dataclass(frozen=True, slots=True)
class TagDefinition:
    """One tag of the user's own, ``Object.Attribute``. Without a value it starts with its type's default.

    ``does`` is what it does by itself, such as ``sine(40,60,30s)``, until it is written or set. ``alarms`` are its
    limits, such as ``hi 80 300; lolo 5 900 deadband 2``. docs/simulator.md explains both. ``quality`` is the initial
    one, from 0 to 255. ``security`` without a value is Operate, or ViewOnly for a tag that is not writable. ``min`` and
    ``max`` bound what is written. ``area`` is the area of the tag's object. ``origin`` and ``exported`` are for the
    readers of files.
    """

    name: str
    type: NativeType = NativeType.DOUBLE
    value: object = None
    writable: bool = True
    description: str = ""
    unit: str = ""
    is_array: bool = False
    _: KW_ONLY
    does: str = ""
    alarms: str = ""
    quality: int = GOOD
    security: Security | None = None
    min: float | None = None
    max: float | None = None
    historized: bool = False
    area: str = ""
    origin: Origin | None = field(default=None, compare=False, repr=False)
    exported: ExportedAttribute | None = None


def mistake(tag: TagDefinition, column: str, text: str, offset: int = 1) -> TagError:
    """Return the error of a field: with its place for a tag from a file, else with the tag's name."""
    if tag.origin is not None:
        return TagError(f"{tag.origin.place(column, offset)}: {text}")
    return TagError(f"{tag.name}: {f'{column}:{offset}: ' if column in ('does', 'alarms') else ''}{text}")


def initial_value(tag: TagDefinition) -> Value:
    """Return the tag's initial value. Raise CoercionError if its value is not of its type."""
    if tag.value is None:
        return () if tag.is_array else default(tag.type)
    return coerce(tag.value, tag.type, array=tag.is_array)


def check(tag: TagDefinition) -> Value:
    """Return the tag's initial value. Raise TagError where a field is wrong, or two do not fit together."""
    try:
        value = initial_value(tag)
    except CoercionError as error:
        raise mistake(tag, "value", f"{error}; use a value of the tag's type") from error
    if not 0 <= tag.quality <= 255:
        raise mistake(tag, "quality", f"quality {tag.quality} is not from 0 to 255")
    for column, limit in (("min", tag.min), ("max", tag.max)):
        if limit is not None and tag.type not in NUMBERS:
            raise mistake(tag, column, f"a {tag.type.name.lower()} has no {column}; only numbers have")
    if tag.min is not None and tag.max is not None and tag.min > tag.max:
        raise mistake(tag, "max", f"max {tag.max:g} is below min {tag.min:g}")
    if tag.value is not None:
        for element in value if isinstance(value, tuple) else (value,):
            if isinstance(element, int | float) and not _low(tag) <= element <= _high(tag):
                raise mistake(
                    tag, "value", f"{element:g} is not from {_low(tag):g} to {_high(tag):g}, as min and max say"
                )
    behavior_of(tag, value)
    alarms_of(tag)
    return value


def behavior_of(tag: TagDefinition, value: Value) -> Signal | Reaction | None:
    """Return what the tag does by itself, from that initial value on. Raise TagError where it cannot do it."""
    if not tag.does:
        return None
    try:
        return parse_behavior(tag.does, tag.type, tag.is_array, value)
    except LineError as error:
        raise mistake(tag, "does", error.text, error.column) from error


def alarms_of(tag: TagDefinition) -> tuple[AlarmLimit, ...]:
    """Return the tag's alarms. Raise TagError where it cannot have them."""
    try:
        return parse_alarms(tag.alarms, tag.type, tag.is_array)
    except LineError as error:
        raise mistake(tag, "alarms", error.text, error.column) from error


def _low(tag: TagDefinition) -> float:
    return float("-inf") if tag.min is None else tag.min


def _high(tag: TagDefinition) -> float:
    return float("inf") if tag.max is None else tag.max
