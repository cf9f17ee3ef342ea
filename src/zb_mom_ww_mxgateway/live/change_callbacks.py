"""Callbacks: functions that are called with every change of a tag."""

import asyncio
import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Self, TypeAlias

from zb_mom_ww_mxgateway.errors import MxGatewayCommandError, MxGatewayError
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.models.handles import HandleChange, Item

# Calls of one coroutine function that wait for the one before.
_WAITING = 1_000
# Tags that are added and advised in one call.
_CHUNK = 1_000

Key = tuple[int, int]
Advise: TypeAlias = Callable[[Sequence[str], int | None], Awaitable[tuple[dict[str, Item], dict[str, str]]]]


class ChangeCallback:
    """A function that is called with every change of one tag, until :meth:`close`. Made by ``live.on_change()``.

    Awaiting it waits until the tag is advised, and raises why it cannot be. It is also an async context manager, which
    closes it. An exception of the function is counted, kept in `error`, and given to the `on_error` it was made with,
    else to the event loop's exception handler, which logs it. The next change is reported all the same.
    """

    def __init__(
        self,
        tag: str,
        server_handle: int | None,
        callback: Callable[[LiveValue], object],
        on_error: Callable[[Exception], object] | None,
        on_close: Callable[["ChangeCallback"], None],
    ) -> None:
        self.tag = tag
        """Tag as it was given."""
        self.item: Item | None = None
        """The tag's item; None until it is advised."""
        self.calls: int = 0
        """Times that the function was called."""
        self.failures: int = 0
        """Exceptions that it raised."""
        self.dropped: int = 0
        """Changes that a coroutine function did not get, as it was too many behind."""
        self.error: Exception | None = None
        """Last exception: one that the function raised, or why there are no changes of the tag."""
        self.is_active: bool = True
        """Whether it is still called; False once it was closed, the tag was refused or its item is gone."""
        self._server_handle = server_handle
        self._callback = callback
        self._on_error = on_error
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._advised: asyncio.Future[None] = self._loop.create_future()
        self._awaiting = 0
        self._waiting: deque[Awaitable[object]] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def server_handle(self) -> int | None:
        """Server handle on which the tag is advised; None for the first there is."""
        return self._server_handle

    def _set_advised(self, item: Item) -> None:
        """Note that its tag is advised."""
        self.item = item
        if not self._advised.done():
            self._advised.set_result(None)

    def _see(self, value: LiveValue) -> None:
        """Call the function with a change."""
        if not self.is_active:
            return
        self.calls += 1
        try:
            result = self._callback(value)
        except (Exception, asyncio.CancelledError) as error:
            self._fail(error)
            return
        if inspect.isawaitable(result):
            self._waiting.append(result)
            if len(self._waiting) > _WAITING:
                self.dropped += 1
                _forget(self._waiting.popleft())
            if self._task is None:
                self._task = self._loop.create_task(self._await_all(), name=f"callback of {self.tag}")

    async def _await_all(self) -> None:
        """Await the calls one after another, so that the function sees the changes in order."""
        try:
            while self._waiting:
                try:
                    await self._waiting.popleft()
                except asyncio.CancelledError as error:
                    task = asyncio.current_task()
                    if task and task.cancelling():
                        raise
                    self._fail(error)  # its own
                except Exception as error:
                    self._fail(error)
        finally:
            self._task = None
            if not self.is_active:
                self._on_close(self)

    @property
    def _is_running(self) -> bool:
        """Whether a coroutine function is being awaited."""
        return self._task is not None

    def _fail(self, error: BaseException) -> None:
        reported = error if isinstance(error, Exception) else RuntimeError(f"the callback raised {error!r}")
        self.failures += 1
        self.error = reported
        self._report(reported, f"the callback of {self.tag} failed")

    def _lose(self, error: Exception) -> None:
        """End it because there are no changes of the tag, or none any more."""
        if self.is_active:
            self.error = error
            if self._advised.done() or not self._awaiting:
                self._report(error, f"no changes of {self.tag}")
            self._never(error)
            self.close()

    def _never(self, error: Exception) -> None:
        if not self._advised.done():
            self._advised.set_exception(error)
            self._advised.exception()  # reported already, or to the task that awaits it

    def _report(self, error: Exception, what: str) -> None:
        if self._on_error is not None:
            try:
                self._on_error(error)
                return
            except Exception as failure:
                failure.__cause__ = error
                error = failure
        self._loop.call_exception_handler({"message": f"{what}: {error}", "exception": error})

    def close(self) -> None:
        """End it: the function is not called any more. The tag stays advised. Idempotent."""
        if self.is_active:
            self.is_active = False
            self._on_close(self)
            while self._waiting:
                _forget(self._waiting.popleft())
            self._never(MxGatewayError(f"the callback of {self.tag} was closed", call="on_change"))

    async def aclose(self) -> None:
        """Close it; a coroutine function that is being awaited is cancelled, and waited for. Idempotent."""
        self.close()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.wait([self._task])

    def __await__(self) -> Generator[Any, None, Self]:
        self._awaiting += 1
        try:
            yield from asyncio.shield(self._advised).__await__()
        finally:
            self._awaiting -= 1
        return self

    async def __aenter__(self) -> Self:
        return await self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<ChangeCallback of {self.tag}{'' if self.is_active else ' closed'}>"


