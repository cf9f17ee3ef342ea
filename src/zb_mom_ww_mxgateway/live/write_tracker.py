"""Outcomes of writes: the reply says accepted, a later event says how the write ended."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.comparison import same_value
from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewayWorkerError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.completions import ItemWrites, SentWrite
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.events import EventFamily, MxEvent
from zb_mom_ww_mxgateway.status import MxStatus
from zb_mom_ww_mxgateway.system import clock

# Seconds in which a value that was written shows, or another completion comes, once one has come.
_SHOWS_WITHIN = 1.0

Key = tuple[int, int]


class WriteOutcome(Enum):
    """Outcome of a write."""

    ACCEPTED = "accepted"
    """MXAccess took it, and its completion was not seen in time."""
    COMPLETED = "completed"
    """OnWriteComplete came without an error."""
    REFUSED = "refused"
    """MXAccess refused it, at once or in OnWriteComplete."""
    UNKNOWN = "unknown"
    """It may or may not have happened, or may still happen for up to 75 s. It was not sent again."""
    NOT_SENT = "not sent"
    """Nothing was sent, and `error` says why. Only for one write among many; the error of a single one is raised."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The outcome of one write. Durations in seconds since it was sent."""

    outcome: WriteOutcome
    accepted_after: float | None = None
    completed_after: float | None = None
    statuses: tuple[MxStatus, ...] = ()
    error: MxGatewayError | None = None
    """Error behind an outcome that is refused at once, unknown or not sent."""
    ambiguous: bool = False
    """True for an accepted write where completions came, and none of them is surely its own."""


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
        # By correlation id: writes whose outcome is awaited.
        self._awaited: dict[str, AwaitedWrite] = {}
        # By item: held by the write whose turn is next.
        self._turns: dict[Key, asyncio.Lock] = {}
        # Of the last completion: one that is delivered again is not new.
        self._last_sequence = 0

    @contextmanager
    def awaiting(
        self,
        request: pb.MxCommandRequest,
        timeout: float,
        latest: Callable[[int, int], LiveValue | None],
        *,
        in_turn: bool,
    ) -> Iterator["AwaitedWrite"]:
        """Await the outcome of a single write that is about to be sent."""
        correlation_id = wire.correlation_of(request)
        (key,) = wire.written_items(request)
        value = wire.from_mx_value(*wire.written_values(request))
        turn = self._turns.setdefault(key, asyncio.Lock()) if in_turn else None
        awaited = AwaitedWrite(key, value, timeout, lambda: latest(*key), lambda: self._items.get(key), turn)
        turns = self._link.transport.turns
        self._awaited[correlation_id], turns[correlation_id] = awaited, awaited.turn
        try:
            yield awaited
        finally:
            del self._awaited[correlation_id], turns[correlation_id]

    # What a CommandObserver does.

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Note the writes of a command that is being sent."""
        if wire.session_of(request) != self._link.session_id or not (keys := wire.written_items(request)):
            return
        now, tick = clock.monotonic(), next(self._ticks)
        awaited = self._awaited.get(wire.correlation_of(request))
        calls = self._calls[id(request)] = []
        for key, value in zip(keys, wire.written_values(request), strict=True):
            writes, write = self._items.setdefault(key, ItemWrites()), SentWrite(value, tick, now)
            writes.add(write)
            calls.append((key, write, writes))
            if awaited is not None:
                awaited.write = write

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
        self._notify(key for key, _, _ in calls)

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Forget the writes of a command that surely did not run, and no others."""
        ran_not = isinstance(error, MxGatewayError) and not error.outcome_unknown
        calls = self._calls.pop(id(request), ())
        for _, write, writes in calls:
            write.in_flight = False
            if ran_not:
                writes.remove(write)
        self._notify(key for key, _, _ in calls)

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

    def unsettled(self, since: float) -> int:
        """Return how many writes sent since then (by the clock) are not known to have ended."""
        return sum(write.at >= since for writes in self._items.values() for write in writes.writes)

    def doubt(self) -> None:
        """Note that completions may have been lost."""
        for writes in self._items.values():
            writes.doubt()
        self._notify(())

    def lose(self) -> None:
        """Note that the session is lost: no completion will come any more."""
        for writes in self._items.values():
            writes.lose()
        self._items.clear()
        self._last_sequence = 0
        for awaited in self._awaited.values():
            awaited.is_lost = True
        self._notify(())

    def _notify(self, keys: Iterable[Key]) -> None:
        for key in keys:
            if (writes := self._items.get(key)) and not writes.writes:
                del self._items[key]
        for awaited in tuple(self._awaited.values()):
            awaited.notify()


