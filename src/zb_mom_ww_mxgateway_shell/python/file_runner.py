"""``mxgw-shell --python FILE.py``: runs a Python file with the names of the pane, on the live session."""

import ast
import asyncio
import gc
import inspect
import io
import itertools
import sys
import tokenize
import traceback
from collections.abc import Coroutine, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, gravest, safe
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST_LINE, shortened
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.output.formats import DEFAULT_FORM, FORMATTERS, Formatter
from zb_mom_ww_mxgateway_shell.output.problems import Statement, exit_code_for, message_of, problem_form
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, returned_by
from zb_mom_ww_mxgateway_shell.output.value_text import with_time
from zb_mom_ww_mxgateway_shell.process.output_writer import OutputWriter
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted
from zb_mom_ww_mxgateway_shell.process.tasks import UnawaitedTasks, background_problem, leaves
from zb_mom_ww_mxgateway_shell.python.file_lines import FileLines
from zb_mom_ww_mxgateway_shell.python.namespace import (
    ExitCalled,
    PythonNames,
    Show,
    ctrl_c_ends_code_of,
    ended_by_itself,
    not_done,
)
from zb_mom_ww_mxgateway_shell.scripts.alarm_entries import alarms_kept
from zb_mom_ww_mxgateway_shell.scripts.connection_news import news_reported
from zb_mom_ww_mxgateway_shell.scripts.executor import Follow
from zb_mom_ww_mxgateway_shell.scripts.loader import Source
from zb_mom_ww_mxgateway_shell.scripts.replay import MadeFileCheck
from zb_mom_ww_mxgateway_shell.scripts.run_log import title_of
from zb_mom_ww_mxgateway_shell.scripts.run_reports import RunReports
from zb_mom_ww_mxgateway_shell.scripts.step_selection import StepSelection
from zb_mom_ww_mxgateway_shell.state.bound_context import BoundContext
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.plant_changes import ChangeNow
from zb_mom_ww_mxgateway_shell.state.run_scope import RunScope
from zb_mom_ww_mxgateway_shell.state.standing_checks import CheckOutcome


