"""The faults of a simulated gateway as methods. A schedule calls the same methods at its times."""

from collections.abc import Iterable

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
from zb_mom_ww_mxgateway_sim.net.tcp_proxy import TcpProxy
from zb_mom_ww_mxgateway_sim.plant.simulated_plant import SimulatedPlant
from zb_mom_ww_mxgateway_sim.plant.status import WRITE_DENIED, Status
from zb_mom_ww_mxgateway_sim.plant.tags import TagDefinition
from zb_mom_ww_mxgateway_sim.rpc.alarm_service import AlarmService
from zb_mom_ww_mxgateway_sim.rpc.call_pipeline import CallPipeline
from zb_mom_ww_mxgateway_sim.runtime.errors import StreamEnded
from zb_mom_ww_mxgateway_sim.sessions.session_table import SessionTable
from zb_mom_ww_mxgateway_sim.sessions.write_queue import WriteQueue


class GatewayFaults:
    """Faults of one gateway, as ``gateway.faults``.

    A call is named by its rpc (``OpenSession``) or its command kind (``add_item``).
    """

    def __init__(
        self,
        *,
        calls: CallFaults,
        pipeline: CallPipeline,
        sessions: SessionTable,
        writes: WriteQueue,
        proxy: TcpProxy,
        keys: KeyRing,
        plant: SimulatedPlant,
        alarm_service: AlarmService,
    ) -> None:
        self._calls = calls
        self._pipeline = pipeline
        self._sessions = sessions
        self._writes = writes
        self._proxy = proxy
        self._keys = keys
        self._plant = plant
        self._alarm_service = alarm_service

    # ------------------------------------------------------------ calls

    def delay(self, rpc_or_kind: str | int, seconds: float) -> None:
        """Delay every such call from now on; 0 ends the delay. A command is carried out that late, with or without
        a caller."""
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
        """Fail the next such call, without an effect: with a gRPC status, or with a protocol status in its reply."""
        failure: CallFailure | ReplyFailure
        if code is not None and protocol_status is None:
            failure = CallFailure(code.name, details)
        elif protocol_status is not None and code is None:
            failure = ReplyFailure(protocol_status, hresult, details)
        else:
            raise ValueError("give either code or protocol_status, not both")
        check_failure(call_name(rpc_or_kind), failure)
        self._calls.on_next(rpc_or_kind, failing(failure))

    def lose_next_reply(self, rpc_or_kind: str | int) -> None:
        """Let the next such call take effect, then break it with UNAVAILABLE."""
        self._calls.on_next(rpc_or_kind, losing)

    def garble_next_reply(self, rpc_or_kind: str | int) -> None:
        """Let the next such call take effect, and answer it with bytes that are no message."""
        self._calls.on_next(rpc_or_kind, garbling)

    def oversize_next_reply(self, rpc_or_kind: str | int) -> None:
        """Let the next such call take effect, and answer it with 17 MiB, more than a message may have."""
        self._calls.on_next(rpc_or_kind, oversizing)

    def stall(self, rpc_or_kind: str | int) -> None:
        """Hold every such call from now on. Streams of that name stay open and deliver nothing."""
        self._calls.stall(rpc_or_kind)

    def release(self, rpc_or_kind: str | int | None = None) -> None:
        """Let stalled calls go on: those of that name, or all."""
        self._calls.release(rpc_or_kind)

    def calm(self) -> None:
        """Withdraw every fault that waits for a call or a write, and release what is stalled or withheld."""
        self._calls.forget()
        self._writes.release()
        self._plant.refusals.allow()

    # ------------------------------------------------------------ sessions and streams

    def lose_session(self, session_id: str) -> None:
        """End the session's worker: its stream breaks with UNAVAILABLE, and later calls find no such session."""
        self._sessions.find(session_id).close(StreamEnded("UNAVAILABLE", f"the worker of {session_id} ended"))

    def close_session(self, session_id: str) -> None:
        """Close the session from the gateway's dashboard: its stream ends, and later calls find no such session."""
        self._sessions.find(session_id).close(StreamEnded(None))

    def kill_worker(self, session_id: str) -> None:
        """Kill the session's worker from the gateway's dashboard: the session is FAULTED and can only be closed."""
        self._sessions.find(session_id).lose_worker()

    def fault_session(self, session_id: str) -> None:
        """Set the session to FAULTED. It can only be closed then."""
        self._sessions.find(session_id).fault()

    def drop_streams(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """End every attached event stream with this status. The sessions live on for the detach grace."""
        for session in self._sessions.live:
            session.drop_stream(StreamEnded(code.name, "the event stream was dropped"))

    def overflow_streams(self) -> None:
        """End every attached event stream as an overflow of its queue does, by the gateway's overflow policy."""
        for session in self._sessions.live:
            session.events.overflow()

    def evict_replay(self, session_id: str) -> None:
        """Empty the session's replay ring: a resumed stream starts with a ReplayGap."""
        self._sessions.find(session_id).events.forget()

    def hold_write_completes(self) -> None:
        """Withhold OnWriteComplete events from now on. Writes still take effect."""
        self._writes.hold()

    def release_write_completes(self) -> None:
        """Send the withheld OnWriteComplete events, and withhold no more."""
        self._writes.release()

    def refuse_writes(self, glob: str, outcome: Status = WRITE_DENIED) -> None:
        """Complete every write to these tags with this status from now on, without an effect.

        ``glob`` is a tag or a glob of tags in any letter case: ``Plant.Tank1.*``. The last rule for a tag decides.
        Raise TagError if there is no such tag.
        """
        self._plant.refuse_writes(glob, outcome)

    def allow_writes(self, glob: str | None = None) -> None:
        """Take writes to these tags again, also where an earlier glob refuses them; without a glob, to all tags."""
        self._plant.allow_writes(glob)

    # ------------------------------------------------------------ connections and keys

    def kill_connections(self) -> None:
        """Reset every TCP connection at once, in the middle of its data. The sessions live on."""
        self._proxy.cut()

    def garble_connections(self) -> None:
        """Send every client bytes that are neither HTTP/2 nor TLS."""
        self._proxy.garble()

    def swallow_connections(self, rpc_or_kind: str | int | None = None) -> None:
        """Keep the TCP connections open, but pass nothing on in either direction.

        With a name, do so only with the connection of the last such call. New connections work.
        """
        if rpc_or_kind is None:
            self._proxy.swallow()
            return
        name = call_name(rpc_or_kind)
        for call in reversed(self._pipeline.calls):
            if name in (call.rpc, kind_of(call.request)):
                self._proxy.swallow({call.connection})
                return

    def revoke(self, key_id: str) -> None:
        """Refuse the key from the next call on. Raise KeyError if there is no such key."""
        self._keys.revoke(key_id)

    def has_key(self, key_id: str) -> bool:
        """Return whether the gateway accepts a key of that id."""
        return self._keys.knows(key_id)

    # ------------------------------------------------------------ galaxy and alarms

    def redeploy(self, tags: Iterable[TagDefinition] = ()) -> None:
        """Deploy the galaxy again with these tags in addition: watchers get an event, page tokens become invalid.

        Raise TagError for a tag that is impossible or exists already.
        """
        self._plant.redeploy(tags)

    def lose_galaxy(self) -> None:
        """Take the galaxy's database away: TestConnection fails. The gateway still shows its copy of the galaxy."""
        self._plant.deployment.reachable = False

    def restore_galaxy(self) -> None:
        """Bring the galaxy's database back."""
        self._plant.deployment.reachable = True

    def fail_alarm_provider(
        self, reason: str = "the alarm manager does not answer", *, ack_subtags: bool = False
    ) -> None:
        """Take the alarm manager away: alarms come from subtags, degraded.

        Without ``ack_subtags`` only alarms of a session's watch list can be acknowledged then.
        """
        self._plant.alarm_book().fail_provider(reason, acknowledgeable=ack_subtags)

    def restore_alarm_provider(self, reason: str = "") -> None:
        """Bring the alarm manager back."""
        self._plant.alarm_book().restore_provider(reason)

    def drop_alarm_streams(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> None:
        """End every attached alarm stream with this status."""
        self._alarm_service.end(StreamEnded(code.name, "the alarm stream was dropped"))
