"""A document in blocks, from which a page and a Markdown text are made with the same facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from zb_mom_ww_mxgateway_shell.evidence.report_model import ReportVerdict
from zb_mom_ww_mxgateway_shell.evidence.trend_svg import TrendDrawing

TableCell: TypeAlias = "str | ReportVerdict | tuple[str, ...]"
"""A text, a verdict, or several lines."""

SYMBOLS = {
    ReportVerdict.PASSED: "✓",
    ReportVerdict.OBSERVED: "△",
    ReportVerdict.DONE: "·",
    ReportVerdict.SKIPPED: "○",
    ReportVerdict.FAILED: "✗",
    ReportVerdict.ERROR: "✗",
    ReportVerdict.INVALID: "✗",
}
"""A shape for each verdict, in addition to its word."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Caution:
    """What a reader must not overlook."""

    title: str
    lines: tuple[str, ...] = ()
    is_large: bool = False
    """Whether it is about the whole document."""


@dataclass(frozen=True, slots=True)
class FactsBlock:
    """Names with what is known about each."""

    pairs: Sequence[tuple[str, TableCell]]


@dataclass(frozen=True, slots=True)
class TableLine:
    """A row of a table."""

    cells: Sequence[TableCell]
    below: tuple[str, ...] = ()
    """Lines over the whole width under the row."""
    stands_out: bool = False


@dataclass(frozen=True, slots=True)
class TableBlock:
    """Rows under headings; `widths` are shares of the width, in percent."""

    headings: Sequence[str]
    widths: Sequence[int]
    rows: Sequence[TableLine]
    empty: str = ""
    """What is said instead of a table without rows."""
    is_form: bool = False
    """Whether a person fills it in by hand."""


@dataclass(frozen=True, slots=True)
class PartHeading:
    """A heading inside a part, with the verdict of what follows."""

    text: str
    verdict: ReportVerdict | None = None
    details: str = ""


@dataclass(frozen=True, slots=True)
class FigureBlock:
    """A drawing, and the line that it belongs to."""

    place: str
    trend: TrendDrawing


ReportBlock: TypeAlias = Paragraph | Caution | FactsBlock | TableBlock | PartHeading | FigureBlock


@dataclass(frozen=True, slots=True)
class ReportPart:
    """A part of a document with its own heading."""

    title: str
    blocks: Sequence[ReportBlock]
    begins_page: bool = False
    """Whether it begins a page in print, in any variant."""


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """What a report says, in order."""

    title: str
    strip: str
    """What identifies it on each part and each page: number, run."""
    verdict: ReportVerdict
    verdict_text: str
    head: Sequence[ReportBlock]
    """Before the first part."""
    parts: Sequence[ReportPart]
