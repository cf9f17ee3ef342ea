"""Profiles: how gateways are reached and the shell is set, in a TOML file that has no room for mistakes.

::

    [settings]
    timing = "on"

    [aliases]
    tank = "watch Plant.Tank1.Level"

    [profiles.plantA]
    endpoint = "plantgw:5001"
    api_key_env = "PLANT_A_KEY"
    read_only = true
    watch = "tanks"

A key itself never stands in it: it names the source.
"""

import dataclasses
import os
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayAuthenticationError
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway_cli.connection import API_KEY_VARIABLE, Connection
from zb_mom_ww_mxgateway_cli.output import ExitCode
from zb_mom_ww_mxgateway_shell import aliases
from zb_mom_ww_mxgateway_shell.problems import ShellError, closest
from zb_mom_ww_mxgateway_shell.profiles_file import FILE_VARIABLE, default_path
from zb_mom_ww_mxgateway_shell.settings import Settings

_COLORS = ("red", "green", "yellow", "blue", "magenta", "cyan")
_CONNECTION: dict[str, type | tuple[type, ...]] = {
    "endpoint": str,
    "api_key_env": str,
    "api_key_file": str,
    "plaintext": bool,
    "ca_file": str,
    "require_certificate_validation": bool,
    "server_name_override": str,
    "known_gateways": str,
    "connect_timeout": (int, float),
}
_OWN: dict[str, type | tuple[type, ...]] = {
    "api_key_keyring": str,
    "api_key_prompt": bool,
    "read_only": bool,
    "watch": str,
    "color": str,
}
# What has to go together, and is checked as the library checks it.
_CHECKED = frozenset(
    ("endpoint", "plaintext", "ca_file", "require_certificate_validation", "server_name_override", "connect_timeout")
)
_KEY_SOURCES = ("api_key_env", "api_key_file", "api_key_keyring", "api_key_prompt")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedConnection(Connection):
    """A connection that has its key already: one that was asked for or taken from a keyring, or None for none."""

    key: str | None = field(repr=False)

    def api_key(self) -> str | None:
        return self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One gateway as the file describes it."""

    name: str
    connection: Connection
    keyring: str = ""
    """``SERVICE/USER`` in the system's keyring, where the key is."""
    asks_key: bool = False
    read_only: bool = False
    watch: str = ""
    """The list that is watched after connecting."""
    color: str = ""
    """Of the prompt."""

    @property
    def key_source(self) -> str:
        """Where the key comes from, in words."""
        if self.keyring:
            return f"keyring {self.keyring}"
        if self.asks_key:
            return "asked for"
        if self.connection.api_key_file:
            return f"file {self.connection.api_key_file}"
        return f"variable {self.connection.api_key_env or API_KEY_VARIABLE}"


@dataclass(frozen=True, slots=True)
class Profiles:
    """What the file says."""

    path: Path
    profiles: dict[str, Profile]
    aliases: dict[str, str]
    settings: dict[str, str]

    def named(self, name: str) -> Profile:
        """The profile of that name; raises ShellError when there is none."""
        if name not in self.profiles:
            raise ShellError(f"no profile {name} in {self.path}{closest(name, list(self.profiles))}")
        return self.profiles[name]

    def apply(self, settings: Settings) -> None:
        """Sets what the file sets."""
        for name, value in self.settings.items():
            settings.change(name, value)


def load(path: Path | None = None, commands: Collection[str] = ()) -> Profiles:
    """Reads the file; one that is not there is empty. Raises ShellError with the line of what is wrong.

    An alias has to begin with one of the `commands`, and cannot have the name of one; without any nobody looks.
    """
    path = path or default_path()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if os.environ.get(FILE_VARIABLE):
            raise ShellError(f"cannot read {path}: it is not there ({FILE_VARIABLE})") from None
        return Profiles(path, {}, {}, {})
    except (OSError, UnicodeDecodeError) as error:
        raise ShellError(f"cannot read {path}: {error}") from error
    import tomllib  # Slow to import for a file that most do not have.

    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        where = f"{path}:{place[1]}:{place[2]}" if place else str(path)
        raise ShellError(f"{where}: {re.sub(r' *[(]at .*', '', str(error))}") from None
    return _Reader(path, text, commands).read(content)


