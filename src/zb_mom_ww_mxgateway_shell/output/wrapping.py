"""Wrapping of lines that are wider than the screen."""

import re
import textwrap
from collections.abc import Iterator, Sequence

from zb_mom_ww_mxgateway_console.text.terminal_text import TableRow, first_columns, width as columns_of

_GAP = re.compile(r"\s{2,}")
_NAME_PIECE = re.compile(r"[^. ]*[. ]?")
_LINE_INDENT = "    "
"""Before the lines of a row of a table behind its first."""
_PIECE = re.compile(r" +|[^ ]+")
# A number stays with its unit.
_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|min|h|m|%)(?![^\W_]))")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def folded(line: str, width: int) -> list[str]:
    """Return a line as lines of at most `width` columns, broken at spaces, the others indented under its last cell.

    In a table that is too wide, the cells behind the widest column, that of the tags, begin a line of their own.
    """
    if isinstance(line, TableRow) and 20 <= width < _width_of(line) and (lead := _lead_of(line)) < len(line.cells) - 1:
        return _folded_row(line.cells, lead, width)
    if width < 20 or (len(line) <= width and columns_of(line) <= width):
        return [line]
    # Cells are two spaces apart; a cell too far right leaves no room under itself.
    ends = (gap.end() for gap in _GAP.finditer(line, 0, width))
    indents = [column for end in ends if (column := columns_of(line[:end])) <= width - max(20, width // 3)]
    indent = " " * (indents[-1] if indents else 0)
    if _NO_BREAK in line:
        return _wrapped(line, width, indent)
    return [part.replace(_NO_BREAK, " ") for part in _wrapped(_UNIT.sub(_NO_BREAK, line), width, indent)]


def _width_of(row: TableRow) -> int:
    """Return the columns of the widest row of the table of a row."""
    return sum(2 + columns_of(cell) for cell in row.cells)


def _lead_of(row: TableRow) -> int:
    """Return the number of the widest column of the table of a row."""
    widths = [columns_of(cell) for cell in row.cells]
    return widths.index(max(widths))


def _folded_row(cells: Sequence[str], lead: int, width: int) -> list[str]:
    """Return a row as lines: the cells up to the widest, whose name is parted behind dots, and the others below it."""
    head = "".join(f"  {cell}" for cell in cells[:lead]) + "  "
    room = width - columns_of(head)
    if room < 20:
        head, lines = _LINE_INDENT, [head.rstrip()]
        room = width - len(head)
    else:
        lines = []
    for number, part in enumerate(_parts(cells[lead].rstrip(), room)):
        lines.append(f"{head if number == 0 or not head.strip() else ' ' * columns_of(head)}{part}")
    now = ""
    for cell in cells[lead + 1 :]:
        if now and columns_of(now) + 2 + columns_of(cell) > width:
            lines.append(now)
            now = ""
        now += f"  {cell}" if now else f"{_LINE_INDENT}{cell}"
    return [row.rstrip() for each in (*lines, now) if each.strip() for row in _wrapped(each, width, _LINE_INDENT)]


def _parts(name: str, room: int) -> list[str]:
    """Return a name in parts of at most so many columns, parted behind a dot or a blank where there is one."""
    parts, now = [], ""
    for piece in _NAME_PIECE.findall(name):
        if now and columns_of(now + piece.rstrip()) > room:
            parts.append(now.rstrip())
            now = ""
        while columns_of(now + piece.rstrip()) > room:
            parts.append(first_columns(now + piece, room))
            now, piece = "", (now + piece)[len(parts[-1]) :]
        now += piece
    return [*parts, now]


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
