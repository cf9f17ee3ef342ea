"""Checks of the arguments of a session's calls, before anything is sent.

Each returns the value, or raises MxGatewayArgumentError that names the argument.
"""

from collections.abc import Sequence
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.value_checks import INT32

BULK_LIMIT = 10_000
"""Most entries of one bulk call; far below the gateway's 16 MiB a message."""


def text(name: str, value: str) -> str:
    """Check text that must not be blank."""
    if not isinstance(value, str) or not value.strip():
        raise MxGatewayArgumentError(f"{name} must be text that is not empty, not {value!r}")
    return sendable(name, value)


def sendable(name: str, value: str) -> str:
    """Check text that may be blank: UTF-8 must be able to carry it."""
    if not isinstance(value, str):
        raise MxGatewayArgumentError(f"{name} must be text, not {type(value).__name__}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise MxGatewayArgumentError(f"{name} must be text that can be sent as UTF-8, not {value!r}") from None
    return value


def whole(name: str, value: int, least: int = 0, most: int = INT32[1]) -> int:
    """Check a whole number from `least` to `most`: a handle, an id, a count, milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise MxGatewayArgumentError(f"{name} must be a whole number from {least} to {most}, not {value!r}")
    return value


LONGEST_READ = 3_600
"""Most seconds that the gateway may take to read one tag."""


def seconds(name: str, value: float, most: int = 86_400) -> float:
    """Check a time in seconds: above 0, at most `most`, by default a day."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise MxGatewayArgumentError(f"{name} must be seconds above 0, at most {most}, not {value!r}")
    return value


def item(server_handle: int, item_handle: int) -> dict[str, int]:
    """Check the two handles of an item; return them as the fields of a command."""
    return {
        "server_handle": whole("server_handle", server_handle),
        "item_handle": whole("item_handle", item_handle),
    }


def entries(name: str, values: Sequence[Any]) -> list[Any]:
    """Check the number of entries of a bulk call; return them as a list."""
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        raise MxGatewayArgumentError(f"{name} must be a list, not {type(values).__name__}")
    if not 1 <= len(values) <= BULK_LIMIT:
        raise MxGatewayArgumentError(f"{name} must have 1 to {BULK_LIMIT} entries, not {len(values)}")
    return list(values)


def tags(values: Sequence[str]) -> list[str]:
    """Check the tag addresses of a bulk call."""
    found = entries("tag_addresses", values)
    return [text(f"tag_addresses[{index}]", tag) for index, tag in enumerate(found)]


def handles(values: Sequence[int]) -> list[int]:
    """Check the item handles of a bulk call."""
    found = entries("item_handles", values)
    return [whole(f"item_handles[{index}]", handle) for index, handle in enumerate(found)]
