"""A function that sees every change of some items, and every doubt about them, in the order of the stream."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Self

from zb_mom_ww_mxgateway.live.cache import Key, ValueCache
from zb_mom_ww_mxgateway.live.values import LiveValue


class ItemObservation:
    """An observation of items, until :meth:`close`. Made by ``live.observe()``; also a context manager."""

    def __init__(self, cache: ValueCache, keys: Sequence[Key], look: Callable[[LiveValue | None], object]) -> None:
        self._look = look
        self._shown = ExitStack()
        for key in dict.fromkeys(keys):
            self._shown.enter_context(cache.shown_to(self, key))
        self.is_active: bool = True
        """Whether the function is still called; False once it was closed."""

    def see(self, value: LiveValue) -> None:
        """Take a value."""
        self._call(value)

    def doubt(self) -> None:
        """Take that it is unknown from now on whether the value of an item still holds."""
        self._call(None)

    def fail(self, error: BaseException) -> None:
        """Take that nothing comes any more."""
        self._call(None)

    def _call(self, value: LiveValue | None) -> None:
        if not self.is_active:
            return
        try:
            self._look(value)
        except (Exception, asyncio.CancelledError) as error:
            # The observer's mistake: the stream and the others go on.
            what = {"message": f"an observer of items failed: {error!r}", "exception": error}
            asyncio.get_running_loop().call_exception_handler(what)

    def close(self) -> None:
        """End it: the function is not called any more. The items stay advised. Idempotent."""
        self.is_active = False
        self._shown.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
