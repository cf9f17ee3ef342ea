"""What a run leaves changed in the plant."""

from zb_mom_ww_mxgateway_shell.state.context import Context


async def left_changed(context: Context) -> list[str]:
    """Put back what timed writes wait to put back; return what is left changed, where that is a failure."""
    for connected in context.connections.values():
        await context.put_back(connected)
    if not context.leave_clean:
        return []
    rows = [row for connected in context.connections.values() for row in await connected.changes.now()]
    return [*context.left_changed, *(row.left_text for row in rows)]
