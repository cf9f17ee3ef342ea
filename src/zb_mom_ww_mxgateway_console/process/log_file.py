"""Writes the library's log to a private file."""

import logging
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.system.private_files import make_private_file

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}


class _File(logging.Handler):
    """Appends lines to a regular file. A failure is reported once on standard error, and never raised."""

    def __init__(self, path: str, program: str) -> None:
        super().__init__()
        self._path, self._program = path, program
        self._has_complained = False
        self._number: int | None = None
        formatter = logging.Formatter(
            "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S"
        )
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        try:
            self._number = _opened(Path(path))
        except (OSError, ValueError) as error:
            self._complain(error)

    def emit(self, record: logging.LogRecord) -> None:
        if self._number is None:
            return
        try:
            left = redact(f"{self.format(record)}\n").encode(errors="backslashreplace")
            while left:
                left = left[os.write(self._number, left) :]
        except Exception as error:
            self._complain(error)

    def close(self) -> None:
        """Close the file. Idempotent."""
        number, self._number = self._number, None
        if number is not None:
            with suppress(OSError):
                os.close(number)
        super().close()

    def _complain(self, error: Exception) -> None:
        if self._has_complained:
            return
        self._has_complained = True
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        text = " ".join(redact(f"{self._program}: cannot write the log {self._path!r}: {reason}").split())
        with suppress(OSError, ValueError):
            sys.stderr.write(f"{text}; everything else goes on\n")


def _opened(path: Path) -> int:
    """Open a file for appending; create it for its owner alone. Raise OSError, also for a link, a pipe or a device."""
    if path.is_symlink():
        raise OSError("it is a link; name the file itself")
    make_private_file(path)
    if not path.is_file():
        raise OSError("it is no regular file")
    flags = os.O_WRONLY | os.O_APPEND
    # A link or a pipe may have replaced it since the check: follow neither, and do not block.
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):
        flags |= getattr(os, name, 0)
    number = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError("it is no regular file")
    return number


@contextmanager
def logged(path: str, level: str, program: str) -> Iterator[None]:
    """Append the library's log from `level` (``debug``, ``info``, ``warning``) to a file, while this is open."""
    logger = logging.getLogger("mxgw")
    former, handler = logger.level, _File(path, program)
    logger.setLevel(_LEVELS[level])
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(former)
        handler.close()
