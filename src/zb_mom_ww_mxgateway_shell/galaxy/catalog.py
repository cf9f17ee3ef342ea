"""The galaxy's tags in memory, for completion and for hints in messages.

A background task reads them, and again after each deployment. Every look-up answers at once from what was read so far.
What an earlier run read is offered until it is verified, by completion alone and marked; verified, it is the catalogue.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.errors import (
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayError,
    MxGatewayGalaxyChangedError,
)
from zb_mom_ww_mxgateway.tag_names import glob, tag_key
from zb_mom_ww_mxgateway_shell.galaxy.earlier_galaxy import EarlierGalaxy
from zb_mom_ww_mxgateway_shell.galaxy.tag_index import Found, TagIndex
from zb_mom_ww_mxgateway_shell.galaxy.tag_index_storage import SEEN, Owner, TagKind
from zb_mom_ww_mxgateway_shell.language.literals import TagType

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import GalaxyObject, GatewayClient

_SUGGEST_AMONG = 5_000
_SECOND_RANK_BELOW = 16
"""Rows that fill a completion menu; with fewer, tags that only contain the text are added."""
_SEARCHED_BESIDE = 1_000_000
"""Characters of attribute names that are searched for these additional rows."""
_PAGE_SIZE = 250
"""Objects a page. Larger pages block the event loop for longer, smaller ones wait more often for the gateway."""
_STRETCH = 0.003
"""Seconds of work before other tasks have their turn."""
_ATTEMPTS = 5
_AGAIN = (1.0, 60.0)
"""Seconds before a failed read is repeated: the first time, and at most."""
_FINAL = (MxGatewayAuthenticationError, MxGatewayAuthorizationError)
UNVERIFIED = "read earlier, not verified"
"""Mark of what completion knows from an earlier run alone."""


class TagCatalogue:
    """Tag names in any letter case, from the galaxy and from results."""

    def __init__(self) -> None:
        self.galaxy = TagIndex()
        """The objects and tags that were read so far."""
        self.is_complete = False
        """Whether the whole galaxy was read."""
        self.error: MxGatewayError | None = None
        """Why it could not be read; empty where it could."""
        self.watch_error: MxGatewayError | None = None
        """Why deployments are not noticed at present; empty where they are."""
        self.deployed_at: datetime | None = None
        """When the galaxy that was read was deployed."""
        self.redeployed_at: datetime | None = None
        """Time of the last deployment, where it is known to differ from the first one read."""
        self.keeps: Callable[[], bool] = lambda: False
        """Whether the galaxy is kept between runs; asked before each reading."""
        self.earlier = EarlierGalaxy()
        """What is kept between runs."""
        self._seen = TagIndex()
        self._noticed: datetime | None = None
        self._counts: tuple[int, int] | None = None
        """Numbers of objects and attributes, as noticed last."""
        self._covered: set[datetime | None] = set()
        """Deployments that what was read includes."""
        self._changed = asyncio.Event()
        self._settled = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    def start(self, client: "GatewayClient") -> None:
        """Start to read the galaxy, unless it has started."""
        if self._task is None:
            self._task = asyncio.create_task(self._keep(client), name="catalogue")

    def watch(self, client: "GatewayClient") -> None:
        """Start to watch for deployments alone, unless it has started."""
        if not self.tasks:
            self._watching = asyncio.create_task(self._watch(client), name="deployments")

    @property
    def is_read(self) -> bool:
        """Whether the galaxy is read, and read again after a deployment."""
        return self._task is not None

    @property
    def tasks(self) -> "tuple[asyncio.Task[None], ...]":
        """The background tasks, once it has started."""
        return tuple(task for task in (self._task, self._watching) if task is not None)

    @property
    def objects(self) -> int:
        """Number of objects read, areas included."""
        return self.galaxy.objects

    @property
    def areas(self) -> int:
        """Number of areas read."""
        return self.galaxy.areas

    @property
    def is_current(self) -> bool:
        """Whether the whole galaxy was read, and no later deployment is known."""
        is_settled = self._settled.is_set() and self._noticed in self._covered
        return self.is_complete and is_settled and self.error is None

    async def loaded(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the end of the read; return whether the catalogue is complete."""
        if self._task is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._settled.wait()
        return self.is_complete

    async def aclose(self) -> None:
        """Stop reading. Idempotent."""
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)

    # Reading.

    async def _keep(self, client: "GatewayClient") -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_when_outdated(client), name="galaxy")
            group.create_task(self._watch(client), name="deployments")

    async def _read_when_outdated(self, client: "GatewayClient") -> None:
        pause, most = _AGAIN
        while True:
            self._settled.clear()
            # The read includes what was deployed before it began.
            covered = self._covered = {self._noticed}
            wait = None
            try:
                covered.add(await self._read(client))
                self.error, pause = None, _AGAIN[0]
            except MxGatewayError as error:
                self.error, wait = error, pause
                pause = min(pause * 2, most)
                if isinstance(error, _FINAL):
                    await self.earlier.forget(client.options)
            self._settled.set()
            if isinstance(self.error, _FINAL):
                return
            if self.error is None and self.earlier.path is None and self.keeps():
                await self.earlier.keep(client, self.galaxy, self.deployed_at)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    while self._noticed in self._covered:
                        self._changed.clear()
                        await self._changed.wait()

    async def _read(self, client: "GatewayClient") -> datetime | None:
        """Read the whole galaxy, or what was read of it earlier; return the time of its deployment."""
        if self.keeps() and (earlier := await self.earlier.verified(client)) is not None:
            state, self.galaxy = earlier
            self.is_complete, self.deployed_at = True, state.deployed_at
            return state.deployed_at
        attempt = 0
        while True:
            attempt += 1
            reading = TagIndex()
            if not self.is_complete:
                # The first time, completion uses what was read so far.
                self.galaxy = reading
            deployed = await client.galaxy.last_deploy_time()
            began = time.perf_counter()
            try:
                async with aclosing(client.galaxy.discover_tags(page_size=_PAGE_SIZE)) as items:
                    async for item in items:
                        reading.add(item)
                        if time.perf_counter() - began > _STRETCH:
                            await asyncio.sleep(0)
                            began = time.perf_counter()
            except MxGatewayGalaxyChangedError:
                if attempt == _ATTEMPTS:
                    raise
                continue
            self.galaxy, self.is_complete, self.deployed_at = reading, True, deployed
            self.earlier.outdated()
            return deployed

    async def _watch(self, client: "GatewayClient") -> None:
        """Watch for deployments. Where that fails the catalogue stays as it was read."""
        pause, most = _AGAIN
        while True:
            try:
                async for event in client.galaxy.watch_deploy_events():
                    self.watch_error, pause = None, _AGAIN[0]
                    if self._noticed not in (None, event.time_of_last_deploy):
                        self.redeployed_at = event.time_of_last_deploy
                    counts = event.object_count, event.attribute_count
                    if self._counts not in (None, counts):
                        self._covered = set()  # The time may be the same, as of a galaxy that was restored.
                    self._noticed, self._counts = event.time_of_last_deploy, counts
                    self._changed.set()
            except MxGatewayError as error:
                self.watch_error = error
                if isinstance(error, _FINAL):
                    return
            await asyncio.sleep(pause)
            pause = min(pause * 2, most)

    # Look-ups.

    def __len__(self) -> int:
        return self.galaxy.tags

    def learn(self, item: "GalaxyObject | str") -> None:
        """Learn a tag's name, or an object, that a result has shown."""
        if not isinstance(item, str):
            if self.galaxy.owner(item.tag_name) is None:
                self._seen.add(item)
        elif self.galaxy.find(item) is None and self._seen.find(item) is None:
            self._seen.add_tag(item, SEEN)

    def kind_of(self, tag: str) -> TagKind | None:
        """Return type and access of a tag by its whole name; None where it is unknown."""
        return self.galaxy.find(tag) or self._seen.find(tag)

    def spelled(self, tag: str) -> str:
        """Return the tag's name in the galaxy's spelling; as given where it is unknown."""
        plain = _without_index(tag)
        for name in dict.fromkeys((tag, plain)):
            for index in (self.galaxy, self._seen):
                # The spelling of a name that was only typed is not the galaxy's.
                if index.find(name) not in (None, SEEN) and (exact := index.spelled(name)) is not None:
                    return exact + tag[len(name) :]
        return tag

    def type_of(self, tag: str) -> TagType | None:
        """Return the type of a tag in the galaxy; None where it is unknown."""
        known = self._type_of(tag)
        if known is None and (plain := _without_index(tag)) != tag:
            known = self._type_of(plain)
            return known if known is None or tag.endswith("[]") else TagType(known.data_type)
        return known

    def _type_of(self, tag: str) -> TagType | None:
        known = self.kind_of(tag)
        return known.type if known else None

    def security_of(self, tag: str) -> int | None:
        """Return the security classification of a tag; None where it is not known."""
        known = self.kind_of(tag) or self.kind_of(_without_index(tag))
        return known.security if known else None

    def misses(self, tag: str) -> bool:
        """Return whether the galaxy surely has no such tag: it was read completely, and has not changed since."""
        return self.is_current and self.type_of(tag) is None

    def owner_of(self, tag: str) -> Owner | None:
        """Return the object of a tag, or the object of that name itself, as far as is known."""
        return self.galaxy.owner_of(tag) or self._seen.owner_of(tag)

    def closest(self, tag: str) -> str:
        """Return a hint at a similar tag; empty for none."""
        return self._closest(tag, is_object=False)

    def closest_object(self, name: str) -> str:
        """Return a hint at an object of a similar name; empty for none."""
        return self._closest(name, is_object=True)

    def _closest(self, name: str, *, is_object: bool) -> str:
        import difflib  # Lazy: slow to import, and only errors need it.

        *parts, last = name.split(".")
        # Segment by segment: comparing a million whole names takes seconds.
        right = ""
        for part in [*parts, last]:
            is_last = len(right.split(".")) > len(parts)
            names: dict[str, str] = {}
            for index in (self.galaxy, self._seen):
                found = index.objects_like if is_object else index.segments
                for start in (f"{right}{part[:1]}", right):
                    for text, description in found(start, _SUGGEST_AMONG):
                        if is_object or (is_last != text.endswith(".") and description != SEEN.description):
                            segment = text.rstrip(".").rpartition(".")[2]
                            names.setdefault(tag_key(segment), text.rstrip("."))
            close = difflib.get_close_matches(tag_key(part), names, n=1, cutoff=0.6)
            if not close:
                return ""
            right = names[close[0]] + "."
        return f"; did you mean {right[:-1]}?"

    # Completion.

    @property
    def templates(self) -> Mapping[str, int]:
        """The templates of the objects that were read, with the number of objects that derive from each."""
        return self._seen.templates | self.galaxy.templates

    def complete(self, prefix: str, limit: int, *, objects: bool = False) -> list[Found]:
        """Return tags, or `objects`, that begin with a text in any letter case, up to the next dot, with type and
        access; where those are few, also tags that contain it."""
        rows: dict[str, Found] = {}
        indexes = [(self.galaxy, ""), (self._seen, "")]
        if self.earlier.unverified is not None:
            indexes.append((self.earlier.unverified, f" ({UNVERIFIED})"))
        for index, mark in indexes:
            beginning = index.objects_like if objects else index.segments
            rows = {
                tag_key(text): (text, f"{description}{mark}") for text, description in beginning(prefix, limit)
            } | rows
        rows = dict(sorted(rows.items())[:limit])
        if len(rows) < _SECOND_RANK_BELOW:
            # With rows to show already, a keystroke does not wait for more.
            most = _SEARCHED_BESIDE if rows else None
            for index, mark in indexes:
                for text, description in index.containing(prefix, limit - len(rows), objects=objects, most=most):
                    rows.setdefault(tag_key(text), (text, f"{description}{mark}"))
        return list(rows.values())[:limit]

    async def matching(self, pattern: str, limit: int) -> list[str]:
        """Return tags that match a glob (``*``, ``?``) in any letter case, in order, at most `limit`."""
        folded = tag_key(pattern)
        start = folded[: min((folded.find(mark) for mark in "*?" if mark in folded), default=len(folded))]
        expression = glob(folded)
        found: list[str] = []
        began = time.perf_counter()
        for owner in self.galaxy.owners_from(start):
            found += [tag for tag in self.galaxy.tags_of(owner) if expression.fullmatch(tag_key(tag))]
            if len(found) >= limit:
                break
            if time.perf_counter() - began > _STRETCH:
                await asyncio.sleep(0)
                began = time.perf_counter()
        return sorted(found, key=tag_key)[:limit]


def _without_index(tag: str) -> str:
    """Return the name of an array without ``[]`` or ``[3]``."""
    return tag[: tag.rindex("[")] if tag.endswith("]") and "[" in tag else tag
