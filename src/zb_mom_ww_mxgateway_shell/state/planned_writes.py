"""The writes that the lines of a plan would make, in their order, and what the lines after them would read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

from zb_mom_ww_mxgateway.models.write_guard import SparseArray
from zb_mom_ww_mxgateway.safety.arming import names_of_alarm
from zb_mom_ww_mxgateway.safety.journal_values import redacted_form, to_form
from zb_mom_ww_mxgateway.safety.write_rules import array_of
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key, tag_key
from zb_mom_ww_mxgateway.values import Array, Typed
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.language.tokens import Token
from zb_mom_ww_mxgateway_shell.output.results import TextResult

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.values import LiveValue
    from zb_mom_ww_mxgateway.models.write_guard import PendingEntry

_GOOD = 192
_MINUTE = 60.0


class PlannedKind(Enum):
    """What a line would do to a tag or an alarm."""

    VALUE = "value"
    ACKNOWLEDGEMENT = "acknowledgement"
    PUT_BACK = "put back"
    REFUSED = "to be refused"
    """A write that the plant is expected to refuse: it changes nothing."""

    @property
    def changes_value(self) -> bool:
        """Whether the tag has another value afterwards."""
        return self in (PlannedKind.VALUE, PlannedKind.PUT_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWrite:
    """One tag, or alarm, that a line of a plan would change."""

    tag: str
    """The tag, or the reference of the alarm."""
    word: Token
    """The word of the line that names it."""
    kind: PlannedKind = PlannedKind.VALUE
    type: str = ""
    """Name of the type of the value; empty where it is unknown."""
    value: Any = None
    """The value as it would be sent."""
    after: Any = None
    """What the tag would be, where that is not the value itself: an array that is set by some of its elements."""
    before: "LiveValue | None" = None
    """The present value."""
    at: datetime | None = None
    """Source time that is written with the value."""
    back_after: float | None = None
    """Seconds after which the value from before is put back; None for never."""
    is_known: bool = True
    """False where only the run knows the value."""
    place: str = ""
    """Where it stands, if not in the line itself: ``setpoints.csv:3``."""
    endpoint: str = ""
    """The gateway that it would be sent to."""
    line: str = ""
    """The line that would write it, for a person: ``line 12``."""
    waited: float = 0.0
    """Seconds that the lines before it surely take."""

    @property
    def type_text(self) -> str:
        """The type of the value, for a person; what would be done where it has none."""
        is_array = isinstance(self.value, SparseArray | list | tuple)
        return f"{self.type}{'[]' if is_array else ''}" if self.type else self.kind.value

    @property
    def by(self) -> str:
        """The line, and the row of a file in it, for a person."""
        return f"{self.line} ({self.place})" if self.place else self.line

    def form(self) -> dict[str, Any]:
        """Return what the hash of a plan goes by; it holds no secret."""
        return {
            "at": self.at and self.at.isoformat(),
            "back_after": self.back_after,
            "gateway": self.endpoint,
            "kind": self.kind.value,
            "known": self.is_known,
            "tag": tag_key(self.tag),
            # Of a value that the run gives only the tag is bound; its type is known once the tag was read.
            "type": self.type if self.is_known else "",
            "value": redacted_form(plain_form(self.value)) if self.is_known else None,
        }

    def allows(self, entry: "PendingEntry") -> bool:
        """Return whether this is what a call of the run would change."""
        is_alarm = self.kind is PlannedKind.ACKNOWLEDGEMENT
        if entry.alarm or is_alarm:
            return is_alarm and bool({*names_of_alarm(entry.alarm)} & {*names_of_alarm(self.tag)})
        if item_key(entry.tag) != item_key(self.tag):
            return False
        return not self.is_known or (plain_form(entry.value) == plain_form(self.value) and entry.timestamp == self.at)


@dataclass(frozen=True, slots=True)
class Preview(TextResult):
    """What a line would do, with the writes that it would make."""

    writes: tuple[PlannedWrite, ...] = ()


class Foreseen(NamedTuple):
    """What a later line would read of a tag."""

    value: "LiveValue | None"
    by: PlannedWrite | None = None
    """The planned write whose value it is; None for the present value."""
    is_known: bool = True
    """False where the planned writes make it unknown."""
    after: str = ""
    """The planned writes before it, where it depends on the plant what they make of the tag; empty for none."""


@dataclass(slots=True)
class PlannedWrites:
    """All writes of a plan so far, and what else the lines so far would have done."""

    all: list[PlannedWrite] = field(default_factory=list)
    unnamed: list[str] = field(default_factory=list)
    """Lines that change the plant in a way that only the run knows."""
    run_names: set[str] = field(default_factory=lambda: {"_"})
    """Names whose value only the run knows, though they may have one now."""
    signers: dict[str, list[str]] = field(default_factory=dict)
    """Users who would be logged in, by connection; the last one signs."""
    waited: float = 0.0
    """Seconds that the lines so far surely take."""

    def add(self, writes: Sequence[PlannedWrite], *, line: str, endpoint: str, is_known: bool = True) -> None:
        """Add the writes of a line; without `is_known` only the run knows their values."""
        self.all += [
            replace(each, line=line, endpoint=endpoint, waited=self.waited, is_known=each.is_known and is_known)
            for each in writes
        ]

    @property
    def changes(self) -> bool:
        """Whether anything in the plant would have been changed."""
        return bool(self.all or self.unnamed)

    @property
    def in_short(self) -> str:
        """The writes so far, for a person: ``the write of line 12``, ``3 planned writes``."""
        if len(self.all) == 1 and not self.unnamed:
            return f"the write of {self.all[0].line}"
        return counted(len(self.all) + len(self.unnamed), "planned write")

    def last(self, tag: str) -> PlannedWrite | None:
        """Return the last write to a tag, or to an array of which it is a part; None for none."""
        array = array_of(tag)
        return next(
            (each for each in reversed(self.all) if each.kind.changes_value and array_of(each.tag) == array),
            None,
        )

    def foreseen(self, tag: str, present: "LiveValue | None") -> Foreseen:
        """Return what a line after all these would read of a tag that has this value now."""
        written = self.last(tag)
        if written is None:
            return Foreseen(present, after=self.in_short if self.changes else "")
        before = written.before or present
        is_known = written.is_known and written.back_after is None and before is not None
        if not is_known or item_key(written.tag) != item_key(tag):
            return Foreseen(present, written, is_known=False)
        assert before is not None
        return Foreseen(_with_value(before, written), written)

    def count_lately(self, tag: str) -> int:
        """Return how many writes to a tag may be made within the minute before now."""
        array = array_of(tag)
        return sum(
            each.kind is PlannedKind.VALUE and array_of(each.tag) == array and self.waited - each.waited < _MINUTE
            for each in self.all
        )

    def tags(self) -> Iterator[PlannedWrite]:
        """Yield the first write to each tag."""
        seen: set[str] = set()
        for each in self.all:
            if each.kind.changes_value and (key := item_key(each.tag)) not in seen:
                seen.add(key)
                yield each

    def refusal(self, endpoint: str, entry: "PendingEntry") -> str:
        """Return why a call of a run must not change this at a gateway, as the plan has it not; empty where it may."""
        if any(each.endpoint == endpoint and each.allows(entry) for each in self.all):
            return ""
        named = entry.alarm or entry.tag or "an item whose tag is unknown"
        others = [each for each in self.all if item_key(each.tag) == item_key(entry.tag)] if entry.tag else []
        what = "with another value" if others else "not"
        return f"outside the plan: {named} is {what} among its writes; plan the file again"


def plain_form(value: Any) -> Any:
    """Return a value so that two are equal if and only if the same is sent: arrays as lists, types named by JSON."""
    if isinstance(value, Typed):
        value = value.sent
    if isinstance(value, SparseArray):
        elements = tuple((index, each.sent if isinstance(each, Typed) else each) for index, each in value.elements)
        return to_form(SparseArray(value.total_length, elements))
    return to_form(list(value)) if isinstance(value, list | tuple) else to_form(value)


def _with_value(before: "LiveValue", written: PlannedWrite) -> "LiveValue":
    value = written.value if written.after is None else written.after
    if isinstance(value, list | tuple) and isinstance(before.value, Array):
        value = Array(list(value), (len(value),), before.value.element_type)
    return replace(
        before,
        value=value,
        quality=_GOOD,
        statuses=(),
        received_at=clock.monotonic(),
        age_when_received=0.0,
        stale_since=None,
    )
