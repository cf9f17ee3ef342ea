"""Profiles: named gateways in a TOML file that is checked strictly.

::

    [profiles.plantA]
    endpoint = "plantgw:5001"
    api_key_env = "PLANT_A_KEY"
    read_only = true

It names the source of a key and never contains the key. The operator shell reads the tables ``settings`` and
``aliases`` of the same file.
"""

import dataclasses
import math
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewayAuthenticationError
from zb_mom_ww_mxgateway.options import ClientOptions
from zb_mom_ww_mxgateway.system.private_files import open_to_others
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway.system.toml_text import TomlError, key_lines, line_of, parse_toml
from zb_mom_ww_mxgateway_console.connect.options import API_KEY_VARIABLE, Connection
from zb_mom_ww_mxgateway_console.connect.profiles_path import FILE_VARIABLE, default_path
from zb_mom_ww_mxgateway_console.text.wording import closest

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.arming import ArmingRules

_BACKSLASH = r"in double quotes a backslash begins an escape: put a path in single quotes, 'C:\Users\me\root.pem'"
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
    "arms": list,
    "arm_needs_reason": bool,
    "arm_longest": str,
    "mcp": list,
    "limits": str,
    "watch": str,
    "color": str,
}
_BROKER: dict[str, type | tuple[type, ...]] = dict.fromkeys(
    (
        "broker",
        "broker_user",
        "broker_password_env",
        "broker_password_file",
        "broker_ca_file",
        "broker_cert_file",
        "broker_key_file",
    ),
    str,
)
# Keys that depend on each other; the library checks them.
_CHECKED = frozenset(
    ("endpoint", "plaintext", "ca_file", "require_certificate_validation", "server_name_override", "connect_timeout")
)
_KEY_SOURCES = ("api_key_env", "api_key_file", "api_key_keyring", "api_key_prompt")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyedConnection(Connection):
    """A connection with its key, which was typed or comes from a keyring; None for no key. A source that it gets later
    takes precedence."""

    key: str | None = field(repr=False)

    def api_key(self) -> str | None:
        named = self.api_key_env or self.api_key_file
        return Connection.api_key(self) if named else self.key  # No super(): dataclass makes a class with slots twice.


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One gateway of the file."""

    name: str
    connection: Connection
    keyring: str = ""
    """``SERVICE/USER``, the place of the key in the system's keyring."""
    asks_key: bool = False
    read_only: bool = False
    arms: tuple[str, ...] = ()
    """Globs of the tags that command files and ``mxgw-py`` may write without ``--arm``."""
    arm_needs_reason: bool = False
    arm_longest: float = math.inf
    """Most seconds that a connection stays armed."""
    mcp: tuple[str, ...] = ()
    """Globs of the tags that ``mxgw-shell mcp`` shows."""
    limits: str = ""
    """The limits file; empty for none."""
    watch: str = ""
    """The list to watch after connecting."""
    color: str = ""
    """The colour of the prompt."""
    broker: tuple[tuple[str, str], ...] = ()
    """Keys about the broker to which ``mxgw-py forward`` forwards, with their values."""

    def arming_rules(self) -> "ArmingRules":
        """Return what it demands of arming."""
        from zb_mom_ww_mxgateway.safety.arming import ArmingRules  # Lazy: listing profiles arms nothing.

        return ArmingRules(
            forbidden=f"the profile {self.name} is read-only" if self.read_only else "",
            needs_reason=self.arm_needs_reason,
            longest=self.arm_longest,
            source=f"the profile {self.name}",
        )

    @property
    def key_source(self) -> str:
        """The source of the key, for a person."""
        if self.keyring:
            return f"keyring {self.keyring}"
        if self.asks_key:
            return "asked for"
        if self.connection.api_key_file:
            return f"file {self.connection.api_key_file}"
        return f"variable {self.connection.api_key_env or API_KEY_VARIABLE}"


@dataclass(frozen=True, slots=True)
class ProfilesFile:
    """The profiles of the file, and its content for other readers."""

    path: Path
    content: Mapping[str, Any]
    profiles: dict[str, Profile]
    text: str = field(default="", repr=False)

    def named(self, name: str) -> Profile:
        """Return the profile of that name; raise click.UsageError if there is none."""
        if name not in self.profiles:
            raise click.UsageError(f"no profile {redact(name)} in {self.path}{closest(name, list(self.profiles))}")
        return self.profiles[name]

    def fail(self, key: str, section: str, message: str) -> NoReturn:
        """Raise click.UsageError with the line of `key` in `section`."""
        table = tuple(section.split(".", 1)) if section else ()
        line = line_of(key_lines(self.text), (*table, key) if key else table)
        raise click.UsageError(f"{self.path}:{line}: {message}")


