"""Numbers that tags hold, such as the ends of ranges: read before a write, which they must not hold up."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from typing import TypeAlias

from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.tag_names import tag_key

SECONDS = 1.0
"""Seconds by which looking up ranges may delay a write: without them it is sent, too."""
_HOLD_SECONDS = 30.0
"""Seconds for which a number holds: a person may tune it."""
_PAUSE_SECONDS = 60.0
"""Seconds before numbers that could not be read are tried again."""
_MOST = 20_000
"""Most numbers that are kept from one look to the next."""

ReadNumbers: TypeAlias = Callable[[Sequence[str], float], Awaitable[Sequence[float | None]]]
"""Reads tags, each within so many seconds: a number a tag, in order, or None where it has none to go by."""


class KnownNumbers:
    """Numbers of one connection. What cannot be read stays unknown."""

    def __init__(self, read: ReadNumbers, galaxy: Callable[[], object] = lambda: None) -> None:
        """`galaxy` returns something that differs once another one is deployed."""
        self._read = read
        self._galaxy = galaxy
        self._numbers: dict[tuple[str, object], tuple[float | None, float]] = {}
        """By tag and galaxy: the number, None where it could not be read, and until when that holds: monotonic
        seconds."""

    async def learn(self, tags: Sequence[str], *, spent: float = 0.0) -> None:
        """Have the numbers of tags as they are now, within :data:`SECONDS` less those that are `spent`. It never
        raises."""
        for oldest in list(islice(self._numbers, max(0, len(self._numbers) - _MOST))):
            del self._numbers[oldest]
        wanted = self._unread(tags)
        if not wanted:
            return
        from zb_mom_ww_mxgateway.safety.brief_reads import brief_reads  # Lazy: most runs read no numbers.

        found = await brief_reads(wanted, self._read, SECONDS - spent)
        now = clock.monotonic()
        for tag in wanted:
            number = found.get(tag)
            self._numbers[self._key(tag)] = number, now + (_PAUSE_SECONDS if number is None else _HOLD_SECONDS)

    def are_old(self, tags: Iterable[str]) -> bool:
        """Return whether there is a number to be read."""
        return bool(self._unread(tags))

    def of(self, tags: Iterable[str]) -> dict[str, float]:
        """Return the numbers of tags as they were read last, of those that have one."""
        found = {tag: self._numbers.get(self._key(tag)) for tag in tags}
        return {tag: each[0] for tag, each in found.items() if each is not None and each[0] is not None}

    def _unread(self, tags: Iterable[str]) -> list[str]:
        now = clock.monotonic()
        return [tag for tag in tags if self._numbers.get(self._key(tag), (None, now))[1] <= now]

    def _key(self, tag: str) -> tuple[str, object]:
        return tag_key(tag), self._galaxy()
