"""Wrapping of lines that are wider than the screen."""

import re
import textwrap
from collections.abc import Iterator

from zb_mom_ww_mxgateway_console.text.terminal_text import width as columns_of

_GAP = re.compile(r"\s{2,}")
_PIECE = re.compile(r" +|[^ ]+")
# A number stays with its unit.
_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|min|h|m|%)(?![^\W_]))")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def folded(line: str, width: int) -> list[str]:
    """Return a line as lines of at most `width` columns, broken at spaces, the others indented under its last cell."""
    if width < 20 or (len(line) <= width and columns_of(line) <= width):
        return [line]
    # Cells are two spaces apart; a cell too far right leaves no room under itself.
    ends = (gap.end() for gap in _GAP.finditer(line, 0, width))
    indents = [column for end in ends if (column := columns_of(line[:end])) <= width - max(20, width // 3)]
    indent = " " * (indents[-1] if indents else 0)
    if _NO_BREAK in line:
        return _wrapped(line, width, indent)
    return [part.replace(_NO_BREAK, " ") for part in _wrapped(_UNIT.sub(_NO_BREAK, line), width, indent)]


def _wrapped(line: str, width: int, indent: str) -> list[str]:
    if columns_of(line) > len(line):
        return list(_wide(line, width, indent))
    return textwrap.wrap(line, width, subsequent_indent=indent, replace_whitespace=False, break_on_hyphens=False)


def _wide(line: str, width: int, indent: str) -> Iterator[str]:
    """Wrap as textwrap does, but for characters that are two columns wide."""
    now, room, is_begun = "", width, True
    for piece in _PIECE.findall(line):
        takes = columns_of(piece)
        if takes > room and now.strip():
            yield now.rstrip()
            now, room, is_begun = indent, width - len(indent), False
            if piece.isspace():
                continue
        elif piece.isspace() and not is_begun and not now.strip():
            continue
        while takes > room:
            # Longer than a line: break between two characters.
            count, taken = 0, 0
            for character in piece:
                if taken + columns_of(character) > room and count:
                    break
                count, taken = count + 1, taken + columns_of(character)
            yield now + piece[:count]
            piece = piece[count:]
            now, room, is_begun, takes = indent, width - len(indent), False, columns_of(piece)
        now, room = now + piece, room - takes
    if now.strip():
        yield now.rstrip()
