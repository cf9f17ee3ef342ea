"""What goes wrong on purpose: delays, refusals and lost replies, by rpc or by command kind."""

from collections import deque
from dataclasses import dataclass

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

_KIND_PREFIX = "MX_COMMAND_KIND_"
RPCS = (
    "OpenSession",
    "CloseSession",
    "Invoke",
    "StreamEvents",
    "AcknowledgeAlarm",
    "StreamAlarms",
    "QueryActiveAlarms",
    "TestConnection",
    "GetLastDeployTime",
    "DiscoverHierarchy",
    "WatchDeployEvents",
    "BrowseChildren",
)
_NAMES = {name.lower(): name for name in RPCS} | {
    name.removeprefix(_KIND_PREFIX).lower(): name.removeprefix(_KIND_PREFIX).lower()
    for name in pb.MxCommandKind.DESCRIPTOR.values_by_name
}


@dataclass(frozen=True, slots=True)
class CallFailure:
    """The call ends with this gRPC status, without having had an effect."""

    code: str
    details: str


@dataclass(frozen=True, slots=True)
class ReplyFailure:
    """The reply carries this protocol status, the command having had no effect."""

    protocol_status: "pb.ProtocolStatusCode"
    hresult: int | None
    details: str


def kind_name(kind: int) -> str:
    """``write`` for the kind of that number; its number where there is no such kind."""
    if kind in pb.MxCommandKind.values():
        return pb.MxCommandKind.Name(kind).removeprefix(_KIND_PREFIX).lower()
    return str(kind)


class Faults:
    """The faults that wait for a call. A name is an rpc (``OpenSession``) or a kind (``write``)."""

    def __init__(self) -> None:
        self._delays: dict[str, float] = {}
        self._failures: dict[str, deque[CallFailure | ReplyFailure]] = {}
        self._lost: dict[str, int] = {}

    def delay(self, name: str | int, seconds: float) -> None:
        """Every such call waits so long from now on, on the simulator's clock; 0 ends it."""
        self._delays[_name(name)] = seconds

    def fail_next(self, name: str | int, failure: CallFailure | ReplyFailure) -> None:
        """The next such call fails; several queue up."""
        self._failures.setdefault(_name(name), deque()).append(failure)

    def lose_next_reply(self, name: str | int) -> None:
        """The next such call takes effect, and its answer is lost."""
        key = _name(name)
        self._lost[key] = self._lost.get(key, 0) + 1

    def delay_of(self, name: str) -> float:
        return self._delays.get(name, 0.0)

    def take_call_failure(self, name: str) -> CallFailure | None:
        """The gRPC failure that waits first for this call, used up by asking."""
        waiting = self._failures.get(name)
        return waiting.popleft() if waiting and isinstance(waiting[0], CallFailure) else None  # type: ignore[return-value]

    def take_reply_failure(self, name: str) -> ReplyFailure | None:
        """The failing reply that waits first for this call, used up by asking."""
        waiting = self._failures.get(name)
        return waiting.popleft() if waiting and isinstance(waiting[0], ReplyFailure) else None  # type: ignore[return-value]

    def take_lost_reply(self, name: str) -> bool:
        """Whether this call's answer is to be lost, used up by asking."""
        left = self._lost.get(name, 0)
        if left:
            self._lost[name] = left - 1
        return left > 0


def _name(name: str | int) -> str:
    if isinstance(name, int):
        return kind_name(name)
    found = _NAMES.get(name.lower().removeprefix(_KIND_PREFIX.lower()))
    if found is None:
        raise ValueError(f"no rpc or command kind {name!r}; an rpc is e.g. 'OpenSession', a kind e.g. 'add_item'")
    return found
