"""Reports of runs, made from their records: of one run all of it, of several a summary."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from zb_mom_ww_mxgateway_shell.evidence.record_format import parsed, read_record
from zb_mom_ww_mxgateway_shell.evidence.record_seal import seals_of
from zb_mom_ww_mxgateway_shell.evidence.report_html import html_page
from zb_mom_ww_mxgateway_shell.evidence.report_markdown import markdown_text
from zb_mom_ww_mxgateway_shell.evidence.report_model import RunReport
from zb_mom_ww_mxgateway_shell.evidence.report_parts import run_document
from zb_mom_ww_mxgateway_shell.evidence.report_reading import run_report
from zb_mom_ww_mxgateway_shell.evidence.run_summary import summary_document
from zb_mom_ww_mxgateway_shell.process import report_files

ReportForm: TypeAlias = Literal["html", "md", "pdf-ready"]
Source: TypeAlias = Path | Sequence[str]
"""The file of a record, or its lines."""


def write_report(record: Source, target: Path, form: ReportForm | None = None) -> None:
    """Write the report of a run; without a form, the name of the file decides. Raise ShellError."""
    write_reports([record], target, form)


def write_reports(records: Sequence[Source], target: Path, form: ReportForm | None = None) -> None:
    """Write the report of one run, or the summary of several; raise ShellError."""
    reports = [read_report(each) for each in records]
    report_files.write(target, report_text(reports, form or form_of(target)))


def form_of(target: Path) -> ReportForm:
    """Return the form that the name of a file asks for."""
    return "md" if target.suffix.lower() in (".md", ".markdown") else "html"


def read_report(record: Source) -> RunReport:
    """Return the report of a record; raise ShellError if its file cannot be read."""
    if isinstance(record, Path):
        found, source, seals = read_record(record), record.name, seals_of(record)
    else:
        found, source, seals = parsed("".join(record).encode()), "the lines of this run", []
    digest = found.file_sha256
    said = [f"{each}{'' if each.sha256 == digest else ': OF OTHER BYTES THAN THIS RECORD'}" for each in seals]
    return run_report(source, found.entries, found.problems, digest, said)


def report_text(reports: Sequence[RunReport], form: ReportForm) -> str:
    """Return the report of one run, or the summary of several."""
    document = run_document(reports[0]) if len(reports) == 1 else summary_document(reports)
    return markdown_text(document) if form == "md" else html_page(document, is_paged=form == "pdf-ready")
