"""The simulated gateway: everything put together, and what its owner sees and does."""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

import grpc

from zb_mom_ww_mxgateway.generated import (
    galaxy_repository_pb2_grpc,
    mxaccess_gateway_pb2 as pb,
    mxaccess_gateway_pb2_grpc,
)
from zb_mom_ww_mxgateway_sim.fault_api import GatewayFaults
from zb_mom_ww_mxgateway_sim.faults.call_faults import CallFaults
from zb_mom_ww_mxgateway_sim.faults.schedule import Fault
from zb_mom_ww_mxgateway_sim.faults.scheduler import Scheduler
from zb_mom_ww_mxgateway_sim.net import certificate as certificates
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey, KeyRing
from zb_mom_ww_mxgateway_sim.net.certificate import Certificate
from zb_mom_ww_mxgateway_sim.net.server import GatewayServer
from zb_mom_ww_mxgateway_sim.plant import layout, status
from zb_mom_ww_mxgateway_sim.plant.alarms import Alarm, AlarmBook
from zb_mom_ww_mxgateway_sim.plant.deployment import Deployment
from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.point_store import PointStore, TagReading
from zb_mom_ww_mxgateway_sim.plant.process import PlantProcess
from zb_mom_ww_mxgateway_sim.plant.signals import TICK, Signals
from zb_mom_ww_mxgateway_sim.plant.status import Status
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition, add_generated, add_tags
from zb_mom_ww_mxgateway_sim.rpc import reflection
from zb_mom_ww_mxgateway_sim.rpc.alarm_service import AlarmService
from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import CallPipeline, CallRecord
from zb_mom_ww_mxgateway_sim.rpc.galaxy_service import GalaxyService
from zb_mom_ww_mxgateway_sim.rpc.gateway_service import GatewayService
from zb_mom_ww_mxgateway_sim.rpc.raw_replies import RawReplies
from zb_mom_ww_mxgateway_sim.runtime.clock import SystemClock, TimeSource, nanoseconds
from zb_mom_ww_mxgateway_sim.runtime.refusal import StreamEnded
from zb_mom_ww_mxgateway_sim.runtime.task_owner import TaskOwner
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue
from zb_mom_ww_mxgateway_sim.sessions.items import PlantAccess
from zb_mom_ww_mxgateway_sim.sessions.session import SimulatedSession
from zb_mom_ww_mxgateway_sim.sessions.session_table import SessionTable
from zb_mom_ww_mxgateway_sim.sessions.users import GalaxyUser, GalaxyUsers
from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteQueue, WriteRecord

OverflowPolicy = Literal["fail-fast", "disconnect-subscriber"]


