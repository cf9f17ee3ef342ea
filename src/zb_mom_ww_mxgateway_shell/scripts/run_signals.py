"""Signals to a run: the first lets the statement in flight end, later ones end it and what follows."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.process.endings import CALLED_OFF, INTERRUPT
from zb_mom_ww_mxgateway_shell.process.signals import on_signals
from zb_mom_ww_mxgateway_shell.scripts.executor import LineRun

T = TypeVar("T")

_HELD_SECONDS = 1.0
"""Within this time another signal is the same key, held down, or the same request, sent twice, as ``timeout``, systemd
and shells do: it does not give up the lines after ``finally``."""
_GRACE_SECONDS = 3.0
"""How long a write may still wait for its answer after SIGTERM and its like: a kill may follow soon."""


class RunSignals:
    """The signals that a run was sent, and the statement in flight that they end."""

    def __init__(self, problem: Callable[[Sequence[str]], None], stop: Callable[[], None]) -> None:
        """`problem` shows lines to the user; `stop` keeps the run from beginning another statement."""
        self._problem = problem
        self._stop = stop
        self._count = 0
        self._last_at = 0.0
        self.in_flight: asyncio.Future[Any] | None = None
        """What a signal ends: a statement, or the wait for the next line; None between them."""
        self.line: LineRun | None = None
        """The statement in flight; None between statements."""
        self.is_looking = False
        """Whether nothing has to be ended with care: a question, a feed without an end, or the wait for a line."""

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear the signals of the process while this is open."""
        with self.interrupts_heard(), on_signals(CALLED_OFF, self.call_off):
            yield

    @contextmanager
    def interrupts_heard(self) -> Iterator[None]:
        """Hear Ctrl-C while this is open."""
        with on_signals(INTERRUPT, self.interrupt):
            yield

    @property
    def came(self) -> bool:
        """Whether a signal came."""
        return self._count > 0

    @property
    def gives_up(self) -> bool:
        """Whether even the lines after ``finally`` are given up."""
        return self._count > 2

    async def ending(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return the result of work that every signal ends at once; None if one did."""
        self.in_flight = task = asyncio.ensure_future(work)
        self.is_looking = True
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self.came or (current is not None and current.cancelling()):
                raise
            return None
        finally:
            self.in_flight, self.is_looking = None, False

    def call_off(self) -> None:
        """Handle a request to end: a kill may follow, or the terminal is gone."""
        now = clock.monotonic()
        is_first = not self._count
        if not is_first and now - self._last_at < _HELD_SECONDS:
            return
        # Never counted as a third: only a key gives up the lines after finally.
        self._count, self._last_at = max(self._count, 1), now
        self._stop()
        if is_first:
            self._problem(["interrupted: waits end now; the lines after finally still run"])
        self.end_in_flight()

    def end_in_flight(self) -> None:
        """End what is in flight: a wait at once, a write after it had a moment for its answer."""
        task = self.in_flight
        writes = self.line is not None and self.line.is_mutating
        if task is not None and not writes:
            task.cancel()
        elif task is not None:
            asyncio.get_running_loop().call_later(_GRACE_SECONDS, lambda: task.done() or task.cancel())

    def interrupt(self) -> None:
        """Handle Ctrl-C."""
        now = clock.monotonic()
        is_held, self._last_at = now - self._last_at < _HELD_SECONDS, now
        if self._count > 1 and is_held:
            return
        self._count += 1
        self._stop()
        if self.in_flight is not None and (self._count > 1 or self.is_looking):
            self.in_flight.cancel()
        elif self._count == 1:
            self._problem(["interrupted: ends after this statement; once more ends it at once"])
        if self._count > 1:
            left = "the lines after finally still run; once more leaves them, too"
            self._problem([left if self._count == 2 else "interrupted: everything is left as it is"])
