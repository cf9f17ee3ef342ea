"""Snapshots: the values of some tags at one moment, kept in a file, compared with the plant and written back."""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.kept_secrets import holds_kept
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.results import ReadResult
from zb_mom_ww_mxgateway.models.security_classes import VIEW_ONLY
from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.safety.fresh_values import read_afresh
from zb_mom_ww_mxgateway.safety.typed_forms import form_of_typed, time_of_form, typed_of, typed_of_form
from zb_mom_ww_mxgateway.safety.written_values import is_as_written
from zb_mom_ww_mxgateway.status import first_failed
from zb_mom_ww_mxgateway.system.private_files import make_private_folder, open_to_others, write_private_file
from zb_mom_ww_mxgateway.system.regular_files import is_reserved, read_bytes
from zb_mom_ww_mxgateway.system.state_dir import state_folder
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway.value_types import type_of_tag
from zb_mom_ww_mxgateway.values import MxValueOutput, Typed

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.session import LiveSession

_FORMAT = 1
_SUFFIX = ".json"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_READ_SECONDS = 10.0
"""The gateway's time for each tag."""


@dataclass(frozen=True, slots=True)
class SnapshotRow:
    """One tag of a snapshot, with its good value at that time."""

    tag: str
    value: Typed
    quality: int
    source_time_ns: int


@dataclass(frozen=True, slots=True)
class LeftOutTag:
    """A tag that was asked for and is not in the snapshot, because its value was not good."""

    tag: str
    why: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The good values of some tags at one moment, in the order in which they were named."""

    name: str
    endpoint: str
    """``host:port`` of the gateway."""
    taken_at: datetime
    galaxy_deployed: datetime | None
    """When the galaxy had been deployed by then; None where that is unknown."""
    rows: tuple[SnapshotRow, ...]
    left_out: tuple[LeftOutTag, ...]

    def form(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "endpoint": self.endpoint,
            "format": _FORMAT,
            "galaxy_deployed": self.galaxy_deployed and time_text(self.galaxy_deployed),
            "left_out": [{"tag": each.tag, "why": each.why} for each in self.left_out],
            "name": self.name,
            "rows": [
                {
                    "quality": each.quality,
                    "source_time_ns": each.source_time_ns,
                    "tag": each.tag,
                    "value": form_of_typed(each.value),
                }
                for each in self.rows
            ],
            "taken_at": time_text(self.taken_at),
        }

    @classmethod
    def of(cls, form: object) -> "Snapshot":
        """Return the snapshot of a JSON form; raise ValueError for anything that is not surely one."""
        fields = _fields(form, "endpoint", "format", "galaxy_deployed", "left_out", "name", "rows", "taken_at")
        if fields["format"] != _FORMAT:
            raise ValueError("another version of mxgw wrote it")
        deployed = fields["galaxy_deployed"]
        snapshot = cls(
            _text(fields["name"], "name"),
            _text(fields["endpoint"], "endpoint"),
            time_of_form(fields["taken_at"]),
            None if deployed is None else time_of_form(deployed),
            tuple(map(_row_of, _list(fields["rows"], "rows"))),
            tuple(map(_left_out_of, _list(fields["left_out"], "left_out"))),
        )
        tags = [tag_key(each.tag) for each in snapshot.rows]
        if len(set(tags)) != len(tags):
            raise ValueError("a tag is in it twice")
        return snapshot


def _row_of(form: object) -> SnapshotRow:
    fields = _fields(form, "quality", "source_time_ns", "tag", "value")
    quality, taken = fields["quality"], fields["source_time_ns"]
    if type(quality) is not int or type(taken) is not int:
        raise ValueError("a quality or a source time is no whole number")
    return SnapshotRow(_text(fields["tag"], "tag"), typed_of_form(fields["value"]), quality, taken)


def _left_out_of(form: object) -> LeftOutTag:
    fields = _fields(form, "tag", "why")
    return LeftOutTag(_text(fields["tag"], "tag"), _text(fields["why"], "why"))


def _fields(form: object, *names: str) -> dict[str, Any]:
    if not isinstance(form, dict) or set(form) != set(names):
        raise ValueError(f"an object with {', '.join(names)} is expected, and nothing else in it")
    return form


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is no text")
    return value


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{name} is no list")
    return value


# Files.


class SnapshotFolder:
    """The snapshots of this user, a file each. Only the user may change them."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` is by default ``snapshots`` in the folder of this user's records."""
        self._given = folder

    @property
    def folder(self) -> Path:
        """The folder; raises MxGatewayArgumentError where the user has no home."""
        return self._given or state_folder() / "snapshots"

    def path(self, name: str) -> Path:
        """Return the file of a snapshot; raise MxGatewayArgumentError for what is no name."""
        if not _NAME.fullmatch(name):
            raise MxGatewayArgumentError(
                f"the name of a snapshot has letters, digits, - and _ only, at most 100, not {name}"
            )
        if is_reserved(name):
            raise MxGatewayArgumentError(f"{name} is the name of a device on Windows: name the snapshot otherwise")
        return self.folder / f"{name}{_SUFFIX}"

    def names(self) -> list[str]:
        """Return the names of all snapshots."""
        try:
            return sorted(path.stem for path in self.folder.glob(f"*{_SUFFIX}") if _NAME.fullmatch(path.stem))
        except MxGatewayArgumentError:
            return []  # A user without a home has none.

    def has(self, name: str) -> bool:
        """Return whether there is a snapshot of that name."""
        return self.path(name).exists()

    def save(self, snapshot: Snapshot) -> Path:
        """Write a snapshot in place of one of its name, whole or not at all; return its file. Raise OSError."""
        path = self.path(snapshot.name)
        make_private_folder(path.parent)
        text = json.dumps(snapshot.form(), indent=1, sort_keys=True, allow_nan=False)
        write_private_file(path, text.encode("ascii") + b"\n")
        return path

    def load(self, name: str) -> Snapshot:
        """Return a snapshot.

        Raises FileNotFoundError where there is none, OSError where it cannot be read, and ValueError where it cannot be
        relied on: it is damaged, or others may have changed it.
        """
        path = self.path(name)
        content = read_bytes(path)
        if others := open_to_others(path):
            raise ValueError(f"{others}; then look through it")
        try:
            snapshot = Snapshot.of(json.loads(content, object_pairs_hook=_each_once))
        except (RecursionError, OverflowError) as error:
            raise ValueError(str(error)) from error
        if snapshot.name != name:
            raise ValueError(f"it is the snapshot {snapshot.name}")
        return snapshot


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a field is there twice")
    return dict(pairs)


