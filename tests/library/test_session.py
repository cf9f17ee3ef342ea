"""A session: what each method sends, what it makes of the answer, and how it ends."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import grpc
import pytest
from library_contradictions import OK, contradicting
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    GatewayClient,
    Item,
    MxAccessError,
    MxGatewayArgumentError,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewaySessionError,
    MxGatewayTransportError,
    MxGatewayWorkerError,
    Session,
    SubscribeResult,
    Typed,
    from_mx_value,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GatewayKey, SimulatedGateway

INT, DOUBLE, STRING = (f"TestChildObject.Test{name}" for name in ("Int", "Double", "String"))
Method = Callable[[Session], Coroutine[Any, Any, object]]


def sent(gateway: SimulatedGateway, rpc: str = "Invoke") -> list[Any]:
    """The requests of one rpc that the gateway has seen."""
    return [call.request for call in gateway.calls if call.rpc == rpc]


# What each method sends.


def command(kind: str, payload: object) -> pb.MxCommand:
    return pb.MxCommand(kind=f"MX_COMMAND_KIND_{kind.upper()}", **{kind: payload})  # type: ignore[arg-type]


# Entries that one bulk call may have.
BULK_LIMIT = 10_000

TAGS = [INT, "No.Such", DOUBLE]
REQUESTS: list[tuple[Method, pb.MxCommand]] = [
    (lambda s: s.register("line 7"), command("register", pb.RegisterCommand(client_name="line 7"))),
    (lambda s: s.unregister(1), command("unregister", pb.UnregisterCommand(server_handle=1))),
    (lambda s: s.add_item(1, INT), command("add_item", pb.AddItemCommand(server_handle=1, item_definition=INT))),
    (
        lambda s: s.add_item2(1, "TestInt", "TestChildObject"),
        command(
            "add_item2",
            pb.AddItem2Command(server_handle=1, item_definition="TestInt", item_context="TestChildObject"),
        ),
    ),
    (
        lambda s: s.remove_item(1, 2),
        command("remove_item", pb.RemoveItemCommand(server_handle=1, item_handle=2)),
    ),
    (lambda s: s.advise(1, 2), command("advise", pb.AdviseCommand(server_handle=1, item_handle=2))),
    (lambda s: s.unadvise(1, 2), command("un_advise", pb.UnAdviseCommand(server_handle=1, item_handle=2))),
    (
        lambda s: s.advise_supervisory(1, 2),
        command("advise_supervisory", pb.AdviseSupervisoryCommand(server_handle=1, item_handle=2)),
    ),
    (
        lambda s: s.write(1, 2, 7),
        command(
            "write",
            pb.WriteCommand(
                server_handle=1,
                item_handle=2,
                value=pb.MxValue(data_type="MX_DATA_TYPE_INTEGER", variant_type="VT_I4", int32_value=7),
            ),
        ),
    ),
    (
        lambda s: s.write(1, 2, Typed("float", 1.5), user_id=9),
        command(
            "write",
            pb.WriteCommand(
                server_handle=1,
                item_handle=2,
                value=pb.MxValue(data_type="MX_DATA_TYPE_FLOAT", variant_type="VT_R4", float_value=1.5),
                user_id=9,
            ),
        ),
    ),
    (
        lambda s: s.add_item_bulk(1, TAGS),
        command("add_item_bulk", pb.AddItemBulkCommand(server_handle=1, tag_addresses=TAGS)),
    ),
    (
        lambda s: s.advise_item_bulk(1, [3, 2]),
        command("advise_item_bulk", pb.AdviseItemBulkCommand(server_handle=1, item_handles=[3, 2])),
    ),
    (
        lambda s: s.remove_item_bulk(1, (3, 2)),
        command("remove_item_bulk", pb.RemoveItemBulkCommand(server_handle=1, item_handles=[3, 2])),
    ),
    (
        lambda s: s.unadvise_item_bulk(1, [3, 2]),
        command("un_advise_item_bulk", pb.UnAdviseItemBulkCommand(server_handle=1, item_handles=[3, 2])),
    ),
    (
        lambda s: s.subscribe_bulk(1, tuple(TAGS)),
        command("subscribe_bulk", pb.SubscribeBulkCommand(server_handle=1, tag_addresses=TAGS)),
    ),
    (
        lambda s: s.unsubscribe_bulk(1, [3]),
        command("unsubscribe_bulk", pb.UnsubscribeBulkCommand(server_handle=1, item_handles=[3])),
    ),
    (lambda s: s.ping(), command("ping", pb.PingCommand())),
]


@pytest.mark.parametrize(
    ("method", "expected"), REQUESTS, ids=lambda value: value.WhichOneof("payload") if hasattr(value, "kind") else ""
)
async def test_what_a_method_sends(
    method: Method, expected: pb.MxCommand, gateway: SimulatedGateway, session: Session
) -> None:
    # Whether it can be done is another matter.
    with suppress(MxAccessError):
        await method(session)
    (request,) = sent(gateway)
    assert request.command == expected
    assert request.session_id == session.session_id
    assert request.client_correlation_id


async def test_every_command_has_a_correlation_id_of_its_own(gateway: SimulatedGateway, session: Session) -> None:
    for _ in range(3):
        await session.ping()
    assert len({request.client_correlation_id for request in sent(gateway)}) == 3


async def test_two_clients_have_no_correlation_id_in_common(gateway: SimulatedGateway, session: Session) -> None:
    await session.ping()
    connecting = GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
    async with await connecting as other, await other.open_session() as theirs:
        await theirs.ping()
    ours, others = (
        {request.client_correlation_id for request in sent(gateway) if request.session_id == each.session_id}
        for each in (session, theirs)
    )
    assert ours
    assert others
    assert ours.isdisjoint(others)


async def test_opening_and_closing(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    info = session.info
    assert session.session_id == info.session_id
    assert session.session_id.startswith("session-")
    assert len(session.session_id) == len("session-") + 32
    assert (info.gateway_protocol_version, info.worker_protocol_version) == (3, 1)
    assert info.worker_process_id > 0
    assert "events" in info.capabilities
    assert gateway.sessions[session.session_id].state == "READY"
    await session.close()
    (closing,) = sent(gateway, "CloseSession")
    assert closing.session_id == session.session_id
    assert closing.client_correlation_id
    assert gateway.sessions[session.session_id].state == "CLOSED"


async def test_a_whole_life(gateway: SimulatedGateway, session: Session) -> None:
    server = await session.register("python-client")
    item = await session.add_item(server, INT)
    await session.advise(server, item)
    events = session.stream_events()
    first = await anext(events)
    assert (first.server_handle, first.item_handle, first.value) == (server, item, 0)
    await session.write(server, item, 123)
    assert {(await anext(events)).family.name for _ in range(2)} == {"ON_DATA_CHANGE", "ON_WRITE_COMPLETE"}  # type: ignore[union-attr]
    assert gateway.writes[-1].value == 123
    await session.unadvise(server, item)
    await session.remove_item(server, item)
    await session.unregister(server)


async def test_a_user_id_reaches_the_plant_under_supervisory_advise_only(
    gateway: SimulatedGateway, session: Session
) -> None:
    server = await session.register("python-client")
    stream = session.stream_events()
    for supervisory in (False, True):
        item = await session.add_item(server, INT)
        await (session.advise_supervisory if supervisory else session.advise)(server, item)
        await anext(stream)
        await session.write(server, item, 7, user_id=42)
    await eventually(lambda: len(gateway.writes) == 2, "both writes")
    assert [write.user_id for write in gateway.writes] == [0, 42]


async def test_null_can_be_sent(gateway: SimulatedGateway, session: Session) -> None:
    server = await session.register("python-client")
    await session.subscribe_bulk(server, [STRING])
    await anext(session.stream_events())
    await session.write(server, 1, None)
    assert sent(gateway)[-1].command.write.value.is_null


# Bulk: one result an entry, in the order of the entries.


async def test_a_bulk_result_stands_where_its_entry_stood(session: Session) -> None:
    server = await session.register("bulk")
    tags = [INT, "No.Such", DOUBLE, INT]
    results = await session.add_item_bulk(server, tags)
    assert [result.tag_address for result in results] == tags
    assert all(isinstance(result, SubscribeResult) and result.was_successful for result in results)
    assert [result.item_handle for result in results] == [1, 2, 3, 4]
    assert [result.server_handle for result in results] == [server] * 4


@pytest.mark.parametrize("method", ["advise_item_bulk", "unadvise_item_bulk", "unsubscribe_bulk", "remove_item_bulk"])
async def test_an_entry_that_fails_fails_alone(method: str, session: Session) -> None:
    server = await session.register("bulk")
    await session.subscribe_bulk(server, [INT, DOUBLE])
    results = await getattr(session, method)(server, [2, 99, 1])
    assert [(result.item_handle, result.was_successful) for result in results] == [(2, True), (99, False), (1, True)]
    assert "99" in results[1].error_message
    assert results[0].error_message == ""


async def test_an_entry_outside_of_the_keys_reach_fails_alone() -> None:
    key = GatewayKey("tank1", "secret", subtrees={"Plant.Tank1"})
    async with SimulatedGateway(plaintext=True, api_keys=[key]) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True)
        async with client, await client.open_session() as session:
            server = await session.register("bulk")
            results = await session.subscribe_bulk(server, ["Plant.Tank1.Level", INT, "Plant.Tank1.Volume"])
            assert [result.was_successful for result in results] == [True, False, True]
            assert [item.tag for item in session.handles.items.values()] == ["Plant.Tank1.Level", "Plant.Tank1.Volume"]


async def test_a_whole_bulk_call_can_be_refused(session: Session) -> None:
    results = await session.add_item_bulk(99, [INT, DOUBLE])
    assert [result.was_successful for result in results] == [False, False]


# The handles known.


def known(session: Session) -> list[tuple[str, int, int, bool]]:
    return [(item.tag, *item.key, item.advised) for item in session.handles.items.values()]


@pytest.mark.parametrize(
    ("item", "context"),
    [("TestDouble", "TestChildObject"), (".TestDouble", "TestChildObject"), ("TestDouble", "TestChildObject.")],
)
async def test_an_item_in_a_context_has_one_name(session: Session, item: str, context: str) -> None:
    server = await session.register("one")
    handle = await session.add_item2(server, item, context)
    assert known(session) == [(DOUBLE, server, handle, False)]


async def test_handles_follow_every_command(session: Session) -> None:
    server = await session.register("one")
    other = await session.register("two")
    assert session.handles.servers == {server: "one", other: "two"}
    item = await session.add_item(server, INT)
    context = await session.add_item2(server, "TestDouble", "TestChildObject")
    foreign = await session.add_item(other, STRING)
    assert known(session) == [
        (INT, server, item, False),
        (DOUBLE, server, context, False),
        (STRING, other, foreign, False),
    ]
    await session.advise(server, item)
    await session.advise_supervisory(server, context)
    assert [advised for *_, advised in known(session)] == [True, True, False]
    await session.unadvise(server, item)
    assert [advised for *_, advised in known(session)] == [False, True, False]
    await session.remove_item(server, item)
    assert [tag for tag, *_ in known(session)] == [DOUBLE, STRING]
    await session.unregister(server)
    assert session.handles.servers == {other: "two"}
    assert known(session) == [(STRING, other, foreign, False)]


async def test_handles_follow_every_bulk_command(session: Session) -> None:
    server = await session.register("bulk")
    await session.add_item_bulk(server, [INT, DOUBLE])
    await session.subscribe_bulk(server, [STRING])
    assert known(session) == [(INT, server, 1, False), (DOUBLE, server, 2, False), (STRING, server, 3, True)]
    await session.advise_item_bulk(server, [2, 99])
    assert [advised for *_, advised in known(session)] == [False, True, True]
    await session.unadvise_item_bulk(server, [3])
    assert [advised for *_, advised in known(session)] == [False, True, False]
    await session.remove_item_bulk(server, [1, 99])
    await session.unsubscribe_bulk(server, [2])
    assert known(session) == [(STRING, server, 3, False)]


async def test_what_was_refused_changes_no_handles(gateway: SimulatedGateway, session: Session) -> None:
    server = await session.register("one")
    await session.add_item(server, INT)
    before = known(session)
    for attempt in (
        session.advise(server, 99),
        session.remove_item(server, 99),
        session.unregister(99),
        session.add_item(99, DOUBLE),
    ):
        with pytest.raises(MxAccessError):
            await attempt
    gateway.faults.fail_next("unregister", protocol_status=pb.PROTOCOL_STATUS_CODE_TIMEOUT)
    with pytest.raises(MxGatewayWorkerError):
        await session.unregister(server)
    assert (known(session), session.handles.servers) == (before, {server: "one"})


async def test_handles_follow_raw_commands_too(client: GatewayClient, session: Session) -> None:
    reply = await client.invoke(session.request("register", client_name="raw"))
    server = reply.register.server_handle
    await client.invoke(session.request("subscribe_bulk", server_handle=server, tag_addresses=[INT]))
    assert session.handles.servers == {server: "raw"}
    assert known(session) == [(INT, server, 1, True)]


async def test_a_tag_is_found_in_any_letter_case_and_the_advised_item_first(session: Session) -> None:
    server, other = await session.register("one"), await session.register("two")
    first, second = await session.add_item(server, INT), await session.add_item(server, INT.upper())
    third = await session.add_item(other, INT)
    find = session.handles.find
    assert find(INT.lower()) == Item(INT, server, first, definition=INT)
    await session.advise(server, second)
    assert find(INT) == Item(INT.upper(), server, second, advised=True, definition=INT.upper())
    assert find(INT, other) == Item(INT, other, third, definition=INT)
    assert find("No.Such") is None
    assert find(INT, 99) is None


async def test_sessions_of_one_client_do_not_mix(client: GatewayClient, session: Session) -> None:
    async with await client.open_session() as other:
        await other.register("other")
        await session.register("mine")
        assert session.handles.servers == {1: "mine"}
        assert other.handles.servers == {1: "other"}


# Arguments that cannot be right: nothing is sent.

HANDLES: list[Any] = [-1, 2**31, True, 1.0, "1", None]
TEXTS: list[Any] = ["", "   ", None, 7, b"x"]
ENTRIES: list[Any] = ["text", b"bytes", 7, None, [], {"a"}, range(0), [1, "x"], [None]]


def bad_calls() -> list[tuple[str, tuple[Any, ...]]]:
    calls: list[tuple[str, tuple[Any, ...]]] = [("register", (text,)) for text in TEXTS]
    calls += [("unregister", (handle,)) for handle in HANDLES]
    calls += [("add_item", (handle, INT)) for handle in HANDLES]
    calls += [("add_item", (1, text)) for text in TEXTS]
    calls += [("add_item2", (handle, INT, "context")) for handle in HANDLES]
    calls += [("add_item2", (1, text, "context")) for text in TEXTS]
    calls += [("add_item2", (1, INT, text)) for text in TEXTS]
    for method in ("remove_item", "advise", "unadvise", "advise_supervisory"):
        calls += [(method, pair) for handle in HANDLES for pair in ((handle, 1), (1, handle))]
    calls += [("write", arguments) for handle in HANDLES for arguments in ((handle, 1, 7), (1, handle, 7))]
    calls += [("write", (1, 1, 7, handle)) for handle in HANDLES]
    calls += [("write", (1, 1, value)) for value in (float("nan"), [], 2**63, object(), [1, "a"])]
    for method in ("add_item_bulk", "subscribe_bulk", *ITEM_BULKS):
        calls += [(method, (1, entries)) for entries in ENTRIES]
        calls += [(method, (handle, [INT] if method in TAG_BULKS else [1])) for handle in HANDLES]
        calls += [(method, (1, [INT if method in TAG_BULKS else 1] * (BULK_LIMIT + 1)))]
    return calls


TAG_BULKS = ("add_item_bulk", "subscribe_bulk")
ITEM_BULKS = ("advise_item_bulk", "remove_item_bulk", "unadvise_item_bulk", "unsubscribe_bulk")


async def test_what_cannot_be_right_is_refused_before_anything_is_sent(
    gateway: SimulatedGateway, session: Session
) -> None:
    calls = len(gateway.calls)
    for method, arguments in bad_calls():
        with pytest.raises(MxGatewayArgumentError) as caught:
            await getattr(session, method)(*arguments)
        assert len(str(caught.value).splitlines()) == 1
        assert len(str(caught.value)) < 300
    for after in (-1, 2**64, True, "1", None, 1.0):
        with pytest.raises(MxGatewayArgumentError, match="after"):
            session.stream_events(after=after)  # type: ignore[arg-type]
    assert len(gateway.calls) == calls


async def test_a_refused_argument_is_named(session: Session) -> None:
    for attempt, name in (
        (session.register(""), "client_name"),
        (session.add_item(1, ""), "item must"),
        (session.add_item2(1, INT, ""), "context"),
        (session.advise(-1, 1), "server_handle"),
        (session.advise(1, -1), "item_handle"),
        (session.write(1, 1, 7, user_id=-1), "user_id"),
        (session.add_item_bulk(1, [INT, ""]), r"tag_addresses\[1\]"),
        (session.advise_item_bulk(1, [1, 2, -3]), r"item_handles\[2\]"),
    ):
        with pytest.raises(MxGatewayArgumentError, match=name):
            await attempt


async def test_the_largest_bulk_call_goes_through(session: Session) -> None:
    server = await session.register("bulk")
    results = await session.add_item_bulk(server, [f"Plant.Tank1.Attribute{n:05d}" for n in range(BULK_LIMIT)])
    assert [result.item_handle for result in results] == list(range(1, BULK_LIMIT + 1))


# Raw commands.


async def test_a_raw_command_gives_the_reply_as_it_came(client: GatewayClient, session: Session) -> None:
    request = session.request("advise", server_handle=1, item_handle=1)
    reply = await client.invoke(request)
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    assert reply.correlation_id == request.client_correlation_id
    state = await client.invoke(session.request("get_session_state"))
    assert state.session_state.state == pb.SESSION_STATE_READY


async def test_sending_a_raw_command_raises_what_the_reply_says(session: Session) -> None:
    with pytest.raises(MxAccessError):
        await session.send(session.request("advise", server_handle=1, item_handle=1))


async def test_a_command_that_contradicts_itself_is_refused_by_the_gateway(
    client: GatewayClient, session: Session
) -> None:
    request = session.request("ping")
    request.command.kind = pb.MX_COMMAND_KIND_REGISTER
    with pytest.raises(MxGatewayCommandError, match="INVALID_ARGUMENT"):
        await client.invoke(request)


@pytest.mark.parametrize("request_", [None, "ping", pb.MxCommand(), b""])
async def test_a_raw_command_is_a_command_request(request_: Any, client: GatewayClient) -> None:
    with pytest.raises(MxGatewayArgumentError, match="MxCommandRequest"):
        await client.invoke(request_)


async def test_a_kind_of_a_newer_gateway_can_be_sent(client: GatewayClient, session: Session) -> None:
    request = session.request("ping")
    request.command.kind = 77  # type: ignore[assignment]
    with pytest.raises(MxGatewayCommandError, match="command 77"):
        await client.invoke(request)


async def test_observers_see_every_command(gateway: SimulatedGateway, client: GatewayClient, session: Session) -> None:
    seen: list[tuple[str, int]] = []

    class Observer:
        def sending(self, request: pb.MxCommandRequest) -> None:
            seen.append(("sending", request.command.kind))

        def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
            seen.append(("answered", reply.kind))

        def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
            assert isinstance(error, MxGatewayError)
            seen.append(("failed", request.command.kind))

    observer = Observer()
    client.observe(observer)
    await session.register("one")
    gateway.faults.lose_next_reply("ping")
    with pytest.raises(MxGatewayTransportError):
        await client.invoke(session.request("ping"))
    register, ping = pb.MX_COMMAND_KIND_REGISTER, pb.MX_COMMAND_KIND_PING
    assert seen == [("sending", register), ("answered", register), ("sending", ping), ("failed", ping)]


class Log:
    def __init__(self, seen: list[int]) -> None:
        self.seen = seen

    def sending(self, request: pb.MxCommandRequest) -> None:
        self.seen.append(request.command.kind)

    def answered(self, request: pb.MxCommandRequest, reply: pb.MxCommandReply) -> None:
        pass

    def failed(self, request: pb.MxCommandRequest, error: BaseException) -> None:
        pass


async def test_an_observer_that_nobody_else_holds_sees_commands_until_it_is_ended(
    client: GatewayClient, session: Session
) -> None:
    forgotten: list[int] = []
    client.observe(Log(forgotten))
    seen: list[int] = []
    observation = client.observe(Log(seen))
    gc.collect()
    await session.register("one")
    assert forgotten == [pb.MX_COMMAND_KIND_REGISTER]
    assert seen == [pb.MX_COMMAND_KIND_REGISTER]
    observation.end()
    observation.end()
    await session.register("two")
    assert len(seen) == 1
    with client.observe(Log(seen)):
        await session.register("three")
    await session.register("four")
    assert len(seen) == 2


# Ends.


async def test_closing_is_idempotent(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    assert not session.closed
    await session.close()
    await session.close()
    assert session.closed
    assert len(sent(gateway, "CloseSession")) == 1


async def test_closing_from_several_tasks_closes_once_and_all_wait(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    session = await client.open_session()
    await asyncio.gather(*(session.close() for _ in range(5)))
    assert len(sent(gateway, "CloseSession")) == 1
    assert gateway.sessions[session.session_id].state == "CLOSED"


async def test_a_closed_session_takes_no_commands(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    await session.close()
    calls = len(gateway.calls)
    for attempt in (session.register("one"), session.write(1, 1, 7), session.subscribe_bulk(1, [INT])):
        with pytest.raises(MxGatewaySessionError, match="was closed here") as caught:
            await attempt
        assert caught.value.endpoint == gateway.endpoint
        assert not caught.value.outcome_unknown
    with pytest.raises(MxGatewaySessionError, match="was closed here"):
        session.stream_events()
    assert len(gateway.calls) == calls


async def test_a_session_the_gateway_no_longer_knows_counts_as_closed(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    session = await client.open_session()
    gateway.faults.lose_session(session.session_id)
    with pytest.raises(MxGatewaySessionError, match=session.session_id):
        await session.ping()
    await session.close()
    assert session.closed


async def test_a_faulted_session_says_so_and_can_be_closed(gateway: SimulatedGateway, client: GatewayClient) -> None:
    session = await client.open_session()
    gateway.faults.fault_session(session.session_id)
    with pytest.raises(MxGatewaySessionError, match="Session state is FAULTED"):
        await session.ping()
    await session.close()
    assert gateway.sessions[session.session_id].state == "CLOSED"


async def test_closing_a_session_whose_gateway_is_gone_says_so(client: GatewayClient) -> None:
    async with SimulatedGateway(plaintext=True) as gateway:
        client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
        session = await client.open_session()
    async with client:
        with pytest.raises(MxGatewayTransportError, match="close_session"):
            await session.close()
        assert session.closed
        await session.close()


async def test_leaving_the_block_closes_the_session(gateway: SimulatedGateway, client: GatewayClient) -> None:
    with pytest.raises(KeyError):
        async with await client.open_session() as session:
            raise KeyError("in the block")
    assert gateway.sessions[session.session_id].state == "CLOSED"


async def test_an_error_in_the_block_is_the_one_seen(gateway: SimulatedGateway, client: GatewayClient) -> None:
    gateway.faults.fail_next("CloseSession", code=grpc.StatusCode.INTERNAL, details="cannot")
    with pytest.raises(KeyError) as caught:
        async with await client.open_session():
            raise KeyError("in the block")
    assert any("closing the session failed" in note and "cannot" in note for note in caught.value.__notes__)


async def test_a_failure_to_close_is_seen_where_nothing_else_is(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    gateway.faults.fail_next("CloseSession", code=grpc.StatusCode.INTERNAL, details="cannot")
    with pytest.raises(MxGatewayTransportError, match="cannot"):
        async with await client.open_session():
            pass


async def test_closing_the_client_is_idempotent_and_leaves_sessions_open(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    session = await client.open_session()
    await asyncio.gather(client.close(), client.close())
    await client.close()
    assert gateway.sessions[session.session_id].state == "READY"
    assert "closed" in repr(client)


async def test_a_closed_session_is_forgotten_by_its_client(client: GatewayClient) -> None:
    observers = len(client._transport.observers)
    for _ in range(3):
        async with await client.open_session() as session:
            session.stream_events()
    assert len(client._transport.observers) == observers


# Sessions opened elsewhere.


async def test_attaching_to_a_session_opened_elsewhere(gateway: SimulatedGateway, session: Session) -> None:
    server = await session.register("one")
    client = await GatewayClient.connect(endpoint=gateway.endpoint, api_key=gateway.api_key, plaintext=True)
    async with client:
        calls = len(gateway.calls)
        attached = client.attach(session.session_id)
        assert len(gateway.calls) == calls
        assert attached.session_id == session.session_id
        await attached.add_item(server, INT)
        # Handles from before are not known, those from now on are.
        assert (attached.handles.servers, known(attached)) == ({}, [(INT, server, 1, False)])


@pytest.mark.parametrize("session_id", ["", "  ", None, 7])
async def test_attaching_needs_an_id(session_id: Any, client: GatewayClient) -> None:
    with pytest.raises(MxGatewayArgumentError, match="session_id"):
        client.attach(session_id)


async def test_attaching_to_no_session_shows_with_the_first_command(client: GatewayClient) -> None:
    attached = client.attach("session-none")
    with pytest.raises(MxGatewaySessionError, match="NOT_FOUND"):
        await attached.ping()


# Replies that contradict themselves.


def answering(**fields: Any) -> Callable[[pb.MxCommandRequest], pb.MxCommandReply]:
    return lambda request: pb.MxCommandReply(protocol_status=OK, **fields)


def results(count: int) -> pb.BulkSubscribeReply:
    return pb.BulkSubscribeReply(results=[pb.SubscribeResult(item_handle=n + 1) for n in range(count)])


@pytest.mark.parametrize(
    ("method", "answer", "said"),
    [
        (lambda s: s.register("one"), {}, "its payload is missing, register expected"),
        (lambda s: s.register("one"), {"register": pb.RegisterReply()}, "server_handle is 0"),
        (lambda s: s.register("one"), {"register": pb.RegisterReply(server_handle=-1)}, "server_handle is -1"),
        (
            lambda s: s.register("one"),
            {"add_item": pb.AddItemReply(item_handle=1)},
            "its payload is add_item, register expected",
        ),
        (lambda s: s.add_item(1, INT), {"add_item": pb.AddItemReply()}, "item_handle is 0"),
        (lambda s: s.add_item2(1, INT, "x"), {"add_item": pb.AddItemReply(item_handle=1)}, ", add_item2 expected"),
        (lambda s: s.subscribe_bulk(1, [INT, DOUBLE]), {}, "its payload is missing, subscribe_bulk expected"),
        (lambda s: s.subscribe_bulk(1, [INT, DOUBLE]), {"subscribe_bulk": results(1)}, "1 results for 2 entries"),
        (lambda s: s.subscribe_bulk(1, [INT]), {"subscribe_bulk": results(2)}, "2 results for 1 entries"),
        (lambda s: s.advise_item_bulk(1, [1]), {"subscribe_bulk": results(1)}, ", advise_item_bulk expected"),
    ],
)
async def test_a_reply_that_contradicts_itself_is_an_error(method: Method, answer: dict[str, Any], said: str) -> None:
    async with contradicting() as (gateway, client), await client.open_session() as session:
        gateway.answer = answering(**answer)
        with pytest.raises(MxGatewayCommandError, match=said) as caught:
            await method(session)
        assert isinstance(caught.value.reply, pb.MxCommandReply)


async def test_a_reply_without_a_status_is_no_success() -> None:
    async with contradicting() as (_, client), await client.open_session() as session:
        with pytest.raises(MxGatewayCommandError, match="UNSPECIFIED"):
            await session.ping()
        with pytest.raises(MxGatewayCommandError, match="outcome unknown") as caught:
            await session.write(1, 1, 7)
        assert caught.value.outcome_unknown


async def test_a_session_without_an_id_is_an_error() -> None:
    async with contradicting() as (gateway, client):
        gateway.opened = pb.OpenSessionReply()
        with pytest.raises(MxGatewayCommandError, match="names no session"):
            await client.open_session()


async def test_what_a_closing_reply_says_is_raised() -> None:
    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.closed.protocol_status.code = pb.PROTOCOL_STATUS_CODE_WORKER_UNAVAILABLE
        with pytest.raises(MxGatewayWorkerError, match="close_session"):
            await session.close()
        # Unknown there is closed, whichever way it is said.
        session = await client.open_session()
        gateway.closed.protocol_status.code = pb.PROTOCOL_STATUS_CODE_SESSION_NOT_FOUND
        await session.close()


async def test_a_written_value_is_what_was_given(gateway: SimulatedGateway, session: Session) -> None:
    values: Sequence[Any] = [True, -7, 2**40, 1.5, "text", None, [1, 2], Typed("float", 0.5)]
    for value in values:
        with pytest.raises(MxAccessError):
            await session.write(1, 1, value)
    written = [from_mx_value(request.command.write.value) for request in sent(gateway)]
    assert written == [True, -7, 2**40, 1.5, "text", None, [1, 2], 0.5]


async def test_a_session_that_was_dropped_is_not_kept(gateway: SimulatedGateway, client: GatewayClient) -> None:
    dropped = weakref.ref(client.attach("session-0"))
    gc.collect()
    assert dropped() is None
    kept = await client.open_session()
    server = await kept.register("kept")
    assert kept.handles.servers == {server: "kept"}
