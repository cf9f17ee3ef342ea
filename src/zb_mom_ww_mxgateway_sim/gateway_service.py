"""The rpcs of MxAccessGateway."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb, mxaccess_gateway_pb2_grpc as rpc

from . import invoke
from .agenda import Agenda
from .clock import Clock
from .faults import Faults, kind_name
from .keys import ApiKey, Scope
from .reception import Context, Reception, require
from .refusal import AlarmsDisabled, ConnectionLost, Ended, InvalidRequest, Refused, TookTooLong
from .session import Session
from .sessions import Sessions

GATEWAY_PROTOCOL_VERSION = 3
WORKER_PROTOCOL_VERSION = 1
BACKEND = "mxaccess-simulated"
CAPABILITIES = ("events", "bulk", "replay", "galaxy")

MakeSession = Callable[[pb.OpenSessionRequest, str, int], Session]


class GatewayService(rpc.MxAccessGatewayServicer):
    """Sessions, commands and events. What it raises, the reception speaks."""

    def __init__(
        self,
        reception: Reception,
        sessions: Sessions,
        faults: Faults,
        agenda: Agenda,
        clock: Clock,
        make_session: MakeSession,
    ) -> None:
        self._reception = reception
        self._sessions = sessions
        self._faults = faults
        self._agenda = agenda
        self._clock = clock
        self._make_session = make_session

    async def OpenSession(self, request: pb.OpenSessionRequest, context: Context) -> pb.OpenSessionReply:
        async def answer(key: ApiKey) -> pb.OpenSessionReply:
            return self._open(request)

        return await self._reception.unary("OpenSession", request, context, Scope.SESSION_OPEN, answer)

    def _open(self, request: pb.OpenSessionRequest) -> pb.OpenSessionReply:
        failure = self._faults.take_reply_failure("OpenSession")
        if failure is not None:
            return pb.OpenSessionReply(
                gateway_protocol_version=GATEWAY_PROTOCOL_VERSION,
                protocol_status=pb.ProtocolStatus(code=failure.protocol_status, message=failure.details),
            )
        if request.command_timeout.ToNanoseconds() < 0:
            raise InvalidRequest("command_timeout is negative")
        session = self._sessions.open(lambda key, process_id: self._make_session(request, key, process_id))
        reply = pb.OpenSessionReply(
            session_id=session.session_id,
            backend_name=BACKEND,
            worker_process_id=session.process_id,
            worker_protocol_version=WORKER_PROTOCOL_VERSION,
            capabilities=CAPABILITIES,
            gateway_protocol_version=GATEWAY_PROTOCOL_VERSION,
            protocol_status=pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK, message="OK"),
        )
        reply.default_command_timeout.FromNanoseconds(round(session.command_timeout * 1e9))
        return reply

    async def CloseSession(self, request: pb.CloseSessionRequest, context: Context) -> pb.CloseSessionReply:
        async def answer(key: ApiKey) -> pb.CloseSessionReply:
            session = self._sessions.find(request.session_id)
            failure = self._faults.take_reply_failure("CloseSession")
            if failure is not None:
                refused = pb.ProtocolStatus(code=failure.protocol_status, message=failure.details)
                return pb.CloseSessionReply(session_id=session.session_id, protocol_status=refused)
            session.close(Ended(None))
            return pb.CloseSessionReply(
                session_id=session.session_id,
                final_state=pb.SESSION_STATE_CLOSED,
                protocol_status=pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK, message="OK"),
            )

        return await self._reception.unary("CloseSession", request, context, Scope.SESSION_CLOSE, answer)

    async def Invoke(self, request: pb.MxCommandRequest, context: Context) -> pb.MxCommandReply:
        async def answer(key: ApiKey) -> pb.MxCommandReply:
            require(key, invoke.check(request))
            session = self._sessions.find(request.session_id)
            session.renew()
            return await self._command(session, key, request)

        return await self._reception.unary("Invoke", request, context, None, answer)

    async def _command(self, session: Session, key: ApiKey, request: pb.MxCommandRequest) -> pb.MxCommandReply:
        """Waits for the worker as long as a command may take; the command runs even if nobody waits."""
        name = kind_name(request.command.kind)

        async def run() -> pb.MxCommandReply:
            delay = self._faults.delay_of(name)
            if delay:
                await self._clock.sleep(delay)
            refused = self._faults.take_call_failure(name)
            if refused is not None:
                raise Refused(refused.details, refused.code)
            failure = self._faults.take_reply_failure(name) or self._faults.take_reply_failure("Invoke")
            if failure is not None:
                return invoke.failed(request, failure)
            return await invoke.run(session, key, request)

        answer = session.submit(run)

        def too_long() -> None:
            if not answer.done():
                answer.set_exception(TookTooLong(f"{name} took longer than {session.command_timeout:g} s"))

        limit = self._agenda.after(session.command_timeout, too_long)
        try:
            reply = await answer
        finally:
            limit.cancel()
        if self._faults.take_lost_reply(name):
            raise ConnectionLost("the connection was lost before the answer")
        return reply

    async def StreamEvents(self, request: pb.StreamEventsRequest, context: Context) -> None:
        async def events(key: ApiKey) -> AsyncGenerator[pb.MxEvent, None]:
            session = self._sessions.find(request.session_id)
            subscription = session.attach(request.after_worker_sequence)
            try:
                while True:
                    yield await subscription.next()
            finally:
                session.detach(subscription)

        await self._reception.stream("StreamEvents", request, context, Scope.EVENTS_READ, events)

    async def StreamAlarms(self, request: pb.StreamAlarmsRequest, context: Context) -> None:
        await self._reception.stream("StreamAlarms", request, context, Scope.EVENTS_READ, _no_alarms)

    async def QueryActiveAlarms(self, request: pb.QueryActiveAlarmsRequest, context: Context) -> None:
        await self._reception.stream("QueryActiveAlarms", request, context, Scope.EVENTS_READ, _no_alarms)

    async def AcknowledgeAlarm(self, request: pb.AcknowledgeAlarmRequest, context: Context) -> pb.AcknowledgeAlarmReply:
        async def answer(key: ApiKey) -> pb.AcknowledgeAlarmReply:
            raise _disabled()

        return await self._reception.unary("AcknowledgeAlarm", request, context, Scope.INVOKE_WRITE, answer)


def _disabled() -> AlarmsDisabled:
    return AlarmsDisabled("alarms are disabled in this gateway's configuration")


async def _no_alarms(key: ApiKey) -> AsyncGenerator[Any, None]:
    raise _disabled()
    yield  # Makes this a stream.
