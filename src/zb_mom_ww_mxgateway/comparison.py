"""The one rule for equality of values: for write verification, expectations and waits.

- Booleans, texts, bytes and None are equal to values of their own type only: true is not 1, "5" is not 5.
- Whole numbers are equal, digit by digit, however large: 20260001 is not 20260002.
- Times are equal to the microsecond.
- A real (a tag of type Float or Double) equals the nearest number of the tag's type, and the two representable numbers
  next to it: all digits of the type count.
- With a tolerance, numbers may differ by that much and times by that many seconds, inclusive. Booleans and texts have
  no tolerance.
- Arrays are equal if they have the same length and equal elements.
"""

import math
from fractions import Fraction
from typing import Any

from zb_mom_ww_mxgateway.reals import Float32, are_neighbours
from zb_mom_ww_mxgateway.value_types import DataType, Family, family_of
from zb_mom_ww_mxgateway.values import Typed


def same_value(
    wanted: Any,
    actual: Any,
    *,
    tolerance: float | Fraction | None = None,
    data_type: DataType | int = DataType.UNSPECIFIED,
) -> bool:
    """Whether `actual`, the value of a tag, equals `wanted` by the rule of this module.

    `data_type` is the tag's type, if known; a value that was read tells itself whether it is a real of 32 bits.
    `tolerance` is a number, for times in seconds.
    """
    if isinstance(wanted, Typed):
        wanted = wanted.sent
    if isinstance(wanted, list | tuple) and isinstance(actual, list | tuple):
        return len(wanted) == len(actual) and all(
            same_value(one, other, tolerance=tolerance, data_type=data_type)
            for one, other in zip(wanted, actual, strict=True)
        )
    family = family_of(actual)
    if family is Family.NUMBER and (isinstance(wanted, Fraction) or family_of(wanted) is Family.NUMBER):
        return _same_number(wanted, actual, tolerance, is_single(actual, data_type))
    if family is Family.TIME and family_of(wanted) is Family.TIME:
        return bool(wanted == actual) or (tolerance is not None and abs((actual - wanted).total_seconds()) <= tolerance)
    return type(wanted) is type(actual) and bool(wanted == actual)


def is_single(actual: Any, data_type: DataType | int) -> bool:
    """Whether the value of a tag of this type is a real of 32 bits."""
    return isinstance(actual, Float32) or data_type is DataType.FLOAT


def _same_number(wanted: float | Fraction, actual: float, tolerance: float | Fraction | None, single: bool) -> bool:
    if wanted == actual:
        return True
    if isinstance(actual, float) and are_neighbours(_as_real(wanted), actual, single=single):
        return True
    return tolerance is not None and _distance(wanted, actual) <= _decimal(tolerance)


def _as_real(number: float | Fraction) -> float:
    try:
        return float(number)
    except OverflowError:  # A whole number beyond every double.
        return math.inf if number > 0 else -math.inf


def _distance(one: float | Fraction, other: float) -> Fraction | float:
    """Return the difference of two numbers as decimals: 0.3 and 0.4 differ by 0.1."""
    exact, against = _decimal(one), _decimal(other)
    if isinstance(exact, Fraction) and isinstance(against, Fraction):
        return abs(exact - against)
    return math.nan  # Nothing is near an infinity or NaN.


def _decimal(number: float | Fraction) -> Fraction | float:
    if isinstance(number, int | Fraction):
        return Fraction(number)
    return Fraction(str(number)) if math.isfinite(number) else number
