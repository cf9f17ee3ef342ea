"""What ``@pytest.mark.mxgw(…)`` says, as options of the simulated gateway."""

import difflib
import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway_sim import (
    Fault,
    GatewayKey,
    ManualClock,
    NativeType,
    SimulatedGateway,
    TagDefinition,
    read_faults,
    read_galaxy,
    read_tags,
)

KNOWN: tuple[str, ...] = tuple(inspect.signature(SimulatedGateway).parameters)
"""Options of the marker: those of the gateway."""

# For a test: no key, no TLS, and writes that complete at once.
_DEFAULTS: Mapping[str, Any] = {"plaintext": True, "api_keys": (), "write_complete_delay": 0.0}
# bool before int: a Boolean is one.
_TYPES = ((bool, NativeType.BOOLEAN), (int, NativeType.INTEGER), (float, NativeType.DOUBLE), (str, NativeType.STRING))
# Options that have several elements: the type of one, and what is right.
_ELEMENTS: Mapping[str, tuple[Any, str]] = {
    "tags": (TagDefinition, "a mapping of values, the path of a file, or TagDefinition objects"),
    "faults": ((str, Fault), "a list of lines, or the path of a file"),
    "api_keys": (GatewayKey, "GatewayKey objects, None for a random key, or () for none"),
}


class MarkerError(ValueError):
    """A mistake in the marker."""


def made(given: Iterable[tuple[tuple[Any, ...], Mapping[str, Any]]], folder: Path) -> tuple[dict[str, Any], Any]:
    """Return the options of the gateway, and its clock where that is injected.

    `given` are the arguments of the markers, the outermost first: an inner one replaces what an outer one says of the
    same option. Paths are relative to `folder`. Raises MarkerError.
    """
    options = dict(_DEFAULTS)
    for positional, named in given:
        if positional:
            raise MarkerError(f"give options by their names, such as tags=…, not {positional[0]!r}")
        for name in named:
            if name not in KNOWN:
                near = difflib.get_close_matches(name, KNOWN, 1)
                raise MarkerError(f"no option {name}{f'; did you mean {near[0]}?' if near else ''}")
        options |= named
    if "tags" in options:
        options["tags"] = _tags(options["tags"], folder)
    if isinstance(faults := options.get("faults"), str | Path):
        options["faults"] = read_faults(folder / faults)
    for name, (kind, right) in _ELEMENTS.items():
        if name in options and not (name == "api_keys" and options[name] is None):
            options[name] = _elements(name, options[name], kind, right)
    for name in ("plant", "replay"):
        if isinstance(path := options.get(name), str | Path):
            options[name] = folder / path
    if options.get("clock") == "manual":
        options["clock"] = ManualClock()
    elif isinstance(clock := options.get("clock"), str):
        raise MarkerError(f'clock is {clock!r}; use "manual" or a clock such as ManualClock()')
    return options, options.get("clock")


def _elements(name: str, given: Any, kind: Any, right: str) -> tuple[Any, ...]:
    try:
        found = tuple(given)
    except TypeError:
        found = (None,)
    if not all(isinstance(each, kind) for each in found):
        raise MarkerError(f"{name} takes {right}")
    return found


def _tags(given: Any, folder: Path) -> Any:
    """Return tags as the gateway takes them: those of a file, of a mapping of values, or as they are."""
    if isinstance(given, str | Path):
        path = folder / given
        return read_galaxy(path) if path.suffix in (".json", ".jsonl") else read_tags(path)
    if not isinstance(given, Mapping):
        return given
    return [_tag(name, value) for name, value in given.items()]


def _tag(name: str, value: object) -> TagDefinition:
    first = value[0] if isinstance(value, list | tuple) and value else value
    for kind, tag_type in _TYPES:
        if isinstance(first, kind):
            return TagDefinition(name, tag_type, value, is_array=isinstance(value, list | tuple))
    raise MarkerError(f"{name}: {value!r} is no bool, int, float or str, nor a list of one; use TagDefinition")
