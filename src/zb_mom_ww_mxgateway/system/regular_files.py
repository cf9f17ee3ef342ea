"""Regular files: read whole without ever blocking, checked for encodings other than UTF-8, and put in their place."""

import codecs
import errno
import os
import stat
import sys
import time
from pathlib import Path

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
# The longer marks first: that of UTF-32 begins with one of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}

# How long a file is waited for that another program has open, and how often it is tried.
_PATIENCE, _PAUSE = 2.0, 0.02
_RESERVED = frozenset(
    ("con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)))
)


def put_in_place(fresh: Path, path: Path) -> None:
    """Give a file the name of another one, which it replaces; raise OSError.

    Windows refuses that while any program has the other one open, as a scanner for viruses or a reader has for a
    moment; so it is tried for two seconds there.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            fresh.replace(path)
        except PermissionError:
            if sys.platform != "win32" or time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
        else:
            return


def is_reserved(name: str) -> bool:
    """Return whether Windows has a device of this name, with any ending: a file of it would not travel there."""
    return name.partition(".")[0].rstrip(" ").casefold() in _RESERVED


def read_bytes(path: Path) -> bytes:
    """Read all of a file; nothing of the null device.

    Raises OSError, also for what is no regular file: a pipe would block until something writes to it, and a device may
    have no end.
    """

    def opener(name: str, flags: int) -> int:
        number = os.open(name, flags | _NO_WAIT)
        found = os.fstat(number)
        if not (stat.S_ISREG(found.st_mode) or _is_null(found)):
            os.close(number)
            is_folder = stat.S_ISDIR(found.st_mode)
            code, why = (
                (errno.EISDIR, os.strerror(errno.EISDIR)) if is_folder else (errno.EINVAL, "it is no regular file")
            )
            raise OSError(code, why, str(path))
        return number

    with open(path, "rb", opener=opener) as file:
        return file.read()


def _is_null(found: os.stat_result) -> bool:
    """Return whether it is the null device, which is a usual name for an empty file."""
    try:
        return stat.S_ISCHR(found.st_mode) and os.path.samestat(found, os.stat(os.devnull))  # noqa: PTH116  # no Path
    except OSError:  # Windows has no device numbers.
        return False


def other_encoding(content: bytes) -> str:
    """Return the encoding of a file's content in words if it is not UTF-8; empty if it may be UTF-8."""
    marked = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "")
    # In UTF-16, every other byte of plain letters is zero.
    is_wide = any(content[first : first + 4 : 2] == b"\0\0" for first in (0, 1))
    return marked or ("UTF-16 without a mark, or binary" if is_wide else "")
