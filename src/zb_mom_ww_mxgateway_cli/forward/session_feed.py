"""The events of one session, put into the outbox in order, with marks for everything that is missing or in doubt."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import islice

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.live.session import LiveSession
from zb_mom_ww_mxgateway.live.values import LiveChange, LiveState
from zb_mom_ww_mxgateway.models.events import MxEvent, ReplayGap
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_cli.forward.messages import Gap, GapReason, Message, MessageForms
from zb_mom_ww_mxgateway_cli.forward.outbox import Outbox
from zb_mom_ww_mxgateway_cli.forward.progress import SessionItems
from zb_mom_ww_mxgateway_console.render.forms import counted

# Events that wait to be taken, while this process is busy.
_QUEUE = 200_000
# Tags of one call that adds them, or reads them again.
_CHUNK, _READ_CHUNK = 1_000, 500
# Items that may be without a first value before more are added, and how long that is waited for.
_MOST_SILENT, _FIRST_VALUES_SECONDS, _FIRST_VALUES_PAUSE = 2_000, 15.0, 0.02
# Events that are put in a row; then other tasks on the loop get their turn.
_FAIR_SHARE = 256
# Seconds between looks whether values are to be read again.
_READ_PAUSE = 0.5


class SessionFeed:
    """Feeds the outbox from one live session, which must have been made in the same step of the loop."""

    def __init__(
        self,
        live: LiveSession,
        forms: MessageForms,
        outbox: Outbox,
        *,
        after: int = 0,
        most_events: int | None = None,
    ) -> None:
        """`after` is the sequence that the session goes on after; it ends itself after `most_events`."""
        self.events: int = 0
        """Events put into the outbox."""
        self.last: int = after
        """Sequence of the last event that is in the outbox, or marked as missing there."""
        self._live = live
        self._forms = forms
        self._outbox = outbox
        self._after = after
        self._most_events = most_events
        self._session_id = live.session.session_id
        outbox.begin(self._session_id, after)
        self._wake = asyncio.Event()
        self._subscription = live.subscribe(self._wants, queue_size=_QUEUE)
        self._state = live.state
        self._changes = live.changes()
        # Events and marks, in the order of their arrival.
        self._pending: deque[MxEvent | Message] = deque()
        # Whether events may come of items that no reply has named yet.
        self._is_adding = True

    @property
    def is_finished(self) -> bool:
        """Whether there were as many events as wanted."""
        return self._most_events is not None and self.events >= self._most_events

    async def run(
        self,
        tags: Sequence[str],
        on_items: Callable[[SessionItems | None], Awaitable[None]],
        on_refused: Callable[[dict[str, str]], None],
    ) -> MxGatewayError | None:
        """Feed until the session is over; return why, or None when there were as many events as wanted.

        It adds the `tags` that the session does not have, and removes others. `on_items` gets None before known items
        change, and the session's items when they are complete; `on_refused` gets why tags were refused. Raises what
        prevents adding them.
        """
        what = f"going on after sequence {self._after}" if self._after else "a new session"
        mark = self._forms.mark("start", self._session_id, f"forwarding {counted(len(tags), 'tag')}: {what}")
        # Known at the broker from here on: a restart goes on with this session, or marks its loss.
        mark.upto = self._after
        self._outbox.put(mark)
        watching = asyncio.create_task(self._watch(), name="states of the session")
        tasks = [
            asyncio.create_task(self._add(tags, on_items, on_refused), name="adding the tags"),
            asyncio.create_task(self._read_again(), name="reading again what is missing"),
        ]
        for task in tasks:
            task.add_done_callback(lambda _: self._wake.set())
        try:
            while True:
                self._wake.clear()
                if len(self._pending) < _FAIR_SHARE:
                    # The rest stays in its own queue, which is bounded.
                    self._take()
                is_more = self._put_some(_FAIR_SHARE)
                for task in tasks:
                    if task.done():
                        task.result()
                if self.is_finished:
                    return None
                if is_more:
                    await asyncio.sleep(0)
                elif self._live.state is LiveState.CLOSED:
                    self._is_adding = False
                    self._put_all()
                    return self._live.lost or MxGatewayError("the session was closed")
                else:
                    await self._wake.wait()
        finally:
            for task in (*tasks, watching):
                task.cancel()
            await asyncio.wait([*tasks, watching])
            for task in tasks:
                # The first failure is raised already.
                with suppress(asyncio.CancelledError, MxGatewayError):
                    task.result()

    def _wants(self, event: MxEvent) -> bool:
        self._wake.set()
        return True

    # From the session to what is pending.

    def _take(self) -> None:
        self._pending.extend(self._subscription.take())

    async def _watch(self) -> None:
        async for change in self._changes:
            self._take()
            if (mark := self._mark_of(change)) is not None:
                self._pending.append(mark)
            self._wake.set()

    def _mark_of(self, change: LiveChange) -> Message | None:
        at, why = change.since or 0.0, f": {change.lost}" if change.lost else ""
        if change.slept:
            self._state = change.state
            return self._forms.mark("stale", self._session_id, f"{change.lost}: nothing is known of that time", at=at)
        if change.state is self._state:
            return None
        was_live, self._state = self._state is not LiveState.CONNECTING, change.state
        if change.state is LiveState.STALE:
            return self._forms.mark("stale", self._session_id, f"event stream lost{why}", at=at)
        if change.state is LiveState.LIVE and was_live:
            return self._forms.mark("live", self._session_id, "live again", at=at)
        return None

    # From there to the outbox.

    def _put_some(self, most: int) -> bool:
        """Put at most so many; return whether more can be put now."""
        for _ in range(most):
            if not self._pending or self.is_finished:
                return False
            entry = self._pending[0]
            if isinstance(entry, Message):
                self._outbox.put(entry)
            elif entry.replay_gap is not None:
                self._put_gap(entry.replay_gap)
            else:
                key = entry.server_handle, entry.item_handle
                item = self._live.session.handles.items.get(key)
                if item is None and key[1] and self._is_adding:
                    return False  # It arrived before the reply that names its item.
                self._put_event(entry, item.tag if item else "")
            self._pending.popleft()
        return bool(self._pending)

    def _put_all(self) -> None:
        self._take()
        while self._put_some(_FAIR_SHARE):
            pass

    def _put_event(self, event: MxEvent, tag: str) -> None:
        sequence = event.worker_sequence
        if sequence > self.last + 1 and (self.last or self._subscription.dropped):
            lost = sequence - self.last - 1
            self._gap(self.last, sequence, lost, "buffer", f"GAP {lost} events came faster than they could be taken")
        self._outbox.put(self._forms.event(event, tag, self._session_id))
        self.last = max(self.last, sequence)
        self.events += 1

    def _put_gap(self, gap: ReplayGap) -> None:
        after, before = gap.requested_after_sequence, gap.oldest_available_sequence
        if not before:
            text = f"GAP events lost after sequence {after}, how many is unknown until the next event"
            self._gap(after, None, None, "gateway", text)
        elif before > after + 1:
            lost = before - after - 1
            self._gap(after, before, lost, "gateway", f"GAP {lost} events lost (sequence {after + 1} to {before - 1})")
            self.last = max(self.last, before - 1)

    def _gap(self, after: int, before: int | None, lost: int | None, reason: GapReason, text: str) -> None:
        self._outbox.put(self._forms.gap(Gap(self._session_id, after, before, lost, reason, text)))
        self._outbox.stale_tags.update(item.tag for item in self._live.session.handles.items.values())

    # Items.

    async def _add(
        self,
        tags: Sequence[str],
        on_items: Callable[[SessionItems | None], Awaitable[None]],
        on_refused: Callable[[dict[str, str]], None],
    ) -> None:
        handles = self._live.session.handles
        wanted = {tag_key(tag) for tag in tags}
        others = [item.tag for item in handles.items.values() if tag_key(item.tag) not in wanted]
        missing = [tag for tag in tags if handles.find(tag) is None]
        if handles.items and (others or missing):
            await on_items(None)
        for start in range(0, len(others), _CHUNK):
            await self._live.unsubscribe_tags(others[start : start + _CHUNK])
        refused: dict[str, str] = {}
        silent: list[Item] = []
        for start in range(0, len(missing), _CHUNK):
            found, refused_here = await self._live.advise_tags(missing[start : start + _CHUNK])
            refused |= refused_here
            self._wake.set()
            silent = await self._few([*silent, *found.values()])
        self._is_adding = False
        self._wake.set()
        for tag, why in refused.items():
            self._pending.append(self._forms.mark("refused", self._session_id, why, tag=tag))
        if refused:
            on_refused(refused)
        if handles.servers:
            named = {item.item_handle: item.tag for item in handles.items.values()}
            await on_items(SessionItems(self._session_id, next(iter(handles.servers)), named))

    async def _few(self, silent: list[Item]) -> list[Item]:
        """Wait until few of the items are without a first value; return those.

        The gateway ends a session for which more than 10,000 events wait, and each new item brings one at once.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_VALUES_SECONDS):
                while True:
                    silent = [item for item in silent if self._live.latest(*item.key) is None]
                    if len(silent) <= _MOST_SILENT:
                        return silent
                    await asyncio.sleep(_FIRST_VALUES_PAUSE)
        return []  # They may never have one.

    async def _read_again(self) -> None:
        """Read the tags whose last value is missing at the broker, while there is room for them."""
        stale = self._outbox.stale_tags
        handles = self._live.session.handles
        while True:
            await asyncio.sleep(_READ_PAUSE)
            named = list(islice(stale, min(_READ_CHUNK, self._outbox.room)))
            items = [item for item in map(handles.find, named) if item is not None]
            if self._is_adding or self._live.state is not LiveState.LIVE or not named:
                continue
            stale.difference_update({*named} - {item.tag for item in items})
            if not items:
                continue
            try:
                results = await self._live.session.read_bulk(items[0].server_handle, [item.tag for item in items])
            except MxGatewayError:
                continue  # They stay stale. A session that is lost ends by itself.
            # What came meanwhile is newer.
            self._put_all()
            for item, result in zip(items, results, strict=True):
                if item.tag in stale:
                    self._outbox.put(self._forms.read(result, item.key, item.tag, self._session_id))
