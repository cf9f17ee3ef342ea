"""The argument type of a moment in the past."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from zb_mom_ww_mxgateway.times import shown, shown_clock
from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_duration, parse_value
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, Suggestion
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?")


class Since(ArgumentType):
    """A moment in the past: a time of day, the last one of it, here or with a zone; a time with its zone; or how long
    ago it is."""

    name = "time|duration"

    def parse(self, word: Token, context: Scope) -> datetime:
        if (found := _TIME_OF_DAY.fullmatch(word.value)) is not None:
            hour, minute, second, fraction, zone = found.groups(default="")
            clock = time(int(hour), int(minute), int(second or 0), int(fraction.ljust(6, "0")))
            return _last(clock, zone)
        try:
            return datetime.now(UTC) - timedelta(seconds=parse_duration(word.text))
        except (TextValueError, OverflowError):
            pass
        try:
            moment = parse_value("time", word.value)
        except TextValueError as error:
            raise word.mistake(f"a duration such as 8h, a time of day such as 14:02, or a time: {error}") from None
        assert isinstance(moment, datetime)
        return moment

    def suggestions(self, prefix: str, context: Scope) -> Sequence[Suggestion]:
        return [Suggestion(each) for each in ("1h", "8h", "24h") if each.startswith(prefix)]


def _last(clock: time, zone: str) -> datetime:
    """Return the last moment at which clocks showed this time: those of that zone, or of the one that is shown here."""
    now = datetime.now(UTC)
    if zone:
        offset = datetime.fromisoformat(f"2000-01-01T00:00:00{zone}").tzinfo
        found = datetime.combine(now.astimezone(offset), clock, offset)
        return found if found <= now else found - timedelta(days=1)
    # Naive, so that the offset is that of the day in question; where clocks are put back a time comes twice.
    today = datetime.combine(shown(now), clock)
    both = [today.replace(fold=1), today, (today - timedelta(days=1)).replace(fold=1)]
    return next(found for each in both if (found := shown_clock(each)) <= now)
