"""Connection state messages for the prompt and for runs: event streams, sessions, galaxies."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from zb_mom_ww_mxgateway.live.state_changes import Changes
from zb_mom_ww_mxgateway.live.values import LiveChange, LiveState
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.times import date_and_time, time_text
from zb_mom_ww_mxgateway_console.render.forms import counted
from zb_mom_ww_mxgateway_shell.output.doubt_text import doubt_text
from zb_mom_ww_mxgateway_shell.process.tasks import background_problem, in_background, leaves
from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection
from zb_mom_ww_mxgateway_shell.state.context import Context
from zb_mom_ww_mxgateway_shell.state.run_entries import add_news

_LOOK_SECONDS = 0.25
_STAYS_SECONDS = 2.0
"""How long a reason must last before it is reported: most restarts are over sooner."""


@asynccontextmanager
async def news_reported(
    context: Context, report: Callable[[str, bool], Awaitable[None]], failed: Callable[[BaseException], object]
) -> AsyncIterator[None]:
    """Report news while this is open; `failed` takes the error if that fails."""
    async with in_background("stream news", lambda: report_news(context, report), failed):
        yield


async def report_news(context: Context, report: Callable[[str, bool], Awaitable[None]]) -> None:
    """Report what happens to any connection, and whether it is bad news, until this is cancelled.

    That is: its event stream is lost, resumed or has a gap, its galaxy is deployed again, or a write whose outcome is
    unknown has been seen since.
    """
    followed: set[GatewayConnection] = set()
    reasons: WeakKeyDictionary[GatewayConnection, _Reasons] = WeakKeyDictionary()
    deployed: WeakKeyDictionary[GatewayConnection, datetime | None] = WeakKeyDictionary()

    async def report_for(connected: GatewayConnection, text: str, is_bad: bool, kind: str, **facts: Any) -> None:
        if text and connected.name in context.connections:
            of = "" if connected is context.current else f"{connected.name}: "
            add_news(context.record, context.file, connected.name, kind, text, **facts)
            await report(f"{of}{text}", is_bad)

    async def follow(connected: GatewayConnection, changes: Changes) -> None:
        # It was live when it was opened; what it is now may be news.
        before, slept_at, stale = LiveState.LIVE, -1, _Stale()
        async for change in changes:
            slept_at = connected.live.resumes if change.slept else slept_at
            text, is_bad = _describe(connected, change, before, slept_at == connected.live.resumes)
            before = change.state
            reasons[connected].reported.add(_reason(change.lost))
            await report_for(connected, text, is_bad, _kind(change), **stale.facts(change))

    async with asyncio.TaskGroup() as following:
        while True:
            connected = set(context.connections.values())
            for each in connected - followed:
                following.create_task(follow(each, each.live.changes()), name=f"state of {each.name}")
                reasons[each] = _Reasons()
            followed = connected
            for each in connected:
                each.arming.look()
                await report_for(each, reasons[each].another(each), True, "still-lost")
                for name, error in each.failures.items():
                    if name not in reasons[each].failed:
                        reasons[each].failed.add(name)
                        for leaf in leaves(error):
                            await report_for(each, f"{background_problem(leaf)}: {name} has ended", True, "task")
                for write in each.doubtful.news():
                    await report_for(each, f"{write.name}   {doubt_text(write)}", False, "doubtful-write")
                if (at := each.catalogue.redeployed_at) != deployed.get(each):
                    deployed[each] = at
                    when = f" at {date_and_time(at)}" if at else ""
                    again = ": its tags are read again" if each.catalogue.is_read else ""
                    text = f"the galaxy was deployed again{when}{again}"
                    await report_for(each, text, False, "redeployed", deployed_at=at and time_text(at))
            await asyncio.sleep(_LOOK_SECONDS)


def _kind(change: LiveChange) -> str:
    """Return what a change is in a record: ``gap``, ``slept``, ``missing``, or the state that it leads to."""
    if change.slept:
        return "slept"
    if change.gap or change.lost_events:
        return "gap"
    return "missing" if change.missing else change.state.value


class _Stale:
    """The stretch during which the values of one connection may be old, for a record."""

    def __init__(self) -> None:
        self._from: str | None = None

    def facts(self, change: LiveChange) -> dict[str, Any]:
        """Return when the present stretch began, and its end if this change is that; and what was lost in a gap."""
        now = datetime.now(UTC)
        facts: dict[str, Any] = {}
        if change.gap or change.lost_events:
            facts["lost_events"] = change.lost_events or None
        if change.missing:
            facts["missing"] = list(change.missing)
        is_over = change.state is LiveState.LIVE
        if self._from is None and (not is_over or change.since is not None):
            ago = 0.0 if change.since is None else max(0.0, clock.monotonic() - change.since)
            self._from = time_text(now - timedelta(seconds=ago))
        if self._from is not None:
            facts |= {"from": self._from, "to": time_text(now) if is_over else None}
        if is_over:
            self._from = None
        return facts


class _Reasons:
    """Why one connection is not back yet. The reason may change: a restarted gateway may come back with another
    certificate, or not at all."""

    def __init__(self) -> None:
        self.reported: set[str] = set()
        """Reasons reported since it was lost."""
        self.failed: set[str] = set()
        """Tasks of the connection that have failed."""
        self._last, self._since = "", 0.0

    def another(self, connected: GatewayConnection) -> str:
        """Return a new reason after it has stayed for a while; else nothing."""
        live, now = connected.live, clock.monotonic()
        if live.state not in (LiveState.STALE, LiveState.REBUILDING):
            self.reported.clear()
            self._last = ""
            return ""
        reason = _reason(live.lost)
        if reason != self._last:
            self._last, self._since = reason, now
        if reason in self.reported or now - self._since < _STAYS_SECONDS:
            return ""
        self.reported.add(reason)
        return f"still {connected.state}: {reason}"


def _reason(lost: BaseException | None) -> str:
    """Return why a connection is lost, and what to type where a person has to decide."""
    if lost is None:  # As long as it is being opened.
        return str(lost)
    from zb_mom_ww_mxgateway_shell.diagnosis.status_texts import distrust_meaning  # Lazy: most runs lose nothing.

    return f"{lost}{distrust_meaning(lost)}"


def _describe(
    connected: GatewayConnection, change: LiveChange, before: LiveState, only_slept: bool
) -> tuple[str, bool]:
    """Return the message for a change, and whether it is bad; empty for no message.

    `only_slept` if the connection was stale only because this process slept.
    """
    live = connected.live
    if change.slept:
        return f"{change.lost}: values are stale until they are confirmed", True
    if change.lost_events:
        return f"GAP {change.lost_events} events lost: values are stale until they are read again", True
    if change.missing:
        return f"no longer there: {', '.join(change.missing)}", True
    if change.gap:
        return "GAP events lost, how many is unknown: values are stale until they are read again", True
    match before, change.state:
        case old, new if old is new:
            return "", False
        case _, LiveState.STALE:
            return f"event stream lost, resuming: {_reason(change.lost)}", True
        case _, LiveState.REBUILDING:
            return f"session lost, opening another with the same items: {change.lost}", True
        case LiveState.REBUILDING, LiveState.LIVE:
            items = len(live.session.handles.items)
            replaced = f"{live.session.session_id} has taken its place: {counted(items, 'item')} added again"
            lost = ", ".join(user.name for user in connected.lost_users())
            return (
                f"{replaced}{f'; logged out with the lost session: {lost}; login signs again' if lost else ''}",
                False,
            )
        case LiveState.STALE, LiveState.LIVE if only_slept:
            return "the gateway answers again: values are confirmed", False
        case LiveState.STALE, LiveState.LIVE:
            return f"event stream resumed after sequence {live.last_worker_sequence}", False
        case _, LiveState.CLOSED if change.lost:
            return f"session lost: {change.lost}; connect opens a new one", True
    return "", False
