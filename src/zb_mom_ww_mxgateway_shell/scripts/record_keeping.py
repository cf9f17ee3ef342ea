"""The record of a run in a launch: checked and opened before anything is sent, begun once connected, ended last."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.redaction import redact
from zb_mom_ww_mxgateway.safety.journal_chain import JournalError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.evidence.record_options import RecordOptions
from zb_mom_ww_mxgateway_shell.output.formats import Formatter
from zb_mom_ww_mxgateway_shell.output.problems import message_of
from zb_mom_ww_mxgateway_shell.process import report_files
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.files_read import Source

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.evidence.record_sinks import KeptLines, RecordFile
    from zb_mom_ww_mxgateway_shell.evidence.run_record import RunRecord
    from zb_mom_ww_mxgateway_shell.state.plant_changes import ChangeNow

_NO_GATEWAY = {"gateway": None, "galaxy": None}


class RecordKeeping:
    """Keeps the record of one run, if somebody wants it: a file, a report, or the form of standard output."""

    def __init__(
        self, options: RecordOptions, *, may_show: bool, is_plan: bool = False, is_within: bool = False
    ) -> None:
        """`may_show` if the run is shown as its record where its output form has that; of a plan none is kept.
        `is_within` a shell that was there before: the lines of its journal from before are not of this run."""
        self._is_within = is_within
        self._lines_before: Mapping[bool, int] = {}
        self._options = options
        self._may_show = may_show and not is_plan
        self._is_plan = is_plan
        self._record: RunRecord | None = None
        self._file: RecordFile | None = None
        self._kept: KeptLines | None = None
        """The lines for a report."""
        self._outcome: dict[str, Any] = {}
        self._journal: list[str] = []
        self.files: Sequence[Source] = ()
        """Each file as it was read for the run."""
        self.seed: int | None = None
        """The number that an order by chance came from."""

    @property
    def record(self) -> "RunRecord | None":
        """The record; None before the run begins, and where none is kept."""
        return self._record

    def check(self, files: Iterable[str], junit: str | None) -> None:
        """Raise ShellError if it cannot be kept as asked for; `files` are those to run."""
        self._options.check(files, junit)

    def open(self, *, is_shown: bool = False) -> None:
        """Replace the files of a former run: they must not pass for those of this one; raise ShellError."""
        if self._record is not None or self._is_plan or not (is_shown or any(self._options.targets)):
            return
        # Lazy: most runs keep no record.
        from zb_mom_ww_mxgateway_shell.evidence.record_sinks import KeptLines, RecordFile
        from zb_mom_ww_mxgateway_shell.evidence.run_record import RunRecord

        record = RunRecord()
        if self._options.record is not None:
            self._file = RecordFile(Path(self._options.record))
            record.sinks.append(self._file)
        if self._options.report is not None:
            self._kept = KeptLines()
            record.sinks.append(self._kept)
            if not report_files.is_special(Path(self._options.report)):
                self._report(self._options.report)
        self._record = record

    def _report(self, path: str) -> None:
        """Write the report of what there is so far; raise ShellError."""
        from zb_mom_ww_mxgateway_shell.evidence.report import write_report  # Lazy: most runs have no report.

        write_report([] if self._kept is None else self._kept.lines, Path(path))

    async def begin(self, context: Context) -> None:
        """Begin the record with what is known now, after the connection of the start."""
        record = self._opened(context, context.settings.formatter)
        if record is not None:
            from zb_mom_ww_mxgateway_shell.evidence.run_facts import gateway_facts

            before = await self._journal_before(context) if self._is_within else {}
            record.begin(self._facts_of(context) | await gateway_facts(context.current) | before)
            context.files_read.know(self.files)
            context.record, context.departure.tells_all = record, True

    async def _journal_before(self, context: Context) -> dict[str, Any]:
        heads = [str(head) for head in await context.journals.heads()]
        self._lines_before = context.journals.own_counts()
        return {"journal_before": heads}

    def add_problem(self, context: Context, entry: Mapping[str, Any], formatter: Formatter) -> bool:
        """Add why the run could not begin; return whether its record shows that."""
        record = self._record if self._has_begun else self._opened(context, formatter)
        if record is None:
            return False
        if not self._has_begun:
            record.begin(self._facts_of(context) | _NO_GATEWAY)
        record.add(entry)
        return record.is_shown

    def never_began(self, why: Sequence[str], code: ExitCode) -> None:
        """Write the record of a run that was refused before it connected; raise ShellError if that cannot be done."""
        self.open()
        if self._record is not None:
            self._record.begin(self._facts_of(None) | _NO_GATEWAY)
            self.end(code, lambda text: sys.stderr.write(f"mxgw-shell: {text}\n"), "; ".join(why))

    def _opened(self, context: Context, formatter: Formatter) -> "RunRecord | None":
        """Return the record that the run begins with, with standard output if that shows it."""
        is_shown = self._may_show and formatter.shows_record
        self.open(is_shown=is_shown)
        if self._record is not None and is_shown:
            self._record.is_shown = True
            self._record.sinks.append(_Shown(context))
        return self._record

    @property
    def _has_begun(self) -> bool:
        return self._record is not None and self._record.has_begun

    def _facts_of(self, context: Context | None) -> dict[str, Any]:
        from zb_mom_ww_mxgateway_shell.evidence import run_facts

        about = self._options.facts()
        facts = run_facts.program_facts() | {
            "about": about,
            "contract": run_facts.contract_facts(),
            "operator": about.get("operator"),
            "files": [each.form() for each in self.files],
            "seed": self.seed,
        }
        if context is not None:
            facts |= run_facts.terms_facts(context) | {"names": run_facts.given_names(context)}
        return facts

    def outcome(self, logs: Sequence[RunLog], left_changed: "Sequence[ChangeNow]") -> None:
        """Keep how the files ended, for the last line."""
        titled = [step for log in logs for step in log.titled]
        failed = sum(step.failure is not None for step in titled)
        not_run = [each for log in logs for each in log.not_run]
        self._outcome |= {
            "steps": {"passed": len(titled) - failed, "failed": failed, "skipped": len(not_run)},
            "not_run": [each._asdict() for each in not_run],
            "left_changed": [each.form() for each in left_changed],
            "broken_off": "; ".join(log.broken_off for log in logs if log.broken_off) or None,
        }

    async def take_journals(self, context: Context) -> None:
        """Add the lines that this run wrote to the journals, and their heads; nothing is written to them after it."""
        if self._record is None:
            return
        try:
            self._journal = [str(head) for head in await context.journals.heads()]
            for line in context.journals.own_lines(self._lines_before):
                self._record.add({"command": "journal", "at": line["at"], "line": line})
        except (JournalError, OSError) as error:
            self._outcome["journal_problem"] = message_of(error)

    def end(self, code: int, say: Callable[[str], object], why: str = "") -> int:
        """End the record, and write the report; return the exit code.

        It is a failure if one of them could not be written, as `say` is told. `why` says what kept the run from its
        end, if nothing else does.
        """
        if self._record is None:
            return code
        facts: dict[str, Any] = {"steps": None, "not_run": None, "left_changed": None, "broken_off": why or None}
        self._record.end({**facts, **self._outcome, "exit_code": int(code), "journal": self._journal})
        problems: list[str] = []
        if self._file is not None:
            self._file.close()
            problems += [f"the record is not whole: {self._file.problem}"] if self._file.problem else []
        if self._options.report is not None:
            try:
                self._report(self._options.report)
            except Exception as error:  # It changes nothing about what was done.
                problems.append(f"no report: {message_of(error)}")
        for problem in problems:
            say(redact(problem))
        return code or (ExitCode.USAGE if problems else code)


class _Shown:
    """Standard output as a sink."""

    def __init__(self, context: Context) -> None:
        self._writer = context.writer

    def write(self, line: str) -> None:
        self._writer.out(line)
