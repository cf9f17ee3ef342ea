"""Callbacks of tags for programs without an event loop of their own."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Self

from zb_mom_ww_mxgateway import arguments
from zb_mom_ww_mxgateway.errors import MxGatewayArgumentError
from zb_mom_ww_mxgateway.live.change_callbacks import ChangeCallback
from zb_mom_ww_mxgateway.live.session import LiveSession
from zb_mom_ww_mxgateway.live.values import LiveValue
from zb_mom_ww_mxgateway.sync.callback_thread import CallbackThread
from zb_mom_ww_mxgateway.sync.loop_thread import LoopThread


class SyncSubscription:
    """A function that is called with every change of some tags, until :meth:`close`. Made by ``plant.subscribe()``.

    It is called in the session's thread for callbacks, one call after another, and may call the session itself. A
    context manager, too, which closes it.
    """

    def __init__(
        self,
        tags: str | Sequence[str],
        callback: Callable[[LiveValue], object],
        on_error: Callable[[Exception], object] | None,
        owner: object,
        thread: CallbackThread,
        loop: LoopThread,
    ) -> None:
        """`owner` is kept: a session whose values somebody wants is not dropped."""
        self.tags: tuple[str, ...] = (tags,) if isinstance(tags, str) else tuple(arguments.tags(tags))
        """Tags as they were given."""
        self.calls: int = 0
        """Times that the function was called."""
        self.failures: int = 0
        """Exceptions that it raised."""
        self.dropped: int = 0
        """Changes that it did not get, as it was too many behind."""
        self.error: Exception | None = None
        """Last exception: one that the function raised, or why there are no more changes of a tag."""
        for name, function in (("callback", callback), ("on_error", on_error)):
            if not callable(function) and not (function is None and name == "on_error"):
                raise MxGatewayArgumentError(f"{name} must be a function, not {function!r}")
            if inspect.iscoroutinefunction(function):
                raise MxGatewayArgumentError(
                    f"{name} must be a plain function: it is called in a thread, not on a loop"
                )
        self._callback = callback
        self._on_error = on_error
        self._owner = owner
        self._thread = thread
        self._loop = loop
        self._made: list[ChangeCallback] = []
        self._is_active = True

    @property
    def is_active(self) -> bool:
        """Whether the function is still called: it is not closed, and at least one of the tags is still advised."""
        return self._is_active and any(each.is_active for each in self._made)

    async def _begin(self, live: LiveSession, server_handle: int | None) -> None:
        """Begin, on the loop; where one of the tags is refused, there is no callback for any."""
        try:
            for tag in self.tags:
                made = live.on_change(tag, self._take, server_handle=server_handle, on_error=partial(self._lose, tag))
                self._made.append(made)
            for made in self._made:
                await made
        except BaseException:
            self._end()
            raise

    # On the loop: the thread makes the calls.

    def _take(self, value: LiveValue) -> None:
        # A copy: the value that is held goes on changing, in another thread.
        copy = replace(value)
        self._thread.add(lambda: self._call(copy), self._drop)

    def _lose(self, tag: str, error: Exception) -> None:
        self._thread.add(lambda: self._report(error, f"no more changes of {tag}"), lambda: None)

    def _drop(self) -> None:
        self.dropped += 1

    def _end(self) -> None:
        self._is_active = False
        for made in self._made:
            made.close()
        # They refer to this one, which refers to the session.
        self._made.clear()

    # In the thread for callbacks.

    def _call(self, value: LiveValue) -> None:
        if not self._is_active:
            return
        self.calls += 1
        try:
            self._callback(value)
        except BaseException as error:  # SystemExit, too: it would end the thread, and with it all callbacks
            self.failures += 1
            reported = error if isinstance(error, Exception) else RuntimeError(f"the callback raised {error!r}")
            self._report(reported, f"the callback of {value.tag} failed")

    def _report(self, error: Exception, what: str) -> None:
        self.error = error
        if self._on_error is not None:
            try:
                self._on_error(error)
                return
            except BaseException as failure:  # SystemExit, too, as above
                failure.__cause__ = error
                self._loop.report(f"{what}: {failure}", failure)
                return
        self._loop.report(f"{what}: {error}", error)

    # For its owner.

    def close(self) -> None:
        """Call the function no more; a call that runs goes on. The tags stay advised. Idempotent."""
        self._is_active = False
        self._loop.call_soon(self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        more = f" and {len(self.tags) - 1} more" if len(self.tags) > 1 else ""
        return f"<SyncSubscription of {self.tags[0]}{more}{'' if self.is_active else ' closed'}>"
