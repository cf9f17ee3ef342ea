"""Tags of a galaxy that ``mxgw-py galaxy-discover --attributes --json`` has exported."""

import csv
import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from zb_mom_ww_mxgateway_sim.plant.model import (
    AREA_CATEGORY,
    OBJECT_CATEGORY,
    USER_CATEGORIES,
    AttributeCategory,
    Security,
    tag_key,
)
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Scalar, default
from zb_mom_ww_mxgateway_sim.plant.tags import ExportedAttribute, ExportedObject, TagDefinition
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError

_T = TypeVar("_T")
_D = TypeVar("_D")
_log = logging.getLogger(__package__)

_COMMAND = "mxgw-py galaxy-discover --attributes --json"
_TABLE = ("object", "template", "tag", "type", "security", "historized", "alarm")
"""The columns of a table of attributes; ``array`` with the length of each array may follow."""

_TYPES = {each.name.replace("_", "").lower(): each for each in NativeType}
# Types of galaxies that are served as another type: their values are of the same kind.
_LIKE = {
    "bigstring": NativeType.STRING,
    "internationalizedstring": NativeType.STRING,
    "referencetype": NativeType.STRING,
    "datatypeenum": NativeType.INTEGER,
    "securityclassificationenum": NativeType.INTEGER,
    "dataqualitytype": NativeType.INTEGER,
}
_MOST_TYPES_SHOWN = 5
_LONGEST_ARRAY = 1_000_000
_LARGEST = 2**31 - 1
_PRIORITY = 500


