"""Results of bulk calls are for the entries they name, whatever order they come in; what does not fit is refused."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from library_contradictions import OK, contradicting

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveSession,
    MxGatewayArgumentError,
    MxGatewayCommandError,
    Session,
    Write2Entry,
    WriteEntry,
    WriteSecured2Entry,
    WriteSecuredEntry,
    wire,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import SimulatedGateway

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TAGS = ["A.b", "B.c", "C.d"]
ITEMS = [11, 12, 13]

Call = Callable[[Session], Awaitable[Sequence[Any]]]
BY_TAG: dict[str, Call] = {
    "add_item_bulk": lambda s: s.add_item_bulk(1, TAGS),
    "subscribe_bulk": lambda s: s.subscribe_bulk(1, TAGS),
    "read_bulk": lambda s: s.read_bulk(1, TAGS),
}
BY_ITEM: dict[str, Call] = {
    "advise_item_bulk": lambda s: s.advise_item_bulk(1, ITEMS),
    "remove_item_bulk": lambda s: s.remove_item_bulk(1, ITEMS),
    "un_advise_item_bulk": lambda s: s.unadvise_item_bulk(1, ITEMS),
    "unsubscribe_bulk": lambda s: s.unsubscribe_bulk(1, ITEMS),
}
WRITES: dict[str, Call] = {
    "write_bulk": lambda s: s.write_bulk(1, [WriteEntry(n, n) for n in ITEMS]),
    "write2_bulk": lambda s: s.write2_bulk(1, [Write2Entry(n, n, NOW) for n in ITEMS]),
    "write_secured_bulk": lambda s: s.write_secured_bulk(1, [WriteSecuredEntry(n, n, 1) for n in ITEMS]),
    "write_secured2_bulk": lambda s: s.write_secured2_bulk(1, [WriteSecured2Entry(n, n, NOW, 1) for n in ITEMS]),
}
ALL = BY_TAG | BY_ITEM | WRITES


def answer(request: pb.MxCommandRequest) -> pb.MxCommandReply:
    """A result for each entry, in order, that names it; of the second that it failed."""
    kind = wire.kind_name(request)
    reply = pb.MxCommandReply(kind=request.command.kind, protocol_status=OK)
    results = getattr(reply, kind).results
    for index, (tag, item) in enumerate(zip(TAGS, ITEMS, strict=True)):
        result = results.add(server_handle=1, item_handle=item, was_successful=index != 1)
        if kind not in WRITES:
            result.tag_address = tag
        if index == 1:
            result.error_message = f"no {tag}"
    return reply


def results_of(reply: pb.MxCommandReply) -> Any:
    return getattr(reply, reply.WhichOneof("payload") or "").results


def reordered(reply: pb.MxCommandReply) -> None:
    results = results_of(reply)
    copies = [type(each).FromString(each.SerializeToString()) for each in results]
    del results[:]
    results.extend([copies[2], copies[0], copies[1]])


def one_less(reply: pb.MxCommandReply) -> None:
    results_of(reply).pop()


def one_more(reply: pb.MxCommandReply) -> None:
    results_of(reply).add().CopyFrom(results_of(reply)[0])


def one_twice(reply: pb.MxCommandReply) -> None:
    results = results_of(reply)
    results[1].CopyFrom(results[0])


def of_another_server(reply: pb.MxCommandReply) -> None:
    results_of(reply)[0].server_handle = 2


def no_payload(reply: pb.MxCommandReply) -> None:
    reply.ClearField(reply.WhichOneof("payload") or "")


def displaced_without_names(reply: pb.MxCommandReply) -> None:
    """One result names nothing, and the others are not in their places."""
    reordered(reply)
    results_of(reply)[2].item_handle = 0
    if hasattr(results_of(reply)[2], "tag_address"):
        results_of(reply)[2].tag_address = ""


WRONG = [one_less, one_more, one_twice, of_another_server, no_payload, displaced_without_names]


@pytest.mark.parametrize("kind", ALL)
async def test_results_in_another_order_are_given_to_the_entries_they_name(kind: str) -> None:
    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.answer = answer
        in_order = await ALL[kind](session)

        def other(request: pb.MxCommandRequest) -> pb.MxCommandReply:
            reply = answer(request)
            reordered(reply)
            return reply

        gateway.answer = other
        assert await ALL[kind](session) == in_order
        assert [result.was_successful for result in in_order] == [True, False, True]
        assert [result.item_handle for result in in_order] == ITEMS


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("kind", ALL)
async def test_results_that_do_not_fit_are_refused_and_of_a_write_the_outcome_is_unknown(
    kind: str, wrong: Callable[[pb.MxCommandReply], None]
) -> None:
    def bad(request: pb.MxCommandRequest) -> pb.MxCommandReply:
        reply = answer(request)
        wrong(reply)
        return reply

    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.answer = bad
        with pytest.raises(MxGatewayCommandError, match="contradicts itself") as raised:
            await ALL[kind](session)
        assert raised.value.outcome_unknown == (kind in WRITES)
        assert str(raised.value).startswith("outcome unknown: ") == (kind in WRITES)
        assert not session.handles.items


async def test_a_write_answered_with_ok_and_the_hresult_of_a_failure_is_unknown() -> None:
    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.answer = lambda request: pb.MxCommandReply(protocol_status=OK, hresult=-2147024809)
        with pytest.raises(MxGatewayCommandError, match="0x80070057") as raised:
            await session.write(1, 11, 5)
        assert raised.value.outcome_unknown


@pytest.mark.parametrize("kind", WRITES)
async def test_a_result_that_is_a_success_with_the_hresult_of_a_failure_is_unknown(kind: str) -> None:
    def odd(request: pb.MxCommandRequest) -> pb.MxCommandReply:
        reply = answer(request)
        results_of(reply)[0].hresult = -2147024809
        return reply

    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.answer = odd
        with pytest.raises(MxGatewayCommandError, match="0x80070057") as raised:
            await WRITES[kind](session)
        assert raised.value.outcome_unknown


def test_a_contradictory_reply_leaves_a_single_write_unknown() -> None:
    request = wire.command_request("s", wire.command("write", server_handle=1, item_handle=1), "c")
    assert wire.refused_writes(request, pb.MxCommandReply(protocol_status=OK)) == [False]
    assert wire.refused_writes(request, pb.MxCommandReply(protocol_status=OK, hresult=-1)) == []
    other = pb.MxCommandReply(protocol_status=OK, kind=pb.MX_COMMAND_KIND_PING)
    assert wire.refused_writes(request, other) == []


async def test_results_without_names_match_entries_by_position() -> None:
    def nameless(request: pb.MxCommandRequest) -> pb.MxCommandReply:
        reply = answer(request)
        for result in reply.write_bulk.results:
            result.item_handle = result.server_handle = 0
        return reply

    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.answer = nameless
        results = await WRITES["write_bulk"](session)
        assert [result.was_successful for result in results] == [True, False, True]


async def test_the_brackets_that_the_gateway_adds_to_an_array_are_no_other_tag() -> None:
    def bracketed(request: pb.MxCommandRequest) -> pb.MxCommandReply:
        reply = answer(request)
        reordered(reply)
        for result in reply.subscribe_bulk.results:
            result.tag_address = f"{result.tag_address.upper()}[]"
        return reply

    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.answer = bracketed
        assert [each.item_handle for each in await BY_TAG["subscribe_bulk"](session)] == ITEMS


async def test_two_tags_are_not_given_one_handle() -> None:
    def same(request: pb.MxCommandRequest) -> pb.MxCommandReply:
        reply = answer(request)
        for result in reply.subscribe_bulk.results:
            result.item_handle = 7
        return reply

    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.answer = same
        with pytest.raises(MxGatewayCommandError, match="two tags"):
            await BY_TAG["subscribe_bulk"](session)


def test_the_ledger_learns_nothing_of_a_write_from_a_reply_that_contradicts_itself() -> None:
    entries = [wire.write_entry("write_bulk", item_handle=item, value=wire.to_mx_value(1)) for item in ITEMS]
    request = wire.command_request("s", wire.command("write_bulk", server_handle=1, entries=entries), "c")
    reply = answer(request)
    reordered(reply)
    assert wire.refused_writes(request, reply) == [False, True, False]
    one_twice(reply)
    assert wire.refused_writes(request, reply) == []


async def test_one_tag_in_two_spellings_is_one_item(client: GatewayClient, gateway: SimulatedGateway) -> None:
    async with await LiveSession.open(client) as live:
        server = await live.session.register("a")
        tag = "TestChildObject.TestInt"
        items = await live.subscribe_tags([tag, tag.upper(), tag], server)
        assert len(items) == 3
        assert len({item.key for item in items}) == len(live.session.handles.items) == 1
        assert live.session.handles.find(tag.lower()) is items[0]


async def test_a_string_is_no_list_of_tags(client: GatewayClient) -> None:
    async with await LiveSession.open(client) as live:
        server = await live.session.register("a")
        for call in (
            lambda: live.subscribe_tags("Plant.Tank1.Level", server),
            lambda: live.subscribe_tags("", server),
            lambda: live.read("Plant.Tank1.Level", server),
            lambda: live.session.subscribe_bulk(server, "Plant.Tank1.Level"),
            lambda: live.session.add_item_bulk(server, "Plant.Tank1.Level"),
            lambda: live.session.read_bulk(server, "Plant.Tank1.Level"),
        ):
            with pytest.raises(MxGatewayArgumentError, match="must be a list, not str"):
                await call()
        assert not live.session.handles.items


async def test_a_read_that_may_take_too_long_is_refused_by_its_own_argument(client: GatewayClient) -> None:
    async with await LiveSession.open(client) as live:
        server = await live.session.register("a")
        with pytest.raises(MxGatewayArgumentError, match="timeout must be seconds above 0, at most 3600, not 7200"):
            await live.read(["TestChildObject.TestInt"], server, timeout=7200)
