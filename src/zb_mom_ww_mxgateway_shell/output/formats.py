"""A result as lines: for people, as JSON, or as CSV; and the file that a session is spooled to."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway_console.render.forms import json_line, safe
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.process.regular_files import open_text


def lines_of(result: Result, output: str) -> list[str]:
    """What to show: lines for people (``table``), one object (``json``), or records, headed (``csv``, ``csv-raw``)."""
    match output:
        case "json":
            return [json_line(result.form())]
        case "csv" | "csv-raw":
            return csv_lines(result.form(), raw=output == "csv-raw")
    return result.lines()


def csv_lines(form: Any, *, raw: bool = False) -> list[str]:
    """The records of a form as CSV, columns in the order of their names; nested values as JSON. One record each, which
    is of several lines where a text in it is."""
    from zb_mom_ww_mxgateway_console.render.csv_records import csv_record

    records = _records(form)
    names = sorted({name for record in records for name in record})
    if not names:
        return []
    return [
        csv_record(names, raw=raw),
        *(csv_record([record.get(name) for name in names], raw=raw) for record in records),
    ]


def _records(form: Any) -> list[dict[str, Any]]:
    if isinstance(form, dict):
        # Statuses say something of a record, they are none.
        inner = [value for name, value in form.items() if name != "statuses" and _is_table(value)]
        # A dict about one list of records, as a watch gives: the records are what is asked for.
        return _records(inner[0]) if len(inner) == 1 else [form]
    if isinstance(form, list):
        return [each if isinstance(each, dict) else {"value": each} for each in form]
    return [] if form is None else [{"value": form}]


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


class Spool:
    """A file that gets a copy of what is typed and shown, without keys, from :meth:`start` to :meth:`stop`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """`say` is told why it ended by itself."""
        self._say = say
        self._file: TextIO | None = None
        self.path: Path | None = None

    def start(self, path: Path) -> None:
        """Appends to this file from now on; raises ShellError when it cannot be written."""
        try:
            file = open_text(path, "a", errors="backslashreplace")
        except OSError as error:
            raise ShellError(f"cannot write {path}: {error.strerror}") from error
        self.stop()
        self._file, self.path = file, path

    def line(self, text: str) -> None:
        """Adds a line; a file that can no longer be written is said once and let go."""
        if self._file is None:
            return
        try:
            self._file.write(redact(text) + "\n")
            self._file.flush()
        except OSError as error:
            path = self.path
            self.stop()
            self._say(safe(f"tee {path} ended: {error.strerror}"))

    def stop(self) -> None:
        """Ends it. Idempotent."""
        file, self._file, self.path = self._file, None, None
        if file is not None:
            with suppress(OSError):
                file.close()
