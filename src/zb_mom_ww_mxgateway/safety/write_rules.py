"""What decides about the writes of one connection: arming, limits, values of the plant, and a person to ask."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.write_guard import PendingEntry
from zb_mom_ww_mxgateway.safety.arming import Arming
from zb_mom_ww_mxgateway.safety.known_range import beyond_ranges
from zb_mom_ww_mxgateway.safety.plant_values import PlantValues
from zb_mom_ww_mxgateway.safety.selection import Ask, Level, RuleVerdict, strictest
from zb_mom_ww_mxgateway.safety.tag_facts import FactsOf, no_facts
from zb_mom_ww_mxgateway.safety.write_note import current_note
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import array_names, item_key, tag_key

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.conditions import Condition

_MINUTE = 60.0


class WriteRule(Protocol):
    """What the limits say of the tags that one rule names."""

    @property
    def source(self) -> str: ...
    @property
    def confirm(self) -> Level: ...
    @property
    def needs_reason(self) -> bool: ...
    @property
    def dead_band(self) -> float | None: ...
    @property
    def tolerance(self) -> float | None: ...
    @property
    def guards(self) -> "Sequence[Condition]": ...
    @property
    def depends_on_time(self) -> bool:
        """Whether it may judge the same write by the same values in another way later."""
        ...

    def check(
        self, value: Any, old: LiveValue | None, *, last: tuple[Any, float] | None, writes: int
    ) -> Sequence[RuleVerdict]:
        """Judge a value that is to be written: the old one, the last that was sent with the seconds since, and how many
        were sent within the last minute."""
        ...


class WriteLimits(Protocol):
    """The limits of a connection."""

    @property
    def text(self) -> str:
        """What they are, or why they cannot be had, for a person."""
        ...

    def refusal(self) -> str:
        """Return why every write is refused; empty where the limits can be had."""
        ...

    def rule_for(self, tag: str) -> WriteRule | None:
        """Return the rule that applies to a tag; None where none names it."""
        ...

    def unlisted_refusal(self, tag: str) -> str:
        """Return why a tag that no rule names is not written; empty where it may be."""
        ...


class SentValues:
    """What was sent to each tag, and when, as far as limits on changes over time need it.

    A write to an element is one to its array.
    """

    def __init__(self) -> None:
        self._sent: dict[str, deque[tuple[float, str, Any]]] = {}
        """By array: when, to which item, and the value; the newest last."""

    def note(self, tag: str, value: Any) -> None:
        """Note a value that is being sent."""
        sent = self._sent.setdefault(array_of(tag), deque())
        sent.append((clock.monotonic(), item_of(tag), value))
        # The last one stays, however long ago it was.
        while len(sent) > 1 and sent[0][0] < clock.monotonic() - _MINUTE:
            sent.popleft()

    def last(self, tag: str) -> tuple[Any, float] | None:
        """Return the last value that was sent to a tag, and how many seconds ago; None for none.

        The value is None where the last one went to another element of the array, or to all of it.
        """
        sent = self._sent.get(array_of(tag))
        if not sent:
            return None
        at, item, value = sent[-1]
        return value if item == item_of(tag) else None, clock.monotonic() - at

    def count(self, tag: str) -> int:
        """Return how many values were sent to a tag within the last minute."""
        since = clock.monotonic() - _MINUTE
        return sum(at > since for at, _, _ in self._sent.get(array_of(tag), ()))


@lru_cache(maxsize=1_000)
def array_of(tag: str) -> str:
    """Return the name of a tag, or of the array of which it is an element, as names are compared."""
    *_, name = array_names(tag_key(tag))
    return name


@lru_cache(maxsize=1_000)
def item_of(tag: str) -> str:
    """Return the name of a tag as names are compared; a whole array has one, with or without ``[]``."""
    return item_key(tag)


class WriteRules:
    """All that a decision about a write goes by. What belongs to a front end or a session is set from outside."""

    def __init__(self, arming: Arming, level: Level = "none") -> None:
        self.arming: Arming = arming
        self.level: Level = level
        """What a person answers before any write; a rule of the limits file may demand more.

        Not asked again for the calls to which a person agreed beforehand, such as those of a file (``WriteNote``).
        """
        self.limits: WriteLimits | None = None
        """The limits of this connection; None for none."""
        self.values: PlantValues | None = None
        """Values of the plant; without them no guard holds, and no limit on a change."""
        self.facts_of: FactsOf = no_facts
        self.ask: Ask | None = None
        """Asks a person; None where nobody can be asked."""
        self.asking: asyncio.Lock = asyncio.Lock()
        """Held while a person is asked: one question after the other, each with its whole time."""
        self.asks_beyond_range: bool = False
        """Whether a person agrees to a value outside the range of its tag, whatever else needs no answer."""
        self.assume_yes: bool = False
        """Whether a person agreed beforehand to what only needs a yes."""
        self.planned: Callable[[PendingEntry], str] | None = None
        """Returns why an entry is none that was planned, empty where it is; None where nothing was planned."""
        self.awaits_revert: Callable[[str, Any], bool] = lambda tag, value: False
        """Returns whether putting this value back to this tag is what a timed write waits for."""
        self.connection_mark: Callable[[], object] = lambda: None
        """Returns something that differs once the session was lost, replaced, or its stream broke."""
        self.sent: SentValues = SentValues()

    def rule_for(self, tag: str) -> WriteRule | None:
        """Return the rule of the limits that applies to a tag; None without one."""
        return None if self.limits is None or not tag else self.limits.rule_for(tag)

    def tolerance_of(self, tag: str) -> float | None:
        """Return how far a real may differ from what was written to a tag; None where the limits do not say."""
        rule = self.rule_for(tag)
        return None if rule is None else rule.tolerance

    def level_for(self, tags: Iterable[str], *, is_beyond: bool = False) -> Level:
        """Return what a person answers before a call that writes these tags; `is_beyond` where a value is outside the
        range of its tag."""
        asks_beyond = is_beyond and self.asks_beyond_range and self.ask is not None
        level: Level = strictest([self.level, "yes" if asks_beyond else "none"])
        if current_note().agreed_under is self:
            level = "none"
        return strictest([level, *(rule.confirm for tag in tags if (rule := self.rule_for(tag)))])

    def asks(self, tags: Sequence[str], *, is_beyond: bool = False) -> bool:
        """Return whether a person is shown a call that writes these tags, and asked."""
        level = self.level_for(tags, is_beyond=is_beyond)
        return self.ask is not None and level != "none" and not (level == "yes" and self.assume_yes)

    async def asks_of(self, entries: Sequence[PendingEntry]) -> bool:
        """Return whether a person is shown a call with these entries, and asked, also because of a value outside the
        range of its tag."""
        tags = [each.tag for each in entries]
        if self.asks(tags) or not self.asks(tags, is_beyond=True):
            return self.asks(tags)
        facts = await self.facts_of(list(dict.fromkeys(tags)), for_a_person=False)
        return bool(beyond_ranges(entries, facts))

    def unreadable(self) -> str:
        """Return why every write is refused because the limits cannot be had; empty where they can."""
        return "" if self.limits is None else self.limits.refusal()

    def is_pending_revert(self, entry: PendingEntry) -> bool:
        """Return whether an entry puts back exactly what a timed write waits to put back."""
        return not entry.alarm and bool(entry.tag) and self.awaits_revert(entry.tag, entry.value)
