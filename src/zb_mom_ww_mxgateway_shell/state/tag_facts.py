"""What the galaxy tells of tags: type, security, range, and for a person also units, description and limits of alarms.

All but the first two are values of other tags. Before a write they are read for the question; otherwise units and
descriptions are read in the background, a few at a time, and shown once they are known.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.safety.known_numbers import KnownNumbers
from zb_mom_ww_mxgateway.safety.known_range import (
    alarm_limit_tags,
    alarm_limits_of,
    known_number,
    range_of,
    range_tags,
)
from zb_mom_ww_mxgateway.safety.tag_facts import TagFacts
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key
from zb_mom_ww_mxgateway_console.text.terminal_text import shortened
from zb_mom_ww_mxgateway_shell.output.decimals import TagDecimals

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession
    from zb_mom_ww_mxgateway_shell.galaxy.catalog import TagCatalogue

_SECONDS = 1.5
"""Seconds in which texts must be there: without them a question is asked, too."""
_AT_ONCE = 16
"""Most questions to the galaxy at a time."""
_FIRST_BATCH, _BATCH = 4, 20
"""Texts that one call in the background reads: at first, and once a call was quick. The session's other calls, such as
a write, wait for it."""
_BATCH_SECONDS = 0.5
"""Seconds that each text may take at the gateway."""
_QUICK = 0.5
"""Seconds of a quick call. After a slower one nothing is read for a while."""
_RESTS = (10.0, 60.0, 600.0)
"""Seconds without reading after one slow call, two, and more."""
_PAUSES = (2.0, 10.0, 60.0, 600.0)
"""Seconds before a text that could not be read is tried again, one after the other; the last stays."""
_MOST_WAITING = 200
"""Most tags that wait for their texts; others are asked for again when they are shown again."""
_MOST_TEXTS = 20_000
"""Most texts that are kept."""
_LONGEST = 1_000
"""Characters of a text that are kept."""

_Key = tuple[str, datetime | None]
"""The key of a tag, and the deployment."""


class GalaxyFacts:
    """Facts about the tags of one connection."""

    def __init__(
        self, live: "LiveSession", catalogue: "TagCatalogue", security_of: Callable[[str], Awaitable[int | None]]
    ) -> None:
        """`security_of` asks for the security classification of a tag, and raises MxGatewayError where the galaxy does
        not answer."""
        self._live = live
        self._catalogue = catalogue
        self._security_of = security_of
        self._numbers = KnownNumbers(self._read_numbers, lambda: catalogue.redeployed_at)
        self._decimals = TagDecimals()
        self.reads_ahead = False
        """Whether :meth:`want` reads: at a prompt, where a person looks at values."""
        self._texts: dict[_Key, str] = {}
        self._failures: dict[_Key, tuple[int, float]] = {}
        """How often a text could not be read, and until when it is not tried again: monotonic seconds."""
        self._known: dict[str, TagFacts] = {}
        """Facts by tag, as long as the galaxy and the texts are the same."""
        self._whole: set[str] = set()
        """Tags without a text that is still to be read, as long as the galaxy is the same."""
        self._galaxy: tuple[object, ...] = ()
        """What they were looked up in."""
        self._wanted: dict[str, None] = {}
        self._reader: asyncio.Task[None] | None = None
        self._learner: asyncio.Task[None] | None = None
        self._batch = _FIRST_BATCH
        self._slow_calls = 0
        self._rests_until = float("-inf")
        """Until when nothing is read in the background: monotonic seconds."""

    async def of(self, tags: Sequence[str], /, *, for_a_person: bool) -> Mapping[str, TagFacts]:
        """Return what is known of each tag; `for_a_person` also reads its description and units, and the limits of its
        alarms. It never raises."""
        turns = asyncio.Semaphore(_AT_ONCE)
        untold: dict[str, str] = {}

        async def security_of(tag: str) -> int | None:
            async with turns:
                try:
                    return await self._security_of(tag)
                except MxGatewayError as error:
                    untold[tag] = str(error)
                    return None

        securities = dict(zip(tags, await asyncio.gather(*map(security_of, tags)), strict=True))
        await self._numbers.learn(self._number_tags(tags, with_alarms=for_a_person))
        if for_a_person:
            texts = [text_tag for tag in tags for text_tag in self._text_tags(tag)]
            await self._read([tag for tag in dict.fromkeys(texts) if self._key(tag) not in self._texts], _SECONDS)
        return {tag: self._facts(tag, securities[tag])._replace(untold=untold.get(tag, "")) for tag in tags}

    def known(self, tag: str) -> TagFacts:
        """Return units and description of a tag as far as they were read; nothing is read for it."""
        self._look_again()
        facts = self._known.get(tag)
        if facts is None:
            facts = self._known[tag] = self._facts(tag, None)
        return facts

    def seen(self, tag: str, *values: Any) -> TagFacts:
        """Take in values of a tag that are shown, for its decimals; return what is known of it."""
        facts = self.known(tag)
        decimals = self._decimals.note(tag, *values)
        if decimals != facts.decimals:
            facts = self._known[tag] = facts._replace(decimals=decimals)
        return facts

    def want(self, tags: Iterable[str]) -> None:
        """Have units and descriptions of tags that are shown read in the background; return at once.

        Nothing is read before a client is registered: a read would register one.
        """
        if not self._may_read():
            return
        self._look_again()
        for tag in islice(tags, _MOST_WAITING):
            if tag in self._whole or tag in self._wanted or len(self._wanted) >= _MOST_WAITING:
                continue
            if self._unread([tag]):
                self._wanted[tag] = None
            elif all(self._key(text_tag) in self._texts for text_tag in self._text_tags(tag)):
                self._whole.add(tag)
        if self._wanted and self.is_idle:
            self._reader = asyncio.create_task(self._read_wanted(), name="units and descriptions")

    async def learn_numbers(self, tags: Sequence[str]) -> None:
        """Have ranges of tags and limits of their alarms, as they are now, where units are read, too."""
        if self._may_read():
            await self._numbers.learn(self._number_tags(tags))
            for tag in tags:
                self._known.pop(tag, None)

    def want_numbers(self, tag: str) -> None:
        """Have them read in the background; return at once."""
        is_reading = self._learner is not None and not self._learner.done()
        if not is_reading and self._may_read() and self._numbers.are_old(self._number_tags([tag])):
            self._learner = asyncio.create_task(self.learn_numbers([tag]), name="range and limits of alarms")

    async def soon(self, tags: Sequence[str], patience: float) -> None:
        """Have them read, and wait for it for at most `patience` seconds."""
        self.want(tags)
        if self._reader is not None and not self.is_idle:
            await asyncio.wait([self._reader], timeout=patience)

    def _may_read(self) -> bool:
        live = self._live
        is_open = live.state.value == "live" and bool(live.session.handles.servers)
        return self.reads_ahead and is_open and clock.monotonic() >= self._rests_until

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being read in the background."""
        return self._reader is None or self._reader.done()

    async def aclose(self) -> None:
        """Read no more. Idempotent."""
        self.reads_ahead = False
        tasks = [task for task in (self._reader, self._learner) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _look_again(self) -> None:
        """Forget what was looked up in another galaxy, or in less of it, and what is too much."""
        catalogue = self._catalogue
        galaxy = catalogue.redeployed_at, catalogue.is_complete, catalogue.objects
        if galaxy != self._galaxy or len(self._known) > _MOST_TEXTS or len(self._whole) > _MOST_TEXTS:
            self._known.clear()
            self._whole.clear()
            self._failures = {key: each for key, each in self._failures.items() if key[1] == galaxy[0]}
            self._galaxy = galaxy

    async def _read_wanted(self) -> None:
        while self._wanted:
            # As many tags as have texts for one call.
            tags = list(islice(self._wanted, self._batch))
            batch = self._unread(tags)[: self._batch]
            if not batch:
                for tag in tags:
                    del self._wanted[tag]
                continue
            began = clock.monotonic()
            await self._read(batch, _BATCH_SECONDS)
            self._note_speed(clock.monotonic() - began)
            for tag in batch:
                if (key := self._key(tag)) not in self._texts:
                    count = self._failures.get(key, (0, 0.0))[0]
                    pause = _PAUSES[min(count, len(_PAUSES) - 1)]
                    self._failures[key] = count + 1, clock.monotonic() + pause

    def _note_speed(self, seconds: float) -> None:
        """Read more at a time after a quick call, and nothing for a while after a slow one."""
        if seconds <= _QUICK:
            self._batch, self._slow_calls = _BATCH, 0
            return
        self._rests_until = clock.monotonic() + _RESTS[min(self._slow_calls, len(_RESTS) - 1)]
        self._batch, self._slow_calls = _FIRST_BATCH, self._slow_calls + 1
        self._wanted.clear()

    def _unread(self, tags: Iterable[str]) -> list[str]:
        """Return the tags with the texts of these tags that were not read, without those that failed just now."""
        now = clock.monotonic()
        texts = dict.fromkeys(text_tag for tag in tags for text_tag in self._text_tags(tag))
        keys = {tag: self._key(tag) for tag in texts}
        return [
            tag for tag, key in keys.items() if key not in self._texts and self._failures.get(key, (0, now))[1] <= now
        ]

    def _facts(self, tag: str, security: int | None) -> TagFacts:
        kind = self._catalogue.kind_of(_plain(tag))
        type_name = "" if kind is None or kind.type is None else kind.type_name
        plain, numbers = _plain(tag), self._numbers.of(self._number_tags([tag]))
        low, high = range_of(plain, numbers)
        return TagFacts(
            low=low,
            high=high,
            alarm_limits=alarm_limits_of(plain, numbers),
            description=self._text(self._descriptions(tag)),
            type_name=type_name.removesuffix("[]") if tag.endswith("]") and not tag.endswith("[]") else type_name,
            units=self._text(self._units(tag)),
            decimals=self._decimals.note(tag),
            security=security,
        )

    def _number_tags(self, tags: Iterable[str], *, with_alarms: bool = True) -> list[str]:
        """Return the tags with the ends of the ranges of these tags, and the limits of their alarms, that are known to
        exist."""
        names: list[str] = []
        for tag in dict.fromkeys(map(_plain, tags)):
            names += [*range_tags(tag), *(alarm_limit_tags(tag) if with_alarms else ())]
        return self._existing(*names)

    async def _read_numbers(self, tags: Sequence[str], seconds: float) -> list[float | None]:
        readings = await self._live.read(tags, timeout=seconds)
        return [known_number(each.value, each.quality_word) if each.stale_for is None else None for each in readings]

    def _text_tags(self, tag: str) -> list[str]:
        return [*self._descriptions(tag), *self._units(tag)]

    def _descriptions(self, tag: str) -> list[str]:
        """Return the tags that describe a tag, the closest first: its own description, that of its object."""
        owner = self._catalogue.owner_of(tag)
        of_object = [owner.tag("ShortDesc")] if owner is not None and owner.name else []
        return self._existing(f"{_plain(tag)}.Description", *of_object)

    def _units(self, tag: str) -> list[str]:
        return self._existing(f"{_plain(tag)}.EngUnits")

    def _existing(self, *tags: str) -> list[str]:
        return [tag for tag in tags if self._catalogue.kind_of(tag) is not None]

    async def _read(self, tags: Sequence[str], seconds: float) -> None:
        """Read texts, each in at most so many seconds at the gateway. What cannot be read stays unknown."""
        if not tags:
            return
        with suppress(MxGatewayError, TimeoutError):
            async with asyncio.timeout(max(seconds, _SECONDS)):
                for reading in await self._live.read(tags, timeout=seconds):
                    if not reading.error and isinstance(reading.value, str) and reading.quality_word != "bad":
                        self._texts[self._key(reading.tag)] = shortened(reading.value, _LONGEST)
        for oldest in list(islice(self._texts, max(0, len(self._texts) - _MOST_TEXTS))):
            del self._texts[oldest]
        self._known.clear()

    def _text(self, tags: Sequence[str]) -> str:
        return next((text for tag in tags if (text := self._texts.get(self._key(tag), "").strip())), "")

    def _key(self, tag: str) -> _Key:
        return tag_key(tag), self._catalogue.redeployed_at


def _plain(tag: str) -> str:
    """Return the name of an array without ``[]`` or ``[3]``."""
    return tag.partition("[")[0]
