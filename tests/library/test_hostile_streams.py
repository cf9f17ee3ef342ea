"""Event streams that lie: bounded memory, typed errors, and a live session that can always be closed."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from library_hostile import SESSION_ID, Hostile, hostile, mutated, random_message
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    BufferedData,
    LiveSession,
    LiveState,
    MxEvent,
    MxGatewayError,
    MxGatewayTransportError,
    RawValue,
    wire,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb

OK = pb.ProtocolStatus(code=pb.PROTOCOL_STATUS_CODE_OK)


def event(sequence: int, value: int = 0, item: int = 1) -> bytes:
    message = pb.MxEvent(
        session_id=SESSION_ID,
        family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE,
        server_handle=1,
        item_handle=item,
        worker_sequence=sequence,
        quality=192,
    )
    message.value.int32_value = value
    return message.SerializeToString()


def answering(request: bytes) -> bytes:
    """Pings and bulk calls are answered; whatever else is asked for is done."""
    asked = pb.MxCommandRequest.FromString(request)
    reply = pb.MxCommandReply(kind=asked.command.kind, session_id=asked.session_id, protocol_status=OK)
    if asked.command.kind == pb.MX_COMMAND_KIND_REGISTER:
        reply.register.server_handle = 1
    return reply.SerializeToString()


def streaming(handler: Hostile, events: list[bytes], *, endless: bool = False) -> None:
    async def stream() -> AsyncIterator[bytes]:
        for each in events:
            yield each
        while endless:
            await asyncio.sleep(0.05)
            yield b""

    handler.answers |= {
        "StreamEvents": lambda request: stream(),
        "Invoke": answering,
        "CloseSession": pb.CloseSessionReply(session_id=SESSION_ID, protocol_status=OK).SerializeToString(),
    }


async def read(client: Any, count: int) -> list[MxEvent]:
    found: list[MxEvent] = []
    async with client.attach(SESSION_ID).stream_events() as events:
        async for each in events:
            found.append(each)
            if len(found) == count:
                break
    return found


async def test_random_events_are_events_or_typed_errors() -> None:
    chance = random.Random("events")
    async with hostile() as (handler, client):
        seen, said = 0, []
        for turn in range(40):
            made = [random_message(pb.MxEvent.DESCRIPTOR, chance).SerializeToString() for _ in range(10)]
            if turn % 2:
                made[5] = mutated(made[5], chance)
            # A stream that begins with an event of another session is another matter.
            made[0] = event(1)
            streaming(handler, made)
            try:
                async with asyncio.timeout(30):
                    for each in await read(client, 10):
                        seen += 1
                        repr((each.value, each.source_timestamp, each.quality_word, each.statuses))
            except MxGatewayError as error:
                said.append(str(error))
        assert seen > 100
        assert said
        assert all(text.isprintable() for text in said)


async def test_a_stream_of_bytes_that_are_no_message_is_a_transport_error() -> None:
    async with hostile() as (handler, client):
        streaming(handler, [event(1), b"\xff\xff\xff\xff"])
        with pytest.raises(MxGatewayTransportError):
            await read(client, 2)


async def test_an_event_over_the_limit_is_a_typed_error() -> None:
    async with hostile(max_message_bytes=100_000) as (handler, client):
        huge = pb.MxEvent()
        huge.value.string_value = "x" * 200_000
        streaming(handler, [event(1), huge.SerializeToString()])
        with pytest.raises(MxGatewayError):
            await read(client, 2)


async def test_a_reader_who_stops_taking_holds_no_more_than_the_limit() -> None:
    limit = 80_000
    async with hostile(event_buffer_bytes=limit) as (handler, client):
        streaming(handler, [event(number, number) for number in range(1, 8_001)])
        async with client.attach(SESSION_ID).stream_events() as events:
            first = await anext(events)
            held = 0
            async with asyncio.timeout(20):
                while not events.ended:  # the reading thread tells nobody
                    waiting = events._buffer._entries.copy()
                    held = max(held, sum(len(data) for _, data in waiting))
                    await asyncio.sleep(0.005)
            rest = [each async for each in events]
        assert held <= limit + 1_000
        assert first.worker_sequence == 1
        # What was dropped is said, and the rest is whole to the end.
        (gap,) = [each for each in rest if each.replay_gap]
        assert gap.replay_gap is not None
        assert rest[-1].worker_sequence == 8_000
        assert len(rest) < 7_000


@pytest.mark.parametrize(
    "sequences",
    [[5, 4, 3, 2, 1], [1, 1, 1, 1], [1, 2**64 - 1, 2], [0, 0, 0], [2**63, 1]],
    ids=["back", "the same", "the last there is", "none", "huge, then one"],
)
async def test_a_live_session_endures_any_order_of_sequences(sequences: list[int]) -> None:
    async with hostile() as (handler, client):
        streaming(handler, [event(sequence, index) for index, sequence in enumerate(sequences)], endless=True)
        live = await LiveSession.open(client, client.attach(SESSION_ID))
        try:
            async with asyncio.timeout(30):
                while live.events < len(sequences):
                    await live.changed()
            assert live.last_worker_sequence == max(sequences)
            assert live.state is LiveState.LIVE
        finally:
            async with asyncio.timeout(30):
                await live.aclose()
        assert live.state is LiveState.CLOSED


async def test_a_batch_of_times_that_no_calendar_has_is_raw_and_ends_nothing() -> None:
    batch = pb.MxEvent.FromString(event(2))
    batch.family = pb.MX_EVENT_FAMILY_ON_BUFFERED_DATA_CHANGE
    batch.ClearField("value")
    batch.on_buffered_data_change.values.timestamp_values.values.add().seconds = 10**17
    batch.on_buffered_data_change.qualities.append(192)
    async with hostile() as (handler, client):
        streaming(handler, [event(1), batch.SerializeToString(), event(3)])
        found = await read(client, 3)
    assert [each.worker_sequence for each in found] == [1, 2, 3]
    assert isinstance(found[1].body, BufferedData)
    assert isinstance(found[1].body.values[0], RawValue)


@pytest.mark.long
async def test_a_live_session_endures_random_events_and_can_be_closed() -> None:
    chance = random.Random("live")
    async with hostile() as (handler, client):
        made = []
        for _ in range(300):
            message: Any = random_message(pb.MxEvent.DESCRIPTOR, chance)
            # Only what is no gap, and of no other session: these are tried in their own tests.
            message.ClearField("replay_gap")
            message.ClearField("session_id")
            message.server_handle = message.item_handle = 1
            made.append(message.SerializeToString())
        streaming(handler, made, endless=True)
        live = await LiveSession.open(client, client.attach(SESSION_ID))
        try:
            async with asyncio.timeout(20):
                while live.events < len(made):
                    await live.changed()
            value = live.latest(1, 1)
            assert value is not None
            repr((value.value, value.age, value.source_timestamp, value.quality_word))
        finally:
            async with asyncio.timeout(30):
                await live.aclose()


async def test_values_of_items_that_nobody_added_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.cache._MOST_UNKNOWN", 50)
    async with hostile() as (handler, client):
        streaming(handler, [event(number, number, number) for number in range(1, 1_001)], endless=True)
        live = await LiveSession.open(client, client.attach(SESSION_ID))
        async with live, asyncio.timeout(30):
            while live.events < 1_000:
                await live.changed()
            held = [number for number in range(1, 1_001) if live.latest(1, number)]
    assert held == list(range(951, 1_001))


def test_handles_of_items_that_nobody_added_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.wire.handle_map._MOST_UNCONFIRMED", 50)
    handles = wire.HandleMap({0: 1, 1: 5})
    handles.bind_server(1, 1)
    handles.bind_item(1, 5, 7)
    made = []
    for number in range(1_000, 2_000):
        message = pb.MxEvent(server_handle=1, item_handle=number)
        handles.event_from_gateway(message)
        made.append(message.item_handle)
        if number == 1_500:
            # The reply that names it comes after its first event.
            request = wire.command_request(SESSION_ID, wire.command("add_item", server_handle=1), "c")
            reply = pb.MxCommandReply(kind=request.command.kind, protocol_status=OK)
            reply.add_item.item_handle = number
            handles.from_gateway(request, reply)
            named = reply.add_item.item_handle
            assert named == message.item_handle
    assert len(set(made)) == len(made)
    assert len(handles._items_of(1).of_caller) == 52
    for callers, gateways in ((5, 7), (named, 1_500)):
        message = pb.MxEvent(server_handle=1, item_handle=gateways)
        handles.event_from_gateway(message)
        assert message.item_handle == callers
    # A registration that nobody made has no handle here.
    message = pb.MxEvent(server_handle=2, item_handle=7)
    handles.event_from_gateway(message)
    assert (message.server_handle, message.item_handle) == (0, 0)


async def test_a_stream_that_ends_again_and_again_is_tried_at_intervals_and_can_be_closed() -> None:
    begun = 0

    def stream(request: bytes) -> list[bytes]:
        nonlocal begun
        begun += 1
        return [event(begun)] if begun == 1 else []

    async with hostile() as (handler, client):
        handler.answers |= {"StreamEvents": stream, "Invoke": answering}
        handler.answers["CloseSession"] = b""
        live = await LiveSession.open(client, client.attach(SESSION_ID), rebuild=False)
        await eventually(lambda: begun >= 4, "three further streams", seconds=20)
        assert live.state is not LiveState.CLOSED
        async with asyncio.timeout(30):
            await live.aclose()
        assert begun < 20
