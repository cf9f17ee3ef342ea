"""A forwarder: feed, outbox and publisher, its progress, and its end."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zb_mom_ww_mxgateway.client import GatewayClient
from zb_mom_ww_mxgateway_cli.forward.destination import Destination
from zb_mom_ww_mxgateway_cli.forward.gateway_feed import GatewayFeed
from zb_mom_ww_mxgateway_cli.forward.messages import Message, MessageForms
from zb_mom_ww_mxgateway_cli.forward.outbox import Outbox
from zb_mom_ww_mxgateway_cli.forward.progress import Position, Saved, SessionItems, StateFile
from zb_mom_ww_mxgateway_cli.forward.publisher import Connect, Publisher
from zb_mom_ww_mxgateway_cli.forward.topics import Topics

_SAVE_SECONDS = 1.0
# Seconds at the end for the broker to take what waits.
_FLUSH_SECONDS = 5.0

News = Callable[[str, str], None]
"""Gets a word and a text for a person."""


@dataclass()
class Counts:
    """What the broker has acknowledged."""

    events: int = 0
    marks: int = 0
    gaps: int = 0
    lost: int = 0
    """Events that gap marks report as lost; a lower bound unless `lost_is_known`."""
    lost_is_known: bool = True


class Forwarder:
    """Forwards tags of one gateway to one broker."""

    def __init__(
        self,
        client: GatewayClient,
        destination: Destination,
        topics: Topics,
        connect: Connect,
        *,
        tags: Sequence[str],
        state: StateFile | None,
        buffer: int,
        most_events: int | None,
        news: News,
    ) -> None:
        forms = MessageForms(topics.forwarder, client.options.endpoint, topics)
        self.counts = Counts()
        self._state = state
        self._news = news
        self._position: Position | None = None
        self._items: SessionItems | None = None
        # Sessions opened after that of the position.
        self._opened: list[str] = []
        self._outbox = Outbox(buffer, forms.gap)
        self._outbox.on_full = lambda: news("buffer full", "the buffer is full: the oldest messages become a gap")
        self._publisher = Publisher(destination, connect, self._outbox, forms, self._acknowledged, news)
        self._feed = GatewayFeed(
            client,
            tags,
            forms,
            self._outbox,
            name=f"mxgw-py forward {topics.forwarder}",
            keeps_session=state is not None,
            most_events=most_events,
            on_opened=self._keep_session,
            on_items=self._keep_items,
            news=news,
        )
        self._is_new = asyncio.Event()
        self._saving = asyncio.Lock()
        self._save_failed = ""

    @property
    def waiting(self) -> int:
        """Messages that the broker has not acknowledged."""
        return self._publisher.waiting

    def summary(self) -> dict[str, Any]:
        """Return what was done so far."""
        counts = self.counts
        return {
            "acknowledged": counts.events,
            "connections": self._publisher.connections,
            "dropped": self._outbox.dropped,
            "gaps": counts.gaps,
            "lost": counts.lost,
            "lost_is_known": counts.lost_is_known,
            "marks": counts.marks,
            "sessions": self._feed.sessions,
            "waiting": self.waiting,
        }

    async def run(self, duration: float | None, is_ended: asyncio.Event) -> None:
        """Forward until the broker has as many events as wanted, `duration` seconds have passed, or `is_ended` is set.

        After `duration`, and where this is cancelled, the broker has five seconds to take the rest. Raises what no
        other attempt can change: a refused key, a broker that refuses the very first message.
        """
        saved = Saved() if self._state is None else await asyncio.to_thread(self._state.read)
        self._position, self._opened = saved.position, list(saved.opened)
        feed = asyncio.create_task(self._feed_and_deliver(saved), name="feed")
        publisher = asyncio.create_task(self._publisher.run(), name="publisher")
        saver = asyncio.create_task(self._save_for_ever(), name="progress")
        ended = asyncio.create_task(is_ended.wait(), name="end")
        tasks = [feed, publisher, saver, ended]
        try:
            done, _ = await asyncio.wait(tasks, timeout=duration, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _cancelled(feed, ended)
            if not is_ended.is_set():
                await self._flush(publisher)
            await _cancelled(publisher, saver)
            await self._save()
        if not publisher.cancelled():
            publisher.result()

    async def _feed_and_deliver(self, saved: Saved) -> None:
        """Feed as many events as wanted, and wait until the broker has them, or knows that they are lost."""
        await self._feed.run(saved)
        await self._publisher.emptied()

    async def _flush(self, publisher: "asyncio.Task[None]") -> None:
        """Give the broker a while to take what waits."""
        flushing = asyncio.create_task(self._publisher.emptied(), name="flush")
        try:
            await asyncio.wait([flushing, publisher], timeout=_FLUSH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _cancelled(flushing)

    def _acknowledged(self, message: Message) -> None:
        counts = self.counts
        if message.upto is not None:
            if message.session_id in self._opened:
                # Messages are acknowledged in order: what was to be said of the sessions before is said.
                del self._opened[: self._opened.index(message.session_id) + 1]
            self._position = Position(message.session_id, message.upto)
            self._is_new.set()
        if not message.is_mark:
            counts.events += message.upto is not None
            return
        counts.marks += 1
        if message.lost != 0:
            counts.gaps += 1
            counts.lost += message.lost or 0
            counts.lost_is_known = counts.lost_is_known and message.lost is not None

    # Progress.

    async def _keep_session(self, session_id: str) -> None:
        """Note a session on the disk before the broker gets anything of it, so that its loss is never silent."""
        self._opened.append(session_id)
        await self._save()

    async def _keep_items(self, items: SessionItems | None) -> None:
        if items is not None:
            self._items = items
            self._is_new.set()
            return
        # A restart must not add for a second time what is added now: events would come twice, once without a tag.
        self._items = SessionItems("", 0, {})
        await self._save()

    async def _save_for_ever(self) -> None:
        while True:
            await self._is_new.wait()
            self._is_new.clear()
            await self._save()
            await asyncio.sleep(_SAVE_SECONDS)

    async def _save(self) -> None:
        if self._state is None:
            return
        async with self._saving:
            # The items first: a position without them is worth nothing.
            items, position, opened = self._items, self._position, tuple(self._opened)
            writing = asyncio.create_task(asyncio.to_thread(self._write, self._state, items, position, opened))
            try:
                await asyncio.shield(writing)
                self._items = None if self._items is items else self._items
            except asyncio.CancelledError:
                await asyncio.wait([writing])  # The thread goes on: another one must not write at the same time.
                raise
            except OSError as error:
                reason = error.strerror or type(error).__name__
                if reason != self._save_failed:
                    self._save_failed = reason
                    self._news("state", f"the state file cannot be written: {reason}; a restart sends more again")

    @staticmethod
    def _write(
        state: StateFile, items: SessionItems | None, position: Position | None, opened: tuple[str, ...]
    ) -> None:
        if items is not None:
            state.save_items(items)
        state.save(position, opened)


async def _cancelled(*tasks: "asyncio.Task[Any]") -> None:
    """Cancel tasks and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    for task in tasks:
        # What they raised is raised already, or is nothing to this end.
        if not task.cancelled():
            task.exception()
