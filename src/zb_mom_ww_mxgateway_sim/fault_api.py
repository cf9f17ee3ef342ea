"""What a gateway's owner can make go wrong; a schedule of faults does the same, at its times."""

from collections.abc import Callable, Iterable

import grpc

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim.faults.call_faults import (
    CallFailure,
    CallFaults,
    ReplyFailure,
    call_name,
    check_failure,
    failing,
    garbling,
    kind_of,
    losing,
    oversizing,
)
from zb_mom_ww_mxgateway_sim.net.api_keys import KeyRing
from zb_mom_ww_mxgateway_sim.net.server import GatewayServer
from zb_mom_ww_mxgateway_sim.plant.alarms import AlarmBook
from zb_mom_ww_mxgateway_sim.plant.deployment import Deployment
from zb_mom_ww_mxgateway_sim.plant.hierarchy import Hierarchy
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition, add_tags
from zb_mom_ww_mxgateway_sim.rpc.alarm_service import AlarmService
from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import CallPipeline
from zb_mom_ww_mxgateway_sim.runtime.refusal import StreamEnded
from zb_mom_ww_mxgateway_sim.sessions.session_table import SessionTable
from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteQueue


class GatewayFaults:
    """The faults of one simulated gateway, as ``gateway.faults``. A call's name is ``OpenSession`` or ``add_item``."""

    def __init__(
        self,
        *,
        calls: CallFaults,
        pipeline: CallPipeline,
        sessions: SessionTable,
        writes: WriteQueue,
        server: GatewayServer,
        keys: KeyRing,
        hierarchy: Hierarchy,
        deployment: Deployment,
        alarm_service: AlarmService,
        alarm_book: Callable[[], AlarmBook],
    ) -> None:
        """``alarm_book`` raises ValueError in a gateway without alarms."""
        self._calls = calls
        self._pipeline = pipeline
        self._sessions = sessions
        self._writes = writes
        self._server = server
        self._keys = keys
        self._hierarchy = hierarchy
        self._deployment = deployment
        self._alarm_service = alarm_service
        self._alarm_book = alarm_book

    # ------------------------------------------------------------ calls

    def delay(self, rpc_or_kind: str | int, seconds: float) -> None:
        """Every such call waits so long from now on; 0 ends it."""
        self._calls.delay(rpc_or_kind, seconds)

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
        failure: CallFailure | ReplyFailure
        if code is not None and protocol_status is None:
            failure = CallFailure(code.name, details)
        elif protocol_status is not None and code is None:
            failure = ReplyFailure(protocol_status, hresult, details)
        else:
            raise ValueError("either code or protocol_status says how the call fails")
        check_failure(call_name(rpc_or_kind), failure)
        self._calls.on_next(rpc_or_kind, failing(failure))

    def lose_next_reply(self, rpc_or_kind: str | int) -> None:
        """The next such call takes effect, then breaks with UNAVAILABLE."""
        self._calls.on_next(rpc_or_kind, losing)

    def garble_next_reply(self, rpc_or_kind: str | int) -> None:
        """The next such call takes effect, and what comes back is the encoding of nothing."""
        self._calls.on_next(rpc_or_kind, garbling)

    def oversize_next_reply(self, rpc_or_kind: str | int) -> None:
        """The next such call takes effect, and 17 MiB come back: more than a message may have."""
        self._calls.on_next(rpc_or_kind, oversizing)

    def stall(self, rpc_or_kind: str | int) -> None:
        """Every such call waits from now on, and streams of that name stay open and deliver nothing."""
        self._calls.stall(rpc_or_kind)

    def release(self, rpc_or_kind: str | int | None = None) -> None:
        """What is stalled goes on: that, or everything."""
        self._calls.release(rpc_or_kind)

    def calm(self) -> None:
        """What waits for a call is taken back, what is stalled or withheld goes on. What has happened stays."""
        self._calls.forget()
        self._writes.release()

    # ------------------------------------------------------------ sessions and streams

    def lose_session(self, session_id: str) -> None:
        """The session's worker dies: its stream breaks with UNAVAILABLE and nobody knows it any more."""
        self._sessions.find(session_id).close(StreamEnded("UNAVAILABLE", f"the worker of {session_id} ended"))

    def fault_session(self, session_id: str) -> None:
        """The session becomes FAULTED: it can only be closed."""
        self._sessions.find(session_id).fault()

    def drop_streams(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """Every attached event stream ends with this status; the sessions live on for the detach grace."""
        for session in self._sessions.live:
            session.drop_stream(StreamEnded(code.name, "the event stream was dropped"))

    def overflow_streams(self) -> None:
        """Every attached event stream ends as if its queue had overflowed, with all that this policy means."""
        for session in self._sessions.live:
            session.events.overflow()

    def evict_replay(self, session_id: str) -> None:
        """Empties the session's replay ring: a resumed stream starts with a ReplayGap."""
        self._sessions.find(session_id).events.forget()

    def hold_write_completes(self) -> None:
        """OnWriteComplete is withheld from now on; writes take effect all the same."""
        self._writes.hold()

    def release_write_completes(self) -> None:
        """Sends the withheld OnWriteComplete events, and withholds no more."""
        self._writes.release()

    # ------------------------------------------------------------ connections and keys

    def kill_connections(self) -> None:
        """Every TCP connection is reset, in the middle of whatever it was carrying; the sessions live on."""
        self._server.proxy.cut()

    def garble_connections(self) -> None:
        """Every client is sent bytes that are neither HTTP/2 nor TLS."""
        self._server.proxy.garble()

    def swallow_connections(self, rpc_or_kind: str | int | None = None) -> None:
        """Every TCP connection stays open and carries nothing any more, either way; with a name only that over which
        the last such call came. Connections from now on are as they should be."""
        if rpc_or_kind is None:
            self._server.proxy.swallow()
            return
        name = call_name(rpc_or_kind)
        for call in reversed(self._pipeline.calls):
            if name in (call.rpc, kind_of(call.request)):
                self._server.proxy.swallow({call.connection})
                return

    def revoke(self, key_id: str) -> None:
        """The key is refused from the next call on; KeyError if there is none of that id."""
        self._keys.revoke(key_id)

    def has_key(self, key_id: str) -> bool:
        """Whether a key of that id is let in now."""
        return self._keys.knows(key_id)

    def redeploy(self, tags: Iterable[TagDefinition] = ()) -> None:
        """The galaxy is deployed again, with these tags beside those it has: watchers hear of it, page tokens are
        void. TagError: one of them is there already, or cannot be."""
        add_tags(self._hierarchy, tags)
        self._deployment.redeploy()

    def lose_galaxy(self) -> None:
        """The galaxy's database is away: TestConnection says so; what the gateway has of it is still shown."""
        self._deployment.reachable = False

    def restore_galaxy(self) -> None:
        """The galaxy's database is back."""
        self._deployment.reachable = True

    # ------------------------------------------------------------ alarms

    def fail_alarm_provider(
        self, reason: str = "the alarm manager does not answer", *, ack_subtags: bool = False
    ) -> None:
        """Alarms come from subtags from now on, degraded. Without ``ack_subtags`` nothing can be acknowledged then,
        but for what a session's watch list names."""
        self._alarm_book().fail_provider(reason, acknowledgeable=ack_subtags)

    def drop_alarm_streams(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """Every attached alarm stream ends with this status."""
        self._alarm_service.end(StreamEnded(code.name, "the alarm stream was dropped"))

    def restore_alarm_provider(self, reason: str = "") -> None:
        """Alarms come from the alarm manager again."""
        self._alarm_book().restore_provider(reason)
