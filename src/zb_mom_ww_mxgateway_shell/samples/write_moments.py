"""When a connection sent its last writes: for the drawing of a wait."""

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway import LiveSession
    from zb_mom_ww_mxgateway.safety.changes import ChangeLedger, OwnWrite

_MOST = 1_000


class WriteMoments:
    """The moments of the last writes of a connection, in seconds of the library's clock, oldest first."""

    def __init__(self, live: "LiveSession", ledger: "ChangeLedger") -> None:
        self._live = live
        self._sent: deque[float] = deque(maxlen=_MOST)
        ledger.on_sent.append(self._note)

    def _note(self, tag: str, write: "OwnWrite") -> None:
        if not self._sent or self._sent[-1] != write.sent_at:
            self._sent.append(write.sent_at)

    def since(self, at: float) -> list[float]:
        """Return those from `at` on."""
        return [each for each in self._sent if each >= at]

    def judged(self) -> list[float]:
        """Return those that a wait counts from: the first after the last check, and all after it."""
        first = self._live.marked_at
        return [] if first is None else self.since(first)
