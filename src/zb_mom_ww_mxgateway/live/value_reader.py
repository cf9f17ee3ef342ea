"""Reads and waits of a live session; both take in first all events that have arrived."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import replace
from typing import Any

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError, MxGatewaySessionError, MxGatewayWaitError
from zb_mom_ww_mxgateway.live.hub import EventHub
from zb_mom_ww_mxgateway.live.item_observation import ItemObservation
from zb_mom_ww_mxgateway.live.supervisor import SessionSupervisor
from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue, Reading
from zb_mom_ww_mxgateway.live.wait import Wait
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.system import clock

CATCH_UP_TIMEOUT = 5.0
"""Seconds for the answer that shows what has arrived; it takes a round trip on the connection of the events."""


class ValueReader:
    """Reads values of a live session and waits for them."""

    def __init__(self, hub: EventHub, session: Session, supervisor: SessionSupervisor) -> None:
        self._hub = hub
        self._session = session
        self._supervisor = supervisor

    async def ready(self, *, timeout: float | None = None) -> None:
        """Wait until the session is live.

        Raises MxGatewayWaitError after `timeout` seconds, and what the session was lost to for good.
        """
        try:
            async with clock.timeout(timeout) if timeout is not None else nullcontext():
                while self._hub.state is not LiveState.LIVE:
                    self._hub.raise_if_closed()
                    await self._hub.changed()
        except TimeoutError:
            text = f"not live within {timeout:g} s: {self._hub.lost or 'no answer'}"
            advice = self._hub.lost.advice if self._hub.lost else ""
            raise MxGatewayWaitError(text, call="ready", advice=advice) from None

    async def caught_up(self, *, timeout: float = CATCH_UP_TIMEOUT) -> bool:
        """Take in every event that had arrived at this machine when it was called: await it before you judge a value.

        A process that was stopped (Ctrl-Z, a debugger), a loop that was blocked (a slow disk, ``time.sleep``) or a busy
        machine is behind its own connection: it holds an old value, and the change of it waits in a socket or a buffer.
        This asks the gateway for an answer on the connection of the events, after which nothing older can come. It
        waits until everything before the answer has reached :meth:`latest`, subscriptions and waits. :meth:`read`,
        :meth:`wait_for` and :meth:`write_and_confirm` do it by themselves.

        It takes one round trip; calls at the same time share it. Returns False when the answer did not come within
        `timeout` seconds, or the session is not live: then it is unknown whether a value held still holds.
        """
        if self._hub.state is not LiveState.LIVE:
            return False
        return await self._supervisor.caught_up(timeout) and self._hub.state is LiveState.LIVE

    def heard_within(self, seconds: float) -> bool:
        """Return whether an event that arrived at this machine within so many seconds is taken in, and with it all that
        arrived before: then the values are behind by no more than that, and no :meth:`caught_up` is needed to know."""
        return self._hub.state is LiveState.LIVE and clock.monotonic() - self._hub.last_event_at < seconds

    async def read(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float = 30.0, fresh: bool = False
    ) -> list[Reading]:
        """Return the values of tags, in input order.

        Of an advised item it is the value held, after :meth:`caught_up`. The others, or with `fresh` all, are fetched
        in one call, each in at most `timeout` seconds.

        While the session is not live, or does not answer, a value held has `stale_for`, and a tag without one raises
        MxGatewaySessionError. A value from before a write whose effect has not been seen (:meth:`unseen_write`) has
        `written_for`. `server_handle` is by default the first that was registered; where there is none, it registers.
        """
        arguments.tags(tags)
        arguments.seconds("timeout", timeout, arguments.LONGEST_READ)
        asked_at = clock.monotonic()
        is_sure = await self.caught_up(timeout=min(timeout, CATCH_UP_TIMEOUT))
        readings: dict[int, Reading] = {}
        for index, tag in enumerate(tags):
            item = self._session.handles.find(tag, server_handle)
            value = self._hub.latest(*item.key) if item else None
            if item is None or value is None:
                continue
            # Of a suspended item the gateway has nothing newer.
            is_as_good = value.stale_since is None or self._hub.state is not LiveState.LIVE
            if (item.suspended and self._hub.state is LiveState.LIVE) or (is_as_good and not fresh):
                reading = Reading.held(tag, value, self._hub.unseen_write(*item.key))
                if not is_sure and reading.stale_for is None:
                    reading = replace(reading, stale_for=clock.monotonic() - max(asked_at, value.received_at))
                readings[index] = reading
        missing = [index for index in range(len(tags)) if index not in readings]
        if missing:
            if self._hub.state is not LiveState.LIVE:
                self._hub.raise_if_closed()
                lost = f" ({self._hub.lost})" if self._hub.lost else ""
                raise MxGatewaySessionError(
                    f"read: {tags[missing[0]]} {'cannot be fetched' if fresh else 'is not held'}, "
                    f"and the session is {self._hub.state.value}, not live{lost}",
                    call="read",
                )
            server = await self._hub.tags.registered(server_handle)
            results = await self._session.read_bulk(server, [tags[index] for index in missing], int(timeout * 1000))
            for index, result in zip(missing, results, strict=True):
                readings[index] = Reading.fetched(tags[index], result, self._hub.values.age_of(result))
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
        """Wait until `predicate` of the tag's value has been true for `hold` seconds without a break; return the value.

        It sees every data change; nothing is polled. Only values count that are good, not null and not NaN, or any with
        `any_quality`. A value that may be old never counts, and a gap in the events is a break.

        The value held counts, after :meth:`caught_up`, unless `new` or `mark` is given. With `new`, only a change
        counts that was seen since the first write that this client sent after its last check, or without such a write,
        since a :meth:`fresh_mark` taken now; with `mark`, one seen since that mark was taken. No clock decides that. A
        change that came since that write, before this call, counts even if it is over by now (a pulse), unless `hold`
        is given; but not once more behind another check.
        The first value of a tag that is advised later is no change, as it may be from any time before; nor is a value
        that may have changed while events were lost.

        A tag that is not advised is advised as by :meth:`subscribe_tags`, and stays so; when the time ends before that
        was answered, it may be advised at the gateway alone.

        Raises MxGatewayWaitError (a TimeoutError) with the values seen after `timeout` seconds, what the session was
        lost to, or what `predicate` raises. Cancelling ends the wait alone.
        """
        self._hub.raise_if_closed()
        until = clock.monotonic() + timeout
        if new and mark is None:
            mark = await self.fresh_mark(timeout=timeout)
        item, tag = (tag, tag.tag) if isinstance(tag, Item) else (self._session.handles.find(tag), tag)
        if item is None or not item.advised:
            try:
                async with clock.timeout(until - clock.monotonic()):
                    (item,) = await self._hub.tags.subscribe_tags([tag], item.server_handle if item else None)
            except TimeoutError:
                raise MxGatewayWaitError(f"{tag} was not advised within {timeout:g} s", call="wait_for") from None
        wait = Wait(predicate, hold, any_quality, mark)
        key = item.key
        try:
            with self._hub.values.shown_to(wait, key), self._hub.urgency.raised():
                if mark is not None and hold <= 0:
                    held = self._hub.values.shown(key)
                    wait.see_past([value for value in self._hub.came_since_write(*key) if value is not held])
                return await wait.result(tag, timeout, until, lambda: self._hub.values.shown(key), self._take_all_in)
        finally:
            self._hub.checked()

    async def wait_until(
        self, items: Sequence[Item], judge: Callable[[], object], *, timeout: float, hold: float = 0.0
    ) -> LiveValue:
        """Wait until `judge()`, a condition on several items, has been true for `hold` seconds without a break; return
        the value that came last.

        It is asked after :meth:`caught_up`, at every data change of the items, which must be advised, and at every
        doubt about one of them. It looks at :meth:`latest` itself, and decides whether a stale value counts, a bad one,
        or one that is not new since a mark (``LiveValue.is_new``). Raises, and ends when it is cancelled, as
        :meth:`wait_for` does.
        """
        self._hub.raise_if_closed()
        until, values = clock.monotonic() + timeout, self._hub.values
        keys = list(dict.fromkeys(item.key for item in items))
        if not keys:
            raise MxGatewayArgumentError("wait_until needs at least one item")
        wait = Wait(lambda _: judge(), hold, True, is_joint=True)

        def held() -> LiveValue | None:
            return next((value for key in keys if (value := values.shown(key)) is not None), None)

        what = items[0].tag if len(keys) == 1 else f"the condition on {len(keys)} items, {items[0].tag} first,"
        try:
            with self._hub.urgency.raised(), ExitStack() as stack:
                for key in keys:
                    stack.enter_context(values.shown_to(wait, key))
                return await wait.result(what, timeout, until, held, self._take_all_in)
        finally:
            self._hub.checked()

    def observe(self, items: Sequence[Item], look: Callable[[LiveValue | None], object]) -> ItemObservation:
        """Call `look` with every data change of the items, which must be advised, as it comes, until the observation
        that is returned is closed.

        It is called with None where it becomes unknown whether a value still holds: events were lost, the stream was
        lost, an item was suspended or removed, the session ended. Nothing is missed between two calls. It must be
        quick; an exception that it raises goes to the event loop's exception handler.
        """
        self._hub.raise_if_closed()
        return ItemObservation(self._hub.values, [item.key for item in items], look)

    async def fresh_mark(self, *, timeout: float) -> int:
        """Return :meth:`mark` after :meth:`caught_up`: nothing that has arrived by now counts as new.

        A lost session brings nothing more, and the one in its place is not waited for: its first values are not new
        either, as they may be from before. Raises MxGatewayWaitError when it is unknown within `timeout` seconds what
        has arrived, and what the session was lost to for good.
        """
        try:
            async with clock.timeout(timeout):
                await self._take_all_in(LiveState.REBUILDING)
        except TimeoutError:
            self._hub.checked()
            raise MxGatewayWaitError(
                f"the events that had arrived could not be taken in within {timeout:g} s: it is unknown what is new",
                call="wait_for",
            ) from None
        return self._hub.mark()

    async def _take_all_in(self, unless: LiveState | None = None) -> None:
        """Wait until all that has arrived is taken in, or the session is in the state `unless`.

        Raises what the session was lost to for good.
        """
        while not await self.caught_up() and self._hub.state is not unless:
            self._hub.raise_if_closed()
            if self._hub.state is not LiveState.LIVE:
                await self._hub.changed()

    async def first_value(self, item: Item, *, timeout: float | None = None) -> LiveValue:
        """Return the item's latest value, and wait for it if none has come yet.

        Raises MxGatewayWaitError after `timeout` seconds.
        """
        try:
            async with clock.timeout(timeout) if timeout is not None else nullcontext():
                while (value := self._hub.latest(*item.key)) is None:
                    self._hub.raise_if_closed()
                    await self._hub.item_changed(item.key)
                return value
        except TimeoutError:
            raise MxGatewayWaitError(f"no value of {item.tag} within {timeout:g} s", call="first_value") from None
