"""The events of a live session: its state, what came, what was lost, and who gets it."""

import asyncio
import weakref
from collections.abc import Callable, Sequence

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewaySessionError, MxGatewayTransportError
from zb_mom_ww_mxgateway.live.cache import ValueCache
from zb_mom_ww_mxgateway.live.change_callbacks import ChangeCallbacks
from zb_mom_ww_mxgateway.live.change_log import log_change, log_completion
from zb_mom_ww_mxgateway.live.state_changes import Changes
from zb_mom_ww_mxgateway.live.subscription import Overflow, Subscription
from zb_mom_ww_mxgateway.live.tag_items import TagItems
from zb_mom_ww_mxgateway.live.unseen_writes import UnseenWrites
from zb_mom_ww_mxgateway.live.values import LiveChange, LiveState, LiveValue, UnseenWrite
from zb_mom_ww_mxgateway.live.write_tracker import WriteTracker
from zb_mom_ww_mxgateway.models.events import EventFamily, EventHeader, MxEvent, ReplayGap
from zb_mom_ww_mxgateway.models.handles import HandleChange
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.system import clock

DEFAULT_QUEUE = 10_000
DEFAULT_CHANGES = 1_000
# Items whose events wait for the reply that names them, and events of each: as many as one command can add.
_MOST_UNNAMED, _MOST_UNNAMED_EACH = arguments.BULK_LIMIT, 10


