"""Files of values to write: CSV with the columns tag, value, and if wanted type and time.

A value stands there without the quotes and the type that a line needs: the column type, or the tag, tells what it is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway.value_types import TYPE_NAMES
from zb_mom_ww_mxgateway.values import Typed
from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_value
from zb_mom_ww_mxgateway_console.text.csv_rows import CsvField, CsvMistake, csv_rows
from zb_mom_ww_mxgateway_shell.errors import InputError, closest
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType
from zb_mom_ww_mxgateway_shell.language.literals import TagType, plain_value
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token

COLUMNS = ("tag", "value", "type", "time")
_NEEDED = COLUMNS[:2]
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One row: what to write to which tag."""

    line: int
    tag: Token
    """Its place is that in the line of the file."""
    value: Token
    type_name: str
    """Type that the row names, with ``[]`` for an array; empty for the tag's own."""
    at: datetime | None
    """Source time to write with the value; None without one."""

    def typed(self, tag: str, known: TagType | None) -> Typed:
        """Return the value for a tag of this type; raise InputError."""
        if self.type_name:
            return plain_value(self.type_name.removesuffix("[]"), self.value, is_array=self.type_name.endswith("[]"))
        if known is None or known.type_name is None:
            raise self.tag.mistake(f"the type of {tag} is not known: name it in a column type")
        return plain_value(known.type_name, self.value, is_array=known.is_array)


@dataclass(slots=True)
class FileMistakes:
    """The mistakes in a file, each with its place."""

    name: str
    found: list[str] = field(default_factory=list)

    def add(self, line: int, column: int, message: str) -> None:
        self.found.append(f"{self.name}:{line}:{column}: {message}")

    @contextmanager
    def of(self, row: ValueRow) -> Iterator[None]:
        """Add the mistake that is raised in this block."""
        try:
            yield
        except InputError as error:
            self.add(row.line, error.start + 1, str(error))

    def refuse(self, word: Token) -> None:
        """Raise the mistakes, if there are any, at the word that names the file."""
        if not self.found:
            return
        first, *others = self.found
        more = f" (and {len(others)} more mistakes)" if len(others) > 1 else " (and one more)" if others else ""
        error = word.mistake(f"{first}{more}")
        for other in others[: _MOST_SHOWN - 1]:
            error.add_note(other)
        if len(others) >= _MOST_SHOWN:
            error.add_note(f"… {len(self.found)} in all")
        raise error


class ValueFileName(ArgumentType):
    """A CSV file of values to write, as the word that names it. Checking reads the file; typing does not."""

    name = "file"

    def parse(self, word: Token, context: Scope) -> Token:
        if not word.value:
            raise word.mistake("the name of a file is expected")
        return word

    def check(self, word: Token, context: Scope) -> None:
        read_rows(self.parse(word, context), context)


def read_rows(word: Token, scope: Scope) -> list[ValueRow]:
    """Return the rows of the file that a word names; raise InputError with what can be wrong without a gateway."""
    name = word.value
    mistakes = FileMistakes(name)
    rows: list[ValueRow] = []
    try:
        content = read_bytes(Path(name))
        scope.note_file(content, name)
        fields = csv_rows(decoded(content))
        columns = _columns(next(fields, None))
        seen: dict[str, int] = {}
        for found in fields:
            row = _row(columns, found, mistakes)
            if row is None:
                continue
            rows.append(row)
            # An item has several spellings, such as a whole array without its brackets.
            first = seen.setdefault(item_key(row.tag.value), row.line)
            if first != row.line:
                mistakes.add(row.line, row.tag.start + 1, f"{row.tag.value} is in line {first} already")
    except (TextFileError, CsvMistake) as error:
        mistakes.add(error.line, error.column, str(error))
    except OSError as error:
        raise word.mistake(f"cannot read {name}: {error.strerror or error}") from error
    if not (rows or mistakes.found):
        mistakes.add(1, 1, "no row has a value to write")
    if len(rows) > arguments.BULK_LIMIT:
        mistakes.add(rows[arguments.BULK_LIMIT].line, 1, f"more than {arguments.BULK_LIMIT} rows: split the file")
    untimed = next((row for row in rows if row.at is None), None)
    timed = next((row for row in rows if row.at is not None), None)
    if untimed and timed:
        mistakes.add(
            untimed.line,
            1,
            f"no time here, and line {timed.line} has one: one call writes all rows with times, or none",
        )
    mistakes.refuse(word)
    return rows


