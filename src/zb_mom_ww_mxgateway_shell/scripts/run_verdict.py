"""The verdict of a run so far: what its statements came to, and whether it goes on."""

from collections.abc import Iterable

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, gravest
from zb_mom_ww_mxgateway_shell.errors import Failure
from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, message_of, problem_lines
from zb_mom_ww_mxgateway_shell.output.results import Result, TextResult
from zb_mom_ww_mxgateway_shell.process.tasks import background_problem
from zb_mom_ww_mxgateway_shell.scripts.executor import Outcome
from zb_mom_ww_mxgateway_shell.scripts.reporter import RunReporter
from zb_mom_ww_mxgateway_shell.scripts.run_log import Entry, RunLog
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.standing_checks import CheckOutcome

_FINAL = (ExitCode.UNKNOWN, ExitCode.INTERNAL, ExitCode.INTERRUPTED, ExitCode.GUARDED, ExitCode.CANNOT_CONNECT)
"""Codes that end a run whatever ``on-error`` says: later lines must not go on as if the statement had worked."""


class RunVerdict:
    """Shows and logs what each statement came to, and decides whether the next one runs."""

    def __init__(
        self, context: Context, output: RunReporter, log: RunLog, *, debug: bool, goes_on: bool, looks_on: bool
    ) -> None:
        """With `goes_on` or `looks_on` a failure does not stop the run. With `goes_on` it does not count either."""
        self._context = context
        self._output = output
        self._log = log
        self._debug = debug
        self._goes_on = goes_on
        self._looks_on = looks_on
        self.code = ExitCode.DONE
        """The exit code of the gravest failure."""
        self.stopping = False
        """Whether no more lines run, but for those after ``finally``."""
        self.skips = False
        """Whether lines are left out up to the next step."""
        self.is_final = False
        """Whether it stops as a whole, whatever ``on-error`` says."""

    def stop(self) -> None:
        """End the run as a whole."""
        self.stopping = self.is_final = True

    def worsen(self, code: ExitCode) -> None:
        """Count a failure; a graver one before it stays."""
        self.code = gravest(self.code, code)

    def failed_in_background(self, error: BaseException) -> None:
        """Report an error of a background task at once; the run has failed then."""
        self._output.alert(background_problem(error))
        self.worsen(ExitCode.INTERNAL)

    def broke(self, error: Exception) -> None:
        """End the run because something between two statements failed; the lines after ``finally`` still run."""
        self.stop()
        self.worsen(exit_code_for(error))
        self._log.broken_off = message_of(error)
        self._output.problem(problem_lines(error, Statement("", 0), debug=self._debug))

    def passes(self, statement: Statement, result: TextResult | None = None) -> None:
        """Show a line that only arranges the others."""
        self._output.begin(statement)
        lines = self._output.result(result or TextResult(""))
        self._log.add(Entry(statement, ExitCode.DONE, self._output.seconds, tuple(lines)))

    def tell(self, verdicts: Iterable[CheckOutcome]) -> None:
        """Report the outcomes of standing checks, each as a statement of its own: the line that declared it."""
        for verdict in verdicts:
            self._output.begin(verdict.statement)
            if verdict.error is not None:
                self._context.failure = Failure(verdict.error, verdict.statement.text)
                self.fail(verdict.statement, verdict.error)
            else:
                self.end(verdict.statement, Outcome(None, verdict.result))

    def end(self, statement: Statement, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.fail(statement, outcome.error)
            return
        result, command = outcome.result, outcome.command
        if command is not None and command.traits.begins_step:
            file = self._context.file
            file.step_id = self._log.begin(statement, file.step).id
        code = ExitCode.DONE if result is None else result.exit_code
        try:
            self._show(statement, result, code)
        except Exception as error:
            # What was done counts; only its result cannot be shown.
            self._count(code)
            self.fail(statement, error, f"it ended with {int(code)}, but its result cannot be shown: ")
        else:
            self._count(code)

    def _show(self, statement: Statement, result: Result | None, code: ExitCode) -> None:
        lines = self._output.result(result)
        self._log.add(Entry(statement, code, self._output.seconds, (*lines, *self._output.alerts)))

    def fail(self, statement: Statement, error: Exception, what: str = "") -> None:
        problem = problem_lines(error, statement, debug=self._debug, what=what)
        code = exit_code_for(error)
        lines = (f"{what}{message_of(error)}", *(problem[1:] if not self._debug else ()), *self._output.alerts)
        self._log.add(Entry(statement, code, self._output.seconds, lines, type(error).__name__))
        self._count(code)
        self._output.failure(error, problem)

    def _count(self, code: ExitCode) -> None:
        if code is ExitCode.DONE or self._goes_on:
            return
        self.worsen(code)
        self.is_final |= code in _FINAL
        policy = self._context.file.on_error
        self.stopping |= (policy == "stop" and not self._looks_on) or self.is_final
        self.skips |= policy == "next-step" and not self._looks_on
