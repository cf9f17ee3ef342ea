"""Rows of a CSV file that an include reads: each gives its values to the names in the first line.

Fields are separated by commas, or by semicolons: spreadsheets write those where a number has a comma.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from zb_mom_ww_mxgateway.system.text_files import TextFileError, decoded
from zb_mom_ww_mxgateway_console.text.csv_rows import CsvField, CsvMistake, csv_rows
from zb_mom_ww_mxgateway_shell.errors import InputError
from zb_mom_ww_mxgateway_shell.language.variables import VariableWord, given_value, name_problem
from zb_mom_ww_mxgateway_shell.output.problems import Statement

_MOST_MISTAKES = 20
_LINE_END = re.compile("\r\n|\n|\r")


class GivenRow(NamedTuple):
    """One row: values by name."""

    line: int
    values: dict[str, VariableWord]


class RowMistake(NamedTuple):
    """A mistake in a file of rows, with the line of the file as a statement."""

    statement: Statement
    problem: InputError


class Rows:
    """The rows of a file, with the mistakes in it: a row with a mistake is left out."""

    def __init__(self, content: bytes, name: str) -> None:
        self._name = name
        self._lines: list[str] = []
        self.columns: dict[str, tuple[Statement, InputError]] = {}
        """The place of each name, as an error without a message."""
        self.rows: list[GivenRow] = []
        self.mistakes: list[RowMistake] = []
        try:
            text = decoded(content)
            self._lines = _LINE_END.split(text)
            first = next((line for line in self._lines if line.strip()), "")
            self._read(csv_rows(text, ";" if ";" in first and "," not in first else ","))
        except (TextFileError, CsvMistake) as error:
            self._find(error.line, error.column, error.column + 1, str(error))
        left = self.mistakes[_MOST_MISTAKES:]
        if left:
            del self.mistakes[_MOST_MISTAKES:]
            self.mistakes[-1].problem.add_note(f"and {len(left)} more mistakes in {name}")

    def _read(self, fields: Iterator[list[CsvField]]) -> None:
        header = next(fields, None)
        if header is None:
            self._find(1, 1, 2, "the file is empty: its first line names the columns, and each further one is a row")
            return
        self._take_columns(header)
        if self.mistakes:
            return
        count = 0
        for row in fields:
            count += 1
            self._take_row(row)
        if not count:
            self._find(header[0].line, 1, 2, "there is no row below the names of the columns: nothing would run")

    def _take_columns(self, header: list[CsvField]) -> None:
        for each in header:
            problem = name_problem(each.text) if each.text else "the column has no name"
            if not problem and each.text in self.columns:
                problem = f"the column {each.text} is there twice"
            if problem:
                hint = "; columns are separated by commas or semicolons" if "\t" in each.text else ""
                self._find_at(each, f"{problem}{hint}")
                continue
            place = InputError("", each.column - 1, each.column - 1 + len(each.text))
            self.columns[each.text] = (self._statement(each.line), place)

    def _take_row(self, row: list[CsvField]) -> None:
        count = len(self.mistakes)
        if len(row) != len(self.columns):
            hint = "; a cell with the separator in it stands in double quotes" if len(row) > len(self.columns) else ""
            at = row[min(len(row) - 1, len(self.columns))]
            self._find_at(at, f"{len(row)} cells for {len(self.columns)} columns{hint}")
            return
        if not any(each.text for each in row):
            self._find_at(row[0], "the row is empty: leave it out")
            return
        values = {}
        for name, cell in zip(self.columns, row, strict=True):
            try:
                values[name] = given_value(cell.text, is_typed=False)
            except InputError as error:
                start = cell.column + (error.start if cell.is_as_written else 0)
                self._find(cell.line, start, start + error.end - error.start, error.message)
        if len(self.mistakes) == count:
            self.rows.append(GivenRow(row[0].line, values))

    def _find_at(self, cell: CsvField, message: str) -> None:
        self._find(cell.line, cell.column, cell.column + len(cell.text), message)

    def _find(self, line: int, column: int, end: int, message: str) -> None:
        self.mistakes.append(RowMistake(self._statement(line), InputError(message, column - 1, end - 1)))

    def _statement(self, line: int) -> Statement:
        return Statement(self._lines[line - 1] if line <= len(self._lines) else "", line, self._name)
