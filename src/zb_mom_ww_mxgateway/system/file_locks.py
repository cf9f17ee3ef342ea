"""A lock between processes, which the system lets go when its holder ends in whatever way."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.02


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Holds the lock that goes by this file, which is made and never removed; blocks the thread meanwhile.

    Raises TimeoutError when another has it for `timeout` seconds, and OSError where there can be no lock.
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
    """Whether the lock could be had at once."""
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
    """Elsewhere closing the file does that; Windows takes its time then, and another process would wait for it."""
    if sys.platform == "win32":
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)
