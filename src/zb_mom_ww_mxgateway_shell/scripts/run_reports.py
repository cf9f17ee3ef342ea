"""The JUnit report and the record of a run: checked before anything is sent, replaced at once, finished at the end."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.problems import message_of
from zb_mom_ww_mxgateway_shell.process import report_files
from zb_mom_ww_mxgateway_shell.scripts.record_keeping import RecordKeeping
from zb_mom_ww_mxgateway_shell.scripts.run_log import RunLog

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.plant_changes import ChangeNow

_NOT_ENDED = ("the run did not reach its end",)


class RunReports:
    """What one run leaves for others to read."""

    def __init__(self, junit: str | None, keeping: RecordKeeping) -> None:
        """`junit` is the file for a JUnit report; None for no report."""
        self.junit = junit
        self.tells_alarms = junit is not None
        """Whether a report beside the record tells what came of alarms: this one, or that of the suite."""
        self.keeping = keeping
        self._finished: tuple[Sequence[RunLog], Sequence[ChangeNow]] | None = None
        """What they were made of; None before the end of the run."""

    def spare(self, files_to_run: Iterable[str]) -> None:
        """Raise ShellError if one of them would replace one of these files, or cannot be written as asked for."""
        files_to_run = list(files_to_run)
        self.keeping.check(files_to_run, self.junit)
        if self.junit is not None and Path(self.junit).resolve() in map(Path.resolve, map(Path, set(files_to_run))):
            raise ShellError(f"{self.junit} is the file to run: the report would replace it")

    def replace(self, name: str) -> None:
        """Replace those of a former run: they must not pass for those of this one; raise ShellError."""
        self.report_unfinished(name, _NOT_ENDED)
        self.keeping.open()

    def refuse(self, name: str, why: Sequence[str], code: ExitCode) -> None:
        """Write those of a run that does not begin; raise ShellError."""
        self.report_unfinished(name, why)
        self.keeping.never_began(why, code)

    def report_unfinished(self, name: str, why: Sequence[str]) -> None:
        """Write the JUnit report of a run that has not ended, if one is wanted; raise ShellError."""
        if self.junit is None:
            return
        from zb_mom_ww_mxgateway_shell.scripts import junit  # Lazy: most runs have no report.

        if not report_files.is_special(path := Path(self.junit)):
            report_files.write(path, junit.unfinished(name, why))

    def finish(self, logs: Sequence[RunLog], left: "Sequence[ChangeNow]", alert: Callable[[str], object]) -> bool:
        """Write the JUnit report, and keep for the record how the run ended.

        Return whether the report failed, as `alert` is told: it does not change what was done.
        """
        self._finished = logs, left
        self.keeping.outcome(logs, left)
        if self.junit is None:
            return False
        from zb_mom_ww_mxgateway_shell.scripts import junit  # Lazy: see above.

        try:
            report_files.write(Path(self.junit), junit.report(logs))
        except Exception as error:
            alert(f"no report: {message_of(error)}")
            return True
        return False

    def end_badly(self, why: str, alert: Callable[[str], object]) -> None:
        """Add to finished reports what went wrong after the last line: without it they would say that all is well."""
        if self._finished is None:
            return
        logs, left = self._finished
        logs[-1].broken_off = logs[-1].broken_off or why
        self.finish(logs, left, alert)
