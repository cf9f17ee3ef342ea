"""One fault at one stage of a client's life: how to bring it about, and in a few words what came of it."""

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from library_waiting import eventually, soon

from zb_mom_ww_mxgateway import GatewayClient, Item, LiveSession, LiveState, MxGatewayError
from zb_mom_ww_mxgateway_sim import Fault, SimulatedGateway

TAG, OTHER = "TestChildObject.TestInt", "TestChildObject.TestDouble"
# Seconds for a call: short where the fault is that nothing comes of it; else as much as a busy machine may need.
SHORT, PATIENT = 0.4, 60.0
NOTHING_COMES = ("delay", "stall", "swallow", "hold-write-completes", "swap-certificate", "restart")

# The call of each stage that meets the fault, or that brings it about when it arrives.
STAGES = {
    "connecting": "TestConnection",
    "opening": "OpenSession",
    "subscribing": "subscribe_bulk",
    "streaming": "StreamEvents",
    "writing": "write",
    "closing": "CloseSession",
}

# Faults of a call itself; the others strike when the call arrives, or right away while streaming.
OF_A_CALL = ("delay", "refuse", "lose-reply", "stall", "garbage-reply", "oversized-reply")


@dataclass
class Case:
    """A gateway and a client, as far as the stage has come."""

    gateway: SimulatedGateway
    known_gateways: Path
    timeout: float = PATIENT
    client: GatewayClient | None = None
    live: LiveSession | None = None
    items: list[Item] = field(default_factory=list)

    def strike(self, stage: str, fault: str, before: str) -> None:
        """Schedules the fault for the stage, and what comes beside it; one that no schedule knows comes right away."""
        call = STAGES[stage]
        if fault.endswith("()"):
            getattr(self.gateway.faults, fault.removesuffix("()"))()
            return
        for first in filter(None, before.split("; ")):
            if first.startswith("after 0 "):
                # Now, and not when a busy machine comes to it.
                self.gateway._scheduler._run(Fault.parse(first))
            else:
                self.gateway.schedule(first.replace("CALL", call))
        if stage != "streaming":
            count = "2" if call == "subscribe_bulk" else "1"
            self.gateway.schedule(f"at {call} {count} {fault}")
        elif fault.split()[0] in OF_A_CALL:
            # It befalls the stream that takes the place of the first.
            self.gateway.schedule(f"at StreamEvents 2 {fault}", "after 0 drop-stream")
        elif fault == "evict-replay":
            # A resumed stream finds it so, if something came about that nobody was given.
            self.gateway.faults.drop_streams()
            self.gateway.set(TAG, 998)
            for session_id in self.gateway.live_sessions:
                self.gateway.faults.evict_replay(session_id)
            self.gateway.set(TAG, 999)
        else:
            self.gateway.schedule(f"after 0 {fault}")

    async def connect(self) -> None:
        plaintext = self.gateway.plaintext
        self.client = await GatewayClient.connect(
            endpoint=self.gateway.endpoint,
            api_key=self.gateway.api_key,
            plaintext=plaintext,
            known_gateways=self.known_gateways,
            connect_timeout=max(1.0, self.timeout),
            call_timeout=self.timeout,
        )

    async def open(self) -> None:
        assert self.client
        self.live = await LiveSession.open(self.client)

    async def subscribe(self, tag: str) -> None:
        assert self.live
        server = next(iter(self.live.session.handles.servers), 0) or await self.live.session.register("stages")
        self.items += await self.live.subscribe_tags([tag], server)

    async def write(self) -> str:
        assert self.live
        return (await self.live.write_and_confirm(*self.items[0].key, 77, timeout=self.timeout)).outcome.value

    async def reach(self, stage: str) -> None:
        """Everything that comes before the stage, undisturbed."""
        order = list(STAGES)
        if order.index(stage) > order.index("connecting"):
            await self.connect()
        if order.index(stage) > order.index("opening"):
            await self.open()
            await self.subscribe(TAG)
            assert self.live
            async with asyncio.timeout(PATIENT):
                await self.live.first_value(self.items[0])


def name_of(error: BaseException) -> str:
    """``Transport`` for MxGatewayTransportError; a question mark where the outcome is unknown."""
    name = type(error).__name__.removeprefix("MxGateway").removesuffix("Error")
    return f"{name}?" if isinstance(error, MxGatewayError) and error.outcome_unknown else name