def read_galaxy(path: Path | str) -> list[TagDefinition]:
    """Return all tags of an exported galaxy, with their objects. Raise TagError with the place of a mistake.

    The file is the output of ``mxgw-py galaxy-discover --attributes --json``, or a CSV table with a line for each
    attribute: object, template, tag, type, security, historized, alarm and, if there is one, array. A gateway with
    these tags has the exported galaxy and not the built-in plant. Types that the simulator lacks are served as String,
    and a warning is logged.
    """
    file = _Export(Path(path))
    try:
        with file.path.open(encoding=_encoding(file.path), newline="") as lines:
            file.read(lines)
    except OSError as error:
        raise TagError(f"{file.path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise TagError(f"{file.path}: not UTF-8; save the file as UTF-8") from error
    if not file.objects:
        raise TagError(f"{file.path}: no objects; write the file with {_COMMAND}")
    file.warn()
    return file.tags


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        # What a redirection in Windows PowerShell writes.
        return "utf-16" if file.read(2) in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of an export."""

    path: Path
    number: int

    def place(self, column: str, offset: int) -> str:
        """Return ``file:line``."""
        return f"{self.path}:{self.number}"


class _Export:
    """An export as far as it has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tags: list[TagDefinition] = []
        self.objects: dict[str, ExportedObject] = {}
        self._ids: set[int] = set()
        self._unknown_types: Counter[str] = Counter()

    def read(self, lines: Iterator[str]) -> None:
        """Read objects as JSON, one a line or in an array, or a table of attributes as CSV."""
        number, text = next(((number, text) for number, text in enumerate(lines, 1) if text.strip()), (1, ""))
        line = _Line(self.path, number)
        match text.lstrip()[:1]:
            case "":
                return
            case "{":
                self._add_object(_parsed(text, line), line)
                for after, other in enumerate(lines, number + 1):
                    if other.strip():
                        self._add_object(_parsed(other, _Line(self.path, after)), _Line(self.path, after))
            case "[":
                for each in _parsed(text + "".join(lines), line):
                    self._add_object(each, line)
            case _:
                self._read_table(csv.reader(chain([text], lines)), number)

    def warn(self) -> None:
        """Log which types are served as another."""
        if self._unknown_types:
            common = self._unknown_types.most_common(_MOST_TYPES_SHOWN)
            _log.warning(
                "%s: %d attributes are served as String, because the simulator lacks their types: %s%s",
                self.path,
                self._unknown_types.total(),
                ", ".join(f"{name} ({count})" for name, count in common),
                ", …" if len(self._unknown_types) > len(common) else "",
            )

    def _add_object(self, form: object, line: _Line) -> None:
        fields = _Fields(form, line)
        if fields.has("error"):
            raise _mistake(line, "the export is not complete: it ends with an error; export the galaxy again")
        attributes = fields.get("attributes", list, None)
        if attributes is None:
            raise _mistake(line, f"the objects have no attributes; write the file with {_COMMAND}")
        found = ExportedObject(
            tag_name=fields.get("tag_name", str),
            contained_name=fields.get("contained_name", str, ""),
            template_chain=tuple(str(name) for name in fields.get("template_chain", list, [])),
            category=AREA_CATEGORY if fields.get("is_area", bool, False) else fields.get("category_id", int),
            gobject_id=fields.get("gobject_id", int),
            parent_id=fields.get("parent_gobject_id", int, 0),
            origin=line,
        )
        self._take(found, line)
        for attribute in attributes:
            self._add_attribute(_Fields(attribute, line), found, line)

    def _take(self, found: ExportedObject, line: _Line) -> None:
        key = tag_key(found.tag_name)
        if not found.tag_name:
            raise _mistake(line, "an object has no tag_name")
        if key in self.objects or found.gobject_id in self._ids:
            raise _mistake(line, f"object {found.tag_name}, id {found.gobject_id}, is there twice")
        if not 1 <= found.gobject_id <= _LARGEST:
            raise _mistake(line, f"the id of {found.tag_name} is {found.gobject_id}; ids are from 1 to {_LARGEST}")
        self.objects[key] = found
        self._ids.add(found.gobject_id)

    def _add_attribute(self, fields: "_Fields", owner: ExportedObject, line: _Line) -> None:
        is_array = fields.get("is_array", bool, False)
        self._add_tag(
            owner,
            line,
            name=fields.get("attribute_name", str),
            type_name=fields.get("data_type_name", str),
            array_length=fields.get("array_dimension", int, 0) if is_array else None,
            category=fields.get("category", int, AttributeCategory.WRITEABLE_USC_LOCKABLE),
            security=fields.get("security_classification", int),
            historized=fields.get("is_historized", bool, False),
            alarm=fields.get("is_alarm", bool, False),
        )

    def _read_table(self, rows: Iterator[list[str]], first: int) -> None:
        columns = next(rows)
        missing = [name for name in _TABLE if name not in columns]
        if missing:
            raise _mistake(_Line(self.path, first), f"no column {missing[0]}; write the file with {_COMMAND}")
        for number, cells in enumerate(rows, first + 1):
            line = _Line(self.path, number)
            if len(cells) != len(columns):
                raise _mistake(line, f"{len(cells)} fields for {len(columns)} columns")
            row = dict(zip(columns, cells, strict=True))
            owner = self.objects.get(tag_key(row["object"]))
            if owner is None:
                chain_of = (row["template"],) if row["template"] else ()
                number_of = len(self.objects) + 1
                owner = ExportedObject(row["object"], "", chain_of, OBJECT_CATEGORY, number_of, 0, line)
                self._take(owner, line)
            if not tag_key(row["tag"]).startswith(tag_key(f"{owner.tag_name}.")):
                raise _mistake(line, f"tag {row['tag']} is not one of object {owner.tag_name}")
            array = row.get("array", "")
            if not (row["security"] + (array or "0")).isdecimal():
                raise _mistake(line, "security and array are whole numbers")
            self._add_tag(
                owner,
                line,
                name=row["tag"][len(owner.tag_name) + 1 :],
                type_name=row["type"],
                array_length=int(array) if array else None,
                category=AttributeCategory.WRITEABLE_USC_LOCKABLE,
                security=int(row["security"]),
                historized=row["historized"].lower() == "true",
                alarm=row["alarm"].lower() == "true",
            )

    def _add_tag(
        self,
        owner: ExportedObject,
        line: _Line,
        *,
        name: str,
        type_name: str,
        array_length: int | None,
        category: int,
        security: int,
        historized: bool,
        alarm: bool,
    ) -> None:
        if not name or "[" in name or "]" in name:
            raise _mistake(line, f"{owner.tag_name} has an attribute of the name {name!r}")
        if security not in set(Security):
            raise _mistake(line, f"{owner.tag_name}.{name} has security {security}; there are 0 to {max(Security)}")
        if array_length is not None and not 0 <= array_length <= _LONGEST_ARRAY:
            raise _mistake(line, f"{owner.tag_name}.{name} has {array_length} elements")
        folded = type_name.replace("_", "").replace(" ", "").lower()
        tag_type = _TYPES.get(folded) or _LIKE.get(folded)
        if tag_type is None:
            tag_type = NativeType.STRING
            self._unknown_types[type_name] += 1
        value = _first_value(owner, name, tag_type)
        self.tags.append(
            TagDefinition(
                f"{owner.tag_name}.{name}",
                tag_type,
                value if array_length is None else (value,) * array_length,
                category in USER_CATEGORIES,
                is_array=array_length is not None,
                security=Security(security),
                historized=historized,
                origin=line,
                exported=ExportedAttribute(self.objects, owner, name, category, alarm),
            )
        )


class _Fields:
    """The fields of one JSON object."""

    def __init__(self, form: object, line: _Line) -> None:
        if not isinstance(form, dict):
            raise _mistake(line, f"no object of {_COMMAND}")
        self._form: dict[str, Any] = form
        self._line = line

    def has(self, name: str) -> bool:
        """Return whether the object has this field."""
        return name in self._form

    def get(self, name: str, kind: type[_T], *default: _D) -> _T | _D:
        """Return the field, or the default if it is missing or null. Raise TagError for one of another kind."""
        value = self._form.get(name)
        if value is None and default:
            return default[0]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)) or not _is_sendable(value):
            raise _mistake(self._line, f"{name} is {value!r:.40}; write the file with {_COMMAND}")
        return value


def _is_sendable(value: object) -> bool:
    """Return whether a message can hold a number, a text or the texts of a list: no half of a character, say."""
    if isinstance(value, list):
        return all(_is_sendable(each) for each in value)
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    return not isinstance(value, int) or abs(value) <= _LARGEST


def _first_value(owner: ExportedObject, name: str, tag_type: NativeType) -> Scalar:
    """Return the value at the start. An export has none, but some follow from the names."""
    known: dict[tuple[str, NativeType], Scalar] = {
        ("tagname", NativeType.STRING): owner.tag_name,
        ("containedname", NativeType.STRING): owner.contained_name,
        ("scanstate", NativeType.BOOLEAN): True,
        ("acked", NativeType.BOOLEAN): True,
        ("priority", NativeType.INTEGER): _PRIORITY,
    }
    return known.get((tag_key(name.rpartition(".")[2]), tag_type), default(tag_type))


def _parsed(text: str, line: _Line) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        column = f":{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise TagError(f"{line.place('', 1)}{column}: not JSON; write the file with {_COMMAND}") from error


def _mistake(line: _Line, text: str) -> TagError:
    return TagError(f"{line.place('', 1)}: {text}")
