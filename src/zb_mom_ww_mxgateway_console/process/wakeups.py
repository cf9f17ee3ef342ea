"""An event loop that a signal wakes, also one that comes right before the loop begins to wait."""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio


@contextmanager
def woken_by_signals(loop: "asyncio.AbstractEventLoop") -> Iterator[None]:
    """Have each signal wake the loop while this is open.

    Python runs the handler of a signal between two instructions. One that comes right before the loop begins to wait,
    or on another thread, would be handled at the loop's next event, which may be far off.
    """
    # Loops on Windows do it themselves. Only the main thread may, and only one may at a time.
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    receiving, sending = socket.socketpair()
    with receiving, sending:
        receiving.setblocking(False)
        sending.setblocking(False)
        former = signal.set_wakeup_fd(sending.fileno(), warn_on_full_buffer=False)
        if former != -1:
            signal.set_wakeup_fd(former, warn_on_full_buffer=False)
            yield
            return

        def drain() -> None:
            with suppress(BlockingIOError):
                receiving.recv(4096)

        try:
            loop.add_reader(receiving.fileno(), drain)
            yield
        finally:
            loop.remove_reader(receiving.fileno())
            # The loop may have put its own in the place of this one.
            present = signal.set_wakeup_fd(-1)
            if present not in (-1, sending.fileno()):
                signal.set_wakeup_fd(present, warn_on_full_buffer=False)
