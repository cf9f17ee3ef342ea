"""Running one line, and saying what went wrong with it: the same for the prompt, files and Python."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from zb_mom_ww_mxgateway.auth import redact
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway_console.render.forms import ExitCode, error_form, exit_code_of, one_line
from zb_mom_ww_mxgateway_console.text.option_words import text_of
from zb_mom_ww_mxgateway_console.text.terminal_text import LONGEST, escaped, safe, shortened, width
from zb_mom_ww_mxgateway_shell.errors import Failure, Mistake, ShellError
from zb_mom_ww_mxgateway_shell.feeds.condition import NotMet
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, Said
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.script_recorder import Typed

Follow = Callable[[Feed], Awaitable[Result]]
"""How a front end shows a feed until it ends."""

_AROUND = 60
"""Characters before and behind a mistake that are shown of a long line."""

UNSURE = "if a write was sent, its outcome is UNKNOWN"
"""What is to be said where something that writes was interrupted."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One line to run, and where it stands."""

    text: str
    line: int
    source: str | None = None
    """File name; None for lines that were typed or given on the command line."""

    @property
    def command(self) -> str:
        """The command's name, as far as it can be told."""
        words = self.text.split(maxsplit=1)
        return words[0] if words else ""


async def run(context: Context, text: str, follow: Follow) -> Result | None:
    """Parses and runs a line; None when there is nothing to run. What went wrong is kept in the context, and raised.

    From its first word to its result it is about the connection that is the current one now.
    """
    context = context.bound()
    context.look_again()
    try:
        return await _run(context, text, follow)
    except Exception as error:
        context.failure = Failure(error, text)
        raise
    except asyncio.CancelledError:
        command = command_of(context, text)
        if command and command.mutating:
            context.failure = Failure(interruption(context, text), text)
        raise


async def _run(context: Context, text: str, follow: Follow) -> Result | None:
    with unfolded(context, text) as line:
        invocation = context.registry.parse(line, context)
        if invocation is None:
            return None
        if invocation.command.needs_session:
            _ = context.live_session  # raises when there is none
        command = invocation.command
        if (command.needs_session if command.stream is None else command.stream) and context.current is not None:
            await context.current.settled()
        if command.needs_session and not context.interactive and context.current is not None:
            # At the prompt a person sees that it is not there, and decides.
            await context.current.regained()
        line_kept = context.line_to_keep(invocation)
        result: Result | Feed | None = None
        try:
            result = await invocation.run(context)
            if isinstance(result, Feed):
                result = await follow(result)
        finally:
            if line_kept:
                _keep(context, line_kept, None if isinstance(result, Feed) else result)
    if isinstance(result, Said) and result.error is not None:
        context.failure = Failure(result.error, text)
    if result.value is not None:
        context.last = result.value
    return result


def _keep(context: Context, line: "Typed", result: Result | None) -> None:
    """Gives a line that ran to record-script; what fails there is told, and changes nothing about what came of it."""
    try:
        context.typed.keep(context, line, result)
    except Exception as error:
        context.alert(f"record-script: {message_of(error)}")


@contextmanager
def unfolded(context: Context, text: str) -> Iterator[str]:
    """The line with an alias at its beginning unfolded; mistakes in it get their places in the line as typed."""
    name = text.split(maxsplit=1)[0] if text.strip() else ""
    if name in context.registry.commands or name not in context.aliases:
        yield text
        return
    end = text.index(name) + len(name)
    longer = len(context.aliases[name]) - len(name)
    try:
        yield text[: end - len(name)] + context.aliases[name] + text[end:]
    except Mistake as error:
        is_behind = error.start - longer >= end
        start, stop = (error.start - longer, error.end - longer) if is_behind else (end - len(name), end)
        raise Mistake(f"{error} (in: {context.aliases[name]})", start, stop) from None


def command_of(context: Context, text: str) -> Command | None:
    """The command that a line begins with, by itself or by an alias; None where there is none."""
    name = text.split(maxsplit=1)[0] if text.strip() else ""
    found = context.registry.commands.get(name)
    if found is None and name in context.aliases:
        found = context.registry.commands.get(context.aliases[name].split(maxsplit=1)[0])
    return found


