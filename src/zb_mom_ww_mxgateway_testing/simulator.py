"""A simulated gateway that runs in a thread of its own, for tests with and without an event loop."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Self, TypeVar

from zb_mom_ww_mxgateway import ClientOptions
from zb_mom_ww_mxgateway.sync.blocking_method import BlockingMethod
from zb_mom_ww_mxgateway.sync.loop_thread import LoopThread
from zb_mom_ww_mxgateway_sim import Alarm, CallRecord, ManualClock, SimulatedGateway, SimulatedSession, WriteRecord
from zb_mom_ww_mxgateway_testing.faults import MxgwFaults
from zb_mom_ww_mxgateway_testing.thread_method import ThreadMethod

R = TypeVar("R")

_TURNS_TO_SETTLE = 20


class MxgwSimulator:
    """A :class:`SimulatedGateway` that serves in a thread of its own within a ``with`` block.

    It has the members of the gateway. Each is called in that thread and returns when it is done; none is awaited, also
    in an async test.
    """

    def __init__(self, gateway: SimulatedGateway, clock: ManualClock | None = None) -> None:
        """`gateway` must not have been started. `clock` is the one that it was made with, for :meth:`advance`."""
        self._gateway = gateway
        self._clock = clock
        self._loop = LoopThread("mxgw simulator", "the simulator")
        self.faults: MxgwFaults = MxgwFaults(gateway.faults, self._loop)
        """Injects faults."""

    def __enter__(self) -> Self:
        try:
            self._loop.run(self._gateway.start)
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            self._loop.run(self._gateway.aclose)
        finally:
            self._loop.close()

    def _called(self, method: Callable[..., R], *given: Any, **named: Any) -> R:
        return self._seen(lambda gateway: method(gateway, *given, **named))

    def _seen(self, look: Callable[[SimulatedGateway], R]) -> R:
        async def call() -> R:
            # A write that was answered, or whose answer was lost, is carried out: that takes the plant some turns.
            for _ in range(_TURNS_TO_SETTLE):
                await asyncio.sleep(0)
            return look(self._gateway)

        return self._loop.run(call)

    def _run(self, call: str, work: Callable[[], Coroutine[Any, Any, R]]) -> R:
        return self._loop.run(work)

    # The address.

    @property
    def endpoint(self) -> str:
        """Address such as ``127.0.0.1:50551``."""
        return self._gateway.endpoint

    @property
    def api_key(self) -> str | None:
        """Text of the first key; None where no key is asked for."""
        return self._gateway.api_key

    @property
    def plaintext(self) -> bool:
        """Whether the gateway serves without TLS."""
        return self._gateway.plaintext

    @property
    def certificate_pem(self) -> str | None:
        """The certificate that is served now; None in plaintext."""
        return self._seen(lambda gateway: gateway.certificate_pem)

    @property
    def fingerprint_sha256(self) -> str | None:
        """Fingerprint of that certificate, such as ``3F:9A:…``."""
        return self._seen(lambda gateway: gateway.fingerprint_sha256)

    @property
    def client_options(self) -> ClientOptions:
        """Options of a client that connects to it; its certificate is not remembered on this machine."""
        return ClientOptions(
            endpoint=self.endpoint, api_key=self.api_key, plaintext=self.plaintext, remember_certificate=False
        )

    # Observation.

    @property
    def calls(self) -> Sequence[CallRecord]:
        """The last 5000 calls, including refused ones, oldest first."""
        return self._seen(lambda gateway: gateway.calls)

    @property
    def mutating_calls(self) -> int:
        """Number of calls so far that asked for a change of the plant, refused ones included."""
        return self._seen(lambda gateway: gateway.mutating_calls)

    @property
    def writes(self) -> Sequence[WriteRecord]:
        """The last 10000 writes that reached the plant, oldest first."""
        return self._seen(lambda gateway: gateway.writes)

    @property
    def plant_failures(self) -> Sequence[str]:
        """The last 1000 failures of the plant's own logic, each as ``file:line: function: error``, oldest first."""
        return self._seen(lambda gateway: gateway.plant_failures)

    @property
    def sessions(self) -> Mapping[str, SimulatedSession]:
        """Sessions by id, including the last 256 closed ones."""
        return self._seen(lambda gateway: gateway.sessions)

    @property
    def live_sessions(self) -> list[str]:
        """Ids of the sessions that are not closed."""
        return self._seen(lambda gateway: gateway.live_sessions)

    @property
    def open_streams(self) -> int:
        """Number of attached event streams."""
        return self._seen(lambda gateway: gateway.open_streams)

    @property
    def open_alarm_streams(self) -> int:
        """Number of attached alarm streams."""
        return self._seen(lambda gateway: gateway.open_alarm_streams)

    @property
    def open_connections(self) -> int:
        """Number of TCP connections of clients."""
        return self._seen(lambda gateway: gateway.open_connections)

    # The plant.

    read: Final = ThreadMethod(SimulatedGateway.read)
    set: Final = ThreadMethod(SimulatedGateway.set)
    unset: Final = ThreadMethod(SimulatedGateway.unset)
    set_message: Final = ThreadMethod(SimulatedGateway.set_message)
    raise_alarm: Final = ThreadMethod(SimulatedGateway.raise_alarm)
    clear_alarm: Final = ThreadMethod(SimulatedGateway.clear_alarm)

    @property
    def alarms(self) -> Sequence[Alarm]:
        """Alarms that are active or not yet acknowledged, in the order in which they were raised."""
        return self._seen(lambda gateway: gateway.alarms)

    @property
    def alarms_enabled(self) -> bool:
        """Whether the gateway has alarms."""
        return self._seen(lambda gateway: gateway.alarms_enabled)

    @property
    def replay_ended(self) -> bool:
        """Whether the recording was played to its end; True if there is none."""
        return self._seen(lambda gateway: gateway.replay_ended)

    # Time, restarts and schedules.

    def advance(self, seconds: float) -> None:
        """Advance the time of the gateway, and run everything that is due by then.

        Raise RuntimeError where its time is not injected: ``clock="manual"`` does that.
        """
        if (clock := self._clock) is None:
            raise RuntimeError(
                'the time of this gateway is the machine\'s; @pytest.mark.mxgw(clock="manual") injects it'
            )
        self._loop.run(lambda: clock.advance(seconds))

    restart: Final = BlockingMethod("_gateway", SimulatedGateway.restart)
    swap_certificate: Final = BlockingMethod("_gateway", SimulatedGateway.swap_certificate)
    schedule: Final = ThreadMethod(SimulatedGateway.schedule)
