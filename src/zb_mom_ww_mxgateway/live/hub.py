"""The events of a live session: its state, what came, what was lost, and who gets it."""

import asyncio
import weakref
from collections.abc import Callable, Sequence

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import MxGatewayError, MxGatewaySessionError, MxGatewayTransportError
from zb_mom_ww_mxgateway.live.cache import ValueCache
from zb_mom_ww_mxgateway.live.change_callbacks import ChangeCallbacks
from zb_mom_ww_mxgateway.live.reports import log_completion, report_change, report_rebuilt
from zb_mom_ww_mxgateway.live.state_changes import Changes
from zb_mom_ww_mxgateway.live.subscription import Overflow, Subscribers, Subscription
from zb_mom_ww_mxgateway.live.tag_items import TagItems
from zb_mom_ww_mxgateway.live.unseen_writes import UnseenWrites
from zb_mom_ww_mxgateway.live.values import LiveChange, LiveState, LiveValue, UnseenWrite
from zb_mom_ww_mxgateway.live.write_tracker import WriteTracker
from zb_mom_ww_mxgateway.models.events import EventFamily, EventHeader, MxEvent, ReplayGap
from zb_mom_ww_mxgateway.models.handles import HandleChange
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.transport.urgency import Urgency

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
        """Sequence of the last event, in the session as it is now."""
        self.events: int = 0
        """Events received, each once."""
        self.last_event_at: float = float("-inf")
        """When the last event arrived at this machine, to be read then or later, in seconds of :func:`clock.monotonic`.
        It is taken in, and so is all that arrived before it."""
        self.repeated: int = 0
        """Events received again, as a resumed stream may bring them; they are not passed on."""
        self.gaps: int = 0
        """Times that events were lost, a lost session included."""
        self.lost_events: int = 0
        """Events lost, as far as the sequences tell."""
        self._has_uncounted_gap = False
        self.resumes = 0
        """Attempts to resume the stream."""
        self.rebuilds: int = 0
        """Sessions opened in place of a lost one."""
        self.round_trip: float | None = None
        """Seconds that the last sign of life took."""
        self.in_doubt: asyncio.Event = asyncio.Event()
        """Set while values held may be old; the supervisor then has them read again."""
        self.tags: TagItems = TagItems(session, self.raise_if_closed)
        self.values: ValueCache = ValueCache(session)
        self.callbacks: ChangeCallbacks = ChangeCallbacks(self.tags.advise_tags, self.latest)
        self.values.on_change = self.callbacks.notify
        self.tracker: WriteTracker = WriteTracker(link)
        self.unseen: UnseenWrites = UnseenWrites(link, lambda: self.values.number)
        self.urgency: Urgency = link.urgency
        self._link = link
        # Events of items that no reply has named yet.
        self._unnamed: dict[tuple[int, int], list[MxEvent]] = {}
        self._subscriptions = Subscribers()
        self._waiters: set[asyncio.Future[None]] = set()
        # Those who wait for one item each: thousands may, and an event is of one of them.
        self._item_waiters: dict[tuple[int, int], set[asyncio.Future[None]]] = {}
        self._listeners: weakref.WeakSet[Changes] = weakref.WeakSet()
        self._suspended: set[tuple[int, int]] = set()
        self._confirmed = True
        self._gap_is_open = False
        # Until a stream that was resumed brings what is new.
        self._may_repeat = False
        # A time before the machine slept, until events are known to be from after the sleep.
        self._slept_since: float | None = None

    @property
    def lost_is_known(self) -> bool:
        """Whether `lost_events` is the number of all lost events; otherwise more were lost, or may have been."""
        return not self._has_uncounted_gap and not self._gap_is_open

    # What the supervisor reports.

    def take(self, event: MxEvent) -> None:
        """Take the next event of the stream."""
        if event.replay_gap is None and 0 < event.worker_sequence <= self.last_worker_sequence:
            self._count_repeated()
            return
        self.events += 1
        if (late := self.values.lateness(event)) is not None:
            self.last_event_at = event.received_at - late
        self.values.number += 1
        self._may_repeat = False
        if event.replay_gap is not None:
            gap = event.replay_gap
            first_kept = gap.oldest_available_sequence or gap.requested_after_sequence + 1
            lost = max(0, first_kept - gap.requested_after_sequence - 1)
            self._count_gap(lost)
            self._has_uncounted_gap |= not lost and bool(gap.oldest_available_sequence)
            self.last_worker_sequence = max(self.last_worker_sequence, gap.oldest_available_sequence - 1)
            # Where the gateway keeps nothing, only the next event tells how many were lost.
            self._gap_is_open = not gap.oldest_available_sequence
        else:
            # A stream that was resumed before its first event was resumed from the beginning.
            known = self.last_worker_sequence or not self._confirmed
            if known and event.worker_sequence > self.last_worker_sequence + 1:
                self._count_gap(event.worker_sequence - self.last_worker_sequence - 1)
                self._distribute(_gap_event(self.last_worker_sequence, event.worker_sequence, event.received_at))
            elif not self._confirmed and self._slept_since is None:
                # The stream went on where it had stopped.
                self._confirmed = True
                self.values.confirm()
            # The first event of a session does not tell what was lost before it.
            self._has_uncounted_gap |= self._gap_is_open and not known
            self._gap_is_open = False
            self.last_worker_sequence = max(self.last_worker_sequence, event.worker_sequence)
            self._add_tag(event)
            if event.family in (EventFamily.ON_DATA_CHANGE, EventFamily.ON_BUFFERED_DATA_CHANGE):
                self.values.take(event, late or 0.0, self._slept_since)
            else:
                if event.family is EventFamily.ON_WRITE_COMPLETE:
                    log_completion(self._link, event)
                self.tracker.take(event)
            self.unseen.take(event, self.latest(event.server_handle, event.item_handle))
        self._distribute(event)

    def _count_repeated(self) -> None:
        self.repeated += 1
        if not self._may_repeat:
            # Its sequences went back, so it is unknown what else was lost.
            self._count_gap(0)
            self._has_uncounted_gap = True

    def _add_tag(self, event: MxEvent) -> None:
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

    def _distribute(self, event: MxEvent) -> None:
        for subscription in self._subscriptions:
            subscription._put(event)
        _resolve(self._waiters)
        if self._item_waiters:
            _resolve(self._item_waiters.pop((event.header.server_handle, event.header.item_handle), set()))

    def _count_gap(self, lost: int) -> None:
        if not self._gap_is_open:
            self.gaps += 1
        self.lost_events += lost
        self._confirmed = True
        self.values.doubt(missed=True)
        self.tracker.doubt()
        self.unseen.lose()
        self.in_doubt.set()
        self._notify(LiveChange(self.state, self.lost, lost, gap=True))

    def count_missed(self) -> None:
        """Count a gap: the stream broke before its first event, so it is unknown what was lost."""
        if self._link.handles.items:
            self._count_gap(0)
            self._gap_is_open = True

    def set_live(self) -> None:
        """Note that the stream is read, or that the gateway gave a sign of life."""
        self._set_state(LiveState.LIVE)

    def set_stale(self, error: MxGatewayError, since: float | None = None) -> None:
        """Note that the stream is lost, or that the gateway gives no sign of life, `since` when."""
        self._confirmed = False
        self._may_repeat = True
        self.values.doubt(since)
        self._set_state(LiveState.STALE, error, since)

    def note_sleep(self, seconds: float, since: float) -> None:
        """Note that the machine slept, from some time after `since`: all values are stale until confirmed."""
        self._slept_since = since
        self._confirmed = False
        self.values.doubt(since)
        lost = MxGatewayTransportError(f"this machine slept for {seconds:.0f} s", call="stream_events")
        was_live = self.state is LiveState.LIVE
        if was_live:
            self.state, self.lost = LiveState.STALE, lost
        self._notify(LiveChange(self.state, lost, since=since, slept=seconds), is_new_state=was_live)
        self._wake()

    def note_awake(self) -> None:
        """Note that events from now on were sent after the machine slept."""
        self._slept_since = None

    def set_rebuilding(self, error: MxGatewayError) -> None:
        """Note that the session is lost, with all that is still to come of it."""
        self._has_uncounted_gap = True
        self.values.doubt(missed=True)
        self.tracker.lose()
        self.unseen.lose()
        self._set_state(LiveState.REBUILDING, error)

    def note_rebuilt(self, former: str, missing: dict[tuple[int, int], str], lost_at: float, began: float) -> None:
        """Note that another session has replaced the lost one, of the id `former`.

        `missing` says why some items were not restored; `lost_at` is when the session was lost. `began` is the time
        before its first event, by the clock: until then it is unknown what happened.
        """
        not_restored = tuple(f"{self._link.handles.items[key].tag} ({reason})" for key, reason in missing.items())
        self._link.handles.drop(missing)
        for key, reason in missing.items():
            self.values.drop(key)
            self.callbacks.lose(key, reason)
        gap = _gap_event(self.last_worker_sequence, 0, began)
        self.rebuilds += 1
        self.gaps += 1
        self.last_worker_sequence = 0
        self._confirmed, self._gap_is_open = True, False
        report_rebuilt(self._link, former, clock.monotonic() - lost_at, not_restored)
        self._put(LiveChange(self.state, self.lost, 0, not_restored))
        self._distribute(gap)

    async def read_doubtful(self) -> None:
        """Read again the values that may be old."""
        if self.state is LiveState.LIVE:
            await self.values.read_again(lambda: self.state is LiveState.LIVE)
            self._wake()

    def end(self, error: MxGatewayError | None) -> None:
        """End everything that follows the stream: because of `error`, or because it was closed here."""
        if self.state is LiveState.CLOSED:
            return
        self._has_uncounted_gap |= error is not None
        self.tracker.lose()
        self._set_state(LiveState.CLOSED, error)
        for subscription in self._subscriptions:
            subscription._end(error)
        self.values.end(error or MxGatewaySessionError("the live session was closed"))
        self.callbacks.end(error)

    def _set_state(self, state: LiveState, lost: MxGatewayError | None = None, since: float | None = None) -> None:
        self.lost = lost
        if state is not self.state:
            self.state = state
            self._notify(LiveChange(state, lost, since=since), is_new_state=True)
            self._wake()

    def _notify(self, change: LiveChange, *, is_new_state: bool = False) -> None:
        report_change(self._link, change, is_new_state=is_new_state)
        self._put(change)

    def _put(self, change: LiveChange) -> None:
        for listener in tuple(self._listeners):
            listener._put(change)

    def _wake(self) -> None:
        _resolve(self._waiters)
        for waiters in self._item_waiters.values():
            _resolve(waiters)
        self._item_waiters.clear()

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
                self._notify(LiveChange(self.state, self.lost, since=clock.monotonic(), item=key, suspended=suspended))
        self._wake()

    def raise_if_closed(self) -> None:
        """Raise what the session was lost to for good, or that it was closed here."""
        if self.state is LiveState.CLOSED:
            raise self.lost or MxGatewaySessionError("the live session is closed")

    # For its readers.

    @property
    def queued(self) -> int:
        """Events that wait for the readers of all subscriptions."""
        return sum(subscription.waiting for subscription in self._subscriptions)

    def latest(self, server_handle: int, item_handle: int) -> LiveValue | None:
        """Return the latest value of an item; None before its first data change, and when it is not advised."""
        return self.values.latest((server_handle, item_handle))

    def subscribe(
        self,
        wanted: Callable[[MxEvent], bool] = lambda event: True,
        *,
        queue_size: int = DEFAULT_QUEUE,
        overflow: Overflow = Overflow.DROP_OLDEST,
    ) -> Subscription:
        """Subscribe to the events from now on that `wanted` picks.

        At most `queue_size` events wait for the subscriber; `overflow` says what happens then.
        """
        subscription = self._subscriptions.add(wanted, queue_size, overflow)
        if self.state is LiveState.CLOSED:
            subscription._end(self.lost)
        return subscription

    def unseen_write(self, server_handle: int, item_handle: int) -> UnseenWrite | None:
        """Return the latest write of an item whose effect has not been seen since; None where there is none.

        While there is one, :meth:`latest` is a value from before the write. Every write counts that went through the
        client, by any method, except one that was refused. The write is over with the first data change after it that
        has the value written, or that came after its completion; and with its completion where the value written was
        held already. Not every write shows: an object may take a command and reset it before a change is reported.
        """
        return self.unseen.of((server_handle, item_handle))

    def mark(self) -> int:
        """Return the mark after which a value counts as new, for :meth:`LiveValue.is_new`.

        It is that of the first write that was sent after the last check (:meth:`checked`), else that of now. Events
        that have arrived and are not taken in yet count as new: await :meth:`LiveSession.caught_up` before you send a
        write, and take a :meth:`LiveSession.fresh_mark` instead of this one.
        """
        return self.values.number if self.unseen.mark is None else self.unseen.mark

    def came_since_write(self, server_handle: int, item_handle: int) -> list[LiveValue]:
        """Return the values of an item that came since the first write after the last check, oldest first, also those
        that are over: a pulse. There are none after a check (:meth:`checked`), and no arrays among them."""
        return self.unseen.came((server_handle, item_handle))

    def checked(self) -> None:
        """Note a check: the next write that is sent sets a new :meth:`mark`. ``wait_for`` does it by itself."""
        self.unseen.is_checked = True

    async def changed(self) -> None:
        """Wait for the next event or change of state."""
        with self.urgency.raised():
            await _woken_with(self._waiters)

    async def item_changed(self, key: tuple[int, int]) -> None:
        """Wait for the next event of an item, or for a change of state or of handles."""
        waiters = self._item_waiters.setdefault(key, set())
        try:
            with self.urgency.raised():
                await _woken_with(waiters)
        finally:
            if not waiters and self._item_waiters.get(key) is waiters:
                del self._item_waiters[key]

    def changes(self, *, queue_size: int = DEFAULT_CHANGES) -> Changes:
        """Follow every change of state, every gap and every item that is suspended, from this call on.

        It ends when the session is closed or lost for good, and begins with the state where that is not live. At most
        `queue_size` changes wait to be read; then the oldest are dropped.
        """
        listener = Changes(queue_size)
        if self.state is not LiveState.LIVE:
            listener._put(LiveChange(self.state, self.lost))
        if self.state is not LiveState.CLOSED:
            self._listeners.add(listener)
        return listener


async def _woken_with(waiters: set[asyncio.Future[None]]) -> None:
    """Wait until the others in the set are woken."""
    waiter = asyncio.get_running_loop().create_future()
    waiters.add(waiter)
    try:
        await waiter
    finally:
        waiters.discard(waiter)


def _resolve(waiters: set[asyncio.Future[None]]) -> None:
    """Wake all that wait, and empty the set."""
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()


def _gap_event(last: int, oldest: int, at: float) -> MxEvent:
    """Return the event that subscribers get in place of those that were lost."""
    return MxEvent(EventHeader(replay_gap=ReplayGap(last, oldest)), 0, received_at=at)
