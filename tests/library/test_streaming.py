"""The event stream: what comes out of it, and that whoever leaves it ends the call."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    EventFamily,
    GatewayClient,
    MessageStream,
    MxEvent,
    MxGatewayAuthorizationError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    ReplayGap,
    Session,
    wire,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, SimulatedGateway

TAG = "TestChildObject.TestInt"


@pytest.fixture
async def advised(gateway: SimulatedGateway, session: Session) -> int:
    """The server handle of an advised TAG; its first data change waits for a subscriber."""
    server = await session.register("streaming")
    await session.subscribe_bulk(server, [TAG])
    return server


async def gone(gateway: SimulatedGateway) -> None:
    """Returns when the gateway has seen the stream go."""
    await eventually(lambda: gateway.open_streams == 0, "the gateway sees the stream go")


async def attached(gateway: SimulatedGateway) -> None:
    await eventually(lambda: gateway.open_streams == 1, "the gateway has the stream")


async def read_all(stream: MessageStream[MxEvent]) -> list[MxEvent]:
    return [event async for event in stream]


# What comes out.


async def test_events_come_in_order_without_holes(gateway: SimulatedGateway, session: Session, advised: int) -> None:
    events = []
    async for event in session.stream_events():
        events.append(event)
        if len(events) == 20:
            break
        gateway.set(TAG, len(events))
    assert [event.worker_sequence for event in events] == list(range(1, 21))
    assert [event.value for event in events] == list(range(20))
    assert {(event.family, event.server_handle, event.item_handle, event.quality) for event in events} == {
        (EventFamily.ON_DATA_CHANGE, advised, 1, 192)
    }


async def test_the_stream_is_open_before_it_is_read(gateway: SimulatedGateway, session: Session, advised: int) -> None:
    stream = session.stream_events()
    await attached(gateway)
    for value in (7, 8, 9):
        gateway.set(TAG, value)
    assert [(await anext(stream)).value for _ in range(4)] == [0, 7, 8, 9]


async def test_the_completion_of_a_write_is_an_event(gateway: SimulatedGateway, session: Session, advised: int) -> None:
    stream = session.stream_events()
    await anext(stream)
    await session.write(advised, 1, "no number")
    event = await anext(stream)
    assert event.family is EventFamily.ON_WRITE_COMPLETE
    assert event.failed
    assert [status.category.name for status in event.statuses] == ["OPERATIONAL_ERROR"]  # type: ignore[union-attr]


async def test_a_tag_that_does_not_exist_comes_as_a_bad_value(gateway: SimulatedGateway, session: Session) -> None:
    server = await session.register("streaming")
    await session.subscribe_bulk(server, ["No.Such"])
    event = await anext(session.stream_events())
    assert (event.value, event.quality_word, event.failed) == (None, "bad", True)
    assert event.statuses[0].category.name == "CONFIGURATION_ERROR"  # type: ignore[union-attr]


async def test_raw_events_are_the_messages(session: Session, advised: int) -> None:
    message = await anext(session.stream_events_raw())
    assert isinstance(message, pb.MxEvent)
    assert message.WhichOneof("body") == "on_data_change"
    assert message.worker_sequence == 1


async def test_a_stream_is_an_async_iterator_and_a_context_manager(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    async with session.stream_events() as stream:
        assert isinstance(stream, MessageStream)
        first = await anext(stream)
        gateway.set(TAG, 1)
        async for event in stream:
            assert event.worker_sequence == first.worker_sequence + 1
            break
    await gone(gateway)


async def test_what_a_stream_asks_for(gateway: SimulatedGateway, session: Session, advised: int) -> None:
    await anext(session.stream_events())
    (request,) = (call.request for call in gateway.calls if call.rpc == "StreamEvents")
    assert request == pb.StreamEventsRequest(session_id=session.session_id, after_worker_sequence=0)


async def test_resuming_after_a_sequence_gives_what_came_since(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    async for event in session.stream_events():
        assert event.worker_sequence == 1
        break
    await gone(gateway)
    for value in (7, 8):
        gateway.set(TAG, value)
    stream = session.stream_events(after=1)
    assert [(event.worker_sequence, event.value) for event in [await anext(stream), await anext(stream)]] == [
        (2, 7),
        (3, 8),
    ]
    (_, request) = (call.request for call in gateway.calls if call.rpc == "StreamEvents")
    assert request.after_worker_sequence == 1


async def test_a_replay_gap_is_an_event(gateway: SimulatedGateway, session: Session, advised: int) -> None:
    async for _ in session.stream_events():
        break
    await gone(gateway)
    gateway.set(TAG, 7)
    gateway.faults.evict_replay(session.session_id)
    gateway.set(TAG, 8)
    stream = session.stream_events(after=1)
    gap, event = await anext(stream), await anext(stream)
    assert (gap.family, gap.replay_gap) == (EventFamily.UNSPECIFIED, ReplayGap(1, 3))
    assert (event.worker_sequence, event.value, event.replay_gap) == (3, 8, None)


# Leaving it ends the call.


async def test_leaving_the_loop_ends_the_call(gateway: SimulatedGateway, session: Session, advised: int) -> None:
    async for _ in session.stream_events():
        break
    await gone(gateway)


async def test_leaving_the_loop_ends_the_call_of_a_stream_that_is_held(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    stream = session.stream_events()
    async for _ in stream:
        break
    await gone(gateway)
    await eventually(lambda: stream.closed, "the stream is closed")
    assert await read_all(stream) == []


async def test_an_error_in_the_loop_ends_the_call(gateway: SimulatedGateway, session: Session, advised: int) -> None:
    async def fails() -> None:
        async for _ in session.stream_events():
            raise KeyError("in the loop")

    with pytest.raises(KeyError):
        await fails()
    await gone(gateway)


async def test_returning_out_of_the_loop_ends_the_call(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    async def first() -> MxEvent:
        async for event in session.stream_events():
            return event
        raise AssertionError("no event")

    assert (await first()).value == 0
    await gone(gateway)


async def test_cancelling_the_consuming_task_ends_the_call(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    consumer = asyncio.create_task(read_all(session.stream_events()))
    await attached(gateway)
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    await gone(gateway)


async def test_a_time_out_around_anext_ends_the_call(gateway: SimulatedGateway, session: Session) -> None:
    stream = session.stream_events()
    await attached(gateway)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await anext(stream)
    await gone(gateway)
    assert stream.closed


async def test_aclose_ends_the_call_and_the_waiting_reader_sees_the_end(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    stream = session.stream_events()
    reader = asyncio.create_task(read_all(stream))
    await attached(gateway)
    await stream.aclose()
    assert len(await reader) <= 1
    await gone(gateway)
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_aclosing_works_on_it(gateway: SimulatedGateway, session: Session, advised: int) -> None:
    async with aclosing(session.stream_events()) as stream:
        await anext(stream)
    await gone(gateway)


async def test_closing_the_session_ends_the_stream_without_an_error(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    session = await client.open_session()
    reader = asyncio.create_task(read_all(session.stream_events()))
    await attached(gateway)
    await session.close()
    assert await reader == []
    await gone(gateway)


async def test_closing_the_client_ends_the_stream_without_an_error(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    session = await client.open_session()
    reader = asyncio.create_task(read_all(session.stream_events()))
    await attached(gateway)
    await client.close()
    assert await reader == []
    await gone(gateway)


async def test_a_stream_that_is_dropped_unread_ends_its_call(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    stream = session.stream_events()
    await attached(gateway)
    del stream
    gc.collect()
    await gone(gateway)


async def test_a_stream_that_is_dropped_half_read_ends_its_call(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    stream = session.stream_events()
    assert (await anext(stream)).value == 0
    del stream
    gc.collect()
    await gone(gateway)


async def test_a_stream_can_be_opened_again_once_the_first_has_gone(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    for value in range(3):
        gateway.set(TAG, value)
        stream = session.stream_events(after=value)
        assert (await anext(stream)).value == value
        await stream.aclose()
        await gone(gateway)


# Errors are not hidden.


async def test_a_second_subscriber_is_told_and_does_not_disturb_the_first(
    gateway: SimulatedGateway, session: Session, advised: int
) -> None:
    first = session.stream_events()
    await anext(first)
    second = session.stream_events()
    with pytest.raises(MxGatewaySessionError, match="ALREADY_EXISTS") as caught:
        await anext(second)
    assert (caught.value.call, caught.value.grpc_code, second.closed) == ("stream_events", "ALREADY_EXISTS", True)
    gateway.set(TAG, 7)
    assert (await anext(first)).value == 7


@pytest.mark.parametrize("read", [anext, read_all])
async def test_a_stream_that_breaks_raises_after_what_came_before(
    read: Callable[[MessageStream[MxEvent]], Awaitable[object]],
    gateway: SimulatedGateway,
    session: Session,
    advised: int,
) -> None:
    stream = session.stream_events()
    assert (await anext(stream)).value == 0
    gateway.faults.drop_streams()
    with pytest.raises(MxGatewayTransportError, match="UNAVAILABLE"):
        await read(stream)
    # It is over, and says so.
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_session_that_is_unknown_is_a_session_error(client: GatewayClient) -> None:
    with pytest.raises(MxGatewaySessionError, match="NOT_FOUND"):
        await anext(client.attach("session-none").stream_events())


async def test_a_missing_scope_is_an_authorization_error() -> None:
    key = GatewayKey("writer", "secret", {KeyScope.SESSION_OPEN, KeyScope.SESSION_CLOSE, KeyScope.METADATA_READ})
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True)
        async with client, await client.open_session() as session:
            with pytest.raises(MxGatewayAuthorizationError):
                await read_all(session.stream_events())


async def test_a_queue_that_overflows_is_a_session_error_that_names_it() -> None:
    async with SimulatedGateway(plaintext=True, event_queue_size=5) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
        async with client, await client.open_session() as session:
            server = await session.register("slow")
            await session.subscribe_bulk(server, [TAG])
            stream = session.stream_events()
            await anext(stream)
            for value in range(1, 20):
                gateway.set(TAG, value)
            with pytest.raises(MxGatewaySessionError, match="EventQueueOverflow"):
                await read_all(stream)
            with pytest.raises(MxGatewaySessionError, match="FAULTED"):
                await session.ping()


async def test_a_gateway_that_goes_away_is_a_transport_error(client: GatewayClient) -> None:
    async with SimulatedGateway(plaintext=True) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
        session = await client.open_session()
        reader = asyncio.create_task(read_all(session.stream_events()))
        await attached(gateway)
    async with client:
        with pytest.raises(MxGatewayError, match=gateway.endpoint):
            await reader


async def test_a_session_that_is_closed_elsewhere_ends_the_stream(
    gateway: SimulatedGateway, client: GatewayClient, session: Session
) -> None:
    reader = asyncio.create_task(read_all(session.stream_events()))
    await attached(gateway)
    await client.attach(session.session_id).close()
    assert await reader == []


async def test_a_message_that_cannot_be_decoded_is_shown(session: Session, advised: int) -> None:
    def decode(message: Any) -> MxEvent:
        raise ValueError("cannot be decoded")

    request = pb.StreamEventsRequest(session_id=session.session_id)
    stream = session._link.transport.stream(wire.STREAM_EVENTS, request, call="stream_events", decode=decode)
    with pytest.raises(ValueError, match="cannot be decoded"):
        await anext(stream)
    assert stream.closed


async def test_many_streams_leave_nothing_behind(far_gateway: Any) -> None:
    tasks = asyncio.all_tasks()
    options = {"endpoint": far_gateway.endpoint, "api_key": far_gateway.api_key, "plaintext": True}
    async with await GatewayClient.connect(**options) as client:
        for _ in range(20):
            async with await client.open_session() as session:
                server = await session.register("streaming")
                await session.subscribe_bulk(server, [TAG])
                async for _ in session.stream_events():
                    break
        # What gRPC itself still has to finish it finishes.
        await eventually(lambda: asyncio.all_tasks() <= tasks, "no tasks are left")