def _forget(awaitable: Awaitable[object]) -> None:
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    elif isinstance(awaitable, asyncio.Future):
        awaitable.cancel()


class ChangeCallbacks:
    """Callbacks of one live session. Tags that are asked for together are advised in one call."""

    def __init__(self, advise: Advise, latest: Callable[[int, int], LiveValue | None]) -> None:
        """`advise` returns the items of tags on a server handle, and why others have none; `latest` the value held."""
        self._advise = advise
        self._latest = latest
        self._by_key: dict[Key, list[ChangeCallback]] = {}
        self._wanted: list[ChangeCallback] = []
        self._all: set[ChangeCallback] = set()
        self._adding: asyncio.Task[None] | None = None

    def make(
        self,
        tag: str,
        server_handle: int | None,
        callback: Callable[[LiveValue], object],
        on_error: Callable[[Exception], object] | None,
    ) -> ChangeCallback:
        """Make a callback, and have its tag advised."""
        made = ChangeCallback(tag, server_handle, callback, on_error, self._forget)
        self._wanted.append(made)
        self._all.add(made)
        if self._adding is None:
            self._adding = asyncio.get_running_loop().create_task(self._add_all(), name="callbacks of tags")
        return made

    async def _add_all(self) -> None:
        try:
            while self._wanted:
                by_server: dict[int | None, list[ChangeCallback]] = {}
                for each in self._wanted:
                    by_server.setdefault(each.server_handle, []).append(each)
                self._wanted = []
                for server, wanted in by_server.items():
                    for start in range(0, len(wanted), _CHUNK):
                        await self._add([each for each in wanted[start : start + _CHUNK] if each.is_active], server)
        finally:
            self._adding = None

    async def _add(self, batch: list[ChangeCallback], server: int | None) -> None:
        if not batch:
            return
        try:
            items, refused = await self._advise([each.tag for each in batch], server)
        except Exception as error:
            for each in batch:
                each._lose(error)
            return
        for each in batch:
            if (item := items.get(each.tag)) is None:
                reason = refused.get(each.tag, "no reason given")
                each._lose(MxGatewayCommandError(f"{each.tag} was refused: {reason}", call="subscribe_bulk"))
            elif each.is_active:
                each._set_advised(item)
                self._by_key.setdefault(item.key, []).append(each)
                # The value that is held already; changes from now on are reported as they come.
                if (value := self._latest(*item.key)) is not None:
                    each._see(value)

    def _forget(self, callback: ChangeCallback) -> None:
        if not callback._is_running:
            self._all.discard(callback)
        if callback.item is not None and callback in (same := self._by_key.get(callback.item.key, [])):
            same.remove(callback)
            if not same:
                del self._by_key[callback.item.key]

    def notify(self, key: Key, value: LiveValue) -> None:
        """Report a change of an item to its callbacks."""
        for callback in tuple(self._by_key.get(key, ())):
            callback._see(value)

    def follow(self, changes: Sequence[HandleChange]) -> None:
        """Follow changes of handles: the callbacks of an item that was removed end."""
        for change in changes:
            keys: Sequence[Key] = ()
            if change.what == "removed":
                keys = [(change.server_handle, change.item_handle)]
            elif change.what == "unregistered":
                keys = [key for key in self._by_key if key[0] == change.server_handle]
            for key in keys:
                for callback in tuple(self._by_key.get(key, ())):
                    callback.close()

    def lose(self, key: Key, reason: str) -> None:
        """End the callbacks of an item that could not be restored in a rebuilt session."""
        for callback in tuple(self._by_key.get(key, ())):
            callback._lose(MxGatewayCommandError(f"{callback.tag} is no more: {reason}", call="subscribe_bulk"))

    def end(self, error: MxGatewayError | None) -> None:
        """End all of them: because of `error`, or because the session was closed here."""
        for callback in tuple(self._all):
            if error is None:
                callback.close()
            else:
                callback._lose(error)

    async def aclose(self) -> None:
        """End every task. Idempotent."""
        if self._adding is not None:
            self._adding.cancel()
            await asyncio.wait([self._adding])
        for callback in tuple(self._all):
            await callback.aclose()
