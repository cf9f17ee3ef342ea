"""The thread that drains a session's event stream, and the buffer between it and the loop."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable

import grpc
import pytest
from grpc.experimental import ChannelOptions
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    ClientOptions,
    EventStream,
    GatewayClient,
    MxEvent,
    MxGatewayArgumentError,
    Session,
    SessionState,
)
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway.transport.reader_thread import Arrived, EventBuffer, ReadingThread
from zb_mom_ww_mxgateway_sim import SimulatedGateway

TAGS = [f"Area001.Unit{unit:04}.Value{number:02}" for unit in (1, 2) for number in range(1, 51)]


def reading_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("reading ")]


async def connect(gateway, **options) -> GatewayClient:
    return await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, **options)


async def advise(session: Session, tags: list[str]) -> None:
    server = await session.register("t")
    results = await session.subscribe_bulk(server, tags)
    assert all(result.was_successful for result in results)


async def read_past(stream: EventStream[MxEvent], received_after: float) -> list[MxEvent]:
    """Everything up to the first event that came after the given time."""
    events = []
    async with asyncio.timeout(60):
        async for event in stream:
            events.append(event)
            if event.received_at > received_after:
                break
    return events


def block_until(stream: EventStream[MxEvent], came: int) -> None:
    """Blocks the loop until so many events have come behind its back, however slowly."""
    until = time.monotonic() + 60
    while stream._buffer.came < came:
        assert time.monotonic() < until, "the events do not come"
        time.sleep(0.01)


async def test_a_blocked_loop_loses_nothing(busy_gateway) -> None:
    # In the proportion of half a minute at 2,000 events/s to a queue of 10,000: six times what the queue holds.
    async with await connect(busy_gateway) as client, await client.open_session() as session:
        stream = session.stream_events()
        await advise(session, TAGS)
        await anext(stream)
        block_until(stream, 1_800)
        blocked_until = clock.monotonic()
        events = await read_past(stream, blocked_until)
        assert [event.worker_sequence for event in events] == list(range(2, len(events) + 2))
        assert len([event for event in events if event.received_at < blocked_until]) >= 1_700
        assert await session.get_session_state() is SessionState.READY


async def test_a_reader_that_comes_late_gets_events_with_the_time_they_came(busy_gateway) -> None:
    async with await connect(busy_gateway) as client, await client.open_session() as session:
        stream = session.stream_events()
        await advise(session, TAGS)
        block_until(stream, 1)
        late = clock.monotonic()
        first = await anext(stream)
        assert first.received_at <= late


async def test_a_full_buffer_drops_the_oldest_and_a_gap_stands_in_their_place(busy_gateway) -> None:
    async with (
        await connect(busy_gateway, event_buffer_bytes=30_000) as client,
        await client.open_session() as session,
    ):
        stream = session.stream_events()
        await advise(session, TAGS)
        first = await anext(stream)
        block_until(stream, 700)
        events = await read_past(stream, clock.monotonic())
        gaps = [event for event in events if event.replay_gap]
        assert gaps
        last = first.worker_sequence
        for event in events:
            if event.replay_gap:
                assert event.replay_gap.requested_after_sequence == last
                last = event.replay_gap.oldest_available_sequence - 1
                assert last > event.replay_gap.requested_after_sequence
            else:
                assert event.worker_sequence == last + 1
                last = event.worker_sequence
        # What is kept is what came last.
        assert len(events) - len(gaps) < 300


async def test_raw_events_have_the_same_gap(busy_gateway) -> None:
    async with (
        await connect(busy_gateway, event_buffer_bytes=30_000) as client,
        await client.open_session() as session,
    ):
        stream = session.stream_events_raw()
        await advise(session, TAGS)
        block_until(stream, 700)
        async with asyncio.timeout(20):
            gap, kept = await anext(stream), await anext(stream)
        assert gap.replay_gap.requested_after_sequence == 0
        assert gap.replay_gap.oldest_available_sequence == kept.worker_sequence > 1


async def test_other_tasks_get_their_turn_while_a_full_buffer_is_read(busy_gateway) -> None:
    async with await connect(busy_gateway) as client, await client.open_session() as session:
        stream = session.stream_events()
        await advise(session, TAGS)
        await anext(stream)
        block_until(stream, 1_200)
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        counting = asyncio.create_task(count())
        for _ in range(1_000):
            await anext(stream)
        counting.cancel()
        assert turns >= 3


async def test_the_thread_ends_with_its_stream(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    stream = session.stream_events()
    assert len(reading_threads()) == 1
    await stream.aclose()
    await eventually(lambda: not reading_threads(), "the thread ends")
    await session.close()


@pytest.mark.parametrize("how", ["session", "client", "server", "dropped"])
async def test_the_thread_ends_however_its_stream_ends(
    gateway: SimulatedGateway, client: GatewayClient, how: str
) -> None:
    session = await client.open_session()
    stream = session.stream_events()
    await eventually(lambda: gateway.open_streams, "the stream is open")
    match how:
        case "session":
            await session.close()
        case "client":
            await client.close()
        case "server":
            gateway.faults.kill_connections()
        case "dropped":
            del stream
    await eventually(lambda: not reading_threads(), "the thread ends")
    await eventually(lambda: not gateway.open_streams, "the gateway sees it")


async def test_two_tasks_may_wait_for_the_same_stream(gateway: SimulatedGateway, session: Session) -> None:
    stream = session.stream_events()
    waiting = [asyncio.create_task(anext(stream)) for _ in range(2)]
    await asyncio.sleep(0)
    await advise(session, ["TestChildObject.TestInt", "TestChildObject.TestBool"])
    async with asyncio.timeout(30):
        events = [await task for task in waiting]
    assert sorted(event.worker_sequence for event in events) == [1, 2]


def test_a_program_that_forgets_its_stream_still_leaves(far_gateway) -> None:
    endpoint, api_key = far_gateway.endpoint, far_gateway.api_key
    program = f"""
