"""Lock between processes; the system releases it when its holder ends in any way."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.02


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of this file, which is created and never removed; block the thread until it is free.

    Raise TimeoutError if another process holds it for `timeout` seconds, and OSError if the file cannot be locked.
    """
    # Here: most starts lock nothing.
    from filelock import lock_descriptor, unlock_descriptor

    until = time.monotonic() + timeout
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        while not lock_descriptor(handle, blocking=False):
            if time.monotonic() > until:
                raise TimeoutError(f"another process has held {path} for {timeout:g} s")
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            # Closing the file would release the lock too, but on Windows only after a while.
            unlock_descriptor(handle)
    finally:
        os.close(handle)
