"""Events gather for a while before they are handed over, but never while somebody waits for one."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import GatewayClient, Item, LiveSession, WriteOutcome
from zb_mom_ww_mxgateway.commands import session_link
from zb_mom_ww_mxgateway.transport import reader_thread
from zb_mom_ww_mxgateway.transport.reader_thread import Arrived, EventBuffer
from zb_mom_ww_mxgateway.transport.streams import EventStream
from zb_mom_ww_mxgateway.transport.urgency import Urgency
from zb_mom_ww_mxgateway_sim import SimulatedGateway

TAG, OTHER = "TestChildObject.TestInt", "TestChildObject.TestDouble"


class _Gathering(threading.Event):
    """Set while somebody waits for an event; knows whether the reading thread lets events gather until then."""

    is_gathering = False

    def wait(self, timeout: float | None = None) -> bool:
        self.is_gathering = True
        try:
            return super().wait(timeout)
        finally:
            self.is_gathering = False


class _Watched(Urgency):
    def __init__(self) -> None:
        super().__init__()
        self.is_raised = _Gathering()


@pytest.fixture
async def live(client: GatewayClient, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveSession]:
    """A session whose reading thread lets events gather for longer than any test takes."""
    monkeypatch.setattr(session_link, "Urgency", _Watched)
    for name, value in {"_SHORT": 600, "_LONG": 600, "_ROOM": 10**15, "_WAITED": 0}.items():
        monkeypatch.setattr(reader_thread, name, value)
    async with await LiveSession.open(client) as opened:
        await opened.ready()
        yield opened
    with opened.session._link.urgency.raised():
        pass  # its thread need not wait for the end of the pause


@pytest.fixture
async def item(live: LiveSession) -> Item:
    """TAG, advised, with its first value."""
    (found,) = await live.subscribe_tags([TAG])
    await live.first_value(found)
    return found


async def gathers(gateway: SimulatedGateway, live: LiveSession) -> None:
    """Returns once the reading thread lets events gather."""
    gathering = live.session._link.urgency.is_raised
    assert isinstance(gathering, _Gathering)
    gateway.set(TAG, 7)
    gateway.set(TAG, 8)
    await eventually(lambda: gathering.is_gathering, "events gather")


async def test_they_gather_while_nobody_waits(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    await gathers(gateway, live)
    gateway.set(TAG, 9)
    assert await live.caught_up(timeout=60)
    assert live[TAG].value == 9


async def test_a_write_has_its_completion(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    await gathers(gateway, live)
    for value in range(3):
        result = await live.write_and_confirm(*item.key, value, timeout=60)
        assert result.outcome is WriteOutcome.COMPLETED


async def test_a_bulk_write_has_its_completions(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    await gathers(gateway, live)
    results = await live.write_many({TAG: 4, OTHER: 5.0}, timeout=60)
    assert {result.outcome for result in results.values()} == {WriteOutcome.COMPLETED}


@pytest.mark.parametrize("kind", ["one tag", "some items"])
async def test_a_wait_sees_the_change(gateway: SimulatedGateway, live: LiveSession, item: Item, kind: str) -> None:
    await gathers(gateway, live)
    if kind == "one tag":
        waiting = live.wait_for(TAG, lambda value: value == 61, timeout=60)
    else:
        waiting = live.wait_until([item], lambda: live[TAG].value == 61, timeout=60)
    task = asyncio.create_task(waiting)
    await eventually(lambda: bool(live._hub.values._waits), "it waits")
    for value in (59, 60, 61):
        gateway.set(TAG, value)
        await eventually(lambda value=value: live[TAG].value == value, "it has come")
    assert (await task).value == 61


async def test_a_first_value_comes(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    await gathers(gateway, live)
    (other,) = await live.subscribe_tags([OTHER])
    assert (await live.first_value(other, timeout=60)).tag == OTHER


async def test_so_it_is_in_a_session_that_was_rebuilt(gateway: SimulatedGateway, live: LiveSession, item: Item) -> None:
    rebuilds = live.rebuilds
    gateway.faults.lose_session(gateway.live_sessions[0])
    await eventually(lambda: live.rebuilds > rebuilds, "it is rebuilt", seconds=60)
    await live.ready()
    await live.first_value(item)
    await gathers(gateway, live)
    assert (await live.write_and_confirm(*item.key, 5, timeout=60)).outcome is WriteOutcome.COMPLETED


async def test_they_gather_again_once_the_last_one_has_waited() -> None:
    urgency = Urgency()
    with urgency.raised():
        with urgency.raised():
            pass
        assert urgency.is_raised.is_set()
    assert not urgency.is_raised.is_set()


class _NoCall:
    """A call that nothing reads."""

    def cancel(self) -> None:
        """It has nothing to end."""


async def test_events_that_never_cease_leave_other_tasks_their_turn() -> None:
    buffers, read = [], 0
    turn = asyncio.Event()

    def start(buffer: EventBuffer) -> _NoCall:
        buffers.append(buffer)
        return _NoCall()

    def decode(arrived: Sequence[Arrived]) -> Sequence[Arrived]:
        nonlocal read
        read += len(arrived)
        if read < 10_000 and not turn.is_set():
            buffers[0].put(0.0, b"another, which comes meanwhile")
        return arrived

    urgency = Urgency()
    stream: EventStream[Arrived] = EventStream(
        start, 1_000, decode, lambda last, first: first, lambda error: None, urgency=urgency
    )
    buffers[0].put(0.0, b"the first")
    other = asyncio.create_task(turn.wait())
    asyncio.get_running_loop().call_soon(turn.set)
    with urgency.raised():
        async for _ in stream:
            if not buffers[0]:
                break
    assert read < 10_000
    await other
