"""The tags that a file waits for behind a write: followed before it is sent, so that what it changes is seen."""

from contextlib import suppress

from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.language.aliases import unfolded
from zb_mom_ww_mxgateway_shell.language.argument_types import Target
from zb_mom_ww_mxgateway_shell.language.variables import ValueNotYetKnown
from zb_mom_ww_mxgateway_shell.state.context import Context

_FAR = 50
"""So many lines are looked at."""


def coming_waits(context: Context) -> list[Target]:
    """What is waited for up to the next write that follows a check. A line that cannot be read yet is left out."""
    found: list[Target] = []
    is_checked = False
    for text in context.coming[:_FAR]:
        invocation = None
        with suppress(ShellError, ValueNotYetKnown), unfolded(context, text) as line:
            invocation = context.registry.parse(line, context)
        if invocation is None:
            continue
        traits = invocation.command.traits
        if traits.changes_subject or (is_checked and invocation.command.mutating):
            break
        if traits.judges == "until":
            found.append(invocation.positional[0])
        is_checked |= traits.judges is not None
    return found
