"""Assignment of completions to writes: OnWriteComplete names the item, not the write.

It keeps the writes of one item whose completions are still to come, and the completions that came and are not assigned
yet. Two writes have an order when the first was answered before the second was sent; calls in flight together have
none. No clock decides: a write gets a completion that can be no other's, or when all that can be its own say the same.
Doubt ends when as many completions have come as there are writes that may have one.
"""

from dataclasses import dataclass, field
from typing import Any

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import COMMAND_SECONDS
from zb_mom_ww_mxgateway.models.events import MxEvent

# Seconds for which a gateway may still carry out a command that it has not answered, with a margin.
_MAY_STILL_RUN = COMMAND_SECONDS + 15
# Most writes to one item without a completion; beyond that completions are not assigned any more.
_MOST = 10_000


@dataclass(eq=False, slots=True)
class SentWrite:
    """One write under way. Ticks count the moments at which a command was sent or answered."""

    value: Any
    """Message of the value."""
    sent: int
    at: float
    """When it was sent, by :mod:`zb_mom_ww_mxgateway.system.clock`."""
    answered: int | None = None
    """Tick at which MXAccess accepted it; None while that is unknown."""
    in_flight: bool = True
    """Whether its answer may still come."""
    may_be_lost: bool = False
    """Whether its completion may have been lost, or is overdue."""
    settled: bool = False
    """Whether nothing more will be known about it."""
    completion: MxEvent | None = None

    @property
    def is_certain(self) -> bool:
        """Whether it has exactly one completion, come or to come."""
        return self.answered is not None and not self.may_be_lost

    def cannot_run_any_more(self, now: float) -> bool:
        return self.answered is None and not self.in_flight and now - self.at > _MAY_STILL_RUN

    def is_before(self, other: "SentWrite") -> bool:
        return self.answered is not None and self.answered < other.sent

    def settle(self, completion: MxEvent | None) -> None:
        self.settled, self.completion = True, completion


@dataclass(eq=False, slots=True)
class ItemWrites:
    """The writes of one item that await completions, in the order in which they were sent."""

    writes: list[SentWrite] = field(default_factory=list)
    completions: list[MxEvent] = field(default_factory=list)
    is_overgrown: bool = False
    """Whether more were sent than are kept: from then on no completion is given to any."""

    def add(self, write: SentWrite) -> None:
        """Add a write that is being sent."""
        if len(self.writes) >= _MOST:
            self.is_overgrown = True
            self.completions.clear()
            self.writes.pop(0).settle(None)
        self.writes.append(write)

    def remove(self, write: SentWrite) -> None:
        """Remove a write that surely was not carried out."""
        write.in_flight = False
        if write in self.writes:
            self.writes.remove(write)
            write.settle(None)
            self.assign()

    def take(self, completion: MxEvent) -> None:
        """Take a completion that came."""
        if self.writes and not self.is_overgrown:
            self.completions.append(completion)
            self.assign()

    def doubt(self) -> None:
        """Note that completions may have been lost."""
        for write in self.writes:
            write.may_be_lost = True

    def lose(self) -> None:
        """Settle all writes: no completion will come any more."""
        for write in self.writes:
            write.settle(None)
        self.writes.clear()
        self.completions.clear()

    def assign(self) -> None:
        """Assign every completion that can be only one write's; all, when as many have come as can come."""
        writes, completions = self.writes, self.completions
        while completions and len(completions) < len(writes):
            first = writes[0]
            # Those behind the second were sent later still.
            if not (first.is_certain and first.is_before(writes[1])):
                return
            writes.pop(0).settle(completions.pop(0))
        if completions:
            for write in writes:
                write.settle(self._unanimous(write, all_came=True))
            writes.clear()
            completions.clear()

    def verdict(self, write: SentWrite) -> MxEvent | None:
        """Return the completion of a write, or one that says the same; None where that is unknown, or not known yet."""
        if write.settled:
            return write.completion
        return self._unanimous(write) if write.is_certain else None

    def _places(self, write: SentWrite, *, all_came: bool = False) -> tuple[int, int]:
        """Return the first and the last place that its completion can have among those that came and come, from 0."""
        others = [other for other in self.writes if other is not write]
        first = sum(other.is_before(write) and (all_came or other.is_certain) for other in others)
        last = sum(not write.is_before(other) for other in others)
        return first, last

    def _unanimous(self, write: SentWrite, *, all_came: bool = False) -> MxEvent | None:
        first, last = self._places(write, all_came=all_came)
        if len(self.completions) <= last:
            return None
        possible = self.completions[first : last + 1]
        return possible[0] if len({completion.failed for completion in possible}) == 1 else None

    # What a value that is read back adds.

    def all_counted(self, write: SentWrite) -> bool:
        """Return whether as many completions came as are certain to come: the others may never."""
        return (
            write.is_certain
            and not write.settled
            and len(self.completions) >= sum(other.is_certain for other in self.writes)
        )

    def if_carried_out(self, write: SentWrite) -> MxEvent | None:
        """Return the completion that counts for a write if its value is the item's now; None where none does.

        It is one that may be its own and is no refusal. Nothing may have been sent after the write, no certain
        completion may still be due, and no other write that may have had an effect may be of the same value, as any
        sparse one may be.
        """
        if not self.all_counted(write) or self.writes[-1] is not write:
            return None
        value = wire.from_mx_value(write.value)
        others = [other.value for other in self.writes if other is not write]
        if any(wire.is_sparse(other) or same_value(wire.from_mx_value(other), value) for other in others):
            return None
        first, last = self._places(write)
        good = (completion for completion in self.completions[first : last + 1] if not completion.failed)
        return next(good, None)

    def read_back(self, now: float) -> None:
        """Settle all writes where the value of the last one was read back and nothing is due any more.

        A write that was never answered, and is too old to run any more, is not waited for. An accepted one is, however
        late it completes.
        """
        if all(write.is_certain or write.cannot_run_any_more(now) for write in self.writes):
            self.lose()

    def is_doubtful(self, write: SentWrite) -> bool:
        """Return whether a completion of the item may be another's."""
        first, last = self._places(write)
        return first != last or not write.is_certain or self.is_overgrown

    @property
    def in_flight(self) -> bool:
        """Whether a write is still to be answered."""
        return any(write.in_flight for write in self.writes)
