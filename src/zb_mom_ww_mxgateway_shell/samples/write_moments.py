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
        self._action = ""
        self._writes: deque[tuple[str, OwnWrite]] = deque(maxlen=_MOST_WRITES)
        ledger.on_sent.append(self._note)

    def _note(self, tag: str, write: "OwnWrite") -> None:
        self._writes.append((tag, write))
        if write.action != self._action:  # Many tags are written by one call.
            self._action = write.action
            self._sent.append(write.sent_at)

    def since(self, at: float) -> list[float]:
        """Return those from `at` on."""
        return [each for each in self._sent if each >= at]

    def writes_since(self, at: float) -> "list[tuple[str, OwnWrite]]":
        """Return the tag of each write from `at` on, and the write."""
        return [each for each in self._writes if each[1].sent_at >= at]

    def judged(self) -> list[float]:
        """Return those that a wait counts from: the first after the last check, and all after it."""
        marked = self._live.marked_at
        if marked is None:
            return []
        # It is noted here just before the session notes it.
        return self.since(max((each for each in self._sent if each <= marked), default=marked))
