"""Writes that a call has sent: what an interrupted call has to tell of."""

from contextvars import ContextVar

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.errors import MxGatewayError
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

_CALL: ContextVar["SentWrites | None"] = ContextVar("call of the synchronous interface", default=None)


class SentWrites:
    """The commands that one call has sent and that change the plant, by correlation id."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    def follow(self) -> None:
        """Take what the current task sends from now on, and what the tasks send that it begins."""
        _CALL.set(self)


class SentWritesObserver:
    """Observer of a client's commands; gives each that changes the plant to the call that sends it."""

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Note a command that is about to be sent."""
        if (call := _CALL.get()) is not None and wire.is_mutating(request):
            call.ids.add(wire.correlation_of(request))

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """Do nothing: a write that was accepted is under way until its completion."""

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """Forget a command that surely had no effect."""
        if (call := _CALL.get()) is not None and isinstance(error, MxGatewayError) and not error.outcome_unknown:
            call.ids.discard(wire.correlation_of(request))
