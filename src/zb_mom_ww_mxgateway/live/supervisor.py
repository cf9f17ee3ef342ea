"""Supervision of a session's event stream: it is read, resumed where it stopped, and the session rebuilt when lost."""

import asyncio
import logging
from contextlib import suppress

from zb_mom_ww_mxgateway import wire
from zb_mom_ww_mxgateway.commands.session_link import SessionLink
from zb_mom_ww_mxgateway.errors import (
    MxGatewayAuthenticationError,
    MxGatewayAuthorizationError,
    MxGatewayContractError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
)
from zb_mom_ww_mxgateway.live.hub import EventHub
from zb_mom_ww_mxgateway.live.rebuild import SILENCES, SessionRebuilder, no_answer_to_commands
from zb_mom_ww_mxgateway.models.events import MxEvent
from zb_mom_ww_mxgateway.session import Session
from zb_mom_ww_mxgateway.status import ProtocolStatusCode
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.system.log import SESSION
from zb_mom_ww_mxgateway.transport.streams import EventStream

# Trying again would end the same; and each session that opens by another contract stays open at the gateway.
_FINAL = (MxGatewayAuthenticationError, MxGatewayAuthorizationError, MxGatewayContractError)
# Seconds between attempts, each a random quarter more or less, so that many clients do not come at once.
_DELAYS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
# Seconds between signs of life; seconds before the first one, and between attempts to get one.
_HEARTBEAT, _ANXIOUS_HEARTBEAT = 10.0, 1.0
# Seconds for a sign of life.
_ANSWER_TIMEOUT = 10.0
# Seconds for the commands' connection to come back when the stream is back.
_CONNECT_TIMEOUT = 2.0
# Seconds between checks whether the machine slept.
_SLEEP_LOOK = 0.5
# Failures in a row to resume, for an unknown reason, after which the session counts as lost.
_PATIENCE = 3


def session_is_gone(error: MxGatewayError) -> bool:
    """Return whether the error says that there is no such session any more, or none that can be used."""
    return isinstance(error, MxGatewaySessionError) and (
        error.grpc_code in ("NOT_FOUND", "FAILED_PRECONDITION")
        or error.protocol_status in (ProtocolStatusCode.SESSION_NOT_FOUND, ProtocolStatusCode.SESSION_NOT_READY)
    )


def worker_is_gone(error: MxGatewayError) -> bool:
    """Return whether the gateway answers that the session has no worker: the session will have none again."""
    return isinstance(error, MxGatewayWorkerError) and (
        error.grpc_code == "UNAVAILABLE" or error.protocol_status == ProtocolStatusCode.WORKER_UNAVAILABLE
    )


