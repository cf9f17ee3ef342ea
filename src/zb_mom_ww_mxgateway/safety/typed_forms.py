"""Values with their types in files of this user: each as a text that reads back as the same value."""

from datetime import datetime
from typing import Any, TypeVar

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway.value_types import TYPES, element_type, type_of
from zb_mom_ww_mxgateway.values import Array, Typed

T = TypeVar("T")


def typed_of(value: object) -> Typed | None:
    """Return a value that came back, or is sent, with its type; None for one that has no type of a name."""
    if isinstance(value, Typed):
        return value
    if isinstance(value, list):
        wire = element_type(value.element_type, value) if isinstance(value, Array) else None
        spec = next((each for each in TYPES.values() if each.wire is wire), None) if wire else None
        spec = spec or (type_of(value[0]) if value else None)
    else:
        spec = type_of(value)
    try:
        return Typed(spec.name, value) if spec else None
    except MxGatewayArgumentError:
        return None


def form_of_typed(value: Typed) -> dict[str, Any]:
    """Return the JSON form of a value with its type; every text reads back as the same value."""
    text = TYPES[value.type].text
    if not isinstance(value.value, list | tuple):
        return {"text": text(value.sent), "type": value.type}
    dimensions = value.normal.dimensions or ()
    return {"dimensions": list(dimensions), "texts": [text(each) for each in value.normal.value], "type": value.type}


def typed_of_form(form: object) -> Typed:
    """Return the value of a JSON form; raise ValueError."""
    spec = TYPES.get(str(form.get("type"))) if isinstance(form, dict) else None
    if not isinstance(form, dict) or spec is None:
        raise ValueError("a value has no type")
    try:
        if isinstance(text := form.get("text"), str):
            return Typed(spec.name, spec.read(text))
        texts, dimensions = _list_of(str, form.get("texts")), _list_of(int, form.get("dimensions"))
        return Typed(spec.name, Array([spec.read(each) for each in texts], tuple(dimensions), spec.wire.data_type))
    except MxGatewayArgumentError as error:
        raise ValueError(f"a value cannot be read: {error}") from None


def _list_of(kind: type[T], values: object) -> list[T]:
    if not isinstance(values, list) or any(type(each) is not kind for each in values):
        raise ValueError("a value has no text")
    return values


def time_of_form(form: object) -> datetime:
    """Return the time of a JSON form; raise ValueError for anything else, which never means now."""
    if not isinstance(form, str):
        raise ValueError("a time is no text")
    moment = datetime.fromisoformat(form)
    if moment.tzinfo is None or time_text(moment) != form:
        raise ValueError("a time is not in UTC, as it was written")
    return moment
