"""Lock between processes; the system releases it when its holder ends in any way."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PAUSE = 0.02
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)

if sys.platform == "win32":

    def _try_lock(handle: int) -> bool:
        from filelock import lock_descriptor  # Lazy: it takes 8 ms to load, and help locks nothing.

        return lock_descriptor(handle, blocking=False)

    def _release(handle: int) -> None:
        from filelock import unlock_descriptor

        unlock_descriptor(handle)

else:
    import errno
    import fcntl

    _HELD = (errno.EWOULDBLOCK, errno.EACCES)
    """What a file system says of a lock that another has; EPERM, from a sandbox, says that there are no locks."""

    def _try_lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                return False
            raise
        return True

    def _release(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)


@contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold the lock of this file, which is created and never removed; block the thread until it is free.

    Raise TimeoutError if another process holds it for `timeout` seconds, and OSError if the file cannot be locked. The
    former names the process where the system tells it.
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
        while not _try_lock(handle):
            if time.monotonic() > until:
                raise TimeoutError(f"{holder_of(path)} has held {path} for {timeout:g} s")
            time.sleep(_PAUSE)
    except BaseException as error:
        os.close(handle)
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = os.fspath(path)  # A descriptor has no name.
        raise
    return handle


def unlock(handle: int) -> None:
    """Give back a lock."""
    try:
        # Closing the file would release the lock too, but on Windows only after a while.
        _release(handle)
    finally:
        os.close(handle)


def holder_of(path: Path | str) -> str:
    """Return in words which process holds the lock of a file, and whether that is stopped, as far as Linux tells."""
    if sys.platform == "linux":
        with suppress(OSError, ValueError):  # A container may not tell.
            file = Path(path).stat()
            place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
            for line in Path("/proc/locks").read_text(encoding="utf-8", errors="replace").splitlines():
                _, kind, _, _, number, where, *_ = line.split()
                if (kind, where) == ("FLOCK", place) and int(number) > 0:
                    stat = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
                    is_stopped = stat.rpartition(")")[2].split()[0] in "Tt"
                    return f"process {number}{' (stopped)' if is_stopped else ''}"
    return "another process"
