"""A user's own tags from a CSV file. Mistakes are reported with line and column."""

import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from zb_mom_ww_mxgateway_sim.plant.behavior import BEHAVIORS, usage
from zb_mom_ww_mxgateway_sim.plant.model import SECURITIES, Security, check_name, tag_key
from zb_mom_ww_mxgateway_sim.plant.status import quality_of
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition, check
from zb_mom_ww_mxgateway_sim.runtime.errors import LineError, TagError

COLUMNS = {
    "name": "Object.Attribute; the only column that is required",
    "type": "bool, int, float, double, string, time or elapsed; with [] an array",
    "value": "the first one; | separates the elements of an array",
    "does": "what it does by itself until it is written; see below",
    "alarms": "hi 80 300; lolo 5 900 deadband 2: name, limit and severity of each",
    "quality": "the first one: good, uncertain, bad, or a number from 0 to 255",
    "writable": "yes or no",
    "security": SECURITIES,
    "min": "a smaller value is refused when it is written",
    "max": "a larger value is refused when it is written",
    "historized": "yes or no",
    "area": "the area of the tag's object",
    "description": "text",
    "unit": "text",
}
"""The columns, and what each holds."""

TAG_FILE = (
    "\b\nThe first line of a file of tags names its columns, then each line is a tag. # begins a remark.\n"
    + "".join(f"  {name:<13}{text}\n" for name, text in COLUMNS.items())
    + "\n\b\nWhat a tag does; a field with commas is quoted. A TIME, PERIOD, STEP or DELAY is 250ms, 5s, 2min, 1h:\n"
    + "".join(f"  {usage(name):<34}{text}\n" for name, (_, text) in BEHAVIORS.items())
)
"""The columns for the help of a program."""

_TYPES = {
    "bool": NativeType.BOOLEAN,
    "boolean": NativeType.BOOLEAN,
    "int": NativeType.INTEGER,
    "int32": NativeType.INTEGER,
    "integer": NativeType.INTEGER,
    "float": NativeType.FLOAT,
    "double": NativeType.DOUBLE,
    "string": NativeType.STRING,
    "time": NativeType.TIME,
    "elapsed": NativeType.ELAPSED_TIME,
    "elapsedtime": NativeType.ELAPSED_TIME,
}
_EXAMPLE = "name,type,value,writable,description,unit"
_YES_NO = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class _Cell:
    """One field, and the column (from 1) where it begins: for a quoted one, that of the quote."""

    text: str
    column: int
    quoted: bool = False

    def at(self, offset: int) -> int:
        """Return the column of a character of the text, from 1."""
        if not self.quoted:
            return self.column + offset - 1
        return self.column + offset + self.text[: offset - 1].count('"')


@dataclass(frozen=True, slots=True)
class _Table:
    """A file whose first line has been read."""

    path: Path
    separator: str
    columns: list[str]


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a table. The place of a mistake is looked up when it is needed."""

    table: _Table
    line: int
    text: str

    def place(self, column: str, offset: int) -> str:
        """Return ``file:line:column`` of a character, from 1, in the field of that name."""
        cells = dict(zip(self.table.columns, _cells(self.text, self.table.separator), strict=False))
        found = cells[column].at(offset) if column in cells else len(self.text) + 1
        return f"{self.table.path}:{self.line}:{found}"


def read_tags(path: Path) -> list[TagDefinition]:
    """Return the tags of a CSV file. Raise TagError as ``file:line:column: what is wrong, what is right``.

    The first line names the columns: name, and any others of ``COLUMNS``. Fields are separated by commas, or by
    semicolons if the first line uses them. What depends on other tags is checked when the plant is built.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TagError(f"{path}: {error.strerror or error}") from error
    line = 0
    try:
        lines = _decoded(raw)
        separator = ";" if lines and ";" in lines[0] and "," not in lines[0] else ","
        table: _Table | None = None
        tags: dict[str, tuple[TagDefinition, int]] = {}
        for line, text in enumerate(lines, 1):
            if not text.strip() or text.lstrip().startswith("#"):
                continue
            cells = _cells(text, separator)
            if table is None:
                table = _Table(path, separator, _header(cells))
                continue
            tag = _tag(table.columns, cells, _Row(table, line, text))
            first = tags.setdefault(tag_key(tag.name), (tag, line))
            if first[1] != line:
                raise LineError(cells[table.columns.index("name")].column, f"{tag.name} is in line {first[1]} already")
        if table is None:
            line += 1
            raise LineError(1, f"no line names the columns; write {_EXAMPLE}")
    except LineError as error:
        raise TagError(f"{path}:{max(1, line)}:{error.column}: {error.text}") from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, begun = before.count(b"\n") + 1, before[before.rfind(b"\n") + 1 :].decode()
        where = f"{path}:{line}:{len(begun) + 1}"
        raise TagError(
            f"{where}: byte 0x{error.object[error.start]:02X} is not UTF-8; save the file as UTF-8"
        ) from error
    return [tag for tag, _ in tags.values()]


