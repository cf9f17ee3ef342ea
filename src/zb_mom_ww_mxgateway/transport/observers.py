"""Who sees the commands of a client."""

from collections.abc import Callable
from typing import Protocol, Self

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb


class CommandObserver(Protocol):
    """Sees every command at the one place that sends them, typed or raw."""

    def sending(self, request: pb.MxCommandRequest) -> None:
        """Just before it is sent; an MxGatewayError raised here keeps it from being sent."""

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        """When its reply has come, whatever it says."""

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        """When no reply came; `error` says whether it may have run."""


class Observation:
    """That somebody sees the commands of a client, until it is ended; also a context manager, which ends it."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end

    def end(self) -> None:
        """Shows it nothing any more. Idempotent."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()
