"""The faults of a simulated gateway in another thread."""

from collections.abc import Callable
from typing import Any, Final

from zb_mom_ww_mxgateway.sync.loop_thread import LoopThread
from zb_mom_ww_mxgateway_sim.fault_api import GatewayFaults
from zb_mom_ww_mxgateway_testing.thread_method import ThreadMethod


class MxgwFaults:
    """The members of ``gateway.faults`` of the simulator, for tests: ``mxgw_simulator.faults``."""

    def __init__(self, faults: GatewayFaults, loop: LoopThread) -> None:
        self._faults = faults
        self._loop = loop

    def _called(self, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        async def call() -> Any:
            return method(self._faults, *given, **named)

        return self._loop.run(call)

    delay: Final = ThreadMethod(GatewayFaults.delay)
    fail_next: Final = ThreadMethod(GatewayFaults.fail_next)
    lose_next_reply: Final = ThreadMethod(GatewayFaults.lose_next_reply)
    garble_next_reply: Final = ThreadMethod(GatewayFaults.garble_next_reply)
    oversize_next_reply: Final = ThreadMethod(GatewayFaults.oversize_next_reply)
    stall: Final = ThreadMethod(GatewayFaults.stall)
    release: Final = ThreadMethod(GatewayFaults.release)
    calm: Final = ThreadMethod(GatewayFaults.calm)
    lose_session: Final = ThreadMethod(GatewayFaults.lose_session)
    close_session: Final = ThreadMethod(GatewayFaults.close_session)
    kill_worker: Final = ThreadMethod(GatewayFaults.kill_worker)
    fault_session: Final = ThreadMethod(GatewayFaults.fault_session)
    drop_streams: Final = ThreadMethod(GatewayFaults.drop_streams)
    overflow_streams: Final = ThreadMethod(GatewayFaults.overflow_streams)
    evict_replay: Final = ThreadMethod(GatewayFaults.evict_replay)
    hold_write_completes: Final = ThreadMethod(GatewayFaults.hold_write_completes)
    release_write_completes: Final = ThreadMethod(GatewayFaults.release_write_completes)
    kill_connections: Final = ThreadMethod(GatewayFaults.kill_connections)
    garble_connections: Final = ThreadMethod(GatewayFaults.garble_connections)
    swallow_connections: Final = ThreadMethod(GatewayFaults.swallow_connections)
    revoke: Final = ThreadMethod(GatewayFaults.revoke)
    has_key: Final = ThreadMethod(GatewayFaults.has_key)
    redeploy: Final = ThreadMethod(GatewayFaults.redeploy)
    lose_galaxy: Final = ThreadMethod(GatewayFaults.lose_galaxy)
    restore_galaxy: Final = ThreadMethod(GatewayFaults.restore_galaxy)
    fail_alarm_provider: Final = ThreadMethod(GatewayFaults.fail_alarm_provider)
    restore_alarm_provider: Final = ThreadMethod(GatewayFaults.restore_alarm_provider)
    refuse_writes: Final = ThreadMethod(GatewayFaults.refuse_writes)
    allow_writes: Final = ThreadMethod(GatewayFaults.allow_writes)
    drop_alarm_streams: Final = ThreadMethod(GatewayFaults.drop_alarm_streams)
