"""Text files in UTF-8, with or without a byte-order mark: their text, and the place of a mistake in it."""

from zb_mom_ww_mxgateway.system.regular_files import other_encoding


class PlacedError(ValueError):
    """A mistake in a text; its line and its column are from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column

    def at(self, file: object) -> str:
        """Return the message behind its place in a file of this name."""
        return f"{file}:{self.line}:{self.column}: {self}"


class TextFileError(PlacedError):
    """The bytes are not UTF-8; the message says what they are, and what to do."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(f"{what}; save it as UTF-8", line, column)
        self.what = what


def decoded(content: bytes) -> str:
    """Return the text of a file without a byte-order mark; raise TextFileError if it is not UTF-8."""
    if other := other_encoding(content):
        raise TextFileError(other, 1, 1)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = "not UTF-8 text"
        raise TextFileError(what, *_place(content, error.start)) from None


def _place(content: bytes, at: int) -> tuple[int, int]:
    before = content[:at]
    return before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
