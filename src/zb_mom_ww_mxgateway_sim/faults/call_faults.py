"""Faults of calls: by rpc or by command kind, for one call or until they are withdrawn."""

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
# Rpcs whose replies have a protocol status. The replies of all command kinds have one.
_WITH_STATUS = frozenset({"OpenSession", "CloseSession", "Invoke", "AcknowledgeAlarm"})
KINDS = tuple(
    name.removeprefix(_KIND_PREFIX).lower()
    for name, value in pb.MxCommandKind.DESCRIPTOR.values_by_name.items()
    if value.number
)
_NAMES = {name.lower(): name for name in (*RPCS, *KINDS)}

# No message has this encoding: the length of its field goes beyond the end.
GARBAGE_REPLY = b"\x0a\xff\xff\xff\x07garbage"
# A field that no message has, longer than any message may be.
_OVERSIZE = 17 * 1024 * 1024
OVERSIZED_REPLY_HEAD = b"\xfa\xff\x03\x80\x80\xc0\x08"


@dataclass(frozen=True, slots=True)
class CallFailure:
    """The call ends with this gRPC status and has no effect."""

    code: str
    details: str


@dataclass(frozen=True, slots=True)
class ReplyFailure:
    """The reply carries this protocol status, and the command has no effect."""

    protocol_status: "pb.ProtocolStatusCode"
    hresult: int | None
    details: str


@dataclass(slots=True)
class CallEffects:
    """Effects of the faults on one call."""

    delay: float = 0.0
    """Seconds that the call waits first."""
    failure: CallFailure | ReplyFailure | None = None
    reply_lost: bool = False
    """Whether the call takes effect and then breaks."""
    reply: bytes | None = None
    """Bytes that replace the reply, or the first message of a stream."""
    gate: asyncio.Event | None = None
    """The event that the call waits for."""


Injection = Callable[[CallEffects], None]


def kind_of(request: object) -> str:
    """Return the name of the command's kind; empty if the request is no command."""
    return kind_name(request.command.kind) if isinstance(request, pb.MxCommandRequest) else ""


def kind_name(kind: int) -> str:
    """Return ``write`` for the number of that kind, and the number itself for an unknown kind."""
    if kind in pb.MxCommandKind.values():
        return pb.MxCommandKind.Name(kind).removeprefix(_KIND_PREFIX).lower()
    return str(kind)


def call_name(name: str | int) -> str:
    """Return the canonical name of an rpc or command kind. Raise ValueError for any other name."""
    if isinstance(name, int):
        name = kind_name(name)
    found = _NAMES.get(name.lower().removeprefix(_KIND_PREFIX.lower()))
    if found is None:
        raise ValueError(f"no rpc or command kind {name!r}; an rpc is for example 'OpenSession', a kind 'add_item'")
    return found


def protocol_status(name: str) -> "pb.ProtocolStatusCode":
    """Return the status for ``WORKER_UNAVAILABLE``. Raise ValueError for an unknown name or a status of success."""
    found = pb.ProtocolStatusCode.DESCRIPTOR.values_by_name.get(f"PROTOCOL_STATUS_CODE_{name}")
    if found is None or found.number in (pb.PROTOCOL_STATUS_CODE_UNSPECIFIED, pb.PROTOCOL_STATUS_CODE_OK):
        raise ValueError(f"{name!r} is neither the gRPC status of a failure nor a protocol status")
    return cast("pb.ProtocolStatusCode", found.number)


def oversized_reply() -> bytes:
    """Return a reply of 17 MiB that every message's parser accepts."""
    return OVERSIZED_REPLY_HEAD + bytes(_OVERSIZE)


def check_failure(name: str, failure: CallFailure | ReplyFailure) -> None:
    """Raise ValueError if the reply of such a call cannot carry the failure."""
    if isinstance(failure, ReplyFailure) and name in RPCS and name not in _WITH_STATUS:
        raise ValueError(f"the reply of {name} has no protocol status; use a gRPC status")


class CallFaults:
    """Faults that wait for calls. A name is an rpc (``OpenSession``) or a kind (``write``)."""

    def __init__(self) -> None:
        self._delays: dict[str, float] = {}
        self._next: dict[str, deque[Injection]] = {}
        self._counted: dict[str, list[tuple[int, Injection]]] = {}
        self._gates: dict[str, asyncio.Event] = {}
        self._stalled: set[str] = set()
        self._calls: dict[str, int] = {}

    def delay(self, name: str | int, seconds: float) -> None:
        """Delay every such call from now on, by the simulator's clock; 0 ends the delay."""
        self._delays[call_name(name)] = seconds

    def stall(self, name: str | int) -> None:
        """Hold every such call, and every open stream of that name, until ``release``."""
        self._stalled.add(call_name(name))
        self.gate(call_name(name))

    def release(self, name: str | int | None = None) -> None:
        """Let stalled calls go on: those of that name, or all."""
        for found in list(self._gates) if name is None else [call_name(name)]:
            self._stalled.discard(found)
            gate = self._gates.pop(found, None)
            if gate is not None:
                gate.set()

    def gate(self, name: str) -> asyncio.Event:
        """Return the event that the next ``release`` of that name sets."""
        return self._gates.setdefault(name, asyncio.Event())

    def stalled(self, name: str) -> asyncio.Event | None:
        """Return the event that calls of that name wait for; None if they are not stalled."""
        return self._gates.get(name) if name in self._stalled else None

    def forget(self) -> None:
        """Withdraw every delay, every stall, and every fault of a next or a counted call."""
        self._delays.clear()
        self._next.clear()
        self._counted.clear()
        self.release()

    def on_next(self, name: str | int, injection: Injection) -> None:
        """Inject into the next such call. Several injections wait in a queue, one for each call."""
        self._next.setdefault(call_name(name), deque()).append(injection)

    def at(self, name: str | int, number: int, injection: Injection) -> None:
        """Inject into the Nth call of that name since the start; the first is 1."""
        self._counted.setdefault(call_name(name), []).append((number, injection))

    def take(self, name: str) -> CallEffects:
        """Count a call of that name, and return what the faults do to it. Each injection is used up."""
        count = self._calls[name] = self._calls.get(name, 0) + 1
        effects = CallEffects(delay=self._delays.get(name, 0.0), gate=self.stalled(name))
        waiting = self._next.get(name)
        if waiting:
            waiting.popleft()(effects)
        for number, injection in self._counted.get(name, ()):
            if number == count:
                injection(effects)
        return effects


def failing(failure: CallFailure | ReplyFailure) -> Injection:
    """Return an injection that fails the call."""

    def inject(effects: CallEffects) -> None:
        effects.failure = failure

    return inject


def delaying(seconds: float) -> Injection:
    """Return an injection that delays the call."""

    def inject(effects: CallEffects) -> None:
        effects.delay = max(effects.delay, seconds)

    return inject


def stalling(gate: asyncio.Event) -> Injection:
    """Return an injection that holds the call until the event is set."""

    def inject(effects: CallEffects) -> None:
        effects.gate = gate

    return inject


def losing(effects: CallEffects) -> None:
    """Let the call take effect, and lose its reply."""
    effects.reply_lost = True


def garbling(effects: CallEffects) -> None:
    """Let the call take effect, and garble its reply."""
    effects.reply = GARBAGE_REPLY


def oversizing(effects: CallEffects) -> None:
    """Let the call take effect, and make its reply larger than a message may be."""
    effects.reply = oversized_reply()
