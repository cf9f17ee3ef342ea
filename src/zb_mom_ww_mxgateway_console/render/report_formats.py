"""The output forms of ``mxgw-py``: a class and an entry in :data:`REPORT_FORMATTERS` each."""

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import json_line, redacted, safe
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST_LINE, for_reader, shortened


class ReportFormatter(ABC):
    """One output form: makes lines for standard output of the results of one command."""

    description = ""
    """What it is, in the help of ``--output``."""
    for_people = False
    """Whether results are text."""
    reports_errors = False
    """Whether an error is a result with all that was found before it, and a call with many entries is one result."""

    def begin(self, columns: Sequence[str]) -> list[str]:
        """Return the lines before the results of a command that lists; each has some of these fields."""
        return []

    @abstractmethod
    def result(self, form: dict[str, Any], text: str) -> list[str]:
        """Return the lines of one result: its fields are `form`, and `text` is the same for a person."""

    def exact(self, form: dict[str, Any], lines: list[str]) -> list[str]:
        """Return the lines of a program text: to the letter, also if something in it looks like a key."""
        return lines

    def end(self, *, is_list: bool) -> list[str]:
        """Return the lines that follow the last result; `is_list` if there may have been several."""
        return []


class TextFormatter(ReportFormatter):
    """A line for each result, for a person."""

    description = "text (the default)"
    for_people = True

    def result(self, form: dict[str, Any], text: str) -> list[str]:
        return [safe(shortened(text, LONGEST_LINE))]


class JsonLinesFormatter(ReportFormatter):
    """One JSON object a line."""

    description = "an object a line"
    reports_errors = True

    def result(self, form: dict[str, Any], text: str) -> list[str]:
        return [json_line(form)]

    def exact(self, form: dict[str, Any], lines: list[str]) -> list[str]:
        return [json.dumps(form, sort_keys=True)]


class JsonDocumentFormatter(JsonLinesFormatter):
    """One JSON document, written when it is whole: the object, or a list if there may be several."""

    description = "a JSON document"

    def __init__(self) -> None:
        self._results: list[dict[str, Any]] = []

    def result(self, form: dict[str, Any], text: str) -> list[str]:
        self._results.append(form)
        return []

    def end(self, *, is_list: bool) -> list[str]:
        results, self._results = self._results, []
        if not results and not is_list:
            return []
        document = results if is_list or len(results) > 1 else results[0]
        return json.dumps(redacted(document), sort_keys=True, allow_nan=False, indent=2).splitlines()


class CsvReportFormatter(ReportFormatter):
    """A record for each result. One heading for a command that lists, else one wherever the columns change."""

    description = "CSV"

    def __init__(self) -> None:
        from zb_mom_ww_mxgateway_console.render.csv_records import csv_record  # Lazy: most calls never need it.

        self._record = csv_record
        self._columns: list[str] = []
        self._is_list = False

    def begin(self, columns: Sequence[str]) -> list[str]:
        self._columns, self._is_list = sorted(columns), True
        return [for_reader(self._record(self._columns), sys.stdout)]

    def result(self, form: dict[str, Any], text: str) -> list[str]:
        if self._is_list:
            return [for_reader(self._record(form.get(column) for column in self._columns), sys.stdout)]
        columns, heading = sorted(form), []
        if columns != self._columns:
            # Results of another kind have a heading of their own, after an empty line.
            heading = [*([""] if self._columns else []), self._record(columns)]
            self._columns = columns
        records = [*heading, self._record(form[column] for column in columns)]
        return [for_reader(record, sys.stdout) for record in records]


REPORT_FORMATTERS: dict[str, type[ReportFormatter]] = {
    "json": JsonDocumentFormatter,
    "jsonl": JsonLinesFormatter,
    "csv": CsvReportFormatter,
    "table": TextFormatter,
}
"""Every form by its name in ``--output``."""
