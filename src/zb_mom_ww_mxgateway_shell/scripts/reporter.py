"""What a run shows while it runs: each statement with its line, outcome and time; or one JSON object for each."""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import time_text
from zb_mom_ww_mxgateway_console.render.forms import json_line, safe
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST_LINE, cut, for_reader, padded, shortened, width
from zb_mom_ww_mxgateway_shell.output.problems import Statement
from zb_mom_ww_mxgateway_shell.output.results import Pending
from zb_mom_ww_mxgateway_shell.process.output_writer import ROOM
from zb_mom_ww_mxgateway_shell.process.stdin import StandardInput
from zb_mom_ww_mxgateway_shell.state.context import Context

_TEXT_WIDTH, _LINE_WIDTH, _TOOK_WIDTH = 50, 92, 10
_PROGRESS_SECONDS = 0.5
_LINES_AFTER_SECONDS = (2.0, 8.0, 20.0, 30.0)
"""Where progress is lines that stay: the pauses between them, the last one again and again."""
_INDENT = "      "


class RunReporter:
    """Writes to standard output and standard error, never a key; knows which statement it is about.

    It never waits for a reader. When nobody reads any more it is silent, and `closed` says so: what always runs has to
    run all the same.
    """

    def __init__(self, context: Context, *, quiet: bool, source: str | None, is_typed: bool = False) -> None:
        self._context = context
        self._writer = context.writer
        self._quiet = quiet
        self._source = source
        self._is_typed = is_typed
        self._keyboard = StandardInput()
        self._notices: list[str] = []
        self.alerts: list[str] = []
        """What happened by itself while the present statement ran; safe for a terminal."""
        self._statement: Statement | None = None
        self.begun = clock.monotonic()
        """Monotonic seconds when the present statement began."""
        self._at = datetime.now(UTC)
        self._head_is_out = False
        self._is_passing = False
        """Whether a line stands there that is to be written over."""

    @property
    def closed(self) -> str:
        """Why nothing can be shown any more; empty while it can."""
        _ = self._writer.is_stuck
        return self._writer.problem

    def say_closed(self) -> None:
        """Says once, on standard error, why nothing is shown any more."""
        if not self._writer.is_problem_said:
            self._writer.is_problem_said = True
            self.problem([f"{self.closed}: stopped there"])

    async def has_room(self, is_over: Callable[[], bool]) -> None:
        """Waits while a reader has too much to take that is waiting for it, unless `is_over`."""
        while self._writer.pending > ROOM and not self.closed and not is_over():
            await self._writer.moved()

    @property
    def _form(self) -> str:
        return self._context.settings.output

    @property
    def _shows_statements(self) -> bool:
        return self._statement is not None and self._statement.source is not None and self._form == "table"

    @property
    def seconds(self) -> float:
        """Since the statement began."""
        return clock.monotonic() - self.begun

    def prompt(self) -> None:
        """Asks for the next line where a person types it, and sees this."""
        if self._is_typed and self._is_terminal:
            self._write(f"{self._context.name or 'mxgw'}> ")

    # The course of a statement.

    def begin(self, statement: Statement) -> None:
        """A statement begins."""
        self._statement = statement
        self.begun, self._at = clock.monotonic(), datetime.now(UTC)
        self._notices.clear()
        self.alerts.clear()
        self._head_is_out = False
        self._context.spool.line(statement.text)
        if self._shows_statements:
            self._pass(self._head())

    def notice(self, text: str) -> None:
        """Something beside the result: shown under the statement."""
        self._notices.append(text)
        if self._statement is None or (self._form == "table" and not self._shows_statements):
            self._say(f"{_INDENT}{safe(text)}")

    def alert(self, text: str) -> None:
        """Something that happened by itself, whatever runs: on standard error, quiet or not, and in the journal."""
        self.alerts.append(safe(text))
        if self._form == "json":
            self._notices.append(text)
        self.problem([safe(text)])

    def live(self, line: str) -> None:
        """A line of a feed, shown as it comes."""
        if self._form != "table":
            return
        self._put_head_out()
        self._context.spool.line(line)
        self._say(f"{_INDENT}{line}")

    def not_done(self, lines: list[str], problem: Sequence[str], result: Any) -> None:
        """It ended by itself, and not as asked for: `problem` goes to standard error with its place. Standard output
        has the lines, too: where it is no terminal it is read, or kept, by itself."""
        if self._report(ok=False, result=result):
            return
        if self._shows_statements:
            self._put_head_out(self._took())
            for notice in self._notices:
                self._say(f"{_INDENT}{safe(notice)}")
        for line in lines:
            self._context.spool.line(line)
            if lines != list(problem) or not self._is_terminal:
                self._say(for_reader(line, sys.stdout) if self._form.startswith("csv") else f"{_INDENT}{line}")
        problem = problem or (lines if self._quiet else [])
        statement = self._statement or Statement("", 0)
        where = f"{statement.source}:{statement.line}:{_column(statement)}: " if statement.source else ""
        if not problem:
            return
        if len(problem) == 1:
            self.problem([f"{where}{problem[0]}"])
        else:
            self.problem([f"{where}{safe(statement.text.strip())}", *(f"{_INDENT}{line}" for line in problem)])

    def done(self, lines: list[str], *, brief: str = "", **outcome: Any) -> None:
        """It ended by itself: its result as lines, and as fields for JSON."""
        if self._report(ok=True, **outcome):
            return
        for line in lines:
            self._context.spool.line(line)
        if not self._shows_statements:
            for line in lines:
                self._say(for_reader(line, sys.stdout) if self._form.startswith("csv") else f"{_INDENT}{line}")
            return
        shown = [brief] if brief else lines
        if self._head_is_out or len(shown) != 1 or self._notices:
            self._put_head_out("" if self._head_is_out else self._took())
            for line in [*(safe(notice) for notice in self._notices), *shown]:
                self._say(f"{_INDENT}{line}")
            return
        line = f"{padded(self._head(), _TEXT_WIDTH)}  {shown[0]}"
        if self._is_terminal and width(line) > self._line_width:
            self._put_head_out(self._took())
            self._say(f"{_INDENT}{shown[0]}")
        else:
            self._say(padded(line, self._line_width) + self._took())

    def failed(self, problem: list[str], form: dict[str, Any], *, also_lines: bool) -> None:
        """It failed: the problem goes to standard error; with JSON only where `also_lines`."""
        as_json = self._report(ok=False, error=form)
        if self._shows_statements:
            self._put_head_out(self._took())
            for notice in self._notices:
                self._say(f"{_INDENT}{safe(notice)}")
        if not as_json or also_lines:
            self.problem(problem)

    def problem(self, lines: list[str]) -> None:
        """Lines about what went wrong, on standard error; shown quiet or not."""
        self._clear()
        for line in lines:
            self._context.spool.line(line)
        self._writer.err("".join(f"{safe(shortened(line, LONGEST_LINE))}\n" for line in lines))

    def said(self, text: str) -> None:
        """A line about the run itself."""
        self._statement = None
        if self._form == "table":
            self._say(text)

    async def ask(self, question: str) -> bool:
        """Asks the person at the terminal; anything but y and yes is no."""
        self._put_head_out()
        self._clear()
        self._write(f"{_INDENT}{safe(question)} [y/N] ")
        answer = await self._keyboard.text()
        return (answer or "").strip().casefold() in ("y", "yes")

    # While it takes long.

    async def follow_progress(self, feed: Pending) -> None:
        """Shows how a feed stands, until it is cancelled: on a terminal in one line, else in a line now and then."""
        if not self._is_terminal:
            await self._follow_in_lines(feed)
        while True:
            await asyncio.sleep(_PROGRESS_SECONDS)
            self._put_head_out()
            self._pass(f"{_INDENT}{feed.progress()}")

    async def _follow_in_lines(self, feed: Pending) -> None:
        """As lines that stay: on standard output, or on standard error where the former is for a program."""
        pauses = iter(_LINES_AFTER_SECONDS)
        while not self._quiet:
            await asyncio.sleep(next(pauses, _LINES_AFTER_SECONDS[-1]))
            line = f"{_INDENT}{feed.progress()}"
            if self._form == "table":
                self._put_head_out()
                self._say(line)
            else:
                self._writer.err(f"{redact(line)}\n")
        await asyncio.Event().wait()

    @property
    def _is_terminal(self) -> bool:
        return self._form == "table" and not self._quiet and not self.closed and sys.stdout.isatty()

    def _pass(self, text: str) -> None:
        """Writes a line that the next one is written over."""
        if self._is_terminal:
            columns = _columns() - 1
            # Back at its beginning: the ^C that a terminal shows is then written over, too.
            self._write(f"\r{padded(cut(safe(text), columns), columns)}\r")
            self._is_passing = True

    def _clear(self) -> None:
        if self._is_passing:
            self._write(f"\r{' ' * (_columns() - 1)}\r")
            self._is_passing = False

    # How it looks.

    def _head(self) -> str:
        assert self._statement is not None
        statement = self._statement
        place = f"{statement.line}"
        if statement.source != self._source and statement.source is not None:
            place = f"{Path(statement.source).name}:{statement.line}"
        return f"{safe(place):>4}  {safe(shortened(statement.text.strip().expandtabs(1)))}"

    @property
    def _line_width(self) -> int:
        """Columns before the time that a statement took."""
        return min(_LINE_WIDTH, _columns() - _TOOK_WIDTH - 1) if self._is_terminal else _LINE_WIDTH

    def _took(self) -> str:
        seconds = self.seconds
        text = f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
        return f"{text:>{_TOOK_WIDTH}}"

    def _put_head_out(self, took: str = "") -> None:
        if self._shows_statements and not self._head_is_out:
            self._head_is_out = True
            self._say(f"{padded(self._head(), self._line_width if took else 0)}{took}")

    def _report(self, **outcome: Any) -> bool:
        """Prints the JSON object of a statement, if that is what is wanted."""
        if self._form != "json":
            return False
        statement = self._statement or Statement("", 0)
        self._write_line(
            json_line(
                {
                    "at": time_text(self._at),
                    "command": statement.command,
                    "file": statement.source,
                    "line": statement.line,
                    "notices": self._notices,
                    "seconds": round(self.seconds, 3),
                    "statement": statement.text.strip(),
                    "step": self._context.step or None,
                    **outcome,
                }
            )
        )
        return True

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._clear()
            # Before it is folded: half a key would not be known for one.
            for part in self._fitted(line if self._form.startswith("csv") else safe(shortened(line, LONGEST_LINE))):
                self._write_line(part)

    def _fitted(self, line: str) -> list[str]:
        if not self._is_terminal or width(line) <= _columns():
            return [line]
        from zb_mom_ww_mxgateway_shell.output.wrapping import folded  # Most runs have no need of it.

        return folded(line, _columns())

    def _write_line(self, line: str) -> None:
        self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        self._writer.out(redact(text))


def _column(statement: Statement) -> int:
    return len(statement.text) - len(statement.text.lstrip()) + 1


def _columns() -> int:
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80
