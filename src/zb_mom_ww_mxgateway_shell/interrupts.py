"""Signals that end something: the same on loops and systems that take no signal handlers."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

ENDING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
"""What ends the whole program."""
INTERRUPT = ("SIGINT",)
"""Ctrl-C."""


class Interrupted(Exception):
    """The work was ended by a signal; what it had to clean up is cleaned up."""


@contextmanager
def on_signals(names: tuple[str, ...], act: Callable[[], object]) -> Iterator[None]:
    """Calls `act` on the running loop when one of the signals comes; restores the handlers that were there."""
    loop = asyncio.get_running_loop()
    former: dict[signal.Signals, Any] = {}
    for name in names:
        number = getattr(signal, name, None)
        if number is not None:
            # Not add_signal_handler: loops on Windows have none.
            former[number] = signal.signal(number, lambda *_: loop.call_soon_threadsafe(act))
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


async def interruptible(work: Awaitable[T], names: tuple[str, ...]) -> T:
    """Awaits `work` as a task of its own, which the signals cancel: Interrupted is then raised."""
    task = asyncio.ensure_future(work)
    with on_signals(names, task.cancel):
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                task.cancel()
                raise
            raise Interrupted from None
