"""Nothing is judged by an old value: all that has arrived is taken in first, and what was written is not seen yet."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime, timedelta

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    EventFamily,
    EventHeader,
    GatewayClient,
    Item,
    LiveSession,
    LiveState,
    MxEvent,
    MxGatewayWaitError,
    UnseenWrite,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.system import clock
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestDouble"


@pytest.fixture
async def items(live: LiveSession) -> list[Item]:
    """INT and DOUBLE, advised, with first values."""
    server = await live.session.register("live")
    found = await live.subscribe_tags([INT, DOUBLE], server)
    for item in found:
        await live.first_value(item)
    return found


# Catching up.


async def set_and_sent(gateway: SimulatedGateway, observer: LiveSession, value: int) -> None:
    """Sets INT and returns when it is on its way to every session."""
    gateway.set(INT, value)
    await eventually(lambda: observer[INT].value == value, "another session has seen it", seconds=20)


async def test_what_has_arrived_is_taken_in(
    gateway: SimulatedGateway, client: GatewayClient, live: LiveSession, items: list[Item]
) -> None:
    async with await LiveSession.open(client) as observer:
        (item,) = await observer.subscribe_tags([INT], await observer.session.register("observer"))
        await observer.first_value(item)
        for value in range(1, 50):
            await set_and_sent(gateway, observer, value)
            assert await live.caught_up(timeout=20)
            assert live[INT].value == value


async def test_what_waits_in_the_buffer_is_taken_in(live: LiveSession, items: list[Item]) -> None:
    buffer = live._supervisor._stream._buffer
    for value in range(1, 1000):
        event = pb.MxEvent(family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, quality=192)
        event.worker_sequence = live.last_worker_sequence + value
        event.server_handle, event.item_handle = items[0].key
        event.value.int32_value = value
        buffer.put(clock.monotonic(), event.SerializeToString())
    assert await live.caught_up(timeout=20)
    assert live[INT].value == 999


async def test_an_event_that_waited_does_not_tell_that_no_other_waits(live: LiveSession, items: list[Item]) -> None:
    buffer = live._supervisor._stream._buffer
    assert live.heard_within(600)
    for seconds, value in ((3_600, 71), (0, 72)):
        event = pb.MxEvent(family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, quality=192)
        event.worker_sequence = live.last_worker_sequence + 1
        event.server_handle, event.item_handle = items[0].key
        event.value.int32_value = value
        event.gateway_receive_timestamp.FromDatetime(datetime.now(UTC) - timedelta(seconds=seconds))
        buffer.put(clock.monotonic(), event.SerializeToString())
        await eventually(lambda value=value: live[INT].value == value, "it is taken in")
        assert live.heard_within(600) is (seconds < 600)


async def test_a_stream_that_never_rests_is_caught_up_with(live: LiveSession, items: list[Item]) -> None:
    buffer, is_over = live._supervisor._stream._buffer, threading.Event()
    sequences = itertools.count(live.last_worker_sequence + 1)

    def pour() -> None:
        while not is_over.is_set():
            event = pb.MxEvent(family=pb.MX_EVENT_FAMILY_ON_DATA_CHANGE, quality=192, worker_sequence=next(sequences))
            event.server_handle, event.item_handle = items[0].key
            event.value.int32_value = event.worker_sequence
            buffer.put(clock.monotonic(), event.SerializeToString())
            is_over.wait(0.0005)

    pouring = threading.Thread(target=pour)
    pouring.start()
    try:
        for _ in range(3):
            sequence = live.last_worker_sequence + len(buffer)
            assert await live.caught_up(timeout=60)
            assert live.last_worker_sequence >= sequence
    finally:
        is_over.set()
        pouring.join()


async def test_those_who_ask_at_the_same_time_share_the_round(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    def pings() -> int:
        return sum(
            call.rpc == "Invoke" and call.request.command.WhichOneof("payload") == "ping" for call in gateway.calls
        )

    before = pings()
    assert all(await asyncio.gather(*(live.caught_up(timeout=20) for _ in range(100))))
    assert pings() - before < 20


async def test_without_an_answer_nobody_knows_and_a_read_says_so(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.stall("ping")
    assert not await live.caught_up(timeout=0.05)
    (reading,) = await live.read([INT], timeout=0.05)
    assert (reading.cached, reading.value) == (True, 0)
    assert reading.stale_for is not None
    gateway.faults.release()
    assert await live.caught_up(timeout=20)
    assert (await live.read([INT]))[0].stale_for is None
    gateway.faults.stall("StreamEvents")
    gateway.faults.drop_streams()
    await eventually(lambda: live.state is LiveState.STALE, "the stream is lost", seconds=20)
    assert not await live.caught_up(timeout=20)


STOPPED = """
import asyncio, sys
from zb_mom_ww_mxgateway import GatewayClient, LiveSession

