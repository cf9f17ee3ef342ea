"""``mxgw-shell --python FILE.py``: a Python file with the names of the pane, on the same live session."""

import ast
import inspect
import sys
import tokenize
import traceback
from pathlib import Path
from types import CodeType
from typing import Any

from zb_mom_ww_mxgateway_cli.output import ExitCode, safe
from zb_mom_ww_mxgateway_shell.context import Context
from zb_mom_ww_mxgateway_shell.problems import ShellError
from zb_mom_ww_mxgateway_shell.python_names import Left, PythonNames, ctrl_c_ends_code_of, ended_by_itself
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
        try:
            with ctrl_c_ends_code_of(self._path):
                async with news_told(context, _tell):
                    await ended_by_itself(self._evaluated(names.namespace))
        except Left as left:
            return _exit_code(left.code)
        except Exception as error:
            for line in self._problem(error):
                print(line, file=sys.stderr, flush=True)
            return exit_code_for(error)
        return ExitCode.DONE

    async def _evaluated(self, namespace: dict[str, Any]) -> None:
        result = eval(self._code, namespace)
        if inspect.isawaitable(result):
            await result

    def _problem(self, error: Exception) -> list[str]:
        """One line with the place in the file; with --debug all of the traceback."""
        if self._debug:
            return "".join(traceback.format_exception(error)).rstrip("\n").split("\n")
        places = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self._path]
        where = f"{self._path}:{places[-1].lineno}: " if places else f"{self._path}: "
        details = getattr(error, "details", ())
        return [f"{where}{_said(error)}", *(f"      {line}" for line in details if isinstance(line, str))]

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


def _said(error: Exception) -> str:
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
