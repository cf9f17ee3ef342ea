"""Calls that write, for the code that has them made: sent, accepted, and how they ended, also where the wait is
interrupted."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.live.awaited_writes import AwaitedCall, Key
    from zb_mom_ww_mxgateway.live.write_tracker import WriteResult


@dataclass(slots=True)
class FollowedCall:
    """A call that writes, and waits for the outcome of each of its entries."""

    call: "AwaitedCall"
    accepted_after: float | None = None
    """Seconds from the sending to the answer; None before it."""
    results: "Sequence[WriteResult] | None" = None
    """The outcome of each entry, as known by the end of the wait; None before, and where no answer came."""
    is_interrupted: bool = False
    """Whether the wait ended after the answer and before all completions."""

    @property
    def is_sent(self) -> bool:
        """Whether it has been sent."""
        return any(write.write is not None for write in self.call.writes)

    @property
    def keys(self) -> "list[Key]":
        """Server and item handle of each entry."""
        return [write.key for write in self.call.writes]

    @property
    def seconds_left(self) -> float:
        """Seconds until the wait for its outcomes ends."""
        return max(0.0, self.call.until - asyncio.get_running_loop().time())

    def accept(self) -> None:
        """Note that the answer has come, and was no refusal of the call."""
        self.accepted_after = self.call.writes[0].seconds if self.call.writes else 0.0

    def interrupt(self, results: "Sequence[WriteResult]") -> None:
        """Note what is known where the wait is interrupted after the answer."""
        self.results, self.is_interrupted = results, True


def surely_not_sent(calls: Sequence[FollowedCall]) -> bool:
    """Return whether there are calls that were followed, and none of them was sent."""
    return bool(calls) and not any(call.is_sent for call in calls)


_FOLLOWERS: ContextVar[tuple[list[FollowedCall], ...]] = ContextVar("followers of writes", default=())


@contextmanager
def followed_writes() -> Iterator[list[FollowedCall]]:
    """Within the block: yield the list of calls that this task, and the tasks that it begins, make to write."""
    calls: list[FollowedCall] = []
    token = _FOLLOWERS.set((*_FOLLOWERS.get(), calls))
    try:
        yield calls
    finally:
        _FOLLOWERS.reset(token)


def followed(call: "AwaitedCall") -> FollowedCall:
    """Show a call that is about to be made to those who follow it."""
    made = FollowedCall(call)
    for calls in _FOLLOWERS.get():
        calls.append(made)
    return made
