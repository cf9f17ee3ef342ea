"""A program's own observers: what they are told of a client, once each, and that their errors change nothing."""

import asyncio
import contextvars
import logging
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    CallFacts,
    ClientObserver,
    ClientOptions,
    GatewayClient,
    LiveSession,
    LiveState,
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayTransportError,
    MxGatewayWriteBlockedError,
    WriteEntry,
    WriteOutcome,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT, DOUBLE = "TestChildObject.TestInt", "TestChildObject.TestDouble"
METHODS = [name for name in vars(ClientObserver) if not name.startswith("_")]
PASSWORD = "correct horse battery"
WRITTEN = 271828


class Recorder(ClientObserver):
    """Keeps all that it is told, by the name of the method."""

    def __init__(self) -> None:
        self.told: dict[str, list[Any]] = {name: [] for name in METHODS}

    def outcomes(self) -> Counter[tuple[str, WriteOutcome]]:
        counted: Counter[tuple[str, WriteOutcome]] = Counter()
        for facts in self.told["write_ended"]:
            counted[facts.kind, facts.outcome] += facts.count
        return counted


def _keeping(name: str) -> Callable[[Recorder, object], None]:
    return lambda self, facts: self.told[name].append(facts)


for _name in METHODS:
    setattr(Recorder, _name, _keeping(_name))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def options_of(gateway: SimulatedGateway, *observers: ClientObserver, **more: Any) -> ClientOptions:
    return ClientOptions(
        endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, observers=observers, **more
    )


async def test_calls_and_streams_when_they_end(
    gateway: SimulatedGateway, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mxgw")
    async with await GatewayClient.connect(options_of(gateway, recorder)) as client:
        session = await client.open_session()
        gateway.faults.fail_next("register", code=grpc.StatusCode.INTERNAL)
        with pytest.raises(MxGatewayError) as caught:
            await session.register("observed")
        gateway.faults.stall("ping")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await session.ping()
        gateway.faults.calm()
        async with client.query_active_alarms() as alarms:
            async for _ in alarms:
                pass
        async with session.stream_events():
            pass
        await session.close()
    calls: list[CallFacts] = recorder.told["call_ended"]
    assert [(call.name, call.code, call.streaming) for call in calls] == [
        ("connect", "OK", False),
        ("open_session", "OK", False),
        ("register", "INTERNAL", False),
        ("ping", "CANCELLED", False),
        ("query_active_alarms", "OK", True),
        ("stream_events", "CANCELLED", True),
        ("close_session", "OK", False),
    ]
    said = [record.getMessage() for record in caplog.records if record.name == "mxgw.calls"]
    assert f"stream_events opened [{session.session_id}]" in said
    assert re.fullmatch(rf"stream_events CANCELLED [0-9.]+ ms, 0 messages \[{session.session_id}\]", said[-2])
    register = calls[2]
    assert register.correlation_id == caught.value.correlation_id
    assert register.rpc == "/mxaccess_gateway.v1.MxAccessGateway/Invoke"
    assert register.endpoint == gateway.endpoint
    # A busy machine may begin the call well after its time-out.
    assert calls[3].duration >= 0.1
    assert all(0 < call.started_at - calls[0].started_at < 600 for call in calls[1:])


async def test_a_call_ends_in_the_context_of_its_caller_and_a_stream_in_that_of_its_opener(
    gateway: SimulatedGateway,
) -> None:
    name = contextvars.ContextVar("name", default="")
    seen: list[tuple[str, str]] = []

    class Observer(ClientObserver):
        def call_ended(self, facts: CallFacts) -> None:
            seen.append((facts.name, name.get()))

    async with await GatewayClient.connect(options_of(gateway, Observer())) as client:
        session = await client.open_session()
        name.set("opener")
        stream = session.stream_events()
        name.set("caller")
        await session.ping()
        await stream.aclose()
    assert seen[-2:] == [("ping", "caller"), ("stream_events", "opener")]


async def test_connections_once_each_also_where_two_clients_share_one(
    gateway: SimulatedGateway, recorder: Recorder
) -> None:
    with pytest.raises(MxGatewayError) as refused:
        await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key="mxgw_other_wrong", plaintext=True, observers=[recorder]
        )
    client = await GatewayClient.connect(options_of(gateway, recorder))
    beside = client.beside(None)
    client._transport.renew_channel(dead := MxGatewayTransportError("dead"))
    await client.close()
    assert recorder.told["connection_changed"][-1].change == "replaced"
    await beside.close()
    assert [(each.change, each.error) for each in recorder.told["connection_changed"]] == [
        ("failed", refused.value),
        ("connected", None),
        ("replaced", dead),
        ("closed", None),
    ]


