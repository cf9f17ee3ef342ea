"""Entries of bulk writes: from the command line and from files of JSON Lines."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from zb_mom_ww_mxgateway.value_checks import INT32
from zb_mom_ww_mxgateway_cli.options import check_count, lines_of
from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_typed, parse_value, typed_from_json

_ENTRY = re.compile(r"([0-9]{1,10})=([^:]*):(.*)", re.DOTALL)

Entry = dict[str, Any]
"""The fields of one entry, by the library's names."""


def entries_of(given: tuple[str, ...], file: str | None, common: Mapping[str, Any]) -> list[Entry]:
    """Return the entries of ``--entry``, then those of ``--entries-file``.

    `common` are the other fields of this type of write, with their values for entries that have none; an entry must
    have a field that is None there. Raise click.BadParameter with the option and the entry.
    """
    entries = []
    for text in given:
        try:
            entries.append(_complete(_from_text(text), common))
        except TextValueError as error:
            raise click.BadParameter(f"{text!r}: {error}", param_hint="'--entry'") from None
    for number, line in enumerate([] if file is None else lines_of(file, "--entries-file"), 1):
        if not line.strip():
            continue
        try:
            entries.append(_complete(_from_json(line, common), common))
        except TextValueError as error:
            raise click.BadParameter(f"{file} line {number}: {error}", param_hint="'--entries-file'") from None
    check_count(entries, "--entry", "--entries-file")
    return entries


def _from_text(text: str) -> Entry:
    match = _ENTRY.fullmatch(text)
    if not match:
        raise TextValueError("HANDLE=TYPE:VALUE expected, for example 3=int32:42")
    handle, type_name, value = match.groups()
    return {"item_handle": _handle(int(handle)), "value": parse_typed(type_name, value)}


def _from_json(line: str, common: Mapping[str, Any]) -> Entry:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TextValueError(f"not JSON: {error}") from None
    if not isinstance(found, dict):
        raise TextValueError('an object expected, for example {"item_handle": 3, "type": "int32", "value": 42}')
    allowed = ["item_handle", "type", "value", *common]
    for name in found:
        if name not in allowed:
            raise TextValueError(f"no field {name}: {', '.join(allowed)} expected")
    for name in ("item_handle", "type", "value"):
        if found.get(name) is None:
            raise TextValueError(f"{name} is missing")
    entry: Entry = {
        "item_handle": _handle(found["item_handle"]),
        "value": typed_from_json(found["type"], found["value"]),
    }
    for name in common:
        if found.get(name) is not None:
            entry[name] = _moment(found[name]) if name == "timestamp" else _whole(name, found[name], 0)
    return entry


def _complete(entry: Entry, common: Mapping[str, Any]) -> Entry:
    entry = {**common, **entry}
    for name, value in entry.items():
        if value is None:
            raise TextValueError(f"{name} is missing: give it with --{name.replace('_', '-')} or in the file")
    return entry


def _moment(value: Any) -> datetime:
    moment: datetime = parse_value("time", value)
    return moment


def _handle(value: Any) -> int:
    return _whole("item_handle", value, 1)


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= INT32[1]:
        raise TextValueError(f"{name} must be a whole number from {least} to {INT32[1]}")
    return value
