"""The items that commands need, and their values after everything that has arrived."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.status import first_failed
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_console.render.forms import age_text
from zb_mom_ww_mxgateway_shell.language.target_types import Target
from zb_mom_ww_mxgateway_shell.output.value_text import written_text
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, LiveValue

_ANSWER_SECONDS = 1.0
"""Seconds that a written item gets to show its new value; a data change takes about 100 ms."""

FIRST_VALUE_TIMEOUT = 15.0
"""Seconds to wait for an item's first value: a fresh session on a real gateway takes 3 to 8."""


async def ensure(
    context: Context, targets: Sequence[Target], server: int | None, *, await_values: bool = True
) -> list[Item]:
    """Return the items of the targets; register, add and advise those that are missing, and report it.

    With `server` the items are of that server. By default it waits for the first values of new items.
    """
    live = context.live_session
    known = [_item_of(context, target, server) for target in targets]
    new = list(dict.fromkeys(target.tag for target, item in zip(targets, known, strict=True) if item is None))
    silent = [item for item in known if item and not item.advised]
    for item in silent:
        await live.session.advise(*item.key)
    added: dict[str, Item] = {}
    if new:
        handle = await context.server_for(server)
        added = dict(zip(new, await live.subscribe_tags(new, handle), strict=True))
    items = [item or added[target.tag] for target, item in zip(targets, known, strict=True)]
    # An item that the line before advised may have no value yet, either.
    awaited = context.file.awaited - {item.key for item in added.values()}
    waited = [item for item in items if await_values and live.latest(*item.key) is None and item.key not in awaited]
    if not added and not waited:
        return items
    names = [f"item {item.item_handle}" for item in added.values()]
    report = f"added {', '.join(names) if len(names) <= 3 else f'{len(names)} items'}; " if names else ""
    if not await_values:
        context.notice(report.rstrip("; "))
        return items
    start = clock.monotonic()

    def missing() -> list[str]:
        return [item.tag for item in waited if live.latest(*item.key) is None]

    context.awaited_values = lambda: _awaited_text(missing())
    try:
        async with clock.timeout(FIRST_VALUE_TIMEOUT):
            for item in waited:
                await live.first_value(item)
    except TimeoutError:
        context.notice(f"{report}no value after {FIRST_VALUE_TIMEOUT:g} s of {', '.join(missing()[:3])}")
    else:
        context.notice(f"{report}first values after {age_text(clock.monotonic() - start)}")
    finally:
        context.awaited_values = lambda: ""
    for item in added.values():
        # For an unknown name MXAccess sends a failed status.
        value = live.latest(*item.key)
        if value is not None and first_failed(value.statuses) is None:
            context.catalogue.learn(item.tag)
    return items


def _awaited_text(tags: Sequence[str]) -> str:
    more = f" and {len(tags) - 1} more" if len(tags) > 1 else ""
    return f"waiting for the first value of {tags[0]}{more}" if tags else ""


def _item_of(context: Context, target: Target, server: int | None) -> Item | None:
    if target.item is not None and server in (None, target.item.server_handle):
        return target.item
    return context.find_item(target.tag, server)


async def value_now(context: Context, item: Item) -> "LiveValue | None":
    """Return the cached value after everything that has arrived was processed.

    It waits a moment where a newer value is due: after a write to the item, or while a restored stream reads again.
    The value is stale if the gateway does not answer.
    """
    (value,) = await values_now(context, [item])
    return value


async def values_now(context: Context, items: Sequence[Item]) -> "list[LiveValue | None]":
    """Return the cached values as :func:`value_now` does, after one round trip for all."""
    live, asked_at = context.live_session, clock.monotonic()
    if not await live.caught_up():
        held = [live.latest(*item.key) for item in items]
        return [value and in_doubt(value, asked_at) for value in held]
    await shown_writes(live, items)
    ends = clock.monotonic() + _ANSWER_SECONDS
    while live.state.value == "live":
        held = [live.latest(*item.key) for item in items]
        if not any(value and value.stale_since is not None for value in held) or not await _changed(live, ends):
            break
    return [live.latest(*item.key) for item in items]


def in_doubt(value: "LiveValue", asked_at: float) -> "LiveValue":
    """Return the value, stale from that time on unless it was already: the gateway confirmed nothing newer."""
    return value if value.stale_since is not None else replace(value, stale_since=max(asked_at, value.received_at))


async def shown_writes(live: "LiveSession", items: Iterable[Item]) -> None:
    """Wait until the stream shows the writes to these items, at most a moment after each write ended."""
    keys = [item.key for item in items]
    while written := [each for key in keys if (each := live.unseen_write(*key))]:
        ends = max(each.at if each.ended_at is None else each.ended_at for each in written) + _ANSWER_SECONDS
        if not await _changed(live, ends):
            return


async def _changed(live: "LiveSession", ends: float) -> bool:
    """Wait for the next change; return False at that time."""
    try:
        async with clock.timeout(ends - clock.monotonic()):
            await live.changed()
    except TimeoutError:
        return False
    return True


def unseen_text(context: Context, item: Item) -> str:
    """Return the remark that the value is from before a write to it; empty if it is not."""
    return written_text(context.live_session.unseen_write(*item.key))
