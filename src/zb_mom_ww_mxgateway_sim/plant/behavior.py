"""What a tag does by itself: the texts such as ``sine(40,60,30s)`` and what they mean."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from zb_mom_ww_mxgateway_sim.plant.model import check_name
from zb_mom_ww_mxgateway_sim.plant.reactions import COMPARISONS, Follows, Reaction, Reference, Travels, When
from zb_mom_ww_mxgateway_sim.plant.signal_shapes import (
    TICK,
    Counter,
    Noise,
    Ramp,
    RandomNumbers,
    Signal,
    Sine,
    Square,
)
from zb_mom_ww_mxgateway_sim.plant.tag_types import NUMBERS, CoercionError, NativeType, Scalar, Value, coerce_scalar
from zb_mom_ww_mxgateway_sim.runtime.errors import LineError, TagError

BEHAVIORS = {
    "sine": ("LOW,HIGH,PERIOD[,STEP]", "a sine, which begins in the middle and rises"),
    "ramp": ("FROM,TO,PERIOD[,STEP]", "a straight line, again and again"),
    "square": ("VALUE,VALUE,PERIOD", "the first value, then the second, half a period each"),
    "random": ("LOW,HIGH[,STEP]", "numbers between the two, each as likely"),
    "noise": ("MEAN,DEVIATION[,STEP]", "normally distributed numbers"),
    "counter": ("PERIOD", "one more each period, from the tag's value on"),
    "follows": ("TAG[,DELAY]", "value and quality of another tag"),
    "travels": ("TAG,LOW,HIGH,TIME", "moves to where a number, false (LOW) or true (HIGH) wants it"),
    "when": ("TAG = VALUE,THEN,ELSE", "a value or tag by a comparison: = != < <= > >="),
}
"""What a tag can do: the arguments of each, and what it is."""

_CALL = re.compile(r"\s*([^\s()]*)\s*(\(?)")
_ARGUMENT = re.compile(r'\s*((?:"[^"]*"|[^",])*)')
_TAG = re.compile(r"[^\W\d]\w*(?:\.\w+)+")
_COMPARED = re.compile(rf"(.*?)\s*({'|'.join(COMPARISONS)})=?\s*(.*)", re.DOTALL)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|)", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1.0, "": 1.0, "min": 60.0, "h": 3600.0}
# Values of a signal in a period, if its step is not given.
_VALUES_A_PERIOD = 20


@dataclass(frozen=True, slots=True)
class _Argument:
    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class _Tag:
    """The tag that does something, as far as that matters."""

    type: NativeType
    value: Value


# Many tags of a file may do the same.
@lru_cache(maxsize=256)
def parse_behavior(text: str, tag_type: NativeType, is_array: bool, value: Value) -> Signal | Reaction:
    """Return what a tag of this type and first value does. Raise LineError with the column in the text."""
    call = _CALL.match(text)
    assert call is not None
    name, at = call[1].lower(), call.start(1) + 1
    if name not in _READERS:
        close = get_close_matches(name, _READERS, 1)
        hint = f"did you mean {usage(close[0])}?" if close else f"there are {', '.join(_READERS)}"
        raise LineError(at, f"a tag cannot do {call[1]!r}; {hint}")
    end = len(text.rstrip())
    if not call[2] or text[end - 1] != ")":
        raise LineError(end + 1, f"write {usage(name)}; in a file with commas, quote it")
    if is_array and name != "follows":
        raise LineError(at, f"an array cannot do {name}; it can do {usage('follows')}")
    if tag_type not in NUMBERS and name not in _OF_ANY_TYPE:
        kind = tag_type.name.lower()
        raise LineError(at, f"a {kind} cannot do {name}, only a number can; it can do {', '.join(_OF_ANY_TYPE)}")
    arguments = _arguments(text, call.end(), end - 1)
    least, most, read = _READERS[name]
    if not least <= len(arguments) <= most:
        offset = arguments[most].offset if len(arguments) > most else end
        raise LineError(offset, f"write {usage(name)}; here are {len(arguments)} arguments")
    return read(arguments, _Tag(tag_type, value))


def usage(name: str) -> str:
    """Return what a tag can do with its arguments."""
    return f"{name}({BEHAVIORS[name][0]})"


def _arguments(text: str, start: int, end: int) -> list[_Argument]:
    """Return the arguments: they are separated by commas outside of double quotes."""
    arguments: list[_Argument] = []
    while start <= end:
        found = _ARGUMENT.match(text, start, end)
        assert found is not None
        stop = found.end()
        if stop < end and text[stop] == '"':
            raise LineError(stop + 1, "a quote is not closed")
        arguments.append(_Argument(found[1].rstrip(), found.start(1) + 1))
        start = stop + 1
    return arguments


def _sine(arguments: list[_Argument], tag: _Tag) -> Signal:
    low, high = _range(arguments, tag)
    period = _period(arguments[2])
    return Sine(low, high, period, _step(arguments[3:], period))


def _ramp(arguments: list[_Argument], tag: _Tag) -> Signal:
    first, last, period = _number(arguments[0], tag), _number(arguments[1], tag), _period(arguments[2])
    _check_distance(first, last, arguments[1])
    return Ramp(first, last, period, _step(arguments[3:], period))


def _square(arguments: list[_Argument], tag: _Tag) -> Signal:
    return Square(_value(arguments[0], tag), _value(arguments[1], tag), _period(arguments[2]))


def _random(arguments: list[_Argument], tag: _Tag) -> Signal:
    low, high = _range(arguments, tag)
    return RandomNumbers(low, high, _step(arguments[2:]))


def _noise(arguments: list[_Argument], tag: _Tag) -> Signal:
    mean, deviation = _number(arguments[0], tag), _number(arguments[1], tag)
    if deviation < 0:
        raise LineError(arguments[1].offset, f"a deviation of {deviation:g} is below 0")
    return Noise(mean, deviation, _step(arguments[2:]))


def _counter(arguments: list[_Argument], tag: _Tag) -> Signal:
    return Counter(float(tag.value) if isinstance(tag.value, int | float) else 0.0, _period(arguments[0], TICK))


def _follows(arguments: list[_Argument], tag: _Tag) -> Reaction:
    return Follows(_reference(arguments[0]), _time(arguments[1]) if len(arguments) > 1 else 0.0)


def _travels(arguments: list[_Argument], tag: _Tag) -> Reaction:
    low, high = _range(arguments[1:], tag)
    time = _time(arguments[3])
    if low == high or time == 0:
        raise LineError(arguments[3].offset if time == 0 else arguments[2].offset, "there is no way to travel")
    return Travels(_reference(arguments[0]), low, high, time)


def _when(arguments: list[_Argument], tag: _Tag) -> Reaction:
    condition = arguments[0]
    found = _COMPARED.fullmatch(condition.text)
    source, comparison, operand, at = condition.text, "=", "true", 0
    if found is not None:
        source, comparison, operand, at = found[1], found[2], found[3], found.start(3)
    return When(
        _reference(_Argument(source, condition.offset)),
        comparison,
        _unquoted(operand),
        condition.offset + at,
        _tag_or_value(arguments[1], tag),
        _tag_or_value(arguments[2], tag),
    )


def _reference(argument: _Argument) -> Reference:
    try:
        check_name(argument.text)
    except TagError as error:
        raise LineError(argument.offset, str(error)) from error
    return Reference(argument.text, argument.offset)


def _tag_or_value(argument: _Argument, tag: _Tag) -> Reference | Scalar:
    return Reference(argument.text, argument.offset) if _TAG.fullmatch(argument.text) else _value(argument, tag)


def _value(argument: _Argument, tag: _Tag) -> Scalar:
    try:
        return coerce_scalar(_unquoted(argument.text), tag.type)
    except CoercionError as error:
        raise LineError(argument.offset, f"{error}, as the tag's type needs") from error


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def _number(argument: _Argument, tag: _Tag) -> float:
    value = _value(argument, tag)
    if tag.type is NativeType.INTEGER:
        # As it was written: the mean of an Integer's noise may be 0.5.
        return float(_unquoted(argument.text))
    return float(value) if isinstance(value, int | float) else 0.0


def _range(arguments: list[_Argument], tag: _Tag) -> tuple[float, float]:
    low, high = _number(arguments[0], tag), _number(arguments[1], tag)
    if low > high:
        raise LineError(arguments[1].offset, f"{high:g} is below {low:g}; the lower one comes first")
    _check_distance(low, high, arguments[1])
    return low, high


def _check_distance(first: float, last: float, argument: _Argument) -> None:
    if not math.isfinite(last - first):
        raise LineError(argument.offset, f"no number is as large as the way from {first:g} to {last:g}")


def _time(argument: _Argument) -> float:
    found = _TIME.fullmatch(argument.text)
    if found is None:
        raise LineError(argument.offset, f"{argument.text!r} is not a time; use 250ms, 5s, 2min, 1h or seconds")
    return float(found[1]) * _UNITS[found[2]]


def _period(argument: _Argument, shortest: float = 2 * TICK) -> float:
    period = _time(argument)
    if period < shortest:
        raise LineError(argument.offset, f"{argument.text} is too short; use {shortest:g}s or more")
    return period


def _step(arguments: list[_Argument], period: float = math.inf) -> float:
    """Return the time between two values: the one that is given, or at most a second."""
    return _period(arguments[0], TICK) if arguments else max(TICK, min(1.0, period / _VALUES_A_PERIOD))


_OF_ANY_TYPE = ("square", "follows", "when")
_READERS: dict[str, tuple[int, int, Callable[[list[_Argument], _Tag], Signal | Reaction]]] = {
    "sine": (3, 4, _sine),
    "ramp": (3, 4, _ramp),
    "square": (3, 3, _square),
    "random": (2, 3, _random),
    "noise": (2, 3, _noise),
    "counter": (1, 1, _counter),
    "follows": (1, 2, _follows),
    "travels": (4, 4, _travels),
    "when": (3, 3, _when),
}