def interruption(context: Context, text: str, since: float | None = None) -> Interrupted:
    """The error for a line that was interrupted: a write may have been on its way. It is in doubt where one was let
    through since then (monotonic seconds)."""
    command = command_of(context, text)
    if not command or not command.mutating:
        return Interrupted("interrupted")
    asked = [each.arming.asked_at for each in context.connections.values()]
    was_asked = since is not None and any(at is not None and at >= since for at in asked)
    return (InterruptedInDoubt if was_asked else Interrupted)(f"interrupted; {UNSURE}")


def exit_code_for(error: BaseException) -> ExitCode:
    """The exit code a failed statement leads to."""
    if isinstance(error, Interrupted):
        return ExitCode.UNKNOWN if isinstance(error, InterruptedInDoubt) else ExitCode.INTERRUPTED
    if isinstance(error, ShellError):
        return error.exit_code
    return ExitCode.USAGE if isinstance(error, click.UsageError) else exit_code_of(error)


def message_of(error: BaseException) -> str:
    """One line for a person, without a key; what nobody foresaw is said to be that."""
    if isinstance(error, click.UsageError):
        text = error.format_message()
    elif isinstance(error, ShellError | MxGatewayError | Interrupted):
        text = text_of(error)
    else:
        text = f"internal error, please report it: {type(error).__name__}: {error} (--debug shows more)"
    return redact(one_line(text))


def problem_lines(
    error: BaseException, statement: Statement, *, debug: bool = False, indent: int | None = None, what: str = ""
) -> list[str]:
    """What to show for a failed statement: the message, its place, and a caret under it.

    `indent` is the width of the prompt under which the line still stands; without it the line is shown again.
    `what` says what failed, where that is not the statement itself.
    """
    lines = traceback.format_exception(error) if debug else []
    lines = [safe(part.expandtabs()) for line in lines for part in line.rstrip("\n").split("\n")]
    start = error.start if isinstance(error, Mistake) else len(statement.text) - len(statement.text.lstrip())
    if indent is not None:
        under = [_carets(statement.text, error, indent)] if isinstance(error, Mistake) else []
        return [*lines, *under, message_of(error), *_details(error)]
    where = safe(f"{statement.source}:{statement.line}:{start + 1}: ") if statement.source else ""
    shown = [f"{where}{what}{message_of(error)}"]
    if isinstance(error, Mistake):
        shown += [f"  {line}" for line in _pointed_at(statement.text.replace("\t", " "), error)]
    return [*lines, *shown, *_details(error)]


def _carets(text: str, error: Mistake, indent: int = 0) -> str:
    """Carets under what is wrong in a text that is shown with escapes, in columns: wide characters have two."""
    before, wrong = escaped(text[: error.start]), escaped(text[error.start : error.end])
    return " " * (indent + width(before)) + "^" * max(1, width(wrong))


def _pointed_at(text: str, error: Mistake) -> list[str]:
    """A line with carets under it; of a long one the part that is wrong."""
    if redact(text) != text:
        return [safe(shortened(text))]  # Where a key is left out no column is what it was.
    if len(text) > LONGEST:
        first = max(0, error.start - _AROUND)
        text = "…" * (first > 0) + text[first : error.start + _AROUND] + "…"
        moved = first - (first > 0)
        error = Mistake("", error.start - moved, min(error.end - moved, len(text)))
    return [escaped(text), _carets(text, error)]


def _details(error: BaseException) -> list[str]:
    details = error.details if isinstance(error, NotMet) else getattr(error, "__notes__", ())
    return [f"      {line}" for line in details]


def problem_form(error: BaseException) -> dict[str, Any]:
    """What went wrong, for JSON."""
    form = error_form(error) | {"exit_code": int(exit_code_for(error)), "message": message_of(error)}
    if isinstance(error, Mistake):
        form["column"] = error.start + 1
    return form | error.fields if isinstance(error, NotMet) else form
