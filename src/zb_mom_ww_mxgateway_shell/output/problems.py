"""Problems of a line: exit code, message with its place, and JSON form."""

import traceback
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import click

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, error_form, exit_code_of, internal_error_text, one_line
from zb_mom_ww_mxgateway_console.render.write_results import verdict_of_failure
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST, escaped, safe, shortened, width
from zb_mom_ww_mxgateway_console.text.wording import error_text
from zb_mom_ww_mxgateway_shell.errors import InputError, NotMet, ShellError
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedInDoubt

_AROUND = 60
"""Characters of a long line that are shown before and after a mistake."""


class Statement(NamedTuple):
    """One line to run, and its place."""

    text: str
    line: int
    source: str | None = None
    """The file name; None for lines that were typed or given on the command line."""
    origin: str = ""
    """What put the line there, if its file is included more than once, such as ``row 7 of rows.csv``."""
    given: Mapping[str, Any] = MappingProxyType({})
    """Values of the names that the include of its file gives; the lines of a file share it."""

    @property
    def place(self) -> str:
        """The place for a person, such as ``row 7 of rows.csv, parts/loop.mxs:3``; empty for a line of no file."""
        return f"{self.origin}{', ' if self.origin else ''}{self.source}:{self.line}" if self.source else ""

    @property
    def command(self) -> str:
        """The first word, which is the name of the command or of an alias."""
        words = self.text.split(maxsplit=1)
        return words[0] if words else ""


def exit_code_for(error: BaseException) -> ExitCode:
    """Return the exit code for a failed statement."""
    if isinstance(error, Interrupted):
        return ExitCode.UNKNOWN if isinstance(error, InterruptedInDoubt) else ExitCode.INTERRUPTED
    if isinstance(error, ShellError):
        return error.exit_code
    return ExitCode.USAGE if isinstance(error, click.UsageError) else exit_code_of(error)


def message_of(error: BaseException) -> str:
    """Return one line for a person, without a key; an unexpected error is called internal."""
    if isinstance(error, click.UsageError):
        text = error.format_message()
    elif isinstance(error, ShellError | MxGatewayError | Interrupted):
        text = error_text(error)
    else:
        text = internal_error_text(error, "--debug shows more")
    return redact(one_line(text))


def problem_lines(
    error: BaseException, statement: Statement, *, debug: bool = False, indent: int | None = None, what: str = ""
) -> list[str]:
    """Return the lines for a failed statement: the message, its place, and a caret under it.

    `indent` is the width of the prompt with which the line is still on the screen; without it the line is shown again.
    `what` says what failed, if that is not the statement itself.
    """
    lines = traceback.format_exception(error) if debug else []
    lines = [safe(part.expandtabs()) for line in lines for part in line.rstrip("\n").split("\n")]
    start = error.start if isinstance(error, InputError) else len(statement.text) - len(statement.text.lstrip())
    if indent is not None:
        under = [_carets(statement.text, error, indent)] if isinstance(error, InputError) else []
        return [*lines, *under, message_of(error), *_details(error)]
    where = safe(f"{statement.place}:{start + 1}: ") if statement.source else ""
    shown = [f"{where}{what}{message_of(error)}"]
    if isinstance(error, InputError):
        shown += [f"  {line}" for line in _pointed_at(statement.text.replace("\t", " "), error)]
    return [*lines, *shown, *_details(error)]


def _carets(text: str, error: InputError, indent: int = 0) -> str:
    """Return carets under the mistake in a text that is shown with escapes; wide characters have two columns."""
    before, wrong = escaped(text[: error.start]), escaped(text[error.start : error.end])
    return " " * (indent + width(before)) + "^" * max(1, width(wrong))


def _pointed_at(text: str, error: InputError) -> list[str]:
    """Return the line, or the wrong part of a long one, and carets under it."""
    if redact(text) != text:
        return [safe(shortened(text))]  # Redaction moves the columns.
    if len(text) > LONGEST:
        first = max(0, error.start - _AROUND)
        text = "…" * (first > 0) + text[first : error.start + _AROUND] + "…"
        moved = first - (first > 0)
        error = InputError("", error.start - moved, min(error.end - moved, len(text)))
    return [escaped(text), _carets(text, error)]


def _details(error: BaseException) -> list[str]:
    details = error.details if isinstance(error, NotMet) else getattr(error, "__notes__", ())
    return [f"      {line}" for line in details]


def problem_form(error: BaseException) -> dict[str, Any]:
    """Return the JSON form of an error."""
    form = error_form(error) | {"exit_code": int(exit_code_for(error)), "message": message_of(error)}
    if isinstance(error, InputError):
        form["column"] = error.start + 1
    if (verdict := verdict_of_failure(error, exit_code_for(error))) is not None:
        form["result"] = verdict.word
    if notes := getattr(error, "__notes__", ()):
        form["notes"] = [redact(one_line(note)) for note in notes]
    return form | error.fields if isinstance(error, NotMet) else form
