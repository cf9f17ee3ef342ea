"""The galaxy's tags, in memory: what completion offers and mistakes are measured against.

Read by a background task; every look-up answers at once from what has been read.
"""

import asyncio
import re
from bisect import bisect_left
from fnmatch import translate
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.status import name_of
from zb_mom_ww_mxgateway_shell.literals import TagType
from zb_mom_ww_mxgateway_shell.problems import closest

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyAttribute, GatewayClient

VIEW_ONLY = 6
"""Security classification of an attribute nobody may write."""
_SUGGEST_AMONG = 5_000


class Catalogue:
    """Tag names by their folded spelling."""

    def __init__(self) -> None:
        self.is_complete = False
        """True once the whole galaxy has been read."""
        self.objects = 0
        self.areas = 0
        self.error: MxGatewayError | None = None
        """Why it could not be read, if so."""
        self._keys: list[str] = []
        self._tags: list[tuple[str, str]] = []
        self._types: dict[str, tuple[TagType, bool]] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self, client: "GatewayClient") -> None:
        """Begins to read the galaxy, if that has not begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._load(client), name="catalogue")

    async def loaded(self, timeout: float) -> bool:
        """Waits for the reading to end, at most `timeout` seconds; says whether the catalogue is complete."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=timeout)
        return self.is_complete

    async def aclose(self) -> None:
        """Ends the reading. Idempotent."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _load(self, client: "GatewayClient") -> None:
        found: list[tuple[str, str, str]] = []
        try:
            async for item in client.galaxy.discover():
                self.objects += 1
                self.areas += item.is_area
                for attribute in item.attributes:
                    name = attribute.full_tag_reference
                    writable = attribute.security_classification != VIEW_ONLY
                    tag_type = TagType(attribute.data_type, attribute.is_array)
                    self._types[name.casefold()] = tag_type, writable
                    meta = attribute.data_type_name or name_of(attribute.data_type).lower()
                    found.append(
                        (
                            name.casefold(),
                            name,
                            f"{meta}{'[]' if attribute.is_array else ''}{'' if writable else ', read-only'}",
                        )
                    )
        except MxGatewayError as error:
            self.error = error
            return
        found.sort()
        self._keys = [key for key, _, _ in found]
        self._tags = [(name, meta) for _, name, meta in found]
        self.is_complete = True

    def __len__(self) -> int:
        return len(self._types)

    def type_of(self, tag: str) -> TagType | None:
        """The type the galaxy gives a tag; None when it is not known."""
        known = self._types.get(_plain(tag))
        if known is None:
            return None
        return TagType(known[0].data_type) if _is_element(tag) else known[0]

    def misses(self, tag: str) -> bool:
        """True when the whole galaxy has been read and has no such tag."""
        return self.is_complete and _plain(tag) not in self._types

    def closest(self, tag: str) -> str:
        """A hint at a similar tag, or nothing."""
        # Names that begin alike, one dotted segment at a time: comparing with a million would take seconds.
        prefix = tag.casefold()
        while True:
            first = bisect_left(self._keys, prefix)
            last = bisect_left(self._keys, prefix + "\U0010ffff")
            if last - first >= 1 and (hint := closest(tag, self._names(first, last))):
                return hint
            if not prefix:
                return ""
            prefix = prefix.rstrip(".").rpartition(".")[0]
            prefix = prefix and prefix + "."

    def complete(self, prefix: str, limit: int) -> list[tuple[str, str]]:
        """Tags that begin like this, in any letter case, at most up to the next dot, with what is known of them.

        ``Pla`` gives ``Plant.``; ``Plant.Tank1.`` gives its attributes and ``Plant.Tank1.Level.`` once.
        """
        folded = prefix.casefold()
        position = bisect_left(self._keys, folded)
        offers: list[tuple[str, str]] = []
        while position < len(self._keys) and self._keys[position].startswith(folded) and len(offers) < limit:
            name, meta = self._tags[position]
            dot = name.find(".", len(prefix))
            if dot < 0:
                offers.append((name, meta))
                position += 1
                continue
            group = name[: dot + 1]
            offers.append((group, "…"))
            position = bisect_left(self._keys, group.casefold() + "\U0010ffff", lo=position)
        return offers

    def matching(self, pattern: str, limit: int) -> list[str]:
        """Tags that match a glob (``*``, ``?``) in any letter case, in order, at most `limit`."""
        folded = pattern.casefold()
        start = folded[: min(folded.find(mark) for mark in "*?" if mark in folded)]
        expression = re.compile(translate(folded))
        found: list[str] = []
        for position in range(bisect_left(self._keys, start), len(self._keys)):
            key = self._keys[position]
            if not key.startswith(start) or len(found) >= limit:
                break
            if expression.match(key):
                found.append(self._tags[position][0])
        return found

    def _names(self, first: int, last: int) -> list[str]:
        return [name for name, _ in self._tags[first : min(last, first + _SUGGEST_AMONG)]]


def _meta(attribute: "GalaxyAttribute", writable: bool) -> str:
    type_name = attribute.data_type_name or name_of(attribute.data_type).lower()
    return f"{type_name}{'[]' if attribute.is_array else ''}{'' if writable else ', read-only'}"


def _is_element(tag: str) -> bool:
    return tag.endswith("]") and not tag.endswith("[]")


def _plain(tag: str) -> str:
    """The attribute's own name, without ``[]`` or ``[3]``."""
    return (tag[: tag.rindex("[")] if tag.endswith("]") and "[" in tag else tag).casefold()
