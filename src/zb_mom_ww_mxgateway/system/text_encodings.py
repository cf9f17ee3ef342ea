"""Files of UTF-8 text, and those that an editor or a shell has left in another encoding."""

import codecs

# The longer marks first: that of UTF-32 begins with one of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def other_encoding(content: bytes) -> str:
    """What else than UTF-8 the content of a file is, in words; empty where it may be UTF-8."""
    marked = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "")
    # Of text with a letter to begin with, every other byte is zero.
    is_wide = any(content[first : first + 4 : 2] == b"\0\0" for first in (0, 1))
    return marked or ("UTF-16 without a mark, or binary" if is_wide else "")
