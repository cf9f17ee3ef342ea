"""Which tags one connection is writing to at this moment."""

import math
from collections import deque
from collections.abc import Iterable, Iterator

from zb_mom_ww_mxgateway.system import clock

COMPLETING_SECONDS = 5.0
"""How long an accepted write counts whose completion nobody waits for."""


class WritesUnderWay:
    """The writes of one connection that have no outcome yet, by the keys of their tags.

    No step looks at all of them: there may be thousands.
    """

    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, ...]] = {}
        """By call: the tags that it writes to."""
        self._until: dict[str, dict[str, float]] = {}
        """By tag: its calls, and until when each counts; infinite before the answer."""
        self._accepted: deque[tuple[float, str]] = deque()

    def begin(self, call: str, keys: Iterable[str]) -> None:
        """Note a call, by its correlation id, that is about to be sent to these tags."""
        now = clock.monotonic()
        while self._accepted and self._accepted[0][0] <= now:
            self.end(self._accepted.popleft()[1])
        self.end(call)
        self._keys[call] = tuple(dict.fromkeys(keys))
        for key in self._keys[call]:
            self._until.setdefault(key, {})[call] = math.inf

    def accepted(self, call: str) -> None:
        """Note that a call was accepted: it counts for a while, unless its end comes first."""
        until = clock.monotonic() + COMPLETING_SECONDS
        for key in self._keys.get(call, ()):
            self._until[key][call] = until
        self._accepted.append((until, call))

    def end(self, call: str) -> None:
        """Forget a call. Nothing if it is not known."""
        for key in self._keys.pop(call, ()):
            del self._until[key][call]
            if not self._until[key]:
                del self._until[key]

    def written(self, keys: Iterable[str], *, unanswered: bool = False) -> Iterator[str]:
        """Yield each of these keys for every call that is writing to it; `unanswered` for those without an answer."""
        now = clock.monotonic()
        for key in keys:
            for until in self._until.get(key, {}).values():
                if until > now and not (unanswered and math.isfinite(until)):
                    yield key
