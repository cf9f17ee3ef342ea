"""Running one line, and saying what went wrong with it: the same for the prompt, files and Python."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway_shell.errors import Failure
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.commands import Command
from zb_mom_ww_mxgateway_shell.output.problems import message_of
from zb_mom_ww_mxgateway_shell.output.results import Feed, Result, TextResult
from zb_mom_ww_mxgateway_shell.process.signals import Interrupted, InterruptedInDoubt
from zb_mom_ww_mxgateway_shell.state.bound_context import BoundContext
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.script_recorder import RecordedLine

Follow = Callable[[Feed], Awaitable[Result]]
"""How a front end shows a feed until it ends."""

UNSURE = "if a write was sent, its outcome is UNKNOWN"
"""What is to be said where something that writes was interrupted."""


async def run(context: Context, text: str, follow: Follow) -> Result | None:
    """Parses and runs a line; None when there is nothing to run. What went wrong is kept in the context, and raised.

    From its first word to its result it is about the connection that is the current one now.
    """
    context = BoundContext(context)
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
    if isinstance(result, TextResult) and result.error is not None:
        context.failure = Failure(result.error, text)
    if result.value is not None:
        context.last = result.value
    return result


def _keep(context: Context, line: "RecordedLine", result: Result | None) -> None:
    """Gives a line that ran to record-script; what fails there is told, and changes nothing about what came of it."""
    try:
        context.typed.keep(context, line, result)
    except Exception as error:
        context.alert(f"record-script: {message_of(error)}")


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
