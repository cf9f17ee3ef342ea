"""Writes files safely: never a pipe that blocks, never through a link that somebody prepared."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, TextIO

from zb_mom_ww_mxgateway.system.regular_files import put_in_place
from zb_mom_ww_mxgateway_console.process import written_files
from zb_mom_ww_mxgateway_shell.errors import ShellError


def open_text(path: Path, mode: Literal["a", "w", "x"], *, errors: str = "strict", newline: str = "\n") -> TextIO:
    """Open a file as UTF-8 text; raise ShellError as :func:`refuse_special`, else as ``open``."""
    with _refused_in_words(path):
        return written_files.open_text(path, mode, errors=errors, newline=newline)


def refuse_special(path: Path) -> None:
    """Raise ShellError for a pipe or a terminal, which would block until somebody reads it."""
    with _refused_in_words(path):
        written_files.refuse_special(path)


@contextmanager
def _refused_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except written_files.SpecialFileError as error:
        raise ShellError(f"cannot write {path}: {error.strerror}") from None


def replace(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Replace a file as a whole; if that fails, the former one stays. Raise OSError."""
    target = path.resolve()
    # A new file with an unpredictable name: nobody can have prepared a link there.
    beside = target.with_name(f".{target.name}.{os.urandom(8).hex()}")
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
