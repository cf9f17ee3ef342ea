"""A session that stays alive: one event stream shared by all, and the latest value of every item.

A session has one event stream and the gateway faults the session when nobody reads it. So one reader
reads it always, and everybody else subscribes here.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from zb_mom_ww_mxgateway import arguments, wire
from zb_mom_ww_mxgateway.errors import (
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWaitError,
)
from zb_mom_ww_mxgateway.events import EventFamily, EventHeader, MxEvent, ReplayGap
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.handles import Item
from zb_mom_ww_mxgateway.holding import HeldValues
from zb_mom_ww_mxgateway.keeping import SessionKeeper
from zb_mom_ww_mxgateway.live_values import LiveChange, LiveState, LiveValue, Reading
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.subscriptions import Overflow, Subscription
from zb_mom_ww_mxgateway.values import MxValueInput
from zb_mom_ww_mxgateway.waiting import Wait
from zb_mom_ww_mxgateway.writes import WriteLedger, WriteOutcome, WriteResult

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.client import GatewayClient

DEFAULT_QUEUE = 10_000


class LiveSession:
    """Keeps a session usable for hours, reads its one stream and shares it. Made by :meth:`open`.

    When the stream breaks it is resumed where it stopped; when the session is lost another is opened and given the
    same registrations and items, behind the same handles. Meanwhile every value is marked stale, and nothing that
    changes the plant is sent. Closing it closes the session.

    ::

        async with await LiveSession.open(client) as live:
            server = await live.session.register("live")
            (item,) = await live.subscribe_tags(["TestChildObject.TestInt"], server)
            value = await live.first_value(item)
            print(value.value, value.quality_word, value.age)
            result = await live.write_and_confirm(server, item.item_handle, 5)
            print(result.outcome)
    """

    def __init__(self, session: Session, *, rebuild: bool = True) -> None:
        self.session = session
        """The same object for good; its session id changes when the session is rebuilt."""
        self.state = LiveState.CONNECTING
        self.lost: MxGatewayError | None = None
        """Why the stream or the session was lost, while it is."""
        self.last_sequence = 0
        """Of the session as it is now."""
        self.events = 0
        """Events received."""
        self.gaps = 0
        """Times that events were lost, a lost session included."""
        self.lost_events = 0
        """Events lost, as far as the sequences tell."""
        self.resumes = 0
        """Attempts to resume the stream."""
        self.rebuilds = 0
        """Sessions opened in the place of one that was lost."""
        self.round_trip: float | None = None
        """Seconds that the last sign of life took."""
        self._held = HeldValues(session)
        self._subscriptions: list[Subscription] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._change_queues: list[asyncio.Queue[LiveChange]] = []
        self._ledger = WriteLedger(session)
        self._suspended: set[tuple[int, int]] = set()
        self._confirmed = True
        self._gap_is_open = False
        self._keeper = SessionKeeper(self, session, rebuild=rebuild)
        self._reader = asyncio.create_task(self._read(), name=f"events of {session.session_id}")
        session.client.observe(self._ledger)
        session.client.observe(self)
        session.on_handle_changes = self._follow_handles

    @classmethod
    async def open(cls, client: "GatewayClient", session: Session | None = None, *, rebuild: bool = True) -> Self:
        """A live session on `session`, or on one it opens; returns when it is live, or raises.

        Nobody else may read that session's stream. Of a session that was opened elsewhere only what is added from
        now on is known, and can be had again after a loss. Without `rebuild` a lost session is the end.
        """
        ours = session is None
        live = cls(session or await client.open_session(), rebuild=rebuild)
        try:
            async with asyncio.timeout(client.options.connect_timeout):
                await live.ready()
        except BaseException as error:
            with suppress(MxGatewayError):
                await (live.aclose() if ours else live._let_go())
            if isinstance(error, TimeoutError):
                raise MxGatewayTransportError(
                    f"stream_events at {client.options.endpoint}: "
                    f"not open within {client.options.connect_timeout:g} s: "
                    f"{live.lost or 'no answer'}",
                    endpoint=client.options.endpoint,
                    call="stream_events",
                ) from None
            raise
        return live

    # What the keeper tells.

    async def _read(self) -> None:
        try:
            self._end(await self._keeper.run())
        except Exception as error:
            self._end(MxGatewayError(f"reading the event stream failed: {error!r}"))
            raise

    def take(self, event: MxEvent) -> None:
        """Part of keeping the stream: the next event."""
        self.events += 1
        if event.replay_gap is not None:
            gap = event.replay_gap
            first_kept = gap.oldest_available_sequence or gap.requested_after_sequence + 1
            self._count_gap(max(0, first_kept - gap.requested_after_sequence - 1))
            self.last_sequence = max(self.last_sequence, gap.oldest_available_sequence - 1)
            # Where nothing is kept, only the next event tells how many were lost.
            self._gap_is_open = not gap.oldest_available_sequence
        else:
            # Of a stream that was resumed before its first event the gateway keeps nothing back.
            known = self.last_sequence or not self._confirmed
            if known and event.sequence > self.last_sequence + 1:
                self._count_gap(event.sequence - self.last_sequence - 1)
                self._share(_gap_event(self.last_sequence, event.sequence, event.received_at))
            elif not self._confirmed:
                # The stream went on where it had stopped.
                self._confirmed = True
                self._held.confirm()
            self._gap_is_open = False
            self.last_sequence = max(self.last_sequence, event.sequence)
            if event.family in (EventFamily.ON_DATA_CHANGE, EventFamily.ON_BUFFERED_DATA_CHANGE):
                self._held.take(event)
            else:
                self._ledger.take(event)
        self._share(event)

    def _share(self, event: MxEvent) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.put(event)
        self._wake()

    def _count_gap(self, lost: int) -> None:
        if not self._gap_is_open:
            self.gaps += 1
        self.lost_events += lost
        self._confirmed = True
        self._held.doubt(missed=True)
        self._ledger.doubt()
        self._keeper.in_doubt.set()
        self._tell(LiveChange(self.state, self.lost, lost, gap=True))

    def miss(self) -> None:
        """Part of keeping the stream: it broke before its first event, so nobody knows what came meanwhile."""
        if self.session.handles.items:
            self._count_gap(0)
            self._gap_is_open = True

    def alive(self) -> None:
        """Part of keeping the stream: it is read, or the gateway gave a sign of life."""
        self._set_state(LiveState.LIVE)

    def lose(self, error: MxGatewayError, since: float | None = None) -> None:
        """Part of keeping the stream: it is lost, or the gateway gives no sign of life, `since` when."""
        self._confirmed = False
        self._held.doubt(since)
        self._set_state(LiveState.STALE, error, since)

    def lose_session(self, error: MxGatewayError) -> None:
        """Part of keeping the stream: there is no session any more."""
        self._held.doubt(missed=True)
        self._ledger.lose()
        self._set_state(LiveState.REBUILDING, error)

    def moved(self, missing: dict[tuple[int, int], str], began: float) -> None:
        """Part of keeping the stream: another session has taken the place of the lost one, but for some items.

        `began` is before its first event, in monotonic seconds: so long what happened is not known.
        """
        told = tuple(f"{self.session.handles.items[key].tag} ({reason})" for key, reason in missing.items())
        self.session.handles.drop(missing)
        for key in missing:
            self._held.drop(key)
        gap = _gap_event(self.last_sequence, 0, began)
        self.rebuilds += 1
        self.gaps += 1
        self.last_sequence = 0
        self._confirmed, self._gap_is_open = True, False
        self._tell(LiveChange(self.state, self.lost, 0, told))
        self._share(gap)

    async def confirm(self) -> None:
        """Part of keeping the stream: what may be old is to be read again."""
        if self.state is LiveState.LIVE:
            await self._held.read_again(lambda: self.state is LiveState.LIVE)
            self._wake()

    def _end(self, error: MxGatewayError | None) -> None:
        if self.state is LiveState.CLOSED:
            return
        self._ledger.lose()
        self._set_state(LiveState.CLOSED, error)
        for subscription in tuple(self._subscriptions):
            subscription.end(error)
        self._held.end(error or MxGatewaySessionError("the live session was closed"))

    def _set_state(self, state: LiveState, lost: MxGatewayError | None = None, since: float | None = None) -> None:
        self.lost = lost
        if state is not self.state:
            self.state = state
            self._tell(LiveChange(state, lost, since=since))
            self._wake()

    def _tell(self, change: LiveChange) -> None:
        for queue in self._change_queues:
            queue.put_nowait(change)

    def _wake(self) -> None:
        if not self._waiters:
            return
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def changed(self) -> None:
        """Waits for the next event or change of state."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    async def changes(self) -> AsyncIterator[LiveChange]:
        """Every change of state, every gap and every item that is suspended from now on, until the session is closed or
        lost for good."""
        queue: asyncio.Queue[LiveChange] = asyncio.Queue()
        self._change_queues.append(queue)
        try:
            if self.state is not LiveState.LIVE:
                yield LiveChange(self.state, self.lost)
            while self.state is not LiveState.CLOSED or not queue.empty():
                yield await queue.get()
        finally:
            self._change_queues.remove(queue)

    # What a CommandObserver does: nothing changes the plant unseen.

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Part of observing the client's commands."""
        if (
            self.state is not LiveState.LIVE
            and wire.is_mutating(request)
            and wire.session_of(request) == self.session.session_id
        ):
            raise MxGatewaySessionError(
                f"{wire.kind_name(request)}: the session is {self.state.value}, not live "
                f"({self.lost or 'closed'}); nothing was sent",
                endpoint=self.session.client.options.endpoint,
                call=wire.kind_name(request),
                correlation_id=wire.correlation_of(request),
            )

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Part of observing the client's commands."""

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Part of observing the client's commands."""

    def _follow_handles(self, changes: Sequence[wire.HandleChange]) -> None:
        self._held.follow(changes)
        for key in dict.fromkeys((change.server_handle, change.item_handle) for change in changes):
            item = self.session.handles.items.get(key)
            suspended = item is not None and item.suspended
            if suspended != (key in self._suspended):
                self._suspended ^= {key}
                change = LiveChange(self.state, self.lost, since=time.monotonic(), item=key, suspended=suspended)
                self._tell(change)
        self._wake()

    # Looking.

    def latest(self, server_handle: int, item_handle: int) -> LiveValue | None:
        """The latest value of an item; None before its first data change, and when it is not advised."""
        return self._held.latest((server_handle, item_handle))

    def __getitem__(self, tag: str) -> LiveValue:
        """The latest value of a tag, in any letter case; KeyError before its first data change."""
        item = self.session.handles.find(tag)
        value = self.latest(*item.key) if item else None
        if value is None:
            raise KeyError(f"no value of {tag} yet; advise it first")
        return value

    def subscribe(
        self,
        wanted: Callable[[MxEvent], bool] = lambda event: True,
        *,
        queue_size: int = DEFAULT_QUEUE,
        overflow: Overflow = Overflow.DROP_OLDEST,
    ) -> Subscription:
        """A subscriber from now on, of the events that `wanted` picks, at most `queue_size` behind."""
        subscription = Subscription(wanted, queue_size, overflow, self._subscriptions.remove)
        self._subscriptions.append(subscription)
        if self.state is LiveState.CLOSED:
            subscription.end(self.lost)
        return subscription

    async def ready(self) -> None:
        """Waits until the session is live; raises what it was lost to for good. Give it a time-out."""
        while self.state is not LiveState.LIVE:
            self._raise_if_closed()
            await self.changed()

    async def first_value(self, item: Item) -> LiveValue:
        """The item's latest value, waited for if none has come yet. Give it a time-out."""
        while (value := self.latest(*item.key)) is None:
            self._raise_if_closed()
            await self.changed()
        return value

    async def read(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float = 30.0, fresh: bool = False
    ) -> list[Reading]:
        """The values of tags, in input order: of an advised item the one that is held, at once; the others, with
        `fresh` all, are fetched in one call, each in at most `timeout` seconds.

        While the session is not live, what is held is given with `stale_for`, and a tag that is not held raises.
        `server_handle` is by default the first that was registered.
        """
        arguments.tags(tags)
        readings: dict[int, Reading] = {}
        for index, tag in enumerate(tags):
            item = self.session.handles.find(tag, server_handle)
            value = self.latest(*item.key) if item else None
            if item is None or value is None:
                continue
            # Of a suspended item the gateway has nothing newer.
            is_as_good = value.stale_since is None or self.state is not LiveState.LIVE
            if (item.suspended and self.state is LiveState.LIVE) or (is_as_good and not fresh):
                readings[index] = Reading.held(tag, value)
        missing = [index for index in range(len(tags)) if index not in readings]
        if missing:
            if self.state is not LiveState.LIVE:
                self._raise_if_closed()
                raise MxGatewaySessionError(
                    f"read: {tags[missing[0]]} {'cannot be fetched' if fresh else 'is not held'}, "
                    f"and the session is {self.state.value}, not live ({self.lost})",
                    call="read",
                )
            server = self._server(server_handle, "read")
            results = await self.session.read_bulk(server, [tags[index] for index in missing], int(timeout * 1000))
            for index, result in zip(missing, results, strict=True):
                readings[index] = Reading.fetched(tags[index], result, self._held.age_of(result.source_timestamp))
        return [readings[index] for index in range(len(tags))]

    def _server(self, server_handle: int | None, call: str) -> int:
        if server_handle is not None:
            return server_handle
        for first in self.session.handles.servers:
            return first
        raise MxGatewayArgumentError(f"{call}: register first: there is no server handle yet", call=call)

    async def wait_for(
        self,
        tag: str,
        predicate: Callable[[object], object],
        *,
        timeout: float,
        hold: float = 0.0,
        new: bool = False,
        any_quality: bool = False,
    ) -> LiveValue:
        """Waits until `predicate` of the tag's value has been true for `hold` seconds without a break; gives the value.

        It sees every data change, none is skipped; nothing is polled. Only values that are good, not null and not NaN
        count, unless `any_quality`; one that may be old never does, and a gap in the events is a break. The value held
        now counts, unless `new`. A tag that is not advised is, on the first server handle, and stays so; when the time
        is over before that was answered, it may be at the gateway alone.

        Raises MxGatewayWaitError (a TimeoutError) with the values seen after `timeout` seconds, what the session was
        lost to, or what `predicate` raises. Cancelling ends the wait alone.
        """
        self._raise_if_closed()
        until = asyncio.get_running_loop().time() + timeout
        item = self.session.handles.find(tag)
        if item is None or not item.advised:
            server = item.server_handle if item else self._server(None, "wait_for")
            try:
                async with asyncio.timeout_at(until):
                    (item,) = await self.subscribe_tags([tag], server)
            except TimeoutError:
                raise MxGatewayWaitError(f"{tag} was not advised within {timeout:g} s", call="wait_for") from None
        wait = Wait(predicate, hold, any_quality, lambda: self._keeper.behind_since)
        with self._held.shown_to(wait, item.key):
            if not new and (value := self.latest(*item.key)):
                wait.see(value)
            return await wait.result(tag, timeout, until)

    # Doing.

    async def subscribe_tags(self, tags: Sequence[str], server_handle: int) -> list[Item]:
        """Adds and advises the tags that are not yet, in one call; gives an item for each, in input order.

        Raises MxGatewayCommandError naming every tag that was refused; the others are advised all the same.
        """
        handles = self.session.handles
        known = {tag: handles.find(tag, server_handle) for tag in tags}
        refused: list[str] = []
        if new := [tag for tag, item in known.items() if item is None]:
            results = await self.session.subscribe_bulk(server_handle, new)
            for tag, result in zip(new, results, strict=True):
                if result.was_successful:
                    known[tag] = handles.items[server_handle, result.item_handle]
                else:
                    refused.append(f"{tag} ({result.error_message})")
        items = [item for tag in tags if (item := known[tag])]
        for item in items:
            if not item.advised:
                await self.session.advise(*item.key)
        if refused:
            raise MxGatewayCommandError(f"refused: {', '.join(refused)}", call="subscribe_bulk")
        return items

    async def write_and_confirm(
        self, server_handle: int, item_handle: int, value: MxValueInput, user_id: int = 0, *, timeout: float = 30.0
    ) -> WriteResult:
        """Writes and waits, at most `timeout` seconds, for the OnWriteComplete that tells the outcome.

        Raises, with nothing written, when the session is not live, the value cannot be right, or the
        gateway refused the call for another reason than MXAccess's. Never sends again. Cancelling stops
        the waiting, not the write.
        """
        self._raise_if_closed()
        request = self.session.write_request(server_handle, item_handle, value, user_id)
        start = time.monotonic()
        with self._ledger.awaiting(wire.correlation_of(request)) as completion:
            try:
                await self.session.send(request)
            except MxAccessError as error:
                return WriteResult(WriteOutcome.REFUSED, statuses=error.statuses, error=error)
            except MxGatewayError as error:
                if not error.outcome_unknown:
                    raise
                return WriteResult(WriteOutcome.UNKNOWN, error=error)
            accepted = time.monotonic() - start
            gaps = self.gaps
            await asyncio.wait([completion], timeout=timeout)
            event = completion.result() if completion.done() and not completion.cancelled() else None
            if event is not None:
                outcome = WriteOutcome.REFUSED if event.failed else WriteOutcome.COMPLETED
                return WriteResult(outcome, accepted, time.monotonic() - start, event.statuses)
            if self.state is LiveState.LIVE and self.gaps == gaps and not completion.cancelled():
                return WriteResult(WriteOutcome.ACCEPTED, accepted, ambiguous=completion.done())
            return WriteResult(WriteOutcome.UNKNOWN, accepted, error=self.lost)

    def _raise_if_closed(self) -> None:
        if self.state is LiveState.CLOSED:
            raise self.lost or MxGatewaySessionError("the live session is closed")

    # Closing.

    async def aclose(self) -> None:
        """Closes the session and ends every subscription. Idempotent."""
        try:
            await self.session.close()
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        """Ends everything here; the session stays as it is."""
        self._reader.cancel()
        try:
            # Not awaited itself: who is cancelled here would cancel it again, while it closes a session it has opened.
            await asyncio.wait([self._reader])
            # Shown already, as `lost`. What is not taken would hold the streams that were read, and their connections.
            with suppress(asyncio.CancelledError, Exception):
                self._reader.result()
        finally:
            await self._keeper.close()
            self._end(None)
            self.session.on_handle_changes = lambda changes: None
            for observer in (self._ledger, self):
                self.session.client.unobserve(observer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


def _gap_event(last: int, oldest: int, at: float) -> MxEvent:
    """What stands for subscribers in the place of events that are lost."""
    return MxEvent(EventHeader(replay_gap=ReplayGap(last, oldest)), 0, received_at=at)