async def test_states_gaps_and_rebuilds_of_a_live_session(gateway: SimulatedGateway, recorder: Recorder) -> None:
    async with (
        await GatewayClient.connect(options_of(gateway, recorder)) as client,
        await LiveSession.open(client) as live,
    ):
        former = live.session.session_id
        (item,) = await live.subscribe_tags([INT])
        await live.first_value(item)
        gateway.faults.drop_streams()
        gateway.set(INT, 1)
        gateway.set(INT, 2)
        gateway.faults.evict_replay(former)
        await eventually(lambda: live.gaps == 1 and live.state is LiveState.LIVE, "a gap")
        gateway.faults.lose_session(former)
        await eventually(lambda: live.rebuilds and live.state is LiveState.LIVE, "a rebuild")
        assert len(recorder.told["gap"]) == live.gaps
        assert sum(gap.lost_events for gap in recorder.told["gap"]) == live.lost_events
    states = [(each.session_id, each.state) for each in recorder.told["session_changed"]]
    assert [state for _, state in states] == [
        LiveState.LIVE,
        LiveState.STALE,
        LiveState.LIVE,
        LiveState.REBUILDING,
        LiveState.LIVE,
        LiveState.CLOSED,
    ]
    (rebuilt,) = recorder.told["rebuilt"]
    assert (rebuilt.former_session_id, rebuilt.session_id) == (former, states[-1][0])
    assert rebuilt.missing == 0
    assert rebuilt.duration > 0


async def test_the_outcome_of_every_write_once(gateway: SimulatedGateway, recorder: Recorder) -> None:
    answers: list[bool | str] = []

    async def guard(pending: object) -> bool | str:
        return answers.pop() if answers else True

    async with (
        await GatewayClient.connect(options_of(gateway, recorder, write_guard=guard)) as client,
        await LiveSession.open(client) as live,
    ):
        items = await live.subscribe_tags([INT, DOUBLE])
        for item in items:
            await live.first_value(item)
        key, session = items[0].key, live.session

        async def told(kind: str, **outcomes: int) -> None:
            assert recorder.outcomes() == {(kind, WriteOutcome[name]): count for name, count in outcomes.items()}
            assert {each.correlation_id for each in recorder.told["write_ended"]} - {""}
            recorder.told["write_ended"].clear()

        await live.write(INT, 1)
        await told("write", COMPLETED=1)
        await session.write(*key, 2)
        await told("write", ACCEPTED=1)
        gateway.faults.fail_next("write", protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE)
        await live.write(INT, 3)
        await told("write", REFUSED=1)
        gateway.faults.fail_next("write", protocol_status=pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE)
        with pytest.raises(MxGatewayError):
            await session.write(*key, 3)
        await told("write", REFUSED=1)
        gateway.faults.lose_next_reply("write")
        await live.write(INT, 4)
        await told("write", UNKNOWN=1)
        answers.append("not today")
        with pytest.raises(MxGatewayWriteBlockedError):
            await live.write(INT, 5)
        await told("write", NOT_SENT=1)
        gateway.faults.stall("write")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await session.write(*key, 6)
        gateway.faults.calm()
        await told("write", UNKNOWN=1)
        gateway.faults.hold_write_completes()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await live.write(DOUBLE, 6.5)
        gateway.faults.release_write_completes()
        await told("write", ACCEPTED=1)

        entries = [WriteEntry(item.item_handle, 7) for item in items] + [WriteEntry(999, 7)]
        await live.write_bulk_and_confirm(items[0].server_handle, entries)
        await told("write_bulk", COMPLETED=2, REFUSED=1)
        await session.write_bulk(items[0].server_handle, entries)
        await told("write_bulk", ACCEPTED=2, REFUSED=1)

        gateway.raise_alarm("Galaxy!Area.Object.Alarm")
        await client.acknowledge_alarm("Galaxy!Area.Object.Alarm")
        await told("acknowledge_alarm", ACCEPTED=1)
        with pytest.raises(MxGatewayArgumentError):
            await live.write(INT, object())  # type: ignore[arg-type]  # nothing is made of it
        assert recorder.told["write_ended"] == []


