"""Select before operate: what a person is shown before a write, and for how long what they were shown holds."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, SparseArray
from zb_mom_ww_mxgateway.safety.changes import OwnWrite
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import exact_time
from zb_mom_ww_mxgateway.value_types import TYPES, Family, type_of
from zb_mom_ww_mxgateway.values import Array

Level: TypeAlias = Literal["none", "yes", "value", "tag"]
"""What a person answers before a write: nothing, yes, the value or the tag."""
LEVELS: Final[tuple[Level, ...]] = get_args(Level)

SELECTION_SECONDS: Final = 30.0
"""How long a selection holds."""
_LONGEST_TYPED = 80
"""Characters of a value that a person is asked to type again."""


def strictest(levels: Sequence[Level]) -> Level:
    """Return the strictest of these levels; none for no level."""
    return max(levels, key=LEVELS.index, default="none")


class RuleVerdict(NamedTuple):
    """What one rule says of a write."""

    rule: str
    """What was judged: ``arming``, ``max``, ``guard`` …"""
    is_met: bool
    text: str
    """What it was judged by, and the reason where it is not met. One line."""


class SelectedEntry(NamedTuple):
    """One item or alarm of a selection, as a person is shown it."""

    entry: PendingEntry
    facts: TagFacts
    old: LiveValue | None
    """Value when it was shown; None where it was unknown, and for an alarm."""
    verdicts: tuple[RuleVerdict, ...]
    source: str
    """Place of the rule that applies, such as ``limits.toml:12``; empty without one."""
    dead_band: float
    """How far the old value may move while the selection stands."""
    last_write: OwnWrite | None
    """The last write of this session to the tag; None if there was none."""

    @property
    def name(self) -> str:
        """Tag, reference of an alarm, or the handles of an item whose tag is unknown."""
        entry = self.entry
        return entry.alarm or entry.tag or f"item {entry.item_handle} on server {entry.server_handle}"

    @property
    def difference(self) -> float | int | None:
        """New value minus old one; None where they are not both numbers."""
        old = self.old.value if self.old else None
        new = self.entry.value
        if isinstance(new, bool) or isinstance(old, bool):
            return None
        return new - old if isinstance(new, int | float) and isinstance(old, int | float) else None

    @property
    def was_changed_since(self) -> bool | None:
        """Whether somebody else changed the tag since this session last wrote it; None if it did not write it, or
        where that is unknown."""
        if self.last_write is None or self.old is None:
            return None
        if self.old.stale_since is not None or isinstance(self.last_write.value, SparseArray):
            return None
        return not same_value(self.last_write.value, self.old.value, data_type=self.old.data_type)

    def moved(self, now: LiveValue | None) -> str:
        """Return how the tag has changed since it was shown; empty if it has not, or only within the dead band."""
        then = self.old
        if now is None or then is None:
            return "" if now is then else f"{self.name} has {'a' if now else 'no'} value now"
        if now.stale_since is not None and then.stale_since is None:
            return f"whether {self.name} still has its value is unknown now"
        if quality_word(now.quality) != quality_word(then.quality):
            return f"{self.name} went from {quality_word(then.quality)} to {quality_word(now.quality)}"
        if same_value(then.value, now.value, tolerance=self.dead_band or None, data_type=then.data_type):
            return ""
        if isinstance(now.value, Array):
            return f"{self.name} has changed"
        return f"{self.name} moved from {then.value!r} to {now.value!r}"


class Selection:
    """What a person was shown before a write. It is bound to exactly that write, holds for 30 s and is used once."""

    def __init__(
        self,
        entries: Sequence[SelectedEntry],
        level: Level,
        *,
        call: str,
        endpoint: str,
        reason: str,
        look: Callable[[], str],
    ) -> None:
        """`look` returns why what was shown no longer holds; empty while it does."""
        self.entries: tuple[SelectedEntry, ...] = tuple(entries)
        self.level: Level = level
        self.call: str = call
        self.endpoint: str = endpoint
        self.reason: str = reason
        """Reason that is given for the write; empty for none."""
        self.until: float = clock.monotonic() + SELECTION_SECONDS
        """When it expires, in seconds of :func:`clock.monotonic`."""
        self._look = look
        self._void = ""

    @property
    def seconds_left(self) -> float:
        """Seconds until it expires; 0 once it is void."""
        return 0.0 if self.void() else max(0.0, self.until - clock.monotonic())

    def void(self) -> str:
        """Return why it is void; empty while it holds. Once void, it stays so."""
        if not self._void:
            expired = clock.monotonic() >= self.until
            self._void = f"it expired after {SELECTION_SECONDS:g} s" if expired else self._look()
        return self._void

    def use(self) -> str:
        """Use it for its write; return why it is void, or empty. A second use is void."""
        reason = self.void()
        self._void = reason or "it was used"
        return reason

    def call_off(self, reason: str) -> None:
        """Make it void for this reason, unless it is void already."""
        self._void = self._void or reason

    @property
    def asks_for(self) -> Literal["yes", "value", "name", "count"]:
        """What the answer is: ``yes``; the value; the name, that of the call where it names nothing; or the number of
        several entries. A value that cannot be typed as it is, such as an array, is answered by the name."""
        if self.level in ("none", "yes"):
            return "yes"
        if len(self.entries) > 1:
            return "count"
        is_value = self.level == "value" and self.entries and not self.entries[0].entry.alarm
        return "value" if is_value and answer_text(self.entries[0].entry.value) else "name"

    @property
    def wanted(self) -> str:
        """The answer that agrees to it. Never empty."""
        match self.asks_for:
            case "yes":
                return "yes"
            case "count":
                return str(len(self.entries))
            case "value":
                return answer_text(self.entries[0].entry.value)
        return self.entries[0].name if self.entries else self.call

    def is_answered_by(self, answer: str) -> bool:
        """Return whether an answer agrees. A wrong one voids it."""
        answer = answer.strip()
        agrees = answer.casefold() in ("y", "yes") if self.asks_for == "yes" else self._is_wanted(answer)
        if not agrees:
            is_no = answer.casefold() in ("", "n", "no")
            self.call_off("it was not confirmed" if is_no else "the answer was another one")
        return agrees

    def _is_wanted(self, answer: str) -> bool:
        if not answer or answer == self.wanted:
            return bool(answer)
        if self.asks_for != "value":
            return False
        value = self.entries[0].entry.value
        spec = type_of(value)
        if spec is None or spec.family is Family.TEXT:
            return False
        # 60 and 60.0 are the same number, however many digits it has.
        spellings = (TYPES["int64"], TYPES["double"]) if spec.family is Family.NUMBER else (spec,)
        for each in spellings:
            with suppress(MxGatewayArgumentError):
                return same_value(each.read(answer), value)
        return False


Ask: TypeAlias = Callable[[Selection], Awaitable[str]]
"""Shows a selection to a person and returns the answer; empty for none. It may end early once the selection is void."""


def answer_text(value: Any) -> str:
    """Return a value as a person types it again; empty where it cannot be typed as it is."""
    if value is None:
        return "null"
    spec = type_of(value)
    text = "" if spec is None else exact_time(value) if isinstance(value, datetime) else spec.text(value)
    return text if text.isprintable() and text == text.strip() and len(text) <= _LONGEST_TYPED else ""
