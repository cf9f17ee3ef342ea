"""What a trend shows of a tag beside its values: its unit, its range, and the limits of its own alarms."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.safety.known_range import TagRange, alarm_limit_tags, alarm_limits_of, range_of, range_tags
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.text.terminal_text import shortened
from zb_mom_ww_mxgateway_shell.output.chart import Limit
from zb_mom_ww_mxgateway_shell.samples.sample_stream import number_of

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_SECONDS = 1.5
"""Seconds in which they must be there: a picture without them is one, too."""
_LONGEST = 1_000
"""Characters of a unit that are kept."""
_UNIT = "EngUnits"


@dataclass(frozen=True, slots=True)
class TrendFacts:
    """Facts about one tag."""

    unit: str = ""
    alarm_limits: Sequence[Limit] = ()
    range: TagRange = (None, None)


async def facts_of(connected: "GatewayConnection", tags: Sequence[str]) -> Mapping[str, TrendFacts]:
    """Return what is known of each tag, after a second or two at most. It never raises for want of it."""
    with suppress(MxGatewayError, TimeoutError):
        async with asyncio.timeout(_SECONDS):
            await _learn_names(connected, tags)
            wanted = [name for tag in tags for name in _names(tag) if connected.catalogue.kind_of(name) is not None]
            readings = await connected.live.read(wanted, timeout=_SECONDS) if wanted else []
            values = {
                tag_key(each.tag): each.value for each in readings if not each.error and each.quality_word != "bad"
            }
            return {tag: _facts(tag, values) for tag in tags}
    return {}


def _names(tag: str) -> list[str]:
    return [f"{tag}.{_UNIT}", *range_tags(tag), *alarm_limit_tags(tag)]


def _facts(tag: str, values: Mapping[str, Any]) -> TrendFacts:
    unit = values.get(tag_key(f"{tag}.{_UNIT}"))
    found = {name: number_of(values.get(tag_key(name))) for name in (*range_tags(tag), *alarm_limit_tags(tag))}
    numbers = {name: number for name, number in found.items() if number is not None}
    limits = [Limit(level, alarm) for alarm, level in alarm_limits_of(tag, numbers)]
    text = shortened(unit, _LONGEST).strip() if isinstance(unit, str) else ""
    return TrendFacts(text, limits, range_of(tag, numbers))


async def _learn_names(connected: "GatewayConnection", tags: Sequence[str]) -> None:
    """Have the catalogue know the attributes of the objects of these tags: a run has not read the galaxy."""
    from zb_mom_ww_mxgateway_shell.galaxy.lookup import locate

    for tag in tags:
        if connected.catalogue.type_of(tag) is None and (found := (await locate(connected.client, tag)).found):
            connected.catalogue.learn(found)
