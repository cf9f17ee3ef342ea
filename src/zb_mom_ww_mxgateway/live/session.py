"""A session that stays alive: one event stream shared by all, and the latest value of every item.

A session has one event stream and the gateway faults the session when nobody reads it. So one reader
reads it always, and everybody else subscribes here.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from zb_mom_ww_mxgateway import arguments, wire
from zb_mom_ww_mxgateway.commands.writes import write_request
from zb_mom_ww_mxgateway.errors import (
    MxAccessError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWaitError,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.supervisor import SessionSupervisor, session_is_gone
from zb_mom_ww_mxgateway.live.tags import LiveTags
from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue, Reading
from zb_mom_ww_mxgateway.live.wait import Wait
from zb_mom_ww_mxgateway.live.write_tracker import WriteOutcome, WriteResult
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.values import MxValueInput

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.client import GatewayClient

# Seconds for a last look at what has come when the time for a completion is over.
_LAST_LOOK = 1.0
CATCH_UP_TIMEOUT = 5.0
"""Seconds for the answer that shows what has arrived; it takes a round trip on the connection of the events."""


class LiveSession(LiveTags):
    """Keeps a session usable for hours, reads its one stream and shares it. Made by :meth:`open`.

    When the stream breaks it is resumed where it stopped; when the session is lost another is opened and given the
    same registrations and items, behind the same handles. Meanwhile every value is marked stale, and nothing that
    changes the plant is sent. Closing it closes the session.

    ::

        async with await LiveSession.open(client) as live:
            (item,) = await live.subscribe_tags(["TestChildObject.TestInt"])
            value = await live.first_value(item, timeout=15)
            print(value.value, value.quality_word, value.age)
            result = await live.write("TestChildObject.TestInt", 5)
            print(result.outcome)
            async with live.on_change("TestChildObject.TestInt", lambda value: print(value.tag, value.value)):
                await live.wait_for("TestChildObject.TestInt", lambda value: value == 5, timeout=10)
    """

    def __init__(self, session: Session, *, rebuild: bool = True) -> None:
        super().__init__(session)
        self._keeper = SessionSupervisor(self, session, rebuild=rebuild)
        self._is_leaving = False
        self._reader = asyncio.create_task(self._read(), name=f"events of {session.session_id}")
        session._link.transport.show_to(self._ledger)
        session._link.transport.show_to(self._unseen)
        session._link.transport.show_to(self)
        session._link.on_handle_changes = self._follow_handles

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
                    advice=live.lost.advice if live.lost else "",
                ) from None
            raise
        return live

    async def _read(self) -> None:
        try:
            self._end(await self._keeper.run())
        except asyncio.CancelledError:
            # By aclose(), or with the loop that it belongs to.
            self._end(None if self._is_leaving else MxGatewaySessionError("the live session was cancelled"))
            raise
        except Exception as error:
            self._end(MxGatewayError(f"reading the event stream failed: {error!r}"))
            raise

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
                endpoint=self.session._link.transport.options.endpoint,
                call=wire.kind_name(request),
                correlation_id=wire.correlation_of(request),
            )

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Part of observing the client's commands: one may be the first to hear that the session is gone."""
        if wire.says_session_is_gone(reply):
            self._grow_uneasy(request)

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Part of observing the client's commands: one that was not answered may have met a dead connection."""
        if isinstance(error, MxGatewayError) and (error.grpc_code == "DEADLINE_EXCEEDED" or session_is_gone(error)):
            self._grow_uneasy(request)

    def _grow_uneasy(self, request: pb.MxCommandRequest) -> None:
        if wire.session_of(request) == self.session.session_id and wire.kind_name(request) != "ping":
            self._keeper.grow_uneasy()

    # Looking.

    def __getitem__(self, tag: str) -> LiveValue:
        """The latest value of a tag, in any letter case; KeyError before its first data change."""
        item = self.session.handles.find(tag)
        value = self.latest(*item.key) if item else None
        if value is None:
            raise KeyError(f"no value of {tag} yet; advise it first")
        return value

    async def ready(self, *, timeout: float | None = None) -> None:
        """Waits until the session is live; raises what it was lost to for good, and MxGatewayWaitError after `timeout`
        seconds."""
        try:
            async with clock.timeout(timeout) if timeout is not None else nullcontext():
                while self.state is not LiveState.LIVE:
                    self._raise_if_closed()
                    await self.changed()
        except TimeoutError:
            said = f"not live within {timeout:g} s: {self.lost or 'no answer'}"
            advice = self.lost.advice if self.lost else ""
            raise MxGatewayWaitError(said, call="ready", advice=advice) from None

    async def caught_up(self, *, timeout: float = CATCH_UP_TIMEOUT) -> bool:
        """Takes in every event that had arrived at this machine when it was called: await it before you judge a value.

        A process that was stopped (Ctrl-Z, a debugger), a loop that was blocked (a slow disk, ``time.sleep``) or a
        machine that was busy is behind its own connection: the value it holds is an old one, and the change of it
        waits in a socket or in a buffer. This asks the gateway for an answer on the connection of the events, behind
        which nothing older can come, and waits until all before it has gone through :meth:`latest`, subscriptions
        and waits. :meth:`read`, :meth:`wait_for` and :meth:`write_and_confirm` do it by themselves.

        Takes one round trip; calls at the same time share it. False when that did not come off within `timeout`
        seconds, or the session is not live: then nobody knows whether a value held still holds.
        """
        if self.state is not LiveState.LIVE:
            return False
        return await self._keeper.caught_up(timeout) and self.state is LiveState.LIVE

    async def read(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float = 30.0, fresh: bool = False
    ) -> list[Reading]:
        """The values of tags, in input order: of an advised item the one that is held, once all that has arrived is
        taken in (:meth:`caught_up`); the others, with `fresh` all, are fetched in one call, each in at most `timeout`
        seconds.

        While the session is not live, or does not answer, what is held is given with `stale_for`, and a tag that is not
        held raises. What was written and not seen since (:meth:`unseen_write`) is given with `written_for`.
        `server_handle` is by default the first that was registered; where there is none, it registers.
        """
        arguments.tags(tags)
        arguments.seconds("timeout", timeout, arguments.LONGEST_READ)
        asked_at = clock.monotonic()
        is_sure = await self.caught_up(timeout=min(timeout, CATCH_UP_TIMEOUT))
        readings: dict[int, Reading] = {}
        for index, tag in enumerate(tags):
            item = self.session.handles.find(tag, server_handle)
            value = self.latest(*item.key) if item else None
            if item is None or value is None:
                continue
            # Of a suspended item the gateway has nothing newer.
            is_as_good = value.stale_since is None or self.state is not LiveState.LIVE
            if (item.suspended and self.state is LiveState.LIVE) or (is_as_good and not fresh):
                reading = Reading.held(tag, value, self.unseen_write(*item.key))
                if not is_sure and reading.stale_for is None:
                    reading = replace(reading, stale_for=clock.monotonic() - max(asked_at, value.received_at))
                readings[index] = reading
        missing = [index for index in range(len(tags)) if index not in readings]
        if missing:
            if self.state is not LiveState.LIVE:
                self._raise_if_closed()
                raise MxGatewaySessionError(
                    f"read: {tags[missing[0]]} {'cannot be fetched' if fresh else 'is not held'}, "
                    f"and the session is {self.state.value}, not live{f' ({self.lost})' if self.lost else ''}",
                    call="read",
                )
            server = await self._registered(server_handle)
            results = await self.session.read_bulk(server, [tags[index] for index in missing], int(timeout * 1000))
            for index, result in zip(missing, results, strict=True):
                readings[index] = Reading.fetched(tags[index], result, self._held.age_of(result))
        return [readings[index] for index in range(len(tags))]

    async def wait_for(
        self,
        tag: str | Item,
        predicate: Callable[[Any], object],
        *,
        timeout: float,
        hold: float = 0.0,
        new: bool = False,
        mark: int | None = None,
        any_quality: bool = False,
    ) -> LiveValue:
        """Waits until `predicate` of the tag's value has been true for `hold` seconds without a break; gives the value.

        It sees every data change, none is skipped; nothing is polled. Only values that are good, not null and not NaN
        count, unless `any_quality`; one that may be old never does, and a gap in the events is a break. The value held
        counts, once all that has arrived is taken in (:meth:`caught_up`), unless `new`: then only a change does that
        was seen since the first write that this client sent after its last check, else since all that had arrived was
        taken in (:meth:`fresh_mark`); or with `mark` since that one was taken. No clock decides that, and the first
        value of a tag that is advised later is no change: it may be from any time before; nor is what may have changed
        while events were lost. A tag that is not advised is, as by :meth:`subscribe_tags`, and stays so; when the time
        is over before that was answered, it may be at the gateway alone.

        Raises MxGatewayWaitError (a TimeoutError) with the values seen after `timeout` seconds, what the session was
        lost to, or what `predicate` raises. Cancelling ends the wait alone.
        """
        self._raise_if_closed()
        until = clock.monotonic() + timeout
        if new and mark is None:
            mark = await self.fresh_mark(timeout=timeout)
        item, tag = (tag, tag.tag) if isinstance(tag, Item) else (self.session.handles.find(tag), tag)
        if item is None or not item.advised:
            try:
                async with clock.timeout(until - clock.monotonic()):
                    (item,) = await self.subscribe_tags([tag], item.server_handle if item else None)
            except TimeoutError:
                raise MxGatewayWaitError(f"{tag} was not advised within {timeout:g} s", call="wait_for") from None
        wait = Wait(predicate, hold, any_quality, mark)
        key = item.key
        try:
            with self._held.shown_to(wait, key):
                return await wait.result(tag, timeout, until, lambda: self._held.shown(key), self._in_time)
        finally:
            self.checked()

    async def fresh_mark(self, *, timeout: float) -> int:
        """As :meth:`mark`, when all that has arrived is taken in: none of it is new, however late it is looked at.

        A session that is lost brings nothing more, and the one in its place is not waited for: its first values are
        not new either, as they may be from before. Raises MxGatewayWaitError when it is not known within
        `timeout` seconds what has arrived, and what the session was lost to for good.
        """
        try:
            async with clock.timeout(timeout):
                await self._in_time(LiveState.REBUILDING)
        except TimeoutError:
            self.checked()
            raise MxGatewayWaitError(
                f"what had arrived before could not be taken in within {timeout:g} s, so nobody knows what is new",
                call="wait_for",
            ) from None
        return self.mark()

    async def _in_time(self, unless: LiveState | None = None) -> None:
        """Waits until all that has arrived is taken in, `unless` the session is found so; raises what it was lost to
        for good."""
        while not await self.caught_up() and self.state is not unless:
            self._raise_if_closed()
            if self.state is not LiveState.LIVE:
                await self.changed()

    # Doing.

    async def write_and_confirm(
        self,
        server_handle: int,
        item_handle: int,
        value: MxValueInput,
        user_id: int = 0,
        *,
        timeout: float = 30.0,
        in_turn: bool = True,
    ) -> WriteResult:
        """Writes and waits for the OnWriteComplete that tells the outcome: at most `timeout` seconds for all of it,
        from when the write guard has said yes.

        While another write to the item is not answered it waits for that, as calls in flight together have no order at
        the gateway and a completion names the item alone; MxGatewayWorkerError, with nothing sent, when `timeout` ends
        before that. Without `in_turn` it is sent at once, and both are in doubt: where their completions do not say
        the same, each is *accepted* and `ambiguous`.

        Raises, with nothing written, when the session is not live, the value cannot be right, or the
        gateway refused the call for another reason than MXAccess's. Never sends again. Cancelling stops
        the waiting, not the write.
        """
        self._raise_if_closed()
        request = write_request(self.session._link, server_handle, item_handle, value, user_id)
        gaps = self.gaps
        with self._ledger.awaiting(request, timeout, self.latest, in_turn=in_turn) as awaited:
            try:
                await self.session.send(request)
            except MxAccessError as error:
                return WriteResult(WriteOutcome.REFUSED, statuses=error.statuses, error=error)
            except MxGatewayError as error:
                if not error.outcome_unknown:
                    raise
                return WriteResult(WriteOutcome.UNKNOWN, error=error)
            accepted = awaited.seconds
            event = await awaited.completion(self.changed, self._all_taken)
            if event is not None:
                outcome = WriteOutcome.REFUSED if event.failed else WriteOutcome.COMPLETED
                return WriteResult(outcome, accepted, awaited.seconds, event.statuses)
            if self.state is LiveState.LIVE and self.gaps == gaps and not awaited.is_lost:
                return WriteResult(WriteOutcome.ACCEPTED, accepted, ambiguous=awaited.is_ambiguous)
            return WriteResult(WriteOutcome.UNKNOWN, accepted, error=self.lost)

    def unsettled_writes(self, since: float) -> int:
        """How many writes sent since then (by :mod:`zb_mom_ww_mxgateway.system.clock`) are not known to have completed
        or to have been refused."""
        return self._ledger.unsettled(since)

    async def _all_taken(self) -> None:
        """Returns when everything that has come by now was looked at; the loop may have been busy, or the process
        stopped."""
        await self.caught_up(timeout=_LAST_LOOK)

    # Closing.

    async def aclose(self) -> None:
        """Closes the session and ends every subscription. Idempotent."""
        # Before its session is gone: that a tag is not advised any more is no failure then.
        self._callbacks.end(None)
        try:
            await self.session.close()
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        """Ends everything here; the session stays as it is."""
        self._is_leaving = True
        self._reader.cancel()
        try:
            await self._callbacks.aclose()
            # Not awaited itself: who is cancelled here would cancel it again, while it closes a session it has opened.
            if not self._reader.done():
                await asyncio.wait([self._reader])
            # Shown already, as `lost`. What is not taken would hold the streams that were read, and their connections.
            with suppress(asyncio.CancelledError, Exception):
                self._reader.result()
        finally:
            await self._keeper.close()
            self._end(None)
            self.session._link.on_handle_changes = lambda changes: None
            for observer in (self._ledger, self._unseen, self):
                self.session._link.transport.unobserve(observer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, exc_type: object, exc: BaseException | None, traceback: object) -> None:
        try:
            await self.aclose()
        except Exception as error:
            if exc is None:
                raise
            # The first error is the one to see: it may say what became of a write.
            exc.add_note(f"and closing the session failed: {error}")
