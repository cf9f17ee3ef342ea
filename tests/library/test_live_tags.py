"""What a live session does by the names of tags: subscribing, writing, callbacks, and events that name their tag."""

import asyncio
from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    EventFamily,
    EventHeader,
    GatewayClient,
    LiveSession,
    LiveState,
    LiveValue,
    MxEvent,
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayWaitError,
    MxGatewayWriteBlockedError,
    OpenSessionOptions,
    PendingWrite,
    WriteOutcome,
    WriteResult,
    wire,
)
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, FLOAT, BOOL = "TestChildObject.TestInt", "TestChildObject.TestFloat", "TestChildObject.TestBool"
SETPOINT, LEVEL = "Plant.Tank1.LevelSP", "Plant.Tank1.Level"
PATIENCE = 30.0


# Writing.


async def test_a_write_by_tag_does_what_is_needed_first_and_gives_the_outcome(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    result = await live.write(INT, 5, timeout=PATIENCE)
    assert result.outcome is WriteOutcome.COMPLETED
    assert gateway.read(INT).value == 5
    assert [item.tag for item in live.session.handles.items.values()] == [INT]
    assert (await live.write(INT.lower(), 6, timeout=PATIENCE)).outcome is WriteOutcome.COMPLETED
    assert len(live.session.handles.servers) == len(live.session.handles.items) == 1


async def test_writes_at_the_same_time_on_a_fresh_session_register_and_add_once(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    results = await asyncio.gather(*(live.write(tag, 1, timeout=PATIENCE) for tag in (INT, INT, SETPOINT)))
    assert {result.outcome for result in results} == {WriteOutcome.COMPLETED}
    assert len(live.session.handles.servers) == 1
    assert sorted(item.tag for item in live.session.handles.items.values()) == sorted([INT, SETPOINT])


async def test_one_time_covers_what_is_needed_first_and_the_write(
    gateway: SimulatedGateway, live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []

    async def confirmed(*_: object, timeout: float) -> WriteResult:
        given.append(timeout)
        return WriteResult(WriteOutcome.COMPLETED)

    monkeypatch.setattr(live._writer, "write_and_confirm", confirmed)
    gateway.faults.delay("subscribe_bulk", 0.3)
    await live.write(INT, 5, timeout=PATIENCE)
    assert 0 < given[0] <= PATIENCE - 0.3


async def test_a_session_registers_under_its_own_name(client: GatewayClient) -> None:
    session = await client.open_session(OpenSessionOptions(client_session_name="filling"))
    async with await LiveSession.open(client, session) as live:
        await live.subscribe_tags([INT])
        assert list(live.session.handles.servers.values()) == ["filling"]


async def test_a_write_that_is_refused_says_so(live: LiveSession) -> None:
    result = await live.write(INT, "abc", timeout=PATIENCE)
    assert result.outcome is WriteOutcome.REFUSED
    assert result.statuses


async def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    for tag, value, timeout in (("", 1, 5.0), (INT, float("nan"), 5.0), (INT, 1, 0.0)):
        with pytest.raises(MxGatewayArgumentError):
            await live.write(tag, value, timeout=timeout)
    assert not live.session.handles.servers


async def test_a_tag_without_a_value_in_time_is_not_written(gateway: SimulatedGateway, live: LiveSession) -> None:
    gateway.faults.stall("Invoke")
    with pytest.raises(MxGatewayWaitError, match="nothing was written"):
        await live.write(INT, 5, timeout=0.05)
    assert not gateway.writes
    gateway.faults.release()


async def test_many_writes_have_an_outcome_each_and_one_that_fails_leaves_the_others_alone(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    values: dict[str, Any] = {INT: 5, FLOAT: 1.5, BOOL: "no Boolean", LEVEL: 3.0}
    results = await live.write_many(values, timeout=PATIENCE, in_flight=2)
    assert list(results) == list(values)
    outcomes = [result.outcome for result in results.values()]
    assert outcomes == [WriteOutcome.COMPLETED, WriteOutcome.COMPLETED, WriteOutcome.REFUSED, WriteOutcome.REFUSED]


async def test_many_writes_are_bounded_in_flight(gateway: SimulatedGateway, live: LiveSession) -> None:
    tags = [f"Plant.{name}" for name in ("Tank1.LevelSP", "Tank1.Inlet.Position")] + [INT, FLOAT]
    await live.subscribe_tags(tags)
    gateway.faults.hold_write_completes()
    writing = asyncio.create_task(live.write_many([(tag, 1) for tag in tags], timeout=PATIENCE, in_flight=3))
    await eventually(lambda: len(gateway.writes) == 3, "three are under way", seconds=PATIENCE)
    await live.caught_up()
    assert len(gateway.writes) == 3
    gateway.faults.release_write_completes()
    results = await writing
    assert {result.outcome for result in results.values()} == {WriteOutcome.COMPLETED}


async def test_of_many_writes_what_is_not_sent_says_why(gateway: SimulatedGateway) -> None:
    async def guard(pending: PendingWrite) -> bool | str:
        return all(entry.value == 1 for entry in pending.entries) or "not that one"

    async with (
        await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, write_guard=guard
        ) as client,
        await LiveSession.open(client) as live,
    ):
        results = await live.write_many({INT: 1, FLOAT: 2.0}, timeout=PATIENCE)
        assert results[INT].outcome is WriteOutcome.COMPLETED
        assert results[FLOAT].outcome is WriteOutcome.NOT_SENT
        assert isinstance(results[FLOAT].error, MxGatewayWriteBlockedError)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({INT: 1, FLOAT: object()}, FLOAT),
        ([(INT, 1), (INT.upper(), 2)], "named twice"),
        ([(INT, 1), (INT, 1)], "named twice"),
        ("AB", "mapping"),
        ([INT, FLOAT], "pairs"),
        ({"": 1}, "text that is not empty"),
    ],
)
async def test_many_writes_with_one_that_cannot_be_send_nothing(
    gateway: SimulatedGateway, live: LiveSession, values: Any, said: str
) -> None:
    with pytest.raises(MxGatewayArgumentError, match=said):
        await live.write_many(values)
    assert not live.session.handles.servers


# Subscribing.


async def test_tags_are_unsubscribed_by_name_and_what_is_not_there_is_passed_over(live: LiveSession) -> None:
    await live.subscribe_tags([INT, FLOAT])
    await live.unsubscribe_tags([INT.lower(), "No.Such"])
    assert [item.tag for item in live.session.handles.items.values()] == [FLOAT]
    with pytest.raises(KeyError):
        live[INT]
    with pytest.raises(MxGatewayArgumentError, match="list"):
        await live.unsubscribe_tags(FLOAT)
    await live.unsubscribe_tags([])


async def test_unsubscribing_looks_at_no_other_items(live: LiveSession, monkeypatch: pytest.MonkeyPatch) -> None:
    class Items(dict[Any, Any]):
        def __iter__(self) -> NoReturn:
            raise AssertionError("all items were looked at")

        values = items = keys = __iter__  # type: ignore[assignment]

    await live.subscribe_tags([INT, FLOAT])
    handles = live.session.handles
    monkeypatch.setattr(handles, "items", Items(handles.items))
    await live.unsubscribe_tags([INT])
    assert handles.find(INT) is None
    assert handles.find(FLOAT) is not None
    monkeypatch.undo()


async def test_a_tag_on_any_server_is_not_added_again_unless_one_is_named(live: LiveSession) -> None:
    first, second = await live.session.register("first"), await live.session.register("second")
    (there,) = await live.subscribe_tags([INT], second)
    assert await live.subscribe_tags([INT]) == [there]
    (here,) = await live.subscribe_tags([INT], first)
    assert here.server_handle == first
    await live.unsubscribe_tags([INT], first)
    assert live.session.handles.find(INT) == there


async def test_waiting_and_reading_register_what_they_need(gateway: SimulatedGateway, live: LiveSession) -> None:
    gateway.set(INT, 41)
    (reading,) = await live.read([INT])
    assert reading.value == 41
    assert (await live.wait_for(INT, lambda value: value > 40, timeout=PATIENCE)).value == 41
    assert len(live.session.handles.servers) == 1


# Events.


async def test_events_of_a_live_session_carry_their_tag(gateway: SimulatedGateway, live: LiveSession) -> None:
    async with live.subscribe() as events, asyncio.timeout(PATIENCE):
        await live.write(INT, 5, timeout=PATIENCE)
        found: list[MxEvent] = []
        while not any(event.family is EventFamily.ON_WRITE_COMPLETE for event in found):
            found.append(await anext(events))
    assert {event.tag for event in found} == {INT}


async def test_an_event_that_comes_before_the_reply_that_names_its_item_gets_its_tag(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    server = await live.session.register("early")
    async with live.subscribe() as events, asyncio.timeout(PATIENCE):
        early = MxEvent(EventHeader(EventFamily.ON_DATA_CHANGE, server, 1, 192), live.last_worker_sequence + 1, 5)
        live._hub.take(early)
        event = await anext(events)
        assert event.tag == ""
        await live.subscribe_tags([INT], server)
        assert event.tag == INT


async def test_all_that_comes_before_that_reply_gets_the_tag_and_so_does_the_value_that_is_held(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    gateway.faults.stall("StreamEvents")  # The events of this test alone.
    server = await live.session.register("early")
    async with live.subscribe() as events, asyncio.timeout(PATIENCE):
        for number in (1, 2):
            header = EventHeader(EventFamily.ON_DATA_CHANGE, server, 1, 192)
            live._hub.take(MxEvent(header, live.last_worker_sequence + 1, number))
        early = [await anext(events), await anext(events)]
        assert [event.tag for event in early] == ["", ""]
        assert await live.session.add_item(server, INT) == 1
        assert [event.tag for event in early] == [INT, INT]
        await live.session.advise(server, 1)
        held = live.latest(server, 1)
        assert held is not None
        assert (held.value, held.tag) == (2, INT)


# Callbacks.


class Commands:
    """The kinds of the commands that are sent."""

    def __init__(self) -> None:
        self.kinds: list[str] = []

    def sending(self, request: Any) -> None:
        self.kinds.append(wire.kind_name(request))

    def answered(self, request: Any, reply: Any) -> None: ...

    def failed(self, request: Any, error: BaseException) -> None: ...


async def test_a_callback_gets_the_value_and_every_change_until_its_handle_is_closed(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    gateway.set(INT, 1)
    seen: list[object] = []
    handle = await live.on_change(INT, lambda value: seen.append(value.value))
    await eventually(lambda: seen == [1], "the first value", seconds=PATIENCE)
    for number in (2, 3):
        gateway.set(INT, number)
    await eventually(lambda: seen == [1, 2, 3], "each change", seconds=PATIENCE)
    late: list[object] = []
    async with live.on_change(INT.upper(), lambda value: late.append((value.tag, value.value))):
        assert late == [(INT, 3)]
    handle.close()
    handle.close()
    gateway.set(INT, 4)
    await live.wait_for(INT, lambda value: value == 4, timeout=PATIENCE)
    assert (seen, len(late), handle.calls, handle.is_active) == ([1, 2, 3], 1, 3, False)


async def test_callbacks_asked_for_in_one_go_are_advised_in_one_call(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    seen: dict[str, object] = {}
    commands = Commands()
    live.session._link.transport.observers.add(commands)

    def take(value: LiveValue) -> None:
        seen[value.tag] = value.value

    handles = [live.on_change(tag, take) for tag in (INT, FLOAT, BOOL, SETPOINT, LEVEL)]
    await asyncio.gather(*handles)
    await eventually(lambda: len(seen) == 5, "a value of each", seconds=PATIENCE)
    assert commands.kinds.count("subscribe_bulk") == 1
    assert [handle.item.tag for handle in handles if handle.item] == [INT, FLOAT, BOOL, SETPOINT, LEVEL]


async def test_a_coroutine_function_sees_the_changes_one_after_another(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    gateway.set(INT, 0)
    running, seen = 0, []

    async def take(value: LiveValue) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0)
        seen.append(value.value)
        running -= 1

    async with live.on_change(INT, take) as handle:
        for number in range(1, 6):
            gateway.set(INT, number)
        await eventually(lambda: seen == [0, 1, 2, 3, 4, 5], "all in order", seconds=PATIENCE)
    assert handle.failures == 0


@pytest.fixture
def told() -> Callable[[], list[dict[str, Any]]]:
    """What the event loop's exception handler is told."""
    contexts: list[dict[str, Any]] = []

    def listen() -> list[dict[str, Any]]:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: contexts.append(context))
        return contexts

    return listen


async def test_what_a_callback_raises_is_told_when_it_happens_and_the_next_change_comes_all_the_same(
    gateway: SimulatedGateway, live: LiveSession, told: Callable[[], list[dict[str, Any]]]
) -> None:
    contexts = told()
    gateway.set(INT, 1)

    def plain(value: LiveValue) -> None:
        raise LookupError(value.value)

    async def coroutine(value: LiveValue) -> None:
        raise asyncio.CancelledError

    first, second = await asyncio.gather(live.on_change(INT, plain), live.on_change(INT, coroutine))
    await eventually(lambda: len(contexts) == 2, "both are told", seconds=PATIENCE)
    gateway.set(INT, 2)
    await eventually(lambda: len(contexts) == 4, "and again", seconds=PATIENCE)
    assert isinstance(first.error, LookupError)
    assert (first.failures, second.failures, live.state) == (2, 2, LiveState.LIVE)
    assert {INT in context["message"] for context in contexts} == {True}


async def test_on_error_is_told_instead(
    gateway: SimulatedGateway, live: LiveSession, told: Callable[[], list[dict[str, Any]]]
) -> None:
    contexts, errors = told(), []

    def plain(value: LiveValue) -> None:
        raise LookupError(value.value)

    await live.on_change(INT, plain, on_error=errors.append)
    await eventually(lambda: len(errors) == 1, "told", seconds=PATIENCE)
    assert contexts == []


async def test_a_tag_that_is_refused_is_told_or_raised_where_it_is_awaited(
    gateway: SimulatedGateway, live: LiveSession, told: Callable[[], list[dict[str, Any]]]
) -> None:
    contexts = told()
    server = await live.session.register("refused")
    await live.session.unregister(server)
    with pytest.raises(MxGatewayError):
        await live.on_change(INT, print, server_handle=server)
    assert contexts == []
    handle = live.on_change(INT, print, server_handle=server)
    await eventually(lambda: len(contexts) == 1, "told", seconds=PATIENCE)
    assert (handle.is_active, handle.error) == (False, contexts[0]["exception"])
    with pytest.raises(MxGatewayError):
        await handle
    with pytest.raises(MxGatewayArgumentError, match="callback"):
        live.on_change(INT, 5)  # type: ignore[arg-type]


async def test_closing_before_a_tag_was_advised_is_no_failure_of_its_callback(
    client: GatewayClient, told: Callable[[], list[dict[str, Any]]]
) -> None:
    contexts = told()
    live = await LiveSession.open(client)
    await live.session.register("callbacks")
    handle = live.on_change(INT, print)
    await live.aclose()
    assert (handle.is_active, contexts) == (False, [])


async def test_a_callback_ends_with_its_item_and_with_the_session(gateway: SimulatedGateway, live: LiveSession) -> None:
    one, other = await asyncio.gather(live.on_change(INT, print), live.on_change(FLOAT, print))
    await live.unsubscribe_tags([INT])
    assert (one.is_active, other.is_active) == (False, True)
    hanging = asyncio.Event()

    async def hang(value: LiveValue) -> None:
        hanging.set()
        await asyncio.Event().wait()

    stuck = live.on_change(BOOL, hang)
    async with asyncio.timeout(PATIENCE):
        await hanging.wait()
    await live.aclose()
    assert (other.is_active, stuck.is_active, stuck._is_running) == (False, False, False)
    with pytest.raises(MxGatewayError):
        live.on_change(INT, print)


async def test_a_callback_goes_on_when_the_session_is_rebuilt_and_sees_what_changed_meanwhile(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    gateway.set(INT, 1)
    seen: list[object] = []
    await live.on_change(INT, lambda value: seen.append(value.value))
    await eventually(lambda: seen == [1], "the first value", seconds=PATIENCE)
    gateway.faults.lose_session(live.session.session_id)
    gateway.set(INT, 2)
    await eventually(lambda: seen[-1] == 2, "what it is now", seconds=PATIENCE)
    assert live.rebuilds == 1


async def test_a_value_that_a_callback_kept_says_later_whether_it_still_holds(
    gateway: SimulatedGateway, live: LiveSession
) -> None:
    kept: list[LiveValue] = []
    await live.on_change(INT, kept.append)
    await eventually(lambda: bool(kept), "the first value", seconds=PATIENCE)
    gateway.faults.stall("StreamEvents")
    gateway.faults.drop_streams()
    await eventually(lambda: kept[-1].stale_since is not None, "stale", seconds=PATIENCE)
    gateway.faults.release()
    await eventually(lambda: kept[-1].stale_since is None, "confirmed", seconds=PATIENCE)


async def test_a_slow_coroutine_function_is_bounded_and_counts_what_it_misses(
    gateway: SimulatedGateway, live: LiveSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.change_callbacks._WAITING", 2)
    gate, seen = asyncio.Event(), []
    gateway.set(INT, 0)

    async def take(value: LiveValue) -> None:
        await gate.wait()
        seen.append(value.value)

    handle = await live.on_change(INT, take)
    for number in range(1, 6):
        gateway.set(INT, number)
    await eventually(lambda: handle.calls == 6, "all have come", seconds=PATIENCE)
    gate.set()
    await eventually(lambda: len(seen) + handle.dropped == 6, "the newest are seen", seconds=PATIENCE)
    assert seen[-2:] == [4, 5]
    assert handle.dropped >= 2
