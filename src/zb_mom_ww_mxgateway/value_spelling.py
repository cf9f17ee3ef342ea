"""Spelling of single values: from text, as a person types it, and to text that reads back as the same value.

Every ``parse_…`` function takes the name of the type and the text. It returns the value, not yet checked for its range,
or raises MxGatewayArgumentError with what would be right.
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
    """Read ``true`` or ``false``, in any case."""
    folded = text.lower()
    if folded not in ("true", "false"):
        raise MxGatewayArgumentError("Boolean expected: true or false")
    return folded == "true"


def parse_integer(type_name: str, text: str) -> int:
    """Read decimal digits with an optional sign."""
    # Nothing longer fits any type, and Python refuses to read very long ones.
    if not _INTEGER.fullmatch(text) or len(text) > 100:
        raise MxGatewayArgumentError(f"Integer expected ({type_name}): for example 42")
    return int(text)


def parse_double(type_name: str, text: str) -> float:
    """Read a decimal number; refuse it if it would become zero or infinite as a double."""
    if not _NUMBER.fullmatch(text):
        raise MxGatewayArgumentError(f"Number expected ({type_name}): for example 12.5")
    number = float(text)
    if (math.isinf(number) and "inf" not in text.lower()) or (number == 0 and not _ZERO.match(text)):
        raise _misfit(type_name)
    return number


def parse_single(type_name: str, text: str) -> float:
    """Read a decimal number without rounding it to 32 bits; refuse it if it would become zero."""
    number = parse_double(type_name, text)
    if number and to_single(number) == 0:
        raise _misfit(type_name)
    return number


def _misfit(type_name: str) -> MxGatewayArgumentError:
    return MxGatewayArgumentError(f"Number expected that fits a {type_name}")


def parse_text(type_name: str, text: str) -> str:
    """Return the text itself."""
    return text


def parse_time(type_name: str, text: str) -> datetime:
    """Read ISO 8601 with a time zone, to the microsecond."""
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
    """Return ``true`` or ``false``."""
    return "true" if value else "false"
