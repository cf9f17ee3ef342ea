"""Lock between processes; the system releases it when its holder ends in any way."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.02
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of this file, which is created and never removed; block the thread until it is free.

    Raise TimeoutError if another process holds it for `timeout` seconds, and OSError if the file cannot be locked.
    """
    handle = lock(path, timeout)
    try:
        yield
    finally:
        unlock(handle)


def lock(path: Path | str, timeout: float) -> int:
    """Take the lock of a file as :func:`locked` does; return what :func:`unlock` takes."""
    # Here: most starts lock nothing.
    from filelock import lock_descriptor

    until = time.monotonic() + timeout
    handle = os.open(path, _FLAGS, 0o600)
    try:
        while not lock_descriptor(handle, blocking=False):
            if time.monotonic() > until:
                raise TimeoutError(f"another process has held {path} for {timeout:g} s")
            time.sleep(_PAUSE)
    except BaseException:
        os.close(handle)
        raise
    return handle


def unlock(handle: int) -> None:
    """Give back a lock."""
    from filelock import unlock_descriptor

    try:
        # Closing the file would release the lock too, but on Windows only after a while.
        unlock_descriptor(handle)
    finally:
        os.close(handle)