def _columns(header: list[CsvField] | None) -> list[str]:
    if header is None:
        raise CsvMistake(f"the file is empty; its first line names the columns, such as {','.join(_NEEDED)}", 1, 1)
    first = header[0]
    if len(header) == 1 and (other := next((mark for mark in ";\t" if mark in first.text), "")):
        what = "semicolons" if other == ";" else "tabs"
        raise CsvMistake(
            f"fields are separated by commas, and here by {what}: save it as CSV with commas (a spreadsheet takes the "
            "separator from the regional settings of Windows)",
            first.line,
            first.column + first.text.index(other),
        )
    columns: list[str] = []
    for each in header:
        name = each.text.casefold()
        if name not in COLUMNS:
            hint = closest(name, list(COLUMNS)) or f"; there are {', '.join(COLUMNS)}"
            raise CsvMistake(f"no column {each.text or 'without a name'}{hint}", each.line, each.column)
        if name in columns:
            raise CsvMistake(f"the column {name} is there twice", each.line, each.column)
        columns.append(name)
    for name in _NEEDED:
        if name not in columns:
            raise CsvMistake(f"the column {name} is missing; the first line names the columns", first.line, 1)
    return columns


def _row(columns: list[str], fields: list[CsvField], mistakes: FileMistakes) -> ValueRow | None:
    """Return a row; None for one that cannot be right, whose mistakes are added."""
    line, count = fields[0].line, len(mistakes.found)
    if len(fields) != len(columns):
        last = fields[min(len(fields), len(columns)) - 1 if len(fields) < len(columns) else len(columns)]
        hint = "; a field with commas, such as an array, stands in double quotes" if len(fields) > len(columns) else ""
        mistakes.add(last.line, last.column, f"{len(fields)} fields for {len(columns)} columns{hint}")
        return None
    cells = dict(zip(columns, fields, strict=True))
    tag = cells["tag"]
    if not tag.text:
        mistakes.add(tag.line, tag.column, "a tag is missing")
    type_name = _type(cells.get("type"), mistakes)
    at = _time(cells.get("time"), mistakes)
    row = ValueRow(line, _token(tag), _token(cells["value"]), type_name, at)
    if type_name and len(mistakes.found) == count:
        with mistakes.of(row):
            row.typed(tag.text, None)
    return row if len(mistakes.found) == count else None


def _type(cell: CsvField | None, mistakes: FileMistakes) -> str:
    name = cell.text if cell else ""
    if cell and name and name.removesuffix("[]") not in TYPE_NAMES:
        hint = closest(name.removesuffix("[]"), list(TYPE_NAMES)) or f": one of {', '.join(TYPE_NAMES)}"
        mistakes.add(cell.line, cell.column, f"no type {name}{hint}; an array's ends in []")
        return ""
    return name


def _time(cell: CsvField | None, mistakes: FileMistakes) -> datetime | None:
    if cell is None or not cell.text:
        return None
    try:
        moment = parse_value("time", cell.text)
    except TextValueError as error:
        mistakes.add(cell.line, cell.column, str(error))
        return None
    assert isinstance(moment, datetime)
    return moment


def _token(cell: CsvField) -> Token:
    start = cell.column - 1
    return Token(cell.text, start, start + len(cell.text), is_expanded=not cell.is_as_written)
