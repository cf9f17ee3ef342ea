"""Agreement of a person to what cannot be taken back."""

from zb_mom_ww_mxgateway_console.render.forms import ExitCode
from zb_mom_ww_mxgateway_shell.errors import ShellError
from zb_mom_ww_mxgateway_shell.state.context import Context


async def agreed(context: Context, question: str) -> None:
    """Return when a person, or ``--yes``, agrees; raise ShellError where not."""
    if context.assume_yes:
        return
    if context.ask is None:
        raise ShellError("not confirmed: there is no terminal to ask at; --yes agrees to it", ExitCode.GUARDED)
    if not await context.ask(question):
        raise ShellError("not confirmed; nothing was sent", ExitCode.GUARDED)
