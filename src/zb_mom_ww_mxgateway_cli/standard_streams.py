"""Standard output and error, made fit for whatever has to be shown."""

import io
import sys


def never_fail_on_a_character() -> None:
    """A console that cannot show a character gets an escape, not an exception."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
