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

The file never contains a key: it names the source of one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from zb_mom_ww_mxgateway_console.connect.profiles import (
    Profile as Profile,
    ProfilesFile,
    from_keyring as from_keyring,
    read_file,
    with_key as with_key,
)
from zb_mom_ww_mxgateway_shell.errors import ShellError, closest
from zb_mom_ww_mxgateway_shell.language import aliases
from zb_mom_ww_mxgateway_shell.language.scope import NamedCommand
from zb_mom_ww_mxgateway_shell.state.settings import Settings


@dataclass(frozen=True, slots=True)
class Profiles:
    """Content of the profiles file."""

    path: Path
    profiles: dict[str, Profile]
    aliases: dict[str, str]
    settings: dict[str, str]

    def named(self, name: str) -> Profile:
        """Return the profile of that name; raise ShellError where there is none."""
        if name not in self.profiles:
            raise ShellError(f"no profile {name} in {self.path}{closest(name, list(self.profiles))}")
        return self.profiles[name]

    def apply(self, settings: Settings) -> None:
        """Apply the settings of the file."""
        for name, value in self.settings.items():
            settings.change(name, value)


def load(path: Path | None = None, commands: Mapping[str, NamedCommand] | None = None) -> Profiles:
    """Read the file; a missing one is empty. Raise ShellError with the line of a mistake.

    An alias must begin with one of the `commands` and must not have the name of one; without `commands` this is not
    checked.
    """
    try:
        file = read_file(path)
        return Profiles(file.path, file.profiles, _aliases(file, commands or {}), _settings(file))
    except click.UsageError as error:
        raise ShellError(error.message) from error.__cause__


def _settings(file: ProfilesFile) -> dict[str, str]:
    texts = _texts(file, "settings")
    trial = Settings()
    for name, value in texts.items():
        try:
            trial.change(name, value)
        except ValueError as error:
            file.fail(name, "settings", str(error))
    return texts


def _aliases(file: ProfilesFile, commands: Mapping[str, NamedCommand]) -> dict[str, str]:
    lines = _texts(file, "aliases")
    for name, line in lines.items() if commands else ():
        if wrong := aliases.alias_error(name, line, commands):
            file.fail(name, "aliases", wrong)
    return lines


def _texts(file: ProfilesFile, section: str) -> dict[str, str]:
    table: dict[str, Any] = file.content.get(section, {})
    for name, value in table.items():
        if not isinstance(value, str):
            file.fail(name, section, f"{name} must be a text in quotes")
    return table
