"""Where the lines of a record go: a file, or memory for a report at the end."""

import os
from contextlib import suppress
from pathlib import Path

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.process import report_files
from zb_mom_ww_mxgateway_shell.process.regular_files import replace


class KeptLines:
    """The lines in memory."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)


class RecordFile:
    """A file that has each line as soon as it is added; a pipe or a device gets them all at the end.

    After a failure nothing more is written: a gap in the middle would look like a change.
    """

    def __init__(self, path: Path) -> None:
        """Replace a former record, which must not pass for this one; raise ShellError if that cannot be done."""
        self.path = path
        self.problem = ""
        """Why it could not be written; empty while it is."""
        self._late = KeptLines() if report_files.is_special(path) else None
        self._number: int | None = None
        if self._late is None:
            try:
                replace(path, b"")
                self._number = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))
            except OSError as error:
                raise ShellError(f"cannot write {path}: {error.strerror or error}") from error

    def write(self, line: str) -> None:
        if self._late is not None:
            self._late.write(line)
            return
        rest = line.encode("ascii")
        try:
            while rest and self._number is not None:
                rest = rest[os.write(self._number, rest) :]
        except OSError as error:
            self._fail(f"cannot write {self.path}: {error.strerror or error}")

    def close(self) -> None:
        """Have all of it on the disk, or with the reader of a pipe."""
        if self._late is not None:
            try:
                report_files.write(self.path, "".join(self._late.lines))
            except ShellError as error:
                self.problem = str(error)
        elif self._number is not None:
            try:
                os.fsync(self._number)
                # Another run, or a person, may have replaced it meanwhile: then it has no name any more.
                is_there = self.path.exists() and os.path.samestat(os.fstat(self._number), self.path.stat())
            except OSError as error:
                self._fail(f"cannot write {self.path}: {error.strerror or error}")
            else:
                self.problem = "" if is_there else f"{self.path} was replaced or removed during the run"
                self._close()

    def _fail(self, why: str) -> None:
        self.problem = why
        self._close()

    def _close(self) -> None:
        number, self._number = self._number, None
        if number is not None:
            with suppress(OSError):
                os.close(number)
