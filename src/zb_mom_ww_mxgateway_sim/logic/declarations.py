"""What a plant file declares: tags, and the functions that writes and time call."""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from types import NoneType
from typing import Any, TypeVar

from zb_mom_ww_mxgateway_sim.plant.model import Security, check_name, tag_key
from zb_mom_ww_mxgateway_sim.plant.status import quality_of
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition, check
from zb_mom_ww_mxgateway_sim.runtime.errors import PlantError, TagError

Function = TypeVar("Function", bound=Callable[..., object])

SHORTEST_PERIOD = 0.01
# The columns that a tag may have beside name, value and type, and what each takes.
_COLUMNS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "writable": (bool, "True or False"),
    "description": (str, "a text"),
    "unit": (str, "a text"),
    "is_array": (bool, "True or False"),
    "does": (str, "a text"),
    "alarms": (str, "a text"),
    "quality": ((int, str), "good, uncertain, bad or a number from 0 to 255"),
    "security": ((Security, str, NoneType), "a Security or its name"),
    "min": ((int, float, NoneType), "a number"),
    "max": ((int, float, NoneType), "a number"),
    "historized": (bool, "True or False"),
    "area": (str, "a text"),
}
# The attribute of a function that has its triggers: a function can be given to a gateway without a file.
_MARK = "_mxgw_triggers"
_TYPES: tuple[tuple[type, NativeType], ...] = (
    (bool, NativeType.BOOLEAN),
    (int, NativeType.INTEGER),
    (float, NativeType.DOUBLE),
    (str, NativeType.STRING),
    (datetime, NativeType.TIME),
    (timedelta, NativeType.ELAPSED_TIME),
)


@dataclass(frozen=True, slots=True)
class WriteTrigger:
    """A function to call for writes to the tags of a glob."""

    function: Callable[..., object]
    glob: str
    stores: bool


@dataclass(frozen=True, slots=True)
class PeriodTrigger:
    """A function to call at a period in seconds."""

    function: Callable[..., object]
    seconds: float


Trigger = WriteTrigger | PeriodTrigger


@dataclass(slots=True)
class PlantLogic:
    """All that one plant declares, in its order."""

    triggers: list[Trigger] = field(default_factory=list)
    tags: dict[str, TagDefinition] = field(default_factory=dict)
    """Tags by their ``tag_key``."""

    @classmethod
    def of(cls, functions: Iterable[Callable[..., object]]) -> "PlantLogic":
        """Return the logic of decorated functions. Raise PlantError for one without a decorator."""
        logic = cls()
        if not isinstance(functions, Iterable):
            raise PlantError(f"plant takes a file or a list of functions, not {name_of(functions)}")
        for function in functions:
            triggers: tuple[Trigger, ...] = getattr(function, _MARK, ())
            if not triggers:
                raise PlantError(f"{place_of(function)}: {name_of(function)} has neither @every nor @on_write")
            logic.triggers.extend(triggers)
        return logic

    def add_tag(self, tag: TagDefinition) -> None:
        """Take in a tag. Raise TagError if it is declared already."""
        first = self.tags.setdefault(tag_key(tag.name), tag)
        if first is not tag:
            where = f", from {first.origin.place('name', 1)}" if first.origin else ""
            raise TagError(f"there is a tag {tag.name} already{where}")


@dataclass(frozen=True, slots=True)
class _DeclaringLine:
    """The line of a program that declares a tag."""

    where: str

    def place(self, column: str, offset: int) -> str:
        """Return ``file:line``, and for a field with a language of its own the place in that."""
        return f"{self.where}: {column}:{offset}" if column in ("does", "alarms") else self.where


_collecting: ContextVar[PlantLogic | None] = ContextVar("collecting", default=None)


@contextmanager
def collecting() -> Iterator[PlantLogic]:
    """Collect what is declared inside."""
    logic = PlantLogic()
    token = _collecting.set(logic)
    try:
        yield logic
    finally:
        _collecting.reset(token)