class SessionSupervisor:
    """Reads the one stream of a live session for as long as it lives."""

    def __init__(self, hub: EventHub, session: Session, link: SessionLink, *, rebuild: bool) -> None:
        self._hub = hub
        self._session = session
        self._link = link
        self._rebuilder = SessionRebuilder(hub, link) if rebuild else None
        # Open at once, so that nothing is missed.
        self._stream = self._link.stream_events_proven(after=hub.last_worker_sequence)
        self._ever_live = False
        # Whether the gateway has proven that it has taken the stream.
        self._attached = False
        # Whether any stream of this session was ever attached.
        self._was_attached = False
        # Whether the session had another stream before.
        self._resumed = False
        self._failures = 0
        # When the last sign of life came, by the clock.
        self._last_alive_at = clock.monotonic()
        self._end_reason: MxGatewayError | None = None
        self._sleep_watch = clock.SleepWatch()
        self._looked_at = clock.monotonic()
        # Until events are known not to be from before the machine slept.
        self._was_asleep = False
        self._one_round = asyncio.Lock()
        self._next_round: asyncio.Task[bool] | None = None
        # Whether the connection of the commands was replaced, and the new one has not answered yet.
        self._awaits_answer = False
        # Set to ask for a sign of life at once.
        self._check_due = asyncio.Event()

    async def run(self) -> MxGatewayError | None:
        """Read until the session is over for good; return why, or None when it was closed here."""
        while True:
            error = await self._follow(self._stream)
            if self._link.closed:
                return None
            if self._is_final(error):
                return error
            try:
                if self._needs_rebuild(error):
                    stream = await self._rebuild(error)
                else:
                    stream = await self._resume(error)
            except MxGatewayError as lost:
                return None if self._link.closed else lost
            self._stream = stream

    def waiting(self) -> tuple[int, int]:
        """Return the messages that wait in the stream, and about how many bytes they have."""
        return self._stream.waiting

    async def caught_up(self, timeout: float) -> bool:
        """Do what :meth:`LiveSession.caught_up` says."""
        self._check_sleep()
        if self._was_asleep:
            return False
        if self._next_round is None:
            self._next_round = asyncio.create_task(self._round(), name="catching up")
        with suppress(TimeoutError):
            async with clock.timeout(timeout):
                # Shielded, as others wait for it, too.
                return await asyncio.shield(self._next_round)
        return False

    async def _round(self) -> bool:
        # A round proves nothing about events that come after its beginning: callers meanwhile share the next one.
        async with self._one_round:
            self._next_round = None
            stream = self._stream
            return await stream.caught_up(_ANSWER_TIMEOUT) and stream is self._stream

    async def close(self) -> None:
        """End the stream that is being read."""
        await self._stream.aclose()

    def _is_final(self, error: MxGatewayError) -> bool:
        if error is self._failure or isinstance(error, _FINAL):
            return True
        # At first, an error that is not of the connection is a mistake of the caller.
        return not self._ever_live and not isinstance(error, MxGatewayTransportError)

    def _needs_rebuild(self, error: MxGatewayError) -> bool:
        if isinstance(error, MxGatewayTransportError) or error.grpc_code == "ALREADY_EXISTS" or error is self._ended:
            return False
        if isinstance(error, MxGatewaySessionError | MxGatewayWorkerError):
            return True
        return self._failures >= _PATIENCE

    # One stream.

    _ended: MxGatewayError | None = None
    # An error of this module, neither the gateway's nor the connection's.
    _failure: MxGatewayError | None = None

    async def _follow(self, stream: EventStream[MxEvent]) -> MxGatewayError:
        """Read the stream to its end; return why it ended."""
        self._end_reason = self._ended = None
        self._attached = self._was_asleep = False
        self._hub.note_awake()
        try:
            async with asyncio.TaskGroup() as group:
                doing = {
                    "proving that the stream is read": self._prove(stream),
                    "asking for signs of life": self._heartbeat(stream),
                    "reading again what may be old": self._read_again(),
                    "looking whether the machine slept": self._watch_sleep(stream),
                }
                tasks = [group.create_task(each, name=name) for name, each in doing.items()]
                try:
                    async for event in stream:
                        if event.received_at - self._looked_at > _SLEEP_LOOK:
                            self._check_sleep()
                        if not self._was_asleep:
                            self._alive(event.received_at)
                        self._hub.take(event)
                    self._ended = MxGatewaySessionError("the gateway ended the event stream")
                except MxGatewayError as error:
                    self._end_reason = self._end_reason or error
                finally:
                    for task in tasks:
                        task.cancel()
        except ExceptionGroup as failed:
            # Without one of these tasks it is unknown whether a value holds, so the session must not go on.
            cause = failed.exceptions[0]
            self._failure = MxGatewayError(
                f"the session cannot be kept, internal error, please report it: {cause!r}; connect again",
                endpoint=self._link.endpoint,
            )
            self._failure.__cause__ = cause
            return self._failure
        return self._end_reason or self._ended or MxGatewaySessionError("the event stream was closed")

    def _alive(self, at: float = 0.0) -> None:
        if not at:
            self._check_sleep()
        self._last_alive_at = at or clock.monotonic()
        self._ever_live = self._attached = self._was_attached = True
        self._failures = 0
        if not (self._awaits_answer or self._was_asleep):
            self._hub.set_live()

    def check_now(self) -> None:
        """Ask for a sign of life now, as a command was not answered."""
        self._check_due.set()

    async def _prove(self, stream: EventStream[MxEvent]) -> None:
        # What broke the stream may have broken the other connection too: a write right after this must find it.
        connecting = asyncio.create_task(self._link.transport.channel.reconnected(_CONNECT_TIMEOUT))
        proven = False
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._link.transport.options.call_timeout):
                    proven = await stream.attached()
            await connecting
        finally:
            connecting.cancel()
        if not proven:
            # A stream that has ended raises the reason itself.
            if not self._attached and not stream.ended:
                self._end_reason = self._misread() if stream.is_misread else self._no_answer()
                await stream.aclose()
            return
        self._alive()
        # In a new session the first data changes confirm the values.
        if self._hub.last_worker_sequence or self._resumed:
            self._hub.in_doubt.set()

    def _no_answer(self) -> MxGatewayTransportError:
        endpoint = self._link.endpoint
        return MxGatewayTransportError(
            f"stream_events at {endpoint}: no answer on the stream's connection",
            endpoint=endpoint,
            call="stream_events",
        )

    def _misread(self) -> MxGatewayContractError:
        endpoint = self._link.endpoint
        return MxGatewayContractError(
            f"stream_events at {endpoint}: the gateway calls a ping invalid; {wire.COMPARE}",
            endpoint=endpoint,
            call="stream_events",
        )

    async def _heartbeat(self, stream: EventStream[MxEvent]) -> None:
        """Ask for a sign of life soon, and then at intervals, on the connections of the commands and of the stream.

        Either can be dead without an error.
        """
        pause = _ANXIOUS_HEARTBEAT
        silent, silences, without_worker = False, 0, 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._check_due.wait()
            pause = _HEARTBEAT
            events, start = self._hub.events, clock.monotonic()
            try:
                await self._session.ping(timeout=_ANSWER_TIMEOUT)
            except (MxGatewayTransportError, MxGatewayWorkerError) as error:
                self._check_due.clear()
                pause = _ANXIOUS_HEARTBEAT
                # One silence may be a busy worker. gRPC itself makes a broken connection again.
                silences = silences + 1 if error.grpc_code == "DEADLINE_EXCEEDED" else 0
                without_worker = without_worker + 1 if worker_is_gone(error) else 0
                if without_worker >= _PATIENCE:
                    # The stream would have ended with it, if its connection passed anything on.
                    self._end_reason = error
                    await stream.aclose()
                    return
                if silences >= SILENCES:
                    silences = 0
                    self._give_up_connection()
                elif self._hub.events == events:
                    # It may have been dead since the last sign of life.
                    self._hub.set_stale(error, self._last_alive_at)
                continue
            except MxGatewayError as error:
                if session_is_gone(error):
                    self._end_reason = error
                    await stream.aclose()
                    return
            self._check_due.clear()
            self._awaits_answer, silences, without_worker = False, 0, 0
            self._hub.round_trip = clock.monotonic() - start
            if not self._attached:
                continue
            was_silent, silent = silent, not await stream.answers(_ANSWER_TIMEOUT) and self._hub.events == events
            if not silent:
                self._alive()
                self._hub.in_doubt.set()
                continue
            if stream.closed:
                # No silence: it was closed here meanwhile.
                return
            self._hub.set_stale(self._no_answer(), self._last_alive_at)
            pause = _ANXIOUS_HEARTBEAT
            # One silence may be a busy worker.
            if was_silent:
                self._end_reason = self._no_answer()
                await stream.aclose()
                return

    # A machine that slept.

    async def _watch_sleep(self, stream: EventStream[MxEvent]) -> None:
        """Watch for a sleep of the machine, during which no event came; those that come now may be old.

        All values are stale until an answer on the stream's own connection shows that nothing older can come.
        """
        while True:
            await asyncio.sleep(_SLEEP_LOOK)
            self._check_sleep()
            if self._was_asleep:
                if not await stream.caught_up(_ANSWER_TIMEOUT):
                    if not stream.closed:
                        self._end_reason = self._no_answer()
                        await stream.aclose()
                    return
                self._was_asleep = False
                self._hub.note_awake()
                self._alive()
                self._hub.in_doubt.set()

    def _check_sleep(self) -> None:
        before, self._looked_at = self._looked_at, clock.monotonic()
        if (slept := self._sleep_watch.slept()) and not self._link.closed:
            self._was_asleep = True
            # The last event came before the sleep.
            self._hub.note_sleep(slept, max(before, self._last_alive_at))

    def _give_up_connection(self) -> None:
        dead = no_answer_to_commands(self._link.endpoint)
        self._awaits_answer = True
        self._hub.set_stale(dead, self._last_alive_at)
        self._link.transport.renew_channel(dead)

    async def _read_again(self) -> None:
        """Read values that may be old, one reading after another, so that losses meanwhile lead to the next one."""
        while True:
            await self._hub.in_doubt.wait()
            self._hub.in_doubt.clear()
            await self._hub.read_doubtful()
            # At most so often, however often events are lost.
            await asyncio.sleep(_ANXIOUS_HEARTBEAT)

    # Resuming and rebuilding.

    async def _pause(self) -> None:
        delay = _DELAYS[min(self._failures, len(_DELAYS) - 1)]
        self._failures += 1
        import random  # Lazy: most connections hold.

        await asyncio.sleep(delay * random.uniform(0.75, 1.25))
        if self._failures > 1:  # Most losses are over at the first attempt.
            await self._link.transport.renew_trust()

    async def _resume(self, error: MxGatewayError) -> EventStream[MxEvent]:
        self._hub.set_stale(error)
        await self._pause()
        self._link.log(
            SESSION,
            logging.INFO,
            f"{self._link.session_id}: the event stream is resumed after sequence {self._hub.last_worker_sequence}",
        )
        self._hub.resumes += 1
        self._resumed = True
        if not self._hub.last_worker_sequence and self._was_attached:
            self._hub.count_missed()
        return self._link.stream_events_proven(after=self._hub.last_worker_sequence)

    async def _rebuild(self, error: MxGatewayError) -> EventStream[MxEvent]:
        if self._rebuilder is None:
            raise error
        stream = await self._rebuilder.rebuild(error, self._pause, _ANSWER_TIMEOUT)
        self._resumed = self._was_attached = self._awaits_answer = False
        return stream
