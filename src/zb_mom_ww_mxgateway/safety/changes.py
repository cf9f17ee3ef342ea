"""What one connection changed in the plant and has not put back."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Literal, NamedTuple, TypeAlias

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS, MxGatewayArgumentError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, PendingWrite
from zb_mom_ww_mxgateway.safety.written_values import is_as_written
from zb_mom_ww_mxgateway.status import quality_word
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import item_key
from zb_mom_ww_mxgateway.value_types import DataType, type_of, type_of_tag
from zb_mom_ww_mxgateway.values import Array, Typed

WriteState: TypeAlias = Literal["sent", "accepted", "completed", "refused", "unknown", "not sent"]
"""State of a write: ``sent`` until its call ends, then its outcome. Only ``completed`` is certain to have changed
something; ``refused`` and ``not sent`` are certain to have changed nothing."""

_MOST_UNDER_WAY = 100_000
"""Writes of the last calls, whose outcome may still become known."""
_MOST_WRITES = 64
"""Writes to one tag that are kept; the first one, which has the first value, always is."""
_MOST_BETWEEN = 5


class Standing(Enum):
    """The present value of a changed tag, compared with what was written and with what was there before."""

    OURS = "ours"
    """A value that this connection wrote."""
    BEFORE = "before"
    """The value from before the first write."""
    ANOTHER = "another"
    """A value that somebody else wrote, or that the plant made of ours."""
    UNSURE = "unsure"
    """Unknown: there is no value, it is not good, or it may be old."""


class ValueBefore(NamedTuple):
    """The value of a tag before a write, and all that is needed to write it again."""

    value: object
    quality: int
    data_type: DataType | int
    variant_type: str
    is_live: bool
    """False where the value may have been old."""

    @classmethod
    def of(cls, value: LiveValue) -> "ValueBefore":
        """Copy what is held of a tag."""
        return cls(value.value, value.quality, value.data_type, value.variant_type, value.stale_since is None)

    @property
    def is_good(self) -> bool:
        """Whether it was good, and surely the value at that time."""
        return self.is_live and quality_word(self.quality) == "good"

    def sendable(self) -> Typed | None:
        """Return the value in the type of its tag; None for one that cannot be written, such as null."""
        array = self.value if isinstance(self.value, Array) else None
        spec = type_of_tag(self.data_type, self.variant_type)
        if spec is None:
            sample = array[0] if array else self.value
            spec = type_of(sample)
        if spec is None or self.value is None:
            return None
        try:
            return Typed(spec.name, self.value)
        except MxGatewayArgumentError:
            return None

    def is_same(self, value: object) -> bool:
        """Return whether another value is this one."""
        return is_as_written(value, self.value, data_type=self.data_type)


@dataclass(slots=True)
class SentValue:
    """A value that was sent to a tag, or is being sent."""

    value: object
    sent_at: float
    """Monotonic seconds, by the library's clock."""
    state: WriteState

    @property
    def changed_nothing(self) -> bool:
        """Whether it is certain that it changed nothing."""
        return self.state in ("refused", "not sent")

    @property
    def may_still_happen_for(self) -> float:
        """Seconds for which the gateway may still carry it out; 0 where its outcome is certain."""
        if self.state == "completed" or self.changed_nothing:
            return 0.0
        return max(0.0, self.sent_at + COMMAND_SECONDS - clock.monotonic())


@dataclass(slots=True)
class OwnWrite(SentValue):
    """One write of this connection to one tag."""

    action: str
    """Correlation id of its call."""
    before: ValueBefore | None
    """The value at the moment of sending; None where it is unknown."""
    who: str
    at: datetime


@dataclass(slots=True)
class TagChange:
    """All that one connection wrote to one tag since it last had its first value."""

    number: int
    """Number for ``undo``. It is never given to another change."""
    tag: str
    """Empty for an item that this client did not add."""
    server_handle: int
    item_handle: int
    sent: list[OwnWrite] = field(default_factory=list)
    """All writes, oldest first, without those that no longer matter."""
    between: list[object] = field(default_factory=list)
    """Values of somebody else that writes after the first one replaced, oldest first."""
    _trimmed_at: int = _MOST_WRITES
    """Number of writes at which those that no longer matter go."""

    @property
    def name(self) -> str:
        """The tag, or the item's handles where the tag is unknown."""
        return self.tag or f"item {self.item_handle} on server {self.server_handle}"

    @property
    def writes(self) -> list[OwnWrite]:
        """The writes that changed, or may have changed, something, oldest first."""
        return [each for each in self.sent if not each.changed_nothing]

    @property
    def before(self) -> ValueBefore | None:
        """The value from before the first of these writes; None where it is unknown."""
        return self.writes[0].before

    @property
    def last(self) -> OwnWrite:
        """The last of these writes."""
        return self.writes[-1]

    @property
    def is_certain(self) -> bool:
        """Whether a write completed; otherwise the tag may only have been changed."""
        return any(each.state == "completed" for each in self.writes)

    @property
    def may_still_happen_for(self) -> float:
        """Seconds for which one of these writes may still be carried out."""
        return max(each.may_still_happen_for for each in self.writes)

    @property
    def ours(self) -> list[object]:
        """Values that the tag may have because of these writes."""
        return values_of(self.writes)

    @property
    def is_open(self) -> bool:
        """Whether something is, or may be, left changed.

        That ends when each write was refused, or when the last one completed with the first value and no other can be
        carried out any more.
        """
        if not (writes := self.writes):
            return False
        before, last = writes[0].before, writes[-1]
        is_back = before is not None and last.state == "completed" and before.is_same(last.value)
        return not is_back or self.may_still_happen_for > 0

    def standing(self, present: LiveValue | None) -> Standing:
        """Compare the present value with the first one and with ours."""
        return standing_of(present, self.before and self.before.value, self.ours)

    def is_back(self, present: LiveValue | None, *, is_unseen: bool) -> bool:
        """Return whether the tag surely has its first value again, whoever wrote it, and stays so.

        The value must have come after the last write. `is_unseen` if it may be from before that all the same.
        """
        if present is None or is_unseen or self.may_still_happen_for or present.received_at < self.last.sent_at:
            return False
        return self.standing(present) is Standing.BEFORE

    def add(self, write: OwnWrite) -> None:
        """Add a write that is being sent."""
        before, writes = write.before, self.writes
        if writes and before is not None:
            first = writes[0].before
            # The newest first: mostly it is that one.
            if not any(map(before.is_same, [*reversed(values_of(writes)), first and first.value])):
                self.between = [*self.between, before.value][-_MOST_BETWEEN:]
        self.sent.append(write)
        if len(self.sent) > self._trimmed_at:
            oldest, cut = self.writes[0], len(self.sent) - _MOST_WRITES // 2
            older = [each for each in self.sent[:cut] if each is oldest or each.may_still_happen_for]
            self.sent = [*older, *self.sent[cut:]]
            # Seldom, however many may still be carried out.
            self._trimmed_at = max(_MOST_WRITES, 2 * len(self.sent))


