"""Real numbers of 32 and 64 bits: rounding, shortest text and neighbours."""

import math
import struct
from typing import SupportsFloat

_SINGLE, _SINGLE_BITS = struct.Struct("<f"), struct.Struct("<i")
_LEAST_NORMAL = 1.1754943508222875e-38


def to_single(number: float) -> float:
    """Return the 32-bit float that is nearest to a number, as a double."""
    try:
        nearest: float = _SINGLE.unpack(_SINGLE.pack(number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    return nearest


class Float32(float):
    """A real of 32 bits, the value of a tag of type Float.

    It is the exact number of the tag, and its text is the shortest that reads back as the same 32 bits: 0.1, not
    0.10000000149011612. Arithmetic gives plain floats.
    """

    __slots__ = ()

    def __new__(cls, number: SupportsFloat | str = 0.0) -> "Float32":
        return float.__new__(cls, to_single(float(number)))

    def __repr__(self) -> str:
        return shortest_text(self)

    def __str__(self) -> str:
        return shortest_text(self)

    def __getnewargs__(self) -> tuple[float]:
        return (float(self),)


def shortest_text(number: float) -> str:
    """Return the shortest decimal that reads back as the same number, of 32 bits for a :class:`Float32`."""
    if not isinstance(number, Float32):
        return float.__repr__(number)
    plain = float(number)
    if not math.isfinite(plain):
        return repr(plain)
    # Every normal number of 32 bits keeps six digits, and nine digits distinguish any two.
    for digits in range(6 if abs(plain) >= _LEAST_NORMAL else 1, 9):
        decimal = float(f"{plain:.{digits}g}")
        if to_single(decimal) == plain:
            return repr(decimal)
    return repr(float(f"{plain:.9g}"))


def are_neighbours(one: float, other: float, *, single: bool) -> bool:
    """Whether two numbers are equal or adjacent, as 32-bit floats (`single`) or as doubles.

    NaN equals NaN; no number is adjacent to an infinity.
    """
    if single:
        one, other = to_single(one), to_single(other)
    if one == other:
        return True
    if not (math.isfinite(one) and math.isfinite(other)):
        return math.isnan(one) and math.isnan(other)
    if single:
        return abs(_position(one) - _position(other)) == 1
    return math.nextafter(one, other) == other


def _position(number: float) -> int:
    """Return the position of a 32-bit float among all of them in order; that of both zeros is 0."""
    bits: int = _SINGLE_BITS.unpack(_SINGLE.pack(number))[0]
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)
