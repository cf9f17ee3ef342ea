"""The ranges of tags that a command is about to write, as the galaxy tells them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.galaxy_objects import object_beginning
from zb_mom_ww_mxgateway.safety.known_range import range_of, range_tags
from zb_mom_ww_mxgateway.safety.read_values import Read
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyObject, GatewayClient

_SECONDS = 1.0
"""Seconds in which they must be there: without them a value is written, too."""
_READ_SECONDS = 0.5
"""Seconds that each end may take at the gateway."""


class TagRanges:
    """Ranges of tags, looked up once for each tag of a connection. What cannot be had stays unknown."""

    def __init__(self, client: "GatewayClient", read: Read) -> None:
        self._client = client
        self._read = read
        self._known: dict[str, TagFacts] = {}
        self._objects: dict[str, GalaxyObject | None] = {}
        """Objects by the name that is above a tag."""

    async def of(self, tags: Sequence[str], /, *, for_a_person: bool) -> Mapping[str, TagFacts]:
        """Return the ranges of tags that are known to have one. It never raises."""
        unknown = [tag for tag in tags if tag_key(tag) not in self._known]
        if unknown:
            self._known |= dict.fromkeys(map(tag_key, unknown), TagFacts())
            with suppress(MxGatewayError, TimeoutError):
                async with clock.timeout(_SECONDS):
                    await self._look_up(unknown)
        return {tag: self._known[tag_key(tag)] for tag in tags}

    async def _look_up(self, tags: Sequence[str]) -> None:
        plain = {tag: tag.partition("[")[0] for tag in tags}
        names = [name for tag in plain.values() for name in await self._existing(tag)]
        if not names:
            return
        results = await self._read(names, _READ_SECONDS)
        numbers = {
            name: float(result.value)
            for name, result in zip(names, results, strict=True)
            if result.was_successful and isinstance(result.value, int | float) and not isinstance(result.value, bool)
        }
        for tag in tags:
            low, high = range_of(plain[tag], numbers)
            self._known[tag_key(tag)] = TagFacts(low=low, high=high)

    async def _existing(self, tag: str) -> list[str]:
        """Return the tags with the ends of the range of a tag that the galaxy has."""
        parent = tag_key(tag).rpartition(".")[0]
        if parent not in self._objects:
            self._objects[parent], _ = await object_beginning(self._client, tag)
        if (owner := self._objects[parent]) is None:
            return []
        attributes = {tag_key(each.full_tag_reference) for each in owner.attributes}
        return [name for name in range_tags(tag) if tag_key(name) in attributes]
