"""When a connection sent its last writes: for the drawing of a wait."""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession
    from zb_mom_ww_mxgateway.safety.changes import ChangeLedger, OwnWrite

_MOST, _MOST_WRITES = 1_000, 10_000


class WriteMoments:
    """The moments of the last writes of a connection, in seconds of the library's clock, oldest first."""

    def __init__(self, live: "LiveSession", ledger: "ChangeLedger") -> None:
        self._live = live
        self._sent: deque[float] = deque(maxlen=_MOST)
        self._writes: deque[tuple[str, OwnWrite]] = deque(maxlen=_MOST_WRITES)
        ledger.on_sent.append(self._note)

    def _note(self, tag: str, write: "OwnWrite") -> None:
        self._writes.append((tag, write))
        if not self._sent or self._sent[-1] != write.sent_at:
            self._sent.append(write.sent_at)

    def since(self, at: float) -> list[float]:
        """Return those from `at` on."""
        return [each for each in self._sent if each >= at]

    def writes_since(self, at: float) -> "list[tuple[str, OwnWrite]]":
        """Return the tag of each write from `at` on, and the write."""
        return [each for each in self._writes if each[1].sent_at >= at]

    def judged(self) -> list[float]:
        """Return those that a wait counts from: the first after the last check, and all after it."""
        first = self._live.marked_at
        return [] if first is None else self.since(first)