class ChangeLedger:
    """What one connection changed and has not put back, by tag. It keeps the first value from before."""

    def __init__(self) -> None:
        self._changes: dict[object, TagChange] = {}
        self._actions: dict[str, list[OwnWrite | None]] = {}
        self._under_way = 0
        self._numbers = itertools.count(1)
        self.on_sent: list[Callable[[str, OwnWrite], object]] = []
        """Called with the tag and each write to it in the moment of sending; the write's state changes later."""

    def sent(self, pending: PendingWrite, before: Sequence[LiveValue | None], *, who: str = "") -> None:
        """Note a call that is being sent, with the value of each entry's item at this moment, where it is known.

        Acknowledgements are left out: nothing can put them back.
        """
        noted: list[OwnWrite | None] = []
        for index, entry in enumerate(pending.entries):
            if entry.alarm:
                noted.append(None)
                continue
            held = before[index] if index < len(before) else None
            write = OwnWrite(
                value=entry.value,
                sent_at=clock.monotonic(),
                state="sent",
                action=pending.correlation_id,
                before=ValueBefore.of(held) if held is not None else None,
                who=who,
                at=datetime.now(UTC),
            )
            self._change_of(entry).add(write)
            noted.append(write)
            for follower in self.on_sent:
                follower(entry.tag, write)
        self._under_way += len(noted) - len(self._actions.pop(pending.correlation_id, ()))
        self._actions[pending.correlation_id] = noted
        while self._under_way > _MOST_UNDER_WAY and len(self._actions) > 1:
            self._under_way -= len(self._actions.pop(next(iter(self._actions))))

    def result(self, action: str, entry: int, state: WriteState) -> None:
        """Note the outcome of one entry of a call; a later and better known one replaces it."""
        noted = self._actions.get(action, [])
        write = noted[entry] if 0 <= entry < len(noted) else None
        if write is not None and write.state != "completed":
            write.state = state

    def open(self) -> list[TagChange]:
        """Return what is not put back, newest first."""
        self._changes = {key: each for key, each in self._changes.items() if each.is_open}
        return sorted(self._changes.values(), key=lambda each: each.last.sent_at, reverse=True)

    def numbered(self, number: int) -> TagChange | None:
        """Return the change of this number; None where there is none, or it is put back."""
        return next((each for each in self.open() if each.number == number), None)

    def of(self, tag: str) -> TagChange | None:
        """Return the change of a tag; None where it is put back or was never changed."""
        return next((each for each in self.open() if item_key(each.tag) == item_key(tag)), None)

    def forget(self, change: TagChange) -> None:
        """Forget a change: its tag is known to have its first value again."""
        self._changes = {key: each for key, each in self._changes.items() if each is not change}

    def __iter__(self) -> Iterator[TagChange]:
        return iter(self.open())

    def __len__(self) -> int:
        return len(self.open())

    def _change_of(self, entry: PendingEntry) -> TagChange:
        key: object = item_key(entry.tag) if entry.tag else (entry.server_handle, entry.item_handle)
        change = self._changes.get(key)
        if change is None or not change.is_open:
            change = TagChange(next(self._numbers), entry.tag, entry.server_handle, entry.item_handle)
            self._changes[key] = change
        return change


def values_of(writes: Sequence[SentValue]) -> list[object]:
    """Return the values that a tag may have because of these writes, which are in order.

    That is the value of the last write that completed, and of each whose outcome is not certain: an earlier one may
    still be carried out.
    """
    done = [index for index, each in enumerate(writes) if each.state == "completed"]
    last = done[-1] if done else 0
    return [
        each.value
        for index, each in enumerate(writes)
        if not each.changed_nothing and (index >= last or each.state != "completed")
    ]


def standing_of(present: LiveValue | None, before: object, ours: Sequence[object]) -> Standing:
    """Compare the present value of a tag with the one before (None where it is unknown) and with ours.

    A value that is both counts as the one before.
    """
    if present is None or present.stale_since is not None or present.quality_word != "good":
        return Standing.UNSURE
    if before is not None and is_as_written(before, present.value, data_type=present.data_type):
        return Standing.BEFORE
    if any(is_as_written(each, present.value, data_type=present.data_type) for each in ours):
        return Standing.OURS
    return Standing.ANOTHER
