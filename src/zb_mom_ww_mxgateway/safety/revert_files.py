"""Files of reverts that are pending: one for each, written before the write itself, so that a crash loses none."""

import json
import math
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.safety.reverts import RevertStage
from zb_mom_ww_mxgateway.safety.typed_forms import form_of_typed, time_of_form, typed_of_form
from zb_mom_ww_mxgateway.system.file_locks import locked
from zb_mom_ww_mxgateway.system.private_files import (
    flush_folder,
    make_private_folder,
    open_to_others,
    write_private_file,
)
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway.values import Typed

_FORMAT = 1
_LOCK_SECONDS = 10.0
_LOOK_SECONDS = 1.0
"""Seconds that a look at each start waits for another process: whoever only reads does not need it."""
_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class RevertRecord:
    """What the file of a revert says."""

    key: str
    endpoint: str
    session_id: str
    who: str
    tag: str
    original: Typed
    ours: tuple[Typed, ...]
    """Values that the tag may have because of the write; without those that have no text."""
    written_at: datetime
    due_at: datetime
    due_monotonic: float
    """Seconds of the library's clock of the process that wrote the file."""
    may_happen_until: datetime
    """When no write can change the tag any more whose outcome was unknown; a time in the past if none was."""
    stage: RevertStage
    why: str
    owner: str = ""
    """Name of the lock that its process holds while it lives."""

    def form(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "due": time_text(self.due_at),
            "due_monotonic": self.due_monotonic,
            "endpoint": self.endpoint,
            "format": _FORMAT,
            "key": self.key,
            "may_happen_until": time_text(self.may_happen_until),
            "original": form_of_typed(self.original),
            "ours": [form_of_typed(each) for each in self.ours],
            "owner": self.owner,
            "session": self.session_id,
            "stage": str(self.stage),
            "tag": self.tag,
            "who": self.who,
            "why": self.why,
            "written": time_text(self.written_at),
        }

    @classmethod
    def of(cls, form: object) -> "RevertRecord":
        """Return the record of a JSON form; raise ValueError for anything that is not surely one."""
        if not isinstance(form, dict):
            raise ValueError("it is no object")
        if form.get("format") != _FORMAT:
            raise ValueError("another version of mxgw wrote it")
        texts = {name: form.get(name) for name in ("endpoint", "key", "owner", "session", "tag", "who", "why")}
        if wrong := next((name for name, text in texts.items() if not isinstance(text, str)), None):
            raise ValueError(f"{wrong} is no text")
        if not (texts["tag"] and texts["key"] and texts["endpoint"]):
            raise ValueError("the tag, the key or the endpoint is empty")
        monotonic, ours = form.get("due_monotonic"), form.get("ours")
        if type(monotonic) is not float or not math.isfinite(monotonic):
            raise ValueError("due_monotonic is no number")
        if not isinstance(ours, list) or not ours:
            raise ValueError("ours has no value")
        return cls(
            key=str(texts["key"]),
            endpoint=str(texts["endpoint"]),
            session_id=str(texts["session"]),
            who=str(texts["who"]),
            tag=str(texts["tag"]),
            original=typed_of_form(form.get("original")),
            ours=tuple(map(typed_of_form, ours)),
            written_at=time_of_form(form.get("written")),
            due_at=time_of_form(form.get("due")),
            due_monotonic=monotonic,
            may_happen_until=time_of_form(form.get("may_happen_until")),
            stage=RevertStage(str(form.get("stage"))),
            why=str(texts["why"]),
            owner=str(texts["owner"]),
        )


@dataclass(frozen=True, slots=True)
class DamagedRevert:
    """A file that cannot be read as a revert. It is kept, and nothing is done for it."""

    path: Path
    why: str


