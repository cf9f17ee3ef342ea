"""The ranges of tags that a command is about to write, as the galaxy tells them."""

from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayAuthorizationError, MxGatewayError
from zb_mom_ww_mxgateway.galaxy_objects import object_beginning
from zb_mom_ww_mxgateway.safety.known_numbers import KnownNumbers
from zb_mom_ww_mxgateway.safety.known_range import known_number, range_of, range_tags
from zb_mom_ww_mxgateway.safety.read_values import Read
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GatewayClient

_GALAXY_SECONDS = 0.5
"""Seconds in which the galaxy must have answered, of those that all of it may take."""
_HOLD_SECONDS = 30.0
"""Seconds for which its answers hold."""
_PAUSE_SECONDS = 60.0
"""Seconds before a galaxy that did not answer is asked again."""


class TagRanges:
    """Ranges of tags of a connection. What cannot be had stays unknown."""

    def __init__(self, client: "GatewayClient", read: Read) -> None:
        self._client = client
        self._read = read
        self._numbers = KnownNumbers(self._read_numbers)
        self._attributes: dict[str, Set[str]] = {}
        """Keys of the tags of an object, by the name that is above a tag."""
        self._hold_until = self._rest_until = float("-inf")
        """Until when they hold, and until when the galaxy is not asked: monotonic seconds."""
        self._untold = ""
        """Why it is not asked."""

    async def of(self, tags: Sequence[str], /, *, for_a_person: bool) -> Mapping[str, TagFacts]:
        """Return the ranges of tags that are known to have one. It never raises."""
        began = clock.monotonic()
        plain = {tag: tag.partition("[")[0] for tag in tags}
        names = await self._existing_ends(list(dict.fromkeys(plain.values())), began)
        await self._numbers.learn(names, spent=clock.monotonic() - began)
        numbers = self._numbers.of(names)
        ranges = {tag: range_of(name, numbers) for tag, name in plain.items()}
        return {
            tag: TagFacts(low=low, high=high, untold="" if self._parent(tag) in self._attributes else self._untold)
            for tag, (low, high) in ranges.items()
        }

    async def _existing_ends(self, tags: Sequence[str], now: float) -> list[str]:
        """Return the tags with the ends of the ranges of these tags that the galaxy has, as far as it tells soon."""
        if now >= self._hold_until:
            self._attributes.clear()
            self._hold_until = now + _HOLD_SECONDS
        names: list[str] = []
        try:
            async with clock.timeout(_GALAXY_SECONDS):
                for tag in tags:
                    if (parent := self._parent(tag)) not in self._attributes:
                        if now < self._rest_until:
                            continue
                        owner, _ = await object_beginning(self._client, tag)
                        attributes = owner.attributes if owner else ()
                        self._attributes[parent] = {tag_key(each.full_tag_reference) for each in attributes}
                    names += [name for name in range_tags(tag) if tag_key(name) in self._attributes[parent]]
        except (MxGatewayError, TimeoutError) as error:
            self._rest_until = clock.monotonic() + _PAUSE_SECONDS
            is_refused = isinstance(error, MxGatewayAuthorizationError)
            why = f"no answer within {_GALAXY_SECONDS:g} s" if isinstance(error, TimeoutError) else str(error)
            self._untold = "" if is_refused else f"the galaxy does not tell them: {why}"
        return names

    @staticmethod
    def _parent(tag: str) -> str:
        """Return the key of the name that is above a tag."""
        return tag_key(tag.partition("[")[0]).rpartition(".")[0]

    async def _read_numbers(self, tags: Sequence[str], seconds: float) -> list[float | None]:
        results = await self._read(tags, seconds)
        return [known_number(each.value, each.quality_word) if each.was_successful else None for each in results]
