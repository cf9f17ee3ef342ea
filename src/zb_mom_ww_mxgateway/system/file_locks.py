"""Lock between processes; the system releases it when its holder ends in any way."""

import os
import sys
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
    until = time.monotonic() + timeout
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        while not _taken(handle):
            if time.monotonic() > until:
                raise TimeoutError(f"another process has held {path} for {timeout:g} s")
            time.sleep(_PAUSE)
        try:
            yield
        finally:
            _let_go(handle)
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    """Take the lock if it is free; return whether it was."""
    if sys.platform == "win32":
        import msvcrt

        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _let_go(handle: int) -> None:
    """Release the lock. Closing the file does so too, but on Windows only after a while."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
