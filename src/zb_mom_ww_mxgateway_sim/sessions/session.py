"""One session of the gateway: state, lease, worker, events and the queue of its commands."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.plant.point_store import TagReading
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.errors import (
    AlreadyAttached,
    CallRefused,
    Exhausted,
    SessionNotReady,
    SessionStarting,
    StreamEnded,
    WorkerEnded,
)
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import Timer, TimerQueue
from zb_mom_ww_mxgateway_sim.sessions.event_log import EventLog, SubscriberQueue
from zb_mom_ww_mxgateway_sim.sessions.items import PlantAccess, WorkerItem
from zb_mom_ww_mxgateway_sim.sessions.users import GalaxyUsers
from zb_mom_ww_mxgateway_sim.sessions.worker import Worker
from zb_mom_ww_mxgateway_sim.wire.codec import encode_buffered, encode_event

MAX_PENDING = 128

# States of a starting session in their order, each with the state of its worker.
_STARTING: dict[int, str] = {
    pb.SESSION_STATE_CREATING: "NOT_STARTED",
    pb.SESSION_STATE_STARTING_WORKER: "STARTING",
    pb.SESSION_STATE_WAITING_FOR_PIPE: "STARTING",
    pb.SESSION_STATE_HANDSHAKING: "HANDSHAKING",
    pb.SESSION_STATE_INITIALIZING_WORKER: "INITIALIZING",
}

_ENDING = (pb.SESSION_STATE_CLOSING, pb.SESSION_STATE_CLOSED, pb.SESSION_STATE_FAULTED)

Command = Callable[[], Awaitable[pb.MxCommandReply]]
Answer = asyncio.Future[pb.MxCommandReply]


def state_name(state: int) -> str:
    """Return ``READY`` for the number of that state."""
    return pb.SessionState.Name(state).removeprefix("SESSION_STATE_")


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Options of the gateway for its sessions. Times are seconds."""

    command_timeout: float = 30.0
    queue_size: int = 10_000
    """Events that wait for the subscriber; one more is an overflow."""
    fault_on_overflow: bool = True
    """Whether an overflow faults the session, or only ends its stream."""
    lease: float = 1800.0
    """How long a session without a stream lives after its last unary call."""
    detach_grace: float = 30.0
    """How long a session lives after its stream has ended."""
    start_time: float = 0.0
    """From OpenSession to READY."""
    command_limit: float = 75.0
    """How long a command may run in the worker, with or without a caller; then the session is faulted."""


