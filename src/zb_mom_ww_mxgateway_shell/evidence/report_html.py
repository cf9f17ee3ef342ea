"""A document as one HTML page that needs nothing else: no script, no outside resource.

All text goes through :func:`_text`, which escapes it and makes visible what would hide or reorder its neighbours.
"""

import base64
import hashlib
import html
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
    ReportPart,
    TableBlock,
    TableCell,
    TableLine,
)
from zb_mom_ww_mxgateway_shell.evidence.report_model import ReportVerdict
from zb_mom_ww_mxgateway_shell.evidence.report_style import style_of

LONGEST_CELL, _LONGEST_TEXT = 400, 1_500


def html_page(document: ReportDocument, *, is_paged: bool = False) -> str:
    """Return the page; `is_paged` for printing first: each part begins a page, and the screen shows it as on paper."""
    style = style_of(_css_text(f"{document.title} · {document.strip}"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" '
        f"content=\"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{_text(document.title)}: {_text(document.verdict_text)}</title>",
        f"<style>{style}</style>",
        "</head>",
        f'<body class="{"paged" if is_paged else "plain"}">',
        "<header>",
        f'<p class="strip">{_text(document.strip)}</p>',
        f"<h1>{_text(document.title)}</h1>",
        f'<p class="verdict {_class(document.verdict)}">{_verdict(document.verdict, document.verdict_text)}</p>',
        *(piece for block in document.head for piece in _block(block)),
        "</header>",
        "<main>",
        *(piece for number, part in enumerate(document.parts, start=1) for piece in _part(number, part, document)),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _part(number: int, part: ReportPart, document: ReportDocument) -> Iterator[str]:
    page = ' class="page"' if part.begins_page else ""
    yield f'<section id="part{number}"{page}>'
    yield f'<p class="strip"><span>{_text(document.title)}</span> <span>{_text(document.strip)}</span></p>'
    yield f"<h2>{number}. {_text(part.title)}</h2>"
    for block in part.blocks:
        yield from _block(block)
    yield "</section>"


def _block(block: ReportBlock) -> Iterator[str]:
    match block:
        case Paragraph():
            yield f"<p>{_text(block.text)}</p>"
        case Caution():
            lines = "".join(f"<p>{_text(line)}</p>" for line in block.lines)
            kind = "warning large" if block.is_large else "warning"
            yield f'<div class="{kind}" role="note"><p><strong>{_text(block.title)}</strong></p>{lines}</div>'
        case FactsBlock():
            yield '<table class="facts"><colgroup><col class="w22"><col class="w78"></colgroup>'
            for name, value in block.pairs:
                yield f'<tr><th scope="row">{_text(name)}</th><td>{_cell(value, _LONGEST_TEXT)}</td></tr>'
            yield "</table>"
        case PartHeading():
            details = f' <span class="details">{_text(block.details)}</span>' if block.details else ""
            verdict = f" {_mark(block.verdict)}" if block.verdict else ""
            yield f"<h3>{_text(block.text)}{verdict}{details}</h3>"
        case TableBlock():
            yield from _table(block)
        case FigureBlock():
            yield f"<figure>{block.trend.svg}"
            caption, summary = _text(f"{block.place}   {block.trend.caption}"), _text(block.trend.summary)
            yield f"<figcaption><b>{caption}</b><br>{summary}</figcaption></figure>"


def _table(table: TableBlock) -> Iterator[str]:
    if not table.rows:
        yield f'<p class="empty">{_text(table.empty)}</p>'
        return
    columns = "".join(f'<col class="w{width}">' for width in table.widths)
    heads = "".join(f'<th scope="col">{_text(each)}</th>' for each in table.headings)
    yield f'<table class="{"form" if table.is_form else "rows"}"><colgroup>{columns}</colgroup>'
    yield f"<thead><tr>{heads}</tr></thead>"
    yield from (_row(line, len(table.headings)) for line in table.rows)
    yield "</table>"


def _row(line: TableLine, columns: int) -> str:
    cells = "".join(f"<td>{_cell(each, LONGEST_CELL)}</td>" for each in line.cells)
    below = ""
    if line.below:
        lines = "<br>".join(_text(each) for each in line.below)
        below = f'<tr class="below"><td colspan="{columns}">{lines}</td></tr>'
    group = '<tbody class="out">' if line.stands_out else "<tbody>"
    return f"{group}<tr>{cells}</tr>{below}</tbody>"


def _cell(cell: TableCell, longest: int) -> str:
    if isinstance(cell, ReportVerdict):
        return _mark(cell)
    if isinstance(cell, tuple):
        return "<br>".join(_text(each, longest) for each in cell)
    return _text(cell, longest)


def _mark(verdict: ReportVerdict) -> str:
    return f'<span class="mark {_class(verdict)}">{_verdict(verdict, verdict.value)}</span>'


def _verdict(verdict: ReportVerdict, text: str) -> str:
    return f'<span aria-hidden="true">{SYMBOLS[verdict]}</span>&nbsp;{_text(text)}'


def _class(verdict: ReportVerdict) -> str:
    return verdict.name.lower()


def _text(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Return a text from outside as text of a page."""
    return html.escape(safe(shortened(text, longest)))


def _css_text(text: str) -> str:
    """Return a text from outside as it may be inside quotes in a style sheet."""
    return re.sub(r"[^A-Za-z0-9 .,_/-]", lambda match: f"\\{ord(match[0]):06x}", safe(shortened(text, 120)))
