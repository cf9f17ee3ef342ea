"""A connection in use as a profile of the user's file: its options and the source of its key, never the key."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.system.private_files import make_private_folder
from zb_mom_ww_mxgateway.system.toml_text import key_lines, parse_toml
from zb_mom_ww_mxgateway_console.connect.options import Connection
from zb_mom_ww_mxgateway_console.connect.profiles import KeyedConnection, checked, file_at
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process.regular_files import replace

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_OPTIONS = ("plaintext", "require_certificate_validation", "server_name_override", "connect_timeout")
_PATHS = ("api_key_file", "ca_file", "known_gateways")
_KEY_SOURCES = ("api_key_env", "api_key_file", "api_key_keyring", "api_key_prompt")


@dataclass(frozen=True, slots=True)
class SavedProfile:
    """A profile that is to be saved in a file."""

    path: Path
    name: str
    table: Mapping[str, Any]
    """Its keys and values."""
    text: str
    """The file as it was read; empty where there is none."""

    @classmethod
    def of(cls, connected: "GatewayConnection", name: str, path: Path) -> "SavedProfile":
        """Return the profile of a connection for the file of profiles; raise ShellError where that cannot be read."""
        text = _text_of(path)
        known = parse_toml(text).get("profiles", {})
        return cls(path, name, _table_of(connected, known.get(connected.terms.profile, {})), text)

    @property
    def _former(self) -> Mapping[str, Any] | None:
        return parse_toml(self.text).get("profiles", {}).get(self.name)  # type: ignore[no-any-return]  # TOML is checked

    @property
    def replaces(self) -> bool:
        """Whether the file has another profile of that name."""
        return self._former not in (None, self.table)

    def save(self) -> None:
        """Write the file with this profile; raise ShellError where that is impossible, or where it has changed."""
        if _text_of(self.path) != self.text:
            raise ShellError(f"{self.path} has just been changed: nothing was saved; try again")
        text = _with_profile(self.text, self.name, self.table)
        expected = parse_toml(self.text)
        expected.setdefault("profiles", {})[self.name] = dict(self.table)
        if parse_toml(text) != expected:
            line = key_lines(self.text).get(("profiles", self.name), 1)
            raise ShellError(
                f"{self.path}:{line}: {self.name} is not a table of its own, [profiles.{self.name}], so it cannot be "
                "replaced: change it there"
            )
        try:
            checked(self.path, text)
        except click.UsageError as error:
            raise ShellError(f"not saved: {error.message}") from None
        try:
            make_private_folder(self.path.parent)
            replace(self.path, text.encode(), mode=0o600)
        except OSError as error:
            raise ShellError(f"cannot write {self.path}: {error.strerror}") from error


def _text_of(path: Path) -> str:
    """Return the text of a profiles file that has no mistake; empty where there is none. Raise ShellError."""
    try:
        file = file_at(path)
    except click.UsageError as error:
        raise ShellError(error.message) from None
    return "" if file is None else file.text


def _table_of(connected: "GatewayConnection", former: Mapping[str, Any]) -> dict[str, Any]:
    """Return keys and values; what only a profile says comes from the `former` one, by which it is connected."""
    connection, terms = connected.connection, connected.terms
    plain = Connection()
    about_connection = {*(each.name for each in fields(Connection)), *_KEY_SOURCES}
    table: dict[str, Any] = {"endpoint": connected.client.options.endpoint}
    table |= _key_source(connection, former)
    table |= {
        each: str(Path(value).absolute())
        for each in _PATHS
        if (value := getattr(connection, each)) and each not in _KEY_SOURCES
    }
    table |= {each: value for each in _OPTIONS if (value := getattr(connection, each)) != getattr(plain, each)}
    table |= {key: value for key, value in former.items() if key not in about_connection}
    if terms.rules.forbidden:
        table.pop("arms", None)
        table["read_only"] = True
    if terms.limits:
        table.setdefault("limits", str(Path(terms.limits).absolute()))
    return table


def _key_source(connection: Connection, former: Mapping[str, Any]) -> dict[str, Any]:
    if connection.api_key_file:
        return {"api_key_file": str(Path(connection.api_key_file).absolute())}
    if connection.api_key_env:
        return {"api_key_env": connection.api_key_env}
    if not isinstance(connection, KeyedConnection):
        return {}  # The usual variable.
    known = {key: former[key] for key in ("api_key_keyring", "api_key_prompt") if former.get(key)}
    return known or {"api_key_prompt": True}


def _with_profile(text: str, name: str, table: Mapping[str, Any]) -> str:
    """Return the text of a file with a profile, in the place of one of that name, or at its end."""
    end_of_line = "\r\n" if "\r\n" in text else "\n"
    made = [f"[profiles.{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
    places = key_lines(text)
    start = places.get(("profiles", name))
    if start is None:
        lines += [*([""] if lines and lines[-1].strip() else []), *made]
    else:
        ends = [line for path, line in places.items() if line > start and path[:2] != ("profiles", name)]
        end = min(ends, default=len(lines) + 1) - 1
        # Comments before the next table belong to that.
        while end > start and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
            end -= 1
        lines[start - 1 : end] = made
    return "".join(f"{line}{end_of_line}" for line in lines)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str) and "\\" in value and "'" not in value:
        return f"'{value}'"  # A path of Windows, as a person writes it.
    return json.dumps(value, ensure_ascii=False)
