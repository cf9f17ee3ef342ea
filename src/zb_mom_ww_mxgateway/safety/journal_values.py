"""Values in the journal: JSON that is exact, unambiguous and free of secrets.

Booleans, texts, null, doubles and integers below 2^53 are plain JSON, and so are lists and dictionaries of them. All
else is an object whose one marking key begins with ``$``::

    {"$float32": 0.1}  {"$float": "nan"}  {"$int": "9007199254740993"}  {"$bytes": "AAE="}
    {"$time": "2026-10-02T08:14:00+00:00"}  {"$array": [1, 2], "dimensions": [2], "element_type": 4}

Numbers of other programs lose digits beyond 2^53, so such an integer is text.
"""

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any

from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.redaction import redact, redacted_field, redacted_number
from zb_mom_ww_mxgateway.value_types import DataType
from zb_mom_ww_mxgateway.values import Array, NormalValue, RawValue, Typed

_LARGEST_PLAIN = 2**53


def to_form(value: Any) -> Any:
    """Return the JSON form of a value. A value of an unknown type becomes its text, so that a line can always be
    written. Keys and passwords in it are left to :func:`redacted_form`."""
    exact = type(value)
    if value is None or exact in (str, bool):
        return value
    if exact is dict:
        return _of_mapping(value)
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST_PLAIN else {"$int": str(int(value))}
    if isinstance(value, float):
        return _of_real(value)
    if isinstance(value, Mapping):
        return _of_mapping(value)
    if isinstance(value, Array):
        elements = [to_form(element) for element in value]
        return {"$array": elements, "dimensions": list(value.dimensions), "element_type": int(value.element_type)}
    if isinstance(value, list | tuple):
        return [to_form(element) for element in value]
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, NormalValue):
        return to_form(value.value)
    if isinstance(value, Typed):
        return {"$typed": value.type, "value": to_form(value.value)}
    if isinstance(value, SparseArray):
        return {"$sparse": value.total_length, "elements": [[index, to_form(each)] for index, each in value.elements]}
    if isinstance(value, RawValue):
        return {"$raw": {each.name: to_form(_plain(getattr(value, each.name))) for each in fields(value)}}
    return {"$text": str(value)}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, DataType) else value


def _of_real(value: float) -> Any:
    if not math.isfinite(value):
        marked = "$float32" if isinstance(value, Float32) else "$float"
        return {marked: repr(float(value))}
    return {"$float32": float(repr(value))} if isinstance(value, Float32) else float(value)


def _of_mapping(value: Mapping[Any, Any]) -> Any:
    form = {str(key): to_form(element) for key, element in value.items()}
    for key in form:
        if key.startswith("$"):
            # A key of the data that looks like one of our marks.
            return {"$dict": [list(each) for each in form.items()]}
    return form


def redacted_form(form: Any, field: str = "") -> Any:
    """Return a JSON form, of a field of that name, without the keys, passwords and secrets in it."""
    if isinstance(form, str):
        return redact(form)
    if isinstance(form, list):
        return [redacted_form(each, field) for each in form]
    if isinstance(form, Mapping):
        return {redacted_field(key): redacted_form(each, key) for key, each in form.items()}
    return redacted_number(form, field) if isinstance(form, int | float) else form


def from_form(form: Any) -> Any:
    """Return the value of a JSON form; raise ValueError for a form that :func:`to_form` never makes."""
    if isinstance(form, list):
        return [from_form(element) for element in form]
    if not isinstance(form, dict):
        return form
    mark = next((key for key in form if key.startswith("$")), None)
    if mark is None:
        return {key: from_form(element) for key, element in form.items()}
    try:
        return _MARKED[mark](form[mark], form)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{mark} is no form of a value") from error


def _array(elements: Any, form: Mapping[str, Any]) -> Array:
    return Array([from_form(each) for each in elements], tuple(form["dimensions"]), _data_type(form["element_type"]))


def _raw(named: Any, form: Mapping[str, Any]) -> RawValue:
    known = {name: from_form(each) for name, each in named.items()}
    return RawValue(**(known | {"data_type": _data_type(known["data_type"])}))


def _data_type(number: int) -> DataType | int:
    try:
        return DataType(number)
    except ValueError:
        return number


_MARKED: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "$int": lambda text, form: int(text),
    "$float": lambda text, form: float(text),
    "$float32": lambda number, form: Float32(number),
    "$bytes": lambda text, form: base64.b64decode(text, validate=True),
    "$time": lambda text, form: datetime.fromisoformat(text),
    "$array": _array,
    "$typed": lambda name, form: Typed(name, from_form(form["value"])),
    "$sparse": lambda length, form: SparseArray(
        length, tuple((index, from_form(each)) for index, each in form["elements"])
    ),
    "$raw": _raw,
    "$dict": lambda pairs, form: {key: from_form(element) for key, element in pairs},
    "$text": lambda text, form: text,
}
