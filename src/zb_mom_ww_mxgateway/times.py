"""Times: nanoseconds since the Unix epoch, datetimes, and their text."""

from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    if moment is not None:
        return time_text(moment)
    return f"out of range ({nanoseconds // 1_000_000_000} s since 1970)" if nanoseconds else ""
