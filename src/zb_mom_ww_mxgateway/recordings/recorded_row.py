"""One row of a recording, with the values of its columns as Python has them."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Self

from zb_mom_ww_mxgateway.recordings.columns import COLUMNS, VALUE
from zb_mom_ww_mxgateway.recordings.text_rows import TornRow
from zb_mom_ww_mxgateway.recordings.value_forms import unmarked, value_of_cell, value_of_form


class RecordedRow(NamedTuple):
    """One row: a sample of a tag, or a time about which nothing, or nothing certain, is known."""

    kind: str
    """``sample``, ``read`` or ``held``: a value. ``gap`` or ``dropped``: a loss. ``stale``, ``live``: the begin and the
    end of a doubt. ``start``, ``stop``, ``closed``: of the recording or its session. ``event``: any other event.
    ``torn``: a row that is not whole."""
    received: datetime | int | None = None
    """When it arrived, by the recording machine's clock (UTC); nanoseconds since 1970 where no calendar has it."""
    tag: str | None = None
    """None for a row about all tags, and where only the handles are known."""
    value: Any = None
    """A Python value as an event has it: bool, int, float, str, datetime or a list of these; None for null. Bytes and
    what the gateway could not convert are the object that JSON has of them."""
    quality: int | None = None
    """OPC quality: 192 and above good, 64 to 191 uncertain, below bad."""
    quality_word: str | None = None
    """``good``, ``uncertain`` or ``bad``."""
    source_timestamp: datetime | int | None = None
    """When the source took the value; as `received`."""
    data_type: str | None = None
    """Name of a :class:`~zb_mom_ww_mxgateway.DataType`; of an array that of its elements."""
    status: str | None = None
    """Every status that means an error, in words."""
    worker_sequence: int | None = None
    """Sequence of the event in its session."""
    server_handle: int | None = None
    item_handle: int | None = None
    lost: int | None = None
    """Number of lost events; None where it is unknown, and for what is no loss."""
    note: str | None = None
    """More about it, for a person."""

    @classmethod
    def of_cells(cls, cells: Sequence[str], places: Mapping[str, int], *, raw: bool) -> Self:
        """Return the row of the cells of CSV, by the place of each column; torn where a cell does not fit its column.
        With `raw` no text is marked."""
        found = [cells[places[name]] if name in places else "" for name in COLUMNS]
        value = value_of_cell(found[VALUE], found[_DATA_TYPE] or None, raw=raw)
        fields = [cell or None for cell in found] if raw else [unmarked(cell) if cell else None for cell in found]
        try:
            return cls(*_fields(fields, value))
        except ValueError:
            return cls("torn", note=f"no row of a recording: {','.join(cells)}")

    @classmethod
    def of_object(cls, form: Mapping[str, Any]) -> Self:
        """Return the row of a JSON object; torn where a field does not fit its column."""
        found = [form.get(name) for name in COLUMNS]
        data_type = found[_DATA_TYPE]
        value = value_of_form(found[VALUE], data_type if isinstance(data_type, str) else None)
        try:
            return cls(*_fields(found, value))
        except (AttributeError, TypeError, ValueError):
            return cls("torn", note=f"no row of a recording: {json.dumps(form)}")

    @classmethod
    def of_torn(cls, torn: TornRow) -> Self:
        """Return the row in the place of one that is not whole."""
        return cls("torn", note=torn.note)


def _fields(found: Sequence[Any], value: Any) -> list[Any]:
    """Return the values of all columns; raise ValueError or TypeError for one that does not fit."""
    fields = [None if each is None else read(each) for each, read in zip(found, _READERS, strict=True)]
    fields[VALUE] = value
    return fields


def _time(form: str | int) -> datetime | int:
    if isinstance(form, int) or form.lstrip("-").isdigit():
        return int(form)
    moment = datetime.fromisoformat(form)
    if moment.tzinfo is None:
        raise ValueError(f"{form}: a time without its zone")
    return moment


def _int32(form: str | int) -> int:
    number = int(form)
    if not -(2**31) <= number < 2**31:
        raise ValueError(f"{number}: the column has room for 32 bits")
    return number


def _uint64(form: str | int) -> int:
    number = int(form)
    if not 0 <= number < 2**64:
        raise ValueError(f"{number}: the column has room for 64 bits, and no sign")
    return number


_DATA_TYPE = COLUMNS.index("data_type")
_READ_AS: Mapping[str, Callable[[Any], Any]] = {
    "received": _time,
    "source_timestamp": _time,
    "quality": _int32,
    "worker_sequence": _uint64,
    "server_handle": _int32,
    "item_handle": _int32,
    "lost": _uint64,
}
_READERS = tuple(_READ_AS.get(name, str) for name in COLUMNS)
"""Of each column what makes its value of a cell or a field; that of ``value`` depends on the data type, too."""
