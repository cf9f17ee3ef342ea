"""A suite while it runs: which file begins when, on which attempt, and what ends them all."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from zb_mom_ww_mxgateway_console.process.endings import CALLED_OFF, INTERRUPT
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.process.signals import on_signals
from zb_mom_ww_mxgateway_shell.scripts.entry import offline
from zb_mom_ww_mxgateway_shell.scripts.file_run import FileRun
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.scripts.run_options import Part, RunOptions
from zb_mom_ww_mxgateway_shell.scripts.run_reports import RunReports
from zb_mom_ww_mxgateway_shell.scripts.suite_display import SuiteDisplay
from zb_mom_ww_mxgateway_shell.scripts.suite_records import SuiteRecords
from zb_mom_ww_mxgateway_shell.scripts.suite_result import RETRIED, Attempt, FileResult
from zb_mom_ww_mxgateway_shell.scripts.write_claims import WriteClaim
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.context_beside import SharedConnection


class SuiteRun:
    """Runs files, each in a session of its own; several at a time if what they write cannot meet.

    The first Ctrl-C, or a request to end, ends each of them as it ends a single run; no other is begun.
    """

    def __init__(
        self,
        base: Context,
        shared: SharedConnection | None,
        display: SuiteDisplay,
        records: SuiteRecords,
        how: RunOptions,
        *,
        jobs: int,
        retries: int,
    ) -> None:
        """`jobs` is how many files run at a time, at most, and `retries` how often one that failed runs again."""
        self._base = base
        self._shared = shared
        self._display = display
        self._records = records
        self._how = how._replace(is_one_of_many=True)
        self._jobs = jobs
        self._retries = retries
        self._running: dict[asyncio.Task[None], Part] = {}
        self._ended_because = ""
        """Why no further file is begun; empty while files are."""
        self._interrupts = 0
        self.code = ExitCode.DONE
        """Why the suite as a whole did not end well, whatever its files say."""

    async def run(self, parts: Sequence[Part], claims: Mapping[str, WriteClaim]) -> list[FileResult]:
        """Run the files, begun in this order; return what came of each. `claims` are what they may write, by name."""
        results = [FileResult(part) for part in parts]
        with on_signals(INTERRUPT, self._interrupt), on_signals(CALLED_OFF, self._call_off):
            await self._all(results, claims)
        for each in results:
            if not each.attempts:
                each.not_run = RunLog(each.part.name)
                each.not_run.leave_out(each.part.block, offline(self._how.variables), f"not run: {self._ended_because}")
        return results

    async def _all(self, results: Sequence[FileResult], claims: Mapping[str, WriteClaim]) -> None:
        """Begin the files in their order: one that has to wait lets none behind it pass."""
        waiting = deque(results)
        drawing = asyncio.create_task(self._display.keep_drawn(), name="progress")
        try:
            while True:
                while waiting and self._may_begin(claims[waiting[0].part.name], claims):
                    result = waiting.popleft()
                    running = asyncio.create_task(self._file(result), name=f"run of {result.part.name}")
                    self._running[running] = result.part
                if not self._running:
                    return
                ended, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                for each in ended:
                    del self._running[each]
                    each.result()
        finally:
            for each in (drawing, *self._running):
                each.cancel()
            await asyncio.gather(drawing, *self._running, return_exceptions=True)

    def _may_begin(self, claim: WriteClaim, claims: Mapping[str, WriteClaim]) -> bool:
        if self._ended_because or len(self._running) >= self._jobs:
            return False
        return not any(claim.meets(claims[part.name]) for part in self._running.values())

    async def _file(self, result: FileResult) -> None:
        """Run a file, and again while it fails and may be tried again."""
        display = self._display
        for number in range(self._retries + 1):
            reports = RunReports(None, self._records.keeping_of(result.part, number + 1))
            reports.tells_alarms = self._how.reports.tells_alarms
            how = self._how._replace(reports=reports)
            run = FileRun(result.part, how, self._base, self._shared)
            display.running.append(run)
            try:
                await run.run()
            finally:
                display.running.remove(run)
                self._base.wrote_elsewhere |= run.may_have_written
                result.attempts.append(Attempt(run.log, run.code))
            self._records.name_in(run.log, result.part, number + 1)
            is_last = number == self._retries or run.code not in RETRIED or bool(self._ended_because)
            display.block(run, result if is_last else None)
            await display.has_room()
            if display.closed and not self._ended_because:
                self.code = ExitCode.NOT_MET
                self._end(display.closed, FileRun.stop_showing)
            if is_last or self._ended_because:
                return
            display.say(f"{result.part.name} failed: tried again, {number + 1} of {self._retries}")

    def _interrupt(self) -> None:
        """Handle Ctrl-C: each run counts how often it came."""
        self.code = ExitCode.INTERRUPTED
        self._interrupts += 1
        if self._interrupts == 2:
            self._display.alert("what runs ends at once, with finally; once more leaves the lines after finally, too")
        self._end("interrupted", FileRun.interrupt, "; once more ends it at once")

    def _call_off(self) -> None:
        """Handle a request to end: a kill may follow, or the terminal is gone."""
        self.code = ExitCode.INTERRUPTED
        self._end("interrupted", FileRun.call_off)

    def _end(self, why: str, how: Callable[[FileRun], None], hint: str = "") -> None:
        """Begin no further file, and end those that run; `hint` says what more a person can do."""
        if not self._ended_because:
            self._ended_because = why
            running = counted(len(self._display.running), "file")
            self._display.alert(f"{why}: {running} to end, with finally; no other is begun{hint}")
        for run in self._display.running:
            how(run)
