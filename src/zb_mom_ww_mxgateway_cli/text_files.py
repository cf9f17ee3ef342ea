"""Text files as people have them: UTF-8, with or without a byte-order mark; anything else is named for what it is."""

import codecs

_MARKED = ((codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))


class TextFileError(ValueError):
    """The bytes are not UTF-8; the message says what they are, and what to do."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(f"{what}; save it as UTF-8")
        self.line = line
        self.column = column


def decoded(content: bytes) -> str:
    """The text of a file, without a byte-order mark; raises TextFileError."""
    marked = next((what for mark, what in _MARKED if content.startswith(mark)), "")
    if marked or any(content[first : first + 4 : 2] == b"\0\0" for first in (0, 1)):
        raise TextFileError(marked or "UTF-16 without a mark, or binary", 1, 1)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = "not UTF-8 text, but of an older code page such as Windows-1252"
        raise TextFileError(what, *_place(content, error.start)) from None


def _place(content: bytes, at: int) -> tuple[int, int]:
    before = content[:at]
    return before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
