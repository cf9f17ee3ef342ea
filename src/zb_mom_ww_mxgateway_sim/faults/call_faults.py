"""What goes wrong with calls on purpose: by rpc or by command kind, for one call or until taken back."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

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
# The rpcs whose replies have a protocol status; every command kind has.
_WITH_STATUS = frozenset({"OpenSession", "CloseSession", "Invoke", "AcknowledgeAlarm"})
KINDS = tuple(
    name.removeprefix(_KIND_PREFIX).lower()
    for name, value in pb.MxCommandKind.DESCRIPTOR.values_by_name.items()
    if value.number
)
_NAMES = {name.lower(): name for name in (*RPCS, *KINDS)}

# Not the encoding of any message: a field whose length goes beyond the end.
GARBAGE_REPLY = b"\x0a\xff\xff\xff\x07garbage"
# A field that no message has, longer than any message may be.
_OVERSIZE = 17 * 1024 * 1024
OVERSIZED_REPLY_HEAD = b"\xfa\xff\x03\x80\x80\xc0\x08"


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


@dataclass(slots=True)
class CallEffects:
    """What is to become of one call. ``reply``: bytes that are sent in place of its (first) answer."""

    delay: float = 0.0
    failure: CallFailure | ReplyFailure | None = None
    reply_lost: bool = False
    reply: bytes | None = None
    gate: asyncio.Event | None = None


Injection = Callable[[CallEffects], None]


def kind_of(request: object) -> str:
    """The name of a command's kind; empty for what is no command."""
    return kind_name(request.command.kind) if isinstance(request, pb.MxCommandRequest) else ""


def kind_name(kind: int) -> str:
    """``write`` for the kind of that number; its number where there is no such kind."""
    if kind in pb.MxCommandKind.values():
        return pb.MxCommandKind.Name(kind).removeprefix(_KIND_PREFIX).lower()
    return str(kind)


def call_name(name: str | int) -> str:
    """An rpc's or a kind's name as the faults know it; ValueError if there is none."""
    if isinstance(name, int):
        name = kind_name(name)
    found = _NAMES.get(name.lower().removeprefix(_KIND_PREFIX.lower()))
    if found is None:
        raise ValueError(f"no rpc or command kind {name!r}; an rpc is e.g. 'OpenSession', a kind e.g. 'add_item'")
    return found


def protocol_status(name: str) -> "pb.ProtocolStatusCode":
    """The status ``WORKER_UNAVAILABLE`` of that name; ValueError if there is none, or it is no failure."""
    found = pb.ProtocolStatusCode.DESCRIPTOR.values_by_name.get(f"PROTOCOL_STATUS_CODE_{name}")
    if found is None or found.number <= pb.PROTOCOL_STATUS_CODE_OK:
        raise ValueError(f"{name!r} is neither a gRPC status of a failure nor a protocol status")
    return cast("pb.ProtocolStatusCode", found.number)


def oversized_reply() -> bytes:
    """A reply of 17 MiB that any message's parser would take."""
    return OVERSIZED_REPLY_HEAD + bytes(_OVERSIZE)


def check_failure(name: str, failure: CallFailure | ReplyFailure) -> None:
    """ValueError when the answer of such a call has no place for the failure."""
    if isinstance(failure, ReplyFailure) and name in RPCS and name not in _WITH_STATUS:
        raise ValueError(f"the answer of {name} has no protocol status; a gRPC status would be right")


class CallFaults:
    """The faults that wait for a call. A name is an rpc (``OpenSession``) or a kind (``write``)."""

    def __init__(self) -> None:
        self._delays: dict[str, float] = {}
        self._next: dict[str, deque[Injection]] = {}
        self._counted: dict[str, list[tuple[int, Injection]]] = {}
        self._gates: dict[str, asyncio.Event] = {}
        self._stalled: set[str] = set()
        self._calls: dict[str, int] = {}

    def delay(self, name: str | int, seconds: float) -> None:
        """Every such call waits so long from now on, on the simulator's clock; 0 ends it."""
        self._delays[call_name(name)] = seconds

    def stall(self, name: str | int) -> None:
        """Every such call, and every open stream of that name, waits until it is released."""
        self._stalled.add(call_name(name))
        self.gate(call_name(name))

    def release(self, name: str | int | None = None) -> None:
        """What is stalled goes on: that, or everything."""
        for found in list(self._gates) if name is None else [call_name(name)]:
            self._stalled.discard(found)
            gate = self._gates.pop(found, None)
            if gate is not None:
                gate.set()

    def gate(self, name: str) -> asyncio.Event:
        """What the next release of that name opens."""
        return self._gates.setdefault(name, asyncio.Event())

    def stalled(self, name: str) -> asyncio.Event | None:
        """What calls of that name wait for; None if they do not."""
        return self._gates.get(name) if name in self._stalled else None

    def forget(self) -> None:
        """Nothing waits for a call any more: no delay, no stall, no fault of a next or a counted call."""
        self._delays.clear()
        self._next.clear()
        self._counted.clear()
        self.release()

    def on_next(self, name: str | int, change: Injection) -> None:
        """The next such call meets this; several queue up, and each takes one call."""
        self._next.setdefault(call_name(name), deque()).append(change)

    def at(self, name: str | int, number: int, change: Injection) -> None:
        """The such-and-such call of that name from the start, the first is 1, meets this."""
        self._counted.setdefault(call_name(name), []).append((number, change))

    def meet(self, name: str) -> CallEffects:
        """What becomes of this call of that name; asking counts it and uses up what waited for it."""
        count = self._calls[name] = self._calls.get(name, 0) + 1
        effects = CallEffects(delay=self._delays.get(name, 0.0), gate=self.stalled(name))
        waiting = self._next.get(name)
        if waiting:
            waiting.popleft()(effects)
        for number, change in self._counted.get(name, ()):
            if number == count:
                change(effects)
        return effects


def failing(failure: CallFailure | ReplyFailure) -> Injection:
    """The call ends so."""

    def change(effects: CallEffects) -> None:
        effects.failure = failure

    return change


def delaying(seconds: float) -> Injection:
    """The call waits so long."""

    def change(effects: CallEffects) -> None:
        effects.delay = max(effects.delay, seconds)

    return change


def stalling(gate: asyncio.Event) -> Injection:
    """The call waits for that."""

    def change(effects: CallEffects) -> None:
        effects.gate = gate

    return change


def losing(effects: CallEffects) -> None:
    """The call takes effect, and its answer is lost."""
    effects.reply_lost = True


def garbling(effects: CallEffects) -> None:
    """The call takes effect, and its answer cannot be read."""
    effects.reply = GARBAGE_REPLY


def oversizing(effects: CallEffects) -> None:
    """The call takes effect, and its answer is larger than a message may be."""
    effects.reply = oversized_reply()