class PythonFile:
    """A compiled file; ``await`` works at its top level."""

    def __init__(
        self,
        path: str,
        text: str,
        code: CodeType,
        reports: RunReports,
        *,
        steps: Sequence[str],
        quiet: bool,
        debug: bool,
    ) -> None:
        """`steps` are globs of the titles of the steps to run; empty for all."""
        self._path = path
        self._steps = steps
        self._source = text.splitlines()
        self._reports = reports
        self._lines = FileLines(path, self._notice, StepSelection(steps), quiet=quiet)
        self._lines.log.is_reported = reports.tells_alarms
        self._broken_off = ""
        """What ended the program early, other than an error; empty if nothing did."""
        self._folder = str(Path(path).resolve().parent)
        self._code = code
        self._quiet = quiet
        self._debug = debug
        self._formatter: Formatter = FORMATTERS[DEFAULT_FORM]
        self._writer = OutputWriter()
        self._context: Context | None = None
        """The context of the run; None before it."""
        self._left: list[ChangeNow] = []
        """What the run leaves changed, as far as that is to be known."""
        self._background_code = ExitCode.DONE
        """Exit code of the shell's own background tasks."""

    @classmethod
    def read(
        cls, path: str, reports: RunReports, *, steps: Sequence[str] = (), quiet: bool = False, debug: bool = False
    ) -> "PythonFile":
        """Read and compile a file, and replace the reports of a former run; raise ShellError with the place of what is
        wrong."""
        reports.spare([path])
        try:
            text, code = cls._compiled(path, reports)
        except ShellError as error:
            reports.refuse(path, [message_of(error)], error.exit_code)
            raise
        reports.replace(path)
        return cls(path, text, code, reports, steps=steps, quiet=quiet, debug=debug)

    @staticmethod
    def _compiled(path: str, reports: RunReports) -> tuple[str, CodeType]:
        try:
            content = Path(path).read_bytes()
            reports.keeping.files = [Source.of(content, path)]
            text = content.decode(tokenize.detect_encoding(io.BytesIO(content).readline)[0])
            code = compile(text, path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except OSError as error:
            raise ShellError(f"cannot read {path}: {error.strerror}") from error
        except SyntaxError as error:
            raise ShellError(f"{path}:{error.lineno or 1}:{error.offset or 1}: {error.msg}") from None
        except (UnicodeDecodeError, ValueError) as error:
            raise ShellError(f"{path}: not Python: {error}") from None
        return text, code

    async def run(self, context: Context) -> ExitCode | int:
        """Run the file; return the exit code that it asks for, or that of the gravest failure."""
        self._context, self._writer, self._formatter = context, context.writer, context.settings.formatter
        context.set_outputs(self._notice, self._alert)
        context.runs_file, context.made_files = True, MadeFileCheck(context)
        if context.current is not None:
            await context.current.settled()
        names = _Names(context, self._follow, self._show, self)
        names.namespace["__file__"] = self._path
        sys.argv[:] = [self._path]
        sys.path.insert(0, self._folder)
        try:
            code = await self._finished(context, names)
        finally:
            has_tried = not self._steps or bool(self._lines.log.titled)
            if not has_tried:
                nothing = f"--step {' '.join(self._steps)}: no step has such a title, so nothing was tried"
                self._broken_off = self._broken_off or nothing
                self._alert(nothing)
            self._lines.end(context, self._broken_off)
            if self._lines.has_run:
                self._notice(self._lines.log.summary())
            has_problem = self._reports.finish([self._lines.log], self._left, self._alert)
        return code or (ExitCode.USAGE if has_problem or not has_tried else code)

    async def _finished(self, context: Context, names: "_Names") -> ExitCode | int:
        failed: list[BaseException] = []

        def failed_in_background(error: BaseException) -> None:
            failed.append(error)
            self._report_problem(error, "in the background: ")

        scope = RunScope(context.write_terms.consent, takes_declarations=True)
        with (
            self._writer.as_standard_streams(),
            context.write_terms.armed_for_run(scope, context.connections, self._alert),
            UnawaitedTasks(failed_in_background) as tasks,
        ):
            code = await self._code_of(context, names)
            tasks.report_all()
            _release_tasks(names.namespace)
        self._left = await context.departure.left_changed(context.connections.values())
        left = context.departure.failures(self._left)
        for line in left:
            self._alert(f"left changed: {line}")
        if context.has_written and (heads := await context.journals.heads()):
            self._notice(f"journal: head {', '.join(map(str, heads))}")
        if code and not isinstance(code, ExitCode):
            return code
        # A failed task that nobody awaited means failure, too.
        left_code = ExitCode.LEFT_CHANGED if left else ExitCode.DONE
        return gravest(ExitCode(code), *map(_code_for, failed), self._background_code, left_code)

    async def _code_of(self, context: Context, names: "_Names") -> ExitCode | int:
        started = clock.monotonic()
        try:
            with ctrl_c_ends_code_of(self._path):
                news = news_reported(context, self._report_news, self._failed_in_background)
                async with news, alarms_kept(context, self._lines.log):
                    await ended_by_itself(self._evaluated(names))
        except ExitCalled as called:
            code = self._exit_code(called.code)
            self._broken_off = f"the program ended itself with {code}" if code else ""
            return code
        except (asyncio.CancelledError, Interrupted) as interrupted:
            self._broken_off = "interrupted"
            if warning := names.describe_writes(started):
                self._complain(f"interrupted; {warning}")
                return ExitCode.UNKNOWN
            if "; " in str(interrupted):  # a line that adds details
                self._complain(str(interrupted))
            if isinstance(interrupted, asyncio.CancelledError) and not _is_cancelled():
                # It awaited a task that was cancelled: nobody ended the run.
                self._broken_off = ""
                self._report_problem(interrupted)
                return ExitCode.NOT_MET
            raise
        except BaseException as error:  # a person's code may raise anything
            self._report_problem(error)
            return gravest(*map(_code_for, leaves(error)))
        return ExitCode.DONE

    async def _evaluated(self, names: "_Names") -> None:
        result = eval(self._code, names.namespace)
        if inspect.isawaitable(result):
            await result
        await names.end_standing()
        await asyncio.sleep(0)  # A task that was just created begins.
        names.refuse_forgotten()

    # Reports.

    def _report_problem(self, error: BaseException, what: str = "") -> None:
        """Report each error: as a record if the form has such, else as a line with its place; with --debug also the
        traceback."""
        is_recorded = self._keep(error)
        records = [record for leaf in leaves(error) if (record := self._record(leaf, error))]
        for record in records if not is_recorded else ():
            self._writer.out(f"{record}\n")
        if (records or is_recorded) and not self._debug:
            return
        if self._debug:
            lines = "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
        else:
            lines = [line for leaf in leaves(error) for line in self._problem(leaf, error, what)]
        for line in lines:
            self._complain(line)

    def _keep(self, error: BaseException) -> bool:
        """Keep each error as one of the present step; return whether standard output has a record that shows it."""
        is_shown = False
        for leaf in leaves(error):
            line = self._line_of(leaf, error)
            text = self._source[line - 1] if 0 < line <= len(self._source) else ""
            statement = Statement(text, line, self._path)
            if self._context is not None:
                is_shown = self._lines.add_error(self._context, statement, leaf, _code_for(leaf), _message(leaf))
        return is_shown

    def _record(self, error: BaseException, group: BaseException) -> str:
        form = problem_form(error) | {"exit_code": int(_code_for(error)), "message": _message(error)}
        place = {"command": "python", "file": self._path, "line": self._line_of(error, group)}
        return self._formatter.record({**place, "error": form, "ok": False})

    def _line_of(self, error: BaseException, group: BaseException) -> int:
        frames = [*traceback.extract_tb(group.__traceback__), *traceback.extract_tb(error.__traceback__)]
        return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == self._path), 0)

    def _problem(self, error: BaseException, group: BaseException, what: str) -> list[str]:
        """Return one line with the place in the file; the place of the group if the error itself has none."""
        line = self._line_of(error, group)
        where = f"{self._path}:{line}: " if line else f"{self._path}: "
        details = getattr(error, "details", ())
        return [f"{where}{what}{_message(error)}", *(f"      {line}" for line in details if isinstance(line, str))]

    def _failed_in_background(self, error: BaseException) -> None:
        self._complain(background_problem(error))
        self._background_code = ExitCode.INTERNAL

    def _notice(self, text: str) -> None:
        if not self._quiet and self._formatter.for_people:
            self._show_line(text)

    def _alert(self, text: str) -> None:
        self._complain(safe(with_time(text)))

    async def _report_news(self, text: str, is_bad: bool) -> None:
        self._alert(text)

    def _complain(self, line: str) -> None:
        self._writer.err("".join(f"{safe(shortened(each, LONGEST_LINE))}\n" for each in line.expandtabs().split("\n")))

    async def _show(self, result: Result | None) -> None:
        if result is None or self._quiet or self._formatter.wraps_python_lines:
            return
        for line in self._formatter.lines(result):
            self._show_line(line)
        for remark in self._formatter.remarks(result):
            self._complain(remark)

    async def _follow(self, feed: Feed) -> Result:
        shows = not self._quiet and self._formatter.for_people
        return await feed.follow(self._show_line if shows else lambda line: None)

    def _show_line(self, line: str) -> None:
        self._writer.out(f"{self._formatter.printable(line)}\n")

    def _exit_code(self, code: Any) -> int:
        if code is None or isinstance(code, int):
            return code or 0
        self._complain(str(code))
        return 1


