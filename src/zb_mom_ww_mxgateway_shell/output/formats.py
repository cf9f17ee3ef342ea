"""The output forms: how statements, results and failures look as text, JSON or CSV.

A form is a :class:`Formatter` and an entry in :data:`FORMATTERS`. Options, the ``output`` setting, completion and help
follow from that table.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, json_line
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST_LINE, for_reader, padded, safe, shortened, width
from zb_mom_ww_mxgateway_shell.output.results import INDENT, Result, Sheet, TextResult, problems_of, sheet_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.output.page import Page

_TEXT_WIDTH, _LINE_WIDTH, _TOOK_WIDTH = 50, 92, 10
_FAILURES = {ExitCode.UNKNOWN: "UNKNOWN", ExitCode.INTERRUPTED: "INTERRUPTED"}
"""Outcomes of statements that are no ordinary failures."""


class Formatter(ABC):
    """One output form. A run calls begin, notice, live, result, failure and end; each writes on the run's page.

    By default it is a form for programs: the lines of results on standard output, problems on standard error.
    """

    option_help = ""
    """Help of the command-line option; empty for a form without one."""
    finding_help = ""
    """Help of the option of ``lint``; empty if findings stay text in this form."""
    for_people = False
    """Whether it is text: folded to the screen, with pictures, lines that come meanwhile, and progress."""
    shows_record = False
    """Whether a run of files is shown as its record, from ``run-begin`` to ``run-end``."""
    wraps_python_lines = False
    """Whether each line of the shell that Python code runs is shown as a separate statement."""

    @abstractmethod
    def lines(self, result: Result) -> list[str]:
        """Return the lines of a result alone, as the prompt shows it."""

    def remarks(self, result: Result) -> list[str]:
        """Return what this form shows beside the lines of a result: what they leave out; safe for a terminal."""
        return []

    def printable(self, line: str) -> str:
        """Return a line of a result as it may be written to standard output."""
        return redact(for_reader(line, sys.stdout))

    def record(self, fields: Mapping[str, Any]) -> str:
        """Return the line on standard output for what is no statement: a failed start, a finding of ``lint``.

        It is empty if this form reports such things as text.
        """
        return ""

    def begin(self, page: "Page") -> None:  # noqa: B027  # optional
        """Start with the statement of the page."""

    def notice(self, page: "Page", text: str) -> None:
        """Report something in addition to the result; before the first statement, on standard error."""
        if page.statement is None and not page.quiet:
            page.problem([safe(text)])

    def live(self, page: "Page", line: str) -> None:  # noqa: B027  # optional
        """Show a line of a feed as it comes; `line` is safe for a terminal."""

    def progress(self, page: "Page", line: str) -> None:
        """Show the state of a feed that takes long."""
        page.aside(line)

    def waits(self, page: "Page", text: str) -> None:
        """Show what the statement waits for, which has shown nothing for a while."""
        page.aside(f"waiting: {text}")

    def show_head(self, page: "Page") -> None:  # noqa: B027  # optional
        """Show which statement runs, if this form holds that back until its outcome."""

    def result(self, page: "Page", result: Result | None) -> list[str]:
        """Show what a statement ended with; return the lines of its result."""
        lines = [] if result is None else self.lines(result)
        page.copy(lines)
        for line in lines:
            page.record(line)
        if result is not None and (remarks := self.remarks(result)):
            page.problem(remarks)
        if result is not None and result.exit_code is not ExitCode.DONE:
            page.not_met(problems_of(result) or (lines if page.quiet else []))
        return lines

    def failure(self, page: "Page", error: BaseException, problem: Sequence[str]) -> None:
        """Show what a statement failed with; `problem` are the lines for a person."""
        page.problem(problem)

    def end(self, page: "Page", summary: str) -> None:  # noqa: B027  # optional
        """Show the summary of a file, now that it is over."""


class TableFormatter(Formatter):
    """Text for a person: each statement of a file with its line, outcome and time; of other lines the result alone."""

    for_people = True

    def lines(self, result: Result) -> list[str]:
        return result.lines()

    def printable(self, line: str) -> str:
        return safe(shortened(line, LONGEST_LINE))

    def begin(self, page: "Page") -> None:
        if page.is_numbered:
            page.transient(_head(page))

    def notice(self, page: "Page", text: str) -> None:
        if not page.is_numbered:
            page.text(f"{INDENT}{safe(text)}")

    def live(self, page: "Page", line: str) -> None:
        self.show_head(page)
        page.copy([line])
        page.text(f"{INDENT}{line}")

    def progress(self, page: "Page", line: str) -> None:
        self.show_head(page)
        if page.is_screen:
            page.transient(line)
        else:
            page.text(line)

    def waits(self, page: "Page", text: str) -> None:
        if page.is_screen:
            page.transient(f"{_head(page)}  {text}" if page.is_numbered else f"{INDENT}{text}")
        else:
            super().waits(page, text)

    def show_head(self, page: "Page") -> None:
        self._show_head(page)

    def result(self, page: "Page", result: Result | None) -> list[str]:
        lines = [] if result is None else result.lines()
        page.copy(lines)
        if result is not None and result.exit_code is not ExitCode.DONE:
            self._show_not_met(page, lines, problems_of(result), result.exit_code)
        elif page.is_numbered:
            brief = result.brief if isinstance(result, TextResult) else ""
            self._show_outcome(page, [brief] if brief else lines)
        else:
            for line in lines:
                page.text(f"{INDENT}{line}")
        return lines

    def failure(self, page: "Page", error: BaseException, problem: Sequence[str]) -> None:
        from zb_mom_ww_mxgateway_shell.output.problems import exit_code_for  # Lazy: help needs the forms without it.

        self._show_failed(page, exit_code_for(error))
        page.problem(problem)

    def end(self, page: "Page", summary: str) -> None:
        page.text(summary)

    def _show_outcome(self, page: "Page", lines: Sequence[str]) -> None:
        """Show a statement of a file that is done: on one line if it fits."""
        if page.is_head_shown or len(lines) != 1 or _own_notices(page):
            self._show_head_and_notices(page)
            for line in lines:
                page.text(f"{INDENT}{line}")
            return
        line = f"{padded(_head(page), _TEXT_WIDTH)}  {lines[0]}"
        if page.is_screen and width(line) > _line_width(page):
            self._show_head(page, _took(page))
            page.text(f"{INDENT}{lines[0]}")
        else:
            page.text(padded(line, _line_width(page)) + _took(page))

    def _show_not_met(self, page: "Page", lines: Sequence[str], problem: Sequence[str], code: ExitCode) -> None:
        self._show_failed(page, code)
        for line in lines:
            # A terminal shows the same line with the problem; a file or a program reads standard output alone.
            if line.strip() not in problem or not page.is_screen:
                page.text(f"{INDENT}{line}")
        page.not_met(problem or (lines if page.quiet else []))

    def _show_failed(self, page: "Page", code: ExitCode) -> None:
        """Show that a statement of a file failed, in the column of outcomes if there is room."""
        if not page.is_numbered:
            return
        word = _FAILURES.get(code, "FAILED")
        head = "" if page.is_head_shown else _head(page)
        page.is_head_shown = True
        line = f"{padded(head, _TEXT_WIDTH)}  {word}"
        if page.is_screen and width(line) > _line_width(page):
            if head:
                page.text(head)
            line = f"{INDENT}{word}"
        page.text(padded(line, _line_width(page)) + _took(page))
        self._show_notices(page)

    def _show_head_and_notices(self, page: "Page") -> None:
        if page.is_numbered:
            self._show_head(page, _took(page))
            self._show_notices(page)

    def _show_notices(self, page: "Page") -> None:
        for text in _own_notices(page):
            page.text(f"{INDENT}{safe(text)}")

    def _show_head(self, page: "Page", took: str = "") -> None:
        if page.is_numbered and not page.is_head_shown:
            page.is_head_shown = True
            page.text(f"{padded(_head(page), _line_width(page) if took else 0)}{took}")


class JsonFormatter(Formatter):
    """One JSON object for each statement, with its outcome."""

    option_help = "One JSON object per statement on standard output."
    finding_help = "One JSON object per finding."
    shows_record = True
    wraps_python_lines = True

    def lines(self, result: Result) -> list[str]:
        return [json_line(result.form())]

    def record(self, fields: Mapping[str, Any]) -> str:
        return json_line(fields)

    def result(self, page: "Page", result: Result | None) -> list[str]:
        form = None if result is None else result.form()
        self._write(page, ok=result is None or result.exit_code is ExitCode.DONE, result=form)
        return [] if result is None else [json_line(form)]

    def failure(self, page: "Page", error: BaseException, problem: Sequence[str]) -> None:
        from zb_mom_ww_mxgateway_shell.output.problems import problem_form  # Lazy: help needs the forms without it.

        self._write(page, ok=False, error=problem_form(error))
        if page.debug:
            page.problem(problem)

    def _write(self, page: "Page", **outcome: Any) -> None:
        if not page.is_recorded:
            page.out(f"{json_line(statement_form(page) | outcome)}\n")


class CsvFormatter(Formatter):
    """The records of each result, with headings."""

    def __init__(self, option_help: str, *, raw: bool = False) -> None:
        """With `raw`, texts that look like formulas stay as they are."""
        self.option_help = option_help
        self._raw = raw

    def lines(self, result: Result) -> list[str]:
        return csv_lines(sheet_of(result), raw=self._raw)

    def remarks(self, result: Result) -> list[str]:
        return [safe(remark) for remark in sheet_of(result).remarks]


FORMATTERS: dict[str, Formatter] = {
    "table": TableFormatter(),
    "json": JsonFormatter(),
    "csv": CsvFormatter("Results as CSV, with headings; a ' keeps formulas text."),
    "csv-raw": CsvFormatter("Results as CSV, texts that look like formulas as they are.", raw=True),
}
"""Every output form by its name."""
DEFAULT_FORM = "table"


def statement_form(page: "Page") -> dict[str, Any]:
    """Return the JSON form of the statement of a page, without its outcome."""
    statement = page.present
    return {
        "at": time_text(page.at),
        "command": statement.command,
        "file": statement.source,
        "line": statement.line,
        "notices": [notice.text for notice in page.notices],
        "place": statement.place if statement.origin else None,
        "seconds": round(page.seconds, 3),
        "statement": statement.text.strip(),
        "step": page.step or None,
    }


def _head(page: "Page") -> str:
    """The statement with its place, as a line of the report."""
    statement = page.present
    place = f"{statement.line}"
    if statement.source != page.source and statement.source is not None:
        place = f"{Path(statement.source).name}:{statement.line}"
    return f"{safe(place):>4}  {safe(shortened(statement.text.strip().expandtabs(1)))}"


def _own_notices(page: "Page") -> list[str]:
    return [notice.text for notice in page.notices if not notice.is_alert]


def _line_width(page: "Page") -> int:
    """Columns before the time that a statement took."""
    return min(_LINE_WIDTH, page.columns - _TOOK_WIDTH - 1) if page.is_screen else _LINE_WIDTH


def _took(page: "Page") -> str:
    seconds = page.seconds
    text = f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    return f"{text:>{_TOOK_WIDTH}}"


def csv_lines(sheet: Sheet, *, raw: bool = False) -> list[str]:
    """Return the rows of a result as CSV, columns in the order of their names; nested values as JSON.

    Each line is one record, which has several lines if a text in it does.
    """
    from zb_mom_ww_mxgateway_console.render.csv_records import csv_record  # Lazy: most runs never need it.

    names = sorted(sheet.columns)
    if not names:
        return []
    return [
        csv_record(names, raw=raw),
        *(csv_record([row.get(name) for name in names], raw=raw) for row in sheet.rows),
    ]
