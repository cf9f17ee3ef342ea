"""A TOML file of names and values, as ``--vars`` takes it: ``NAME = VALUE``, without tables.

A text in quotes is that text, as ``let name = "text"`` gives it; a number, true, false or an array is read where it is
used. A secret does not belong there.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.system.regular_files import read_bytes
from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway.system.toml_text import TomlError, key_lines, line_of, parse_toml
from zb_mom_ww_mxgateway_shell.errors import InputError, ShellError
from zb_mom_ww_mxgateway_shell.language.variables import is_plain, literal_text, quoted, variable


def read_variables(path: str, noted: Callable[[bytes, str], object]) -> tuple[str, ...]:
    """Return the names of a file as texts NAME=VALUE; raise ShellError with the line of a mistake.

    `noted` is told the content and the name of the file.
    """
    try:
        content = read_bytes(Path(path))
        noted(content, path)
        text = decoded(content)
        values = parse_toml(text)
    except OSError as error:
        raise ShellError(f"cannot read {path}: {error.strerror or error}") from error
    except (TextFileError, TomlError) as error:
        raise ShellError(error.at(path)) from None
    lines = key_lines(text)
    return tuple(_given(name, value, f"{path}:{line_of(lines, (name,))}") for name, value in values.items())


def _given(name: str, value: Any, place: str) -> str:
    if isinstance(value, dict) or not is_plain(value):
        raise ShellError(f"{place}: {name} must be a text, a number, true, false, a time or an array of those")
    given = f"{name}={quoted(value) if isinstance(value, str) else literal_text(value)}"
    if redact(given) != given:
        raise ShellError(f"{place}: {name} looks like a key, and a file of names is no place for secrets")
    try:
        variable(given)
    except InputError as error:
        raise ShellError(f"{place}: {error.message}") from None
    return given
