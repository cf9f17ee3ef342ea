"""Agreement of a person to what cannot be taken back."""

from collections.abc import Iterable

from zb_mom_ww_mxgateway_console.render.forms import ExitCode, counted
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.plant_changes import left_lines


async def agreed(context: Context, question: str) -> None:
    """Return when a person, or ``--yes``, agrees; raise ShellError where not."""
    if why := await _refusal(context, question, "nothing was sent"):
        if context.current is not None:
            # No call was made of it, so the desk did not see it.
            context.current.desk.records.note("refused", command=question, why=why)
        raise ShellError(why, ExitCode.GUARDED)


async def agreed_to_replace(context: Context, what: str) -> None:
    """Return when a person, or ``--yes``, agrees that a file of the user's own is replaced; raise ShellError where not.

    `what` names it: ``the list tank``.
    """
    if why := await _refusal(context, f"replace {what}?", f"{what} is as it was"):
        raise ShellError(why, ExitCode.GUARDED)


async def _refusal(context: Context, question: str, state: str) -> str:
    """Return why nobody agrees, and the `state` that this leaves; empty where a person or ``--yes`` does."""
    if context.assume_yes:
        return ""
    if context.ask is None:
        return "not confirmed: there is no terminal to ask at; --yes agrees to it"
    return "" if await context.ask(question) else f"not confirmed; {state}"


async def may_leave(context: Context, connections: Iterable[GatewayConnection]) -> bool:
    """Return whether connections may be closed: they leave nothing changed, or the person at the prompt agrees."""
    if not context.interactive or context.ask is None:
        return True
    rows = [row for each in connections for row in await each.changes.left()]
    if not rows:
        return True
    for line in left_lines(rows):
        context.notice(line)
    return await context.ask(
        f"{counted(len(rows), 'tag')} left changed; undo puts back what you choose. Leave all the same?"
    )
