"""What is known of a live session's one event stream: told by whoever keeps it, shared with whoever looks."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewaySessionError
from zb_mom_ww_mxgateway.events import EventFamily, EventHeader, MxEvent, ReplayGap
from zb_mom_ww_mxgateway.holding import HeldValues
from zb_mom_ww_mxgateway.live_values import LiveChange, LiveState, LiveValue
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.subscriptions import Overflow, Subscription
from zb_mom_ww_mxgateway.writes import WriteLedger

DEFAULT_QUEUE = 10_000


class LiveStream:
    """The state of the stream, what it has brought, and what was lost of it."""

    def __init__(self, session: Session) -> None:
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
        self.in_doubt = asyncio.Event()
        """Set where what is held may be old: it is then read again."""
        self._held = HeldValues(session)
        self._ledger = WriteLedger(session)
        self._subscriptions: list[Subscription] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._change_queues: list[asyncio.Queue[LiveChange]] = []
        self._suspended: set[tuple[int, int]] = set()
        self._confirmed = True
        self._gap_is_open = False

    # What its keeper tells.

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
        self.in_doubt.set()
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

    # Who looks.

    def latest(self, server_handle: int, item_handle: int) -> LiveValue | None:
        """The latest value of an item; None before its first data change, and when it is not advised."""
        return self._held.latest((server_handle, item_handle))

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


def _gap_event(last: int, oldest: int, at: float) -> MxEvent:
    """What stands for subscribers in the place of events that are lost."""
    return MxEvent(EventHeader(replay_gap=ReplayGap(last, oldest)), 0, received_at=at)
