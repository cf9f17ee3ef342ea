"""The rpcs of MxAccessGateway."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb, mxaccess_gateway_pb2_grpc as rpc
from zb_mom_ww_mxgateway_sim.faults.call_faults import CallFaults, ReplyFailure, kind_name
from zb_mom_ww_mxgateway_sim.net.api_keys import GatewayKey, KeyScope
from zb_mom_ww_mxgateway_sim.rpc import alarm_commands, invoke
from zb_mom_ww_mxgateway_sim.rpc.alarm_service import AlarmService
from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import CallPipeline, Context, require, with_effects
from zb_mom_ww_mxgateway_sim.runtime.errors import CommandTimedOut, InvalidRequest, StreamEnded
from zb_mom_ww_mxgateway_sim.runtime.timer_queue import TimerQueue
from zb_mom_ww_mxgateway_sim.sessions.session import GatewaySession
from zb_mom_ww_mxgateway_sim.sessions.session_table import SessionTable

GATEWAY_PROTOCOL_VERSION = 3
WORKER_PROTOCOL_VERSION = 1
BACKEND = "mxaccess-simulated"
CAPABILITIES = ("events", "bulk", "replay", "galaxy", "alarms")


class GatewayService(rpc.MxAccessGatewayServicer):
    """Sessions, commands, events and alarms. The pipeline turns what it raises into the end of the call."""

    def __init__(
        self,
        pipeline: CallPipeline,
        sessions: SessionTable,
        faults: CallFaults,
        timers: TimerQueue,
        alarms: AlarmService,
    ) -> None:
        self._pipeline = pipeline
        self._sessions = sessions
        self._faults = faults
        self._timers = timers
        self._alarms = alarms
        self._handlers = {**invoke.HANDLERS, **alarm_commands.handlers(alarms)}

    async def OpenSession(self, request: pb.OpenSessionRequest, context: Context) -> pb.OpenSessionReply:
        async def answer(key: GatewayKey) -> pb.OpenSessionReply:
            return self._open(request)

        def as_reply(failure: ReplyFailure) -> pb.OpenSessionReply:
            return pb.OpenSessionReply(
                gateway_protocol_version=GATEWAY_PROTOCOL_VERSION, protocol_status=_status(failure)
            )

        return await self._pipeline.unary("OpenSession", request, context, KeyScope.SESSION_OPEN, answer, as_reply)

    def _open(self, request: pb.OpenSessionRequest) -> pb.OpenSessionReply:
        if request.command_timeout.ToNanoseconds() < 0:
            raise InvalidRequest("command_timeout is negative")
        session = self._sessions.open(request.client_session_name, request.command_timeout.ToNanoseconds() / 1e9)
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
        async def answer(key: GatewayKey) -> pb.CloseSessionReply:
            session = self._sessions.find(request.session_id)
            session.close(StreamEnded(None))
            return pb.CloseSessionReply(
                session_id=session.session_id,
                final_state=pb.SESSION_STATE_CLOSED,
                protocol_status=pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK, message="OK"),
            )

        def as_reply(failure: ReplyFailure) -> pb.CloseSessionReply:
            return pb.CloseSessionReply(session_id=request.session_id, protocol_status=_status(failure))

        return await self._pipeline.unary("CloseSession", request, context, KeyScope.SESSION_CLOSE, answer, as_reply)

    async def Invoke(self, request: pb.MxCommandRequest, context: Context) -> pb.MxCommandReply:
        async def answer(key: GatewayKey) -> pb.MxCommandReply:
            require(key, invoke.check(request))
            session = self._sessions.find(request.session_id)
            session.renew()
            if request.command.kind == pb.MX_COMMAND_KIND_GET_SESSION_STATE and not session.ready:
                # The gateway itself knows the state, even without a worker that takes commands.
                return await invoke.run(self._handlers, session, key, request)
            return await self._command(session, key, request)

        def as_reply(failure: ReplyFailure) -> pb.MxCommandReply:
            return invoke.failed(request, failure)

        return await self._pipeline.unary("Invoke", request, context, None, answer, as_reply)

    async def _command(
        self, session: GatewaySession, key: GatewayKey, request: pb.MxCommandRequest
    ) -> pb.MxCommandReply:
        """Wait for the worker, at most for the command's time-out. The command runs even if the caller has gone."""
        name = kind_name(request.command.kind)

        async def run() -> pb.MxCommandReply:
            effects = self._faults.take(name)
            await self._pipeline.apply(effects)
            if isinstance(effects.failure, ReplyFailure):
                return invoke.failed(request, effects.failure)
            return with_effects(effects, await invoke.run(self._handlers, session, key, request))

        answer = session.submit(run)

        def too_long() -> None:
            if not answer.done():
                answer.set_exception(CommandTimedOut(f"{name} took longer than {session.command_timeout:g} s"))

        limit = self._timers.after(session.command_timeout, too_long)
        try:
            return await answer
        finally:
            limit.cancel()

    async def StreamEvents(self, request: pb.StreamEventsRequest, context: Context) -> None:
        async def events(key: GatewayKey) -> AsyncGenerator[pb.MxEvent, None]:
            session = self._sessions.find(request.session_id)
            subscriber = session.attach(request.after_worker_sequence)
            try:
                while True:
                    yield await subscriber.next()
            finally:
                session.detach(subscriber)

        await self._pipeline.stream("StreamEvents", request, context, KeyScope.EVENTS_READ, events)

    async def StreamAlarms(self, request: pb.StreamAlarmsRequest, context: Context) -> None:
        async def messages(key: GatewayKey) -> AsyncGenerator[pb.AlarmFeedMessage, None]:
            async with aclosing(self._alarms.stream(key, request.alarm_filter_prefix)) as feed:
                async for message in feed:
                    yield message

        await self._pipeline.stream("StreamAlarms", request, context, KeyScope.EVENTS_READ, messages)

    async def QueryActiveAlarms(self, request: pb.QueryActiveAlarmsRequest, context: Context) -> None:
        async def snapshots(key: GatewayKey) -> AsyncGenerator[pb.ActiveAlarmSnapshot, None]:
            for snapshot in self._alarms.active(key, request.alarm_filter_prefix):
                yield snapshot

        await self._pipeline.stream("QueryActiveAlarms", request, context, KeyScope.EVENTS_READ, snapshots)

    async def AcknowledgeAlarm(self, request: pb.AcknowledgeAlarmRequest, context: Context) -> pb.AcknowledgeAlarmReply:
        async def answer(key: GatewayKey) -> pb.AcknowledgeAlarmReply:
            return self._alarms.acknowledge(key, request)

        def as_reply(failure: ReplyFailure) -> pb.AcknowledgeAlarmReply:
            reply = pb.AcknowledgeAlarmReply(
                correlation_id=request.client_correlation_id,
                protocol_status=_status(failure),
                diagnostic_message=failure.details,
            )
            if failure.hresult is not None:
                reply.hresult = failure.hresult
            return reply

        return await self._pipeline.unary("AcknowledgeAlarm", request, context, KeyScope.INVOKE_WRITE, answer, as_reply)


def _status(failure: ReplyFailure) -> pb.ProtocolStatus:
    return pb.ProtocolStatus(code=failure.protocol_status, message=failure.details)