async def main():
    client = await GatewayClient.connect(endpoint=sys.argv[1], api_key=sys.argv[2], plaintext=True)
    async with client, await LiveSession.open(client) as live:
        (item,) = await live.subscribe_tags([sys.argv[3]], await live.session.register("t"))
        await live.first_value(item)
        print("ready", flush=True)
        # As at a prompt: a line comes when the process goes on, and is carried out at once.
        line = await asyncio.to_thread(sys.stdin.readline)
        while line:
            (reading,) = await live.read([sys.argv[3]])
            print(reading.value, reading.stale_for, flush=True)
            line = sys.stdin.readline()

asyncio.run(main())
"""


async def test_a_process_that_was_stopped_judges_by_what_came_meanwhile(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    program = subprocess.Popen(  # noqa: ASYNC220 - it only starts one
        [sys.executable, "-c", textwrap.dedent(STOPPED), gateway.endpoint, gateway.api_key, INT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with program:
        assert program.stdin
        assert program.stdout
        try:
            assert await asyncio.to_thread(program.stdout.readline) == "ready\n"
            for value in range(1, 21):
                os.kill(program.pid, signal.SIGSTOP)
                await set_and_sent(gateway, live, value)
                program.stdin.write("\n")
                program.stdin.flush()
                os.kill(program.pid, signal.SIGCONT)
                assert await asyncio.to_thread(program.stdout.readline) == f"{value} None\n"
        finally:
            program.kill()


# What was written.


async def test_a_read_right_after_a_write_gives_what_was_written(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    for value in range(1, 30):
        result = await live.write_and_confirm(*items[0].key, value)
        assert result.outcome is WriteOutcome.COMPLETED
        (reading,) = await live.read([INT])
        # Its change may not have left the gateway: then it is told that this is not what was written.
        assert reading.value == value or reading.written_for is not None
        await eventually(lambda: live.unseen_write(*items[0].key) is None, "the change comes", seconds=20)


async def test_what_was_written_is_unseen_until_a_change_shows_it(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    item, other = items
    gateway.faults.stall("StreamEvents")
    await live.session.write(*item.key, 5, user_id=7)
    written = live.unseen_write(*item.key)
    assert written is not None
    assert (written.value, written.user_id, written.ended_at) == (5, 7, None)
    assert written.ago >= 0
    readings = await live.read([INT, DOUBLE])
    assert (readings[0].value, readings[1].written_for) == (0, None)
    assert readings[0].written_for is not None
    assert live.unseen_write(*other.key) is None
    gateway.faults.release()
    await eventually(lambda: live.unseen_write(*item.key) is None, "the change shows it", seconds=20)
    assert live[INT].value == 5


async def test_a_refused_write_is_none(gateway: SimulatedGateway, live: LiveSession, items: list[Item]) -> None:
    (unadvised,) = [await live.session.add_item(items[0].server_handle, "TestChildObject.TestBool")]
    refused = await live.write_and_confirm(items[0].server_handle, unadvised, True)
    assert refused.outcome is WriteOutcome.REFUSED
    assert live.unseen_write(items[0].server_handle, unadvised) is None
    refused = await live.write_and_confirm(*items[0].key, "no number")
    assert refused.outcome is WriteOutcome.REFUSED
    assert live.unseen_write(*items[0].key) is None


async def test_a_write_of_the_value_that_is_held_has_nothing_to_show(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    changes = live[DOUBLE].changes
    await live.write_and_confirm(*items[1].key, 0)
    assert live.unseen_write(*items[1].key) is None
    assert live[DOUBLE].changes == changes


async def test_a_change_shows_it_when_it_has_the_value_or_came_after_the_completion(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    item = items[0]
    gateway.faults.stall("StreamEvents")

    def comes(family: EventFamily, value: int | None = None) -> UnseenWrite | None:
        live._hub.take(MxEvent(EventHeader(family, *item.key, 192), live.last_worker_sequence + 1, value))
        return live.unseen_write(*item.key)

    await live.session.write(*item.key, 5)
    await live.session.write(*item.key, 6)
    assert comes(EventFamily.ON_DATA_CHANGE, 1)  # it was on its way
    assert comes(EventFamily.ON_DATA_CHANGE, 5)  # of the first
    assert comes(EventFamily.ON_WRITE_COMPLETE)
    assert comes(EventFamily.ON_DATA_CHANGE, 4)
    assert comes(EventFamily.ON_WRITE_COMPLETE)
    assert not comes(EventFamily.ON_DATA_CHANGE, 3)  # what the object made of it
    await live.session.write(*item.key, 8)
    assert not comes(EventFamily.ON_DATA_CHANGE, 8)


async def test_of_writes_that_never_show_only_the_newest_are_kept(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.hold_write_completes()
    for _ in range(150):
        await live.session.write(*items[0].key, live[INT].value)
    assert len(live._hub.unseen._writes[items[0].key]) <= 100


# New.


async def test_new_is_what_was_seen_since_the_first_write_after_the_last_check(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.set(INT, 1)
    await eventually(lambda: live[INT].value == 1, "it has come", seconds=20)
    assert live.mark() == live.events
    await live.write_and_confirm(*items[1].key, 1.0)
    gateway.set(INT, 2)  # what the first of two writes leads to
    await eventually(lambda: live[INT].value == 2, "it has come", seconds=20)
    await live.write_and_confirm(*items[1].key, 2.0)
    assert live[INT].is_new(live.mark())
    assert (await live.wait_for(INT, lambda value: value == 2, timeout=20, new=True)).value == 2
    # Of the same writes, once more: their effects may be several.
    assert (await live.wait_for(DOUBLE, lambda value: value == 2.0, timeout=20, new=True)).value == 2.0
    await live.write_and_confirm(*items[1].key, 3.0)
    assert not live[INT].is_new(live.mark())


@pytest.mark.parametrize("ahead", [-3600, 0, 3600])
async def test_no_clock_says_what_is_new(
    ahead: int, gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.set(INT, 1, timestamp=datetime.now(UTC) + timedelta(seconds=ahead))
    await eventually(lambda: live[INT].value == 1, "it has come", seconds=20)
    await live.write_and_confirm(*items[1].key, 1.0)
    with pytest.raises(MxGatewayWaitError):
        await live.wait_for(INT, lambda value: value == 1, timeout=0.1, new=True)
    gateway.set(INT, 2, timestamp=datetime.now(UTC) + timedelta(seconds=ahead))
    assert (await live.wait_for(INT, lambda value: value == 2, timeout=20, new=True)).value == 2


async def test_the_first_value_of_a_tag_that_is_advised_is_from_any_time(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.set("TestChildObject.TestString", "old", timestamp=datetime.now(UTC) + timedelta(seconds=3))
    await live.write_and_confirm(*items[1].key, 1.0)
    with pytest.raises(MxGatewayWaitError, match="it is 'old'"):
        await live.wait_for("TestChildObject.TestString", lambda value: True, timeout=1, new=True)
    gateway.set("TestChildObject.TestString", "new")
    new = await live.wait_for("TestChildObject.TestString", lambda value: True, timeout=20, new=True)
    assert new.value == "new"


async def test_a_change_that_had_arrived_and_is_looked_at_late_is_not_new(
    live: LiveSession, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    caught_up, asked = live.caught_up, 0

    async def held_up(**options: float) -> bool:
        """As if a change had waited on the way till now, and the first question had not been answered in time."""
        nonlocal asked
        asked += 1
        if asked == 2:
            header = EventHeader(EventFamily.ON_DATA_CHANGE, *items[0].key, 192)
            live._hub.take(MxEvent(header, live.last_worker_sequence + 1, 7))
        return asked > 1 and await caught_up(**options)

    monkeypatch.setattr(live._reader, "caught_up", held_up)
    with pytest.raises(MxGatewayWaitError, match="it is 7"):
        await live.wait_for(INT, lambda value: value == 7, timeout=0.5, new=True)


async def test_without_an_answer_nobody_knows_what_is_new(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    gateway.faults.stall("ping")
    with pytest.raises(MxGatewayWaitError, match="it is unknown what is new"):
        await live.wait_for(INT, lambda value: True, timeout=0.1, new=True)
    gateway.faults.release()
    assert await live.fresh_mark(timeout=20) == live.events


async def test_what_changed_between_two_sessions_is_new_since_before_and_not_since_a_mark_of_meanwhile(
    gateway: SimulatedGateway, live: LiveSession, items: list[Item]
) -> None:
    before = await live.fresh_mark(timeout=20)
    gateway.faults.stall("OpenSession")
    gateway.faults.lose_session(live.session.session_id)
    await eventually(lambda: live.state is LiveState.REBUILDING, "the session is lost", seconds=20)
    gateway.set(INT, 7)
    gateway.set(DOUBLE, 7.0)
    # What is lost is not waited for, to say what is new.
    meanwhile = await live.fresh_mark(timeout=20)
    waiting = asyncio.create_task(live.wait_for(INT, lambda value: value == 7, timeout=20, new=True))
    await eventually(lambda: live._hub.values._waits, "it waits", seconds=20)
    gateway.faults.release()
    assert (await live.wait_for(DOUBLE, lambda value: value == 7.0, timeout=20, mark=before)).value == 7.0
    with pytest.raises(MxGatewayWaitError, match=r"it is 7\.0"):
        await live.wait_for(DOUBLE, lambda value: value == 7.0, timeout=0.1, mark=meanwhile)
    await eventually(lambda: live[INT].value == 7 and live[INT].stale_since is None, "it has come", seconds=20)
    assert not waiting.done()
    assert not live[INT].is_new(meanwhile)
    gateway.set(INT, 8)
    await eventually(lambda: live[INT].value == 8, "it has come", seconds=20)
    gateway.set(INT, 7)
    assert (await waiting).is_new(meanwhile)


async def test_what_a_gap_hides_is_new_since_before_it_and_not_since_a_mark_of_meanwhile(
    live: LiveSession, items: list[Item]
) -> None:
    before = live.mark()

    def comes(item: Item, value: int, after: int = 1) -> None:
        live._hub.take(
            MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, *item.key, 192), live.last_worker_sequence + after, value)
        )

    comes(items[1], 1, after=5)
    meanwhile = live.mark()
    comes(items[0], 7)
    assert live[INT].is_new(before)
    assert not live[INT].is_new(meanwhile)
    comes(items[0], 8)
    assert live[INT].is_new(meanwhile)
