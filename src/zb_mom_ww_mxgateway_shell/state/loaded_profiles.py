"""What the profiles file says: read at the start, and at a prompt again when it has changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway_console.connect import profiles_path
from zb_mom_ww_mxgateway_shell.language.scope import NamedCommand

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.profiles import Profiles


class LoadedProfiles:
    """The profiles and the aliases, those of the file and others.

    A run keeps to what it was checked with: only for a person at a prompt the file is read again.
    """

    def __init__(self, commands: Mapping[str, NamedCommand], *, rereads: bool) -> None:
        """Aliases must begin with one of the `commands`."""
        self.aliases: dict[str, str] = {}
        """Longer lines by their alias."""
        self._commands = commands
        self._rereads = rereads
        self._profiles: Profiles | None = None
        self._version: tuple[int, ...] = ()

    @property
    def profiles(self) -> "Profiles":
        """The profiles as the file has them now; raises ShellError with the line of a mistake."""
        self.reread()
        if self._profiles is None:
            from zb_mom_ww_mxgateway_shell.state.profiles import Profiles  # Lazy: slow to import.

            # Where it would be for a user with a home.
            self._profiles = Profiles(_default_path() or Path("~/.config/mxgw/profiles.toml"), {}, {}, {})
        return self._profiles

    def load(self) -> "Profiles | None":
        """Read the file, if there is one, and return what it says; raise ShellError."""
        return self._load(profiles_path.default_path()) if profiles_path.is_there() else None

    def reread(self) -> None:
        """Read the file again where it has changed; raise ShellError, and keep what it said before."""
        path = (self._profiles.path if self._profiles else _default_path()) if self._rereads else None
        if path is not None and _version_of(path) != self._version:
            self._load(path)

    def take(self, profiles: "Profiles", version: tuple[int, ...] | None = None) -> None:
        """Use these profiles, read from this version of their file; aliases that a person made here stay."""
        former = self._profiles.aliases if self._profiles else {}
        for name, line in former.items():
            if profiles.aliases.get(name) != line and self.aliases.get(name) == line:
                del self.aliases[name]
        for name, line in profiles.aliases.items():
            if former.get(name) != line:
                self.aliases.setdefault(name, line)
        self._profiles = profiles
        self._version = _version_of(profiles.path) if version is None else version

    def _load(self, path: Path) -> "Profiles":
        from zb_mom_ww_mxgateway_shell.state.profiles import load  # Lazy: most users have no profiles file.

        version = _version_of(path)  # Before it is read: what changes meanwhile is seen later.
        profiles = load(path, self._commands)
        self.take(profiles, version)
        return profiles


def _default_path() -> Path | None:
    try:
        return profiles_path.default_path()
    except MxGatewayArgumentError:
        return None  # A user without a home has no file there.


def _version_of(path: Path) -> tuple[int, ...]:
    """Return what tells one content of a file from another; empty where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
