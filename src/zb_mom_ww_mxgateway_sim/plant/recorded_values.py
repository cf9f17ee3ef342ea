"""Values of a recording in the types of the simulator's tags, and the tags that a recording needs."""

import json
import re
from dataclasses import dataclass

from zb_mom_ww_mxgateway_sim.plant.model import check_name, tag_key
from zb_mom_ww_mxgateway_sim.plant.recorded_rows import RecordedRow
from zb_mom_ww_mxgateway_sim.plant.status import BAD, OK, Category, Source, Status
from zb_mom_ww_mxgateway_sim.plant.tag_types import NativeType, Value, coerce
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition
from zb_mom_ww_mxgateway_sim.runtime.errors import TagError

VALUE_KINDS = frozenset({"held", "sample", "read"})
"""The kinds of rows that have a value."""

_ADDRESS = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<element>\d{0,9})\])?")
_TYPES = {each.name: each for each in NativeType} | {
    "BIG_STRING": NativeType.STRING,
    "INTERNATIONALIZED_STRING": NativeType.STRING,
    "REFERENCE_TYPE": NativeType.STRING,
}
_MOST_NAMES = 5
_LONGEST_ARRAY = 1_000_000
_NOT_FINITE = ("nan", "inf", "-inf")
# The only key of a value that is an object.
_OBJECTS = frozenset({"base64", "raw"})
_REALS = (NativeType.FLOAT, NativeType.DOUBLE, NativeType.ELAPSED_TIME)
# As whoever writes CSV marks a text that a spreadsheet would take for a formula.
_MARKED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001  # full-width signs start a formula too
_BETWEEN_STATUSES = re.compile(r"; (?=[A-Z_]+, detected by )")
_STATUS = re.compile(r"([A-Z_]+), detected by ([A-Z_]+), detail (-?\d+)(?: \((.*)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RecordedAddress:
    """The tag of an address, and the element of it (from 0) that is meant; None for the whole."""

    name: str
    element: int | None = None
    is_array: bool = False

    @classmethod
    def parse(cls, text: str) -> "RecordedAddress | None":
        """Return the address of a text such as ``A.B``, ``A.B[]`` or ``A.B[3]``; None if no tag has such a name."""
        found = _ADDRESS.fullmatch(text.strip())
        if found is None or not 1 <= int(found["element"] or 1) <= _LONGEST_ARRAY:
            return None
        try:
            check_name(found["name"])
        except TagError:
            return None
        element = found["element"]
        return cls(found["name"], int(element) - 1 if element else None, element is not None)


class RecordedTags:
    """The tags of a recording, as far as its rows have told."""

    def __init__(self) -> None:
        self._seen: dict[str, _SeenTag] = {}
        self.unusable: dict[str, None] = {}
        """Some of the names that no tag can have."""
        self.unusable_rows: int = 0
        """Number of their rows."""

    def take(self, row: RecordedRow) -> None:
        """Learn from a row with a value."""
        address = RecordedAddress.parse(row.tag)
        if address is None:
            self.unusable_rows += 1
            if len(self.unusable) < _MOST_NAMES:
                self.unusable[row.tag] = None
            return
        seen = self._seen.setdefault(tag_key(address.name), _SeenTag(address.name))
        seen.take(row, address)

    @property
    def definitions(self) -> list[TagDefinition]:
        """The tags, without a value and bad until the first one."""
        return [seen.definition for seen in self._seen.values()]


@dataclass(slots=True)
class _SeenTag:
    name: str
    type: NativeType | None = None
    # The type of the first value without a type of its own.
    guess: NativeType | None = None
    is_array: bool = False
    # Whether each text that is not empty spells a list: an array of texts looks so in CSV.
    lists_only: bool = True
    texts: int = 0

    def take(self, row: RecordedRow, address: RecordedAddress) -> None:
        self.type = self.type or _TYPES.get(row.data_type)
        self.is_array = self.is_array or address.is_array or isinstance(row.value, list)
        if not row.is_text or not row.value:
            if self.guess is None and row.value is not None:
                self.guess = _guess(row.value)
            return
        text = str(row.value)
        if self.type is not NativeType.STRING:
            self.is_array = self.is_array or text.startswith("[")
        elif not self.is_array and self.lists_only:
            self.texts += 1
            self.lists_only = isinstance(_parsed(text), list)
        self.guess = self.guess or _guess(_parsed(text))

    @property
    def definition(self) -> TagDefinition:
        is_array = self.is_array or (self.type is NativeType.STRING and self.lists_only and self.texts > 0)
        return TagDefinition(self.name, self.type or self.guess or NativeType.DOUBLE, is_array=is_array, quality=BAD)


def _guess(value: object) -> NativeType | None:
    if isinstance(value, list):
        return _guess(value[0]) if value else None
    if isinstance(value, bool):
        return NativeType.BOOLEAN
    if isinstance(value, int | float):
        return NativeType.DOUBLE
    return NativeType.STRING


def recorded_value(row: RecordedRow, tag_type: NativeType, *, is_array: bool) -> Value:
    """Return the value of a row in that type; None for none. NaN and infinity stay so. Raise CoercionError."""
    value = _cell_value(str(row.value or ""), tag_type, is_array) if row.is_text else row.value
    if value is None or isinstance(value, dict):
        # An object stands for bytes, or for what the gateway could not convert.
        return None
    if not is_array and tag_type in _REALS and str(value).lower() in _NOT_FINITE:
        return float(str(value))
    return coerce(value, tag_type, array=is_array)


def _cell_value(text: str, tag_type: NativeType, is_array: bool) -> object:
    is_text = tag_type is NativeType.STRING and not is_array
    if not text and not is_text:
        return None
    if is_array or text.startswith("{"):
        found = _parsed(text)
        if isinstance(found, list) or (isinstance(found, dict) and len(found) == 1 and found.keys() <= _OBJECTS):
            return found
    return text[1:] if is_text and _MARKED.match(text) else text


def _parsed(text: str) -> object:
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found


def recorded_statuses(text: str) -> tuple[Status, ...]:
    """Return the statuses that a row names; OK if it names none."""
    return tuple(_status(part) for part in _BETWEEN_STATUSES.split(text)) if text else (OK,)


def _status(text: str) -> Status:
    found = _STATUS.fullmatch(text)
    if found is None or found[1] not in Category.__members__ or found[2] not in Source.__members__:
        return Status(Category.OTHER_ERROR, text=text)
    return Status(Category[found[1]], Source[found[2]], int(found[3]), found[4] or "")
