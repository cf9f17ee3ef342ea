"""Replies that lie: whatever a server answers, a call gives a value or a typed error of one clean line."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from library_hostile import METHODS, SESSION_ID, hostile, mutated, random_message
from library_relay import listener

from zb_mom_ww_mxgateway import (
    GatewayClient,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewayTransportError,
    Session,
    Write2Entry,
    WriteEntry,
    WriteSecured2Entry,
    WriteSecuredEntry,
)
from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as galaxy_pb, mxaccess_gateway_pb2 as pb

ROUNDS = 16
LONGEST_MESSAGE = 4_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
GUID = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
ALARM = "Galaxy!Plant.Tank1.Level.HiHi"

# A call for every command kind; None where the library makes none of that kind.
KINDS: dict[str, Callable[[Session], Awaitable[Any]] | None] = {
    "UNSPECIFIED": None,
    "REGISTER": lambda s: s.register("a"),
    "UNREGISTER": lambda s: s.unregister(1),
    "ADD_ITEM": lambda s: s.add_item(1, "A.b"),
    "ADD_ITEM2": lambda s: s.add_item2(1, "b", "A"),
    "REMOVE_ITEM": lambda s: s.remove_item(1, 1),
    "ADVISE": lambda s: s.advise(1, 1),
    "UN_ADVISE": lambda s: s.unadvise(1, 1),
    "ADVISE_SUPERVISORY": lambda s: s.advise_supervisory(1, 1),
    "ADD_BUFFERED_ITEM": lambda s: s.add_buffered_item(1, "A.b"),
    "SET_BUFFERED_UPDATE_INTERVAL": lambda s: s.set_buffered_update_interval(1, 100),
    "SUSPEND": lambda s: s.suspend(1, 1),
    "ACTIVATE": lambda s: s.activate(1, 1),
    "WRITE": lambda s: s.write(1, 1, 5),
    "WRITE2": lambda s: s.write2(1, 1, 5, NOW),
    "WRITE_SECURED": lambda s: s.write_secured(1, 1, 5, 1, 2),
    "WRITE_SECURED2": lambda s: s.write_secured2(1, 1, 5, NOW, 1, 2),
    "AUTHENTICATE_USER": lambda s: s.authenticate_user(1, "a", "b"),
    "ARCHESTRA_USER_TO_ID": lambda s: s.archestra_user_to_id(1, GUID),
    "ADD_ITEM_BULK": lambda s: s.add_item_bulk(1, ["A.b", "B.c"]),
    "ADVISE_ITEM_BULK": lambda s: s.advise_item_bulk(1, [1, 2]),
    "REMOVE_ITEM_BULK": lambda s: s.remove_item_bulk(1, [1, 2]),
    "UN_ADVISE_ITEM_BULK": lambda s: s.unadvise_item_bulk(1, [1, 2]),
    "SUBSCRIBE_BULK": lambda s: s.subscribe_bulk(1, ["A.b", "B.c"]),
    "UNSUBSCRIBE_BULK": lambda s: s.unsubscribe_bulk(1, [1, 2]),
    "WRITE_BULK": lambda s: s.write_bulk(1, [WriteEntry(1, 5)]),
    "WRITE2_BULK": lambda s: s.write2_bulk(1, [Write2Entry(1, 5, NOW)]),
    "WRITE_SECURED_BULK": lambda s: s.write_secured_bulk(1, [WriteSecuredEntry(1, 5, 1, 2)]),
    "WRITE_SECURED2_BULK": lambda s: s.write_secured2_bulk(1, [WriteSecured2Entry(1, 5, NOW, 1, 2)]),
    "READ_BULK": lambda s: s.read_bulk(1, ["A.b", "B.c"]),
    "PING": lambda s: s.ping(),
    "GET_SESSION_STATE": lambda s: s.get_session_state(),
    "GET_WORKER_INFO": lambda s: s.get_worker_info(),
    "DRAIN_EVENTS": lambda s: s.drain_events(),
    "SHUTDOWN_WORKER": lambda s: s.shutdown_worker(),
}


async def _all(stream: Any) -> list[Any]:
    return [each async for each in stream]


# A call for every other method of the contract.
RPCS: dict[str, Callable[[GatewayClient], Awaitable[Any]]] = {
    "OpenSession": lambda c: c.open_session(),
    "AcknowledgeAlarm": lambda c: c.acknowledge_alarm(ALARM),
    "TestConnection": lambda c: c.galaxy.test_connection(),
    "GetLastDeployTime": lambda c: c.galaxy.last_deploy_time(),
    "DiscoverHierarchy": lambda c: _all(c.galaxy.discover()),
    "BrowseChildren": lambda c: c.galaxy.browse(),
    "QueryActiveAlarms": lambda c: _all(c.query_active_alarms()),
    "StreamAlarms": lambda c: _all(c.stream_alarms()),
    "WatchDeployEvents": lambda c: _all(c.galaxy.watch_deploy_events()),
    "CloseSession": lambda c: c.attach(SESSION_ID).close(),
    "StreamEvents": lambda c: _all(c.attach(SESSION_ID).stream_events()),
}


def kinds_with_replies() -> set[str]:
    return {value.name.removeprefix("MX_COMMAND_KIND_") for value in pb.MxCommandKind.DESCRIPTOR.values}


async def endured(call: Awaitable[Any]) -> MxGatewayError | None:
    """Makes the call; its error, if it has one, is typed and says it in one line that touches no terminal."""
    try:
        async with asyncio.timeout(30):
            await call
    except MxGatewayError as error:
        text = str(error)
        assert text.isprintable(), repr(text)
        assert len(text) <= LONGEST_MESSAGE
        return error
    return None


def test_every_command_kind_and_rpc_has_a_call_here() -> None:
    assert set(RPCS) | {"Invoke"} == set(METHODS)
    missing = kinds_with_replies() - set(KINDS)
    # Alarms by session: their replies are read as raw messages.
    assert all("ALARM" in kind for kind in missing), missing
    assert set(KINDS) <= kinds_with_replies()


@pytest.mark.parametrize("kind", [kind for kind, call in KINDS.items() if call])
async def test_random_and_mutated_replies_to_a_command(kind: str) -> None:
    call, chance = KINDS[kind], random.Random(f"replies to {kind}")
    assert call is not None
    descriptor = pb.MxCommandReply.DESCRIPTOR
    arm = next((field for field in descriptor.oneofs_by_name["payload"].fields if field.name.upper() == kind), None)
    async with hostile() as (handler, client):
        session = client.attach(SESSION_ID)
        for turn in range(ROUNDS):
            message: Any = random_message(descriptor, chance)
            if turn % 2:
                # One that gets past the first looks: all well, and the right payload with anything in it.
                message.ClearField("hresult")
                message.protocol_status.Clear()
                message.protocol_status.code = pb.PROTOCOL_STATUS_CODE_OK
                message.kind = pb.MxCommandKind.Value(f"MX_COMMAND_KIND_{kind}")
                del message.statuses[:]
                if arm is not None:
                    getattr(message, arm.name).CopyFrom(random_message(arm.message_type, chance, 1))
            data = message.SerializeToString()
            handler.answers["Invoke"] = data if turn % 3 else mutated(data, chance)
            await endured(call(session))


@pytest.mark.parametrize("name", RPCS)
async def test_random_and_mutated_replies_to_an_rpc(name: str) -> None:
    chance = random.Random(f"replies to {name}")
    async with hostile(call_timeout=5.0) as (handler, client):
        for turn in range(ROUNDS):
            made = [random_message(METHODS[name].output_type, chance) for _ in range(3)]
            for message in made:
                # The end of pages is tried below.
                if "next_page_token" in message.DESCRIPTOR.fields_by_name:
                    message.ClearField("next_page_token")
            data = [message.SerializeToString() for message in made]
            if turn % 3 == 0:
                data = [mutated(each, chance) for each in data]
            handler.answers[name] = data if METHODS[name].server_streaming else data[0]
            await endured(RPCS[name](client))


async def test_a_huge_text_is_cut_in_the_error_and_kept_in_the_reply() -> None:
    reply = pb.MxCommandReply(kind=pb.MX_COMMAND_KIND_PING, diagnostic_message="x" * 1_000_000 + "\x1b[2J")
    reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    reply.protocol_status.message = "y" * 1_000_000
    async with hostile() as (handler, client):
        handler.answers["Invoke"] = reply.SerializeToString()
        error = await endured(client.attach(SESSION_ID).ping())
    assert error is not None
    assert len(error.reply.diagnostic_message) > 1_000_000
    assert len(error.reply.protocol_status.message) == 1_000_000


@pytest.mark.parametrize("call", ["discover", "browse"])
@pytest.mark.parametrize("is_same", [True, False], ids=["the same token", "always another token"])
async def test_pages_without_end_end(call: str, is_same: bool) -> None:
    asked = 0

    def page(request: bytes) -> bytes:
        nonlocal asked
        asked += 1
        token = "again" if is_same else f"{asked}"
        reply = (
            galaxy_pb.DiscoverHierarchyReply(next_page_token=token)
            if call == "discover"
            else galaxy_pb.BrowseChildrenReply(next_page_token=token)
        )
        return reply.SerializeToString()

    async with hostile() as (handler, client):
        handler.answers |= {"DiscoverHierarchy": page, "BrowseChildren": page}
        error = await endured(_all(client.galaxy.discover()) if call == "discover" else client.galaxy.browse())
    assert isinstance(error, MxGatewayCommandError)
    assert asked < 2_000


async def test_an_object_that_is_its_own_child_is_opened_only_when_asked_to() -> None:
    reply = galaxy_pb.BrowseChildrenReply(child_has_children=[True])
    reply.children.add(tag_name="Plant", gobject_id=7)
    async with hostile() as (handler, client):
        handler.answers["BrowseChildren"] = reply.SerializeToString()
        (node,) = await client.galaxy.browse()
        for _ in range(5):
            (node,) = await node.children()
        assert node.object.tag_name == "Plant"


@pytest.mark.parametrize("count", [0, 1, 3])
async def test_a_bulk_reply_with_another_number_of_entries_gives_no_entry_anothers_result(count: int) -> None:
    reply = pb.MxCommandReply(kind=pb.MX_COMMAND_KIND_SUBSCRIBE_BULK)
    reply.protocol_status.code = pb.PROTOCOL_STATUS_CODE_OK
    reply.subscribe_bulk.SetInParent()
    for index in range(count):
        reply.subscribe_bulk.results.add(tag_address="A.b", item_handle=index + 1, was_successful=True)
    async with hostile() as (handler, client):
        handler.answers["Invoke"] = reply.SerializeToString()
        error = await endured(client.attach(SESSION_ID).subscribe_bulk(1, ["A.b", "B.c"]))
    assert isinstance(error, MxGatewayCommandError)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"\x00" * 64,
        b"\x16\x03\x01\x00\x01",
        b"",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        None,
    ],
    ids=["http 1", "zeros", "half a TLS record", "hangs up", "a client's preface", "silent"],
)
@pytest.mark.parametrize("plaintext", [True, False], ids=["plaintext", "TLS"])
async def test_connecting_to_a_server_that_is_not_a_gateway_fails(answer: bytes | None, plaintext: bool) -> None:
    async with listener(answer) as endpoint:
        call = GatewayClient.connect(
            endpoint=endpoint, plaintext=plaintext, connect_timeout=0.7, remember_certificate=False
        )
        assert isinstance(await endured(call), MxGatewayTransportError)
