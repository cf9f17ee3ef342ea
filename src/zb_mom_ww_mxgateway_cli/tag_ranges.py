"""The ranges of tags that a command is about to write, as the galaxy tells them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.galaxy_objects import object_beginning
from zb_mom_ww_mxgateway.safety.brief_reads import brief_reads
from zb_mom_ww_mxgateway.safety.known_range import known_number, range_of, range_tags
from zb_mom_ww_mxgateway.safety.read_values import Read
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyObject, GatewayClient

_SECONDS = 0.5
"""Seconds in which the galaxy must have answered, and again the reads: without them a value is written, too."""
_HOLD_SECONDS = 30.0
"""Seconds for which they hold: a person may tune them."""
_PAUSE_SECONDS = 60.0
"""Seconds before a galaxy that did not answer is asked again."""


class TagRanges:
    """Ranges of tags of a connection. What cannot be had stays unknown."""

    def __init__(self, client: "GatewayClient", read: Read) -> None:
        self._client = client
        self._read = read
        self._known: dict[str, TagFacts] = {}
        self._objects: dict[str, GalaxyObject | None] = {}
        """Objects by the name that is above a tag."""
        self._hold_until = self._rest_until = float("-inf")
        """Until when all of that holds, and until when the galaxy is not asked: monotonic seconds."""

    async def of(self, tags: Sequence[str], /, *, for_a_person: bool) -> Mapping[str, TagFacts]:
        """Return the ranges of tags that are known to have one. It never raises."""
        if (now := clock.monotonic()) >= self._hold_until:
            self._known.clear()
            self._objects.clear()
            self._hold_until = now + _HOLD_SECONDS
        unknown = {tag_key(tag): tag.partition("[")[0] for tag in tags if tag_key(tag) not in self._known}
        if unknown:
            self._known |= dict.fromkeys(unknown, TagFacts())
            await self._look_up(unknown)
        return {tag: self._known[tag_key(tag)] for tag in tags}

    async def _look_up(self, unknown: Mapping[str, str]) -> None:
        """Look up the ranges of these tags: by key, without an index."""
        names: list[str] = []
        if clock.monotonic() >= self._rest_until:
            try:
                async with clock.timeout(_SECONDS):
                    for tag in dict.fromkeys(unknown.values()):
                        names += await self._existing(tag)
            except (MxGatewayError, TimeoutError):
                self._rest_until = clock.monotonic() + _PAUSE_SECONDS
        numbers: dict[str, float] = {}
        for name, result in (await brief_reads(names, self._read, _SECONDS)).items():
            number = known_number(result.value, result.quality_word) if result.was_successful else None
            if number is not None:
                numbers[name] = number
        for key, tag in unknown.items():
            low, high = range_of(tag, numbers)
            self._known[key] = TagFacts(low=low, high=high)

    async def _existing(self, tag: str) -> list[str]:
        """Return the tags with the ends of the range of a tag that the galaxy has."""
        parent = tag_key(tag).rpartition(".")[0]
        if parent not in self._objects:
            self._objects[parent], _ = await object_beginning(self._client, tag)
        if (owner := self._objects[parent]) is None:
            return []
        attributes = {tag_key(each.full_tag_reference) for each in owner.attributes}
        return [name for name in range_tags(tag) if tag_key(name) in attributes]