class RevertFolder:
    """The files of this user's reverts, of all processes. Its methods block the thread.

    The process that made a revert holds a lock while it lives; a revert whose lock is free was left behind.
    Its methods raise OSError, and TimeoutError where another process holds the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._name = f"owner-{uuid.uuid4().hex}.lock"
        self._held = ExitStack()
        self._is_owner = False

    def save(self, record: RevertRecord) -> None:
        """Write a revert to the disk as one of this process; return when it is there for good."""
        with self._locked():
            self._own()
            self._write(replace(record, owner=self._name))

    def remove(self, key: str) -> None:
        """Remove the file of a revert; nothing if there is none."""
        with self._locked():
            self.path_of(key).unlink(missing_ok=True)
            flush_folder(self.folder)

    def left_behind(self) -> list[RevertRecord | DamagedRevert]:
        """Return the reverts of processes that have ended, oldest first, and the files that cannot be read."""
        if not self.folder.is_dir():
            return []
        with self._locked(_LOOK_SECONDS):
            found = list(self._found())
            self._tidy({each.owner for each in found if isinstance(each, RevertRecord)})
            return [each for each in found if isinstance(each, DamagedRevert) or not self._lives(each.owner)]

    def claim(self, key: str) -> RevertRecord | None:
        """Make a revert that was left behind one of this process; None if it is gone, or another process has it."""
        with self._locked():
            record = self._read(self.path_of(key))
            if not isinstance(record, RevertRecord) or self._lives(record.owner):
                return None
            self._own()
            self._write(replace(record, owner=self._name))
            return record

    def close(self) -> None:
        """Leave what is still there behind, for the next start to find."""
        self._held.close()
        if self._is_owner:
            self._is_owner = False
            with suppress(OSError, TimeoutError), self._locked():
                (self.folder / self._name).unlink(missing_ok=True)

    def path_of(self, key: str) -> Path:
        """Return the file of a revert."""
        return self.folder / f"{key}{_SUFFIX}"

    @contextmanager
    def _locked(self, seconds: float | None = None) -> Iterator[None]:
        make_private_folder(self.folder)
        if others := open_to_others(self.folder / "any"):
            raise PermissionError(f"{others}, when you have made sure that its files are yours")
        with locked(self.folder / "folder.lock", _LOCK_SECONDS if seconds is None else seconds):
            yield

    def _own(self) -> None:
        """Hold the lock of this process. The folder is locked: nobody looks between its making and its locking."""
        if not self._is_owner:
            self._held.enter_context(self._owner_lock(self._name))
            self._is_owner = True

    def _owner_lock(self, name: str) -> AbstractContextManager[None]:
        return locked(self.folder / name, 0)

    def _lives(self, owner: str) -> bool:
        """Return whether the process behind the name of a lock still holds it."""
        if owner == self._name:
            return self._is_owner
        if not (self.folder / owner).is_file() or not _is_owner_name(owner):
            return False
        try:
            with self._owner_lock(owner):
                return False
        except TimeoutError:
            return True

    def _write(self, record: RevertRecord) -> None:
        path = self.path_of(record.key)
        data = json.dumps(record.form(), sort_keys=True, allow_nan=False).encode("ascii") + b"\n"
        write_private_file(path, data)

    def _found(self) -> Iterator[RevertRecord | DamagedRevert]:
        for path in sorted(self.folder.glob(f"*{_SUFFIX}")):
            yield self._read(path)

    def _read(self, path: Path) -> RevertRecord | DamagedRevert:
        try:
            record = RevertRecord.of(json.loads(read_bytes(path)))
        except OSError as error:
            return DamagedRevert(path, error.strerror or str(error))
        except (ValueError, OverflowError, RecursionError) as error:
            return DamagedRevert(path, str(error) or "it is no JSON")
        if self.path_of(record.key) != path:
            return DamagedRevert(path, "its key is not that of its name")
        return record

    def _tidy(self, owners: set[str]) -> None:
        """Remove what a crash left besides reverts."""
        for path in self.folder.glob("*.tmp"):
            path.unlink(missing_ok=True)
        for path in self.folder.glob("owner-*.lock"):
            if path.name not in owners and path.name != self._name and not self._lives(path.name):
                with suppress(OSError):
                    path.unlink(missing_ok=True)


def new_key() -> str:
    """Return a name for a revert that no other has; names in order of time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:12]}"


def _is_owner_name(name: str) -> bool:
    return name.startswith("owner-") and name.endswith(".lock") and Path(name).name == name
