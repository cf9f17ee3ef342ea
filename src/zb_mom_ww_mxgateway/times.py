"""Times: nanoseconds since the Unix epoch, datetimes, their text, and how a person is shown them."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

TIMES_VARIABLE = "MXGATEWAY_TIMES"
"""The environment variable that says whether people are shown times in UTC: ``utc``, or ``local``."""
TIMES = ("local", "utc")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def times_by_environment() -> str:
    """Return what the environment says of times: one of TIMES, unless its user made a mistake."""
    return os.environ.get(TIMES_VARIABLE, "").strip() or "local"


_how: Callable[[], str] = times_by_environment


def show_times_as(how: Callable[[], str]) -> None:
    """Show people times as that says, one of TIMES, in the whole process."""
    global _how
    _how = how


def _is_utc() -> bool:
    return _how() == "utc"


def shown(moment: datetime) -> datetime:
    """Return a time in the zone in which people are shown times; at the ends of the calendar, where that fails, in
    UTC, or as it is."""
    for zone in (UTC if _is_utc() else None, UTC):
        with suppress(OverflowError, OSError, ValueError):  # OSError: Windows, before 1970
            return moment.astimezone(zone)
    return moment


def shown_clock(naive: datetime) -> datetime:
    """Return the moment at which a clock in that zone shows this date and time, which have none."""
    return naive.replace(tzinfo=UTC) if _is_utc() else naive.astimezone()


def time_of_day(moment: datetime, *, milliseconds: bool = False) -> str:
    """Return a time of day for a person, with its zone: ``13:44:00+05:30``, ``08:14:00Z``."""
    return _zoned(shown(moment).timetz().isoformat("milliseconds" if milliseconds else "seconds"))


def date_and_time(moment: datetime) -> str:
    """Return a time for a person, with date and zone: ``2026-10-02 13:44:00+05:30``."""
    return _zoned(shown(moment).isoformat(" ", "seconds"))


def shown_text(text: str) -> str:
    """Return a time in ISO 8601 as :func:`date_and_time`; what is no such time as it is."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if moment.tzinfo is None else date_and_time(moment)


def exact_time(moment: datetime) -> str:
    """Return a time for a person as one word that reads back as the same: ``2026-10-02T13:44:00.250+05:30``."""
    digits = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return _zoned(shown(moment).isoformat("T", digits))


def zone_text(moment: datetime) -> str:
    """Return the zone in which a person is shown that time: ``+05:30`` or ``Z``."""
    return time_of_day(moment)[len("13:44:00") :]


def _zoned(text: str) -> str:
    return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text


def time_text(moment: datetime) -> str:
    """Return ISO 8601 in UTC: ``2026-10-02T08:14:00.250Z``."""
    moment = moment.astimezone(UTC)
    digits = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def to_nanoseconds(moment: datetime) -> int:
    """Return nanoseconds since the Unix epoch of an aware datetime."""
    delta = moment - _EPOCH
    return ((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds) * 1_000


def from_nanoseconds(nanoseconds: int) -> datetime:
    """Return the UTC datetime, to the microsecond; raise OverflowError or ValueError outside the years 1 to 9999."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    moment = datetime.fromordinal(_EPOCH.toordinal() + seconds // 86_400)
    second = seconds % 86_400
    return moment.replace(
        hour=second // 3600,
        minute=second // 60 % 60,
        second=second % 60,
        microsecond=rest // 1_000,
        tzinfo=UTC,
    )


def moment_of(nanoseconds: int) -> datetime | None:
    """Return the UTC datetime of a time from the gateway; None for 0, which is no time, and outside the years 1 to
    9999: see :func:`nanoseconds_text`."""
    try:
        return from_nanoseconds(nanoseconds) if nanoseconds else None
    except (ValueError, OverflowError):
        return None


def nanoseconds_text(nanoseconds: int) -> str:
    """Return a time from the gateway in ISO 8601 and UTC; its seconds outside the years 1 to 9999; empty for 0, which
    is no time. Never fails."""
    moment = moment_of(nanoseconds)
    return _out_of_range(nanoseconds) if moment is None else time_text(moment)


def exact_nanoseconds(nanoseconds: int) -> str:
    """Return a time from the gateway for a person, as :func:`exact_time`; otherwise as :func:`nanoseconds_text`."""
    moment = moment_of(nanoseconds)
    return _out_of_range(nanoseconds) if moment is None else exact_time(moment)


def _out_of_range(nanoseconds: int) -> str:
    return f"out of range ({nanoseconds // 1_000_000_000} s since 1970)" if nanoseconds else ""