async def test_events_in_batches_and_queues_while_a_session_is_open(
    gateway: SimulatedGateway, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("zb_mom_ww_mxgateway.live.reports._QUEUES_EVERY", 0.01)
    async with (
        await GatewayClient.connect(options_of(gateway, recorder)) as client,
        await LiveSession.open(client) as live,
        live.subscribe() as unread,
    ):
        (item,) = await live.subscribe_tags([INT])
        await live.first_value(item)
        for number in range(1000):
            gateway.set(INT, number)
        await eventually(lambda: (held := live.latest(*item.key)) and held.value == 999, "the last value")
        batches = recorder.told["events_received"]
        assert sum(batch.count for batch in batches) == live.events
        assert len(batches) < live.events / 2
        assert {batch.session_id for batch in batches} == {live.session.session_id}
        await eventually(lambda: recorder.told["queue_lengths"][-1].queued == unread.waiting > 900, "the queue")
    last = recorder.told["queue_lengths"][-1]
    assert (last.session_id, last.buffered, last.buffered_bytes, last.queued) == (live.session.session_id, 0, 0, 0)


async def test_what_waits_in_the_buffer_of_a_stream_is_counted(
    client: GatewayClient, gateway: SimulatedGateway
) -> None:
    async with await client.open_session() as session, session.stream_events() as events:
        server = await session.register("observed")
        (item,) = await session.subscribe_bulk(server, [INT])
        gateway.set(INT, 5)
        await eventually(lambda: events.waiting[0] >= 2, "two events")
        assert events.waiting[1] > 0
        await anext(events)
        await anext(events)
        assert events.waiting == (0, 0)
        assert item.was_successful


class Failing(ClientObserver):
    """Raises in every method."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.calls: Counter[str] = Counter()


def _failing(name: str) -> Callable[[Failing, object], None]:
    def method(self: Failing, facts: object) -> None:
        self.calls[name] += 1
        raise self.error

    return method


for _name in METHODS:
    setattr(Failing, _name, _failing(_name))


class UnshowableError(Exception):
    """Fails again when it is shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize("error", [ValueError("mxgw_demo_secret is wrong"), asyncio.CancelledError()])
async def test_one_that_raises_is_logged_once_and_changes_nothing(
    error: BaseException, gateway: SimulatedGateway, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    failing = Failing(error)
    with pytest.raises(MxGatewayError, match="cannot connect"):
        await GatewayClient.connect(endpoint="127.0.0.1:1", plaintext=True, connect_timeout=1, observers=[failing])
    async with (
        await GatewayClient.connect(options_of(gateway, failing, recorder)) as client,
        await LiveSession.open(client) as live,
    ):
        assert (await live.write(INT, 8)).outcome is WriteOutcome.COMPLETED
        gateway.faults.lose_session(live.session.session_id)
        await eventually(lambda: live.rebuilds and live.state is LiveState.LIVE, "a rebuild")
        assert (await live.write(INT, 9)).outcome is WriteOutcome.COMPLETED
    assert set(failing.calls) == set(METHODS)
    # Those after it are told all the same.
    assert all(recorder.told[name] for name in METHODS)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "mxgw.observers"]
    assert line.startswith(f"Failing raised {type(error).__name__}(")
    assert "secret" not in line


async def test_an_error_that_cannot_be_shown_changes_nothing_either(gateway: SimulatedGateway) -> None:
    async with await GatewayClient.connect(options_of(gateway, Failing(UnshowableError()))) as client:
        session = await client.open_session()
        assert await session.register("observed") > 0


def test_only_observers_with_plain_methods_are_accepted() -> None:
    class Awaiting(ClientObserver):
        async def gap(self, facts: object) -> None:  # type: ignore[override]  # that is the mistake
            pass

    for wrong, said in (
        (ClientObserver(), "sequence of ClientObserver"),
        ([print], "sequence of ClientObserver"),
        ([Awaiting()], "Awaiting.gap of observers must be a plain function"),
    ):
        with pytest.raises(MxGatewayArgumentError, match=said):
            ClientOptions(endpoint="localhost:1", observers=wrong)  # type: ignore[arg-type]  # those are the mistakes
    observer = ClientObserver()
    assert ClientOptions(endpoint="localhost:1", observers=[observer]).observers == (observer,)
    assert ClientOptions(endpoint="localhost:1").observers == ()


async def test_no_fact_has_a_value_a_key_or_a_password(
    gateway: SimulatedGateway, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with (
        await GatewayClient.connect(options_of(gateway, recorder)) as client,
        await LiveSession.open(client) as live,
    ):
        await live.write(INT, WRITTEN)
        (item,) = await live.subscribe_tags([INT])
        await live.session.authenticate_user(item.server_handle, "operator", PASSWORD)
        with pytest.raises(MxGatewayError):
            await live.session.write(item.server_handle, 999, WRITTEN)
        gateway.faults.lose_session(live.session.session_id)
        await eventually(lambda: live.rebuilds and live.state is LiveState.LIVE, "a rebuild")
    told = [facts for each in recorder.told.values() for facts in each]
    assert all(is_dataclass(facts) for facts in told)
    text = " ".join(str(getattr(facts, field.name)) for facts in told for field in fields(facts))
    assert gateway.api_key is not None
    for secret in (gateway.api_key, PASSWORD, str(WRITTEN)):
        assert secret not in text
        assert secret not in caplog.text
