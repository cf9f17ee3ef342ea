"""Markdown from texts of any origin: none of them can be read as markup."""

import re
from collections.abc import Iterable, Sequence

from zb_mom_ww_mxgateway_console.render.forms import one_line

_MARKUP = re.compile(r"([\\`*_\[\]|~&<>$])")


def escaped(text: object) -> str:
    """Return a text on one line, as a part of a sentence, a heading or a cell; it must not begin a paragraph."""
    return _MARKUP.sub(r"\\\1", one_line(str(text)).strip())


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Return the lines of a table of texts."""
    return [_row(map(escaped, headings)), _row(["---"] * len(headings)), *(_row(map(escaped, row)) for row in rows)]


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
