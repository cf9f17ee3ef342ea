"""Text to values: what a person types, by the name of a type."""

import json
import re
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.value_types import TYPE_NAMES, TYPES, Family, TypeSpec
from zb_mom_ww_mxgateway.values import Typed

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|min|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_LONGEST = 86_400.0
_ARRAY = "Array expected, as JSON: for example [1, 2, 3]"


class TextValueError(ValueError):
    """The text is not a value of that type; the message says what would be right."""


class _Bare(str):
    """An element without quotes."""


def parse_typed(type_name: str, text: str, *, is_array: bool | None = None) -> Typed:
    """Return the value that `text` spells for a type, or for an array of it; raise TextValueError.

    If `is_array` is None, text that begins with ``[`` is an array, unless the type is text.
    """
    spec = _spec(type_name)
    if is_array is None:
        is_array = spec.family is not Family.TEXT and text.lstrip().startswith("[")
    try:
        value = _elements(spec, text) if is_array else spec.parse(type_name, text)
        return Typed(type_name, value)
    except MxGatewayArgumentError as error:
        raise _as_text_error(error) from None


def _elements(spec: TypeSpec, text: str) -> list[Any]:
    try:
        # Numbers as they are typed: in an array of texts 1.10 is not 1.1.
        found = json.loads(text, parse_float=_Bare, parse_int=_Bare, parse_constant=_Bare)
    except (ValueError, RecursionError):
        raise TextValueError(_ARRAY) from None
    if not isinstance(found, list) or not all(isinstance(each, str | bool) for each in found):
        raise TextValueError(_ARRAY)
    spelled = [_Bare(json.dumps(each)) if isinstance(each, bool) else each for each in found]
    quoted = next((each for each in spelled if not isinstance(each, _Bare)), None)
    if quoted is not None and not spec.is_quoted:
        shown = json.dumps(quoted, ensure_ascii=False)
        raise TextValueError(f"an array of {spec.name} expected, and {shown} is text: take the quotes away")
    return [spec.parse(spec.name, each) for each in spelled]


def parse_value(type_name: str, text: str) -> Any:
    """Return the value that `text` spells for a type (one of ``TYPE_NAMES``), within its range; raise
    TextValueError."""
    try:
        return _spec(type_name).read(text)
    except MxGatewayArgumentError as error:
        raise _as_text_error(error) from None


def typed_from_json(type_name: Any, value: Any) -> Typed:
    """Return the value of a JSON form, for a type or for an array of it; raise TextValueError."""
    spec = _spec(type_name)
    try:
        return Typed(type_name, [*map(spec.from_json, value)] if isinstance(value, list) else spec.from_json(value))
    except MxGatewayArgumentError as error:
        raise TextValueError(str(error)) from None


def _spec(type_name: Any) -> TypeSpec:
    if type_name not in TYPE_NAMES:
        raise TextValueError(f"no type {type_name}: one of {', '.join(TYPE_NAMES)} expected")
    return TYPES[type_name]


def _as_text_error(error: MxGatewayArgumentError) -> TextValueError:
    return TextValueError(str(error).removeprefix("value: "))


def parse_duration(text: str) -> float:
    """Return the seconds of ``500ms``, ``10s``, ``2m``, ``1h`` or a bare number of seconds.

    Raise TextValueError unless they are above zero and at most a day.
    """
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _SECONDS[match[2] or "s"] if match else 0.0
    if not 0 < seconds <= _LONGEST:
        raise TextValueError("Duration expected, above zero and at most 24h: for example 500ms, 10s, 2m or 1h")
    return seconds


def duration_text(seconds: float) -> str:
    """Return a span of time as it can be typed."""
    for unit, of in (("h", 3600.0), ("m", 60.0)):
        if seconds >= of and seconds % of == 0:
            return f"{seconds / of:g}{unit}"
    return f"{seconds:g}s"
