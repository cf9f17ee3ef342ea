"""One session: its state, its lease, its worker, its events, and the queue of its commands."""

import asyncio
from collections.abc import Awaitable, Callable

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.plant.point_store import TagReading
from zb_mom_ww_mxgateway_sim.runtime.clock import TimeSource
from zb_mom_ww_mxgateway_sim.runtime.refusal import (
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

# The states of a starting session in their order, and how far its worker is meanwhile.
_STARTING: dict[int, str] = {
    pb.SESSION_STATE_CREATING: "NOT_STARTED",
    pb.SESSION_STATE_STARTING_WORKER: "STARTING",
    pb.SESSION_STATE_WAITING_FOR_PIPE: "STARTING",
    pb.SESSION_STATE_HANDSHAKING: "HANDSHAKING",
    pb.SESSION_STATE_INITIALIZING_WORKER: "INITIALIZING",
}

Command = Callable[[], Awaitable[pb.MxCommandReply]]
Answer = asyncio.Future[pb.MxCommandReply]


def state_name(state: int) -> str:
    """``READY`` for the state of that number."""
    return pb.SessionState.Name(state).removeprefix("SESSION_STATE_")


class SimulatedSession:
    """One session. ``state`` only moves forward: CLOSED is final, FAULTED can only become CLOSED."""

    def __init__(
        self,
        session_id: str,
        client_name: str,
        plant: PlantAccess,
        galaxy: GalaxyUsers,
        *,
        command_timeout: float,
        queue_size: int,
        fault_on_overflow: bool,
        lease: float,
        detach_grace: float,
        process_id: int,
    ) -> None:
        self.session_id = session_id
        self.client_name = client_name
        self.command_timeout = command_timeout
        self.process_id = process_id
        self.started_ns: int = plant.clock.now()
        self._state: int = pb.SESSION_STATE_CREATING
        self._timers: TimerQueue = plant.timers
        self._clock: TimeSource = plant.clock
        self._lease = lease
        self._detach_grace = detach_grace
        self._renewed = self._clock.monotonic()
        self._starting: Timer | None = None
        self._check: Timer | None = None
        self._detached_at: float | None = None
        self._commands: asyncio.Queue[tuple[Command, Answer] | None] = asyncio.Queue()
        self._running: Answer | None = None
        self._worker_gone = False
        # Called once, when the worker ends for whatever reason.
        self.on_worker_end: list[Callable[[], None]] = []
        self.worker: Worker = Worker(plant, galaxy, self)
        self.events: EventLog = EventLog(
            session_id, plant.clock, queue_size, self.fault if fault_on_overflow else self._stream_ended
        )

    @property
    def state(self) -> str:
        """``READY``, ``FAULTED``, ``CLOSED`` …"""
        return state_name(self._state)

    @property
    def state_number(self) -> int:
        return self._state

    @property
    def ready(self) -> bool:
        """Whether the session takes commands."""
        return self._state == pb.SESSION_STATE_READY

    @property
    def attached(self) -> bool:
        """Whether an event stream is attached."""
        return self.events.subscription is not None

    @property
    def items(self) -> list[WorkerItem]:
        """The items of all its server handles, to be looked at."""
        return self.worker.items

    @property
    def last_sequence(self) -> int:
        """Of the last event that came about, whether or not anyone was given it."""
        return self.events.last_sequence

    def become_ready(self, seconds: float) -> None:
        """Goes through the states of a starting worker, in so many seconds altogether."""
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
        """A unary call came: the lease begins anew."""
        self._renewed = self._clock.monotonic()

    def check_ready(self) -> None:
        """Raises NotReady unless the session takes commands."""
        if self._worker_gone:
            raise WorkerEnded(f"the worker of {self.session_id} ended")
        if self._state in _STARTING:
            raise SessionStarting(f"Session state is {self.state}; worker state is {_STARTING[self._state]}")
        if self._state != pb.SESSION_STATE_READY:
            worker = "FAULTED" if self._state == pb.SESSION_STATE_FAULTED else self.state
            raise SessionNotReady(f"Session state is {self.state}; worker state is {worker}")

    def submit(self, command: Command) -> Answer:
        """Queues a command for the worker, which runs it even if nobody waits any more."""
        self.check_ready()
        if self._commands.qsize() >= MAX_PENDING:
            raise Exhausted(f"{MAX_PENDING} commands are pending in {self.session_id}")
        answer: Answer = asyncio.get_running_loop().create_future()
        # An answer whose caller has gone may fail without anyone asking.
        answer.add_done_callback(lambda done: done.cancelled() or done.exception())
        self._commands.put_nowait((command, answer))
        return answer

    async def run(self) -> None:
        """Runs the commands one after the other, until cancelled or closed."""
        while (waiting := await self._commands.get()) is not None:
            command, answer = waiting
            self._running = answer
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
            self._running = None

    def attach(self, after: int) -> SubscriberQueue[pb.MxEvent]:
        """Attaches the one event stream; AlreadyAttached if there is one, NotReady if the session is not."""
        self.check_ready()
        if self.attached:
            raise AlreadyAttached(f"{self.session_id} has an event subscriber")
        self._detached_at = None
        return self.events.attach(after)

    def detach(self, subscription: SubscriberQueue[pb.MxEvent]) -> None:
        """The stream is gone; the detach grace begins. Nothing if another is attached by now."""
        if self.events.subscription is subscription:
            self.events.detach()
            self._stream_ended()

    def drop_stream(self, ended: StreamEnded) -> None:
        """Ends the attached stream from this side, if there is one."""
        if self.attached:
            self.events.detach(ended)
            self._stream_ended()

    def fault(self) -> None:
        """The session can only be closed from now on; its stream ends."""
        if self._state >= pb.SESSION_STATE_CLOSING:
            return
        self._end_worker(pb.SESSION_STATE_FAULTED)
        reason = "Session state is FAULTED; worker state is FAULTED"
        self._refuse_pending(SessionNotReady(reason))
        self.events.detach(StreamEnded("FAILED_PRECONDITION", reason))
        self._watch_lease()

    def lose_worker(self) -> None:
        """The worker's process ends, after the command that it is at: the session can only be closed."""
        self._end_worker(pb.SESSION_STATE_FAULTED)
        self._worker_gone = True
        self._running = None
        reason = f"the worker of {self.session_id} ended"
        self._refuse_pending(WorkerEnded(reason))
        self.events.detach(StreamEnded("UNAVAILABLE", reason))
        self._watch_lease()

    def close(self, ended: StreamEnded) -> None:
        """Final. The attached stream, if any, ends as ``ended`` says."""
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
        event = encode_event(pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, item.server_handle, item.handle, reading)
        event.on_data_change.SetInParent()
        self.events.append(event)

    def buffered_data_changed(self, item: WorkerItem, readings: list[TagReading]) -> None:
        self.events.append(encode_buffered(item.server_handle, item.handle, readings))

    def write_completed(self, item: WorkerItem, reading: TagReading) -> None:
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
        # Wakes the runner, that it may end.
        self._commands.put_nowait(None)

    def _watch_lease(self) -> None:
        if self._check is not None:
            self._check.cancel()
        self._check = self._timers.after(max(0.0, self._deadline() - self._clock.monotonic()), self._check_lease)

    def _deadline(self) -> float:
        """When the session ends if nothing happens. Only a new stream saves one that lost its stream."""
        if self._detached_at is not None:
            return self._detached_at + self._detach_grace
        return self._renewed + self._lease

    def _check_lease(self) -> None:
        self._check = None
        if self.attached:
            return
        if self._clock.monotonic() >= self._deadline() - 1e-6:
            self.close(StreamEnded("NOT_FOUND", f"the lease of {self.session_id} has run out"))
        else:
            self._watch_lease()
