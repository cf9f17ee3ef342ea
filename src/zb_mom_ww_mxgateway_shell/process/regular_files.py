"""Writes files safely: never a pipe that blocks, never through a link that somebody prepared."""

import asyncio
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Literal, TextIO

from zb_mom_ww_mxgateway.system.regular_files import put_in_place
from zb_mom_ww_mxgateway_shell.errors import ShellError

_NO_WAIT = getattr(os, "O_NONBLOCK", 0)


def open_text(path: Path, mode: Literal["a", "w", "x"], *, errors: str = "strict", newline: str = "\n") -> TextIO:
    """Open a file as UTF-8 text.

    Raise ShellError for a pipe or a terminal, which would block until somebody reads it; otherwise raise as ``open``.
    """
    refuse_special(path)

    def opener(name: str, flags: int) -> int:
        # The file may have been replaced since the check: opening a pipe must not block even then.
        number = os.open(name, flags | _NO_WAIT, 0o666)
        if not _never_waits(os.fstat(number).st_mode) or os.isatty(number):
            os.close(number)
            raise _special(path)
        return number

    return open(path, mode, encoding="utf-8", errors=errors, newline=newline, opener=opener)


def refuse_special(path: Path) -> None:
    """Raise ShellError for a pipe, a socket or the like."""
    with suppress(OSError):
        mode = path.stat().st_mode
        if not _never_waits(mode) and not stat.S_ISDIR(mode):
            raise _special(path)


def _never_waits(mode: int) -> bool:
    """Return whether writing never blocks: a file, or a device like /dev/null."""
    return stat.S_ISREG(mode) or stat.S_ISCHR(mode)


def _special(path: Path) -> ShellError:
    return ShellError(f"cannot write {path}: it is a pipe or a terminal; name a file")


def replace(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replace a file as a whole; if that fails, the former one stays. Raise OSError."""
    target = path.resolve()
    # A new file with an unpredictable name: nobody can have prepared a link there.
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        put_in_place(beside, target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise


async def create(path: Path, text: str) -> None:
    """Write a new file, without holding up the event loop; raise ShellError if it exists or cannot be written."""
    await asyncio.to_thread(write_new, path, text.encode())


def write_new(path: Path, data: bytes) -> None:
    """Write a new file as a whole; raise ShellError if it exists or cannot be written."""
    try:
        with path.open("xb") as target:
            target.write(data)
    except FileExistsError:
        raise exists(path) from None
    except OSError as error:
        raise ShellError(f"cannot write {path}: {error.strerror or error}") from error


def exists(path: Path) -> ShellError:
    """Return the error of a file that is there already."""
    return ShellError(f"{path} exists: name another file")
