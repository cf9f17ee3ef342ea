"""Values of recordings, from a cell of CSV or from JSON, by the data type of their row."""

import json
import re
from datetime import datetime
from typing import Any

from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.value_types import TYPES, Family, TypeSpec

_SPECS: dict[str | None, TypeSpec] = {data_type.name: spec for spec in TYPES.values() for data_type in spec.tag_types}
_REALS = (float, Float32)
# As whoever writes CSV marks a text that a spreadsheet would take for a formula.
_MARKED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001  # full-width signs start a formula too
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_REAL = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf|nan)", re.ASCII | re.IGNORECASE)
_NOT_FINITE = frozenset({"nan", "inf", "-inf"})
_OBJECTS = frozenset({"base64", "raw"})
"""The only key of a value that is an object: bytes, and what the gateway could not convert."""


def is_real(data_type: str | None) -> bool:
    """Return whether the values of a data type are reals."""
    spec = _SPECS.get(data_type)
    return spec is not None and spec.python_type in _REALS


def family_of_type(data_type: str | None) -> Family | None:
    """Return the family of the values of a data type, by its name; None where its values may be of any."""
    spec = _SPECS.get(data_type)
    return spec.family if spec else None


def value_of_form(form: Any, data_type: str | None) -> Any:
    """Return the value of a JSON form. What is no value of that type stays as it is."""
    if isinstance(form, list):
        return [value_of_form(element, data_type) for element in form]
    if isinstance(form, str):
        if family_of_type(data_type) is Family.TIME:
            return _moment(form) or form
        return float(form) if form in _NOT_FINITE and is_real(data_type) else form
    if isinstance(form, int) and not isinstance(form, bool) and is_real(data_type):
        return float(form)
    return form


def value_of_cell(text: str, data_type: str | None, *, raw: bool = False) -> Any:
    """Return the value of a cell of CSV; None for an empty one, unless the type is text. With `raw` no text is marked.

    A text that spells a list of texts in JSON is such a list: CSV cannot tell one from the other.
    """
    family = family_of_type(data_type)
    if not text:
        return "" if family is Family.TEXT else None
    if text[0] in "[{" and _is_array_or_object(found := _parsed(text), family):
        return value_of_form(found, data_type)
    if family is Family.TIME and (moment := _moment(text)):
        return moment
    if family in (Family.BOOLEAN, None) and text in ("true", "false"):
        return text == "true"
    if family in (Family.NUMBER, None):
        if _INTEGER.fullmatch(text) and not is_real(data_type):
            return int(text)
        if _REAL.fullmatch(text) and (family is Family.NUMBER or text.casefold() not in _NOT_FINITE):
            return float(text)
    return text if raw else unmarked(text)


def unmarked(text: str) -> str:
    """Return a text, which is not empty, without the apostrophe that CSV puts before what a spreadsheet would take for
    a formula."""
    return text[1:] if text[0] == "'" and _MARKED.match(text) else text


def _is_array_or_object(found: Any, family: Family | None) -> bool:
    if isinstance(found, dict):
        return len(found) == 1 and found.keys() <= _OBJECTS
    return isinstance(found, list) and (family is not Family.TEXT or all(isinstance(each, str) for each in found))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