class SimulatedGateway:
    """A gateway on a port of this machine, with a small plant behind it.

    ``async with SimulatedGateway() as gateway`` serves until the block is left. Everything but ``endpoint``,
    ``api_key`` and ``certificate_pem`` is for looking on and for moving the plant; ``faults`` makes things go wrong.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        plaintext: bool = False,
        api_keys: Iterable[GatewayKey] | None = None,
        tags: Iterable[TagDefinition] = (),
        generated_tags: int = 0,
        generated_change_period: float = 10.0,
        certificate_directory: Path | str | None = None,
        clock: TimeSource | None = None,
        seed: int = 1,
        users: Iterable[GalaxyUser] | None = None,
        first_change_delay: float | tuple[float, float] | None = None,
        session_start_time: float = 0.0,
        write_complete_delay: float = 0.1,
        event_queue_size: int = 10_000,
        overflow_policy: OverflowPolicy = "fail-fast",
        default_command_timeout: float = 30.0,
        lease: float = 1800.0,
        detach_grace: float = 30.0,
        max_sessions: int = 64,
        alarms: bool = True,
        refuse_in_reply: bool = False,
        faults: Iterable[Fault | str] = (),
    ) -> None:
        """Nothing is opened before ``start``. Times are seconds of ``clock``.

        ``port`` 0 is a free one. ``api_keys`` None is one random key with all scopes, empty is no authentication.
        ``users`` None is a permissive galaxy: any credentials give a user id. ``first_change_delay``: from advise to
        the first data change, a number or a range. ``session_start_time``: from OpenSession to READY; commands are
        refused meanwhile. ``alarms`` False: they are disabled, as in a gateway that nobody configured.
        ``refuse_in_reply``: with a protocol status in the reply instead of a gRPC status, where a reply has one.
        ``faults``: see ``schedule``. TagError: a tag of ``tags`` or a generated one cannot be had; FaultError: so with
        a fault; ValueError: an argument out of range.
        """
        if overflow_policy not in ("fail-fast", "disconnect-subscriber"):
            raise ValueError(f"overflow_policy is 'fail-fast' or 'disconnect-subscriber', not {overflow_policy!r}")
        if event_queue_size < 1:
            raise ValueError("event_queue_size is at least 1")
        keys = (GatewayKey.random(),) if api_keys is None else tuple(api_keys)
        self.api_key: str | None = keys[0].text if keys else None
        self.plaintext = plaintext
        self._keys = KeyRing(keys)
        self._directory = Path(certificate_directory) if certificate_directory else None
        self._certificate: Certificate | None = None
        self._clock = clock or SystemClock()
        self._queue_size = event_queue_size
        self._fail_fast = overflow_policy == "fail-fast"
        self._command_timeout = default_command_timeout
        self._session_start_time = session_start_time
        self._galaxy_users = GalaxyUsers(users)
        self._lease = lease
        self._detach_grace = detach_grace
        self._running = False
        self._closed = False
        # Starts and stops of the server, one at a time: one that is stopped while it starts brings the process down.
        self._turn = asyncio.Lock()

        self._hierarchy = Hierarchy()
        layout.build(self._hierarchy)
        add_generated(self._hierarchy, generated_tags, generated_change_period)
        add_tags(self._hierarchy, tags)
        self._background = TaskOwner("simulated gateway")
        self._timers = TimerQueue(self._clock)
        self._points = PointStore(self._hierarchy, self._clock.now)
        self._signals = Signals(self._clock, seed)
        self._points.on_new = self._signals.adopt
        self._points.on_seen = self._signals.refresh
        self._process = PlantProcess(self._points, self._clock, seed)
        self._writes = WriteQueue(self._timers, self._points, self._clock, write_complete_delay)
        self._plant = PlantAccess(
            self._points,
            self._writes,
            self._timers,
            self._clock,
            random.Random(seed),
            _range(first_change_delay),
        )
        self._deployment = Deployment(self._clock)
        self._call_faults = CallFaults()
        self._pipeline = CallPipeline(self._keys, self._call_faults, self._clock, refuse_in_reply=refuse_in_reply)
        self._sessions = SessionTable(self._background, random.Random(), max_sessions)
        self._server = GatewayServer(host, port, self._add_services, (RawReplies(),))
        self._alarms = AlarmBook(self._hierarchy, self._points, self._clock) if alarms else None
        self._alarm_service = AlarmService(self._alarms, event_queue_size)
        self.faults: GatewayFaults = GatewayFaults(
            calls=self._call_faults,
            pipeline=self._pipeline,
            sessions=self._sessions,
            writes=self._writes,
            server=self._server,
            keys=self._keys,
            hierarchy=self._hierarchy,
            deployment=self._deployment,
            alarm_service=self._alarm_service,
            alarm_book=self._alarm_book,
        )
        first_key = keys[0].key_id if keys else ""
        self._scheduler = Scheduler(self, self.faults, self._call_faults, self._timers, self._background, first_key)
        self._scheduled: list[Fault] = []
        self.schedule(*faults)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Where the faults were before they had a place of their own: programs written then go on, until 1.0.
            faults = self.__dict__.get("faults")
            if faults is None or name.startswith("_") or not hasattr(type(faults), name):
                raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
            return getattr(faults, name)

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
        await self._server.start(self._certificate)
        self._running = True
        self._timers.every(TICK, self._tick)
        for fault in self._scheduled:
            self._scheduler.add(fault)
        self._background.start(self._timers.run(), "agenda")

    async def aclose(self) -> None:
        """Ends every call, the sessions and the plant; raises what failed in the background. Idempotent."""
        if not self._running:
            return
        self._running = False
        self._closed = True
        self._sessions.close_all(StreamEnded("UNAVAILABLE", "the gateway shuts down"))
        self._deployment.close()
        self._alarm_service.end(StreamEnded("UNAVAILABLE", "the gateway shuts down"))
        self._call_faults.release()
        try:
            async with self._turn:
                # Calls cancelled by the server make grpc clients in the same process write to standard error.
                await self._server.aclose(grace=0.2)
        finally:
            await self._background.aclose()

    # ------------------------------------------------------------ where and how

    @property
    def endpoint(self) -> str:
        """``127.0.0.1:50551``; with port 0 only known once started."""
        return self._server.endpoint

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
        return tuple(self._pipeline.calls)

    @property
    def alarms(self) -> Sequence[Alarm]:
        """The alarms that are active or wait to be acknowledged, in the order they were raised."""
        return () if self._alarms is None else tuple(self._alarms.all)

    @property
    def alarms_enabled(self) -> bool:
        """Whether there are alarms at all."""
        return self._alarms is not None

    @property
    def open_alarm_streams(self) -> int:
        """How many alarm feeds are attached now."""
        return self._alarm_service.streams

    @property
    def sessions(self) -> Mapping[str, SimulatedSession]:
        """Sessions by id, the last closed ones too; see their ``state``."""
        return dict(self._sessions.all)

    @property
    def live_sessions(self) -> list[str]:
        """The ids of the sessions that are not closed."""
        return [session.session_id for session in self._sessions.live]

    @property
    def open_streams(self) -> int:
        """How many event streams are attached now."""
        return sum(session.attached for session in self._sessions.all.values())

    @property
    def open_connections(self) -> int:
        """How many TCP connections clients have now."""
        return self._server.proxy.connections

    @property
    def writes(self) -> Sequence[WriteRecord]:
        """The last 10000 writes that reached the plant, oldest first."""
        return tuple(self._writes.records)

    def read(self, tag: str) -> TagReading:
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

    def set_message(self, tag: str, value: pb.MxValue, quality: int = status.GOOD) -> None:
        """Sets a tag to a value sent as it is: a raw one, another VT, more dimensions. KeyError: no such tag."""
        held = pb.MxValue()
        held.CopyFrom(value)
        self._points.set(tag, None, quality, None, (status.OK,), held)

    # ------------------------------------------------------------ restarts and schedules; more in ``faults``

    async def restart(self) -> None:
        """The gateway's process ends and starts again on the same port: connections and sessions are lost."""
        async with self._turn:
            if self._closed:
                return
            await self._server.stop()
            self._sessions.close_all(StreamEnded("UNAVAILABLE", "the gateway restarted"))
            self._deployment.restarted()
            await self._server.start(self._certificate)

    async def swap_certificate(self) -> None:
        """A new certificate on the same port, kept from now on. Connections are lost, sessions are not."""
        if self.plaintext:
            raise ValueError("a plaintext gateway has no certificate")
        async with self._turn:
            if self._closed:
                return
            self._certificate = certificates.renew(self._directory or certificates.default_directory())
            await self._server.stop()
            await self._server.start(self._certificate)

    def schedule(self, *faults: Fault | str) -> None:
        """Lets faults come about, e.g. ``after 5s drop-stream``: times count from now, or from the start.

        FaultError: it is none, or cannot be with this gateway. The form of a line is the fault files', see ``Fault``.
        """
        for fault in faults:
            found = Fault.parse(fault) if isinstance(fault, str) else fault
            self._scheduler.check(found)
            if self._running:
                self._scheduler.add(found)
            else:
                self._scheduled.append(found)

    def raise_alarm(
        self,
        reference: str,
        *,
        severity: int = 500,
        type_name: str = "UserAlarm",
        category: str = "Process",
        description: str = "",
        value: bool | int | float | str | None = None,
        limit: bool | int | float | str | None = None,
    ) -> None:
        """Raises an alarm ``Galaxy!Area.Object.Alarm``; nothing if it is active. ValueError: not such a reference."""
        self._alarm_book().raise_alarm(
            reference,
            severity=severity,
            type_name=type_name,
            category=category,
            description=description,
            value=value,
            limit=limit,
        )

    def clear_alarm(self, reference: str) -> None:
        """The alarm's condition is gone; one of the plant's own follows the plant again."""
        self._alarm_book().clear_alarm(reference)

    # ------------------------------------------------------------ inside

    def _tick(self) -> None:
        self._process.step(TICK)
        self._signals.tick()

    def _alarm_book(self) -> AlarmBook:
        if self._alarms is None:
            raise ValueError("alarms are disabled in this gateway")
        return self._alarms

    async def _add_services(self, server: grpc.aio.Server) -> None:
        gateway = GatewayService(
            self._pipeline,
            self._sessions,
            self._call_faults,
            self._timers,
            self._alarm_service,
            self._make_session,
            self._session_start_time,
        )
        galaxy = GalaxyService(self._pipeline, self._hierarchy, self._deployment, self._clock)
        # The generated service code has no types.
        mxaccess_gateway_pb2_grpc.add_MxAccessGatewayServicer_to_server(gateway, server)
        galaxy_repository_pb2_grpc.add_GalaxyRepositoryServicer_to_server(galaxy, server)
        await reflection.add(server)

    def _make_session(self, request: pb.OpenSessionRequest, session_id: str, process_id: int) -> SimulatedSession:
        asked = request.command_timeout.ToNanoseconds() / 1e9
        return SimulatedSession(
            session_id,
            request.client_session_name,
            self._plant,
            self._galaxy_users,
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
