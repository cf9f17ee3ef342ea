"""Keys and passwords from files, as editors and shells leave such files."""

import re
from pathlib import Path

from zb_mom_ww_mxgateway_console.text.text_files import TextFileError, decoded

_LINE_END = re.compile("\r\n|\r|\n")


class SecretFileError(Exception):
    """Why nothing could be read, without any of it."""


def first_line_of(path: str) -> str:
    """The first line of a file of UTF-8 text, with or without a byte-order mark; empty for an empty file. Its blanks
    stay: a password may begin or end with one.

    Raises SecretFileError.
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
        raise SecretFileError("a zero byte in its first line: it is no text")
    return line
