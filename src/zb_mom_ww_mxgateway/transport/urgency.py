"""Who waits for what comes next: between the event loop and the thread that reads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Urgency:
    """Counts who waits for what comes next: until nobody does, a reading thread lets nothing gather.

    It is counted on the event loop, and asked in the thread.
    """

    def __init__(self) -> None:
        self._count = 0
        self.is_raised: threading.Event = threading.Event()
        """Set while somebody waits."""

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Count one who waits, within a ``with`` block."""
        self._count += 1
        self.is_raised.set()
        try:
            yield
        finally:
            self._count -= 1
            if not self._count:
                self.is_raised.clear()
