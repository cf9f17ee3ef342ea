"""A thread that calls functions of the caller's, one after another, away from the event loop."""

import threading
from collections import deque
from collections.abc import Callable

LONGEST_QUEUE = 10_000
"""Calls that wait; one more drops the oldest."""


class CallbackThread:
    """A daemon thread that makes calls in the order in which they were added. It begins with the first one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._waiting: deque[tuple[Callable[[], object], Callable[[], object]]] = deque()
        self._turn = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_open = True

    def add(self, call: Callable[[], object], dropped: Callable[[], object]) -> None:
        """Add a call, which must not raise. `dropped` is called in its place where too many wait."""
        with self._turn:
            if not self._is_open:
                return
            lost = self._waiting.popleft() if len(self._waiting) >= LONGEST_QUEUE else None
            self._waiting.append((call, dropped))
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
                self._thread.start()
            self._turn.notify()
        if lost is not None:
            lost[1]()

    def _serve(self) -> None:
        while True:
            with self._turn:
                while self._is_open and not self._waiting:
                    self._turn.wait()
                if not self._is_open:
                    return
                call, _ = self._waiting.popleft()
            call()
            # It refers to the session, which may be dropped before the next call.
            del call, _

    def close(self) -> None:
        """Make no more calls; one that runs goes on, and is not waited for. Idempotent."""
        with self._turn:
            self._is_open = False
            self._waiting.clear()
            self._turn.notify()
