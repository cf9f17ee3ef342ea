"""One session: its state, its lease, its worker, its events, and the queue of its commands."""

import asyncio
from collections.abc import Awaitable, Callable

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

from .agenda import Agenda, Appointment
from .clock import Clock
from .codec import encode_event
from .events import EventLog, Subscription
from .points import Reading
from .refusal import AlreadyAttached, Ended, Exhausted, NotReady, Refused
from .worker import Item, Plant, Worker

MAX_PENDING = 128

Command = Callable[[], Awaitable[pb.MxCommandReply]]
Answer = asyncio.Future[pb.MxCommandReply]


def state_name(state: int) -> str:
    """``READY`` for the state of that number."""
    return pb.SessionState.Name(state).removeprefix("SESSION_STATE_")


class Session:
    """One session. ``state`` only moves forward: CLOSED is final, FAULTED can only become CLOSED."""

    def __init__(
        self,
        session_id: str,
        client_name: str,
        plant: Plant,
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
        self.started_ns = plant.clock.now()
        self._state: int = pb.SESSION_STATE_CREATING
        self._agenda: Agenda = plant.agenda
        self._clock: Clock = plant.clock
        self._lease = lease
        self._detach_grace = detach_grace
        self._renewed = self._clock.monotonic()
        self._check: Appointment | None = None
        self._detached_at: float | None = None
        self._commands: asyncio.Queue[tuple[Command, Answer] | None] = asyncio.Queue()
        self._running: Answer | None = None
        self.worker = Worker(plant, self)
        self.events = EventLog(
            session_id, plant.clock, queue_size, self.fault if fault_on_overflow else self._stream_gone
        )

    @property
    def state(self) -> str:
        """``READY``, ``FAULTED``, ``CLOSED`` …"""
        return state_name(self._state)

    @property
    def state_number(self) -> int:
        return self._state

    @property
    def attached(self) -> bool:
        """Whether an event stream is attached."""
        return self.events.subscription is not None

    def become_ready(self) -> None:
        """Goes through the states of a starting worker, all at once."""
        for state in (
            pb.SESSION_STATE_STARTING_WORKER,
            pb.SESSION_STATE_WAITING_FOR_PIPE,
            pb.SESSION_STATE_HANDSHAKING,
            pb.SESSION_STATE_INITIALIZING_WORKER,
            pb.SESSION_STATE_READY,
        ):
            self._state = state
        self._watch_lease()

    def renew(self) -> None:
        """A unary call came: the lease begins anew."""
        self._renewed = self._clock.monotonic()

    def check_ready(self) -> None:
        """Raises NotReady unless the session takes commands."""
        if self._state != pb.SESSION_STATE_READY:
            worker = "FAULTED" if self._state == pb.SESSION_STATE_FAULTED else self.state
            raise NotReady(f"Session state is {self.state}; worker state is {worker}")

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
                elif not isinstance(error, Refused):
                    raise
            else:
                if not answer.done():
                    answer.set_result(reply)
            self._running = None

    def attach(self, after: int) -> Subscription:
        """Attaches the one event stream; AlreadyAttached if there is one, NotReady if the session is not."""
        self.check_ready()
        if self.attached:
            raise AlreadyAttached(f"{self.session_id} has an event subscriber")
        self._detached_at = None
        return self.events.attach(after)

    def detach(self, subscription: Subscription) -> None:
        """The stream is gone; the detach grace begins. Nothing if another is attached by now."""
        if self.events.subscription is subscription:
            self.events.detach()
            self._stream_gone()

    def drop_stream(self, ended: Ended) -> None:
        """Ends the attached stream from this side, if there is one."""
        if self.attached:
            self.events.detach(ended)
            self._stream_gone()

    def fault(self) -> None:
        """The session can only be closed from now on; its stream ends."""
        if self._state >= pb.SESSION_STATE_CLOSING:
            return
        self._state = pb.SESSION_STATE_FAULTED
        reason = "Session state is FAULTED; worker state is FAULTED"
        self.worker.close()
        self._refuse_pending(reason)
        self.events.detach(Ended("FAILED_PRECONDITION", reason))
        self._watch_lease()

    def close(self, ended: Ended) -> None:
        """Final. The attached stream, if any, ends as ``ended`` says."""
        if self._state == pb.SESSION_STATE_CLOSED:
            return
        self._state = pb.SESSION_STATE_CLOSED
        if self._check is not None:
            self._check.cancel()
        self.worker.close()
        self._refuse_pending("Session state is CLOSED; worker state is CLOSED")
        self.events.detach(ended)

    def data_changed(self, item: Item, reading: Reading) -> None:
        event = encode_event(pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, item.server_handle, item.handle, reading)
        event.on_data_change.SetInParent()
        self.events.append(event)

    def write_completed(self, item: Item, reading: Reading) -> None:
        event = encode_event(pb.MX_EVENT_FAMILY_ON_WRITE_COMPLETE, item.server_handle, item.handle, reading)
        event.on_write_complete.SetInParent()
        event.hresult = 0
        self.events.append(event)

    def _stream_gone(self) -> None:
        self._detached_at = self._clock.monotonic()
        self._watch_lease()

    def _refuse_pending(self, reason: str) -> None:
        answers = [] if self._running is None else [self._running]
        while not self._commands.empty():
            waiting = self._commands.get_nowait()
            if waiting is not None:
                answers.append(waiting[1])
        for answer in answers:
            if not answer.done():
                answer.set_exception(NotReady(reason))
        # Wakes the runner, that it may end.
        self._commands.put_nowait(None)

    def _watch_lease(self) -> None:
        if self._check is not None:
            self._check.cancel()
        self._check = self._agenda.after(max(0.0, self._deadline() - self._clock.monotonic()), self._check_lease)

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
            self.close(Ended("NOT_FOUND", f"the lease of {self.session_id} has run out"))
        else:
            self._watch_lease()
