"""Reads keys and passwords from files, as editors and shells write them."""

import re
from pathlib import Path

from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded

_LINE_END = re.compile("\r\n|\r|\n")


class SecretFileError(Exception):
    """A secret cannot be read; the message contains nothing of it."""


def first_line_of(path: str) -> str:
    """Return the first line of a UTF-8 file, with or without a byte-order mark; empty for an empty file.

    Its blanks stay: a password may begin or end with one. Raise SecretFileError if it cannot be read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise SecretFileError(error.strerror or type(error).__name__) from None
    try:
        line = _LINE_END.split(decoded(data), maxsplit=1)[0]
    except TextFileError as error:
        raise SecretFileError(
            f"{error.what}, where UTF-8 is expected: save it as UTF-8 (in PowerShell: Set-Content -Encoding ascii)"
        ) from None
    if "\0" in line:
        raise SecretFileError("a zero byte in its first line: it is not text")
    return line
