"""A suite of files, from the command line to its report: read and checked as a whole, then run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted, gravest
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.problems import message_of
from zb_mom_ww_mxgateway_shell.scripts.entry import ScriptJob, offline
from zb_mom_ww_mxgateway_shell.scripts.run_options import RunOptions
from zb_mom_ww_mxgateway_shell.scripts.step_selection import may_select
from zb_mom_ww_mxgateway_shell.scripts.suite_display import SuiteDisplay
from zb_mom_ww_mxgateway_shell.scripts.suite_files import SuiteFiles
from zb_mom_ww_mxgateway_shell.scripts.suite_records import SuiteRecords
from zb_mom_ww_mxgateway_shell.scripts.suite_result import code_of
from zb_mom_ww_mxgateway_shell.scripts.suite_run import SuiteRun
from zb_mom_ww_mxgateway_shell.scripts.write_claims import WriteClaim
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.context_beside import SharedConnection
from zb_mom_ww_mxgateway_shell.state.files_read import Source

_NAME = "the suite"
"""The suite in the report of one that did not begin."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SuiteOptions:
    """How a suite is run."""

    tags: tuple[str, ...] = ()
    """The tags of which a file must have one; empty for all files."""
    jobs: int = 1
    """How many files run at a time, at most."""
    retries: int = 0
    """How often a file that failed is run again, at most."""
    seed: int | None = None
    """What shuffles the files; None for their own order."""
    records: str | None = None
    """The folder for the record of each attempt; None for no records."""
    report: str | None = None
    """The file for a report of all records; None for no report."""
    names: Source | None = None
    """The file of names; None without one."""
    about: tuple[str, ...] = ()
    """What the records are about, each as NAME=TEXT."""


class Suite:
    """Files to run, read and checked; made by :meth:`of`."""

    def __init__(self, job: ScriptJob, files: SuiteFiles, how: RunOptions, options: SuiteOptions) -> None:
        self._job = job
        self._files = files
        self._how = how
        self._options = options
        ahead = offline(how.variables)
        evidence = RecordOptions(report=options.report, about=options.about)
        self._records = SuiteRecords(options.records, evidence, options.seed, job.parts, options.retries + 1)
        self._records.others = [options.names] if options.names is not None else []
        self._claims = {part.name: WriteClaim.of(part.block, ahead) for part in job.parts}

    @classmethod
    def of(
        cls, paths: Sequence[str], how: RunOptions, options: SuiteOptions
    ) -> "Suite | Literal[ExitCode.USAGE, ExitCode.GUARDED]":
        """Read and check all files before anything connects, and report all their mistakes.

        Return the exit code if something is wrong with them. Raise ShellError if they cannot be read.
        """
        how.reports.spare(path for path in paths if not Path(path).is_dir())
        try:
            files = SuiteFiles.read(paths, options.tags, options.seed)
            ahead = offline(how.variables)
            wanted = [each for each in files.selected if not how.steps or may_select(how.steps, each[0].block, ahead)]
            if not wanted:
                raise ShellError(f"--step {' '.join(how.steps)}: no step of these files has such a title")
        except ShellError as error:
            how.reports.refuse(_NAME, [message_of(error)], error.exit_code)
            raise
        others = [part.block for part, _ in [*files.others, *files.selected]]
        job = ScriptJob.checked(wanted, how, _NAME, others)
        if isinstance(job, int):
            return job
        suite = cls(job, files, how, options)
        suite._records.prepare([source.name for part in job.parts for source in part.block.sources])
        return suite

    @property
    def stands_alone(self) -> bool:
        """Whether every statement of every file works the same without a connection."""
        return self._job.stands_alone

    def report_unfinished(self, why: list[str]) -> None:
        """Write the report of a suite that could not begin, if a report is wanted."""
        self._how.reports.report_unfinished(_NAME, why)

    async def run(self, context: Context) -> ExitCode:
        """Run the files, each in a session of its own on the connection of the context; return the gravest exit code.

        The session of the context is closed first: it has shown that the gateway can be reached.
        """
        with self._records:
            return await self._run(context)

    async def _run(self, context: Context) -> ExitCode:
        display = SuiteDisplay(context, total=len(self._job.parts), quiet=self._how.quiet)
        context.set_outputs(display.say, display.alert)
        context.runs_file = True
        self._announce(display)
        shared = SharedConnection.of(context)
        jobs, retries = self._options.jobs, self._options.retries
        run = SuiteRun(context, shared, display, self._records, self._how, jobs=jobs, retries=retries)
        try:
            await context.disconnect()
            results = await run.run(self._job.parts, self._claims)
        finally:
            if shared is not None:
                await shared.client.close()
        code = gravest(code_of(results), run.code)
        is_reported = not self._how.reports.finish([each.log for each in results], [], display.alert)
        if not (self._records.report(results, display.alert) and is_reported):
            code = gravest(code, ExitCode.USAGE)
        display.end(results, code)
        return code

    def _announce(self, display: SuiteDisplay) -> None:
        options, files = self._options, self._files
        left_out = len(files.selected) - len(self._job.parts)
        parts = [counted(len(self._job.parts), "file")]
        parts += [f"{options.jobs} at a time"] if options.jobs > 1 else []
        parts += [f"shuffled with the seed {options.seed}"] if options.seed is not None else []
        parts += [f"{len(files.others)} without the tag"] if files.others else []
        parts += [f"{left_out} without such a step"] if left_out else []
        display.say(", ".join(parts))
        for part, by in files.parts.items():
            display.say(f"{part} is a part of {by}, and is not run by itself")
        for name, claim in self._claims.items() if options.jobs > 1 else ():
            if claim.alone_because:
                display.say(f"{name} runs alone: {claim.alone_because}")
