"""Signals that end something, also on loops and systems without signal handlers."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from zb_mom_ww_mxgateway_console.process import endings
from zb_mom_ww_mxgateway_console.process.wakeups import woken_by_signals

T = TypeVar("T")

_CALLED_OFF = frozenset(endings.numbers(endings.CALLED_OFF))
_ending_signals: set[int] = set()


class Interrupted(Exception):
    """A signal ended the work, which has cleaned up."""


class InterruptedInDoubt(Interrupted):
    """A line was interrupted after a write was let through: its outcome is unknown."""


class InterruptedAccepted(InterruptedInDoubt):
    """A line was interrupted after its write was accepted and before its completion: its effect is unknown."""


@contextmanager
def on_signals(names: tuple[str, ...], act: Callable[[], object]) -> Iterator[None]:
    """Call `act` on the running loop when one of the signals comes; restore the former handlers at the end.

    After SIGTERM and its like, another one does not cut short the end that follows.
    """
    loop = asyncio.get_running_loop()

    def on_signal(number: int, _: object) -> None:
        if number in _CALLED_OFF:
            _ending_signals.add(number)
        loop.call_soon_threadsafe(act)

    # Not add_signal_handler: loops on Windows have none.
    former = {number: signal.signal(number, on_signal) for number in endings.numbers(names)}
    try:
        with woken_by_signals(loop):
            yield
    finally:
        for number, handler in former.items():
            is_over = number in _ending_signals and handler is signal.SIG_DFL
            signal.signal(number, signal.SIG_IGN if is_over else handler)


SECOND_SECONDS = 2.0
"""A second signal within this time stops waiting for the work to clean up."""


async def interruptible(
    work: Awaitable[T],
    names: tuple[str, ...],
    too_late: Callable[[], object] = lambda: None,
    *,
    first_came: Callable[[], object] = lambda: None,
) -> T:
    """Await `work` in a task that the signals cancel; raise Interrupted then.

    A second signal within two seconds of the first leaves the work to end by itself. A signal after its end calls
    `too_late`, the first one before it `first_came`: the work may need a moment to clean up.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    abandoned: asyncio.Future[None] = loop.create_future()
    first = float("-inf")

    def signalled() -> None:
        nonlocal first
        if task.done():
            too_late()
            return
        now = loop.time()
        is_second, first = now - first <= SECOND_SECONDS, now
        if not is_second:
            first_came()
            task.cancel()
        elif not abandoned.done():
            # It still cleans up, but nothing waits for it.
            abandoned.set_result(None)

    with on_signals(names, signalled):
        try:
            both: list[asyncio.Future[Any]] = [task, abandoned]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                # Nothing waits for its end: asyncio must not report its error.
                task.add_done_callback(lambda done: done.cancelled() or done.exception())
                raise Interrupted
            return task.result()
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                task.cancel()
                await asyncio.wait([task])
                raise
            raise Interrupted from None
