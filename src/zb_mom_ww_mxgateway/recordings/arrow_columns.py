"""Rows of recordings as Arrow has them: a column for each type of value, times in nanoseconds.

Nothing here loads Arrow: whoever has its module hands it over.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from types import ModuleType
from typing import Any

from zb_mom_ww_mxgateway.recordings.columns import COLUMNS, VALUE
from zb_mom_ww_mxgateway.recordings.recorded_row import RecordedRow
from zb_mom_ww_mxgateway.recordings.value_forms import family_of_type, is_real, value_of_form
from zb_mom_ww_mxgateway.times import from_nanoseconds, time_text, to_nanoseconds
from zb_mom_ww_mxgateway.value_types import Family

_INT64 = range(-(2**63), 2**63)
_SCALARS = {"bool": "bool", "int": "int64", "double": "float64", "text": "string", "time": "time"}
_JSON = "value_json"
_TYPES = (
    {"kind": "string", "received": "time", "tag": "string"}
    | {f"value_{name}": kind for name, kind in _SCALARS.items()}
    | {f"values_{name}": f"list {kind}" for name, kind in _SCALARS.items()}
    | {_JSON: "json"}
    | {"quality": "int32", "quality_word": "string", "source_timestamp": "time", "data_type": "string"}
    | {"status": "string", "worker_sequence": "uint64", "server_handle": "int64", "item_handle": "int64"}
    | {"lost": "uint64", "note": "string"}
)
ARROW_COLUMNS = tuple(_TYPES)
"""In the place of ``value`` a column for each type: ``value_bool``, ``value_int``, ``value_double``, ``value_text`` and
``value_time``; the same with ``values_`` for arrays; ``value_json`` for any other value. At most one is not null."""
_VALUES = tuple(name for name in ARROW_COLUMNS if name.startswith("value"))
_DATA_TYPE = COLUMNS.index("data_type")


def schema(arrow: ModuleType) -> Any:
    """Return the schema of every table and file of recordings."""
    return arrow.schema([arrow.field(name, _type(arrow, kind)) for name, kind in _TYPES.items()])


def _type(arrow: ModuleType, kind: str) -> Any:
    if kind.startswith("list "):
        return arrow.list_(_type(arrow, kind.removeprefix("list ")))
    if kind == "time":
        return arrow.timestamp("ns", tz="UTC")
    return arrow.string() if kind == "json" else arrow.type_for_alias(kind)


def batch_of(rows: Sequence[RecordedRow], arrow: ModuleType) -> Any:
    """Return the rows as a record batch. A time before 1677 or after 2262, which nanoseconds have no room for, is null
    and in the note."""
    columns: dict[str, list[Any]] = {
        name: list(cells) for name, cells in zip(COLUMNS, zip(*rows, strict=True), strict=True)
    }
    for number, (value, data_type) in enumerate(zip(columns.pop("value"), columns["data_type"], strict=True)):
        if value is not None:
            name, held = _placed(value, data_type)
            if name not in columns:
                columns[name] = [None] * len(rows)
            columns[name][number] = held
    for name in ("received", "source_timestamp"):
        columns[name] = [
            None if moment is None else _nanoseconds(moment, name, number, columns["note"])
            for number, moment in enumerate(columns[name])
        ]
    found = schema(arrow)
    return arrow.record_batch(
        [_array(arrow, columns.get(field.name), field.type, len(rows)) for field in found], schema=found
    )


def _array(arrow: ModuleType, column: list[Any] | None, kind: Any, length: int) -> Any:
    if column is None:
        return arrow.nulls(length, kind)
    try:
        return arrow.array(column, kind)
    except UnicodeEncodeError:
        return arrow.array([_encodable(each) for each in column], kind)


def _encodable(text: Any) -> Any:
    """Return a text, or a list of texts, with an escape for each half of a character, which no UTF-8 has."""
    if isinstance(text, list):
        return [_encodable(each) for each in text]
    return text.encode("utf-8", "backslashreplace").decode() if isinstance(text, str) else text


def _nanoseconds(moment: datetime | int, name: str, number: int, notes: list[Any]) -> int | None:
    """Return a time in nanoseconds; None for one that does not fit, which is in the note of its row then."""
    time_ns = moment if isinstance(moment, int) else to_nanoseconds(moment)
    if time_ns in _INT64:
        return time_ns
    shown = moment if isinstance(moment, int) else time_text(moment)
    note = notes[number]
    notes[number] = f"{f'{note}; ' if note else ''}{name} {shown}"
    return None


def _placed(value: Any, data_type: str | None) -> tuple[str, Any]:
    """Return the column of a value, and what it has there."""
    if isinstance(value, list):
        places = {_scalar(element) for element in value} or {_of_type(data_type)}
        name = places.pop()
        if places or name is None:
            return _JSON, _json(value)
        return f"values_{name}", [_held(element) for element in value]
    name = _scalar(value)
    if name is not None:
        return f"value_{name}", _held(value)
    return ("value_text", time_text(value)) if isinstance(value, datetime) else (_JSON, _json(value))


def _scalar(value: Any) -> str | None:
    """Return the part of a column's name for a value; None for one that needs JSON, or no column has room for."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if value in _INT64 else None
    if isinstance(value, float):
        return "double"
    if isinstance(value, str):
        return "text"
    return "time" if isinstance(value, datetime) and to_nanoseconds(value) in _INT64 else None


def _of_type(data_type: str | None) -> str:
    """Return the part of a column's name for an array without elements."""
    match family_of_type(data_type):
        case Family.BOOLEAN:
            return "bool"
        case Family.NUMBER:
            return "double" if is_real(data_type) else "int"
        case Family.TIME:
            return "time"
    return "text"


def _held(value: Any) -> Any:
    return to_nanoseconds(value) if isinstance(value, datetime) else value


def _json(value: Any) -> str:
    return json.dumps(value, default=lambda moment: time_text(moment))


def rows_of(batch: Any, arrow: ModuleType) -> Iterator[RecordedRow]:
    """Yield the rows of a record batch with these columns."""
    columns = [_column(batch.column(name), _TYPES[name], arrow) for name in ARROW_COLUMNS]
    places = {name: place for place, name in enumerate(ARROW_COLUMNS)}
    plain = [places.get(name, -1) for name in COLUMNS]
    values = [places[name] for name in _VALUES]
    for cells in zip(*columns, strict=True):
        fields = [cells[place] for place in plain]
        value = next((cells[place] for place in values if cells[place] is not None), None)
        # A time that no column of times has room for is text.
        fields[VALUE] = value_of_form(value, fields[_DATA_TYPE]) if isinstance(value, str) else value
        yield RecordedRow(*fields)


def _column(array: Any, kind: str, arrow: ModuleType) -> list[Any]:
    """Return a column as Python has it; Arrow needs pandas for times in nanoseconds."""
    if kind == "time":
        return [None if each is None else from_nanoseconds(each) for each in array.cast(arrow.int64()).to_pylist()]
    if kind == "json":
        return [None if each is None else json.loads(each) for each in array.to_pylist()]
    if kind == "list time":
        lists = array.cast(arrow.list_(arrow.int64())).to_pylist()
        return [None if each is None else [from_nanoseconds(moment) for moment in each] for each in lists]
    found: list[Any] = array.to_pylist()
    return found
