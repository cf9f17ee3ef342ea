"""Log of a live session: its states, gaps, and writes that were refused in their completion."""

import logging

from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.live.values import LiveChange, LiveState
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.system.log import SESSION, WRITES


def log_change(link: SessionLink, change: LiveChange) -> None:
    """Log a change of state, a gap, a sleep of the machine, or an item that was suspended."""
    level = logging.WARNING
    if change.gap:
        text = f"gap: {change.lost_events or 'an unknown number of'} events lost"
    elif change.slept:
        text = f"this machine slept for {change.slept:.0f} s"
    elif change.item is not None:
        item = link.handles.items.get(change.item)
        text = f"{item.tag if item else change.item} {'suspended' if change.suspended else 'active'}"
        level = logging.INFO
    elif change.missing:
        text = f"{len(change.missing)} items not restored: {', '.join(change.missing)}"
    else:
        text = change.state.value
        level = logging.INFO if change.state is LiveState.LIVE or change.lost is None else logging.WARNING
        if change.lost is not None:
            text += f": {change.lost}"
    link.log(SESSION, level, f"{link.session_id}: {text}")


def log_rebuilt(link: SessionLink, former: str) -> None:
    """Log that a session of another id has taken the place of the lost one."""
    link.log(SESSION, logging.WARNING, f"{former}: rebuilt as {link.session_id}")


def log_completion(link: SessionLink, event: MxEvent) -> None:
    """Log a completion that says that a write was refused; nothing of any other."""
    if event.failed:
        statuses = "; ".join(str(status) for status in event.statuses)
        text = f"{event.tag or event.item_handle}: refused in its completion: {statuses}"
        link.log(WRITES, logging.WARNING, text)
