"""``mxgw-shell --python FILE.py``: a Python file with the names of the pane, on the same live session."""

import ast
import asyncio
import gc
import inspect
import sys
import tokenize
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from zb_mom_ww_mxgateway import clock
from zb_mom_ww_mxgateway_cli.output import ExitCode, safe
from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.interrupts import Interrupted
from zb_mom_ww_mxgateway_shell.problems import ShellError
from zb_mom_ww_mxgateway_shell.python_names import Left, PythonNames, ctrl_c_ends_code_of, ended_by_itself, tasks_told
from zb_mom_ww_mxgateway_shell.results import Feed, Result
from zb_mom_ww_mxgateway_shell.statements import exit_code_for, message_of
from zb_mom_ww_mxgateway_shell.stream_news import news_told


class PythonFile:
    """A compiled file; ``await`` works at its top level."""

    def __init__(self, path: str, code: CodeType, *, quiet: bool, debug: bool) -> None:
        self._path = path
        self._folder = str(Path(path).resolve().parent)
        self._code = code
        self._quiet = quiet
        self._debug = debug

    @classmethod
    def read(cls, path: str, *, quiet: bool = False, debug: bool = False) -> "PythonFile":
        """Reads and compiles it; raises ShellError with the place of what is wrong."""
        try:
            with tokenize.open(path) as file:
                text = file.read()
            code = compile(text, path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except OSError as error:
            raise ShellError(f"cannot read {path}: {error.strerror}") from error
        except SyntaxError as error:
            raise ShellError(f"{path}:{error.lineno or 1}:{error.offset or 1}: {error.msg}") from None
        except (UnicodeDecodeError, ValueError) as error:
            raise ShellError(f"{path}: not Python: {error}") from None
        return cls(path, code, quiet=quiet, debug=debug)

    async def run(self, context: Context) -> ExitCode | int:
        """Runs it to its end; the exit code is that of what it raised."""
        context.say_by(self._say)
        if context.current is not None:
            await context.current.settled()
        names = PythonNames(context, self._follow, self._show)
        names.namespace["__file__"] = self._path
        sys.argv[:] = [self._path]
        sys.path.insert(0, self._folder)
        failed: list[BaseException] = []

        def failed_beside(error: BaseException) -> None:
            failed.append(error)
            self._say_problem(error, "in the background: ")

        with tasks_told(failed_beside):
            code = await self._code_of(context, names)
            _let_tasks_go(names.namespace)
        # What failed beside it, and nobody asked about, has not passed.
        return code or next((exit_code_for(error) for error in failed), ExitCode.DONE)

    async def _code_of(self, context: Context, names: PythonNames) -> ExitCode | int:
        started = clock.monotonic()
        try:
            with ctrl_c_ends_code_of(self._path):
                async with news_told(context, _tell):
                    await ended_by_itself(self._evaluated(names.namespace))
        except Left as left:
            return _exit_code(left.code)
        except (asyncio.CancelledError, Interrupted) as interrupted:
            if said := names.said_of_writes(started):
                print(f"interrupted; {said}", file=sys.stderr, flush=True)
            elif "; " in str(interrupted):  # a line that said more
                print(interrupted, file=sys.stderr, flush=True)
            raise
        except BaseException as error:  # a person's code may raise anything
            self._say_problem(error)
            return exit_code_for(next(_leaves(error)))
        return ExitCode.DONE

    async def _evaluated(self, namespace: dict[str, Any]) -> None:
        result = eval(self._code, namespace)
        if inspect.isawaitable(result):
            await result

    def _say_problem(self, error: BaseException, where: str = "") -> None:
        """A line with the place in the file for each error; with --debug all of the traceback."""
        if self._debug:
            lines = "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
        else:
            lines = [line for leaf in _leaves(error) for line in self._problem(leaf, error, where)]
        for line in lines:
            print(line, file=sys.stderr, flush=True)

    def _problem(self, error: BaseException, group: BaseException, beside: str) -> list[str]:
        """One line with the place in the file, of the group where the error itself has none."""
        frames = [*traceback.extract_tb(group.__traceback__), *traceback.extract_tb(error.__traceback__)]
        places = [frame for frame in frames if frame.filename == self._path]
        where = f"{self._path}:{places[-1].lineno}: " if places else f"{self._path}: "
        details = getattr(error, "details", ())
        return [f"{where}{beside}{_said(error)}", *(f"      {line}" for line in details if isinstance(line, str))]

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(safe(text), flush=True)

    async def _show(self, result: Result | None) -> None:
        for line in result.lines() if result and not self._quiet else []:
            print(line, flush=True)

    async def _follow(self, feed: Feed) -> Result:
        return await feed.follow(lambda line: None if self._quiet else print(line, flush=True))


async def _tell(text: str, is_bad: bool) -> None:
    print(safe(text), file=sys.stderr, flush=True)


def _let_tasks_go(namespace: dict[str, Any]) -> None:
    """A task tells what it failed with when it is let go."""
    for name in [name for name, value in namespace.items() if isinstance(value, asyncio.Task) and value.done()]:
        del namespace[name]
    gc.collect()


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """What a group of errors is of; the error itself where it is no group."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _leaves(each)
    else:
        yield error


def _said(error: BaseException) -> str:
    said = message_of(error)
    if not said.startswith("internal error"):
        return said
    text = safe(str(error))
    return f"{type(error).__name__}{f': {text}' if text else ''} (--debug shows more)"


def _exit_code(code: Any) -> int:
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)
    return 1
