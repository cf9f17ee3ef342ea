"""Plans that this user made on this machine: what was planned, and whether its hash was used."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.system.private_files import make_private_folder, write_private_file
from zb_mom_ww_mxgateway.system.state_dir import state_folder
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_shell.scripts.plan_set import hash_of

_KEPT_DAYS = 90


class KeptPlans:
    """The folder of plans: ``HASH.json`` is a plan, ``HASH.used`` says when it was run."""

    def __init__(self) -> None:
        self.folder = state_folder() / "plans"

    def keep(self, content: dict[str, Any]) -> None:
        """Keep a plan; its hash may be used once from now on. Raise OSError."""
        make_private_folder(self.folder)
        self._forget_old()
        name = hash_of(content)
        write_private_file(self.folder / f"{name}.json", json.dumps(content, sort_keys=True).encode())
        self._used(name).unlink(missing_ok=True)

    def find(self, name: str) -> dict[str, Any] | None:
        """Return the plan with this hash; None where there is none that is whole."""
        try:
            content: dict[str, Any] = json.loads((self.folder / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return content if hash_of(content) == name else None

    def used_at(self, name: str) -> str:
        """Return when a hash was used; empty where it was not."""
        with suppress(OSError):
            return self._used(name).read_text(encoding="utf-8").strip() or "at an unknown time"
        return ""

    def use(self, name: str) -> str:
        """Take note that a hash is used now; return when it was used before, empty if it was not. Raise OSError."""
        try:
            # Of two runs that begin at the same time, one makes the file.
            handle = os.open(self._used(name), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            return self.used_at(name)
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(f"{time_text(datetime.now(UTC))}\n")
            file.flush()
            os.fsync(file.fileno())
        return ""

    def _used(self, name: str) -> Path:
        return self.folder / f"{name}.used"

    def _forget_old(self) -> None:
        """Remove plans that nobody will run any more. That a hash was used is never forgotten."""
        oldest = datetime.now(UTC).timestamp() - _KEPT_DAYS * 86_400
        for path in self.folder.glob("*.json"):
            with suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()
