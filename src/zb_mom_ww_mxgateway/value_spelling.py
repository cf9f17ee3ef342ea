"""Spelling of single values: from text, as a person types it, and to text that reads back as the same value.

Every ``parse_…`` function takes the name of the type and the text, returns the value, not yet checked for its range,
and raises MxGatewayArgumentError with what would be right.
"""

import math
import re
from datetime import datetime

from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.reals import to_single

_INTEGER = re.compile(r"[+-]?[0-9]+")
# No underscores, no hexadecimal, no comma. NaN and infinities pass: the range check has the better message for them.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+([eE][+-]?[0-9]+)?|inf|infinity|nan)", re.I)
_ZERO = re.compile(r"[+-]?[0.]+(?:e|$)", re.I)
# Digits of a second beyond the microsecond, which a datetime would drop.
_FINER = re.compile(r"[.,][0-9]{6}([0-9]+)")


def parse_bool(type_name: str, text: str) -> bool:
    """``true`` or ``false``, in any case."""
    folded = text.lower()
    if folded not in ("true", "false"):
        raise MxGatewayArgumentError("Boolean expected: true or false")
    return folded == "true"


def parse_integer(type_name: str, text: str) -> int:
    """Decimal digits with an optional sign."""
    # Nothing longer fits any type, and Python refuses to read very long ones.
    if not _INTEGER.fullmatch(text) or len(text) > 100:
        raise MxGatewayArgumentError(f"Integer expected ({type_name}): for example 42")
    return int(text)


def parse_real(type_name: str, text: str) -> float:
    """A decimal number; refused where it would become zero or infinite in the type."""
    if not _NUMBER.fullmatch(text):
        raise MxGatewayArgumentError(f"Number expected ({type_name}): for example 12.5")
    number = float(text)
    nearest = to_single(number) if type_name == "float" and abs(number) < 1 else number
    is_zero = _ZERO.match(text) is not None
    if (math.isinf(number) and "inf" not in text.lower()) or (nearest == 0 and not is_zero):
        raise MxGatewayArgumentError(f"Number expected that fits a {type_name}")
    return number


def parse_text(type_name: str, text: str) -> str:
    """The text itself."""
    return text


def parse_time(type_name: str, text: str) -> datetime:
    """ISO 8601 with a time zone, to the microsecond."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):  # TypeError: a number, from JSON
        raise MxGatewayArgumentError("Time expected, ISO 8601 with a zone: for example 2026-10-02T08:14:00Z") from None
    if moment.utcoffset() is None:
        raise MxGatewayArgumentError("Time zone missing: end the time with Z or with an offset like +02:00")
    if (finer := _FINER.search(text)) and finer[1].strip("0"):
        raise MxGatewayArgumentError("Time expected, to the microsecond: at most six digits behind the second")
    return moment


def bool_text(value: bool) -> str:
    """``true`` or ``false``."""
    return "true" if value else "false"
