"""The argument type of a moment in the past."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from zb_mom_ww_mxgateway_console.render.text_values import TextValueError, parse_duration, parse_value
from zb_mom_ww_mxgateway_shell.language.argument_types import ArgumentType, Suggestion
from zb_mom_ww_mxgateway_shell.language.scope import Scope
from zb_mom_ww_mxgateway_shell.language.tokens import Token

_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class Since(ArgumentType):
    """A moment in the past: a time of day here, the last one of it; a time with its zone; or how long ago it is."""

    name = "time|duration"

    def parse(self, word: Token, context: Scope) -> datetime:
        if (found := _TIME_OF_DAY.fullmatch(word.value)) is not None:
            return _last(int(found[1]), int(found[2]), int(found[3] or 0), datetime.now().astimezone())
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


def _last(hour: int, minute: int, second: int, now: datetime) -> datetime:
    """Return the last moment before `now` at which clocks here showed this time."""
    # Naive, so that the offset is that of the day in question.
    today = now.replace(hour=hour, minute=minute, second=second, microsecond=0, tzinfo=None)
    found = today.astimezone()
    return found if found <= now else (today - timedelta(days=1)).astimezone()
