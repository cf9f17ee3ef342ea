"""Lock between processes; the system releases it when its holder ends in any way."""

import os
import sys
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
    until = time.monotonic() + timeout
    handle = os.open(path, _FLAGS, 0o600)
    try:
        while not _is_taken(handle):
            if time.monotonic() > until:
                raise TimeoutError(f"another process has held {path} for {timeout:g} s")
            time.sleep(_PAUSE)
    except BaseException:
        os.close(handle)
        raise
    return handle


def unlock(handle: int) -> None:
    """Give back a lock."""
    try:
        # Closing the file would release the lock too, but on Windows only after a while.
        _give_back(handle)
    finally:
        os.close(handle)


# Both systems' locks are those of the package filelock. To load it takes a tenth of the start of a run, and all that it
# does on this one is flock.
if sys.platform == "win32":

    def _is_taken(handle: int) -> bool:
        from filelock import lock_descriptor  # Lazy: most starts lock nothing.

        return lock_descriptor(handle, blocking=False)

    def _give_back(handle: int) -> None:
        from filelock import unlock_descriptor

        unlock_descriptor(handle)

else:
    import fcntl
    from errno import EACCES, EAGAIN

    def _is_taken(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (EACCES, EAGAIN):  # Some file systems say EACCES where another one has it.
                return False
            raise
        return True

    def _give_back(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
