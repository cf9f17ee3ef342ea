"""Text to values: what a person types, by the name of a type."""

import json
import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import to_single
from zb_mom_ww_mxgateway.values import TYPE_NAMES, DataType, Typed

_INTEGER = re.compile(r"[+-]?[0-9]+")
# No underscores, no hexadecimal, no comma; NaN and infinities pass, so that the library's reason is the one to see.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|inf|infinity|nan)", re.I)
_ZERO = re.compile(r"[+-]?[0.]+(?:e|$)", re.I)
# Digits of a second beyond the microsecond, which reading a time would leave out.
_FINER = re.compile(r"[.,][0-9]{6}([0-9]+)")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|min|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_LONGEST = 86_400.0


_TYPE_OF = {
    DataType.BOOLEAN: "bool",
    DataType.INTEGER: "int32",
    DataType.FLOAT: "float",
    DataType.DOUBLE: "double",
    DataType.STRING: "string",
    DataType.INTERNATIONALIZED_STRING: "string",
    DataType.BIG_STRING: "string",
    DataType.TIME: "time",
    DataType.ELAPSED_TIME: "double",  # seconds
}


_ARRAY = "Array expected, as JSON: for example [1, 2, 3]"
# What JSON can have in quotes alone.
_IN_QUOTES = ("string", "time")


class TextValueError(ValueError):
    """The text is not a value of that type; the message says what would be right."""


class _Bare(str):
    """An element that stands without quotes."""


def parse_typed(type_name: str, text: str, *, is_array: bool | None = None) -> Typed:
    """The value that `text` spells for a type, or for an array of it; raises TextValueError.

    Where nothing tells whether it `is_array`, a ``[`` does, which begins no number and no time.
    """
    if is_array is None:
        is_array = type_name != "string" and text.lstrip().startswith("[")
    return Typed(type_name, _elements(type_name, text) if is_array else parse_value(type_name, text))


def _elements(type_name: str, text: str) -> list[Any]:
    try:
        # Numbers as they are typed: in an array of texts 1.10 is not 1.1.
        found = json.loads(text, parse_float=_Bare, parse_int=_Bare, parse_constant=_Bare)
    except (ValueError, RecursionError):
        raise TextValueError(_ARRAY) from None
    if not isinstance(found, list) or not all(isinstance(each, str | bool) for each in found):
        raise TextValueError(_ARRAY)
    spelled = [_Bare(json.dumps(each)) if isinstance(each, bool) else each for each in found]
    quoted = next((each for each in spelled if not isinstance(each, _Bare)), None)
    if quoted is not None and type_name not in _IN_QUOTES:
        shown = json.dumps(quoted, ensure_ascii=False)
        raise TextValueError(f"an array of {type_name} expected, and {shown} is text: take the quotes away")
    return [parse_value(type_name, each) for each in spelled]


def parse_value(type_name: str, text: str) -> Any:
    """The value that `text` spells for a type (one of ``TYPE_NAMES``), within its range; raises TextValueError."""
    parse = _PARSERS.get(type_name)
    if parse is None:
        raise TextValueError(f"no type {type_name}: one of {', '.join(TYPE_NAMES)} expected")
    value = parse(type_name, text)
    try:
        Typed(type_name, value)
    except MxGatewayArgumentError as error:
        raise TextValueError(str(error).removeprefix("value: ")) from None
    return value


def type_name_of(data_type: DataType | int, variant_type: str = "") -> str | None:
    """The type (one of ``TYPE_NAMES``) that a bare value for a tag takes; None where a value must say its own."""
    if "VT_I8" in variant_type:
        return "int64"
    return _TYPE_OF.get(data_type) if isinstance(data_type, DataType) else None


def parse_duration(text: str) -> float:
    """Seconds of ``500ms``, ``10s``, ``2m``, ``1h`` or a bare number of seconds; above zero, at most a day."""
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _SECONDS[match[2] or "s"] if match else 0.0
    if not 0 < seconds <= _LONGEST:
        raise TextValueError("Duration expected, above zero and at most 24h: for example 500ms, 10s, 2m or 1h")
    return seconds


def _bool(type_name: str, text: str) -> bool:
    folded = text.lower()
    if folded not in ("true", "false"):
        raise TextValueError("Boolean expected: true or false")
    return folded == "true"


def _integer(type_name: str, text: str) -> int:
    # Nothing longer fits any type, and Python refuses to read very long ones.
    if not _INTEGER.fullmatch(text) or len(text) > 100:
        raise TextValueError(f"Integer expected ({type_name}): for example 42")
    return int(text)


def _number(type_name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise TextValueError(f"Number expected ({type_name}): for example 12.5")
    number = float(text)
    nearest = to_single(number) if type_name == "float" and abs(number) < 1 else number
    is_zero = _ZERO.match(text) is not None
    if (math.isinf(number) and "inf" not in text.lower()) or (nearest == 0 and not is_zero):
        raise TextValueError(f"Number expected that fits a {type_name}")
    return number


def _string(type_name: str, text: str) -> str:
    return text


def _time(type_name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise TextValueError("Time expected, ISO 8601 with a zone: for example 2026-10-02T08:14:00Z") from None
    if moment.utcoffset() is None:
        raise TextValueError("Time zone missing: end the time with Z or with an offset like +02:00")
    if (finer := _FINER.search(text)) and finer[1].strip("0"):
        raise TextValueError("Time expected, to the microsecond: at most six digits behind the second")
    return moment


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "bool": _bool,
    "int32": _integer,
    "int64": _integer,
    "float": _number,
    "double": _number,
    "string": _string,
    "time": _time,
}