async def outcome(
    stage: str, fault: str, before: str, gateway: SimulatedGateway, known_gateways: Path, expected: str
) -> str:
    """What came of the fault at that stage: of the call, of the write, of the session, and what is left of it.

    What is expected is waited for; what is not has little time to come.
    """
    case = Case(gateway, known_gateways)
    await case.reach(stage)
    if fault.split()[0] in NOTHING_COMES and "release" not in before:
        case.timeout = SHORT
        if case.client:
            case.client.options = replace(case.client.options, call_timeout=SHORT, connect_timeout=1.0)
    acts: dict[str, Callable[[], Awaitable[object]]] = {
        "connecting": case.connect,
        "opening": case.open,
        "subscribing": lambda: case.subscribe(OTHER),
        "streaming": lambda: asyncio.sleep(0),
        "writing": case.write,
        "closing": lambda: case.live.aclose() if case.live else asyncio.sleep(0),
    }
    case.strike(stage, fault, before)
    said = []
    try:
        async with asyncio.timeout(PATIENT):
            found = await acts[stage]()
        said.append(found if isinstance(found, str) else "" if stage == "streaming" else "done")
    except TimeoutError:
        said.append("HANGS")
    except MxGatewayError as error:
        said.append(name_of(error))
    if stage == "streaming":
        await _struck(case, fault)
    gateway.faults.calm()
    if stage == "writing":
        said.append(await _happened(case, "once" in expected))
    if case.live and stage != "closing":
        said.append(await _became(case, "stale" in expected))
    async with AsyncExitStack() as closing:
        closing.push_async_callback(case.client.close if case.client else _nothing)
        if case.live:
            with suppress(MxGatewayError):
                async with asyncio.timeout(PATIENT):
                    await case.live.aclose()
    # A call that is cancelled holds itself in gRPC, and with that a dead connection until the next collection.
    if not await soon(lambda: not gateway.open_connections, 0.5):
        gc.collect()
    await eventually(lambda: not (gateway.open_streams or gateway.open_connections), "every connection is closed")
    if left := len(gateway.live_sessions):
        said.append(f"{left} left")
    return "; ".join(filter(None, said))


async def _nothing() -> None:
    pass


async def _struck(case: Case, fault: str) -> None:
    """Returns when the fault has come about and the client has had its chance to notice."""
    if fault.split()[0] in OF_A_CALL:
        await eventually(
            lambda: [call.rpc for call in case.gateway.calls].count("StreamEvents") > 1, "a resumed stream"
        )
    else:
        for _ in range(3):
            await asyncio.sleep(0.02)  # the agenda's turn, the wire's, the client's


async def _happened(case: Case, expected: bool) -> str:
    await soon(lambda: bool(case.gateway.writes), PATIENT if expected else 0.4)
    return {0: "never", 1: "once"}.get(len(case.gateway.writes), "MORE THAN ONCE")


async def _became(case: Case, stale: bool) -> str:
    """``live``, ``resumed`` or ``rebuilt`` when events come again; else the state it is in, and why."""
    live, gateway = case.live, case.gateway
    assert live

    def told() -> bool:
        session = gateway.sessions.get(live.session.session_id)
        return live.state is LiveState.CLOSED or (
            live.state is LiveState.LIVE
            and session is not None
            and session.attached
            and session.last_sequence == live.last_worker_sequence
        )

    if stale:
        await soon(lambda: live.state is LiveState.STALE, PATIENT)
    for value in (1000, 1001):
        # The plant moves, and then once more when the session is back: nothing may pass it by.
        gateway.set(TAG, value)
        await soon(told, 0.5 if stale else PATIENT)
        if live.state is not LiveState.LIVE:
            break
    if live.state is not LiveState.LIVE:
        return f"{live.state.value}: {name_of(live.lost)}" if live.lost else live.state.value
    held = live.latest(*case.items[0].key) if case.items else None
    if case.items and (held is None or held.value != 1001 or held.stale_since is not None):
        return f"WRONG: {held}"
    how = "rebuilt" if live.rebuilds else "resumed" if live.resumes else "live"
    return f"{how} with a gap" if live.gaps and not live.rebuilds else how


def _threads() -> set[threading.Thread]:
    """All but those of gRPC's and asyncio's that, once begun, stay for the next use."""
    return {one for one in threading.enumerate() if "_poll_wrapper" not in one.name and "asyncio_" not in one.name}


class Census:
    """The tasks and threads there are now, against those there were."""

    def __init__(self) -> None:
        self._tasks, self._threads = asyncio.all_tasks(), _threads()

    async def unchanged(self) -> None:
        """Fails the test unless all that began since has ended."""
        await eventually(lambda: not asyncio.all_tasks() - self._tasks, "no task is left")
        await eventually(lambda: not _threads() - self._threads, "no thread is left")
