"""Standard output and error, made fit for whatever has to be shown."""

import errno
import io
import os
import sys
from typing import TextIO

# Windows says EINVAL where POSIX says EPIPE; a terminal that is gone says EIO.
_CLOSED = (errno.EPIPE, errno.EINVAL, errno.EIO)


def fill_closed_streams() -> None:
    """Puts nothing in the place of streams that the program was started without (``<&-``, ``>&-``): the next file or
    connection that is opened would be taken for them otherwise."""
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
    """A console that cannot show a character gets an escape, not an exception."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def give_up_output(error: OSError) -> bool:
    """Discards standard output from now on, as printing to it has failed with `error`: Python would try once
    more, and complain, when it flushes on exit. True when nobody reads it any more (``| head -1``)."""
    _discard(sys.stdout)
    return error.errno in _CLOSED


def written_to_the_end() -> bool:
    """Writes what is still buffered; False when it cannot be written, as to a terminal that is gone, and is discarded:
    Python would try again as it exits, and exit with a code of its own."""
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
