"""What came of each file of a suite, and the table of them all."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, age_text, gravest
from zb_mom_ww_mxgateway_console.text.terminal_text import shortened
from zb_mom_ww_mxgateway_shell.output.results import Table
from zb_mom_ww_mxgateway_shell.scripts.run_log import NOT_SELECTED, RunLog
from zb_mom_ww_mxgateway_shell.scripts.run_options import Part

_VERDICTS = {
    ExitCode.DONE: "passed",
    ExitCode.NOT_MET: "failed",
    ExitCode.USAGE: "mistake",
    ExitCode.REFUSED: "refused",
    ExitCode.CANNOT_CONNECT: "not connected",
    ExitCode.GUARDED: "blocked",
    ExitCode.UNKNOWN: "unknown",
    ExitCode.LEFT_CHANGED: "left changed",
    ExitCode.INTERNAL: "internal error",
    ExitCode.INTERRUPTED: "interrupted",
}
RETRIED = (ExitCode.NOT_MET, ExitCode.REFUSED, ExitCode.CANNOT_CONNECT)
"""After these a file may be tried again. After any other code something in it is final, or the plant is not as it was
before, or another attempt would be the same."""
_LONGEST = 70


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a file, ended."""

    log: RunLog
    code: ExitCode


@dataclass(slots=True)
class FileResult:
    """The attempts at one file; none if it did not run."""

    part: Part
    attempts: list[Attempt] = field(default_factory=list)
    not_run: RunLog | None = None
    """Its log, if it did not run."""

    @property
    def code(self) -> ExitCode:
        """The exit code of the last attempt."""
        return self.attempts[-1].code if self.attempts else ExitCode.DONE

    @property
    def is_flaky(self) -> bool:
        """Whether it passed, but not at once."""
        return len(self.attempts) > 1 and self.code is ExitCode.DONE

    @property
    def verdict(self) -> str:
        """What came of it, in a word or two."""
        if not self.attempts:
            return "not run"
        return "flaky" if self.is_flaky else _VERDICTS[self.code]

    @property
    def log(self) -> RunLog:
        """The log of the last attempt, with what there is to say of the others."""
        if not self.attempts:
            assert self.not_run is not None
            return self.not_run
        log = self.attempts[-1].log
        if len(self.attempts) > 1:
            log.properties["attempts"] = str(len(self.attempts))
            for number, each in enumerate(self.attempts[:-1], start=1):
                log.properties[f"attempt {number}"] = f"exit code {int(each.code)}: {each.log.summary()}"
        if self.is_flaky:
            log.properties["flaky"] = "true"
        return log

    @property
    def failed(self) -> str:
        """What failed first, in the last attempt that did not pass; why it did not run; empty if nothing failed."""
        if not self.attempts:
            return self.log.not_run[0].why
        attempt = next((each for each in reversed(self.attempts) if each.code is not ExitCode.DONE), None)
        if attempt is None:
            return ""
        found = next(((step, entry) for step in attempt.log.steps if (entry := step.failure)), None)
        if found is None:
            return attempt.log.broken_off
        step, entry = found
        where = entry.statement.place or f"line {entry.statement.line}"
        where += f', "{step.title}"' if step in attempt.log.titled else ""
        return f"{where}: {entry.lines[0] if entry.lines else entry.exit_code.name}"

    @property
    def steps(self) -> tuple[int, int]:
        """How many of its steps passed, and how many there are, without those that were not selected."""
        log = self.log
        ran = log.titled
        left = sum(each.why != NOT_SELECTED and each.id != log.name for each in log.not_run)
        return sum(step.failure is None for step in ran), len(ran) + left

    @property
    def seconds(self) -> float:
        """How long all attempts took."""
        return sum(each.log.seconds for each in self.attempts)


_COLUMNS = ("attempts", "exit_code", "failed", "file", "seconds", "steps", "steps_passed", "verdict")


def table_of(results: Sequence[FileResult]) -> Table:
    """Return a row for each file."""
    rows, records = [], []
    for each in results:
        passed, steps = each.steps
        failed = each.failed
        took = age_text(each.seconds) if each.attempts else ""
        rows.append(
            [each.part.name, each.verdict, f"{passed}/{steps}" if steps else "", took, shortened(failed, _LONGEST)]
        )
        records.append(
            {
                "attempts": len(each.attempts),
                "exit_code": int(each.code),
                "failed": failed or None,
                "file": each.part.name,
                "seconds": round(each.seconds, 3),
                "steps": steps,
                "steps_passed": passed,
                "verdict": each.verdict,
            }
        )
    return Table(("file", "verdict", "steps", "time", "what failed"), rows, records, columns=_COLUMNS)


def code_of(results: Sequence[FileResult]) -> ExitCode:
    """Return the exit code of the worst file; one that passed in the end counts as passed."""
    return gravest(*(each.code for each in results))
