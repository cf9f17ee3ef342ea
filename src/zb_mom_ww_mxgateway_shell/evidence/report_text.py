"""Texts of a report: values, times in one zone, and what an entry of a record says."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import age_text, value_text


class ReportClock:
    """Times of a record in one zone: that of the machine that made the record, else UTC."""

    def __init__(self, zone: Any = None, began_at: Any = None) -> None:
        """`zone` is what the record says of it: ``{"name": …, "offset_minutes": …}``."""
        self._zone, self.zone = _zone(zone)
        began = moment_of(began_at)
        self._day = began and began.astimezone(self._zone).date()

    def full(self, at: Any) -> str:
        """Return a time with its date and zone; what is no time is returned as it is, and nothing as empty."""
        moment = moment_of(at)
        if moment is None:
            return text_of(at)
        return f"{moment.astimezone(self._zone):%Y-%m-%d %H:%M:%S} {self.zone}"

    def short(self, at: Any) -> str:
        """Return the time of day with milliseconds; with the date, if that is not the day when the run began."""
        moment = moment_of(at)
        if moment is None:
            return text_of(at)
        local = moment.astimezone(self._zone)
        date = "" if local.date() == self._day else f"{local:%Y-%m-%d} "
        return f"{date}{local:%H:%M:%S}.{local.microsecond // 1000:03}"


def moment_of(at: Any) -> datetime | None:
    """Return the time of an ISO 8601 text with a zone; None for anything else."""
    if not isinstance(at, str):
        return None
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    # Two days from the ends of the calendar every zone can show it.
    return moment if moment.tzinfo is not None and 2 <= moment.toordinal() <= datetime.max.toordinal() - 2 else None


def number_of(value: Any) -> float | None:
    """Return a finite number, or a boolean as 0 or 1; None for anything else."""
    if not isinstance(value, bool | int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def text_of(value: Any) -> str:
    """Return what a record has, for a person: texts as they are, values as everywhere, nothing as an empty text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return ", ".join(
            f"{key} {text_of(each)}".rstrip() for key, each in value.items() if each not in (None, "", [], {})
        )
    if isinstance(value, list):
        return ", ".join(map(text_of, value))
    return shown_value(value)


def shown_value(value: Any) -> str:
    """Return a value of a tag as the shell shows it."""
    if isinstance(value, Mapping):
        return json.dumps(value, sort_keys=True, default=str)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if -(10**20) < value < 10**20 else f"{value:x} (hexadecimal)"
    return value_text(value)


def age_of(form: Mapping[str, Any]) -> str:
    """Return the age that a value had, as text; empty if it has none."""
    age = number_of(form.get("age_seconds"))
    return "" if age is None else age_text(max(0.0, age))


def quality_of(form: Mapping[str, Any]) -> str:
    """Return the quality of a value in words, with "stale" if it was."""
    words = [text_of(form.get("quality_word")) or text_of(form.get("quality"))]
    return ", ".join(each for each in [*words, "stale" if form.get("stale") else ""] if each)


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return a mapping as it is; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: Any) -> Sequence[Any]:
    """Return a list as it is; an empty one for anything else."""
    return value if isinstance(value, list) else ()


def _zone(form: Any) -> tuple[tzinfo, str]:
    said = mapping_of(form)
    minutes = number_of(said.get("offset_minutes"))
    if not minutes or abs(minutes) >= 24 * 60:
        return UTC, "UTC"
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(int(minutes)), 60)
    return timezone(timedelta(minutes=int(minutes))), f"UTC{sign}{hours:02}:{rest:02}"
