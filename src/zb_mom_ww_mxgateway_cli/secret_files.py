"""Keys and passwords from files, as editors and shells leave such files."""

import codecs
from pathlib import Path

_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


class SecretFileError(Exception):
    """Why nothing could be read, without any of it."""


def first_line_of(path: str) -> str:
    """The first line of a file of UTF-8 text, with or without a byte-order mark; empty for an empty file.

    Raises SecretFileError.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise SecretFileError(error.strerror or type(error).__name__) from None
    marked = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "")
    if marked or b"\0" in data[:200]:
        raise SecretFileError(
            f"{marked or 'UTF-16 or binary'}, where UTF-8 is expected: save it as UTF-8 "
            f"(in PowerShell: Set-Content -Encoding ascii)"
        )
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise SecretFileError("not UTF-8 text") from None
    return lines[0].strip() if lines else ""
