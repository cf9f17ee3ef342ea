"""A watch on calls that do not return: everything of the gateway waits for them."""

import signal
import sys
import threading
import time
from collections.abc import Callable

from zb_mom_ww_mxgateway_sim.logic.declarations import name_of, place_of

_PATIENCE = 1.0
_SLOW, _SLOW_CALLS = 0.2, 5
_REMEDY = "return at once, and let plant.after do what comes later"
_LOOK_EVERY = 0.25
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]


class CallInterrupted(BaseException):
    """A signal came during the call. Not an Exception: a call that repeats what fails must not catch it."""


class Watchdog:
    """Reports, once for each function, that it does not return within a second, or is slow again and again."""

    def __init__(self, report: Callable[[str], None]) -> None:
        """``report`` is called with one line, also from a thread."""
        self._report = report
        self._reported: set[Callable[..., object]] = set()
        self._slow: dict[Callable[..., object], int] = {}
        self._running: tuple[Callable[..., object], float] | None = None
        self._stopped = threading.Event()
        self._watched = threading.get_ident()

    def start(self) -> None:
        """Watch the calls of this thread."""
        self._watched = threading.get_ident()
        threading.Thread(target=self._watch, name="mxgw-sim plant watchdog", daemon=True).start()

    def stop(self) -> None:
        """End the watch. Idempotent."""
        self._stopped.set()

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call the function. Raise what it raises, or CallInterrupted; the signal is delivered again afterwards."""
        began = time.monotonic()
        self._running = (function, began)
        try:
            _interruptibly(function, *arguments)
        finally:
            self._running = None
            if time.monotonic() - began >= _SLOW:
                self._count_slow(function)

    def _count_slow(self, function: Callable[..., object]) -> None:
        # One slow call may be the machine's.
        times = self._slow[function] = self._slow.get(function, 0) + 1
        if times == _SLOW_CALLS and function not in self._reported:
            self._reported.add(function)
            self._report(
                f"{place_of(function)}: {name_of(function)} has taken over {_SLOW:g} s {times} times, and the "
                f"gateway stands still meanwhile; {_REMEDY}"
            )

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY):
            running = self._running
            if running is None or time.monotonic() - running[1] < _PATIENCE or running[0] in self._reported:
                continue
            self._reported.add(running[0])
            self._report(
                f"{self._place(running[0])}: {name_of(running[0])} has not returned for {_PATIENCE:g} s, and the "
                f"gateway stands still until it does; {_REMEDY}"
            )

    def _place(self, function: Callable[..., object]) -> str:
        """Return where the function is now."""
        place = place_of(function)
        file = place.rpartition(":")[0]
        frame = sys._current_frames().get(self._watched)
        while frame is not None:
            if frame.f_code.co_filename == file:
                return f"{file}:{frame.f_lineno}"
            frame = frame.f_back
        return place


def _interruptibly(function: Callable[..., object], *arguments: object) -> None:
    """Call the function, and let the signals that end a program end the call: a loop's own handlers wait for it."""
    if threading.current_thread() is not threading.main_thread():
        function(*arguments)
        return
    came: list[int] = []
    is_running = True

    def interrupt(number: int, _: object) -> None:
        came.append(number)
        if is_running:
            raise CallInterrupted

    # Handlers that are not Python's, and those that end the program at once, stay.
    former = {number: handler for number in _ENDING if callable(handler := signal.getsignal(number))}
    for number in former:
        signal.signal(number, interrupt)
    try:
        try:
            function(*arguments)
        finally:
            is_running = False
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)