def _decoded(raw: bytes) -> list[str]:
    # Not splitlines(): it also splits at characters that may be in a field.
    lines = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def _cells(text: str, separator: str) -> list[_Cell]:
    """Return the fields of one line. A field in double quotes may hold separators, and quotes written twice."""
    cells: list[_Cell] = []
    position = 0
    while True:
        start = position
        while position < len(text) and text[position] == " ":
            position += 1
        if position < len(text) and text[position] == '"':
            quoted = re.compile(r'"((?:[^"]|"")*)"').match(text, position)
            if quoted is None:
                raise LineError(position + 1, 'a quote is not closed; a quote within a quoted field is written ""')
            cells.append(_Cell(quoted[1].replace('""', '"'), position + 1, quoted=True))
            position = quoted.end()
            while position < len(text) and text[position] == " ":
                position += 1
            if position < len(text) and text[position] != separator:
                raise LineError(
                    position + 1, f"text after a closing quote; put {separator!r} or the end of the line there"
                )
        else:
            end = text.find(separator, start)
            end = len(text) if end < 0 else end
            field = text[start:end]
            cells.append(_Cell(field.strip(), start + 1 + len(field) - len(field.lstrip())))
            position = end
        if position >= len(text):
            return cells
        position += 1


def _header(cells: list[_Cell]) -> list[str]:
    columns: list[str] = []
    for cell in cells:
        name = cell.text.lower()
        if name not in COLUMNS:
            close = get_close_matches(name, COLUMNS, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(COLUMNS)}"
            raise LineError(cell.column, f"no column {cell.text!r}; {hint}")
        if name in columns:
            raise LineError(cell.column, f"column {name} twice; name it once")
        columns.append(name)
    if "name" not in columns:
        raise LineError(1, f"the column name is missing; the first line is for example {_EXAMPLE}")
    return columns


def _tag(columns: list[str], cells: list[_Cell], origin: _Row) -> TagDefinition:
    if len(cells) > len(columns):
        _check_quoted(columns, cells)
        raise LineError(
            cells[len(columns)].column, f"{len(cells)} fields for {len(columns)} columns; quote a separator"
        )
    row = dict(zip(columns, cells, strict=False))
    missing = _Cell("", cells[-1].column + len(cells[-1].text))

    name = row.get("name", missing)
    try:
        check_name(name.text)
    except TagError as error:
        raise LineError(name.column, str(error)) from error
    value = row.get("value", missing)
    tag_type, is_array = _type(row.get("type", missing), value.text)
    security = _security(row.get("security", missing))
    writable = _yes_no(row.get("writable", missing), "writable", security is not Security.VIEW_ONLY)
    if writable and security is Security.VIEW_ONLY:
        raise LineError(row["writable"].column, "a tag with security ViewOnly is not writable; leave one of them out")
    tag = TagDefinition(
        name.text,
        tag_type,
        _value(value.text, tag_type, is_array),
        writable,
        row.get("description", missing).text,
        row.get("unit", missing).text,
        is_array,
        does=row.get("does", missing).text,
        alarms=row.get("alarms", missing).text,
        quality=_quality(row.get("quality", missing)),
        security=security,
        min=_limit(row.get("min", missing)),
        max=_limit(row.get("max", missing)),
        historized=_yes_no(row.get("historized", missing), "historized", False),
        area=row.get("area", missing).text,
        origin=origin,
    )
    check(tag)
    return tag


def _check_quoted(columns: list[str], cells: list[_Cell]) -> None:
    """Raise LineError if the field ``does`` was split at its commas."""
    begin = columns.index("does") if "does" in columns else len(cells)
    end = next((number for number in range(begin, len(cells)) if cells[number].text.endswith(")")), begin)
    if end > begin and re.match(r"\w+\(", cells[begin].text):
        whole = ",".join(cell.text for cell in cells[begin : end + 1])
        raise LineError(cells[begin].column, f'quote a field with commas: "{whole}"')


def _type(cell: _Cell, value: str) -> tuple[NativeType, bool]:
    text = cell.text.lower().replace(" ", "")
    is_array = text.endswith("[]")
    if not text:
        return _guess(value), False
    tag_type = _TYPES.get(text.removesuffix("[]"))
    if tag_type is None:
        raise LineError(cell.column, f"no type {cell.text!r}; there are {', '.join(_TYPES)}, with [] for an array")
    return tag_type, is_array


def _guess(value: str) -> NativeType:
    """Guess the type of a value without one. A number is a double."""
    if value.lower() in ("true", "false"):
        return NativeType.BOOLEAN
    try:
        float(value or "0")
    except ValueError:
        return NativeType.STRING
    return NativeType.DOUBLE


def _value(text: str, tag_type: NativeType, is_array: bool) -> object:
    if is_array:
        return (
            tuple(part if tag_type is NativeType.STRING else part.strip() for part in text.split("|")) if text else None
        )
    return text if text or tag_type is NativeType.STRING else None


def _yes_no(cell: _Cell, column: str, default: bool) -> bool:
    if not cell.text:
        return default
    found = _YES_NO.get(cell.text.lower())
    if found is None:
        raise LineError(cell.column, f"{cell.text!r} in the column {column}; use true or false")
    return found


def _quality(cell: _Cell) -> int:
    try:
        return quality_of(cell.text or "good")
    except ValueError as error:
        raise LineError(cell.column, str(error)) from error


def _security(cell: _Cell) -> Security | None:
    try:
        return Security.of(cell.text) if cell.text else None
    except ValueError as error:
        raise LineError(cell.column, str(error)) from error


def _limit(cell: _Cell) -> float | None:
    if not cell.text:
        return None
    try:
        limit = float(cell.text)
    except ValueError:
        limit = math.nan
    if not math.isfinite(limit) or "_" in cell.text:
        raise LineError(cell.column, f"{cell.text!r} is not a number")
    return limit