class EventHub:
    """State of one event stream and fan-out of its events.

    The supervisor tells it what happens to the stream. It keeps the values and the writes of the items up to date and
    gives the events to subscriptions, waits and callbacks.
    """

    def __init__(self, session: Session, link: SessionLink) -> None:
        self.state: LiveState = LiveState.CONNECTING
        self.lost: MxGatewayError | None = None
        """Why the stream or the session was lost, while it is."""
        self.last_worker_sequence: int = 0
        """Of the session as it is now."""
        self.events: int = 0
        """Events received, each once."""
        self.repeated: int = 0
        """Events that came although they had been seen: a stream that is resumed may bring some again. Nobody is given
        them."""
        self.gaps: int = 0
        """Times that events were lost, a lost session included."""
        self.lost_events: int = 0
        """Events lost, as far as the sequences tell."""
        self.resumes = 0
        """Attempts to resume the stream."""
        self.rebuilds: int = 0
        """Sessions opened in the place of one that was lost."""
        self.round_trip: float | None = None
        """Seconds that the last sign of life took."""
        self.in_doubt: asyncio.Event = asyncio.Event()
        """Set where what is held may be old: it is then read again."""
        self.tags: TagItems = TagItems(session, self.raise_if_closed)
        self.values: ValueCache = ValueCache(session)
        self.callbacks: ChangeCallbacks = ChangeCallbacks(self.tags.advise_tags, self.latest)
        self.values.on_change = self.callbacks.tell
        self.tracker: WriteTracker = WriteTracker(link)
        self.unseen: UnseenWrites = UnseenWrites(link, lambda: self.values.number)
        self._link = link
        # Events of items that no reply has named yet.
        self._unnamed: dict[tuple[int, int], list[MxEvent]] = {}
        self._subscriptions: list[Subscription] = []
        self._waiters: set[asyncio.Future[None]] = set()
        self._listeners: weakref.WeakSet[Changes] = weakref.WeakSet()
        self._suspended: set[tuple[int, int]] = set()
        self._confirmed = True
        self._gap_is_open = False
        # Until a stream that was resumed brings what is new.
        self._may_repeat = False
        # Since before the machine slept, until what comes is known to be from after.
        self._slept_since: float | None = None

    # What the supervisor reports.

    def take(self, event: MxEvent) -> None:
        """Part of keeping the stream: the next event."""
        if event.replay_gap is None and 0 < event.worker_sequence <= self.last_worker_sequence:
            self._pass_over()
            return
        self.events += 1
        self.values.number += 1
        self._may_repeat = False
        if event.replay_gap is not None:
            gap = event.replay_gap
            first_kept = gap.oldest_available_sequence or gap.requested_after_sequence + 1
            self._count_gap(max(0, first_kept - gap.requested_after_sequence - 1))
            self.last_worker_sequence = max(self.last_worker_sequence, gap.oldest_available_sequence - 1)
            # Where nothing is kept, only the next event tells how many were lost.
            self._gap_is_open = not gap.oldest_available_sequence
        else:
            # Of a stream that was resumed before its first event the gateway keeps nothing back.
            known = self.last_worker_sequence or not self._confirmed
            if known and event.worker_sequence > self.last_worker_sequence + 1:
                self._count_gap(event.worker_sequence - self.last_worker_sequence - 1)
                self._share(_gap_event(self.last_worker_sequence, event.worker_sequence, event.received_at))
            elif not self._confirmed and self._slept_since is None:
                # The stream went on where it had stopped.
                self._confirmed = True
                self.values.confirm()
            self._gap_is_open = False
            self.last_worker_sequence = max(self.last_worker_sequence, event.worker_sequence)
            self._name(event)
            if event.family in (EventFamily.ON_DATA_CHANGE, EventFamily.ON_BUFFERED_DATA_CHANGE):
                self.values.take(event, self._slept_since)
            else:
                if event.family is EventFamily.ON_WRITE_COMPLETE:
                    log_completion(self._link, event)
                self.tracker.take(event)
            self.unseen.take(event, self.latest(event.server_handle, event.item_handle))
        self._share(event)

    def _pass_over(self) -> None:
        self.repeated += 1
        if not self._may_repeat:
            # Its sequences went back: who knows what else has come, and what not.
            self._count_gap(0)

    def _name(self, event: MxEvent) -> None:
        key = event.header.server_handle, event.header.item_handle
        if item := self._link.handles.items.get(key):
            event.tag = item.tag
        elif key[1]:
            # It came before the reply that names it, or of an item that was added elsewhere.
            if key not in self._unnamed and len(self._unnamed) >= _MOST_UNNAMED:
                del self._unnamed[next(iter(self._unnamed))]
            waiting = self._unnamed.setdefault(key, [])
            if len(waiting) < _MOST_UNNAMED_EACH:
                waiting.append(event)

    def _share(self, event: MxEvent) -> None:
        for subscription in tuple(self._subscriptions):
            subscription.put(event)
        self._wake()

    def _count_gap(self, lost: int) -> None:
        if not self._gap_is_open:
            self.gaps += 1
        self.lost_events += lost
        self._confirmed = True
        self.values.doubt(missed=True)
        self.tracker.doubt()
        self.unseen.lose()
        self.in_doubt.set()
        self._tell(LiveChange(self.state, self.lost, lost, gap=True))

    def miss(self) -> None:
        """Part of keeping the stream: it broke before its first event, so nobody knows what came meanwhile."""
        if self._link.handles.items:
            self._count_gap(0)
            self._gap_is_open = True

    def alive(self) -> None:
        """Part of keeping the stream: it is read, or the gateway gave a sign of life."""
        self._set_state(LiveState.LIVE)

    def lose(self, error: MxGatewayError, since: float | None = None) -> None:
        """Part of keeping the stream: it is lost, or the gateway gives no sign of life, `since` when."""
        self._confirmed = False
        self._may_repeat = True
        self.values.doubt(since)
        self._set_state(LiveState.STALE, error, since)

    def slept(self, seconds: float, since: float) -> None:
        """Part of keeping the stream: the machine slept, from some time after `since`; all is stale until confirmed."""
        self._slept_since = since
        self._confirmed = False
        self.values.doubt(since)
        lost = MxGatewayTransportError(f"this machine slept for {seconds:.0f} s", call="stream_events")
        if self.state is LiveState.LIVE:
            self.state, self.lost = LiveState.STALE, lost
        self._tell(LiveChange(self.state, lost, since=since, slept=seconds))
        self._wake()

    def awake(self) -> None:
        """Part of keeping the stream: what comes from now on was sent after the machine slept."""
        self._slept_since = None

    def lose_session(self, error: MxGatewayError) -> None:
        """Part of keeping the stream: there is no session any more."""
        self.values.doubt(missed=True)
        self.tracker.lose()
        self.unseen.lose()
        self._set_state(LiveState.REBUILDING, error)

    def moved(self, missing: dict[tuple[int, int], str], began: float) -> None:
        """Part of keeping the stream: another session has taken the place of the lost one, but for some items.

        `began` is before its first event, by the clock: so long what happened is not known.
        """
        told = tuple(f"{self._link.handles.items[key].tag} ({reason})" for key, reason in missing.items())
        self._link.handles.drop(missing)
        for key, reason in missing.items():
            self.values.drop(key)
            self.callbacks.lose(key, reason)
        gap = _gap_event(self.last_worker_sequence, 0, began)
        self.rebuilds += 1
        self.gaps += 1
        self.last_worker_sequence = 0
        self._confirmed, self._gap_is_open = True, False
        self._tell(LiveChange(self.state, self.lost, 0, told))
        self._share(gap)

    async def confirm(self) -> None:
        """Part of keeping the stream: what may be old is to be read again."""
        if self.state is LiveState.LIVE:
            await self.values.read_again(lambda: self.state is LiveState.LIVE)
            self._wake()

    def end(self, error: MxGatewayError | None) -> None:
        if self.state is LiveState.CLOSED:
            return
        self.tracker.lose()
        self._set_state(LiveState.CLOSED, error)
        for subscription in tuple(self._subscriptions):
            subscription.end(error)
        self.values.end(error or MxGatewaySessionError("the live session was closed"))
        self.callbacks.end(error)

    def _set_state(self, state: LiveState, lost: MxGatewayError | None = None, since: float | None = None) -> None:
        self.lost = lost
        if state is not self.state:
            self.state = state
            self._tell(LiveChange(state, lost, since=since))
            self._wake()

    def _tell(self, change: LiveChange) -> None:
        log_change(self._link, change)
        for listener in tuple(self._listeners):
            listener.put(change)

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def follow_handles(self, changes: Sequence[HandleChange]) -> None:
        for change in changes:
            key = change.server_handle, change.item_handle
            if change.what in ("added", "removed"):
                for event in self._unnamed.pop(key, ()):
                    event.tag = change.name if change.what == "added" else ""
        self.values.follow(changes)
        self.unseen.follow(changes)
        self.callbacks.follow(changes)
        for key in dict.fromkeys((change.server_handle, change.item_handle) for change in changes):
            item = self._link.handles.items.get(key)
            suspended = item is not None and item.suspended
            if suspended != (key in self._suspended):
                self._suspended ^= {key}
                told = LiveChange(self.state, self.lost, since=clock.monotonic(), item=key, suspended=suspended)
                self._tell(told)
        self._wake()

    def raise_if_closed(self) -> None:
        """Raise what the session was lost to for good, or that it was closed here."""
        if self.state is LiveState.CLOSED:
            raise self.lost or MxGatewaySessionError("the live session is closed")

    # For those who look.

    def latest(self, server_handle: int, item_handle: int) -> LiveValue | None:
        """The latest value of an item; None before its first data change, and when it is not advised."""
        return self.values.latest((server_handle, item_handle))

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

    def unseen_write(self, server_handle: int, item_handle: int) -> UnseenWrite | None:
        """The latest write of an item whose effect has not been seen since; None where there is none.

        While there is one, what :meth:`latest` gives is a value from before the write. Every write counts that went
        through the client, by whichever of its methods, except one that was refused. It is over with the first data
        change that came after it and has the value written, or that came after its completion; and with its
        completion where the value written was held already. Not every write shows: an object may take a command and
        reset it before a change is reported.
        """
        return self.unseen.of((server_handle, item_handle))

    def mark(self) -> int:
        """From where on a value counts as new, for :meth:`LiveValue.is_new`: what has been seen since the first write
        that was sent after the last check (:meth:`checked`), else since now.

        Who is about to send a write awaits :meth:`LiveSession.caught_up` first, and who asks for a mark asks for a
        :meth:`LiveSession.fresh_mark`: what has arrived already is then seen, and so before it.
        """
        return self.values.number if self.unseen.mark is None else self.unseen.mark

    def checked(self) -> None:
        """Something was checked: the next write that is sent begins anew what is :meth:`mark`. ``wait_for`` does it."""
        self.unseen.is_checked = True

    async def changed(self) -> None:
        """Waits for the next event or change of state."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    def changes(self, *, queue_size: int = DEFAULT_CHANGES) -> Changes:
        """Every change of state, every gap and every item that is suspended from this call on, until the session is
        closed or lost for good. It begins with the state where that is not live."""
        listener = Changes(queue_size)
        if self.state is not LiveState.LIVE:
            listener.put(LiveChange(self.state, self.lost))
        if self.state is not LiveState.CLOSED:
            self._listeners.add(listener)
        return listener


def _gap_event(last: int, oldest: int, at: float) -> MxEvent:
    """What stands for subscribers in the place of events that are lost."""
    return MxEvent(EventHeader(replay_gap=ReplayGap(last, oldest)), 0, received_at=at)
