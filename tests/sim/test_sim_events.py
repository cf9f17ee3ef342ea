"""The event stream: one subscriber, no holes, replay, gaps, overflow, and a client that leaves."""

import grpc
import pytest
from sim_wire import Events, Wire, becomes, failing, wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

TAG = "TestChildObject.TestInt"


def sequences(events: list[pb.MxEvent]) -> list[int]:
    return [event.worker_sequence for event in events]


async def test_events_are_numbered_from_one_without_holes(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, item, first = await client.watching(TAG)
    for value in range(1, 50):
        gateway.set(TAG, value)
    await client.write(1, item, int32_value=0)
    await clock.advance(0.1)
    assert sequences([first, *await events.take(51)]) == list(range(1, 53))
    assert first.session_id == client.session_id
    assert first.gateway_receive_timestamp.ToNanoseconds() >= first.worker_timestamp.ToNanoseconds() > 0
    assert not first.HasField("replay_gap")


async def test_each_session_counts_for_itself(client: Wire) -> None:
    await client.watching(TAG)
    _, _, first = await client.watching(TAG)
    assert first.worker_sequence == 1


async def test_a_second_subscriber_is_refused(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    code, text = await failing(client.stream().call.read())
    assert code is grpc.StatusCode.ALREADY_EXISTS
    assert client.session_id in text
    gateway.set(TAG, 5)
    assert (await events.next()).value.int32_value == 5


async def test_a_client_that_cancels_is_noticed_and_may_come_back(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    assert gateway.open_streams == 1
    events.call.cancel()
    await becomes(lambda: gateway.open_streams == 0)
    again = client.stream()
    await becomes(lambda: gateway.open_streams == 1)
    gateway.set(TAG, 5)
    assert (await again.next()).value.int32_value == 5


async def test_a_client_whose_connection_goes_is_noticed(gateway: SimulatedGateway) -> None:
    async with wire(gateway) as client:
        await client.watching(TAG)
        assert gateway.open_streams == 1
    await becomes(lambda: gateway.open_streams == 0)


async def test_the_first_subscriber_gets_what_came_before_it(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    server = await client.register()
    await client.advise(server, await client.add(server, TAG))
    gateway.set(TAG, 1)
    events = client.stream()
    assert [event.value.int32_value for event in await events.take(2)] == [0, 1]


async def test_a_later_fresh_stream_begins_with_now(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    events.call.cancel()
    await becomes(lambda: gateway.open_streams == 0)
    gateway.set(TAG, 1)
    events = client.stream()
    await becomes(lambda: gateway.open_streams == 1)
    gateway.set(TAG, 2)
    event = await events.next()
    assert (event.value.int32_value, event.worker_sequence) == (2, 3)


async def resumed(client: Wire, gateway: SimulatedGateway, events: Events, after: int) -> Events:
    events.call.cancel()
    await becomes(lambda: gateway.open_streams == 0)
    return client.stream(after)


async def test_a_resumed_stream_misses_nothing(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    for value in range(1, 5):
        gateway.set(TAG, value)
    await events.take(2)
    events.call.cancel()
    await becomes(lambda: gateway.open_streams == 0)
    gateway.set(TAG, 5)
    events = client.stream(after=3)
    assert sequences(await events.take(3)) == [4, 5, 6]
    gateway.set(TAG, 6)
    assert sequences(await events.take(1)) == [7]


async def test_a_stream_resumed_at_the_end_has_no_gap(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events, _, _ = await client.watching(TAG)
    # Nothing of what it has seen is retained any more, and nothing is missing.
    await clock.advance(301)
    events = await resumed(client, gateway, events, after=1)
    await becomes(lambda: gateway.open_streams == 1)
    gateway.set(TAG, 1)
    event = await events.next()
    assert not event.HasField("replay_gap")
    assert event.worker_sequence == 2


async def test_events_beyond_the_ring_are_a_gap(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    events.call.cancel()
    await becomes(lambda: gateway.open_streams == 0)
    for value in range(1, 1031):
        gateway.set(TAG, value)
    events = client.stream(after=1)
    gap, *kept = await events.take(1025)
    assert gap.family == pb.MX_EVENT_FAMILY_UNSPECIFIED
    assert gap.WhichOneof("body") is None
    assert gap.replay_gap == pb.ReplayGap(requested_after_sequence=1, oldest_available_sequence=8)
    assert sequences(kept) == list(range(8, 1032))


async def test_events_older_than_300_s_are_a_gap(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    events, _, _ = await client.watching(TAG)
    gateway.set(TAG, 1)
    await clock.advance(200)
    gateway.set(TAG, 2)
    await clock.advance(101)
    events = await resumed(client, gateway, events, after=1)
    gap, kept = await events.take(2)
    assert gap.replay_gap == pb.ReplayGap(requested_after_sequence=1, oldest_available_sequence=3)
    assert kept.worker_sequence == 3


async def test_a_gap_with_nothing_retained_says_zero(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    for value in (1, 2):
        gateway.set(TAG, value)
    gateway.faults.evict_replay(client.session_id)
    events = await resumed(client, gateway, events, after=2)
    gap = await events.next()
    assert gap.replay_gap == pb.ReplayGap(requested_after_sequence=2, oldest_available_sequence=0)
    gateway.set(TAG, 3)
    assert (await events.next()).worker_sequence == 4


async def test_drain_takes_what_waits_for_a_subscriber(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    server = await client.register()
    await client.advise(server, await client.add(server, TAG))
    for value in range(1, 5):
        gateway.set(TAG, value)
    reply = await client.done("drain_events", max_events=2)
    assert sequences(list(reply.drain_events.events)) == [1, 2]
    events = client.stream()
    assert sequences(await events.take(3)) == [3, 4, 5]
    reply = await client.done("drain_events")
    assert reply.WhichOneof("payload") == "drain_events"
    assert not reply.drain_events.events


@pytest.mark.parametrize("policy", ["fail-fast", "disconnect-subscriber"])
async def test_a_client_that_stops_reading_overflows_its_queue(clock: ManualClock, policy: str) -> None:
    async with (
        SimulatedGateway(plaintext=True, clock=clock, event_queue_size=50, overflow_policy=policy) as gateway,  # type: ignore[arg-type]  # both of them
        wire(gateway) as client,
    ):
        events, _, _ = await client.watching("TestChildObject.TestString")
        session = gateway.sessions[client.session_id]
        # Some of it fits into HTTP/2's windows: only then does the queue fill.
        sent = 0
        while gateway.open_streams and sent < 200:
            sent += 1
            gateway.set("TestChildObject.TestString", f"{sent}" + "x" * 100_000)
            await clock.advance(0)
        assert 50 < sent < 200
        # It was disconnected though it reads nothing; it learns so when it reads again.
        code, text = await events.end()
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "EventQueueOverflow" in text
        if policy == "fail-fast":
            assert session.state == "FAULTED"
            assert (await failing(client.invoke("ping")))[0] is grpc.StatusCode.FAILED_PRECONDITION
        else:
            assert session.state == "READY"
            again = client.stream(after=session.last_sequence)
            await becomes(lambda: gateway.open_streams == 1)
            gateway.set("TestChildObject.TestString", "after")
            assert (await again.next()).value.string_value == "after"


async def test_the_queue_holds_ten_thousand_by_default(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    # In one go: nothing can be handed to grpc in between.
    for value in range(1, 10_001):
        gateway.set(TAG, value)
    assert gateway.open_streams == 1
    gateway.set(TAG, 0)
    assert gateway.open_streams == 0
    assert (await events.end())[0] is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_dropped_streams_leave_the_session_alive(client: Wire, gateway: SimulatedGateway) -> None:
    events, _, _ = await client.watching(TAG)
    gateway.faults.drop_streams()
    assert gateway.open_streams == 0
    assert (await events.end())[0] is grpc.StatusCode.UNAVAILABLE
    gateway.set(TAG, 5)
    events = client.stream(after=1)
    assert (await events.next()).value.int32_value == 5
    gateway.faults.drop_streams(grpc.StatusCode.INTERNAL)
    assert (await events.end())[0] is grpc.StatusCode.INTERNAL
