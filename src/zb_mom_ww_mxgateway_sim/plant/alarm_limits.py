"""Limits of the alarms of a tag: the texts such as ``hi 80 300; lolo 5 900 deadband 2`` and what they mean."""

import re
from dataclasses import dataclass

from zb_mom_ww_mxgateway_sim.plant.tag_types import NUMBERS, CoercionError, NativeType, coerce_scalar
from zb_mom_ww_mxgateway_sim.runtime.errors import LineError

USAGE = "NAME LIMIT SEVERITY [deadband NUMBER]; NAME …"
_LEVELS = {"hihi": "HiHi", "hi": "Hi", "lo": "Lo", "lolo": "LoLo"}
_BOOLEANS = ("true", "false", "1", "0")
_SEVERITIES = range(1, 1000)


@dataclass(frozen=True, slots=True)
class AlarmLimit:
    """One alarm of a tag. A number is in alarm at the limit and beyond it, a Boolean while it equals the limit."""

    name: str
    limit: bool | float
    severity: int
    deadband: float = 0.0

    @property
    def limit_type(self) -> NativeType:
        """Type of the limit."""
        return NativeType.BOOLEAN if isinstance(self.limit, bool) else NativeType.DOUBLE

    def holds(self, value: float, limit: float, *, before: bool) -> bool:
        """Return whether the value is in alarm. ``before``: it was, and stays until it is the deadband inside."""
        if isinstance(self.limit, bool):
            return bool(value) is bool(limit)
        beyond = value - limit if self.name in ("HiHi", "Hi") else limit - value
        return beyond >= 0 or (before and beyond > -self.deadband)


def parse_alarms(text: str, tag_type: NativeType, is_array: bool) -> tuple[AlarmLimit, ...]:
    """Return the alarms of a tag of this type. Raise LineError with the column in the text."""
    if not text.strip():
        return ()
    if is_array or tag_type not in (*NUMBERS, NativeType.BOOLEAN):
        kind = "an array" if is_array else f"a {tag_type.name.lower()}"
        raise LineError(1, f"{kind} has no alarms; a number or a bool has")
    limits: list[AlarmLimit] = []
    for part in re.finditer(r"[^;]+", text):
        words = [(word[0], part.start() + word.start() + 1) for word in re.finditer(r"\S+", part[0])]
        if not words:
            continue
        limit = _limit(words, tag_type, part.end() + 1)
        if limit.name.lower() in {each.name.lower() for each in limits}:
            raise LineError(words[0][1], f"alarm {limit.name} twice; name it once")
        limits.append(limit)
    return tuple(limits)


def _limit(words: list[tuple[str, int]], tag_type: NativeType, end: int) -> AlarmLimit:
    if len(words) not in (3, 5) or (len(words) == 5 and words[3][0].lower() != "deadband"):
        offset = words[3][1] if len(words) > 3 else end
        raise LineError(offset, f"write {USAGE.partition(';')[0]}, such as hi 80 300")
    (name, name_at), (limit, limit_at), (severity, severity_at) = words[:3]
    if not (severity.isascii() and severity.isdigit() and int(severity) in _SEVERITIES):
        raise LineError(severity_at, f"{severity!r} is not a severity; use a whole number from 1 to 999")
    if tag_type is NativeType.BOOLEAN:
        if name.lower() in _LEVELS:
            raise LineError(name_at, f"{name} is an alarm of a number; that of a bool has another name: Fault true 500")
        if limit.lower() not in _BOOLEANS:
            raise LineError(limit_at, f"{limit!r} is neither true nor false, as the limit of a bool must be")
    try:
        found = coerce_scalar(limit, NativeType.BOOLEAN if tag_type is NativeType.BOOLEAN else NativeType.DOUBLE)
    except CoercionError as error:
        raise LineError(limit_at, f"{error}, as the limit of a {tag_type.name.lower()} must be") from error
    if isinstance(found, bool):
        if not re.fullmatch(r"[^\W\d]\w*", name):
            raise LineError(name_at, f"{name!r} is not the name of an alarm: letters, digits and _")
        if len(words) == 5:
            raise LineError(words[3][1], "a bool has no deadband")
        return AlarmLimit(name, found, int(severity))
    if name.lower() not in _LEVELS:
        raise LineError(name_at, f"no alarm {name!r}; a number has {', '.join(_LEVELS.values())}")
    deadband = _deadband(*words[4]) if len(words) == 5 else 0.0
    assert isinstance(found, float)
    return AlarmLimit(_LEVELS[name.lower()], found, int(severity), deadband)


def _deadband(text: str, offset: int) -> float:
    try:
        deadband = coerce_scalar(text, NativeType.DOUBLE)
    except CoercionError as error:
        raise LineError(offset, str(error)) from error
    if not isinstance(deadband, float) or deadband < 0:
        raise LineError(offset, f"a deadband of {text} is below 0")
    return deadband
