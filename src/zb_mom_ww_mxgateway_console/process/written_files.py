"""Text files that a command line writes: never a pipe that blocks until somebody reads it."""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal, TextIO

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


class SpecialFileError(OSError):
    """The file is a pipe, a terminal or the like."""

    def __init__(self, path: Path) -> None:
        super().__init__(errno.EINVAL, "it is a pipe or a terminal; name a file", str(path))


def open_text(path: Path, mode: Literal["a", "w", "x"], *, errors: str = "strict", newline: str = "\n") -> TextIO:
    """Open a file as UTF-8 text. Raise SpecialFileError as :func:`refuse_special`, else as ``open``."""
    refuse_special(path)

    def opener(name: str, flags: int) -> int:
        # The file may have been replaced since the check: opening a pipe must not block even then.
        number = os.open(name, flags | _NO_WAIT, 0o666)
        if not _never_waits(os.fstat(number).st_mode) or os.isatty(number):
            os.close(number)
            raise SpecialFileError(path)
        return number

    return open(path, mode, encoding="utf-8", errors=errors, newline=newline, opener=opener)


def refuse_special(path: Path) -> None:
    """Raise SpecialFileError for what would block until somebody reads it: a pipe, a socket or the like."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        mode = path.stat().st_mode
        if not _never_waits(mode) and not stat.S_ISDIR(mode):
            raise SpecialFileError(path)


def _never_waits(mode: int) -> bool:
    """Return whether writing never blocks: a file, or a device like /dev/null."""
    return stat.S_ISREG(mode) or stat.S_ISCHR(mode)
