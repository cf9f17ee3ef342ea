"""The lines of the shell that a Python file runs: their steps and outcomes, for reports and the record of the run."""

from collections.abc import Callable, Coroutine
from typing import Any

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, message_of, problem_form
from zb_mom_ww_mxgateway_shell.output.results import Result, problems_of
from zb_mom_ww_mxgateway_shell.scripts.executor import Outcome, command_of
from zb_mom_ww_mxgateway_shell.scripts.loader import Block
from zb_mom_ww_mxgateway_shell.scripts.reporter import RunReporter
from zb_mom_ww_mxgateway_shell.scripts.run_log import Entry, RunLog
from zb_mom_ww_mxgateway_shell.scripts.step_selection import StepSelection
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.standing_checks import CheckOutcome

Perform = Callable[[], Coroutine[Any, Any, Outcome]]
"""Runs the line."""


class FileLines:
    """The lines of one file, by steps. A line that fails makes its step fail, also where the program goes on."""

    def __init__(
        self, path: str, notice: Callable[[str], None], selection: StepSelection, *, quiet: bool = False
    ) -> None:
        """`notice` shows what there is to say besides results; of the steps those of the `selection` run."""
        self.log = RunLog(path)
        self.has_run = False
        """Whether any line has run: a program without lines has no summary."""
        self._path = path
        self._notice = notice
        self._selection = selection
        self._quiet = quiet
        self._left_out: list[Statement | Block] = []
        """Lines of steps that are not selected."""
        self._told: dict[int, BaseException] = {}
        """Errors that are in the log already, by identity."""

    def leaves_out(self, context: Context, statement: Statement) -> bool:
        """Return whether a line belongs to a step that is not selected, which the log says."""
        if not self._selection.leaves_out(statement, context):
            return False
        self.log.not_selected.add(id(statement))
        self._left_out.append(statement)
        return True

    async def run(self, context: Context, statement: Statement, perform: Perform) -> Result | None:
        """Run a line as a statement of its step; return its result, or raise its error.

        Forms that show each line as a statement show it so; in others it is only kept.
        """
        self.has_run = True
        shows = context.settings.formatter.wraps_python_lines
        output = RunReporter(context, quiet=self._quiet, source=self._path, shows=shows)
        output.begin(statement)
        context.notice = output.notice if shows else _both(output.notice, self._notice)
        try:
            outcome = await perform()
        except BaseException as error:
            # Such as a signal, or a task that was cancelled.
            self._fail(output, statement, error)
            raise
        finally:
            context.notice = self._notice
        command = outcome.command or command_of(context, statement.text)
        if outcome.error is None and command is not None and command.traits.begins_step:
            context.file.step_id = self.log.begin(statement, context.file.step).id
        if outcome.error is not None and not self._is_told(outcome.error):
            self._fail(output, statement, outcome.error)
        elif outcome.result is not None or outcome.error is None:
            self._pass(output, statement, outcome.result)
        if outcome.error is not None:
            raise outcome.error
        return outcome.result

    def tell_check(self, context: Context, check: CheckOutcome) -> None:
        """Add the outcome of a check that stood until its step ended, as the line that declared it."""
        shows = context.settings.formatter.wraps_python_lines
        output = RunReporter(context, quiet=self._quiet, source=self._path, shows=shows)
        output.begin(check.statement)
        if check.error is not None:
            self._fail(output, check.statement, check.error)
        else:
            self._pass(output, check.statement, check.result)

    def _pass(self, output: RunReporter, statement: Statement, result: Result | None) -> None:
        code = ExitCode.DONE if result is None else result.exit_code
        lines = tuple(output.result(result))
        if result is not None and code is not ExitCode.DONE:
            lines = tuple(problems_of(result)) or lines
        self.log.add(Entry(statement, code, output.seconds, lines))

    def _fail(self, output: RunReporter, statement: Statement, error: BaseException) -> None:
        output.failure(error)
        self._add(statement, error, exit_code_for(error), message_of(error), output.seconds)

    def add_error(
        self, context: Context, statement: Statement, error: BaseException, code: ExitCode, message: str
    ) -> bool:
        """Add an error of the program to its present step, and to the record; return whether the record shows it.

        The error of a line is in its step already.
        """
        form = problem_form(error) | {"exit_code": int(code), "message": message}
        entry = {"command": "python", "error": form, "file": self._path, "line": statement.line, "ok": False}
        is_new, record = not self._is_told(error), context.record
        if is_new:
            self._add(statement, error, code, message)
        if record is None:
            return False
        if is_new:
            of_step = {"id": context.file.step_id or None, "step": context.file.step or None}
            plain = {"notices": [], "place": None, "requirements": list(context.file.requirements), "seconds": 0.0}
            record.add_statement({**entry, **of_step, **plain, "statement": statement.text.strip()})
        else:
            record.add(entry)
        return record.is_shown

    def _add(
        self, statement: Statement, error: BaseException, code: ExitCode, message: str, seconds: float = 0.0
    ) -> None:
        self._told[id(error)] = error
        details = [line for line in getattr(error, "details", ()) if isinstance(line, str)]
        self.log.add(Entry(statement, code, seconds, (message, *details), type(error).__name__))

    def tell_not_done(self, error: ShellError) -> None:
        """Take note of the error for a result that says that it was not done: the log has the result."""
        self._told[id(error)] = error

    def end(self, context: Context, broken_off: str) -> None:
        """End the log; `broken_off` says what else than an error ended the program early."""
        self.log.broken_off = broken_off
        self.log.end(Block(body=self._left_out), context)

    def _is_told(self, error: BaseException) -> bool:
        return id(error) in self._told


def _both(first: Callable[[str], None], second: Callable[[str], None]) -> Callable[[str], None]:
    def both(text: str) -> None:
        first(text)
        second(text)

    return both
