"""A line of the shell, run as a front end does."""

from zb_mom_ww_mxgateway_shell.output.results import Result
from zb_mom_ww_mxgateway_shell.scripts.executor import Follow, LineRun
from zb_mom_ww_mxgateway_shell.state.context import Context


async def run(context: Context, text: str, follow: Follow) -> Result | None:
    """Runs it; returns its result, raises its error."""
    return (await LineRun(context, text).run(follow)).unwrap()
