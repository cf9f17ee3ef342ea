"""A watch on the calls of a plant's logic, for which everything of the gateway waits."""

import _thread
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType

from zb_mom_ww_mxgateway_sim.logic.declarations import name_of, place_of

_LOOK_EVERY = 0.25
_PATIENCE = 1.0
_LIMIT = 10.0
_SLOW, _SLOW_CALLS = 0.1, 10
_REMEDY = "return at once, and let plant.after do what comes later"
_ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
# A person who looks at a function in one of these takes time.
_DEBUGGERS = ("bdb", "pdb", "pydevd")


class CallInterrupted(BaseException):
    """The call was ended from outside. Not an Exception: a loop that goes on after a failure must not catch it."""


class Watchdog:
    """Reports, once for each function, that it does not return, or is slow again and again.

    On the main thread a call ends after ten seconds, unless it waits outside Python, and by Ctrl-C.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        """``report`` is called with one line, also from a thread."""
        self._report = report
        self._reported: set[Callable[..., object]] = set()
        self._slow: dict[Callable[..., object], int] = {}
        self._running: tuple[Callable[..., object], float] | None = None
        self.is_expired: bool = False
        """Whether the last call was ended because it did not return."""
        # Held while the watch ends a call: it must not end what comes after it.
        self._ending = threading.Lock()
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
        """Call the function. Raise what it raises, an Exception or SystemExit, or CallInterrupted.

        The signals that end a program end a slow call first, because the loop's own handlers wait for it.
        """
        began = time.monotonic()
        self.is_expired = False
        is_running = True
        came: list[int] = []

        def interrupt(number: int, _: FrameType | None) -> None:
            if not self.is_expired:
                if former[number] is signal.SIG_IGN:
                    return
                came.append(number)
                if time.monotonic() - began < _SLOW:
                    return
            if is_running:
                raise CallInterrupted

        former = _handlers() if threading.current_thread() is threading.main_thread() else {}
        for number in former:
            signal.signal(number, interrupt)
        try:
            self._running = (function, began)
            try:
                function(*arguments)
            except (Exception, SystemExit, CallInterrupted):
                raise
            except BaseException as error:
                # Its own KeyboardInterrupt, for example: it must not end the program.
                raise RuntimeError(f"it raised {type(error).__name__}").with_traceback(error.__traceback__) from error
            finally:
                is_running = False
        finally:
            with self._ending:
                self._running = None
            for number, handler in former.items():
                signal.signal(number, handler)
            if time.monotonic() - began >= _SLOW:
                self._count_slow(function)
            for number in came:
                signal.raise_signal(number)

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
            if running is None or time.monotonic() - running[1] < _PATIENCE:
                continue
            function, began = running
            if function not in self._reported:
                self._reported.add(function)
                self._report(
                    f"{self._place(function)}: {name_of(function)} has not returned for {_PATIENCE:g} s, and the "
                    f"gateway stands still until it does; {_REMEDY}"
                )
            if time.monotonic() - began >= _LIMIT and not self._is_debugged():
                self._end(running)

    def _end(self, running: tuple[Callable[..., object], float]) -> None:
        with self._ending:
            if self._running is running and self._watched == threading.main_thread().ident:
                self.is_expired = True
                _thread.interrupt_main()

    def _place(self, function: Callable[..., object]) -> str:
        """Return where the function is now."""
        place = place_of(function)
        file = place.rpartition(":")[0]
        found = next((frame for frame in self._frames() if frame.f_code.co_filename == file), None)
        return f"{file}:{found.f_lineno}" if found else place

    def _is_debugged(self) -> bool:
        names = [str(frame.f_globals.get("__name__")) for frame in self._frames()]
        return any(name.partition(".")[0].startswith(_DEBUGGERS) for name in names)

    def _frames(self) -> list[FrameType]:
        """Return the frames of the watched thread, innermost first."""
        frames: list[FrameType] = []
        frame = sys._current_frames().get(self._watched)
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back
        return frames


def _handlers() -> "dict[int, signal._HANDLER]":
    """Return the handlers of the signals that end a program, without those that end it at once by themselves."""
    found = {number: signal.getsignal(number) for number in _ENDING}
    return {number: handler for number, handler in found.items() if handler not in (None, signal.SIG_DFL)}
