"""Outcomes of writes: the reply says accepted, a later event says how the write ended."""

import asyncio
import itertools
import weakref
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.awaited_writes import AwaitedCall, AwaitedWrite, Key
from zb_mom_ww_mxgateway.live.completions import ItemWrites, SentWrite
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.events import EventFamily, MxEvent
from zb_mom_ww_mxgateway.models.write_outcome import WriteOutcome as WriteOutcome
from zb_mom_ww_mxgateway.status import MxStatus
from zb_mom_ww_mxgateway.system import clock


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The outcome of one write. Durations in seconds since it was sent."""

    outcome: WriteOutcome
    accepted_after: float | None = None
    completed_after: float | None = None
    statuses: tuple[MxStatus, ...] = ()
    error: MxGatewayError | None = None
    """Error behind an outcome that is refused at once, unknown or not sent, or accepted where the wait for its
    completion was interrupted."""
    ambiguous: bool = False
    """True for an accepted write where completions came, and none of them is surely its own."""
    correlation_id: str = ""
    """Of the call that sent it, as in the gateway's log."""


class WriteTracker:
    """Matches OnWriteComplete events to writes. Sees every write of a session: typed or raw, bulk or single.

    Completions name the item, not the write: :mod:`zb_mom_ww_mxgateway.live.completions` decides whose one is. Where
    that is unknown, no write gets it: none is better than another's.
    """

    def __init__(self, link: SessionLink) -> None:
        self._link = link
        self._items: dict[Key, ItemWrites] = {}
        # By the id() of the request, which its call holds meanwhile.
        self._calls: dict[int, list[tuple[Key, SentWrite, ItemWrites]]] = {}
        self._ticks = itertools.count(1)
        # By correlation id: calls whose outcome is awaited.
        self._awaited: dict[str, AwaitedCall] = {}
        # By item, for as long as a call needs it: held by the write whose turn is next.
        self._turns: weakref.WeakValueDictionary[Key, asyncio.Lock] = weakref.WeakValueDictionary()
        # Of the last completion: one that is delivered again is not new.
        self._last_sequence = 0

    @contextmanager
    def awaiting(
        self,
        request: pb.MxCommandRequest,
        timeout: float,
        latest: Callable[[int, int], LiveValue | None],
        *,
        in_turn: bool = True,
    ) -> Iterator[AwaitedCall]:
        """Await the outcomes of a call that is about to be sent; each of its entries is for another item."""
        correlation_id = wire.correlation_of(request)
        writes = wire.writes_of(request)
        awaited = AwaitedCall(
            wire.kind_name(request),
            [
                AwaitedWrite(key, wire.from_mx_value(entry.value), partial(latest, *key), partial(self._items.get, key))
                for key, entry in writes
            ],
            timeout,
            [self._turns.setdefault(key, asyncio.Lock()) for key, _ in sorted(writes, key=itemgetter(0))]
            if in_turn
            else (),
        )
        turns = self._link.transport.turns
        self._awaited[correlation_id], turns[correlation_id] = awaited, awaited.turn
        try:
            with self._link.urgency.raised():
                yield awaited
        finally:
            del self._awaited[correlation_id], turns[correlation_id]

    # What a CommandObserver does.

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Note the writes of a command that is being sent."""
        if wire.session_of(request) != self._link.session_id or not (sent := wire.writes_of(request)):
            return
        now, tick = clock.monotonic(), next(self._ticks)
        awaited = self._awaited.get(wire.correlation_of(request))
        calls = self._calls[id(request)] = []
        for index, (key, entry) in enumerate(sent):
            writes, write = self._items.setdefault(key, ItemWrites()), SentWrite(entry.value, tick, now)
            writes.add(write)
            calls.append((key, write, writes))
            if awaited is not None:
                awaited.writes[index].write = write

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Note the answer: a write that was refused at once will not complete."""
        if not (calls := self._calls.pop(id(request), None)):
            return
        refusals = [] if wire.reply_is_doubtful(reply) else wire.refused_writes(request, reply)
        tick = next(self._ticks)
        for index, (_, write, writes) in enumerate(calls):
            write.in_flight = False
            if index >= len(refusals):
                continue
            if refusals[index]:
                writes.remove(write)
            else:
                write.answered = tick
                writes.assign()
        self._notify([key for key, _, _ in calls])

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Forget the writes of a command that surely did not run, and no others."""
        ran_not = isinstance(error, MxGatewayError) and not error.outcome_unknown
        calls = self._calls.pop(id(request), ())
        for _, write, writes in calls:
            write.in_flight = False
            if ran_not:
                writes.remove(write)
        self._notify([key for key, _, _ in calls])

    # What the stream brings.

    def take(self, event: MxEvent) -> None:
        """Take an event: an ON_WRITE_COMPLETE belongs to a write to its item. One that comes again is ignored."""
        if event.family is not EventFamily.ON_WRITE_COMPLETE:
            return
        if event.worker_sequence:
            if event.worker_sequence <= self._last_sequence:
                return
            self._last_sequence = event.worker_sequence
        key = event.server_handle, event.item_handle
        if writes := self._items.get(key):
            writes.take(event)
            self._notify((key,))

    def unsettled(self, since: float, *, unanswered: bool) -> int:
        """Return how many writes sent since then (by the clock) are not known to have ended; with `unanswered` only
        those that are not known to be accepted."""
        sent = (write for writes in self._items.values() for write in writes.writes if write.at >= since)
        return sum(not (unanswered and write.answered) for write in sent)

    def doubt(self) -> None:
        """Note that completions may have been lost."""
        for writes in self._items.values():
            writes.doubt()
        self._notify(None)

    def lose(self) -> None:
        """Note that the session is lost: no completion will come any more."""
        for writes in self._items.values():
            writes.lose()
        self._items.clear()
        self._last_sequence = 0
        for awaited in self._awaited.values():
            for write in awaited.writes:
                write.is_lost = True
        self._notify(None)

    def _notify(self, keys: Collection[Key] | None) -> None:
        """Note that something is known about the writes to these items; None for all items."""
        for key in keys or ():
            if (writes := self._items.get(key)) and not writes.writes:
                del self._items[key]
        for awaited in tuple(self._awaited.values()):
            awaited.notify(keys)