def read_file(path: Path | None = None) -> ProfilesFile:
    """Read the file; a missing file is empty. Raise click.UsageError with the line of a mistake."""
    path = path or default_path()
    if (file := file_at(path)) is not None:
        return file
    if os.environ.get(FILE_VARIABLE):
        raise click.UsageError(f"cannot read {path}: it is not there ({FILE_VARIABLE})")
    return ProfilesFile(path, {}, {})


def file_at(path: Path) -> ProfilesFile | None:
    """Read the file; return None if there is none. Raise click.UsageError with the line of a mistake."""
    try:
        text = decoded(read_bytes(path))
    except FileNotFoundError:
        return None
    except TextFileError as error:
        raise click.UsageError(error.at(path)) from None
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from error
    if others := open_to_others(path):
        raise click.UsageError(f"profiles say where keys are sent, and {others}; then look through {path.name}")
    return checked(path, text)


def checked(path: Path, text: str) -> ProfilesFile:
    """Return the content of a file with this text; raise click.UsageError with the line of a mistake."""
    try:
        content = parse_toml(text)
    except TomlError as error:
        line = text.split("\n")[error.line - 1]
        hint = f": {_BACKSLASH}" if re.search(r'"[^"]*\\', line) else ""
        raise click.UsageError(f"{error.at(path)}{hint}") from None
    return _read(ProfilesFile(path, content, {}, text))


def _read(file: ProfilesFile) -> ProfilesFile:
    for name, value in file.content.items():
        if name not in ("settings", "aliases", "profiles"):
            file.fail(name, "", f"unknown {name}{closest(name, ['settings', 'aliases', 'profiles'])}")
        if not isinstance(value, dict):
            file.fail(name, "", f"{name} is a table: [{name}]")
    for name, table in file.content.get("profiles", {}).items():
        if not isinstance(table, dict):
            file.fail(name, "profiles", f"a profile is a table: [profiles.{name}]")
        file.profiles[name] = _profile(file, name, table)
    return file


def _profile(file: ProfilesFile, name: str, table: dict[str, Any]) -> Profile:
    section = f"profiles.{name}"
    known = _CONNECTION | _OWN | _BROKER
    for key, value in table.items():
        if key in ("api_key", "key", "password", "token") or (isinstance(value, str) and redact(value) != value):
            file.fail(key, section, f"a key does not belong in the file: name its source, {', '.join(_KEY_SOURCES)}")
        if isinstance(value, str) and not value.isprintable():
            file.fail(key, section, f"{key} has a character that cannot be seen; {_BACKSLASH}")
        if key not in known:
            hint = closest(key, list(known)) or f"; there is {', '.join(known)}"
            file.fail(key, section, f"unknown key {key}{hint}")
        wanted = known[key]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            words = {str: "a text in quotes", bool: "true or false", list: 'a list of texts: ["Tank1.*"]'}
            expected = words.get(wanted, "a number") if isinstance(wanted, type) else "a number"
            file.fail(key, section, f"{key} must be {expected}")
    if not table.get("endpoint"):
        file.fail("", section, f'the profile {name} names no endpoint: endpoint = "HOST:PORT"')
    try:
        ClientOptions(**{key: value for key, value in table.items() if key in _CHECKED})
    except MxGatewayArgumentError as error:
        named = next((key for key in table if str(error).startswith(key)), "")
        file.fail(named, section, str(error))
    if len([key for key in _KEY_SOURCES if table.get(key)]) > 1:
        file.fail("", section, f"the profile {name} names more than one source of the key")
    longest = _check_arming(file, section, table)
    _check_broker(file, section, table)
    if table.get("color", "red") not in _COLORS:
        file.fail("color", section, f"color is one of {', '.join(_COLORS)}")
    return Profile(
        name=name,
        connection=Connection(**{key: value for key, value in table.items() if key in _CONNECTION}),
        keyring=table.get("api_key_keyring", ""),
        asks_key=table.get("api_key_prompt", False),
        read_only=table.get("read_only", False),
        arms=tuple(table.get("arms", ())),
        arm_needs_reason=table.get("arm_needs_reason", False),
        arm_longest=longest,
        mcp=tuple(table.get("mcp", ())),
        limits=str(file.path.parent / table["limits"]) if "limits" in table else "",
        watch=table.get("watch", ""),
        color=table.get("color", ""),
        broker=tuple((key, value) for key, value in table.items() if key in _BROKER),
    )


