"""Ranges of tags and limits of their alarms: numbers that other tags hold, read when they are needed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.safety.known_range import alarm_limit_tags, known_number, range_tags
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession, Reading
    from zb_mom_ww_mxgateway_shell.galaxy.catalog import TagCatalogue

_SECONDS = 1.0
"""Seconds in which they must be there: without them a value is written, too."""
_HOLD_SECONDS = 30.0
"""Seconds for which a number holds: a person may tune it."""
_PAUSE_SECONDS = 60.0
"""Seconds before numbers that could not be read are tried again."""
_MOST = 20_000
"""Most numbers that are kept from one look to the next."""

_Key = tuple[str, datetime | None]
"""The key of a tag, and the deployment."""


class KnownNumbers:
    """Numbers of one connection. What cannot be read stays unknown."""

    def __init__(self, live: "LiveSession", catalogue: "TagCatalogue") -> None:
        self._live = live
        self._catalogue = catalogue
        self._numbers: dict[_Key, tuple[float | None, float]] = {}
        """The number, None where it could not be read, and until when that holds: monotonic seconds."""

    async def learn(self, tags: Sequence[str], *, with_alarms: bool) -> None:
        """Have the ranges of tags, and the limits of their alarms, as they are now. It never raises."""
        for oldest in list(self._numbers)[: max(0, len(self._numbers) - _MOST)]:
            del self._numbers[oldest]
        wanted = self._unread(tags, with_alarms)
        if not wanted:
            return
        from zb_mom_ww_mxgateway.safety.brief_reads import brief_reads  # Lazy: most runs read no numbers.

        readings = await brief_reads(wanted, self._read, _SECONDS)
        now = clock.monotonic()
        for name in wanted:
            found = None
            if (reading := readings.get(name)) is not None and reading.stale_for is None:
                found = known_number(reading.value, reading.quality_word)
            self._numbers[self._key(name)] = found, now + (_PAUSE_SECONDS if found is None else _HOLD_SECONDS)

    async def _read(self, names: Sequence[str], seconds: float) -> "Sequence[Reading]":
        return await self._live.read(names, timeout=seconds)

    def is_old(self, tags: Sequence[str]) -> bool:
        """Return whether there is a number to be read."""
        return bool(self._unread(tags, with_alarms=True))

    def _unread(self, tags: Sequence[str], with_alarms: bool) -> list[str]:
        now = clock.monotonic()
        names = self._names(tags, with_alarms)
        return [name for name in names if self._numbers.get(self._key(name), (None, now))[1] <= now]

    def of(self, tag: str) -> dict[str, float]:
        """Return the numbers of a tag as they were read last, by the tags that hold them."""
        found = {name: self._numbers.get(self._key(name)) for name in self._names([tag], with_alarms=True)}
        return {name: each[0] for name, each in found.items() if each is not None and each[0] is not None}

    def _names(self, tags: Iterable[str], with_alarms: bool) -> list[str]:
        """Return the tags that hold the numbers of these tags, as far as the galaxy is known to have them."""
        names: list[str] = []
        for tag in dict.fromkeys(tag.partition("[")[0] for tag in tags):
            names += [*range_tags(tag), *(alarm_limit_tags(tag) if with_alarms else ())]
        return [name for name in names if self._catalogue.kind_of(name) is not None]

    def _key(self, tag: str) -> _Key:
        return tag_key(tag), self._catalogue.redeployed_at
