"""Files that are read whole, and hold nobody up."""

import errno
import os
import stat
from pathlib import Path

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


def read_bytes(path: Path) -> bytes:
    """All of a file; nothing of the null device. Raises OSError, also for what is no regular file, such as a pipe,
    which would hold up everything until somebody writes to it, or a device without end."""

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
    """Whether it is the null device, which some name in the place of a file that is to be empty."""
    try:
        return stat.S_ISCHR(found.st_mode) and os.path.samestat(found, os.stat(os.devnull))  # noqa: PTH116  # no Path
    except OSError:  # Windows has it, and no numbers of it.
        return False