def _check_broker(file: ProfilesFile, section: str, table: dict[str, Any]) -> None:
    """Fail where the keys about the broker cannot be right. What is in its URL, mxgw-py forward checks."""
    if "@" in table.get("broker", ""):
        file.fail(
            "broker", section, "a user or a password does not belong in the URL: broker_user, broker_password_env"
        )
    given = [key for key in table if key in _BROKER]
    if given and "broker" not in given:
        file.fail(given[0], section, f'{given[0]} is for a broker: broker = "nats://HOST:4222"')
    if "broker_password_env" in table and "broker_password_file" in table:
        file.fail("broker_password_file", section, "the broker's password has one source: name one")


def _check_arming(file: ProfilesFile, section: str, table: dict[str, Any]) -> float:
    """Return the longest time for which the profile is armed; fail where its keys about writes cannot be right."""
    if "arms" in table and table.get("read_only"):
        file.fail("arms", section, "arms lets files write, and read_only forbids it: leave one of them out")
    for key in ("arms", "mcp"):
        _check_globs(file, section, table, key)
    if "limits" in table and not table["limits"]:
        file.fail("limits", section, "limits must name a file")
    if "arm_longest" not in table:
        return math.inf
    from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_duration  # Lazy: as above.

    try:
        return parse_duration(table["arm_longest"])
    except TextValueError as error:
        file.fail("arm_longest", section, f"arm_longest: {error}")


def _check_globs(file: ProfilesFile, section: str, table: dict[str, Any], key: str) -> None:
    """Fail where a list of globs is empty or has anything else in it."""
    if key not in table:
        return
    from zb_mom_ww_mxgateway.safety.globs import TagGlob  # Lazy: most profiles name none.

    if not table[key]:
        file.fail(key, section, f"{key} names nothing: leave it out, or name tags")
    for text in table[key]:
        if not isinstance(text, str):
            file.fail(key, section, f'{key} must be a list of texts: ["Tank1.*"]')
        try:
            TagGlob(text)
        except MxGatewayArgumentError as error:
            file.fail(key, section, f"{key}: {error}")


def with_key(connection: Connection, key: str | None) -> KeyedConnection:
    """Return the connection with this key, or with none, instead of its own source."""
    fields = {each.name: getattr(connection, each.name) for each in dataclasses.fields(Connection)}
    return KeyedConnection(key=key, **fields | {"api_key_env": None, "api_key_file": None})


def from_keyring(profile: Profile) -> str:
    """Return the key from the system's keyring; raise MxGatewayAuthenticationError if it is not there."""
    try:
        import keyring  # type: ignore[import-not-found, unused-ignore]  # no dependency: used where it is installed
    except ImportError:
        raise MxGatewayAuthenticationError(
            "no key: the package keyring is not installed; pip install keyring, or name another source"
        ) from None
    service, _, user = profile.keyring.partition("/")
    try:
        key: str | None = keyring.get_password(service, user)
    except Exception as error:  # Backends raise errors of any type.
        raise MxGatewayAuthenticationError(f"no key: the keyring failed: {type(error).__name__}") from None
    if not key:
        raise MxGatewayAuthenticationError(f"no key: the keyring has none for {profile.keyring}")
    return key


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileConnection(Connection):
    """A connection with a profile, except for options that were given in addition to its name."""

    profile: Profile

    def api_key(self) -> str | None:
        if self.api_key_env or self.api_key_file:
            return Connection.api_key(self)
        if self.profile.keyring:
            return from_keyring(self.profile)
        if not self.profile.asks_key:
            return Connection.api_key(self)
        if sys.stdin is None or not sys.stdin.isatty():
            raise MxGatewayAuthenticationError(
                f"no key: the profile {self.profile.name} asks for it, and nobody can be asked here"
            )
        key: str = click.prompt(f"API key of {self.profile.name}", hide_input=True, err=True)
        return key


def by_profile(name: str, given: Connection) -> ProfileConnection:
    """Return the connection of a profile. Options that were `given` take precedence, but name no other gateway."""
    if given.endpoint is not None:
        raise click.UsageError("--profile and --endpoint exclude each other: the profile names its gateway")
    profile = read_file().named(name)
    plain, says_key = Connection(), given.api_key_env or given.api_key_file
    chosen = {}
    for each in dataclasses.fields(Connection):
        is_given = getattr(given, each.name) != getattr(plain, each.name) or (says_key and each.name in _KEY_SOURCES)
        chosen[each.name] = getattr(given if is_given else profile.connection, each.name)
    return ProfileConnection(
        profile=dataclasses.replace(profile, keyring="", asks_key=False) if says_key else profile, **chosen
    )