class _Reader:
    """Checks what the file holds; knows the lines of its keys."""

    def __init__(self, path: Path, text: str, commands: Collection[str]) -> None:
        self._path = path
        self._lines = text.split("\n")
        self._commands = commands

    def read(self, content: dict[str, Any]) -> Profiles:
        for name, value in content.items():
            if name not in ("settings", "aliases", "profiles"):
                self._fail(name, "", f"unknown {name}{closest(name, ['settings', 'aliases', 'profiles'])}")
            if not isinstance(value, dict):
                self._fail(name, "", f"{name} is a table: [{name}]")
        settings = self._settings(content.get("settings", {}))
        lines = self._aliases(content.get("aliases", {}))
        profiles = {}
        for name, table in content.get("profiles", {}).items():
            if not isinstance(table, dict):
                self._fail(name, "profiles", f"a profile is a table: [profiles.{name}]")
            profiles[name] = self._profile(name, table)
        return Profiles(self._path, profiles, lines, settings)

    def _settings(self, table: dict[str, Any]) -> dict[str, str]:
        texts = self._texts(table, "settings")
        trial = Settings()
        for name, value in texts.items():
            try:
                trial.change(name, value)
            except ValueError as error:
                self._fail(name, "settings", str(error))
        return texts

    def _aliases(self, table: dict[str, Any]) -> dict[str, str]:
        lines = self._texts(table, "aliases")
        for name, line in lines.items() if self._commands else ():
            if wrong := aliases.what_is_wrong(name, line, self._commands):
                self._fail(name, "aliases", wrong)
        return lines

    def _texts(self, table: dict[str, Any], section: str) -> dict[str, str]:
        for name, value in table.items():
            if not isinstance(value, str):
                self._fail(name, section, f"{name} must be a text in quotes")
        return table

    def _profile(self, name: str, table: dict[str, Any]) -> Profile:
        section = f"profiles.{name}"
        known = _CONNECTION | _OWN
        for key, value in table.items():
            if key in ("api_key", "key", "password", "token") or (isinstance(value, str) and redact(value) != value):
                self._fail(key, section, f"a key never stands in the file: name its source, {', '.join(_KEY_SOURCES)}")
            if key not in known:
                hint = closest(key, list(known)) or f"; there is {', '.join(known)}"
                self._fail(key, section, f"unknown key {key}{hint}")
            wanted = known[key]
            if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
                words = {str: "a text in quotes", bool: "true or false"}
                expected = words.get(wanted, "a number") if isinstance(wanted, type) else "a number"
                self._fail(key, section, f"{key} must be {expected}")
        if not table.get("endpoint"):
            self._fail("", section, f'the profile {name} names no endpoint: endpoint = "HOST:PORT"')
        try:
            ClientOptions(**{key: value for key, value in table.items() if key in _CHECKED})
        except MxGatewayArgumentError as error:
            named = next((key for key in table if str(error).startswith(key)), "")
            self._fail(named, section, str(error))
        if len([key for key in _KEY_SOURCES if table.get(key)]) > 1:
            self._fail("", section, f"the profile {name} names more than one source of the key")
        if table.get("color", "red") not in _COLORS:
            self._fail("color", section, f"color is one of {', '.join(_COLORS)}")
        return Profile(
            name=name,
            connection=Connection(**{key: value for key, value in table.items() if key in _CONNECTION}),
            keyring=table.get("api_key_keyring", ""),
            asks_key=table.get("api_key_prompt", False),
            read_only=table.get("read_only", False),
            watch=table.get("watch", ""),
            color=table.get("color", ""),
        )

    def _fail(self, key: str, section: str, message: str) -> None:
        raise ShellError(f"{self._path}:{self._line(key, section)}: {message}")

    def _line(self, key: str, section: str) -> int:
        """The line a key stands on, as far as plain text tells; that of its table otherwise."""
        heading = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+")
        inside, table_line = section == "", 0
        for number, line in enumerate(self._lines, start=1):
            if found := heading.match(line):
                named = found[1].replace('"', "").replace("'", "")
                inside = named == section
                if inside:
                    table_line = number
                if section == "" and named.split(".")[0] == key:
                    return number
            elif inside and key and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
                return number
        if table_line:
            return table_line
        # No table of its own: `profiles.a.key = …` or `a = { key = … }`.
        written = re.compile(rf"(?<![\w\"'-])[\"']?{re.escape(key or section.rpartition('.')[2])}[\"']?\s*[=.]")
        return next((number for number, line in enumerate(self._lines, start=1) if written.search(line)), 1)


def with_key(connection: Connection, key: str | None) -> KeyedConnection:
    """The same connection with this key, or with none, wherever its own comes from."""
    fields = {each.name: getattr(connection, each.name) for each in dataclasses.fields(Connection)}
    return KeyedConnection(key=key, **fields)


def from_keyring(profile: Profile) -> str:
    """The key from the system's keyring; raises MxGatewayAuthenticationError when it is not there."""
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]  # no dependency: used where it is installed
    except ImportError:
        raise ShellError(
            "no key: the package keyring is not installed; pip install keyring, or name another source",
            ExitCode.CANNOT_CONNECT,
        ) from None
    service, _, user = profile.keyring.partition("/")
    try:
        key: str | None = keyring.get_password(service, user)
    except Exception as error:  # Backends raise what they like.
        raise MxGatewayAuthenticationError(f"no key: the keyring failed: {type(error).__name__}") from None
    if not key:
        raise MxGatewayAuthenticationError(f"no key: the keyring has none for {profile.keyring}")
    return key
