"""What a run shows while it runs, in the output form that is set."""

import asyncio
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_console.text.terminal_text import safe
from zb_mom_ww_mxgateway_shell.output.formats import Formatter, statement_form
from zb_mom_ww_mxgateway_shell.output.page import Notice, Page
from zb_mom_ww_mxgateway_shell.output.problems import Statement, problem_form
from zb_mom_ww_mxgateway_shell.output.results import INDENT, Pending, Result
from zb_mom_ww_mxgateway_shell.output.transcript import Transcript
from zb_mom_ww_mxgateway_shell.process.output_writer import ROOM, OutputWriter
from zb_mom_ww_mxgateway_shell.process.stdin import StandardInput
from zb_mom_ww_mxgateway_shell.state.context import Context

_PROGRESS_SECONDS = 0.5
_LINES_AFTER_SECONDS = (2.0, 8.0, 20.0, 30.0)
"""Pauses between lines of progress that stay; the last one repeats."""
_WAITS_SECONDS = (10.0, 20.0, 30.0)
"""Such pauses for a statement that ends by itself, as most do long before the first of them."""


class RunReporter:
    """Shows a run: gives each event to the formatter of the output form, which a statement may change.

    It never waits for a reader. After the reader has left it is silent, and `closed` is the reason: the lines after
    ``finally`` still have to run.
    """

    def __init__(
        self,
        context: Context,
        *,
        quiet: bool,
        source: str | None,
        is_typed: bool = False,
        debug: bool = False,
        shows: bool = True,
        writer: OutputWriter | None = None,
    ) -> None:
        """Without `shows` statements are only kept in the record: others show them. It shows them on the `writer`, or
        on that of the context."""
        self._shows = shows
        self._context = context
        self._writer = writer or context.writer
        self._page = Page(
            self._writer,
            context.spool if shows else Transcript(context.alert),
            quiet=quiet,
            source=source,
            debug=debug,
        )
        self._is_typed = is_typed
        self._keyboard = StandardInput()
        self._is_asking = False

    @property
    def _formatter(self) -> Formatter:
        return self._context.settings.formatter

    @property
    def closed(self) -> str:
        """Why nothing can be shown any more; empty while it can."""
        return self._page.closed

    @property
    def seconds(self) -> float:
        """Seconds since the present statement began."""
        return self._page.seconds

    @property
    def alerts(self) -> list[str]:
        """What happened by itself while the present statement ran; safe for a terminal."""
        return [safe(notice.line) for notice in self._page.notices if notice.is_alert]

    def report_closed(self) -> None:
        """Report once, on standard error, why nothing is shown any more."""
        if not self._writer.is_problem_reported:
            self._writer.is_problem_reported = True
            self.problem([f"{self.closed}: stopped there"])

    async def has_room(self, is_over: Callable[[], bool]) -> None:
        """Wait while too much output waits for its reader, unless `is_over`."""
        while self._writer.pending > ROOM and not self.closed and not is_over():
            await self._writer.moved()

    def prompt(self) -> None:
        """Ask for the next line, if a person types it and sees this."""
        if self._is_typed and self._formatter.for_people and self._page.is_screen:
            self._page.out(f"{self._context.name or 'mxgw'}> ")

    def begin(self, statement: Statement) -> None:
        """Start with a statement."""
        self._page.begin(statement)
        if self._shows:
            self._formatter.begin(self._page)

    def notice(self, text: str) -> None:
        """Report something in addition to the result."""
        self._page.notices.append(Notice(text))
        if self._shows:
            self._formatter.notice(self._page, text)

    def alert(self, text: str) -> None:
        """Report something that happened by itself: on standard error, quiet or not, and in the run's log."""
        from zb_mom_ww_mxgateway_shell.output.value_text import with_time  # Lazy: most runs never need it.

        notice = Notice(text, is_alert=True, line=with_time(text))
        self._page.notices.append(notice)
        self.problem([safe(notice.line)])

    def live(self, line: str) -> None:
        """Show a line of a feed as it comes."""
        self._formatter.live(self._page, line)

    def result(self, result: Result | None) -> list[str]:
        """Show what the statement ended with; return the lines of its result."""
        self._page.step = self._context.file.step
        if self._context.record is not None:
            is_ok = result is None or result.exit_code is ExitCode.DONE
            self._keep(result, ok=is_ok, result=None if result is None else result.form())
        if not self._shows:
            return [] if result is None else result.lines()
        return self._formatter.result(self._page, result)

    def failure(self, error: BaseException, problem: Sequence[str] = ()) -> None:
        """Show what the statement failed with; `problem` are the lines for a person."""
        self._page.step = self._context.file.step
        if self._context.record is not None:
            self._keep(error, ok=False, error=problem_form(error))
        if self._shows:
            self._formatter.failure(self._page, error, problem)

    def _keep(self, outcome: Result | BaseException | None, **fields: Any) -> None:
        """Add the statement to the record of the run."""
        record, file = self._context.record, self._context.file
        if record is None:
            return
        self._page.is_recorded = record.is_shown
        of_step = {"id": file.step_id or None, "requirements": list(file.requirements)}
        record.add_statement(statement_form(self._page) | of_step | fields, getattr(outcome, "samples", None))

    def problem(self, lines: Sequence[str]) -> None:
        """Write lines about what went wrong to standard error, quiet or not."""
        self._page.problem(lines)

    def end(self, summary: str) -> None:
        """Show the summary of the file, now that it is over."""
        self._page.statement = None
        self._formatter.end(self._page, summary)

    async def ask(self, question: str) -> bool:
        """Ask the person at the terminal; any answer but y and yes is no."""
        return (await self.ask_value(f"{question} [y/N] ")).strip().casefold() in ("y", "yes")

    async def ask_value(self, question: str) -> str:
        """Return what the person at the terminal types in answer to a question; empty at the end of the input."""
        self._formatter.show_head(self._page)
        self._page.ask(question)
        self._is_asking = True
        try:
            return (await self._keyboard.text() or "").rstrip("\r\n")
        finally:
            self._is_asking = False

    async def ask_unseen(self, question: str) -> str:
        """Return an answer that the terminal does not show."""
        from zb_mom_ww_mxgateway_shell.process.unseen import unseen  # Lazy: few runs ask for a secret.

        with unseen():
            answer = await self.ask_value(question)
        self._page.out("\n")
        return answer

    async def tell_wait(self, progress: Callable[[], str]) -> None:
        """Show what a statement waits for that shows nothing by itself, until this is cancelled.

        On a terminal in one line, else in a line on standard error now and then.
        """
        if self._page.quiet or not self._shows:
            return
        is_redrawn = self._formatter.for_people and self._page.is_screen
        pauses = (_PROGRESS_SECONDS,) if is_redrawn else _WAITS_SECONDS
        for pause in chain(pauses, repeat(pauses[-1])):
            await asyncio.sleep(pause)
            if not self._is_asking:
                self._formatter.waits(self._page, progress())

    async def follow_progress(self, feed: Pending) -> None:
        """Show the state of a feed until this is cancelled: on a terminal in one line, else in a line now and then."""
        if self._page.quiet:
            return
        is_redrawn = self._formatter.for_people and self._page.is_screen
        pauses = (_PROGRESS_SECONDS,) if is_redrawn else _LINES_AFTER_SECONDS
        for pause in chain(pauses, repeat(pauses[-1])):
            await asyncio.sleep(pause)
            self._formatter.progress(self._page, f"{INDENT}{feed.progress()}")
