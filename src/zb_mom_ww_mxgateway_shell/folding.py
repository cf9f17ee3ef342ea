"""Lines that are longer than the screen is wide."""

import re
import textwrap

_GAP = re.compile(r"\s{2,}")


def folded(line: str, width: int) -> list[str]:
    """The line in lines of at most `width` columns, broken at spaces, the others under its last column."""
    if len(line) <= width or width < 20:
        return [line]
    # Cells are two spaces apart; one that begins too far right leaves no room under itself.
    indents = [gap.end() for gap in _GAP.finditer(line, 0, width) if gap.end() <= width - max(20, width // 3)]
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * (indents[-1] if indents else 0),
        replace_whitespace=False,
        break_on_hyphens=False,
    )
