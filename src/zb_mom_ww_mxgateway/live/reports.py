"""Reports of a live session, to the log and to observers: states, gaps, rebuilds, refused completions, queues."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.live.values import LiveChange, LiveState
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.system.log import SESSION, WRITES
from zb_mom_ww_mxgateway.transport.client_observers import tell

# Seconds between reports of the queues.
_QUEUES_EVERY = 1.0


def report_change(link: SessionLink, change: LiveChange, *, is_new_state: bool = False) -> None:
    """Report a change of state, a gap, a sleep of the machine, or an item that was suspended."""
    level = logging.WARNING
    if change.gap:
        text = f"gap: {change.lost_events or 'an unknown number of'} events lost"
    elif change.slept:
        text = f"this machine slept for {change.slept:.0f} s"
    elif change.item is not None:
        item = link.handles.items.get(change.item)
        text = f"{item.tag if item else change.item} {'suspended' if change.suspended else 'active'}"
        level = logging.INFO
    else:
        text = change.state.value
        level = logging.INFO if change.state is LiveState.LIVE or change.lost is None else logging.WARNING
        if change.lost is not None:
            text += f": {change.lost}"
    link.log(SESSION, level, f"{link.session_id}: {text}")
    options = link.transport.options
    if not options.observers:
        return
    if change.gap:
        _tell_of_gap(link, change.lost_events)
    if is_new_state:
        from zb_mom_ww_mxgateway.models.client_observer import SessionFacts

        facts = SessionFacts(endpoint=link.endpoint, session_id=link.session_id, state=change.state, lost=change.lost)
        tell(options, lambda observer: observer.session_changed(facts))


def report_rebuilt(link: SessionLink, former: str, seconds: float, missing: tuple[str, ...]) -> None:
    """Report that a session of another id has taken the place of the lost one, so many seconds after the loss.

    `missing` names the items that were not restored, each with the reason.
    """
    link.log(SESSION, logging.WARNING, f"{former}: rebuilt as {link.session_id} after {seconds:.1f} s")
    if missing:
        text = f"{link.session_id}: {len(missing)} items not restored: {', '.join(missing)}"
        link.log(SESSION, logging.WARNING, text)
    options = link.transport.options
    if not options.observers:
        return
    from zb_mom_ww_mxgateway.models.client_observer import RebuildFacts

    # What happened between the two sessions is lost.
    _tell_of_gap(link, 0)
    facts = RebuildFacts(
        endpoint=link.endpoint,
        former_session_id=former,
        session_id=link.session_id,
        duration=seconds,
        missing=len(missing),
    )
    tell(options, lambda observer: observer.rebuilt(facts))


def _tell_of_gap(link: SessionLink, lost_events: int) -> None:
    from zb_mom_ww_mxgateway.models.client_observer import GapFacts

    facts = GapFacts(endpoint=link.endpoint, session_id=link.session_id, lost_events=lost_events)
    tell(link.transport.options, lambda observer: observer.gap(facts))


def log_completion(link: SessionLink, event: MxEvent) -> None:
    """Log a completion that says that a write was refused; nothing of any other."""
    if event.failed:
        statuses = "; ".join(str(status) for status in event.statuses)
        text = f"{event.tag or event.item_handle}: refused in its completion: {statuses}"
        link.log(WRITES, logging.WARNING, text)


@asynccontextmanager
async def reported_queues(
    link: SessionLink, buffered: Callable[[], tuple[int, int]], queued: Callable[[], int]
) -> AsyncIterator[None]:
    """Within the block, tell the observers the lengths of the queues once a second; do nothing without observers.

    `buffered` gives the messages and bytes that wait in the stream, `queued` the events that wait for subscribers. A
    session that ends, or is rebuilt, is told with empty queues, so that sums over sessions are right.
    """
    if not link.transport.options.observers:
        yield
        return
    telling = asyncio.create_task(_tell_often(link, buffered, queued), name="telling of queues")
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait([telling])


async def _tell_often(link: SessionLink, buffered: Callable[[], tuple[int, int]], queued: Callable[[], int]) -> None:
    session_id = link.session_id
    try:
        while True:
            if link.session_id != session_id:
                _tell_of_queues(link, session_id, (0, 0), 0)
                session_id = link.session_id
            _tell_of_queues(link, session_id, buffered(), queued())
            await asyncio.sleep(_QUEUES_EVERY)
    finally:
        _tell_of_queues(link, session_id, (0, 0), 0)


def _tell_of_queues(link: SessionLink, session_id: str, buffered: tuple[int, int], queued: int) -> None:
    from zb_mom_ww_mxgateway.models.client_observer import QueueFacts

    facts = QueueFacts(
        endpoint=link.endpoint,
        session_id=session_id,
        buffered=buffered[0],
        buffered_bytes=buffered[1],
        queued=queued,
    )
    tell(link.transport.options, lambda observer: observer.queue_lengths(facts))
