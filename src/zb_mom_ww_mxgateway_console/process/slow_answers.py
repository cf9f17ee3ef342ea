"""A word about what takes long: a program that waits without one seems to be dead."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, repeat

from zb_mom_ww_mxgateway.system import clock

_SCREEN_SECONDS, _FILE_SECONDS = (3.0, 8.0, 20.0, 30.0), (12.0, 20.0, 30.0)
"""Pauses before each word where a person reads standard error, and where a file does; the last one repeats."""


@contextmanager
def told_while_slow(what: str, tell: Callable[[str], object]) -> Iterator[None]:
    """Within the block, which runs on an event loop: `tell` after some seconds, and again, what it waits for."""
    loop, began = asyncio.get_running_loop(), clock.monotonic()
    seconds = _SCREEN_SECONDS if sys.stderr.isatty() else _FILE_SECONDS
    pauses = chain(seconds, repeat(seconds[-1]))
    timer: asyncio.TimerHandle

    def word() -> None:
        nonlocal timer
        tell(f"{what}: no answer yet after {clock.monotonic() - began:.0f} s")
        timer = loop.call_later(next(pauses), word)

    timer = loop.call_later(next(pauses), word)
    try:
        yield
    finally:
        timer.cancel()