class GatewaySession:
    """One session. ``state`` only moves forward: CLOSED is final, FAULTED can only become CLOSED."""

    def __init__(
        self,
        session_id: str,
        client_name: str,
        plant: PlantAccess,
        users: GalaxyUsers,
        options: SessionOptions,
        process_id: int,
    ) -> None:
        self.session_id = session_id
        self.client_name = client_name
        self.command_timeout: float = options.command_timeout
        self.process_id = process_id
        self.started_ns: int = plant.clock.now()
        self._state: int = pb.SESSION_STATE_CREATING
        self._timers: TimerQueue = plant.timers
        self._clock: TimeSource = plant.clock
        self._options = options
        self._renewed = self._clock.monotonic()
        self._starting: Timer | None = None
        self._check: Timer | None = None
        self._detached_at: float | None = None
        self._commands: asyncio.Queue[tuple[Command, Answer] | None] = asyncio.Queue()
        self._running: Answer | None = None
        self._worker_ended = False
        # Called once, when the worker ends for any reason.
        self.on_worker_end: list[Callable[[], None]] = []
        self.worker: Worker = Worker(plant, users, self)
        on_overflow = self.fault if options.fault_on_overflow else self._stream_ended
        self.events: EventLog = EventLog(session_id, plant.clock, options.queue_size, on_overflow)

    @property
    def state(self) -> str:
        """Name of the state: ``READY``, ``FAULTED``, ``CLOSED`` …"""
        return state_name(self._state)

    @property
    def state_number(self) -> int:
        """The state as ``pb.SessionState``."""
        return self._state

    @property
    def ready(self) -> bool:
        """Whether the session takes commands."""
        return self._state == pb.SESSION_STATE_READY

    @property
    def attached(self) -> bool:
        """Whether an event stream is attached."""
        return self.events.subscriber is not None

    def start(self) -> None:
        """Start the worker: pass through its states within the start time."""
        seconds = self._options.start_time
        self._watch_lease()
        if seconds <= 0:
            self._state = pb.SESSION_STATE_READY
            return
        later = iter((*_STARTING, pb.SESSION_STATE_READY))

        def advance() -> None:
            self._state = next(later)
            starting = self._state != pb.SESSION_STATE_READY
            self._starting = self._timers.after(seconds / len(_STARTING), advance) if starting else None

        advance()

    def renew(self) -> None:
        """Restart the lease, as each unary call does."""
        self._renewed = self._clock.monotonic()

    def check_ready(self) -> None:
        """Raise SessionNotReady or WorkerEnded unless the session takes commands."""
        if self._worker_ended:
            raise WorkerEnded(f"the worker of {self.session_id} ended")
        if self._state in _STARTING:
            raise SessionStarting(f"Session state is {self.state}; worker state is {_STARTING[self._state]}")
        if self._state != pb.SESSION_STATE_READY:
            worker = "FAULTED" if self._state == pb.SESSION_STATE_FAULTED else self.state
            raise SessionNotReady(f"Session state is {self.state}; worker state is {worker}")

    def submit(self, command: Command) -> Answer:
        """Queue a command for the worker. It runs even if its caller has gone. Raise Exhausted if too many wait."""
        self.check_ready()
        if self._commands.qsize() >= MAX_PENDING:
            raise Exhausted(f"{MAX_PENDING} commands are pending in {self.session_id}")
        answer: Answer = asyncio.get_running_loop().create_future()
        # Read the exception: asyncio warns of one that is never read, and the caller may have gone.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._commands.put_nowait((command, answer))
        return answer

    async def run(self) -> None:
        """Run the commands one after another, until cancelled or closed."""
        while (waiting := await self._commands.get()) is not None:
            command, answer = waiting
            self._running = answer
            limit = self._timers.after(self._options.command_limit, self.fault)
            try:
                reply = await command()
            except Exception as error:
                if not answer.done():
                    answer.set_exception(error)
                elif not isinstance(error, CallRefused):
                    raise
            else:
                if not answer.done():
                    answer.set_result(reply)
            finally:
                limit.cancel()
            self._running = None

    def attach(self, after: int) -> SubscriberQueue[pb.MxEvent]:
        """Attach the one event stream. Raise AlreadyAttached if there is one, and what ``check_ready`` raises."""
        self.check_ready()
        if self.attached:
            raise AlreadyAttached(f"{self.session_id} has an event subscriber")
        return self.events.attach(after)

    def detach(self, subscriber: SubscriberQueue[pb.MxEvent]) -> None:
        """Detach a stream that has ended, and begin the detach grace. Do nothing if another stream is attached."""
        if self.events.subscriber is subscriber:
            self.events.detach()
            self._stream_ended()

    def drop_stream(self, ended: StreamEnded) -> None:
        """End the attached stream, if any, from the gateway's side."""
        if self.attached:
            self.events.detach(ended)
            self._stream_ended()

    def fault(self) -> None:
        """Fault the session: its stream ends, and it can only be closed."""
        if self._state in _ENDING:
            return
        self._end_worker(pb.SESSION_STATE_FAULTED)
        reason = "Session state is FAULTED; worker state is FAULTED"
        self._refuse_pending(SessionNotReady(reason))
        self.events.detach(StreamEnded("FAILED_PRECONDITION", reason))
        self._watch_lease()

    def lose_worker(self, *, after_command: bool = False) -> None:
        """End the worker's process, at once or after its current command. The session can only be closed then."""
        if self._state == pb.SESSION_STATE_CLOSED:
            return
        self._end_worker(pb.SESSION_STATE_FAULTED)
        self._worker_ended = True
        if after_command:
            self._running = None
        reason = f"the worker of {self.session_id} ended"
        self._refuse_pending(WorkerEnded(reason))
        self.events.detach(StreamEnded("UNAVAILABLE", reason))
        self._watch_lease()

    def close(self, ended: StreamEnded) -> None:
        """Close the session for good. The attached stream, if any, ends with ``ended``."""
        if self._state == pb.SESSION_STATE_CLOSED:
            return
        self._end_worker(pb.SESSION_STATE_CLOSED)
        if self._check is not None:
            self._check.cancel()
        self._refuse_pending(SessionNotReady("Session state is CLOSED; worker state is CLOSED"))
        self.events.detach(ended)
        self.events.forget()

    def _end_worker(self, state: int) -> None:
        self._state = state
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        self.worker.close()
        while self.on_worker_end:
            self.on_worker_end.pop()()

    def data_changed(self, item: WorkerItem, reading: TagReading) -> None:
        """Publish an OnDataChange event."""
        event = encode_event(pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, item.server_handle, item.handle, reading)
        event.on_data_change.SetInParent()
        self.events.append(event)

    def buffered_data_changed(self, item: WorkerItem, reading: TagReading) -> None:
        """Publish an OnBufferedDataChange event of one sample."""
        self.events.append(encode_buffered(item.server_handle, item.handle, reading))

    def write_completed(self, item: WorkerItem, reading: TagReading) -> None:
        """Publish an OnWriteComplete event."""
        event = encode_event(pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE, item.server_handle, item.handle, reading)
        event.on_write_complete.SetInParent()
        event.hresult = 0
        self.events.append(event)

    def _stream_ended(self) -> None:
        self._detached_at = self._clock.monotonic()
        self._watch_lease()

    def _refuse_pending(self, refused: CallRefused) -> None:
        answers = [] if self._running is None else [self._running]
        while not self._commands.empty():
            waiting = self._commands.get_nowait()
            if waiting is not None:
                answers.append(waiting[1])
        for answer in answers:
            if not answer.done():
                answer.set_exception(refused)
        # Wake ``run``, so that it ends.
        self._commands.put_nowait(None)

    def _watch_lease(self) -> None:
        if self._check is not None:
            self._check.cancel()
        self._check = self._timers.after(max(0.0, self._deadline() - self._clock.monotonic()), self._check_lease)

    def _deadline(self) -> float:
        """Return when the session ends without a new stream or call. After a lost stream only a new stream counts."""
        if self._detached_at is not None:
            return self._detached_at + self._options.detach_grace
        return self._renewed + self._options.lease

    def _check_lease(self) -> None:
        self._check = None
        if self.attached:
            return
        if self._clock.monotonic() >= self._deadline() - 1e-6:
            self.close(StreamEnded("NOT_FOUND", f"the lease of {self.session_id} has run out"))
        else:
            self._watch_lease()
