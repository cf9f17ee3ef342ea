"""Rows of CSV and JSON Lines as bytes: where one ends, and whether it is whole.

Not Python's csv module: it refuses fields above 128 KiB, and a text may be longer.
"""

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

LONGEST_ROW = 64 << 20
"""Bytes of the longest row."""

# A text may have a zero byte, and is quoted then; others are what a lost power leaves.
_CELL = re.compile('"([^"]*+(?:""[^"]*+)*+)"|([^",\0]*+)')
# The beginning of a row in what seemed to be the rest of a text with line ends.
_ROW = re.compile(rb"[a-z]+,\d{4}-\d\d-\d\dT")


@dataclass(frozen=True, slots=True)
class TornRow:
    """Bytes in the place of a row that is not whole."""

    content: bytes

    @property
    def note(self) -> str:
        """The note of the row that takes its place."""
        return f"cut off, as by a lost power: {_readable(self.content)}"


def csv_cells(file: BinaryIO, width: int) -> Iterator[list[str] | TornRow]:
    """Yield the cells of every row from where the file is; what is no row of that many cells is torn.

    A quote that is not closed costs its own line: the next line that begins as a row is one.
    """
    waiting: deque[bytes] = deque()
    while begun := _row_lines(file, waiting):
        row = b"".join(begun)
        if not row.strip():
            continue
        cells = cells_of(row)
        if cells is not None and len(cells) == width:
            yield cells
            continue
        rest = next((number for number in range(1, len(begun)) if _ROW.match(begun[number])), len(begun))
        waiting.extendleft(reversed(begun[rest:]))
        yield TornRow(b"".join(begun[:rest]).removesuffix(b"\n"))


def _row_lines(file: BinaryIO, waiting: deque[bytes]) -> list[bytes]:
    """Return the lines up to the next line end that is not within quotes; of a row that is too long, those that fit."""
    begun: list[bytes] = []
    length = quotes = 0
    while line := waiting.popleft() if waiting else file.readline(LONGEST_ROW):
        begun.append(line)
        length += len(line)
        quotes += line.count(b'"')
        if (quotes % 2 == 0 and line.endswith(b"\n")) or length >= LONGEST_ROW:
            break
    return begun


def cells_of(row: bytes) -> list[str] | None:
    """Return the cells of one row of CSV with its line end; None where it is not whole."""
    if not row.endswith(b"\n"):
        return None
    try:
        text = row.decode()
    except UnicodeDecodeError:
        return None
    text = text.removesuffix("\n").removesuffix("\r")
    if '"' not in text:
        return None if "\0" in text else text.split(",")
    cells, at = [], 0
    while found := _CELL.match(text, at):
        cells.append(found[2] if found[1] is None else found[1].replace('""', '"'))
        at = found.end()
        if at == len(text):
            return cells
        if text[at] != ",":
            return None
        at += 1
    return None


def json_objects(file: BinaryIO) -> Iterator[dict[str, Any] | TornRow]:
    """Yield the object of every line from where the file is; what is no object of a row is torn."""
    while line := file.readline(LONGEST_ROW):
        if not line.strip():
            continue
        found = json_object(line)
        yield TornRow(line.removesuffix(b"\n")) if found is None or "kind" not in found else found


def json_object(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object of a line; None where it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _readable(torn: bytes) -> str:
    kept = torn.rstrip(b"\0")
    empty = len(torn) - len(kept)
    text = kept.decode("utf-8", "backslashreplace").replace("\0", "\\x00")
    return f"{text} ({empty} empty byte{'' if empty == 1 else 's'})".strip() if empty else text
