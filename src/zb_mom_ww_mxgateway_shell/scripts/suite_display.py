"""What a suite shows: its progress, the output of each file as one block, and the table at the end."""

import asyncio
from collections.abc import Sequence

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, counted
from zb_mom_ww_mxgateway_console.text.terminal_text import safe
from zb_mom_ww_mxgateway_shell.output.page import Page
from zb_mom_ww_mxgateway_shell.process.output_writer import ROOM
from zb_mom_ww_mxgateway_shell.scripts.file_run import FileRun
from zb_mom_ww_mxgateway_shell.scripts.suite_result import FileResult, table_of
from zb_mom_ww_mxgateway_shell.state.context import Context

_REDRAW_SECONDS = 0.5


class SuiteDisplay:
    """Shows a suite on the standard streams. It never waits for a reader, but in :meth:`has_room`."""

    def __init__(self, context: Context, *, total: int, quiet: bool) -> None:
        self._writer = context.writer
        self._formatter = context.settings.formatter
        self._page = Page(context.writer, context.spool, quiet=quiet)
        self._total = total
        self._began = clock.monotonic()
        self._results: list[FileResult] = []
        """The files that have ended."""
        self.running: list[FileRun] = []
        """The files that run."""

    @property
    def closed(self) -> str:
        """Why nothing can be shown any more; empty while it can."""
        return self._page.closed

    def say(self, text: str) -> None:
        """Show a line about the suite, where it does not come between records."""
        if self._formatter.for_people:
            self._page.text(safe(text))
        elif not self._page.quiet:
            self._page.problem([safe(text)])

    def alert(self, text: str) -> None:
        """Show a line about what went wrong, quiet or not."""
        self._page.problem([safe(text)])

    def block(self, run: FileRun, result: FileResult | None) -> None:
        """Show all output of an attempt that has ended; `result` is that of the file, if it was the last one."""
        if result is not None:
            self._results.append(result)
        self._page.clear()
        if self._formatter.for_people:
            self._page.text(f"=== {run.part.name}")
        run.output.give_to(self._writer)

    async def has_room(self) -> None:
        """Wait while too much output waits for its reader."""
        while self._writer.pending > ROOM and not self.closed:
            await self._writer.moved()

    async def keep_drawn(self) -> None:
        """Keep one line with the progress up to date, on a terminal, until this is cancelled."""
        if not (self._page.is_screen and self._formatter.for_people):
            return
        while True:
            self._page.transient(self._progress())
            await asyncio.sleep(_REDRAW_SECONDS)

    def _progress(self) -> str:
        failed = sum(each.code is not ExitCode.DONE for each in self._results)
        parts = [f"{len(self._results)} of {self._total} done", f"{failed} failed" if failed else ""]
        names = ", ".join(run.part.name for run in self.running)
        took = age_text(clock.monotonic() - self._began)
        return f"{', '.join(filter(None, parts))}, {took}; running: {names}"

    def end(self, results: Sequence[FileResult], code: ExitCode) -> None:
        """Show the table of all files, and how many there are of each verdict."""
        self._page.clear()
        shown = [each for each in results if each.verdict != "passed"] if self._page.quiet else results
        table = table_of(shown)
        verdicts = [each.verdict for each in results]
        counts = ", ".join(f"{verdicts.count(each)} {each}" for each in dict.fromkeys(verdicts))
        took = age_text(clock.monotonic() - self._began)
        summary = f"{counted(len(results), 'file')}: {counts}, in {took}"
        fields = {"command": "suite-end", "exit_code": int(code), "files": table.form()}
        if record := self._formatter.record(fields):
            self._page.record(record)
        elif self._page.quiet:
            if shown:
                self._page.problem([line.strip() for line in table.lines()[1:]])
        elif self._formatter.for_people:
            for line in ["", *table.lines(), "", summary]:
                self._page.text(line)
        else:
            for line in self._formatter.lines(table):
                self._page.record(line)
