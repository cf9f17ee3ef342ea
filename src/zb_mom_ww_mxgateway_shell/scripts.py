"""Running lines without a prompt: a file, ``-e`` lines, or standard input. Imports no terminal library."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

from zb_mom_ww_mxgateway_cli.output import ExitCode, json_line, safe
from zb_mom_ww_mxgateway_cli.standard_streams import give_up_output
from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.problems import ShellError
from zb_mom_ww_mxgateway_shell.results import Feed, Result
from zb_mom_ww_mxgateway_shell.showing import lines_of
from zb_mom_ww_mxgateway_shell.statements import (
    Statement,
    exit_code_for,
    interruption,
    problem_form,
    problem_lines,
    run,
)

Statements = Iterable[Statement] | AsyncIterator[Statement]


def file_statements(path: str) -> list[Statement]:
    """The lines of a command file; raises ShellError when it cannot be read."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ShellError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ShellError(f"{path}:{line}: not UTF-8 text") from error
    return [Statement(line, number, path) for number, line in enumerate(text.split("\n"), start=1)]


def given_statements(lines: Iterable[str]) -> list[Statement]:
    """Lines of ``-e`` options, numbered from 1."""
    return [Statement(line, number) for number, line in enumerate(lines, start=1)]


async def standard_input_statements() -> AsyncIterator[Statement]:
    """Lines of standard input as they come."""
    number = 0
    while line := await asyncio.to_thread(sys.stdin.readline):
        number += 1
        yield Statement(line.rstrip("\r\n"), number, "<stdin>")


class ScriptRun:
    """One run of statements: stops at the first that fails, with its exit code."""

    def __init__(self, context: Context, *, debug: bool) -> None:
        self._context = context
        self._debug = debug
        self._notices: list[str] = []

    @property
    def _as_json(self) -> bool:
        return self._context.settings.output == "json"

    async def run(self, statements: Statements) -> ExitCode:
        """Runs them in order; the exit code is that of the first failure."""
        self._context.say_by(self._notice, self._alert)
        if not isinstance(statements, AsyncIterator):
            statements = _as_async(statements)
        async for statement in statements:
            code = await self._one(statement)
            if code is not ExitCode.DONE or self._context.leaving:
                return code
        return ExitCode.DONE

    async def _one(self, statement: Statement) -> ExitCode:
        shows_itself = statement.source is not None and not self._as_json and statement.text.strip()
        self._context.spool.line(statement.text)
        if shows_itself and self._context.settings.output == "table" and not statement.text.lstrip().startswith("#"):
            _print(f"{statement.line:>4}  {safe(statement.text.strip())}")
        try:
            result = await run(self._context, statement.text, self._follow)
        except asyncio.CancelledError:
            self._fail(statement, interruption(self._context, statement.text))
            raise
        except Exception as error:
            self._fail(statement, error)
            return exit_code_for(error)
        if result is not None and not self._report(
            statement, ok=result.exit_code is ExitCode.DONE, result=result.form()
        ):
            self._say(result)
        return result.exit_code if result else ExitCode.DONE

    def _fail(self, statement: Statement, error: Exception) -> None:
        if not self._report(statement, ok=False, error=problem_form(error)) or self._debug:
            for line in problem_lines(error, statement, debug=self._debug):
                print(line, file=sys.stderr, flush=True)

    def _report(self, statement: Statement, **outcome: Any) -> bool:
        """Prints the JSON object of a statement, if that is what is wanted."""
        if self._as_json:
            form = {"command": statement.command, "line": statement.line, "notices": self._notices, **outcome}
            _print(json_line(form))
        self._notices.clear()
        return self._as_json

    def _say(self, result: Result) -> None:
        output = self._context.settings.output
        for line in lines_of(result, output):
            self._context.spool.line(line)
            _print(line if output == "csv" else f"      {line}")

    def _notice(self, text: str) -> None:
        self._notices.append(text)
        if self._context.settings.output == "table":
            _print(f"      {safe(text)}")

    def _alert(self, text: str) -> None:
        self._context.spool.line(text)
        print(safe(text), file=sys.stderr, flush=True)

    async def _follow(self, feed: Feed) -> Result:
        is_table = self._context.settings.output == "table"
        return await feed.follow((lambda line: _print(f"      {line}")) if is_table else lambda line: None)


def _print(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError as error:
        if not give_up_output(error):
            raise
        raise ShellError("standard output was closed: stopped there", ExitCode.NOT_MET) from None


async def _as_async(statements: Iterable[Statement]) -> AsyncIterator[Statement]:
    for statement in statements:
        yield statement
