"""A document as Markdown, with the same facts as the page; drawings are given in words."""

import re
from collections.abc import Iterator

from zb_mom_ww_mxgateway_console.text.terminal_text import safe, shortened
from zb_mom_ww_mxgateway_shell.evidence.report_document import (
    SYMBOLS,
    Caution,
    FactsBlock,
    FigureBlock,
    Paragraph,
    PartHeading,
    ReportBlock,
    ReportDocument,
    TableBlock,
    TableCell,
)
from zb_mom_ww_mxgateway_shell.evidence.report_model import ReportVerdict

_LONGEST = 1_500
# What Markdown, or HTML in it, would understand.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&])|(?<=\w)(://)|(@)")
_LIST = re.compile(r"^(\d+)([.)])(?=\s|$)|^([-+=])")


def markdown_text(document: ReportDocument) -> str:
    """Return the document as Markdown (CommonMark with tables)."""
    lines = [
        f"# {_text(document.title)}",
        "",
        _text(document.strip),
        "",
        f"**{SYMBOLS[document.verdict]} {_text(document.verdict_text)}**",
        "",
        *(line for block in document.head for line in _block(block)),
    ]
    for number, part in enumerate(document.parts, start=1):
        lines += [f"## {number}. {_text(part.title)}", ""]
        lines += [line for block in part.blocks for line in _block(block)]
    return "\n".join(lines).rstrip("\n") + "\n"


def _block(block: ReportBlock) -> Iterator[str]:
    match block:
        case Paragraph():
            yield from (_text(block.text), "")
        case Caution():
            yield f"> **{_text(block.title.upper() if block.is_large else block.title)}**"
            for line in block.lines:
                yield from (">", f"> {_text(line)}")
            yield ""
        case FactsBlock():
            yield from ("| | |", "|---|---|")
            yield from (f"| {_text(name)} | {_cell(value)} |" for name, value in block.pairs)
            yield ""
        case PartHeading():
            verdict = f": {_cell(block.verdict)}" if block.verdict else ""
            yield from (f"### {_text(block.text)}{verdict}", "")
            if block.details:
                yield from (_text(block.details), "")
        case TableBlock():
            yield from _table(block)
        case FigureBlock():
            yield from (f"**{_text(f'{block.place}   {block.trend.caption}')}**", "", _text(block.trend.summary), "")


def _table(table: TableBlock) -> Iterator[str]:
    if not table.rows:
        yield from (_text(table.empty), "")
        return
    yield f"| {' | '.join(map(_text, table.headings))} |"
    yield f"|{'---|' * len(table.headings)}"
    for line in table.rows:
        cells = [_cell(each) for each in line.cells]
        if line.below:
            cells[-1] = "<br>".join([cells[-1], *map(_text, line.below)])
        yield f"| {' | '.join(cells)} |"
    yield ""


def _cell(cell: TableCell) -> str:
    if isinstance(cell, ReportVerdict):
        word = cell.value.upper() if cell.is_bad else cell.value
        return f"{SYMBOLS[cell]} {word}"
    return "<br>".join(map(_text, cell)) if isinstance(cell, tuple) else _text(cell)


def _text(text: str) -> str:
    """Return a text from outside so that Markdown shows it as it is."""
    shown = _SPECIAL.sub(_plain, safe(shortened(text, _LONGEST)))
    return _LIST.sub(lambda match: f"{match[1]}\\{match[2]}" if match[1] else f"\\{match[3]}", shown)


def _plain(match: re.Match[str]) -> str:
    # Addresses would become links.
    return f"\\{match[1]}" if match[1] else ":\u2060//".replace("\u2060", "<!-- -->") if match[2] else "\\@"
