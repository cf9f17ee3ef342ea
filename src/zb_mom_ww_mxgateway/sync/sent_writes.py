"""Writes that a call has sent: what an interrupted call has to tell of."""

from collections.abc import Sequence
from typing import Any

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.live.followed_writes import FollowedCall
from zb_mom_ww_mxgateway.models.write_outcome import WriteOutcome
from zb_mom_ww_mxgateway.transport.sent_calls import FOLLOWER


class SentWrites:
    """The calls that one call of the synchronous interface has sent and that change the plant, by correlation id, and
    their answers."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.accepted: set[str] = set()
        """Those of them that were answered, and not refused."""
        self.calls: Sequence[FollowedCall] = ()
        """Those that wait for their completion."""

    def follow(self) -> None:
        """Take what the current task sends from now on, and what the tasks send that it begins."""
        FOLLOWER.set(self)

    def note(self) -> str:
        """Return what is known of them where the call is interrupted; empty where nothing was sent."""
        waited_for = [result for call in self.calls if not call.is_interrupted for result in call.results or ()]
        ids = self.ids - {each.correlation_id for each in waited_for if each.outcome is WriteOutcome.COMPLETED}
        if not ids:
            return ""
        writes = "a write was" if len(ids) == 1 else f"{len(ids)} writes were"
        if ids <= self.accepted:
            return f"{writes} accepted: effect unknown"
        accepted = len(ids & self.accepted)
        return f"{writes} sent{f', {accepted} of them accepted' if accepted else ''}: outcome unknown"

    def sending(self, request: Any) -> None:
        """Note a call that is about to be sent."""
        self.ids.add(wire.correlation_of(request))

    def answered(self, request: Any, reply: Any) -> None:
        """Note a call that was accepted, which is under way until its completion; forget one that was refused, and an
        acknowledgement that was made: nothing comes after its answer."""
        answer = wire.write_answer(request, reply)
        is_over = answer.outcome == "accepted" and not isinstance(request, wire.INVOKE.request)
        if is_over or (answer.outcome == "refused" and all(answer.refused)):
            self.ids.discard(wire.correlation_of(request))
        elif answer.outcome != "unknown":
            self.accepted.add(wire.correlation_of(request))

    def failed(self, request: Any, error: BaseException) -> None:
        """Forget a call that surely had no effect."""
        if isinstance(error, MxGatewayError) and not error.outcome_unknown:
            self.ids.discard(wire.correlation_of(request))
