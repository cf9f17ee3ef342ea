"""Writes that a call has sent: what an interrupted call has to tell of."""

from collections.abc import Sequence
from contextvars import ContextVar

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.live.followed_writes import FollowedCall
from zb_mom_ww_mxgateway.models.write_outcome import WriteOutcome

_CALL: ContextVar["SentWrites | None"] = ContextVar("call of the synchronous interface", default=None)


class SentWrites:
    """The commands that one call has sent and that change the plant, by correlation id, and their answers."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.accepted: set[str] = set()
        """Those of them that were answered, and not refused."""
        self.calls: Sequence[FollowedCall] = ()
        """Those that wait for their completion."""

    def follow(self) -> None:
        """Take what the current task sends from now on, and what the tasks send that it begins."""
        _CALL.set(self)

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


class SentWritesObserver:
    """Observer of a client's commands; gives each that changes the plant to the call that sends it."""

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Note a command that is about to be sent."""
        if (call := _CALL.get()) is not None and wire.is_mutating(request):
            call.ids.add(wire.correlation_of(request))

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Note a command that was accepted, which is under way until its completion; forget one that was refused."""
        if (call := _CALL.get()) is None or not wire.is_mutating(request):
            return
        answer = wire.write_answer(request, reply)
        if answer.outcome == "refused" and all(answer.refused):
            call.ids.discard(wire.correlation_of(request))
        elif answer.outcome != "unknown":
            call.accepted.add(wire.correlation_of(request))

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Forget a command that surely had no effect."""
        if (call := _CALL.get()) is not None and isinstance(error, MxGatewayError) and not error.outcome_unknown:
            call.ids.discard(wire.correlation_of(request))
