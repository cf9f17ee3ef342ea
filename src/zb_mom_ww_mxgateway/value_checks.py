"""Checks of Python values before they are sent.

Each returns the value to send, or raises MxGatewayArgumentError with what would be right.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import Float32
from zb_mom_ww_mxgateway.redaction import redact

INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
_SINGLE_LIMIT = 3.4028235677973366e38  # the first double that rounds to infinity as a 32-bit float


def expected(what: str, value: Any) -> MxGatewayArgumentError:
    """Return the error for a value of another type: what was expected, and what was given."""
    return MxGatewayArgumentError(f"value: {what} expected, not {_shown(value)}")


def _shown(value: Any) -> str:
    try:
        shown = redact(repr(value))  # Before it is cut: a part of a secret would not be recognized.
    except ValueError:  # an int of thousands of digits
        return "a number that long"
    return shown if len(shown) <= 60 else shown[:57] + "..."


def checked_bool(value: Any) -> bool:
    """Check True or False."""
    if not isinstance(value, bool):
        raise expected("True or False", value)
    return value


def integer_check(limits: tuple[int, int], name: str) -> Callable[[Any], int]:
    """Return the check for whole numbers within `limits`, inclusive."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise expected(f"a whole number ({name})", value)
        if not limits[0] <= value <= limits[1]:
            raise MxGatewayArgumentError(f"value: {_shown(value)} does not fit {name} ({limits[0]} to {limits[1]})")
        return int(value)

    return check


def checked_single(value: Any) -> Float32:
    """Check a number; return the nearest 32-bit float."""
    return Float32(_real(value, _SINGLE_LIMIT, "a 32-bit float"))


def checked_double(value: Any) -> float:
    """Check a number; return the nearest double."""
    return _real(value, math.inf, "a double")


def _real(value: Any, limit: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise expected(f"a number ({name})", value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isnan(number) or (math.isinf(number) and isinstance(value, float)):
        raise MxGatewayArgumentError(f"value: {number} is not a number a tag can take")
    if abs(number) >= limit:
        raise MxGatewayArgumentError(f"value: {_shown(value)} does not fit {name}")
    return number


def checked_text(value: Any) -> str:
    """Check text: UTF-8 must be able to carry it."""
    if not isinstance(value, str):
        raise expected("text", value)
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise expected("text that can be sent as UTF-8", value) from None
    return value


def checked_time(value: Any) -> datetime:
    """Check an aware datetime; return it in UTC."""
    if not isinstance(value, datetime):
        raise expected("a datetime", value)
    if value.utcoffset() is None:
        raise MxGatewayArgumentError(
            f"value: {value.isoformat()} has no time zone; give the datetime one, for example tzinfo=timezone.utc"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise MxGatewayArgumentError(f"value: {value.isoformat()} is outside the years 1 to 9999 in UTC") from None


def checked_bytes(value: Any) -> bytes:
    """Check bytes."""
    if not isinstance(value, bytes):
        raise expected("bytes", value)
    return value
