"""Secrets that this process was given, and that nothing it writes may show.

A program that is given one keeps it here; :func:`redact` then leaves it out of every text, within other words and in
the spellings of lines, JSON, CSV, XML and Python, too.
"""

import json
import math
import re
from contextlib import suppress

LEAST = 4
"""Characters of the shortest secret: a shorter one would be found in other words, and hide them."""

_HIDDEN = "***"
# What programs make themselves, and cannot quote a secret: hashes, with a number in front, ids and times.
_MADE = re.compile(
    r"(?:[0-9]+\W)?[0-9a-f]{32,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?"
)
_OWN_FIELD = re.compile("(?!mxgw_)[a-z][a-z0-9_]*")
_COUNTS = frozenset({"bytes", "count", "entries", "line", "number", "pid", "port", "row", "size"})
"""Fields whose numbers a program counts itself."""
_LONG = 16
"""Characters of a secret that no such hash, id or time contains by chance."""
# Replaced, never changed: other threads look at them meanwhile.
_spellings: frozenset[str] = frozenset()
_numbers: frozenset[float] = frozenset()


def keep(secret: str) -> None:
    """Leave a secret out of all texts from now on; raise ValueError, without it, for one that is too short."""
    global _spellings, _numbers
    if len(secret) < LEAST:
        raise ValueError(f"a secret has at least {LEAST} characters: a shorter one would be found in other words")
    from zb_mom_ww_mxgateway.reals import Float32  # Lazy: only who has a secret needs it.

    _spellings |= {each for each in _spellings_of(secret) if len(each) >= LEAST}
    with suppress(ValueError, OverflowError):
        if math.isfinite(number := float(secret)):
            _numbers |= {number, float(Float32(number))}


def _spellings_of(secret: str) -> set[str]:
    import html

    from zb_mom_ww_mxgateway.reals import Float32  # Lazy: only who has a secret needs it.

    in_line = secret.replace("\\", "\\\\").replace('"', '\\"')
    spelled = {
        secret,
        secret.lower(),
        secret.upper(),
        " ".join(secret.split()),
        in_line,
        in_line.replace("$", "\\$").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t"),
        secret.replace('"', '""'),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        html.escape(secret),
        html.escape(secret, quote=False),
    }
    with suppress(ValueError, OverflowError):
        number = float(secret)
        spelled |= {repr(number), repr(Float32(number)), str(int(number))} if math.isfinite(number) else set()
    return spelled


def are_kept() -> bool:
    """Return whether there is any."""
    return bool(_spellings)


def without_kept(text: str) -> str:
    """Return the text with ``***`` in the place of each secret; overlapping ones together are one."""
    found = [spelled for spelled in _spellings if spelled in text]
    if not found or (len(max(found, key=len)) < _LONG and _MADE.fullmatch(text)):
        return text
    # With a look-ahead, occurrences that overlap each other are all found.
    places = sorted(
        (at.start(), at.start() + len(each)) for each in found for at in re.finditer(f"(?={re.escape(each)})", text)
    )
    parts, end = [], 0
    for start, stop in places:
        if start >= end:
            parts += [text[end:start], _HIDDEN]
        end = max(end, stop)
    return "".join((*parts, text[end:]))


def holds_kept(value: object) -> bool:
    """Return whether a value, or an element of a list, is or contains a secret."""
    if isinstance(value, list | tuple):
        return any(map(holds_kept, value))
    if isinstance(value, int | float):
        return is_kept(value)
    return isinstance(value, str) and without_kept(value) != value


def is_own_field(name: str) -> bool:
    """Return whether a program may have made this name of a field of a JSON object itself."""
    return _OWN_FIELD.fullmatch(name) is not None


def is_kept(number: float, field: str = "") -> bool:
    """Return whether a number, in a field of a JSON object, is a secret."""
    return number in _numbers and field not in _COUNTS and not isinstance(number, bool)
