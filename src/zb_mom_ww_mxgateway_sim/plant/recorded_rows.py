"""Rows of a recording, one after the other, as the shell's ``record`` and ``mxgw-py stream-events`` write them."""

import json
import re
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from zb_mom_ww_mxgateway_sim.plant.status import BAD, GOOD
from zb_mom_ww_mxgateway_sim.runtime.clock import nanoseconds
from zb_mom_ww_mxgateway_sim.runtime.errors import ReplayError

_NEEDED = ("kind", "received", "tag", "value")
_JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
_LONGEST_ROW = 64 << 20
_CELL = re.compile('"((?:[^"]|"")*+)"|([^",]*+)')
# The begin of a row in what seemed to be the rest of a text with line ends.
_ROW = re.compile(rb"[a-z]+,\d{4}-\d\d-\d\dT")


@dataclass(frozen=True, slots=True)
class RecordedRow:
    """One row. ``kind`` is torn for one that is not whole. Times are UTC nanoseconds.

    ``value`` is the text of a cell if ``is_text``, else what JSON has.
    """

    kind: str
    time_ns: int | None = None
    tag: str = ""
    value: object = None
    is_text: bool = False
    quality: int = GOOD
    source_ns: int | None = None
    data_type: str = ""
    status: str = ""


def recorded_rows(path: Path) -> Generator[RecordedRow, None, None]:
    """Yield the rows of a file of CSV or JSON Lines. Raise ReplayError if it is no recording or cannot be read."""
    if path.suffix.lower() == ".parquet":
        raise ReplayError(f"{path}: a Parquet file is not played; record to a .csv or .jsonl file")
    try:
        with path.open("rb") as file:
            if file.read(3) != b"\xef\xbb\xbf":
                file.seek(0)
            yield from _json_rows(path, file) if path.suffix.lower() in _JSON_ENDINGS else _csv_rows(path, file)
    except OSError as error:
        raise ReplayError(f"{path}: {error.strerror or error}") from error


def _csv_rows(path: Path, file: BinaryIO) -> Iterator[RecordedRow]:
    heading = _cells(file.readline(_LONGEST_ROW)) or []
    missing = [name for name in _NEEDED if name not in heading]
    if missing:
        raise ReplayError(f"{path}:1:1: no column {missing[0]}: it is no recording; the shell's record FILE writes one")
    waiting: deque[bytes] = deque()
    while lines := _row_lines(file, waiting):
        cells = _cells(b"".join(lines))
        if cells is None or len(cells) != len(heading):
            if b"".join(lines).strip():
                yield RecordedRow("torn")
            # A quote that is not closed costs its own line: the next line that begins as a row is one.
            rest = next((number for number in range(1, len(lines)) if _ROW.match(lines[number])), len(lines))
            waiting.extendleft(reversed(lines[rest:]))
            continue
        yield _row(dict(zip(heading, cells, strict=True)), is_text=True)


def _row_lines(file: BinaryIO, waiting: deque[bytes]) -> list[bytes]:
    """Return the lines up to the next line end that is not within quotes; of a row that is too long, those that fit."""
    lines: list[bytes] = []
    length = quotes = 0
    while line := waiting.popleft() if waiting else file.readline(_LONGEST_ROW):
        lines.append(line)
        length += len(line)
        quotes += line.count(b'"')
        if (quotes % 2 == 0 and line.endswith(b"\n")) or length >= _LONGEST_ROW:
            break
    return lines


def _cells(row: bytes) -> list[str] | None:
    """Return the cells of one row with its line end; None if it is not whole."""
    try:
        text = row.decode()
    except UnicodeDecodeError:
        return None
    if not text.endswith("\n"):
        return None
    text = text.removesuffix("\n").removesuffix("\r")
    cells: list[str] = []
    at = 0
    while found := _CELL.match(text, at):
        cells.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        at = found.end()
        if at == len(text):
            return cells
        if text[at] != ",":
            return None
        at += 1
    return None


def _json_rows(path: Path, file: BinaryIO) -> Iterator[RecordedRow]:
    first = True
    while line := file.readline(_LONGEST_ROW):
        if not line.strip():
            continue
        try:
            form = json.loads(line)
        except (ValueError, RecursionError):
            form = None
        is_row = isinstance(form, dict) and isinstance(form.get("kind"), str)
        if first and not (is_row and all(name in form for name in _NEEDED)):
            raise ReplayError(f"{path}:1:1: it is no recording; the shell's record FILE.jsonl writes one")
        first = False
        yield _row(form, is_text=False) if is_row else RecordedRow("torn")


def _row(form: Mapping[str, object], *, is_text: bool) -> RecordedRow:
    return RecordedRow(
        kind=str(form["kind"]),
        time_ns=_time(form.get("received")),
        tag=str(form.get("tag") or ""),
        value=_encodable(form.get("value")),
        is_text=is_text,
        quality=_quality(form.get("quality")),
        source_ns=_time(form.get("source_timestamp")),
        data_type=str(form.get("data_type") or ""),
        status=str(_encodable(form.get("status")) or ""),
    )


def _encodable(value: object) -> object:
    """Return a text, or a list of texts, with an escape for each half of a character, which no message can hold."""
    if isinstance(value, list):
        return [_encodable(each) for each in value]
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _quality(cell: object) -> int:
    try:
        return int(str(cell)) & 0xFF
    except ValueError:
        return BAD


def _time(cell: object) -> int | None:
    """Return a time as nanoseconds; a time outside of the calendar is a number already. None for what is no time."""
    text = str(cell or "")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return int(text) if re.fullmatch(r"-?\d{1,30}", text, re.ASCII) else None
    return nanoseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
