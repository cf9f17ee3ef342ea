"""A session that stays alive: one event stream shared by all, and the latest value of every item.

A session has one event stream and the gateway faults the session when nobody reads it. So one task
reads it always, and everybody else subscribes here.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import (
    MxAccessError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
)
from zb_mom_ww_mxgateway.events import EventFamily, MxEvent
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.handles import Item
from zb_mom_ww_mxgateway.live_values import LiveChange, LiveState, LiveValue
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.subscriptions import Overflow, Subscription
from zb_mom_ww_mxgateway.values import MxValueInput
from zb_mom_ww_mxgateway.writes import WriteLedger, WriteOutcome, WriteResult

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.client import GatewayClient

DEFAULT_QUEUE = 10_000
_RESUME_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0)


class LiveSession:
    """Keeps the one stream of an open session and shares it. Made by :meth:`open`; closing it closes the session.

    ::

        async with await LiveSession.open(client) as live:
            server = await live.session.register("live")
            (item,) = await live.subscribe_tags(["TestChildObject.TestInt"], server)
            value = await live.first_value(item)
            print(value.value, value.quality_word, value.age)
            result = await live.write_and_confirm(server, item.item_handle, 5)
            print(result.outcome)
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.state = LiveState.CONNECTING
        self.lost: MxGatewayError | None = None
        """Why the stream or the session was lost, while it is."""
        self.last_sequence = 0
        self.events = 0
        """Events received."""
        self.gaps = 0
        """Times that events were lost."""
        self.lost_events = 0
        """Events lost, as far as the sequences tell."""
        self._values: dict[tuple[int, int], LiveValue] = {}
        self._subscriptions: list[Subscription] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._change_queues: list[asyncio.Queue[LiveChange]] = []
        self._ledger = WriteLedger(session.session_id)
        self._stream = session.stream_events()
        self._confirmed = True
        self._gap_is_open = False
        self._reader = asyncio.create_task(self._read(), name=f"events of {session.session_id}")
        session.client.observe(self._ledger)
        session.client.observe(self)

    @classmethod
    async def open(cls, client: "GatewayClient", session: Session | None = None) -> Self:
        """A live session on `session`, or on one it opens. Nobody else may read that session's stream."""
        return cls(session or await client.open_session())

    # The stream.

    async def _read(self) -> None:
        try:
            self._end(await self._follow_and_resume())
        except Exception as error:
            self._end(MxGatewayError(f"reading the event stream failed: {error!r}"))
            raise

    async def _follow_and_resume(self) -> MxGatewayError | None:
        """Returns why the session is over; None when it was closed here."""
        attempt = 0
        while True:
            try:
                await self._follow()
                error: MxGatewayError = MxGatewaySessionError("the gateway ended the event stream")
            except MxGatewayTransportError as lost:
                error = lost
            except MxGatewayError as lost:
                # Refused while resuming: the gateway has not noticed yet that the former stream is gone.
                if not (attempt and lost.grpc_code == "ALREADY_EXISTS"):
                    return lost
                error = lost
            if self.session.closed:
                return None
            if self.state is LiveState.LIVE:
                attempt = 0
            self._lose(error)
            await asyncio.sleep(_RESUME_DELAYS[min(attempt, len(_RESUME_DELAYS) - 1)])
            attempt += 1
            try:
                self._stream = self.session.stream_events(after=self.last_sequence)
            except MxGatewayError as lost:
                return None if self.session.closed else lost

    async def _follow(self) -> None:
        """Reads the stream to its end; a ping proves that the session answers while nothing happens."""
        prover = asyncio.create_task(self._prove())
        try:
            async for event in self._stream:
                self._set_state(LiveState.LIVE)
                self._take(event)
        finally:
            prover.cancel()
            with suppress(asyncio.CancelledError):
                await prover

    async def _prove(self) -> None:
        try:
            await self.session.ping()
        except (MxGatewayTransportError, MxGatewaySessionError, MxGatewayWorkerError):
            return
        except MxGatewayError:
            pass  # A key that may not ping was told so by a session that answers.
        if not self._stream.closed:
            self._set_state(LiveState.LIVE)

    def _take(self, event: MxEvent) -> None:
        self.events += 1
        if event.replay_gap is not None:
            gap = event.replay_gap
            first_kept = gap.oldest_available_sequence or gap.requested_after_sequence + 1
            self._count_gap(max(0, first_kept - gap.requested_after_sequence - 1))
            self.last_sequence = max(self.last_sequence, gap.oldest_available_sequence - 1)
            # Where nothing is kept, only the next event tells how many were lost.
            self._gap_is_open = not gap.oldest_available_sequence
        else:
            if self.last_sequence and event.sequence > self.last_sequence + 1:
                self._count_gap(event.sequence - self.last_sequence - 1)
            elif not self._confirmed:
                self._confirm()
            self._gap_is_open = False
            self.last_sequence = max(self.last_sequence, event.sequence)
            if event.family in (EventFamily.ON_DATA_CHANGE, EventFamily.ON_BUFFERED_DATA_CHANGE):
                self._keep(event)
            else:
                self._ledger.take(event)
        for subscription in tuple(self._subscriptions):
            subscription.put(event)
        self._wake()

    def _keep(self, event: MxEvent) -> None:
        key = event.server_handle, event.item_handle
        item = self.session.handles.items.get(key)
        before = self._values.get(key)
        value = LiveValue.of(event, item.tag if item else "", (before.changes if before else 0) + 1)
        if value is not None:
            self._values[key] = value

    def _count_gap(self, lost: int) -> None:
        if not self._gap_is_open:
            self.gaps += 1
        self.lost_events += lost
        self._confirmed = True
        self._mark_stale()
        self._tell(LiveChange(self.state, self.lost, lost))

    def _confirm(self) -> None:
        """The stream went on where it had stopped: nothing was lost, and what is held still holds."""
        self._confirmed = True
        for value in self._values.values():
            value.stale_since = None

    def _mark_stale(self) -> None:
        now = time.monotonic()
        for value in self._values.values():
            if value.stale_since is None:
                value.stale_since = now

    def _lose(self, error: MxGatewayError) -> None:
        self.lost = error
        self._confirmed = False
        self._mark_stale()
        self._set_state(LiveState.STALE)

    def _end(self, error: MxGatewayError | None) -> None:
        if self.state is LiveState.CLOSED:
            return
        self.lost = error
        self._mark_stale()
        self._ledger.lose()
        self._set_state(LiveState.CLOSED)
        for subscription in tuple(self._subscriptions):
            subscription.end(error)

    def _set_state(self, state: LiveState) -> None:
        if state is not self.state:
            self.state = state
            if state is LiveState.LIVE:
                self.lost = None
            self._tell(LiveChange(state, self.lost))
            self._wake()

    def _tell(self, change: LiveChange) -> None:
        for queue in self._change_queues:
            queue.put_nowait(change)

    def _wake(self) -> None:
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
        """Every change of state and every gap from now on, until the session is closed or lost."""
        queue: asyncio.Queue[LiveChange] = asyncio.Queue()
        self._change_queues.append(queue)
        try:
            if self.state is not LiveState.LIVE:
                yield LiveChange(self.state, self.lost)
            while self.state is not LiveState.CLOSED or not queue.empty():
                yield await queue.get()
        finally:
            self._change_queues.remove(queue)

    # What a CommandObserver does: a value whose item is gone is not kept.

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Part of observing the client's commands."""

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Part of observing the client's commands."""
        if wire.session_of(request) != self.session.session_id:
            return
        for change in wire.handle_changes(request, reply):
            key = change.server_handle, change.item_handle
            if change.what in ("removed", "unadvised"):
                self._values.pop(key, None)
            elif change.what == "unregistered":
                self._values = {k: v for k, v in self._values.items() if k[0] != change.server_handle}
            elif change.what == "added" and key in self._values:
                # Its first data change came before the reply that named it.
                self._values[key].tag = change.name
        self._wake()

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Part of observing the client's commands."""

    # Looking.

    def latest(self, server_handle: int, item_handle: int) -> LiveValue | None:
        """The latest value of an item; None before its first data change, and when it is not advised."""
        item = self.session.handles.items.get((server_handle, item_handle))
        # A change may still be on its way when an item is unadvised: it is not the latest of anything.
        return None if item and not item.advised else self._values.get((server_handle, item_handle))

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
        """Waits until the session is live; raises what it was lost to. Give it a time-out."""
        while self.state is not LiveState.LIVE:
            self._raise_if_closed()
            await self.changed()

    async def first_value(self, item: Item) -> LiveValue:
        """The item's latest value, waited for if none has come yet. Give it a time-out."""
        while (value := self.latest(*item.key)) is None:
            self._raise_if_closed()
            await self.changed()
        return value

    # Doing.

    async def subscribe_tags(self, tags: Sequence[str], server_handle: int) -> list[Item]:
        """Adds and advises the tags that are not yet, in one call; gives an item for each, in input order.

        Raises MxGatewayCommandError naming every tag that was refused; the others are advised all the same.
        """
        handles = self.session.handles
        known = {tag: handles.find(tag, server_handle) for tag in tags}
        if new := [tag for tag, item in known.items() if item is None]:
            results = await self.session.subscribe_bulk(server_handle, new)
            refused = [
                f"{tag} ({r.error_message})" for tag, r in zip(new, results, strict=True) if not r.was_successful
            ]
            if refused:
                raise MxGatewayCommandError(f"refused: {', '.join(refused)}", call="subscribe_bulk")
            known |= {tag: handles.items[server_handle, r.item_handle] for tag, r in zip(new, results, strict=True)}
        items = [item for tag in tags if (item := known[tag])]
        for item in items:
            if not item.advised:
                await self.session.advise(*item.key)
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
        if self.state is LiveState.STALE:
            raise MxGatewaySessionError(f"not live ({self.lost}): nothing was sent", call="write")
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
            if completion.done() and not completion.cancelled():
                event = completion.result()
                outcome = WriteOutcome.REFUSED if event.failed else WriteOutcome.COMPLETED
                return WriteResult(outcome, accepted, time.monotonic() - start, event.statuses)
            if self.state is LiveState.LIVE and self.gaps == gaps:
                return WriteResult(WriteOutcome.ACCEPTED, accepted)
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
            self._reader.cancel()
            with suppress(asyncio.CancelledError, Exception):  # shown already, as `lost`
                await self._reader
            self._end(None)
            for observer in (self._ledger, self):
                self.session.client.unobserve(observer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
