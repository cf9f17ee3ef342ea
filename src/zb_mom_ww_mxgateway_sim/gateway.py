"""The simulated gateway: everything put together, and what its owner sees and does."""

import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import grpc

from zb_mom_ww_mxgateway.generated import (
    galaxy_repository_pb2_grpc,
    mxaccess_gateway_pb2 as pb,
    mxaccess_gateway_pb2_grpc,
)

from . import certificate as certificates, plant, status
from .agenda import Agenda
from .background import Background
from .certificate import Certificate
from .clock import Clock, SystemClock, nanoseconds
from .deployment import Deployment
from .faults import CallFailure, Faults, ReplyFailure
from .galaxy_service import GalaxyService
from .gateway_service import GatewayService
from .hierarchy import Hierarchy
from .keys import ApiKey, KeyRing
from .listener import Listener
from .points import Points, Reading
from .process import Process
from .reception import CallRecord, Reception
from .refusal import Ended
from .session import Session
from .sessions import Sessions
from .signals import TICK, Signals
from .status import Status
from .tags import Tag, add_generated, add_tags
from .worker import Plant
from .writing import WriteRecord, Writes

OverflowPolicy = Literal["fail-fast", "disconnect-subscriber"]


class SimulatedGateway:
    """A gateway on a port of this machine, with a small plant behind it.

    ``async with SimulatedGateway() as gateway`` serves until the block is left. Everything but ``endpoint``,
    ``api_key`` and ``certificate_pem`` is for looking on and for causing trouble.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        plaintext: bool = False,
        api_keys: Iterable[ApiKey] | None = None,
        tags: Iterable[Tag] = (),
        generated_tags: int = 0,
        generated_change_period: float = 10.0,
        certificate_directory: Path | str | None = None,
        clock: Clock | None = None,
        seed: int = 1,
        first_change_delay: float | tuple[float, float] | None = None,
        write_complete_delay: float = 0.1,
        event_queue_size: int = 10_000,
        overflow_policy: OverflowPolicy = "fail-fast",
        default_command_timeout: float = 30.0,
        lease: float = 1800.0,
        detach_grace: float = 30.0,
        max_sessions: int = 64,
    ) -> None:
        """Nothing is opened before ``start``. Times are seconds of ``clock``.

        ``port`` 0 is a free one. ``api_keys`` None is one random key with all scopes, empty is no authentication.
        ``first_change_delay``: from advise to the first data change, a number or a range. TagError: a tag of ``tags``
        or a generated one cannot be had; ValueError: an argument out of range.
        """
        if overflow_policy not in ("fail-fast", "disconnect-subscriber"):
            raise ValueError(f"overflow_policy is 'fail-fast' or 'disconnect-subscriber', not {overflow_policy!r}")
        if event_queue_size < 1:
            raise ValueError("event_queue_size is at least 1")
        keys = (ApiKey.random(),) if api_keys is None else tuple(api_keys)
        self.api_key = keys[0].text if keys else None
        self.plaintext = plaintext
        self._keys = KeyRing(keys)
        self._directory = Path(certificate_directory) if certificate_directory else None
        self._certificate: Certificate | None = None
        self._clock = clock or SystemClock()
        self._queue_size = event_queue_size
        self._fail_fast = overflow_policy == "fail-fast"
        self._command_timeout = default_command_timeout
        self._lease = lease
        self._detach_grace = detach_grace
        self._running = False
        self._closed = False

        self._hierarchy = Hierarchy()
        plant.build(self._hierarchy)
        add_generated(self._hierarchy, generated_tags, generated_change_period)
        add_tags(self._hierarchy, tags)
        self._background = Background("simulated gateway")
        self._agenda = Agenda(self._clock)
        self._points = Points(self._hierarchy, self._clock.now)
        self._signals = Signals(self._clock, seed)
        self._points.on_new = self._signals.adopt
        self._points.on_seen = self._signals.refresh
        self._process = Process(self._points, self._clock, seed)
        self._writes = Writes(self._agenda, self._points, self._clock, write_complete_delay)
        self._plant = Plant(
            self._points,
            self._writes,
            self._agenda,
            self._clock,
            random.Random(seed),
            _range(first_change_delay),
        )
        self._deployment = Deployment(self._clock)
        self._faults = Faults()
        self._reception = Reception(self._keys, self._faults, self._clock)
        self._sessions = Sessions(self._background, random.Random(), max_sessions)
        self._listener = Listener(host, port, self._add_services)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Listens and lets the plant run. ListenError, CertificateError: it cannot be; RuntimeError: it was closed."""
        if self._running:
            return
        if self._closed:
            raise RuntimeError("a gateway that was closed does not start again; make another")
        if not self.plaintext:
            self._certificate = certificates.kept(self._directory or certificates.default_directory())
        await self._listener.start(self._certificate)
        self._running = True
        self._agenda.every(TICK, self._tick)
        self._background.start(self._agenda.run(), "agenda")

    async def aclose(self) -> None:
        """Ends every call, the sessions and the plant; raises what failed in the background. Idempotent."""
        if not self._running:
            return
        self._running = False
        self._closed = True
        self._sessions.close_all(Ended("UNAVAILABLE", "the gateway shuts down"))
        self._deployment.close()
        try:
            # Calls cancelled by the server make grpc clients in the same process write to standard error.
            await self._listener.stop(grace=0.2)
        finally:
            await self._background.aclose()

    # ------------------------------------------------------------ where and how

    @property
    def endpoint(self) -> str:
        """``127.0.0.1:50551``; with port 0 only known once started."""
        return self._listener.endpoint

    @property
    def certificate_pem(self) -> str | None:
        """The certificate that is served now; None in plaintext or before the start."""
        return self._certificate.certificate_pem.decode() if self._certificate else None

    @property
    def fingerprint_sha256(self) -> str | None:
        """``3F:9A:…`` of that certificate."""
        return self._certificate.fingerprint_sha256 if self._certificate else None

    # ------------------------------------------------------------ looking on

    @property
    def calls(self) -> Sequence[CallRecord]:
        """The last 5000 calls, refused ones too, oldest first."""
        return tuple(self._reception.calls)

    @property
    def sessions(self) -> Mapping[str, Session]:
        """Sessions by id, the last closed ones too; see their ``state``."""
        return dict(self._sessions.all)

    @property
    def open_streams(self) -> int:
        """How many event streams are attached now."""
        return sum(session.attached for session in self._sessions.all.values())

    @property
    def writes(self) -> Sequence[WriteRecord]:
        """The last 10000 writes that reached the plant, oldest first."""
        return tuple(self._writes.records)

    def read(self, tag: str) -> Reading:
        """A tag's value now; KeyError if there is no such tag."""
        point = self._points.find(tag)
        if point is None:
            raise KeyError(tag)
        return point.reading

    def set(
        self,
        tag: str,
        value: object,
        quality: int = status.GOOD,
        timestamp: datetime | None = None,
        statuses: Sequence[Status] = (status.OK,),
    ) -> None:
        """Sets a tag as the plant would, read-only or not; advised items hear of it.

        It stays as set until it is written, and the plant goes by it. None is no value. KeyError: no such tag;
        CoercionError: not of its type.
        """
        time_ns = None if timestamp is None else nanoseconds(timestamp)
        self._points.set(tag, value, quality, time_ns, tuple(statuses))

    # ------------------------------------------------------------ causing trouble

    def revoke(self, key_id: str) -> None:
        """The key is refused from the next call on; KeyError if there is none of that id."""
        self._keys.revoke(key_id)

    def lose_session(self, session_id: str) -> None:
        """The session's worker dies: its stream breaks with UNAVAILABLE and nobody knows it any more."""
        self._sessions.find(session_id).close(Ended("UNAVAILABLE", f"the worker of {session_id} ended"))

    def fault_session(self, session_id: str) -> None:
        """The session becomes FAULTED: it can only be closed."""
        self._sessions.find(session_id).fault()

    def drop_streams(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """Every attached event stream ends with this status; the sessions live on for the detach grace."""
        for session in self._sessions.live:
            session.drop_stream(Ended(code.name, "the event stream was dropped"))

    def evict_replay(self, session_id: str) -> None:
        """Empties the session's replay ring: a resumed stream starts with a ReplayGap."""
        self._sessions.find(session_id).events.forget()

    async def restart(self) -> None:
        """The gateway's process ends and starts again on the same port: connections and sessions are lost."""
        await self._listener.stop()
        self._sessions.close_all(Ended("UNAVAILABLE", "the gateway restarted"))
        self._deployment.restarted()
        await self._listener.start(self._certificate)

    async def swap_certificate(self) -> None:
        """A new certificate on the same port, kept from now on. Connections are lost, sessions are not."""
        if self.plaintext:
            raise ValueError("a plaintext gateway has no certificate")
        self._certificate = certificates.renew(self._directory or certificates.default_directory())
        await self._listener.stop()
        await self._listener.start(self._certificate)

    def redeploy(self) -> None:
        """The galaxy is deployed again: watchers hear of it, page tokens are void."""
        self._deployment.redeploy()

    def delay(self, rpc_or_kind: str | int, seconds: float) -> None:
        """Every such call waits so long from now on; 0 ends it. A name is ``OpenSession`` or ``add_item``."""
        self._faults.delay(rpc_or_kind, seconds)

    def fail_next(
        self,
        rpc_or_kind: str | int,
        *,
        code: grpc.StatusCode | None = None,
        protocol_status: "pb.ProtocolStatusCode | None" = None,
        hresult: int | None = None,
        details: str = "made to fail",
    ) -> None:
        """The next such call has no effect and ends with a gRPC status, or with a protocol status in its reply."""
        if (code is None) == (protocol_status is None):
            raise ValueError("either code or protocol_status says how the call fails")
        if code is not None:
            self._faults.fail_next(rpc_or_kind, CallFailure(code.name, details))
        elif protocol_status is not None:
            self._faults.fail_next(rpc_or_kind, ReplyFailure(protocol_status, hresult, details))

    def lose_next_reply(self, rpc_or_kind: str | int) -> None:
        """The next such call takes effect, then breaks with UNAVAILABLE."""
        self._faults.lose_next_reply(rpc_or_kind)

    def hold_write_completes(self) -> None:
        """OnWriteComplete is withheld from now on; writes take effect all the same."""
        self._writes.hold()

    def release_write_completes(self) -> None:
        """Sends the withheld OnWriteComplete events, and withholds no more."""
        self._writes.release()

    # ------------------------------------------------------------ inside

    def _tick(self) -> None:
        self._process.step(TICK)
        self._signals.tick()

    def _add_services(self, server: grpc.aio.Server) -> None:
        gateway = GatewayService(
            self._reception, self._sessions, self._faults, self._agenda, self._clock, self._make_session
        )
        galaxy = GalaxyService(self._reception, self._hierarchy, self._deployment, self._clock)
        # The generated service code has no types.
        mxaccess_gateway_pb2_grpc.add_MxAccessGatewayServicer_to_server(gateway, server)  # type: ignore[no-untyped-call]
        galaxy_repository_pb2_grpc.add_GalaxyRepositoryServicer_to_server(galaxy, server)  # type: ignore[no-untyped-call]

    def _make_session(self, request: pb.OpenSessionRequest, session_id: str, process_id: int) -> Session:
        asked = request.command_timeout.ToNanoseconds() / 1e9
        return Session(
            session_id,
            request.client_session_name,
            self._plant,
            command_timeout=asked or self._command_timeout,
            queue_size=self._queue_size,
            fault_on_overflow=self._fail_fast,
            lease=self._lease,
            detach_grace=self._detach_grace,
            process_id=process_id,
        )


def _range(delay: float | tuple[float, float] | None) -> tuple[float, float] | None:
    if delay is None:
        return None
    low, high = delay if isinstance(delay, tuple) else (delay, delay)
    if not 0 <= low <= high:
        raise ValueError(f"first_change_delay goes from {low:g} to {high:g} seconds")
    return (low, high) if high else None
