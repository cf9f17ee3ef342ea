"""Writes whose outcome is unknown, and what is seen of their tags since: such a write may still happen for a while."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue, copy_of
from zb_mom_ww_mxgateway.live.write_tracker import WriteOutcome, WriteResult
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.models.write_guard import PendingEntry, PendingWrite, WriteAnswer
from zb_mom_ww_mxgateway.safety.written_values import is_as_written
from zb_mom_ww_mxgateway.system import clock

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.change_callbacks import ChangeCallback
    from zb_mom_ww_mxgateway.live.session import LiveSession

WATCHED_SECONDS: Final = COMMAND_SECONDS + 15.0
"""How long after it was sent a write is looked for: as long as the gateway lets it run, and a while for its value."""
_KEPT_SECONDS, _MOST_KEPT = 2 * WATCHED_SECONDS, 10_000
"""How long a call is kept whose outcome nobody tells, and how many of them."""

Key = tuple[int, int]


@dataclass(eq=False, slots=True)
class DoubtfulWrite:
    """One write whose outcome is unknown. Times are monotonic seconds, by the library's clock."""

    key: Key
    """Server and item handle."""
    tag: str
    """Empty for an item that this client did not add."""
    value: Any
    sent_at: float
    correlation_id: str
    is_accepted: bool = False
    """Whether MXAccess took it, so that only its effect is unknown."""
    seen_at: float | None = field(default=None, init=False)
    """When the value was first seen after it was sent; None while it was not."""
    is_over: bool = field(default=False, init=False)
    """Whether it is too old to happen any more, and was not seen."""
    is_told: bool = field(default=False, init=False)
    """Whether what was seen of it has been told."""
    is_watched: bool = field(default=True, init=False)
    """Whether its item is still there, so that its value would be seen."""
    _callback: "ChangeCallback | None" = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The tag, or the item's handles where the tag is unknown."""
        return self.tag or f"item {self.key[1]} on server {self.key[0]}"

    @property
    def is_open(self) -> bool:
        """Whether it may still happen, or its value may still come."""
        return self.seen_at is None and not self.is_over

    @property
    def may_still_happen_for(self) -> float:
        """Seconds for which the gateway may still carry it out; 0 after that."""
        return max(0.0, self.sent_at + COMMAND_SECONDS - clock.monotonic()) if self.is_open else 0.0

    def see(self, value: LiveValue | None) -> None:
        """Take a value of its tag."""
        if self.is_open and value is not None and self._is_its_value(value):
            self.seen_at = value.received_at
        if self.is_open:
            self.is_over = clock.monotonic() > self.sent_at + WATCHED_SECONDS
        if not self.is_open and self._callback is not None:
            self._callback.close()

    def _is_its_value(self, value: LiveValue) -> bool:
        is_new = value.stale_since is None and value.received_at >= self.sent_at
        return is_new and is_as_written(self.value, value.value, data_type=value.data_type)


class _SentCall(NamedTuple):
    """A call that was sent, until its outcome is known."""

    pending: PendingWrite
    at: float
    before: tuple[LiveValue | None, ...]


class DoubtfulWrites:
    """The writes of one connection whose outcome is unknown. The desk tells it of every call that it lets through.

    A write of the value that its tag has anyway is left out: it has nothing to show.
    """

    def __init__(self) -> None:
        self.live: LiveSession | None = None
        """Session that shows the values; without one nothing is seen."""
        self._sent: dict[str, _SentCall] = {}
        self._writes: list[DoubtfulWrite] = []

    # What the desk tells.

    def sent(self, pending: PendingWrite) -> None:
        """Note a call in the moment of sending."""
        now = clock.monotonic()
        while self._sent and now - next(iter(self._sent.values())).at >= _KEPT_SECONDS:
            del self._sent[next(iter(self._sent))]
        self._sent[pending.correlation_id] = _SentCall(pending, now, tuple(map(self._held, pending.entries)))

    def answered(self, pending: PendingWrite, answer: WriteAnswer) -> None:
        """Note how a call ended."""
        if answer.outcome == "unknown":
            call = self._sent.pop(pending.correlation_id, None)
            for index in range(len(pending.entries) if call else 0):
                if not (answer.refused and answer.refused[index]):
                    self._add(call, index)
        elif answer.outcome == "not sent" or (answer.outcome == "refused" and not answer.refused):
            self._sent.pop(pending.correlation_id, None)

    def outcomes(self, pending: PendingWrite, outcomes: Sequence[WriteResult]) -> None:
        """Note the outcome of each entry of a call whose completion was waited for."""
        call = self._sent.pop(pending.correlation_id, None)
        for index, result in enumerate(outcomes):
            if result.outcome in (WriteOutcome.UNKNOWN, WriteOutcome.ACCEPTED):
                self._add(call, index, is_accepted=result.outcome is WriteOutcome.ACCEPTED)
            else:
                self._forget(pending.entries[index])

    def _add(self, call: _SentCall | None, index: int, *, is_accepted: bool = False) -> None:
        entry = call.pending.entries[index] if call else PendingEntry()
        if call is None or entry.alarm:
            return
        before = call.before[index]
        if before is not None and is_as_written(entry.value, before.value, data_type=before.data_type):
            return
        key = entry.server_handle, entry.item_handle
        write = DoubtfulWrite(key, entry.tag, entry.value, call.at, call.pending.correlation_id, is_accepted)
        self._writes.append(write)
        self._watch(write)

    def _forget(self, entry: PendingEntry) -> None:
        """Forget what was told of an item that has a later write with an outcome. What may still happen stays."""
        key = entry.server_handle, entry.item_handle
        self._writes = [each for each in self._writes if each.key != key or each.is_open or not each.is_told]

    # What is seen.

    def all(self) -> list[DoubtfulWrite]:
        """Return these writes, oldest first, with what has been seen by now."""
        for write in self._writes:
            write.is_watched = self._item(write.key) is not None
            write.see(self._latest(write.key))
        return list(self._writes)

    def news(self) -> list[DoubtfulWrite]:
        """Return the writes of which something is known since the last call: seen, or over. Each is told once."""
        news = [write for write in self.all() if not (write.is_open or write.is_told)]
        for write in news:
            write.is_told = True
        return news

    def open(self) -> list[DoubtfulWrite]:
        """Return the writes that may still happen."""
        return [write for write in self.all() if write.is_open]

    def __len__(self) -> int:
        return len(self._writes)

    def _item(self, key: Key) -> Item | None:
        return None if self.live is None else self.live.session.handles.items.get(key)

    def _latest(self, key: Key) -> LiveValue | None:
        return None if self.live is None else self.live.latest(*key)

    def _held(self, entry: PendingEntry) -> LiveValue | None:
        held = None if entry.alarm else self._latest((entry.server_handle, entry.item_handle))
        return None if held is None else copy_of(held)

    def _watch(self, write: DoubtfulWrite) -> None:
        """Look at every change of the tag from now on: a moment after its value came, it may have another one."""
        item = self._item(write.key)
        if self.live is not None and self.live.state is LiveState.LIVE and item is not None and item.advised:
            # Without it the value that is held at the next look has to do.
            write._callback = self.live.on_change(
                item.tag, write.see, server_handle=item.server_handle, on_error=lambda error: None
            )
        write.see(self._latest(write.key))
