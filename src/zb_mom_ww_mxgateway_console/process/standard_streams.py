"""Prepares standard output and standard error for any text, and for readers that leave."""

import errno
import io
import os
import sys
from typing import TextIO

# Windows raises EINVAL where POSIX raises EPIPE; a terminal that is gone raises EIO.
_CLOSED = (errno.EPIPE, errno.EINVAL, errno.EIO)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def silence_grpc() -> None:
    """Keep gRPC from writing to standard error. To be called before it is loaded."""
    # The library raises gRPC's errors; what gRPC logs as well would come between the lines.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")


def fill_closed_streams() -> None:
    """Open the null device for streams that were closed from the start (``<&-``, ``>&-``): otherwise the next file or
    connection would get their numbers."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        stream = io.TextIOWrapper(io.FileIO(number, mode, closefd=False), encoding="utf-8", write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def never_fail_on_a_character() -> None:
    """Write an escape, instead of raising, for a character that the console cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up_output(error: OSError) -> bool:
    """Discard standard output after printing to it failed with `error`: Python would fail again on exit.

    Return whether its reader has left (``| head -1``).
    """
    _discard(sys.stdout)
    return error.errno in _CLOSED


def why_not_written(error: BaseException) -> str:
    """Return why standard output cannot be written, and discard it, where `error` is that its disk is full; else empty.

    For what is printed without a handler of its own, such as ``--help``: the error of another file has its name.
    """
    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        give_up_output(error)
        return error.strerror or str(error)
    return ""


def written_to_the_end() -> bool:
    """Write what is still buffered; if that fails, as on a terminal that is gone, discard it and return False.

    Otherwise Python would try again on exit, and replace the exit code.
    """
    is_written = True
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _discard(stream)
            is_written = False
    return is_written


def _discard(stream: TextIO) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
