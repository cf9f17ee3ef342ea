"""The write guard: asked before every call that changes the plant, on every path."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import grpc
import pytest
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import DecodeError
from hypothesis import HealthCheck, given, settings, strategies as st
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    Admission,
    ClientObserver,
    ClientOptions,
    GatewayClient,
    Item,
    LiveSession,
    LiveState,
    MxGatewayArgumentError,
    MxGatewayError,
    MxGatewayTransportError,
    MxGatewayWriteBlockedError,
    PendingWrite,
    Session,
    SparseArray,
    WriteAnswer,
    WriteEntry,
    WriteOutcome,
    WriteResult,
    wire,
)
from zb_mom_ww_mxgateway.commands.writes import write_request
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.transport import guarding
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
NOW = datetime.now(UTC)

# Every rpc and command kind of the contract stands in one of these: whoever adds one has to say which.
CHANGING_RPCS = {"AcknowledgeAlarm"}
OTHER_RPCS = {
    "OpenSession",
    "CloseSession",
    "Invoke",
    "StreamEvents",
    "StreamAlarms",
    "QueryActiveAlarms",
    "TestConnection",
    "GetLastDeployTime",
    "DiscoverHierarchy",
    "WatchDeployEvents",
    "BrowseChildren",
}
CHANGING_KINDS = {
    "WRITE",
    "WRITE2",
    "WRITE_SECURED",
    "WRITE_SECURED2",
    "WRITE_BULK",
    "WRITE2_BULK",
    "WRITE_SECURED_BULK",
    "WRITE_SECURED2_BULK",
    "ACKNOWLEDGE_ALARM",
    "ACKNOWLEDGE_ALARM_BY_NAME",
}
OTHER_KINDS = {
    "UNSPECIFIED",
    "REGISTER",
    "UNREGISTER",
    "ADD_ITEM",
    "ADD_ITEM2",
    "REMOVE_ITEM",
    "ADVISE",
    "UN_ADVISE",
    "ADVISE_SUPERVISORY",
    "ADD_BUFFERED_ITEM",
    "SET_BUFFERED_UPDATE_INTERVAL",
    "SUSPEND",
    "ACTIVATE",
    "AUTHENTICATE_USER",
    "ARCHESTRA_USER_TO_ID",
    "ADD_ITEM_BULK",
    "ADVISE_ITEM_BULK",
    "REMOVE_ITEM_BULK",
    "UN_ADVISE_ITEM_BULK",
    "SUBSCRIBE_BULK",
    "UNSUBSCRIBE_BULK",
    "SUBSCRIBE_ALARMS",
    "UNSUBSCRIBE_ALARMS",
    "QUERY_ACTIVE_ALARMS",
    "READ_BULK",
    "PING",
    "GET_SESSION_STATE",
    "GET_WORKER_INFO",
    "DRAIN_EVENTS",
    "SHUTDOWN_WORKER",
}
KINDS = {name.removeprefix("MX_COMMAND_KIND_"): number for name, number in pb.MxCommandKind.items()}


class Guard:
    """Remembers what it was asked, and gives the answer it was told to."""

    def __init__(self, answer: object = True) -> None:
        self.answer = answer
        self.asked: list[PendingWrite] = []

    async def __call__(self, pending: PendingWrite) -> bool | str:
        self.asked.append(pending)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[return-value]  # the wrong ones too


@pytest.fixture
def guard() -> Guard:
    return Guard()


@pytest.fixture
async def guarded(gateway: SimulatedGateway, guard: Guard) -> AsyncIterator[GatewayClient]:
    options = ClientOptions(
        endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, write_guard=guard, connect_timeout=5
    )
    async with await GatewayClient.connect(options) as client:
        yield client


@pytest.fixture
async def live(guarded: GatewayClient) -> AsyncIterator[LiveSession]:
    async with await LiveSession.open(guarded) as opened:
        yield opened


def methods(service: ServiceDescriptor) -> set[str]:
    return {method.name for method in service.methods}


def test_every_rpc_is_judged() -> None:
    found = methods(pb.DESCRIPTOR.services_by_name["MxAccessGateway"]) | methods(
        galaxy_pb.DESCRIPTOR.services_by_name["GalaxyRepository"]
    )
    assert found == CHANGING_RPCS | OTHER_RPCS
    for name in found - {"Invoke"}:
        descriptor = next(
            method
            for module in (pb, galaxy_pb)
            for service in module.DESCRIPTOR.services_by_name.values()
            for method in service.methods
            if method.name == name
        )
        request = descriptor.input_type._concrete_class()
        assert wire.changes_plant(request) == (name in CHANGING_RPCS)


def test_every_command_kind_is_judged() -> None:
    assert set(KINDS) == CHANGING_KINDS | OTHER_KINDS
    assert not CHANGING_KINDS & OTHER_KINDS
    arms = {field.name.upper() for field in pb.MxCommand.DESCRIPTOR.oneofs_by_name["payload"].fields}
    assert arms == set(KINDS) - {"UNSPECIFIED"}
    for name, number in KINDS.items():
        request = pb.MxCommandRequest(command=pb.MxCommand(kind=number))
        assert wire.changes_plant(request) == (name in CHANGING_KINDS)


async def test_no_kind_and_no_payload_that_changes_the_plant_gets_past_a_guard_that_refuses(
    gateway: SimulatedGateway, guard: Guard, guarded: GatewayClient
) -> None:
    guard.answer = False
    session = await guarded.open_session()
    calls = len(gateway.calls)
    for name in CHANGING_KINDS:
        for other in KINDS:
            by_kind = pb.MxCommandRequest(session_id=session.session_id, command=pb.MxCommand(kind=KINDS[name]))
            if other != "UNSPECIFIED":
                getattr(by_kind.command, other.lower()).SetInParent()
            by_payload = pb.MxCommandRequest(session_id=session.session_id, command=pb.MxCommand(kind=KINDS[other]))
            getattr(by_payload.command, name.lower()).SetInParent()
            for request in (by_kind, by_payload):
                with pytest.raises(MxGatewayWriteBlockedError, match="nothing was sent"):
                    await guarded.invoke(request)
                with pytest.raises(MxGatewayWriteBlockedError):
                    await guarded._transport.unary(wire.INVOKE, request, call="raw")
    assert len(gateway.calls) == calls
    await session.close()


async def test_what_only_a_newer_gateway_knows_may_be_a_write(
    gateway: SimulatedGateway, guard: Guard, guarded: GatewayClient
) -> None:
    guard.answer = False
    session = await guarded.open_session()
    kind, payload = session.request("ping"), session.request("ping")
    kind.command.kind = max(KINDS.values()) + 1  # type: ignore[assignment]
    payload.command.MergeFromString(b"\xa2\x1f\x02\x08\x01")  # a message of one number, as field 500
    calls = len(gateway.calls)
    for request in (kind, payload):
        with pytest.raises(MxGatewayWriteBlockedError, match="of nothing that can be named"):
            await guarded.invoke(request)
    assert len(gateway.calls) == calls
    await session.close()


async def test_no_other_kind_is_asked_about(gateway: SimulatedGateway, guard: Guard, guarded: GatewayClient) -> None:
    guard.answer = False
    session = await guarded.open_session()
    for name in sorted(OTHER_KINDS - {"SHUTDOWN_WORKER"}):
        request = pb.MxCommandRequest(session_id=session.session_id, command=pb.MxCommand(kind=KINDS[name]))
        if name != "UNSPECIFIED":
            getattr(request.command, name.lower()).SetInParent()
        try:
            await guarded.invoke(request)
        except MxGatewayWriteBlockedError:
            raise
        except MxGatewayError:
            pass
    assert not guard.asked
    await session.close()


Path = Callable[[GatewayClient, LiveSession, int, int], Awaitable[object]]
PATHS: dict[str, Path] = {
    "write": lambda client, live, server, item: live.session.write(server, item, 5),
    "write2": lambda client, live, server, item: live.session.write2(server, item, 5, NOW),
    "write_secured": lambda client, live, server, item: live.session.write_secured(server, item, 5, 1, 1),
    "write_secured2": lambda client, live, server, item: live.session.write_secured2(server, item, 5, NOW, 1, 1),
    "write_bulk": lambda client, live, server, item: live.session.write_bulk(server, [(item, 5)]),
    "write2_bulk": lambda client, live, server, item: live.session.write2_bulk(server, [(item, 5, NOW)]),
    "confirmed": lambda client, live, server, item: live.write_and_confirm(server, item, 5),
    "bulk confirmed": lambda client, live, server, item: live.write_bulk_and_confirm(server, [WriteEntry(item, 5)]),
    "acknowledge": lambda client, live, server, item: client.acknowledge_alarm("Galaxy!Area.Object.Alarm", "ok"),
    "raw": lambda client, live, server, item: client.invoke(write_request(live.session._link, server, item, 5)),
}


@pytest.mark.parametrize("path", PATHS)
async def test_every_path_is_refused(
    path: str, gateway: SimulatedGateway, guard: Guard, guarded: GatewayClient, live: LiveSession
) -> None:
    server = await live.session.register("guarded")
    (item,) = await live.subscribe_tags([INT], server)
    await live.first_value(item)
    guard.answer = "the plant is running"
    calls = len(gateway.calls)
    with pytest.raises(MxGatewayWriteBlockedError) as caught:
        await PATHS[path](guarded, live, *item.key)
    error = caught.value
    assert str(error).endswith(": the plant is running; nothing was sent")
    assert not error.outcome_unknown
    assert error.correlation_id
    assert error.pending is guard.asked[0]
    if path != "acknowledge":
        assert f"5 to {INT} (item {item.item_handle} on server {server})" in str(error)
    assert len(gateway.calls) == calls
    assert not gateway.writes
    # It is not waited for either: the next write gets its own completion.
    guard.answer = True
    assert (await live.write_and_confirm(*item.key, 6, timeout=5)).outcome is WriteOutcome.COMPLETED
    assert [write.value for write in gateway.writes] == [6]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (False, "the write guard said no"),
        (None, "the write guard answered None, not True"),
        (1, "the write guard answered 1, not True"),
        ("", "the write guard answered '', not True"),
        (ValueError("out of order"), "the guard failed: out of order"),
    ],
)
async def test_only_true_allows(
    answer: object, said: str, gateway: SimulatedGateway, guard: Guard, guarded: GatewayClient
) -> None:
    guard.answer = answer
    async with await guarded.open_session() as session:
        with pytest.raises(
            MxGatewayWriteBlockedError, match=f"blocked locally: write of 5 to item 3 on server 1: {said};"
        ):
            await session.write(1, 3, 5)
        with pytest.raises(MxGatewayWriteBlockedError, match="write of true to item 3"):
            await session.write(1, 3, True)
    assert not [call for call in gateway.calls if call.rpc == "Invoke"]


async def test_a_guard_may_ask_a_person_for_as_long_as_it_takes(gateway: SimulatedGateway) -> None:
    asked, answer = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def guard(pending: PendingWrite) -> bool:
        asked.set()
        return bool(await answer)

    async with (
        await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, write_guard=guard, call_timeout=0.2
        ) as client,
        await LiveSession.open(client) as live,
    ):
        server = await live.session.register("asked")
        (item,) = await live.subscribe_tags([INT], server)
        await live.first_value(item)
        request = write_request(live.session._link, *item.key, 5)
        writing = asyncio.create_task(client.invoke(request))
        await asked.wait()
        # What is sent is what was shown, and a longer wait than a call may take is none of the call's.
        request.command.write.value.int32_value = 666
        await asyncio.wait([writing], timeout=0.4)
        assert not writing.done()
        answer.set_result(True)
        await writing
        await eventually(lambda: gateway.writes, "the write arrives")
    assert [write.value for write in gateway.writes] == [5]


@pytest.mark.parametrize("is_kept", [False, True], ids=["another is not there yet", "another is, and it is kept"])
async def test_a_session_that_is_lost_while_a_person_is_asked_gets_no_write(
    is_kept: bool, gateway: SimulatedGateway
) -> None:
    answer = asyncio.get_running_loop().create_future()

    async def guard(pending: PendingWrite) -> bool:
        return bool(await answer)

    async with (
        await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, write_guard=guard
        ) as client,
        await LiveSession.open(client) as live,
    ):
        server = await live.session.register("asked")
        (item,) = await live.subscribe_tags([INT], server)
        await live.first_value(item)
        writing = asyncio.create_task(live.write_and_confirm(*item.key, 5))
        await asyncio.sleep(0)
        if is_kept:
            # Only the client gives it up.
            gateway.faults.fail_next("CloseSession", code=grpc.StatusCode.UNAVAILABLE)
            gateway.faults.drop_streams(grpc.StatusCode.DEADLINE_EXCEEDED)
            await eventually(lambda: live.rebuilds and live.state is LiveState.LIVE, "another takes its place")
        else:
            gateway.faults.stall("OpenSession")
            gateway.faults.lose_session(live.session.session_id)
            await eventually(lambda: live.state is LiveState.REBUILDING, "it is lost")
        answer.set_result(True)
        with pytest.raises(MxGatewayError, match="nothing was sent"):
            await writing
        gateway.faults.release("OpenSession")
    assert not gateway.writes


async def test_a_cancelled_question_sends_nothing(gateway: SimulatedGateway) -> None:
    async def guard(pending: PendingWrite) -> bool:
        await asyncio.Event().wait()
        return True

    async with (
        await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, write_guard=guard
        ) as client,
        await client.open_session() as session,
    ):
        writing = asyncio.create_task(session.write(1, 1, 5))
        await asyncio.sleep(0)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert not [call for call in gateway.calls if call.rpc == "Invoke"]


async def test_a_call_that_is_cancelled_while_its_guard_holds_up_the_loop_is_not_sent(
    gateway: SimulatedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guarding, "_HELD_UP", 0.0)
    following = Following()

    async def guard(pending: PendingWrite) -> Admission:
        # What a signal or another thread asks for in the meantime.
        asyncio.get_running_loop().call_soon_threadsafe(writing.cancel)
        return following

    async with (
        await GatewayClient.connect(
            endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, write_guard=guard
        ) as client,
        await client.open_session() as session,
    ):
        server = await session.register("test")  # The contract is proven by it: nothing else is awaited below.
        writing = asyncio.create_task(session.write(server, 1, 5))
        with pytest.raises(asyncio.CancelledError):
            await writing
    assert following.told == ["not sent"]
    assert not gateway.mutating_calls


async def test_a_client_closed_while_it_asks_sends_nothing(gateway: SimulatedGateway) -> None:
    async def guard(pending: PendingWrite) -> bool:
        await client.close()
        return True

    client = await GatewayClient.connect(
        endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True, write_guard=guard
    )
    session = await client.open_session()
    with pytest.raises(MxGatewayTransportError, match="closed"):
        await session.write(1, 1, 5)
    assert not [call for call in gateway.calls if call.rpc == "Invoke"]


async def test_nothing_that_changes_the_plant_waits_for_a_connection(
    gateway: SimulatedGateway, session: Session, client: GatewayClient
) -> None:
    server = await session.register("t")
    gateway.faults.kill_connections()
    await eventually(
        lambda: client._transport.channel.current.get_state().name != "READY",  # what it goes by
        "the loss is seen",
    )
    calls = len(gateway.calls)
    with pytest.raises(MxGatewayTransportError, match=r"write at .*: not connected; nothing was sent") as caught:
        await session.write(server, 1, 5)
    assert not caught.value.outcome_unknown
    with pytest.raises(MxGatewayTransportError, match="not connected"):
        await client.acknowledge_alarm("Galaxy!Area.Object.Alarm")
    assert len(gateway.calls) == calls
    # It has set the reconnecting going: other calls wait for it, and then writes are sent again.
    await session.ping()
    with pytest.raises(MxGatewayError, match="MXAccess refused"):
        await session.write(server, 1, 5)


async def test_another_guard_counts_from_the_next_call(
    gateway: SimulatedGateway, guarded: GatewayClient, guard: Guard, live: LiveSession
) -> None:
    await live.write(INT, 1)
    other = Guard("not by this one")
    guarded.options = replace(guarded.options, write_guard=other)
    with pytest.raises(MxGatewayWriteBlockedError, match="not by this one"):
        await live.write(INT, 2)
    with pytest.raises(MxGatewayWriteBlockedError, match="not by this one"):
        await guarded.acknowledge_alarm("Galaxy!Area.Object.Alarm")
    assert (len(guard.asked), len(other.asked)) == (1, 2)
    assert [write.value for write in gateway.writes] == [1]


async def test_a_guard_that_comes_later_is_asked(gateway: SimulatedGateway, guard: Guard) -> None:
    guard.answer = False
    options = ClientOptions(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
    async with await GatewayClient.connect(options) as client, await LiveSession.open(client) as live:
        client.options = replace(options, write_guard=guard)
        with pytest.raises(MxGatewayWriteBlockedError):
            await live.write(INT, 2)
    assert not gateway.writes


async def test_options_made_anew_do_not_lose_the_guard_or_the_gateway(
    gateway: SimulatedGateway, guarded: GatewayClient, guard: Guard, live: LiveSession
) -> None:
    guard.answer, kept = False, guarded.options
    with pytest.raises(
        MxGatewayArgumentError, match=r"without the client's write_guard: keep it, or use beside\(None\)"
    ):
        guarded.options = replace(kept, write_guard=None, call_timeout=5)
    for name, other in {"endpoint": "elsewhere:5000", "api_key": "mxgw_a_b", "observers": [ClientObserver()]}.items():
        with pytest.raises(MxGatewayArgumentError, match=f"{name} belongs to the client: connect again"):
            guarded.options = replace(kept, **{name: other})  # type: ignore[arg-type]  # one name at a time
    with pytest.raises(MxGatewayArgumentError, match="must be ClientOptions, not str"):
        guarded.options = gateway.endpoint  # type: ignore[assignment]
    assert guarded.options is kept
    guarded.options = replace(kept, call_timeout=5)
    with pytest.raises(MxGatewayWriteBlockedError):
        await live.write(INT, 2)


def test_a_guard_is_something_that_can_be_called() -> None:
    with pytest.raises(MxGatewayArgumentError, match="write_guard must be an async function"):
        ClientOptions(endpoint="localhost:5000", write_guard=True)  # type: ignore[arg-type]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(max_size=200), kind=st.sampled_from(sorted(CHANGING_KINDS)))
def test_what_is_pending_can_always_be_shown(payload: bytes, kind: str) -> None:
    request = pb.MxCommandRequest(command=pb.MxCommand(kind=KINDS[kind]))
    message = getattr(request.command, kind.lower())
    message.SetInParent()
    try:
        message.MergeFromString(payload)
    except DecodeError:
        return
    pending = PendingWrite(kind, "host:1", "", "", wire.pending_entries(request))
    assert str(pending).isprintable()
    assert len(str(pending)) < 5_000


def test_a_large_write_is_shown_in_short() -> None:
    session_id = "session-1"
    entries = [wire.write_entry("write_bulk", item_handle=n, value=wire.to_mx_value("x" * 1000)) for n in range(1000)]
    command = wire.command("write_bulk", server_handle=1, entries=entries)
    request = wire.command_request(session_id, command, "c")
    pending = PendingWrite("write_bulk", "host:1", session_id, "c", wire.pending_entries(request))
    assert len(pending.entries) == 1000
    assert len(str(pending)) < 600
    assert str(pending).endswith("and 997 more")


async def test_a_sparse_write_shows_what_it_sets(guard: Guard, guarded: GatewayClient) -> None:
    guard.answer = False
    async with await guarded.open_session() as session:
        with pytest.raises(MxGatewayWriteBlockedError, match="an array of 4 with 1 element set"):
            await guarded.invoke(sparse(session))


async def test_the_guard_is_shown_every_element_of_a_sparse_write(guard: Guard, guarded: GatewayClient) -> None:
    guard.answer = False
    async with await guarded.open_session() as session:
        elements = {index: index * 10 for index in range(12)}
        with pytest.raises(MxGatewayWriteBlockedError):
            await session.write_array_elements(1, 1, 12, elements)
        shown = guard.asked[-1].entries[0].value
        assert shown == SparseArray(12, tuple(elements.items()))
        assert all(f"{index}: {value}" in str(shown) for index, value in elements.items())
        twice = sparse(session)
        twice.command.write.value.sparse_array_value.elements.add(index=2, value=pb.MxValue(int32_value=999))
        with pytest.raises(MxGatewayWriteBlockedError):
            await guarded.invoke(twice)
        assert str(guard.asked[-1].entries[0].value) == "an array of 4 with 2 elements set: {2: 7, 2: 999}"


def sparse(session: Session) -> pb.MxCommandRequest:
    value = pb.MxValue(
        sparse_array_value=pb.MxSparseArray(
            total_length=4, elements=[pb.MxSparseElement(index=2, value=pb.MxValue(int32_value=7))]
        )
    )
    return pb.MxCommandRequest(
        session_id=session.session_id,
        command=pb.MxCommand(kind=KINDS["WRITE"], write=pb.WriteCommand(server_handle=1, item_handle=1, value=value)),
    )


class Following(Admission):
    """Keeps what it is told."""

    def __init__(self, refusal: str = "") -> None:
        self.last_refusal = refusal
        self.told: list[str] = []
        self.answers: list[WriteAnswer] = []

    def refusal(self) -> str:
        self.told.append("sending")
        return self.last_refusal

    def answered(self, answer: WriteAnswer) -> None:
        self.told.append(answer.outcome)
        self.answers.append(answer)

    def confirmed(self, outcomes: Sequence[WriteResult]) -> None:
        self.told.append(f"confirmed {', '.join(each.outcome.value for each in outcomes)}")


async def _item(live: LiveSession, *tags: str) -> list[Item]:
    server = await live.session.register("guarded")
    items = await live.subscribe_tags(tags or [INT], server)
    for item in items:
        await live.first_value(item)
    return items


async def test_a_guard_follows_what_it_allowed_to_its_end(
    gateway: SimulatedGateway, guard: Guard, live: LiveSession
) -> None:
    guard.answer = following = Following()
    integer, real = await _item(live, INT, "TestChildObject.TestFloat")
    result = await live.write_and_confirm(*integer.key, 5)
    assert following.told == ["sending", "accepted", "confirmed completed"]
    assert result.correlation_id == guard.asked[-1].correlation_id
    following.told.clear()
    await live.session.write(*integer.key, 6)  # Nobody waits for its completion.
    assert following.told == ["sending", "accepted"]
    following.told.clear()
    entries = [WriteEntry(integer.item_handle, 7), WriteEntry(real.item_handle + 99, 1.5)]
    await live.write_bulk_and_confirm(integer.server_handle, entries)
    assert following.told == ["sending", "refused", "confirmed completed, refused"]
    assert following.answers[-1].refused == (False, True)


async def test_what_a_guard_refuses_in_the_moment_of_sending_is_not_sent(
    gateway: SimulatedGateway, guard: Guard, guarded: GatewayClient, live: LiveSession
) -> None:
    guard.answer = following = Following("the tank is empty now")
    (item,) = await _item(live)
    with pytest.raises(MxGatewayWriteBlockedError, match="the tank is empty now; nothing was sent"):
        await live.write_and_confirm(*item.key, 5)
    assert following.told == ["sending", "not sent"]
    assert not gateway.writes
    with pytest.raises(MxGatewayWriteBlockedError, match="the tank is empty now; nothing was sent"):
        await guarded.acknowledge_alarm("Galaxy!Area.Object.Alarm", "ok")


async def test_a_guard_learns_what_is_known_of_a_write_without_an_answer(
    gateway: SimulatedGateway, guard: Guard, guarded: GatewayClient, live: LiveSession
) -> None:
    guard.answer = following = Following()
    (item,) = await _item(live)
    gateway.faults.fail_next("write", code=grpc.StatusCode.PERMISSION_DENIED, details="not for you")
    with pytest.raises(MxGatewayError, match="not for you"):
        await live.write_and_confirm(*item.key, 5)
    assert following.told == ["sending", "refused"]
    following.told.clear()
    gateway.faults.lose_next_reply("write")
    assert (await live.write_and_confirm(*item.key, 5)).outcome is WriteOutcome.UNKNOWN
    assert following.told == ["sending", "unknown", "confirmed unknown"]
    following.told.clear()
    gateway.faults.stall("write")
    writing = asyncio.create_task(live.session.write(*item.key, 5))
    await eventually(lambda: following.told == ["sending"], "the write is under way")
    writing.cancel()
    await asyncio.wait([writing])
    assert following.told == ["sending", "unknown"]


async def test_what_a_guard_cannot_see_is_not_sent(
    gateway: SimulatedGateway, guard: Guard, guarded: GatewayClient, live: LiveSession
) -> None:
    guard.answer = True
    (item,) = await _item(live)
    request = write_request(live.session._link, *item.key, 5)
    # A newer gateway might take a field that is unknown here for another write.
    request.command.write.MergeFromString(b"\xf2\x3f\x02\x08\x01")
    sent: list[pb.MxCommandRequest] = []

    class Watching:
        def sending(self, request: pb.MxCommandRequest) -> None:
            sent.append(request)

        def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None: ...

        def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None: ...

    watching = Watching()
    with guarded._transport.observers.add(watching):
        await guarded.invoke(request)
    assert len(request.command.write.SerializeToString()) > len(sent[0].command.write.SerializeToString())
    # Null and a value at once: nobody knows which one is written.
    request = write_request(live.session._link, *item.key, 5)
    request.command.write.value.is_null = True
    guard.answer = False
    with pytest.raises(MxGatewayWriteBlockedError):
        await guarded.invoke(request)
    assert guard.asked[-1].entries[0].value != 5
    await eventually(lambda: [write.value for write in gateway.writes] == [5], "the first one alone arrives")