class _Names(PythonNames):
    """Names of a file: the lines of the shell are statements of its steps, as in a command file."""

    def __init__(self, context: Context, follow: Follow, show: Show, file: PythonFile) -> None:
        self._file = file
        self._waiting: dict[int, tuple[Statement, Coroutine[Any, Any, Any]]] = {}
        """Lines that nothing has awaited yet, by the numbers of the calls."""
        self._calls = itertools.count()
        super().__init__(context, follow, show)

    def mx(self, line: str) -> Coroutine[Any, Any, Any]:
        # Find the caller now: a task that runs this later has no frame of the file.
        frame = inspect.currentframe()
        while frame is not None and frame.f_code.co_filename != self._file._path:
            frame = frame.f_back
        statement, call = Statement(line, frame.f_lineno if frame else 0, self._file._path), next(self._calls)
        running = self._reported(BoundContext(self._context), statement, call)
        self._waiting[call] = statement, running
        return running

    def refuse_forgotten(self) -> None:
        """Raise ShellError if a line did not run because nothing awaits it: the file would pass and prove nothing."""
        forgotten = [statement for statement, _ in self._waiting.values()]
        for _, running in self._waiting.values():
            running.close()  # Python would warn of it, once more.
        if forgotten:
            more = f", and {len(forgotten) - 1} more did not" if len(forgotten) > 1 else ""
            what = f"line {forgotten[0].line}: mx({forgotten[0].text!r}) is not awaited, and did not run{more}"
            raise ShellError(f"{what}: write await mx(…)", ExitCode.USAGE)

    async def _reported(self, context: Context, statement: Statement, call: int) -> Any:
        lines, line = self._file._lines, statement.text
        del self._waiting[call]
        if lines.leaves_out(context, statement):
            return False if title_of(statement, context) is not None else None
        result = await lines.run(context, statement, lambda: self.run(context, line, statement))
        if result is not None and result.exit_code != 0:
            error = not_done(result)
            lines.tell_not_done(error)
            raise error
        await self._show(result)
        return True if title_of(statement, context) is not None else result and returned_by(result)

    def tell_check(self, outcome: CheckOutcome) -> None:
        self._file._lines.tell_check(self._context, outcome)


def _code_for(error: BaseException) -> ExitCode:
    """Return the exit code for an error of a person's own code, which is never an internal error."""
    code = exit_code_for(error)
    return ExitCode.NOT_MET if code is ExitCode.INTERNAL else code


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _release_tasks(namespace: dict[str, Any]) -> None:
    """Release finished tasks: one that failed reports its error when it is collected."""
    for name in [name for name, value in namespace.items() if isinstance(value, asyncio.Task) and value.done()]:
        del namespace[name]
    gc.collect()


def _message(error: BaseException) -> str:
    message = message_of(error)
    if not message.startswith("internal error"):
        return message
    text = safe(str(error))
    return f"{type(error).__name__}{f': {text}' if text else ''} (--debug shows more)"
