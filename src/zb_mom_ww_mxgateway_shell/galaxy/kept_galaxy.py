"""The file that keeps the tags of a galaxy between runs: one for each gateway and API key, for its owner alone.

The first line says which version of the program made it, the second is an HMAC of the rest. Its key, and the name of
the file, are derived from the API key, the endpoint and a salt of this folder: another API key neither finds nor reads
it, and nothing of the API key is in it.
"""

import asyncio
import hashlib
import hmac
import io
import json
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.system.file_locks import locked
from zb_mom_ww_mxgateway.system.private_files import make_private_folder, open_to_others, write_private_file
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.system.state_dir import cache_folder
from zb_mom_ww_mxgateway.version import __version__

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import ClientOptions, GatewayClient

_MADE_BY = f"mxgw galaxy 1, {__version__}, Python {sys.version_info[0]}.{sys.version_info[1]}\n".encode()
"""Which characters can be shown is known to Python, so its version counts, too."""
_ROUNDS = 10_000
_EVENT_SECONDS = 5.0
_LOCK_SECONDS = 10.0
_NAME_BYTES, _HMAC_KEY_BYTES, _SALT_BYTES = 16, 32, 32
_MOST_FILES, _MOST_BYTES = 10, 200_000_000


@dataclass(frozen=True, slots=True)
class GalaxyState:
    """What tells one galaxy from another without reading it."""

    deployed_at: datetime
    objects: int
    """Number of objects that the API key sees."""
    all_objects: int
    all_attributes: int

    @classmethod
    async def of(cls, client: "GatewayClient") -> "Self | None":
        """Ask the gateway; return None where nothing is deployed, or it does not say the same thing twice.

        Raises the library's errors.
        """
        deployed_at, objects = await client.galaxy.last_deploy_time(), await client.galaxy.count_objects()
        try:
            async with asyncio.timeout(_EVENT_SECONDS), client.galaxy.watch_deploy_events() as deployments:
                event = await anext(deployments)
        except (TimeoutError, StopAsyncIteration, MxGatewayError):
            return None  # The other calls were answered: the galaxy can be read without these events.
        if deployed_at is None or deployed_at != event.time_of_last_deploy:
            return None
        return cls(deployed_at, objects, event.object_count, event.attribute_count)


class KeptGalaxy:
    """The file of one gateway, as one API key sees it. Its methods block."""

    def __init__(self, options: "ClientOptions", *, make: bool) -> None:
        """Find the place of the file; `make` the folder with its salt, if they are not there.

        Raises OSError where the folder is not there or cannot be used, or others may change it, and
        MxGatewayArgumentError for a user without a home.
        """
        from zb_mom_ww_mxgateway.transport.known_gateways import endpoint_key

        self.folder = cache_folder() / "galaxies"
        salt = self._salt(make=make) + endpoint_key(options.endpoint).encode()
        secret = (options.api_key or "").encode()
        derived = hashlib.pbkdf2_hmac("sha256", secret, salt, _ROUNDS, _NAME_BYTES + _HMAC_KEY_BYTES)
        self._hmac_key = derived[_NAME_BYTES:]
        self.path = self.folder / f"{derived[:_NAME_BYTES].hex()}.galaxy"

    def _salt(self, *, make: bool) -> bytes:
        path = self.folder / "salt"
        if make:
            make_private_folder(self.folder)
        if others := open_to_others(path):
            raise PermissionError(others)
        if make:
            with self._lock():
                if not path.exists() or len(read_bytes(path)) != _SALT_BYTES:
                    write_private_file(path, os.urandom(_SALT_BYTES))
        if len(salt := read_bytes(path)) != _SALT_BYTES:
            raise OSError(f"{path} is damaged")
        return salt

    def _lock(self) -> AbstractContextManager[None]:
        """Keep other writers away: they use the same temporary files."""
        return locked(self.folder / "lock", _LOCK_SECONDS)

    def read(self) -> tuple[GalaxyState, io.BytesIO] | None:
        """Return the state of the galaxy that was kept, and the lines of its index.

        None where there is no file, or it is torn, changed, of another version, or others may change it.
        """
        try:
            if open_to_others(self.path):
                return None
            content = memoryview(read_bytes(self.path))
            head, digest = len(_MADE_BY), hashlib.sha256().digest_size
            rest = content[head + digest :]
            if content[:head] != _MADE_BY or not hmac.compare_digest(content[head : head + digest], self._digest(rest)):
                return None
            lines = io.BytesIO(rest)
            state = json.loads(lines.readline())
            return GalaxyState(**state | {"deployed_at": datetime.fromisoformat(state["deployed_at"])}), lines
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None

    def write(self, state: GalaxyState, lines: Iterable[bytes]) -> None:
        """Replace the file by one of this galaxy, and remove the oldest files beyond the bounds; raise OSError."""
        form = asdict(state) | {"deployed_at": state.deployed_at.astimezone(UTC).isoformat()}
        rest = b"".join([json.dumps(form).encode() + b"\n", *lines])
        with self._lock():
            write_private_file(self.path, _MADE_BY + self._digest(rest) + rest)
            self._prune()

    def used(self) -> None:
        """Take note that the file is in use: it is not among the oldest."""
        with suppress(OSError):
            os.utime(self.path)

    def remove(self) -> None:
        """Remove the file, if there is one."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def _digest(self, rest: "bytes | memoryview") -> bytes:
        return hmac.digest(self._hmac_key, rest, "sha256")

    def _prune(self) -> None:
        files, total = [], 0
        for path in self.folder.glob("*.galaxy*"):
            with suppress(OSError):
                # This one is the newest, also where the clock was set back.
                files.append((path == self.path, path.stat().st_mtime_ns, path.stat().st_size, path))
        for number, (is_this, _, size, path) in enumerate(sorted(files, reverse=True)):
            total += size
            if not is_this and (number >= _MOST_FILES or total > _MOST_BYTES):
                with suppress(OSError):
                    path.unlink()
