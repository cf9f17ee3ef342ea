"""The simulated gateway, composed of its parts, and the interface for its owner."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from zb_mom_ww_mxgateway.contract.adoption import bind
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.fault_api import GatewayFaults
from zb_mom_ww_mxgateway_sim.faults.call_faults import CallFaults
from zb_mom_ww_mxgateway_sim.faults.schedule import Fault
from zb_mom_ww_mxgateway_sim.faults.scheduler import Scheduler
from zb_mom_ww_mxgateway_sim.logic.declarations import PlantLogic
from zb_mom_ww_mxgateway_sim.logic.plant_file import read_plant
from zb_mom_ww_mxgateway_sim.logic.runner import LogicRunner
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey, KeyRing
from zb_mom_ww_mxgateway_sim.net.endpoint import GatewayEndpoint
from zb_mom_ww_mxgateway_sim.net.server import GatewayServer
from zb_mom_ww_mxgateway_sim.plant import status
from zb_mom_ww_mxgateway_sim.plant.alarms import Alarm
from zb_mom_ww_mxgateway_sim.plant.point_store import TagReading
from zb_mom_ww_mxgateway_sim.plant.replay import Player, Recording
from zb_mom_ww_mxgateway_sim.plant.replay_pace import parse_pace
from zb_mom_ww_mxgateway_sim.plant.simulated_plant import SimulatedPlant
from zb_mom_ww_mxgateway_sim.plant.status import Status
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition
from zb_mom_ww_mxgateway_sim.rpc.alarm_service import AlarmService
from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import CallPipeline, CallRecord, RawReplies
from zb_mom_ww_mxgateway_sim.rpc.galaxy_service import GalaxyService
from zb_mom_ww_mxgateway_sim.rpc.gateway_service import GatewayService
from zb_mom_ww_mxgateway_sim.rpc.services import GatewayServices
from zb_mom_ww_mxgateway_sim.runtime.clock import SystemClock, TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import StreamEnded
from zb_mom_ww_mxgateway_sim.runtime.option_ranges import ABOVE_ZERO, delay_range, refuse_below
from zb_mom_ww_mxgateway_sim.runtime.task_owner import TaskOwner
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue
from zb_mom_ww_mxgateway_sim.sessions.items import PlantAccess
from zb_mom_ww_mxgateway_sim.sessions.session import SessionOptions
from zb_mom_ww_mxgateway_sim.sessions.session_table import SessionTable
from zb_mom_ww_mxgateway_sim.sessions.session_view import SimulatedSession
from zb_mom_ww_mxgateway_sim.sessions.users import GalaxyUser
from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteQueue, WriteRecord

# Imported, the rpcs have tables of one contract's numbers.
bind()

OverflowPolicy = Literal["fail-fast", "disconnect-subscriber"]


class SimulatedGateway:
    """A gateway on a port of this machine, with a small plant behind it.

    ``async with SimulatedGateway() as gateway`` serves until the block is left. A client needs ``endpoint``,
    ``api_key`` and ``certificate_pem``. The other members observe the gateway and move the plant; ``faults`` injects
    faults.
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
        worker_command_limit: float = 75.0,
        lease: float = 1800.0,
        detach_grace: float = 30.0,
        max_sessions: int = 64,
        alarms: bool = True,
        refuse_in_reply: bool = False,
        faults: Iterable[Fault | str] = (),
        plant: Path | str | Iterable[Callable[..., object]] = (),
        replay: Path | str | None = None,
        replay_pace: str = "recorded",
    ) -> None:
        """Build the gateway; ``start`` opens its port. docs/simulator.md explains each option.

        Raise TagError for a tag that is impossible or exists already, FaultError for such a fault, PlantError for a
        mistake in a plant file, ReplayError for a file that cannot be played, and ValueError for an argument out of
        range.
        """
        if overflow_policy not in ("fail-fast", "disconnect-subscriber"):
            raise ValueError(f"overflow_policy is {overflow_policy!r}; use 'fail-fast' or 'disconnect-subscriber'")
        refuse_below(1, event_queue_size=event_queue_size, max_sessions=max_sessions)
        refuse_below(0, generated_tags=generated_tags, session_start_time=session_start_time)
        refuse_below(0, write_complete_delay=write_complete_delay, detach_grace=detach_grace)
        refuse_below(ABOVE_ZERO, generated_change_period=generated_change_period, lease=lease)
        refuse_below(ABOVE_ZERO, default_command_timeout=default_command_timeout)
        refuse_below(ABOVE_ZERO, worker_command_limit=worker_command_limit)
        first_delay = delay_range(first_change_delay)
        keys = (GatewayKey.random(),) if api_keys is None else tuple(api_keys)
        self.api_key: str | None = keys[0].text if keys else None
        """Text of the first key; None where no key is asked for."""
        self.plaintext: bool = plaintext
        """Whether the gateway serves without TLS."""
        self._running = False
        self._closed = False

        clock = clock or SystemClock()
        self._background = TaskOwner("simulated gateway")
        self._timers = TimerQueue(clock)
        logic = read_plant(Path(plant)) if isinstance(plant, Path | str) else PlantLogic.of(plant)
        pace = parse_pace(replay_pace)
        recording = None if replay is None else Recording(Path(replay))
        self._plant = simulated = SimulatedPlant(
            clock,
            self._timers,
            seed=seed,
            tags=[*tags, *logic.tags.values()],
            recorded_tags=recording.tags if recording else (),
            generated_tags=generated_tags,
            generated_change_period=generated_change_period,
            alarms=alarms,
        )
        self._player = Player(recording, pace, simulated.points, clock, self._timers) if recording else None
        self._writes = WriteQueue(self._timers, simulated.points, simulated.refusals, clock, write_complete_delay)
        self._logic = LogicRunner(logic, simulated, self._writes, self._timers, clock)
        access = PlantAccess(simulated.points, self._writes, self._timers, clock, random.Random(seed), first_delay)
        options = SessionOptions(
            command_timeout=default_command_timeout,
            queue_size=event_queue_size,
            fault_on_overflow=overflow_policy == "fail-fast",
            lease=lease,
            detach_grace=detach_grace,
            start_time=session_start_time,
            command_limit=worker_command_limit,
        )
        self._sessions = SessionTable(self._background, access, users, options, max_sessions)

        self._call_faults = CallFaults()
        key_ring = KeyRing(keys)
        self._pipeline = CallPipeline(key_ring, self._call_faults, clock, refuse_in_reply=refuse_in_reply)
        self._alarm_service = AlarmService(simulated.alarms, event_queue_size)
        services = GatewayServices(
            GatewayService(self._pipeline, self._sessions, self._call_faults, self._timers, self._alarm_service),
            GalaxyService(self._pipeline, simulated.hierarchy, simulated.deployment, clock),
        )
        server = GatewayServer(host, port, services.add_to, (RawReplies(),))
        self._endpoint = GatewayEndpoint(server, plaintext=plaintext, certificate_directory=certificate_directory)

        self.faults: GatewayFaults = GatewayFaults(
            calls=self._call_faults,
            pipeline=self._pipeline,
            sessions=self._sessions,
            writes=self._writes,
            proxy=server.proxy,
            keys=key_ring,
            plant=simulated,
            alarm_service=self._alarm_service,
        )
        """Injects faults."""
        first_key = keys[0].key_id if keys else ""
        self._scheduler = Scheduler(
            self, self.faults, simulated, self._call_faults, self._timers, self._background, first_key
        )
        self._scheduled: list[Fault] = []
        self.schedule(*faults)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Listen, and let the plant run. Raise ListenError or CertificateError; RuntimeError after ``aclose``."""
        if self._running:
            return
        if self._closed:
            raise RuntimeError("a closed gateway does not start again; make another")
        if self._player is not None:
            await self._player.begin()
        await self._endpoint.start()
        self._running = True
        self._plant.run()
        self._logic.run()
        for fault in self._scheduled:
            self._scheduler.add(fault)
        self._background.start(self._timers.run(), "timers")

    async def aclose(self) -> None:
        """End every call, every session and the plant. Raise what failed in the background. Idempotent."""
        if not self._running:
            return
        self._running = False
        self._closed = True
        self._sessions.close_all(StreamEnded("UNAVAILABLE", "the gateway shuts down"))
        self._plant.deployment.close()
        if self._player is not None:
            self._player.close()
        self._alarm_service.end(StreamEnded("UNAVAILABLE", "the gateway shuts down"))
        self._call_faults.release()
        self._logic.close()
        try:
            # A grace, because grpc clients in this process print a warning for each call that the server cancels.
            await self._endpoint.aclose(grace=0.2)
        finally:
            await self._background.aclose()

    # ------------------------------------------------------------ address

    @property
    def endpoint(self) -> str:
        """Address such as ``127.0.0.1:50551``. With port 0 it is final after the start."""
        return self._endpoint.server.address

    @property
    def certificate_pem(self) -> str | None:
        """The certificate that is served now; None in plaintext and before the start."""
        certificate = self._endpoint.certificate
        return certificate.certificate_pem.decode() if certificate else None

    @property
    def fingerprint_sha256(self) -> str | None:
        """Fingerprint of that certificate, such as ``3F:9A:…``."""
        return self._endpoint.certificate.fingerprint_sha256 if self._endpoint.certificate else None

    # ------------------------------------------------------------ observation

    @property
    def calls(self) -> Sequence[CallRecord]:
        """The last 5000 calls, including refused ones, oldest first; fewer where their requests have over 32 MiB."""
        return tuple(self._pipeline.calls)

    @property
    def mutating_calls(self) -> int:
        """Number of calls so far that asked for a change of the plant, refused ones included.

        These are the writes of every kind and the acknowledgements; a bulk write is one call.
        """
        return self._pipeline.mutating_calls

    @property
    def writes(self) -> Sequence[WriteRecord]:
        """The last 10000 writes that reached the plant, oldest first."""
        return tuple(self._writes.records)

    @property
    def plant_failures(self) -> Sequence[str]:
        """The last 1000 failures of the plant's own logic, each as ``file:line: function: error``, oldest first."""
        return tuple(self._logic.failures)

    @property
    def sessions(self) -> Mapping[str, SimulatedSession]:
        """Sessions by id, including the last 256 closed ones."""
        return {key: SimulatedSession(session) for key, session in self._sessions.all.items()}

    @property
    def live_sessions(self) -> list[str]:
        """Ids of the sessions that are not closed."""
        return [session.session_id for session in self._sessions.live]

    @property
    def open_streams(self) -> int:
        """Number of attached event streams."""
        return sum(session.attached for session in self._sessions.live)

    @property
    def open_alarm_streams(self) -> int:
        """Number of attached alarm streams."""
        return self._alarm_service.streams

    @property
    def open_connections(self) -> int:
        """Number of TCP connections of clients."""
        return self._endpoint.server.proxy.connections

    # ------------------------------------------------------------ the plant

    def read(self, tag: str) -> TagReading:
        """Return the tag's current value. Raise KeyError if there is no such tag."""
        return self._plant.read(tag)

    def set(
        self,
        tag: str,
        value: object,
        quality: int = status.GOOD,
        timestamp: datetime | None = None,
        statuses: Sequence[Status] = (status.OK,),
    ) -> None:
        """Set a tag from the plant's side, read-only or not. Advised items report it.

        The tag keeps the value until it is set or written again, and the process follows it. None means no value.
        Raise KeyError if there is no such tag, and CoercionError if the value is not of its type.
        """
        self._plant.set(tag, value, quality, timestamp, statuses)

    def unset(self, tag: str) -> None:
        """Let the plant move a tag again that ``set`` holds. Raise KeyError."""
        self._plant.points.unset(tag)

    def set_message(self, tag: str, value: pb.MxValue, quality: int = status.GOOD) -> None:
        """Set a tag to a message that is sent unchanged: a raw value, another VT. Raise KeyError."""
        self._plant.set_message(tag, value, quality)

    @property
    def alarms(self) -> Sequence[Alarm]:
        """Alarms that are active or not yet acknowledged, in the order in which they were raised."""
        return () if self._plant.alarms is None else tuple(self._plant.alarms.all)

    @property
    def alarms_enabled(self) -> bool:
        """Whether the gateway has alarms."""
        return self._plant.alarms is not None

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
        """Raise an alarm ``Galaxy!Area.Object.Alarm``; do nothing if it is active. ValueError for other references."""
        self._plant.alarm_book().raise_alarm(
            reference,
            severity=severity,
            type_name=type_name,
            category=category,
            description=description,
            value=value,
            limit=limit,
        )

    def clear_alarm(self, reference: str) -> None:
        """Clear an alarm. An alarm of the plant's own follows the process again."""
        self._plant.alarm_book().clear_alarm(reference)

    @property
    def replay_ended(self) -> bool:
        """Whether the recording was played to its end; True if there is none."""
        return self._player is None or self._player.has_ended

    # ------------------------------------------------------------ restarts and schedules

    async def restart(self) -> None:
        """End the gateway's process and start it on the same port. Connections and sessions are lost."""

        def while_down() -> None:
            self._sessions.close_all(StreamEnded("UNAVAILABLE", "the gateway restarted"))
            self._plant.deployment.restarted()

        await self._endpoint.restart(while_down)

    async def swap_certificate(self) -> None:
        """Serve a new certificate on the same port, and keep it. Connections are lost, sessions are not."""
        await self._endpoint.swap_certificate()

    def schedule(self, *faults: Fault | str) -> None:
        """Schedule faults such as ``after 5s drop-stream``. Times count from now, or from the start.

        A line has the form of a fault file. Raise FaultError if it is malformed or impossible with this gateway.
        """
        for fault in faults:
            found = Fault.parse(fault) if isinstance(fault, str) else fault
            self._scheduler.check(found)
            if self._running:
                self._scheduler.add(found)
            else:
                self._scheduled.append(found)
