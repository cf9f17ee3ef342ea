"""A session that stays alive: one event stream shared by all, and the latest value of every item.

A session has one event stream, and the gateway faults the session when it is not read. So one reader reads it
always, and all others subscribe here.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self, overload

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.forwarding import ForwardedMethod
from zb_mom_ww_mxgateway.live.change_callbacks import ChangeCallback
from zb_mom_ww_mxgateway.live.command_gate import CommandGate
from zb_mom_ww_mxgateway.live.hub import EventHub
from zb_mom_ww_mxgateway.live.reports import reported_queues
from zb_mom_ww_mxgateway.live.supervisor import SessionSupervisor
from zb_mom_ww_mxgateway.live.tag_items import TagItems
from zb_mom_ww_mxgateway.live.tag_writer import TagWriter
from zb_mom_ww_mxgateway.live.value_reader import ValueReader
from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue
from zb_mom_ww_mxgateway.live.write_tracker import WriteResult
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.values import MxValueInput

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.client import GatewayClient


class LiveSession:
    """Keeps a session usable for hours, reads its one stream and shares it. Made by :meth:`open`.

    When the stream breaks, it is resumed where it stopped. When the session is lost, another one is opened and given
    the same registrations and items, behind the same handles. Meanwhile every value is marked stale, and nothing that
    changes the plant is sent. Closing it closes the session.

    For example::

        async with await LiveSession.open(client) as live:
            (item,) = await live.subscribe_tags(["TestChildObject.TestInt"])
            value = await live.first_value(item, timeout=15)
            print(value.value, value.quality_word, value.age)
            result = await live.write("TestChildObject.TestInt", 5)
            print(result.outcome)
            async with live.on_change("TestChildObject.TestInt", lambda value: print(value.tag, value.value)):
                await live.wait_for("TestChildObject.TestInt", lambda value: value == 5, timeout=10)
    """

    def __init__(self, session: Session, *, rebuild: bool = True, after: int = 0) -> None:
        """Begin to read the session's stream, as :meth:`open` does, which also waits until it is live.

        `after` goes on with a session that was read elsewhere: it is the last sequence seen there. What was missed
        since comes first; what the gateway has no more of is a gap. Subscribe before you await anything.
        """
        self._session = session
        # Its parts follow streams, handles and losses of the session, which users of a session need not see.
        self._link = link = session._link
        self._hub = EventHub(session, link)
        self._hub.last_worker_sequence = after
        self._tags = self._hub.tags
        self._supervisor = SessionSupervisor(self._hub, session, link, rebuild=rebuild)
        self._reader = ValueReader(self._hub, session, self._supervisor)
        self._writer = TagWriter(self._hub, link, self._reader)
        self._observers = (self._hub.tracker, self._hub.unseen, CommandGate(self._hub, link, self._supervisor))
        self._is_leaving = False
        self._reading = asyncio.create_task(self._read(), name=f"events of {session.session_id}")
        for observer in self._observers:
            link.transport.observers.add_weakly(observer)
        link.on_handle_changes = self._hub.follow_handles

    @classmethod
    async def open(cls, client: "GatewayClient", session: Session | None = None, *, rebuild: bool = True) -> Self:
        """Return a live session on `session`, or on one that it opens, when it is live.

        Nothing else may read that session's stream. Of a session that was opened elsewhere, only what is added from
        now on is known, and restored after a loss. Without `rebuild` a lost session is the end. Raises
        MxGatewayTransportError when it is not live within ``ClientOptions.connect_timeout``, and what the session was
        lost to for good.
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
                    advice=live.lost.advice if live.lost else "",
                ) from None
            raise
        return live

    async def _read(self) -> None:
        try:
            async with reported_queues(self._link, self._supervisor.waiting, lambda: self._hub.queued):
                reason = await self._supervisor.run()
            self._hub.end(reason)
        except asyncio.CancelledError:
            # By aclose(), or with the loop that it belongs to.
            self._hub.end(None if self._is_leaving else MxGatewaySessionError("the live session was cancelled"))
            raise
        except Exception as error:
            self._hub.end(MxGatewayError(f"reading the event stream failed: {error!r}"))
            raise

    # State.

    @property
    def session(self) -> Session:
        """The session: the same object for good; its session id changes when the session is rebuilt."""
        return self._session

    @property
    def state(self) -> LiveState:
        """What holds of the values now."""
        return self._hub.state

    @property
    def lost(self) -> MxGatewayError | None:
        """Why the stream or the session was lost, while it is."""
        return self._hub.lost

    @property
    def last_worker_sequence(self) -> int:
        """Sequence of the last event, in the session as it is now; 0 before the first."""
        return self._hub.last_worker_sequence

    @property
    def events(self) -> int:
        """Events received, each counted once."""
        return self._hub.events

    @property
    def repeated(self) -> int:
        """Events received again, as a resumed stream may bring them; no subscriber gets those."""
        return self._hub.repeated

    @property
    def gaps(self) -> int:
        """Times that events were lost, a lost session included."""
        return self._hub.gaps

    @property
    def lost_events(self) -> int:
        """Events lost, as far as the sequences tell; a lower bound unless `lost_is_known`."""
        return self._hub.lost_events

    @property
    def lost_is_known(self) -> bool:
        """Whether `lost_events` is the number of all lost events; otherwise more were lost, or may have been."""
        return self._hub.lost_is_known

    @property
    def resumes(self) -> int:
        """Attempts to resume the stream."""
        return self._hub.resumes

    @property
    def rebuilds(self) -> int:
        """Sessions opened in place of a lost one."""
        return self._hub.rebuilds

    @property
    def round_trip(self) -> float | None:
        """Seconds that the last sign of life took; None before the first."""
        return self._hub.round_trip

    @property
    def marked_at(self) -> float | None:
        """When the write was sent that :meth:`mark` goes back to, in seconds of :func:`clock.monotonic`; None where
        there is none."""
        return self._hub.unseen.marked_at

    ready: Final = ForwardedMethod("_reader", ValueReader.ready)
    changed: Final = ForwardedMethod("_hub", EventHub.changed)
    changes: Final = ForwardedMethod("_hub", EventHub.changes)

    # Items and events.

    subscribe_tags: Final = ForwardedMethod("_tags", TagItems.subscribe_tags)
    advise_tags: Final = ForwardedMethod("_tags", TagItems.advise_tags)
    unsubscribe_tags: Final = ForwardedMethod("_tags", TagItems.unsubscribe_tags)
    subscribe: Final = ForwardedMethod("_hub", EventHub.subscribe)

    def on_change(
        self,
        tag: str,
        callback: Callable[[LiveValue], object],
        *,
        server_handle: int | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> ChangeCallback:
        """Call `callback` with the value held, if there is one, and with every change of the tag from then on.

        It ends when the handle that is returned is closed. The tag is registered, added and advised where needed: many
        that are asked for together go in one call. Awaiting the handle waits for that, and raises why it failed. A
        plain function is called as the event comes, and should be quick; of a coroutine function one call after
        another is awaited. The value stays the one that is held: its `stale_since` tells later, too, whether it still
        holds.

        `on_error` gets what `callback` raises, and why there are no more changes of the tag; without `on_error` the
        event loop's exception handler gets it, which logs it. The next change is reported all the same.
        """
        arguments.text("tag", tag)
        for name, function in (("callback", callback), ("on_error", on_error)):
            if not (callable(function) or (function is None and name == "on_error")):
                raise MxGatewayArgumentError(f"{name} must be a function, not {function!r}")
        self._hub.raise_if_closed()
        return self._hub.callbacks.make(tag, server_handle, callback, on_error)

    # Values.

    def __getitem__(self, tag: str) -> LiveValue:
        """Return the latest value of a tag, in any letter case; KeyError before its first data change."""
        item = self._session.handles.find(tag)
        value = self.latest(*item.key) if item else None
        if value is None:
            raise KeyError(f"no value of {tag} yet; advise it first")
        return value

    latest: Final = ForwardedMethod("_hub", EventHub.latest)
    first_value: Final = ForwardedMethod("_reader", ValueReader.first_value)
    read: Final = ForwardedMethod("_reader", ValueReader.read)
    wait_for: Final = ForwardedMethod("_reader", ValueReader.wait_for)
    wait_until: Final = ForwardedMethod("_reader", ValueReader.wait_until)
    observe: Final = ForwardedMethod("_reader", ValueReader.observe)
    caught_up: Final = ForwardedMethod("_reader", ValueReader.caught_up)
    heard_within: Final = ForwardedMethod("_reader", ValueReader.heard_within)
    fresh_mark: Final = ForwardedMethod("_reader", ValueReader.fresh_mark)
    mark: Final = ForwardedMethod("_hub", EventHub.mark)
    checked: Final = ForwardedMethod("_hub", EventHub.checked)
    came_since_write: Final = ForwardedMethod("_hub", EventHub.came_since_write)

    # Writes.

    write: Final = ForwardedMethod("_writer", TagWriter.write)
    write_and_confirm: Final = ForwardedMethod("_writer", TagWriter.write_and_confirm)
    write_bulk_and_confirm: Final = ForwardedMethod("_writer", TagWriter.write_bulk_and_confirm)
    unseen_write: Final = ForwardedMethod("_hub", EventHub.unseen_write)
    unsettled_writes: Final = ForwardedMethod("_writer", TagWriter.unsettled_writes)

    # Overloaded, so written here: a forwarded method would show type checkers the first overload alone.

    @overload
    async def write_many(
        self,
        values: Mapping[str, MxValueInput],
        *,
        timeout: float = ...,
        in_flight: int = ...,
        server_handle: int | None = ...,
        user_id: int = ...,
    ) -> dict[str, WriteResult]: ...

    @overload
    async def write_many(
        self,
        values: Iterable[tuple[str, MxValueInput]],
        *,
        timeout: float = ...,
        in_flight: int = ...,
        server_handle: int | None = ...,
        user_id: int = ...,
    ) -> dict[str, WriteResult]: ...

    async def write_many(
        self,
        values: Mapping[str, MxValueInput] | Iterable[tuple[str, MxValueInput]],
        *,
        timeout: float = 30.0,
        in_flight: int = 16,
        server_handle: int | None = None,
        user_id: int = 0,
    ) -> dict[str, WriteResult]:
        """Write many tags, each with its own outcome, at most `in_flight` at a time; return the outcomes by tag.

        They are in input order. There is no order among the writes, and each is one for the write guard. A failure of
        one leaves the others alone: where nothing was sent, its outcome is NOT_SENT and `error` says why. `timeout` is
        in seconds: for adding all the tags and their first values, and then for each write.

        Raises MxGatewayArgumentError, with nothing sent, for a value that cannot be written and a tag that is named
        twice. Cancelling stops the waiting; what was sent by then is sent.
        """
        return await self._writer.write_each(values, timeout, in_flight, server_handle, user_id)

    # Closing.

    async def aclose(self) -> None:
        """Close the session and end every subscription. Idempotent."""
        # Before its session is gone: then it is no failure that a tag is not advised any more.
        self._hub.callbacks.end(None)
        try:
            await self._session.close()
        finally:
            await self._let_go()

    async def detach(self) -> None:
        """End every subscription here, and leave the session open at the gateway. Idempotent.

        Without an event stream the gateway closes a session 30 s later, unless somebody attaches to it.
        """
        self._hub.callbacks.end(None)
        await self._let_go()

    async def _let_go(self) -> None:
        """End everything here; the session stays as it is."""
        self._is_leaving = True
        self._reading.cancel()
        try:
            await self._hub.callbacks.aclose()
            # Not awaited itself: a caller that is cancelled here would cancel it again, while it closes a session.
            if not self._reading.done():
                await asyncio.wait([self._reading])
            # Its error is in `lost` already. An error that is never taken would hold the streams and their connections.
            with suppress(asyncio.CancelledError, Exception):
                self._reading.result()
        finally:
            await self._supervisor.close()
            self._hub.end(None)
            self._link.on_handle_changes = lambda changes: None
            for observer in self._observers:
                self._link.transport.observers.remove(observer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object, exc: BaseException | None, traceback: object) -> None:
        try:
            await self.aclose()
        except Exception as error:
            if exc is None:
                raise
            # The first error is the one to see: it may tell the outcome of a write.
            exc.add_note(f"and closing the session failed: {error}")
