"""Text files in UTF-8, with or without a byte-order mark, and characters that editors have changed.

What is not that is named for what it is.
"""

import re

from zb_mom_ww_mxgateway.system.regular_files import other_encoding

CURLY = re.compile("[\u2018-\u201f]")
"""Quotes that an editor replaced."""
LINE_END = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Characters that some program takes for a line end."""
_LINE_ENDS = {
    "\n": "a line feed",
    "\r": "a carriage return (CR)",
    "\v": "a vertical tab (VT)",
    "\f": "a form feed (FF)",
    "\x85": "a next-line mark (U+0085)",
    "\u2028": "a line separator (U+2028)",
    "\u2029": "a paragraph separator (U+2029)",
}


def describe_curly(quote: str) -> str:
    """Return what is wrong with a curly quote in a line."""
    straight = "'" if quote < "\u201c" else '"'
    return f"a curly quote, as an editor makes it: {straight} is meant, or put the text that has it in quotes"


def describe_line_end(character: str) -> str:
    """Return what is wrong with a line end within a line: an editor may show two lines."""
    what = _LINE_ENDS.get(character, f"a separator (U+{ord(character):04X})")
    return f"{what} within a line: it is no end of a line here; take it out, or end the line"


class TextFileError(ValueError):
    """The bytes are not UTF-8; the message says what they are, and what to do."""

    def __init__(self, what: str, line: int, column: int) -> None:
        super().__init__(f"{what}; save it as UTF-8")
        self.what = what
        self.line = line
        self.column = column


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
