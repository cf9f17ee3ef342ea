"""What became of a write: the reply says accepted, a later event says how it ended."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.events import EventFamily, MxEvent
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.status import MxStatus

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.session import Session

# A write that was never answered may still complete; after this it no longer claims a completion.
FORGET_AFTER = 60.0


class WriteOutcome(Enum):
    """All that can be known of a write."""

    ACCEPTED = "accepted"
    """MXAccess took it, and its completion has not been seen in the time given."""
    COMPLETED = "completed"
    """OnWriteComplete came without an error."""
    REFUSED = "refused"
    """MXAccess refused it, at once or in OnWriteComplete."""
    UNKNOWN = "unknown"
    """It may or may not have happened. It was not sent again."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The outcome of one write. Durations in seconds since it was sent."""

    outcome: WriteOutcome
    accepted_after: float | None = None
    completed_after: float | None = None
    statuses: tuple[MxStatus, ...] = ()
    error: MxGatewayError | None = None
    """What was raised, for an outcome that is refused at once or unknown."""
    ambiguous: bool = False
    """Accepted, and no completion can be told to be its own: of an earlier write to the item none is known."""


@dataclass(slots=True)
class _Sent:
    """A write on its way: completions come in the order of the writes to an item."""

    correlation_id: str
    completion: asyncio.Future[MxEvent | None]
    at: float
    doubtful: bool = False
    """Whether a completion of the item may be its own or another's."""

    def doubt(self) -> None:
        self.doubtful = True
        if not self.completion.done():
            self.completion.set_result(None)


class WriteLedger:
    """Matches OnWriteComplete events to writes. Sees every write of a session: typed or raw, bulk or single.

    Completions name the item, not the write. So where a write may not have run, or a completion may be lost, the
    completions of that item are nobody's for sure until no such write is left: better none than another's.
    """

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._sent: dict[tuple[int, int], deque[_Sent]] = {}
        self._awaited: dict[str, asyncio.Future[MxEvent | None]] = {}

    @contextmanager
    def awaiting(self, correlation_id: str) -> Iterator[asyncio.Future[MxEvent | None]]:
        """The completion of a single write that is about to be sent under this correlation id; None when it
        cannot be told from another's, cancelled when the session is lost."""
        self._awaited[correlation_id] = completion = asyncio.get_running_loop().create_future()
        try:
            yield completion
        finally:
            del self._awaited[correlation_id]
            completion.cancel()

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Part of observing the client's commands."""
        now = time.monotonic()
        for key in self._written(request):
            queue = self._sent.setdefault(key, deque())
            while queue and now - queue[0].at > FORGET_AFTER:
                if not queue.popleft().doubtful:
                    self._doubt(queue)
            correlation_id = wire.correlation_of(request)
            completion = self._awaited.get(correlation_id) or asyncio.get_running_loop().create_future()
            sent = _Sent(correlation_id, completion, now)
            if queue and queue[-1].doubtful:
                sent.doubt()
            queue.append(sent)

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Part of observing the client's commands: what was refused at once will not complete."""
        refusals = wire.refused_writes(request, reply)
        for index, key in enumerate(self._written(request)):
            if index >= len(refusals) or wire.reply_is_doubtful(reply):
                self._doubt_from(key, wire.correlation_of(request))
            elif refusals[index]:
                self._forget(key, wire.correlation_of(request))

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Part of observing the client's commands: only what surely did not run is forgotten."""
        ran_not = isinstance(error, MxGatewayError) and not error.outcome_unknown
        for key in self._written(request):
            if ran_not:
                self._forget(key, wire.correlation_of(request))
            else:
                self._doubt_from(key, wire.correlation_of(request))

    def take(self, event: MxEvent) -> None:
        """Gives an ON_WRITE_COMPLETE to the oldest write to its item."""
        queue = self._sent.get((event.server_handle, event.item_handle))
        if event.family is EventFamily.ON_WRITE_COMPLETE and queue:
            sent = queue.popleft()
            if not sent.completion.done():
                sent.completion.set_result(event)

    def doubt(self) -> None:
        """Completions may have been lost."""
        for queue in self._sent.values():
            self._doubt(queue)

    def lose(self) -> None:
        """Ends every wait: no completion will come any more."""
        self._sent.clear()
        for completion in self._awaited.values():
            completion.cancel()

    def _written(self, request: pb.MxCommandRequest) -> list[tuple[int, int]]:
        return wire.written_items(request) if wire.session_of(request) == self._session.session_id else []

    @staticmethod
    def _doubt(queue: Iterable[_Sent]) -> None:
        for sent in queue:
            sent.doubt()

    def _doubt_from(self, key: tuple[int, int], correlation_id: str) -> None:
        queue = [*self._sent.get(key, ())]
        for index, sent in enumerate(queue):
            if sent.correlation_id == correlation_id:
                self._doubt(queue[index:])
                return

    def _forget(self, key: tuple[int, int], correlation_id: str) -> None:
        queue = self._sent.get(key, deque())
        for sent in queue:
            if sent.correlation_id == correlation_id:
                queue.remove(sent)
                return
