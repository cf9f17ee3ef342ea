"""How far a forwarder has come, in a file, so that it goes on there after a restart."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.system.file_locks import lock, unlock
from zb_mom_ww_mxgateway.system.private_files import make_private_folder, write_private_file

_VERSION = 1
_LOCK_SECONDS = 0.5


@dataclass(frozen=True)
class Position:
    """The last event that the broker has: a session at the gateway, and a sequence of it."""

    session_id: str
    sequence: int


@dataclass(frozen=True)
class SessionItems:
    """The items of a session, by which its events are named."""

    session_id: str
    server_handle: int
    tags: Mapping[int, str]
    """Tags by item handle."""


@dataclass(frozen=True)
class Saved:
    """What a forwarder knew when it ended."""

    position: Position | None = None
    opened: tuple[str, ...] = ()
    """Sessions opened after that of the position, of which the broker may have something."""
    items: SessionItems | None = None
    """The items of the position's session; None where they are not known."""


class StateFile:
    """A file with the position, and one beside it (``.items``) with the items. Each is replaced whole or not at all.

    One process at a time holds it; the lock ends with the process, however that ends.
    """

    def __init__(self, path: Path, endpoint: str) -> None:
        self._path = path
        self._items_path = path.with_name(f"{path.name}.items")
        self._endpoint = endpoint
        self._lock: int | None = None
        self._saved = Saved()

    @classmethod
    def open(cls, path: Path, endpoint: str) -> Self:
        """Lock it. Raise MxGatewayArgumentError where it cannot be used, or another forwarder uses it."""
        made = cls(path.absolute(), endpoint)
        try:
            make_private_folder(made._path.parent)
            made._lock = lock(made._path.with_name(f"{path.name}.lock"), _LOCK_SECONDS)
        except TimeoutError:
            raise MxGatewayArgumentError(
                f"another forwarder uses the state file {path}: give each its own --state"
            ) from None
        except OSError as error:
            raise MxGatewayArgumentError(f"cannot use the state file {path}: {error.strerror or error}") from None
        return made

    def close(self) -> None:
        """Release it."""
        if self._lock is not None:
            unlock(self._lock)
            self._lock = None

    def read(self) -> Saved:
        """Return what was saved. Raises MxGatewayArgumentError for a file of another gateway, or that is none."""
        form = self._form_of(self._path)
        if form is None:
            return self._saved
        try:
            endpoint, session_id = form["endpoint"], form["session_id"]
            position = None if session_id is None else Position(str(session_id), int(form["sequence"]))
            self._saved = Saved(position, tuple(map(str, form["opened"])))
        except (KeyError, TypeError, ValueError):
            raise self._is_none() from None
        if endpoint != self._endpoint:
            raise MxGatewayArgumentError(
                f"the state file {self._path} is of the gateway {endpoint}, not of {self._endpoint}: "
                "name another file, or remove it to start again"
            )
        with suppress(MxGatewayArgumentError, KeyError, TypeError, ValueError, AttributeError):
            found = self._form_of(self._items_path)
            if found is not None and position is not None and found["session_id"] == position.session_id:
                tags = {int(handle): str(tag) for handle, tag in found["tags"].items()}
                items = SessionItems(position.session_id, int(found["server_handle"]), tags)
                return replace(self._saved, items=items)
        # Without the items the events of that session have no names.
        return self._saved

    def save(self, position: Position | None, opened: tuple[str, ...]) -> None:
        """Write the position and the sessions opened since, if they are others.

        Blocks until they are on the disk; raises OSError.
        """
        saved = Saved(position, opened)
        if saved != self._saved:
            form = {
                "endpoint": self._endpoint,
                "opened": list(opened),
                "sequence": position.sequence if position else 0,
                "session_id": position.session_id if position else None,
            }
            self._write(self._path, form)
            self._saved = saved

    def save_items(self, items: SessionItems) -> None:
        """Write the items of a session. Blocks until they are on the disk; raises OSError."""
        form = {"server_handle": items.server_handle, "session_id": items.session_id, "tags": dict(items.tags)}
        self._write(self._items_path, form)

    def _write(self, path: Path, form: dict[str, Any]) -> None:
        write_private_file(path, json.dumps({**form, "version": _VERSION}, sort_keys=False).encode() + b"\n")

    def _form_of(self, path: Path) -> dict[str, Any] | None:
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise MxGatewayArgumentError(f"cannot read the state file {path}: {error.strerror}") from None
        try:
            form = json.loads(data)
        except ValueError:
            raise self._is_none() from None
        if not isinstance(form, dict) or form.get("version") != _VERSION:
            raise self._is_none()
        return form

    def _is_none(self) -> MxGatewayArgumentError:
        return MxGatewayArgumentError(
            f"{self._path} is no state file of a forwarder: name another file, or remove it to start again"
        )
