"""What a live session does by the names of tags: whatever is needed for it is registered, added and advised."""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, overload

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import (
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayWaitError,
)
from zb_mom_ww_mxgateway.live.change_callbacks import ChangeCallback
from zb_mom_ww_mxgateway.live.hub import EventHub
from zb_mom_ww_mxgateway.live.values import LiveState, LiveValue
from zb_mom_ww_mxgateway.live.write_tracker import WriteOutcome, WriteResult
from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway.values import MxValueInput, NormalValue, normalize

_CLIENT_NAME = "zb-mom-ww-mxgateway"
# Tags that are added and advised in one call.
_CHUNK = 1_000


class LiveTags(EventHub):
    """Subscribing, writing and callbacks by tag, for the live session that this is the ground of."""

    _registering: asyncio.Lock | None = None
    _advising: asyncio.Lock | None = None

    @abstractmethod
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
        """Writes and waits for the outcome."""

    async def first_value(self, item: Item, *, timeout: float | None = None) -> LiveValue:
        """The item's latest value, waited for if none has come yet; MxGatewayWaitError after `timeout` seconds."""
        try:
            async with clock.timeout(timeout) if timeout is not None else nullcontext():
                while (value := self.latest(*item.key)) is None:
                    self._raise_if_closed()
                    await self.changed()
                return value
        except TimeoutError:
            raise MxGatewayWaitError(f"no value of {item.tag} within {timeout:g} s", call="first_value") from None

    def _raise_if_closed(self) -> None:
        if self.state is LiveState.CLOSED:
            raise self.lost or MxGatewaySessionError("the live session is closed")

    # Subscribing.

    async def subscribe_tags(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float | None = None
    ) -> list[Item]:
        """Adds and advises the tags that are not yet, in as few calls as there can be; gives an item for each, in input
        order. Without `server_handle` an item on any will do, and others are added on the first; where there is none,
        it registers.

        Raises MxGatewayCommandError naming every tag that was refused; the others are advised all the same. `timeout`
        is in seconds for each call.
        """
        found, refused = await self.advise_tags(tags, server_handle, timeout=timeout)
        if refused:
            named = ", ".join(f"{tag} ({reason})" for tag, reason in refused.items())
            raise MxGatewayCommandError(f"refused: {named}", call="subscribe_bulk")
        return [found[tag] for tag in tags]

    async def advise_tags(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float | None = None
    ) -> tuple[dict[str, Item], dict[str, str]]:
        """As :meth:`subscribe_tags`: the items by the tags as they were given, and by tag why one was refused."""
        names: dict[str, str] = {}
        for tag in arguments.tags(tags) if isinstance(tags, str) or tags else ():
            names.setdefault(tag_key(tag), tag)
        if not names:
            return {}, {}
        handles = self.session.handles
        refused: dict[str, str] = {}
        # One after another: of two at the same time each would add the tag.
        self._advising = self._advising or asyncio.Lock()
        async with self._advising:
            known = {key: handles.find(tag, server_handle) for key, tag in names.items()}
            new = [tag for key, tag in names.items() if known[key] is None]
            server = await self._registered(server_handle, timeout) if new else 0
            for start in range(0, len(new), _CHUNK):
                chunk = new[start : start + _CHUNK]
                results = await self.session.subscribe_bulk(server, chunk, timeout=timeout)
                for tag, result in zip(chunk, results, strict=True):
                    if result.was_successful:
                        known[tag_key(tag)] = handles.items[server, result.item_handle]
                    else:
                        refused[tag_key(tag)] = result.error_message or "no reason given"
            idle = [item for item in known.values() if item is not None and not item.advised]
            for item in idle:
                await self.session.advise(*item.key, timeout=timeout)
        found = {tag: had for tag in tags if (had := known[tag_key(tag)]) is not None}
        return found, {tag: refused[tag_key(tag)] for tag in tags if tag_key(tag) in refused}

    async def unsubscribe_tags(
        self, tags: Sequence[str], server_handle: int | None = None, *, timeout: float | None = None
    ) -> None:
        """Unadvises and removes the items of tags, on every server handle or on one; their callbacks end. A tag that
        has no item is passed over.

        Raises MxGatewayCommandError naming every tag that was refused; the others are removed all the same.
        """
        names = arguments.tags(tags) if isinstance(tags, str) or tags else ()
        by_server: dict[int, dict[int, str]] = {}
        keys = {tag_key(tag) for tag in names}
        for item in self.session.handles.items.values():
            if tag_key(item.tag) in keys and server_handle in (None, item.server_handle):
                by_server.setdefault(item.server_handle, {})[item.item_handle] = item.tag
        refused = []
        for server, items in by_server.items():
            wanted = list(items)
            for start in range(0, len(wanted), _CHUNK):
                chunk = wanted[start : start + _CHUNK]
                results = await self.session.unsubscribe_bulk(server, chunk, timeout=timeout)
                for handle, result in zip(chunk, results, strict=True):
                    if not result.was_successful:
                        refused.append(f"{items[handle]} ({result.error_message or 'no reason given'})")
        if refused:
            raise MxGatewayCommandError(f"refused: {', '.join(refused)}", call="unsubscribe_bulk")

    async def _registered(self, server_handle: int | None, timeout: float | None = None) -> int:
        """A server handle: the given one, the first there is, or one that is registered now."""
        if server_handle is not None:
            return arguments.whole("server_handle", server_handle)
        self._raise_if_closed()
        self._registering = self._registering or asyncio.Lock()
        async with self._registering:
            for first in self.session.handles.servers:
                return first
            options = self.session.options
            name = (options.client_session_name if options else "") or _CLIENT_NAME
            return await self.session.register(name, timeout=timeout)

    # Writing.

    async def write(
        self,
        tag: str,
        value: MxValueInput,
        *,
        timeout: float = 30.0,
        server_handle: int | None = None,
        user_id: int = 0,
    ) -> WriteResult:
        """Writes a tag and waits for the outcome: at most `timeout` seconds for all of it, except for a write guard.

        What is needed is done first: registering, adding and advising the tag, and waiting for its first value, before
        which MXAccess takes no write. Then as :meth:`write_and_confirm`.

        Raises, with nothing written: MxGatewayCommandError when the tag is refused, MxGatewayWaitError when it has no
        value in time, MxGatewayArgumentError for what cannot be written, and what ``write_and_confirm`` raises.
        """
        arguments.text("tag", tag)
        arguments.seconds("timeout", timeout)
        checked = normalize(value)
        until = clock.monotonic() + timeout
        (item,) = await self._writable([tag], server_handle, timeout)
        left = max(0.001, until - clock.monotonic())
        return await self.write_and_confirm(*item.key, checked, user_id, timeout=left)

    async def _writable(self, tags: Sequence[str], server_handle: int | None, timeout: float) -> list[Item]:
        try:
            async with clock.timeout(timeout):
                items = await self.subscribe_tags(tags, server_handle)
                for item in items:
                    await self.first_value(item)
        except TimeoutError:
            raise MxGatewayWaitError(
                f"write: {', '.join(tags)} had no value within {timeout:g} s, and MXAccess takes no write before one; "
                f"nothing was written",
                call="write",
            ) from None
        return items

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
        """Writes many tags, each with its own outcome, at most `in_flight` at a time; gives the outcomes by tag, in
        input order. There is no order among the writes, and each is one for the write guard.

        What one fails with leaves the others alone: where nothing was sent its outcome is NOT_SENT, and `error` says
        why. `timeout` is in seconds: for adding all the tags and their first values, and then for each write.

        Raises MxGatewayArgumentError, with nothing sent, for a value that cannot be written and a tag that is named
        twice. Cancelling stops the waiting; what was sent by then is sent.
        """
        wanted = _wanted(values)
        arguments.seconds("timeout", timeout)
        arguments.whole("in_flight", in_flight, 1)
        results: dict[str, WriteResult] = {}
        items, refused = await self._prepared(list(wanted), server_handle, timeout)
        turns = asyncio.Semaphore(in_flight)

        async def write(tag: str, item: Item) -> None:
            async with turns:
                try:
                    results[tag] = await self.write_and_confirm(*item.key, wanted[tag], user_id, timeout=timeout)
                except MxGatewayError as error:
                    results[tag] = WriteResult(WriteOutcome.NOT_SENT, error=error)

        async with asyncio.TaskGroup() as tasks:
            for tag in wanted:
                if tag in refused:
                    results[tag] = WriteResult(WriteOutcome.NOT_SENT, error=refused[tag])
                else:
                    tasks.create_task(write(tag, items[tag]))
        return {tag: results[tag] for tag in wanted}

    async def _prepared(
        self, tags: list[str], server_handle: int | None, timeout: float
    ) -> tuple[dict[str, Item], dict[str, MxGatewayError]]:
        """Items that can be written, and why others cannot."""
        items: dict[str, Item] = {}
        refused: dict[str, MxGatewayError] = {}
        try:
            async with clock.timeout(timeout):
                items, reasons = await self.advise_tags(tags, server_handle)
                for tag, reason in reasons.items():
                    refused[tag] = MxGatewayCommandError(f"{tag} was refused: {reason}", call="subscribe_bulk")
                for item in items.values():
                    await self.first_value(item)
        except TimeoutError:
            for tag in tags:
                if tag not in refused and (tag not in items or self.latest(*items[tag].key) is None):
                    refused[tag] = MxGatewayWaitError(f"{tag} had no value within {timeout:g} s", call="write")
        return items, refused

    # Callbacks.

    def on_change(
        self,
        tag: str,
        callback: Callable[[LiveValue], object],
        *,
        server_handle: int | None = None,
        on_error: Callable[[Exception], object] | None = None,
    ) -> ChangeCallback:
        """Calls `callback` with the value that is held, if there is one, and then with every change of the tag, until
        the handle that is returned is closed.

        The tag is registered, added and advised where that is still to be done: many that are asked for in one go in
        one call. Awaiting the handle waits for that, and raises why it could not be. A plain function is called as the
        event comes, and should be quick; of a coroutine function one call after another is awaited. The value goes on
        being the one that is held: its `stale_since` tells later, too, whether it still holds.

        What `callback` raises, and why there are no changes of the tag any more, is told to `on_error`, else to the
        event loop's exception handler, which logs it; the next change is told all the same.
        """
        arguments.text("tag", tag)
        for name, function in (("callback", callback), ("on_error", on_error)):
            if not (callable(function) or (function is None and name == "on_error")):
                raise MxGatewayArgumentError(f"{name} must be a function, not {function!r}")
        self._raise_if_closed()
        return self._callbacks.make(tag, server_handle, callback, on_error)


def _wanted(values: Any) -> dict[str, NormalValue]:
    """What is to be written, by tag; raises MxGatewayArgumentError for what cannot be, and for a tag named twice."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise MxGatewayArgumentError(f"values must be a mapping of tags to values, not {type(values).__name__}")
    wanted: dict[str, NormalValue] = {}
    seen: dict[str, str] = {}
    pairs = values.items() if isinstance(values, Mapping) else values
    for pair in pairs:
        if isinstance(pair, str | bytes) or not isinstance(pair, Sequence) or len(pair) != 2:
            raise MxGatewayArgumentError(f"values must be a mapping, or pairs of a tag and a value, not {pair!r}")
        tag, value = pair
        arguments.text("a tag of values", tag)
        if (other := seen.setdefault(tag_key(tag), tag)) != tag or tag in wanted:
            raise MxGatewayArgumentError(f"{tag} is named twice{f', as {other} too' if other != tag else ''}")
        try:
            wanted[tag] = normalize(value)
        except MxGatewayArgumentError as error:
            raise MxGatewayArgumentError(f"{tag}: {error}") from None
    return wanted
