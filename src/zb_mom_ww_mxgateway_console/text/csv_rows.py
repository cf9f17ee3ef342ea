"""Rows of CSV text, each field with its place, so that a mistake in a file can be pointed at.

Fields are separated by commas, or by another character that the caller names. A field in double quotes may have
separators, line ends and quotes written twice; blanks around other fields do not count. A line ends with LF, CRLF or
CR.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from zb_mom_ww_mxgateway.system.text_files import PlacedError

_QUOTED = re.compile('"((?:[^"]|"")*+)"')
_LINE_END = re.compile("\r\n|\n|\r")


class CsvField(NamedTuple):
    """One field, and the place of its text, from 1."""

    text: str
    line: int
    column: int
    is_as_written: bool
    """Whether each character of the text is one of the file, on one line."""


class CsvMistake(PlacedError):
    """What is wrong with CSV text."""


def csv_rows(text: str, separator: str = ",") -> Iterator[list[CsvField]]:
    """Yield the fields of each row; blank lines are no rows. Raises CsvMistake at the first one."""
    form = _Form(separator)
    at, line, begins = 0, 1, 0
    while at < len(text):
        row: list[CsvField] = []
        start = at
        while True:
            field, at = form.field(text, at, line, begins)
            row.append(field)
            for end in _LINE_END.finditer(text, begins, at):
                line, begins = line + 1, end.end()
            if not text.startswith(separator, at):
                break
            at += 1
        is_blank = not text[start:at].strip()
        if end_of_row := _LINE_END.match(text, at):
            line, begins, at = line + 1, end_of_row.end(), end_of_row.end()
        if not is_blank:
            yield row


_NAMES = {",": "a comma", ";": "a semicolon"}


class _Form:
    """The form of fields with one separator."""

    def __init__(self, separator: str) -> None:
        self._separator = separator
        self._name = _NAMES.get(separator, "a separator")
        self._bare = re.compile(f'[^{re.escape(separator)}"\r\n]*')

    def field(self, text: str, at: int, line: int, begins: int) -> tuple[CsvField, int]:
        """Return the field that begins there, and where it ends."""
        start = at
        while text.startswith(" ", at):
            at += 1
        if not text.startswith('"', at):
            end = self._end_of_bare(text, start, line, begins)
            bare = text[start:end]
            return CsvField(bare.strip(), line, start - begins + len(bare) - len(bare.lstrip()) + 1, True), end
        quoted = _QUOTED.match(text, at)
        if quoted is None:
            raise CsvMistake('a quote is not closed; a quote within quotes is written ""', line, at - begins + 1)
        inner, end = quoted[1], quoted.end()
        is_as_written = '"' not in inner and _LINE_END.search(inner) is None
        field = CsvField(inner.replace('""', '"'), line, at - begins + 2, is_as_written)
        while text.startswith(" ", end):
            end += 1
        if end < len(text) and text[end] not in f"{self._separator}\r\n":
            last = text.rfind("\n", 0, end) + 1
            raise CsvMistake(
                f"text after a closing quote: {self._name} or the end of the line is expected",
                line + len(_LINE_END.findall(text, begins, end)),
                end - max(begins, last) + 1,
            )
        return field, end

    def _end_of_bare(self, text: str, start: int, line: int, begins: int) -> int:
        found = self._bare.match(text, start)
        assert found is not None  # It may be empty.
        if text.startswith('"', found.end()):
            raise CsvMistake(
                'a quote within a field: put the whole field in quotes, and write each quote in it as ""',
                line,
                found.end() - begins + 1,
            )
        return found.end()
