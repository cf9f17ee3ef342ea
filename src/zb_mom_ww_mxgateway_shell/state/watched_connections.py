"""Which watched items are in view together."""

from zb_mom_ww_mxgateway_shell.output.watch_table import WatchTable
from zb_mom_ww_mxgateway_shell.output.watch_view import WatchView
from zb_mom_ww_mxgateway_shell.state.context import Context


def watch_view(context: Context) -> WatchView:
    """Return what is in view: all that is watched on the current connection, and what was watched on others by name."""
    return WatchView(lambda: tables_in_view(context))


def tables_in_view(context: Context) -> list[tuple[WatchTable, bool]]:
    """Return the tables of the open connections, each with whether all of it is in view."""
    current, opened = context.current, context.connections.values()
    return [(each.panel, each is current) for each in opened if each is current or each.has_panel]