import asyncio
from zb_mom_ww_mxgateway import GatewayClient
async def main():
    global client, stream
    client = await GatewayClient.connect(endpoint={endpoint!r}, api_key={api_key!r}, plaintext=True)
    session = await client.open_session()
    stream = session.stream_events()
    print("open")
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "open\n", "")


def test_the_buffer_has_a_least_size() -> None:
    with pytest.raises(MxGatewayArgumentError, match="event_buffer_bytes must be a whole number of at least 1024"):
        ClientOptions(endpoint="localhost:5000", event_buffer_bytes=10)


class _Handing(deque[Arrived]):
    """Entries whose first removal lets another thread go on, and waits for it a while."""

    def __init__(self, entries: Iterable[Arrived]) -> None:
        super().__init__(entries)
        self.begun, self.other_is_done = threading.Event(), threading.Event()

    def popleft(self) -> Arrived:
        found = super().popleft()
        if not self.begun.is_set():
            self.begun.set()
            self.other_is_done.wait(0.3)
        return found


@pytest.mark.parametrize("first", ["take", "put"])
async def test_the_loop_takes_all_or_the_thread_drops_all_but_never_both_at_once(first: str) -> None:
    buffer = EventBuffer(asyncio.get_running_loop(), 1_000)
    for number in range(6):  # as many as there is room for
        buffer.put(float(number), bytes(30))
    entries = buffer._entries = _Handing(buffer._entries)
    taken: deque[Arrived] = deque()
    dropped: list[int] = []

    def take() -> None:
        dropped.append(buffer.take(taken))

    def put() -> None:
        for number in range(6, 12):
            buffer.put(float(number), bytes(30))

    one, other = (take, put) if first == "take" else (put, take)

    def follow() -> None:
        entries.begun.wait()
        other()
        entries.other_is_done.set()

    threads = [threading.Thread(target=one), threading.Thread(target=follow)]
    for thread in threads:
        thread.start()
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])
    take()
    assert len(taken) + sum(dropped) == buffer.came == 12
    assert [at for at, _ in taken] == sorted({at for at, _ in taken})
    assert buffer._came == buffer._went  # else its room would shrink


def events_not_taken() -> int:
    """How many events of ended calls gRPC still keeps for somebody to take, each with its connection."""
    gc.collect()
    return sum(type(kept).__name__ == "_BatchOperationTag" for kept in gc.get_objects())


def read_from_nobody(buffer: EventBuffer) -> None:
    """Reads a stream whose connection is refused, and which is given up at once: its events come in any order."""
    channel = grpc.insecure_channel("127.0.0.1:1", [(ChannelOptions.SingleThreadedUnaryStream, 1)])
    call = channel.unary_stream("/a/b")(b"")
    ReadingThread(channel, call, buffer).cancel()


async def test_nothing_of_an_ended_call_stays_with_grpc() -> None:
    before = events_not_taken()
    for _ in range(200):
        read_from_nobody(EventBuffer(asyncio.get_running_loop(), 1_000))
    await eventually(lambda: not reading_threads(), "the threads end")
    assert events_not_taken() <= before
