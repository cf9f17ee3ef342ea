"""Values of tags that are read once: from the cache, or else from the gateway."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.models.handles import Item
from zb_mom_ww_mxgateway.safety.fresh_values import needs_brackets
from zb_mom_ww_mxgateway_shell.feeds.items import shown_writes
from zb_mom_ww_mxgateway_shell.state.context import Context

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import Reading

READ_SECONDS = 30.0
"""The gateway's time for each tag."""


async def read_once(
    context: Context,
    tags: Sequence[tuple[str, Item | None]],
    server: int | None = None,
    *,
    timeout: float = READ_SECONDS,
    fresh: bool = False,
) -> list["Reading"]:
    """Read tags of one connection, each through the server of its item, else through that server or the first one.

    With each tag comes its item, if it has one. A whole array may be named without brackets. `timeout` is the gateway's
    time for each tag in seconds; with `fresh` it is asked for all tags. Adds no items. Raises what ``LiveSession.read``
    raises.
    """
    live = context.live_session
    if not context.servers:
        await context.server_for(None)
    # The value of a write that just ended is still on its way.
    await shown_writes(live, [item for _, item in tags if item])

    async def read(places: Sequence[int], brackets: str = "") -> dict[int, "Reading"]:
        by_server: dict[int | None, list[int]] = {}
        for place in places:
            _, item = tags[place]
            by_server.setdefault(item.server_handle if item else server, []).append(place)
        readings: dict[int, Reading] = {}
        for handle, group in by_server.items():
            named = [f"{tags[place][0]}{brackets}" for place in group]
            readings |= zip(group, await live.read(named, handle, timeout=timeout, fresh=fresh), strict=True)
        return readings

    found = await read(range(len(tags)))
    # The gateway adds the brackets of a whole array where an item is added, not where a tag is read.
    arrays = await read([place for place, reading in found.items() if is_bare_array(reading)], "[]")
    found |= {place: replace(reading, tag=tags[place][0]) for place, reading in arrays.items()}
    return [found[place] for place in range(len(tags))]


def is_bare_array(reading: "Reading") -> bool:
    """Return whether the read failed because a whole array needs brackets after its name."""
    return bool(reading.error) and needs_brackets(reading.tag, reading.statuses)
