"""The write guard of one connection: what is armed decides, and every question is noted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zb_mom_ww_mxgateway.models.write_guard import Admission, PendingEntry, PendingWrite, WriteAnswer
from zb_mom_ww_mxgateway.system import clock

if TYPE_CHECKING:
    from zb_mom_ww_mxgateway.safety.arming import Arming


class WriteGate:
    """The write guard of one connection, whichever way a write is asked for."""

    def __init__(self, arming: "Arming") -> None:
        self.arming = arming
        self.asked_at: float | None = None
        """Monotonic seconds of the last write that was allowed or refused; None before the first."""
        self.asked_in: dict[str, float] = {}
        """The same by session id; under an empty id for what is not a write to an item, such as an acknowledgement."""

    async def __call__(self, pending: PendingWrite) -> "Admission | str":
        """Return the admission of a write, or the reason for a refusal."""
        self.asked_at = clock.monotonic()
        are_writes = pending.entries and not any(each.alarm for each in pending.entries)
        self.asked_in[pending.session_id if are_writes else ""] = self.asked_at
        admission = _ArmedWrite(self.arming, pending.entries)
        return admission.refusal() or admission


class _ArmedWrite(Admission):
    """A write that is armed as long as all its entries are."""

    def __init__(self, arming: "Arming", entries: Sequence[PendingEntry]) -> None:
        self._arming = arming
        # What names nothing can only be let through where everything is.
        self._entries = entries or (PendingEntry(),)

    def refusal(self) -> str:
        return next(filter(None, map(self._refusal_of, self._entries)), "")

    def _refusal_of(self, entry: PendingEntry) -> str:
        return self._arming.refusal_of_alarm(entry.alarm) if entry.alarm else self._arming.refusal(entry.tag)

    def answered(self, answer: WriteAnswer) -> None:
        """Nothing follows from it."""