class AwaitedWrite:
    """A single write whose outcome is awaited, with one time-out for its turn, its call and its completion.

    The time begins when the write guard, if there is one, has said yes.
    """

    def __init__(
        self,
        key: Key,
        value: object,
        timeout: float,
        latest: Callable[[], LiveValue | None],
        writes: Callable[[], ItemWrites | None],
        turn: asyncio.Lock | None,
    ) -> None:
        self._value = value
        self._timeout = timeout
        self._latest = latest
        self._writes = writes
        self._turn = turn
        self._until = 0.0
        self._before: LiveValue | None = None
        self._value_before: object = None
        self._change: asyncio.Future[None] | None = None
        self.write: SentWrite | None = None
        """The write as sent; None before."""
        self.is_lost = False
        """Whether the session was lost, so that no completion will come."""
        self.is_ambiguous: bool = False
        """Whether completions came, and none was surely its own."""

    async def turn(self) -> float:
        """Wait until it may be sent; return the seconds that are left for its call.

        Raises MxGatewayWorkerError when the time ends before that.
        """
        loop = asyncio.get_running_loop()
        self._until = loop.time() + self._timeout
        if self._turn is not None:
            try:
                async with asyncio.timeout_at(self._until), self._turn:
                    while (writes := self._writes()) and writes.in_flight:
                        await self._next_change()
            except TimeoutError:
                raise MxGatewayWorkerError(
                    f"write: an earlier write to the item was not answered within {self._timeout:g} s; "
                    f"nothing was sent",
                    call="write",
                ) from None
        self._before = self._latest()
        self._value_before = self._before and self._before.value
        return max(0.001, self._until - loop.time())

    @property
    def seconds(self) -> float:
        """Seconds since it was sent."""
        return clock.monotonic() - self.write.at if self.write else 0.0

    async def completion(
        self, changed: Callable[[], Awaitable[None]], caught_up: Callable[[], Awaitable[None]]
    ) -> MxEvent | None:
        """Return its completion, or one that says the same; None when none comes in time that is surely its own.

        `changed` waits for the next event, `caught_up` until all that has come was looked at.
        """
        loop = asyncio.get_running_loop()
        assert self.write is not None
        until, is_over = self._until, False
        while not self.write.settled:
            writes = self._writes() or ItemWrites()
            if completion := writes.verdict(self.write):
                return completion
            is_unsure = self.write.may_be_lost or writes.all_counted(self.write)
            if is_unsure and (completion := writes.if_carried_out(self.write)) and self._shows():
                writes.read_back(clock.monotonic())
                return completion
            if is_over:
                self.is_ambiguous = writes.is_doubtful(self.write)
                # Where as many came as are certain, its own may be among them; else it is overdue, or lost.
                self.write.may_be_lost |= not writes.all_counted(self.write)
                return None
            if is_unsure:
                until = min(until, loop.time() + _SHOWS_WITHIN) if until == self._until else until
            try:
                async with asyncio.timeout_at(until):
                    await (changed() if is_unsure else self._next_change())
            except TimeoutError:
                await caught_up()
                is_over = True
        self.is_ambiguous = self.write.completion is None
        return self.write.completion

    def _shows(self) -> bool:
        """Return whether its value, which the item did not have before, has come since it was sent."""
        now, before = self._latest(), self._before
        if now is None or before is None or now.stale_since is not None or now.changes == before.changes:
            return False
        return same_value(self._value, now.value) and not same_value(self._value, self._value_before)

    async def _next_change(self) -> None:
        self._change = asyncio.get_running_loop().create_future()
        await self._change

    def notify(self) -> None:
        """Note that something is known about the writes to its item."""
        if self._change is not None and not self._change.done():
            self._change.set_result(None)