def on_write(*tags: str, stores: bool = True) -> Callable[[Function], Function]:
    """Call ``function(plant, write)`` for each write of a client to one of these tags: a name, or a glob of names.

    ``plant`` is a Plant, and ``write`` a WriteRecord with the value as the tag took it. The tag has that value by then;
    with ``stores=False`` it keeps its own, and the function decides what becomes of it.
    """
    if not tags or not all(isinstance(tag, str) and tag for tag in tags):
        raise PlantError('on_write takes the names of tags, such as @on_write("Mixer1.Start")')

    def decorate(function: Function) -> Function:
        _check(function, ("plant", "write"))
        for glob in tags:
            _declare(function, WriteTrigger(function, glob, stores))
        return function

    return decorate


def every(seconds: float) -> Callable[[Function], Function]:
    """Call ``function(plant)`` at this period of the gateway's clock, in seconds, for the first time after one."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not SHORTEST_PERIOD <= seconds < 1e9:
        raise PlantError(f"every takes {SHORTEST_PERIOD:g} seconds or more, such as @every(0.1), not {seconds!r}")

    def decorate(function: Function) -> Function:
        _check(function, ("plant",))
        _declare(function, PeriodTrigger(function, float(seconds)))
        return function

    return decorate


def tag(name: str, value: object = None, type: NativeType | None = None, **columns: Any) -> TagDefinition:
    """Declare a tag, ``Object.Attribute``, and return its definition.

    Without a type it has that of its value: a list is an array, a timedelta an elapsed time, None a double. The other
    columns are the fields of TagDefinition; quality and security may be names, as in a tag file. Raise TagError if the
    tag is impossible or declared already.
    """
    check_name(name)
    _settle(name, columns)
    sample = value
    if isinstance(value, list | tuple):
        columns["is_array"] = True
        sample = value[0] if value else None
        value = tuple(value)
        if sample is None and type is None:
            raise TagError(f"{name}: an empty array needs a type, such as type=NativeType.INTEGER")
    made = TagDefinition(name, type or _type_of(name, sample), value, **columns)
    check(made)
    # From here on a mistake shows only later: with the other tags.
    caller = sys._getframe(1)
    made = replace(made, origin=_DeclaringLine(f"{caller.f_code.co_filename}:{caller.f_lineno}"))
    logic = _collecting.get()
    if logic is not None:
        logic.add_tag(made)
    return made


def _settle(name: str, columns: dict[str, Any]) -> None:
    """Turn names of a quality and a security into those. Raise TagError for a column, or its value, that is none."""
    for column, value in columns.items():
        if column not in _COLUMNS:
            close = get_close_matches(column, _COLUMNS, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(_COLUMNS)}"
            raise TagError(f"{name}: no column {column!r}; {hint}")
        kinds, wanted = _COLUMNS[column]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise TagError(f"{name}: {column} is {value!r}; use {wanted}")
    try:
        if "quality" in columns:
            columns["quality"] = quality_of(columns["quality"])
        if isinstance(columns.get("security"), str):
            columns["security"] = Security.of(columns["security"])
    except ValueError as error:
        raise TagError(f"{name}: {error}") from error


def _type_of(name: str, value: object) -> NativeType:
    if value is None:
        return NativeType.DOUBLE
    for python_type, tag_type in _TYPES:
        if isinstance(value, python_type):
            return tag_type
    raise TagError(f"{name}: no tag has a value such as {value!r}")


def _declare(function: Callable[..., object], trigger: Trigger) -> None:
    logic = _collecting.get()
    if logic is not None:
        logic.triggers.append(trigger)
    # What is no Python function, such as a bound method, takes no attribute; a file does without.
    if inspect.isfunction(function):
        setattr(function, _MARK, (*getattr(function, _MARK, ()), trigger))


def _check(function: object, arguments: tuple[str, ...]) -> None:
    """Raise PlantError unless the function can be called with these arguments, and at once does what it does."""
    call = f"{name_of(function)}({', '.join(arguments)})"
    if not callable(function):
        raise PlantError(f"the decorator is for a function such as def step({', '.join(arguments)})")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise PlantError(f"{name_of(function)} must be a plain function, without async and yield: def {call}")
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        raise PlantError(f"{name_of(function)} is called as {call}, and does not take that") from None


def name_of(function: object) -> str:
    """Return the name of a function for a person."""
    return str(getattr(function, "__name__", function))


def place_of(function: object) -> str:
    """Return ``file:line`` of a function; its name where it has no source."""
    code = getattr(function, "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else name_of(function)
