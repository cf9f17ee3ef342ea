"""What the galaxy tells of tags that are about to be written: type, security, and for a person also what they are."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.tag_names import tag_key

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway_shell.state.connection import GatewayConnection

_SECONDS = 1.5
"""Seconds in which texts must be there: without them a question is asked, too."""
_AT_ONCE = 16
"""Most questions to the galaxy at a time."""


class GalaxyFacts:
    """Facts about the tags of one connection."""

    def __init__(self, connected: "GatewayConnection") -> None:
        self._connected = connected
        self._texts: dict[tuple[str, datetime | None], str] = {}
        """Texts that were read, by the key of their tag and the deployment."""

    async def of(self, tags: Sequence[str], /, *, for_a_person: bool) -> Mapping[str, TagFacts]:
        """Return what is known of each tag; `for_a_person` also reads its description and units. It never raises."""
        turns = asyncio.Semaphore(_AT_ONCE)

        async def security_of(tag: str) -> int | None:
            async with turns:
                return await self._connected.security_of(tag)

        securities = dict(zip(tags, await asyncio.gather(*map(security_of, tags)), strict=True))
        if for_a_person:
            await self._read([text_tag for tag in tags for text_tag in (*self._descriptions(tag), *self._units(tag))])
        return {tag: self._facts(tag, securities[tag]) for tag in tags}

    def _facts(self, tag: str, security: int | None) -> TagFacts:
        kind = self._connected.catalogue.kind_of(_plain(tag))
        type_name = "" if kind is None or kind.type is None else kind.type_name
        return TagFacts(
            description=self._text(self._descriptions(tag)),
            type_name=type_name.removesuffix("[]") if tag.endswith("]") and not tag.endswith("[]") else type_name,
            units=self._text(self._units(tag)),
            security=security,
        )

    def _descriptions(self, tag: str) -> list[str]:
        """Return the tags that describe a tag, the closest first: its own description, that of its object."""
        owner = self._connected.catalogue.owner_of(tag)
        of_object = [owner.tag("ShortDesc")] if owner is not None and owner.name else []
        return self._existing(f"{_plain(tag)}.Description", *of_object)

    def _units(self, tag: str) -> list[str]:
        return self._existing(f"{_plain(tag)}.EngUnits")

    def _existing(self, *tags: str) -> list[str]:
        return [tag for tag in tags if self._connected.catalogue.kind_of(tag) is not None]

    async def _read(self, tags: Sequence[str]) -> None:
        unread = [tag for tag in dict.fromkeys(tags) if self._key(tag) not in self._texts]
        if not unread:
            return
        with suppress(MxGatewayError, TimeoutError):
            async with asyncio.timeout(_SECONDS):
                for reading in await self._connected.live.read(unread, timeout=_SECONDS):
                    if not reading.error and isinstance(reading.value, str):
                        self._texts[self._key(reading.tag)] = reading.value

    def _text(self, tags: Sequence[str]) -> str:
        return next((text for tag in tags if (text := self._texts.get(self._key(tag), "").strip())), "")

    def _key(self, tag: str) -> tuple[str, datetime | None]:
        return tag_key(tag), self._connected.catalogue.redeployed_at


def _plain(tag: str) -> str:
    """Return the name of an array without ``[]`` or ``[3]``."""
    return tag.partition("[")[0]
