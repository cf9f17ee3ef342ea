"""Recordings as text: new files, and existing ones to append to.

A row that was cut off, as by a power loss, is removed first and becomes the note of a row of kind ``torn``: every line
of the file is a row, and nothing is lost.
"""

import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TextIO

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.recordings.columns import COLUMNS, TextFormat
from zb_mom_ww_mxgateway.recordings.text_rows import LONGEST_ROW, TornRow, cells_of, json_object
from zb_mom_ww_mxgateway_console.process.written_files import open_text, refuse_special
from zb_mom_ww_mxgateway_console.recordings.row_text import heading, mark_row, text_of
from zb_mom_ww_mxgateway_console.render.forms import one_line

# The beginning of a row inside of what looked like the rest of one: a row before the last is damaged.
_ANOTHER_ROW = re.compile(rb'\n(?:\{"kind": "\w+", |[a-z]+,\d{4}-\d\d-\d\dT)')
_OBJECT = b'{"kind": "'
_LONGEST_FIRST_LINE = 4_096
_SHOWN = 120


def create(path: Path, form: TextFormat) -> TextIO:
    """Return a new file with its heading; raise MxGatewayArgumentError, also where the file exists."""
    try:
        # A text that is not valid UTF-8 does not end a recording.
        file = open_text(path, "x", errors="backslashreplace", newline="")
        file.write(heading(form))
    except FileExistsError:
        raise is_there_already(path) from None
    except OSError as error:
        raise unwritable(path, error) from error
    return file


def continue_(path: Path, form: TextFormat, *, raw: bool) -> TextIO:
    """Return a file to append to, made where there is none. A last row that was cut off is repaired.

    Raises MxGatewayArgumentError where the file cannot be written, or is not a recording of this format.
    """
    try:
        refuse_special(path)
        if _is_there(path):
            with path.open("r+b") as file:
                _mend(path, file, form, raw=raw)
        file_at_end = open_text(path, "a", errors="backslashreplace", newline="")
        if file_at_end.tell() == 0:
            file_at_end.write(heading(form))
    except OSError as error:
        raise unwritable(path, error) from error
    return file_at_end


def is_there_already(path: Path) -> MxGatewayArgumentError:
    """Return the error for a new recording with the name of a file."""
    return MxGatewayArgumentError(f"{path} is there already: --append adds to it, another name keeps it")


def unwritable(path: Path, error: OSError) -> MxGatewayArgumentError:
    """Return the error for a recording that cannot be written."""
    return MxGatewayArgumentError(f"cannot write {path}: {error.strerror or error}")


def _is_there(path: Path) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    # A device has no content to continue.
    return stat.S_ISREG(found.st_mode) and found.st_size > 0


def _mend(path: Path, file: BinaryIO, form: TextFormat, *, raw: bool) -> None:
    """Remove a row that was cut off at the end; raise MxGatewayArgumentError for a file that is not a recording."""
    torn_at = _first_row(path, file, form)
    if torn_at is None:
        torn_at = _end_of_rows(path, file, form)
    if file.seek(0, 2) - torn_at > LONGEST_ROW:
        raise _not_ours(path, form, f"there is no end of a row in its last {LONGEST_ROW >> 20} MB")
    file.seek(torn_at)
    torn = file.read()
    if not torn:
        return
    if form == "jsonl" and _is_json_row(torn):
        file.write(b"\n")  # Only the line end was missing.
        return
    if _ANOTHER_ROW.search(torn):
        raise _not_ours(path, form, "a row before its last one is not whole")
    row = mark_row("torn", time.time(), TornRow(torn).note)
    file.seek(torn_at)
    if torn_at == 0:
        file.write(heading(form).encode())
    file.write(text_of([row], form, raw=raw).encode("utf-8", "backslashreplace"))
    file.truncate()


def _first_row(path: Path, file: BinaryIO, form: TextFormat) -> int | None:
    """Check the first line: return 0 where the file ends inside of it, None for a recording; else raise
    MxGatewayArgumentError."""
    first = file.readline(_LONGEST_FIRST_LINE)
    is_whole = first.endswith(b"\n")
    if form == "csv":
        wanted = heading(form).encode()
        if first.rstrip(b"\r\n") == wanted.rstrip():
            return None if is_whole else 0
        if not is_whole and wanted.startswith(first.rstrip(b"\0")):
            return 0
        raise _not_ours(path, form, f"its columns are {_excerpt(first)}")
    if is_whole and first.startswith(_OBJECT) and tuple(json_object(first) or COLUMNS) == COLUMNS:
        return None
    if not is_whole and first.startswith(_OBJECT):
        return None if len(first) == _LONGEST_FIRST_LINE else 0
    if not is_whole and _OBJECT.startswith(first.rstrip(b"\0")):
        return 0
    raise _not_ours(path, form, f"it begins with {_excerpt(first)}")


def _end_of_rows(path: Path, file: BinaryIO, form: TextFormat) -> int:
    """Return where the last complete row ends; raise MxGatewayArgumentError where a row before the last is damaged."""
    is_row = _is_csv_row if form == "csv" else _is_json_row
    position = 0
    for number, row in enumerate(_rows(file, form), start=1):
        # The end of a line may have reached the disk without all of the line.
        if not is_row(row):
            if file.read(1):
                raise _not_ours(path, form, f"its row {number} is not whole")
            break
        position += len(row)
    return position


def _rows(file: BinaryIO, form: TextFormat) -> Iterator[bytes]:
    """Yield every row that ends with a line end; in CSV a line end inside of quotes is not one."""
    file.seek(0)
    # In one pass: work repeated for each row takes minutes for a text of a megabyte.
    begun: list[bytes] = []
    length = quotes = 0
    while line := file.readline(LONGEST_ROW):
        begun.append(line)
        length += len(line)
        quotes += line.count(b'"') if form == "csv" else 0
        if line.endswith(b"\n") and quotes % 2 == 0:
            yield b"".join(begun)
            begun, length, quotes = [], 0, 0
        elif length >= LONGEST_ROW:
            return


def _is_csv_row(row: bytes) -> bool:
    cells = cells_of(row)
    return cells is not None and len(cells) == len(COLUMNS)


def _is_json_row(row: bytes) -> bool:
    # Two joined rows have two beginnings; inside a text its quotes would be doubled.
    if not row.startswith(_OBJECT) or row.count(_OBJECT) > 1:
        return False
    found = json_object(row)
    return found is not None and tuple(found) == COLUMNS


def _excerpt(first: bytes) -> str:
    text = one_line(first[:_SHOWN].decode("utf-8", "backslashreplace"))
    return f"{text}{'…' * (len(first) > _SHOWN)}"


def _not_ours(path: Path, form: TextFormat, why: str) -> MxGatewayArgumentError:
    name = "CSV" if form == "csv" else "JSON Lines"
    return MxGatewayArgumentError(f"{path} is not a {name} recording that can be continued: {why}; take another name")
