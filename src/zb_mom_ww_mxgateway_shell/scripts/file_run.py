"""One attempt at one file of a suite, with a context, a session, a log and an output of its own."""

import asyncio
from collections.abc import Callable

from zb_mom_ww_mxgateway.safety.journal_chain import JournalError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, gravest
from zb_mom_ww_mxgateway_console.text.terminal_text import safe
from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, message_of, problem_form, problem_lines
from zb_mom_ww_mxgateway_shell.process.held_output import HeldOutput
from zb_mom_ww_mxgateway_shell.scripts.entry import ScriptJob
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.scripts.run_options import Part, RunOptions
from zb_mom_ww_mxgateway_shell.scripts.runner import ScriptRun
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.context_beside import SharedConnection, context_beside


class FileRun:
    """One attempt at a file. Whatever goes wrong in it, or with its session, ends this attempt alone."""

    def __init__(self, part: Part, how: RunOptions, base: Context, shared: SharedConnection | None) -> None:
        """`base` has what the user gave for all files; without a connection the file runs without one, too."""
        self.part = part
        self.output = HeldOutput()
        self.code = ExitCode.DONE
        """The exit code, once it has ended."""
        self._how = how
        self._base = base
        self._shared = shared
        self._context = context_beside(base, self.output)
        self._job = ScriptJob([part], how)
        self._unbegun = RunLog(part.name)
        self._opening: asyncio.Future[None] | None = None
        self._is_ended = False
        """Whether a signal came before its first line."""

    @property
    def log(self) -> RunLog:
        """What ran of the file."""
        return self._job.logs[0] if self._job.logs else self._unbegun

    @property
    def may_have_written(self) -> bool:
        """Whether something that changes the plant was asked for."""
        return self._context.has_written

    async def run(self) -> None:
        """Open the session, run the file, and close the session however that ends."""
        keeping = self._how.reports.keeping
        try:
            self.code = await self._run()
        except Exception as error:
            self._fail(error)
        finally:
            await self._close()
            await keeping.take_journals(self._context)
            await self._close_journals()
            self.code = ExitCode(keeping.end(self.code, self._alert))
        if keeping.record is not None:
            self.log.properties["record.sha256"] = keeping.record.sha256

    async def _run(self) -> ExitCode:
        self._opening = asyncio.ensure_future(self._open())
        try:
            await self._opening
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if not self._is_ended or (current is not None and current.cancelling()):
                raise
        if self._is_ended:
            self._unbegun.broken_off = "interrupted"
            self._unbegun.end(self.part.block, self._context)
            return ExitCode.INTERRUPTED
        return await self._job.run(self._context)

    async def _open(self) -> None:
        if self._shared is not None:
            await self._shared.open_in(self._context)
        await self._how.reports.keeping.begin(self._context)

    async def _close(self) -> None:
        self._context.wrote_elsewhere = self._context.has_written  # Its connection is about to go.
        try:
            await self._context.disconnect()
        except Exception as error:
            self._end_badly(error)
        self._context.spool.stop()
        if tags := self._context.departure.not_put_back:
            self.code = gravest(self.code, ExitCode.UNKNOWN)
            self._how.reports.end_badly(f"not put back: {tags}", self._alert)

    async def _close_journals(self) -> None:
        try:
            await self._context.journals.aclose()
        except JournalError as error:
            # Whoever only looks needs no journal.
            if self._context.has_written:
                self._end_badly(error)

    def _end_badly(self, error: Exception) -> None:
        """Handle an error after the last line: what failed first counts, not that it could not be closed either."""
        self._tell(error)
        self.code = self.code or exit_code_for(error)
        self._how.reports.end_badly(message_of(error), self._alert)

    def _fail(self, error: Exception) -> None:
        self._tell(error)
        self.code = gravest(self.code, exit_code_for(error))
        self.log.broken_off = self.log.broken_off or message_of(error)
        if self.log is self._unbegun:
            self.log.end(self.part.block, self._context)

    def _tell(self, error: Exception) -> None:
        formatter = self._context.settings.formatter
        fields = {"command": "connect", "error": problem_form(error), "file": self.part.name, "line": 0, "ok": False}
        if self._how.reports.keeping.add_problem(self._context, fields, formatter):
            return
        if record := formatter.record(fields):
            self.output.out(f"{record}\n")
            return
        for line in problem_lines(error, Statement("", 0), debug=self._how.debug):
            self.output.err(f"{safe(f'{self.part.name}: {line}')}\n")

    def _alert(self, text: str) -> None:
        self.output.err(f"{safe(f'{self.part.name}: {text}')}\n")

    def interrupt(self) -> None:
        """End it as Ctrl-C does."""
        self._end(ScriptRun.interrupt)

    def call_off(self) -> None:
        """End it as a request to end does."""
        self._end(ScriptRun.call_off)

    def stop_showing(self) -> None:
        """End it because nothing can be shown any more; the lines after ``finally`` run."""
        self.output.problem = self._base.writer.problem

    def _end(self, how: Callable[[ScriptRun], None]) -> None:
        if self._job.script is not None:
            how(self._job.script)
            return
        self._is_ended = True
        if self._opening is not None:
            self._opening.cancel()
