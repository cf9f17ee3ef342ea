"""The standard streams of a run, and the statement that is shown on them."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.text.terminal_text import (
    LONGEST_LINE,
    cut,
    for_reader,
    padded,
    retold,
    safe,
    shortened,
    width,
)
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.output.results import INDENT
from zb_mom_ww_mxgateway_shell.output.transcript import Transcript
from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter


class Notice(NamedTuple):
    """Something reported in addition to the result of a statement."""

    text: str
    is_alert: bool = False
    """Whether it happened by itself, and was reported on standard error at once."""
    line: str = ""
    """The line that reported it then, with its time."""


class Page:
    """What a formatter writes on: lines for both standard streams, without keys, and the statement they are about.

    It never waits for a reader.
    """

    def __init__(
        self,
        writer: OutputWriter,
        transcript: Transcript,
        *,
        quiet: bool = False,
        source: str | None = None,
        debug: bool = False,
    ) -> None:
        """`source` is the file whose lines are shown by their numbers alone."""
        self.writer = writer
        self.quiet = quiet
        self.source = source
        self.debug = debug
        """Whether a failure is shown with its traceback in every form."""
        self._transcript = transcript
        self.statement: Statement | None = None
        """The statement that runs; None between statements."""
        self.step = ""
        self.notices: list[Notice] = []
        """What was reported in addition to the result of the statement."""
        self.begun = clock.monotonic()
        """Monotonic seconds when the statement began."""
        self.at = datetime.now(UTC)
        self.is_head_shown = False
        """Whether the line of the statement is shown already."""
        self.is_recorded = False
        """Whether standard output is a record of the run, which has the statement already."""
        self._is_transient = False
        """Whether a line is on the screen that the next one overwrites."""

    def begin(self, statement: Statement) -> None:
        """Start with a statement: nothing of it is shown yet."""
        self.statement = statement
        self.begun, self.at = clock.monotonic(), datetime.now(UTC)
        self.notices.clear()
        self.is_head_shown = False
        self._transcript.line(statement.text)

    @property
    def seconds(self) -> float:
        """Seconds since the statement began."""
        return clock.monotonic() - self.begun

    @property
    def present(self) -> Statement:
        """The statement that runs; an empty one between statements."""
        return self.statement or Statement("", 0)

    @property
    def is_numbered(self) -> bool:
        """Whether the statement is a line of a file."""
        return self.statement is not None and self.statement.source is not None

    @property
    def closed(self) -> str:
        """Why nothing can be shown any more; empty while it can."""
        _ = self.writer.is_stuck
        return self.writer.problem

    @property
    def is_screen(self) -> bool:
        """Whether standard output is a terminal on which lines are shown."""
        return not self.quiet and not self.closed and self.writer.is_terminal

    @property
    def columns(self) -> int:
        """Columns of the terminal; 80 without one."""
        return self.writer.columns

    # Standard output.

    def text(self, line: str) -> None:
        """Write a line for a person, unless quiet."""
        if not self.quiet:
            self.clear()
            # Before it is folded: half a key would not be recognized.
            for part in self._folded(retold(line, safe(shortened(line, LONGEST_LINE)))):
                self.out(f"{part}\n")

    def record(self, line: str) -> None:
        """Write a line for a program, unless quiet; safe if it goes to a terminal all the same."""
        if not self.quiet:
            self.clear()
            self.out(f"{for_reader(line, sys.stdout)}\n")

    def transient(self, text: str) -> None:
        """Write a line that the next one overwrites, on a terminal only."""
        if self.is_screen and self.writer.can_overwrite:
            columns = self.columns - 1
            # Back at its beginning: the ^C that a terminal shows is then overwritten, too.
            self.out(f"\r{padded(cut(safe(text), columns), columns)}\r")
            self._is_transient = True

    def ask(self, question: str) -> None:
        """Write a question that is answered on the same line."""
        self.clear()
        self.out(f"{INDENT}{safe(question)}")

    def out(self, text: str) -> None:
        """Write to standard output, quiet or not."""
        self.writer.out(redact(text))

    # Standard error.

    def problem(self, lines: Sequence[str]) -> None:
        """Write lines about what went wrong, quiet or not."""
        self.clear()
        self.copy(lines)
        self.writer.err("".join(f"{safe(shortened(line, LONGEST_LINE))}\n" for line in lines))

    def not_met(self, problem: Sequence[str]) -> None:
        """Write what was not as asked for, with the place of the statement."""
        statement = self.present
        column = len(statement.text) - len(statement.text.lstrip()) + 1
        where = f"{statement.place}:{column}: " if statement.source else ""
        if len(problem) == 1:
            self.problem([f"{where}{problem[0]}"])
        elif problem:
            self.problem([f"{where}{safe(statement.text.strip())}", *(f"{INDENT}{line}" for line in problem)])

    def aside(self, line: str) -> None:
        """Write a line about what goes on to standard error."""
        self.writer.err(f"{redact(line)}\n")

    # The copy.

    def copy(self, lines: Sequence[str]) -> None:
        """Add lines to the copy of what is shown, quiet or not."""
        for line in lines:
            self._transcript.line(line)

    def clear(self) -> None:
        """Remove the line that the next one would overwrite."""
        if self._is_transient:
            self.out(f"\r{' ' * (self.columns - 1)}\r")
            self._is_transient = False

    def _folded(self, line: str) -> list[str]:
        if not self.is_screen or width(line) <= self.columns:
            return [line]
        from zb_mom_ww_mxgateway_shell.output.wrapping import folded  # Lazy: most runs never need it.

        return folded(line, self.columns)
