"""What befalls the connections, their event streams and galaxies, in words: for the prompt, and for a run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from weakref import WeakKeyDictionary

from zb_mom_ww_mxgateway.live.state_changes import Changes
from zb_mom_ww_mxgateway.live.values import LiveChange, LiveState
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.diagnosis.findings import to_seconds
from zb_mom_ww_mxgateway_shell.process.tasks import background_problem, in_background, leaves
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context

_LOOK_SECONDS = 0.25
_STAYS_SECONDS = 2.0
"""A reason that is gone sooner is none that anybody could act on: most restarts are over by then."""


@asynccontextmanager
async def news_told(
    context: Context, say: Callable[[str, bool], Awaitable[None]], failed: Callable[[BaseException], object]
) -> AsyncIterator[None]:
    """While this is open the news are told; `failed` hears at once where they cannot be."""
    async with in_background("stream news", lambda: tell_news(context, say), failed):
        yield


async def tell_news(context: Context, say: Callable[[str, bool], Awaitable[None]]) -> None:
    """Says when the stream of any connection is lost, resumed or has a gap, or its galaxy is deployed anew, and whether
    that is bad news, until it is cancelled."""
    told: set[GatewayConnection] = set()
    reasons: WeakKeyDictionary[GatewayConnection, _Reasons] = WeakKeyDictionary()
    deployed: WeakKeyDictionary[GatewayConnection, datetime | None] = WeakKeyDictionary()

    async def said(connected: GatewayConnection, text: str, is_bad: bool) -> None:
        if text and connected.name in context.connections:
            of = "" if connected is context.current else f"{connected.name}: "
            await say(f"{of}{text}", is_bad)

    async def follow(connected: GatewayConnection, changes: Changes) -> None:
        # It was live when it was made; what it is now may have to be said.
        before, slept_at = LiveState.LIVE, -1
        async for change in changes:
            slept_at = connected.live.resumes if change.slept else slept_at
            text, is_bad = _news(connected, change, before, slept_at == connected.live.resumes)
            before = change.state
            reasons[connected].said.add(str(change.lost))
            await said(connected, text, is_bad)

    async with asyncio.TaskGroup() as following:
        while True:
            connected = set(context.connections.values())
            for each in connected - told:
                following.create_task(follow(each, each.live.changes()), name=f"state of {each.name}")
                reasons[each] = _Reasons()
            told = connected
            for each in connected:
                await said(each, reasons[each].another(each), True)
                for name, error in each.failures.items():
                    if name not in reasons[each].failed:
                        reasons[each].failed.add(name)
                        for leaf in leaves(error):
                            await said(each, f"{background_problem(leaf)}: there is no {name} any more", True)
                if (at := each.catalogue.redeployed_at) != deployed.get(each):
                    deployed[each] = at
                    when = f" at {to_seconds(at)}" if at else ""
                    await said(each, f"the galaxy was deployed anew{when}: its tags are read again", False)
            await asyncio.sleep(_LOOK_SECONDS)


class _Reasons:
    """Why one connection is not back yet, where that changes while it is away: a gateway that was restarted may
    come back with another certificate, or not at all."""

    def __init__(self) -> None:
        self.said: set[str] = set()
        """Since it was lost."""
        self.failed: set[str] = set()
        """Tasks of its own that have failed."""
        self._last, self._since = "", 0.0

    def another(self, connected: GatewayConnection) -> str:
        """One that has not been said, once it has stayed for a while; else nothing."""
        live, now = connected.live, clock.monotonic()
        if live.state not in (LiveState.STALE, LiveState.REBUILDING):
            self.said.clear()
            self._last = ""
            return ""
        reason = str(live.lost)
        if reason != self._last:
            self._last, self._since = reason, now
        if reason in self.said or now - self._since < _STAYS_SECONDS:
            return ""
        self.said.add(reason)
        return f"still {connected.state}: {reason}"


def _news(connected: GatewayConnection, change: LiveChange, before: LiveState, only_slept: bool) -> tuple[str, bool]:
    """In words, and whether it is bad; empty where there is nothing to say. `only_slept` where nothing else was the
    matter."""
    live = connected.live
    if change.slept:
        return f"{change.lost}: values are stale until they are confirmed", True
    if change.lost_events:
        return f"GAP {change.lost_events} events lost: values are stale until they are read again", True
    if change.missing:
        return f"no longer there: {', '.join(change.missing)}", True
    if change.gap:
        return "GAP events lost, nobody knows how many: values are stale until they are read again", True
    match before, change.state:
        case old, new if old is new:
            return "", False
        case _, LiveState.STALE:
            return f"event stream lost, resuming: {change.lost}", True
        case _, LiveState.REBUILDING:
            return f"session lost, opening another with the same items: {change.lost}", True
        case LiveState.REBUILDING, LiveState.LIVE:
            items = len(live.session.handles.items)
            return f"{live.session.session_id} has taken its place: {counted(items, 'item')} added again", False
        case LiveState.STALE, LiveState.LIVE if only_slept:
            return "the gateway answers again: values are confirmed", False
        case LiveState.STALE, LiveState.LIVE:
            return f"event stream resumed after sequence {live.last_worker_sequence}", False
        case _, LiveState.CLOSED if change.lost:
            return f"session lost: {change.lost}; connect opens a new one", True
    return "", False
