"""What a prompt says at its start and at its end."""

from collections.abc import Iterator

from zb_mom_ww_mxgateway.version import __version__
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.state.connection import connection_text
from zb_mom_ww_mxgateway_shell.state.context import Context


def greeting(context: Context) -> Iterator[str]:
    """Yield where the shell is connected, or how to connect, a line each."""
    where = connection_text(context.current)
    if context.name == "demo":
        where = f"simulated gateway at {where}"
    yield f"mxgw-shell {__version__}   {where}"
    if context.live:
        session = context.live.session.session_id
        yield f"{session[:14]}…  {context.state}          type help, or press Tab"
        return
    known = list(context.profiles.profiles)
    named = f", or connect PROFILE: {', '.join(known[:5])}{' …' if len(known) > 5 else ''}" if known else ""
    yield f"connect HOST:PORT{named}          type help, or press Tab"


def farewell(context: Context) -> Iterator[str]:
    """Yield what is still open and is about to be closed, a line each."""
    for each in context.connections.values():
        items = each.live.session.handles.items.values()
        advised, watched = sum(item.advised for item in items), len(each.panel)
        open_items = f"{counted(advised, 'item')} advised{f', {watched} watched' if watched else ''}"
        yield f"closing {each.name}: {each.live.session.session_id} ({open_items})"
        for recording in each.recording:
            yield f"closing {recording.path} ({counted(recording.samples, 'sample')} so far)"
    if context.spool.path is not None:
        yield f"ending the copy to {context.spool.path}"
