"""Text that is safe for a terminal, and its width in columns.

Text from outside goes through :func:`safe` wherever it is shown: it cannot move the cursor, hide, reorder the text next
to it, or contain an API key.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TextIO

from zb_mom_ww_mxgateway.redaction import redact

LONGEST = 1_500
"""Characters of one value that are shown to a person: about a screenful."""
LONGEST_LINE = 8_000
"""Characters of one line that are shown to a person."""

# Characters that a terminal obeys (controls), that reorder or join others (bidirectional marks, joiners), or that look
# like nothing or like a space. That is Unicode's categories Cc, Cf, Cs, Zl, Zp and Zs, except the space and the
# ideographic one, its default-ignorable characters (fillers, variation selectors, tags), noncharacters, and the blank
# of braille. Compiled when a text is not ASCII: it takes long.
_UNSAFE = (
    "["
    "\x00-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5"
    "\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff"
    "\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "]"
)
_BREAK = re.compile("[ \t\n\r\f\v]+")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Characters of one column each: nearly every line has only these, and needs no look-up.
_NARROW = re.compile("[ -~\xa1-\xac\xae-\u02ff\u2010-\u2027\u2190-\u21ff\u2500-\u259f\u2801-\u28ff]*")


def escaped(text: str) -> str:
    """Return the text with escapes for characters that are not plainly visible."""
    return text if text.isascii() and text.isprintable() else re.sub(_UNSAFE, _escape, text)


def safe(text: str) -> str:
    """Return text from outside for a terminal: without keys, with escapes for what is not plainly visible."""
    return escaped(redact(text))


def for_reader(record: str, stream: TextIO | None) -> str:
    """Return a record of CSV: unchanged for a file or a program, safe if the stream is a terminal."""
    return safe(record) if stream is not None and stream.isatty() else record


def one_line(text: str) -> str:
    """Return a message on one line, safe for a terminal."""
    return safe(_BREAK.sub(" ", text.strip(" \t\n\r\f\v")))


def shortened(text: str, most: int = LONGEST) -> str:
    """Return a text for a person; one longer than `most` is cut, and its length is added."""
    if len(text) <= most:
        return text
    # Redact it first: a part of a secret would not be recognized.
    return f"{redact(text)[:most]} … ({len(text):,} characters)"


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Return the columns of a text: two for each wide character (CJK), none for a combining one."""
    return len(text) if _NARROW.fullmatch(text) else sum(map(_width, text))


@lru_cache(maxsize=4096)
def _width(character: str) -> int:
    from wcwidth import wcwidth  # Lazy: its tables load slowly, and few lines need them.

    return max(0, wcwidth(character))


def padded(text: str, columns: int) -> str:
    """Return the text, filled with spaces to so many columns."""
    return text + " " * max(0, columns - width(text))


def cut(text: str, columns: int) -> str:
    """Return the beginning of a text, in at most so many columns."""
    if width(text) <= columns:
        return text
    return f"{first_columns(text, columns - 1)}…" if columns > 0 else ""


def cut_middle(text: str, columns: int) -> str:
    """Return a text without its middle, in at most so many columns."""
    if width(text) <= columns:
        return text
    first = (columns - 1) // 2
    return f"{first_columns(text, first)}…{_last(text, columns - 1 - first)}"


def cut_start(text: str, columns: int) -> str:
    """Return the end of a text, in at most so many columns: the end of a tag distinguishes it from its neighbours."""
    return text if width(text) <= columns else f"…{_last(text, columns - 1)}"


def first_columns(text: str, columns: int) -> str:
    """Return the beginning of a text that fits into so many columns."""
    room, end = columns, 0
    for end, character in enumerate(text):
        room -= width(character)
        if room < 0:
            return text[:end]
    return text


def _last(text: str, columns: int) -> str:
    return first_columns(text[::-1], columns)[::-1]


class AlarmLine(str):
    """A line about an alarm, or about the most severe of several, with its severity: a text to whoever shows no
    colours."""

    severity: int

    @classmethod
    def of(cls, text: str, severity: int) -> "AlarmLine":
        """Return a text as the line about an alarm of that severity."""
        line = cls(text)
        line.severity = severity
        return line


class TableRow(str):
    """A row of a table, with its cells: a text to whoever does not fold it. It is safe for a terminal."""

    cells: tuple[str, ...]
    """As wide as their columns, so that all rows of a table are folded alike."""

    @classmethod
    def of(cls, cells: Sequence[str]) -> "TableRow":
        """Return the row of these cells, two columns apart."""
        row = cls("  " + "  ".join(cells).rstrip())
        row.cells = tuple(cells)
        return row


def retold(line: str, text: str) -> str:
    """Return a text that says what the line does: about the same alarm, if it is about one, or the same row."""
    if isinstance(line, TableRow) and text == line:
        return line
    return AlarmLine.of(text, line.severity) if isinstance(line, AlarmLine) else text