# The plant.


async def take_snapshot(
    live: "LiveSession", name: str, tags: Sequence[str], server_handle: int, *, galaxy_deployed: datetime | None = None
) -> Snapshot:
    """Read the tags afresh, and return their good values; the others are left out by name. Nothing is written to disk.

    Raises what ``Session.read_bulk`` raises.
    """
    named: dict[str, str] = {}
    for tag in tags:
        named.setdefault(tag_key(tag), tag)
    results = await read_afresh(live, list(named.values()), server_handle, timeout=_READ_SECONDS)
    rows, left_out = [], []
    for result in results:
        typed = typed_of(result.value)
        why = doubt_of(result) or ("its value is of a type that cannot be written" if typed is None else "")
        if redact(result.tag_address) != result.tag_address:
            why = "its name has a key or a secret in it"
        elif not why and _holds_secret(result.value):
            why = "its value looks like a key or a password"
        if why or typed is None:
            left_out.append(LeftOutTag(redact(result.tag_address), redact(why)))
        else:
            rows.append(SnapshotRow(result.tag_address, typed, result.quality, result.source_time_ns))
    return Snapshot(name, live.session.endpoint, datetime.now(UTC), galaxy_deployed, tuple(rows), tuple(left_out))


def doubt_of(result: ReadResult) -> str:
    """Return why a value that was read is not one to go by; empty for a good one."""
    if not result.was_successful:
        return f"it cannot be read: {result.error_message or 'no reason given'}"
    if result.quality_word != "good":
        failed = first_failed(result.statuses)
        return f"its quality is {result.quality_word}{f': {failed}' if failed else ''}"
    if result.value is None:
        return "it has no value"
    return "it is not a number" if _has_nan(result.value) else ""


def _holds_secret(value: MxValueOutput) -> bool:
    elements = value if isinstance(value, list) else [value]
    return holds_kept(value) or any(isinstance(each, str) and redact(each) != each for each in elements)


def _has_nan(value: MxValueOutput) -> bool:
    elements = value if isinstance(value, list) else [value]
    return any(isinstance(each, float) and math.isnan(each) for each in elements)


class RowState(Enum):
    """The present value of a tag, compared with that of the snapshot."""

    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    """It is not good, or the tag cannot be read."""


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One tag of a snapshot and its present value."""

    row: SnapshotRow
    now: ReadResult
    state: RowState
    why: str = ""
    """Why it is unknown whether it differs."""


async def compare(
    live: "LiveSession",
    rows: Sequence[SnapshotRow],
    server_handle: int,
    tolerance_of: Callable[[str], float | None] = lambda tag: None,
) -> list[ComparedRow]:
    """Read the tags of these rows afresh, and compare each with its row.

    `tolerance_of` returns how far a real may differ, None for the precision of its type. Raises what
    ``Session.read_bulk`` raises.
    """
    results = await read_afresh(live, [row.tag for row in rows], server_handle, timeout=_READ_SECONDS)
    compared = []
    for row, now in zip(rows, results, strict=True):
        if why := doubt_of(now):
            compared.append(ComparedRow(row, now, RowState.UNKNOWN, why))
            continue
        is_same = is_as_written(row.value, now.value, tolerance=tolerance_of(row.tag))
        compared.append(ComparedRow(row, now, RowState.SAME if is_same else RowState.DIFFERS))
    return compared


@dataclass(frozen=True, slots=True)
class NotRestored:
    """Why a row is not written back."""

    why: str
    is_expected: bool = False
    """Whether nothing can be done about it: the tag is read-only."""


def value_to_restore(compared: ComparedRow, security: int | None, present: LiveValue | None) -> Typed | NotRestored:
    """Return the value to write back to a tag that differs, in the type that the tag has now; or why it is left out.

    `security` is the security classification of the tag, where the galaxy tells; `present` the value of the stream.
    """
    if compared.state is not RowState.DIFFERS:
        return NotRestored(compared.why or "it has the value")
    if security == VIEW_ONLY:
        return NotRestored("it is read-only (ViewOnly)", is_expected=True)
    if present is None or present.stale_since is not None or present.quality_word != "good":
        return NotRestored("it has no good live value, and MXAccess may refuse a write to it")
    was = compared.row.value
    spec = type_of_tag(present.data_type, present.variant_type)
    is_array = isinstance(present.value, list)
    if is_array is not isinstance(was.value, list):
        return NotRestored(f"it is {'an array' if is_array else 'no array'} now")
    try:
        return Typed(spec.name if spec else was.type, was.value)
    except MxGatewayArgumentError as error:
        return NotRestored(f"it has another type now: {error}")
