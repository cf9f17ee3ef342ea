"""Protocol versions, replies that answer something else, and messages up to the limit."""

import asyncio
import warnings

import pytest
from library_contradictions import OK, contradicting

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveSession,
    LiveState,
    MxGatewayCommandError,
    MxGatewayError,
    MxGatewayProtocolWarning,
    MxGatewaySessionError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway.version import GATEWAY_PROTOCOL_VERSION
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
TEXT = "TestChildObject.TestString"
MIB = 1024 * 1024


@pytest.mark.parametrize("theirs", [0, GATEWAY_PROTOCOL_VERSION + 1])
async def test_another_protocol_version_is_warned_of(theirs: int) -> None:
    async with contradicting() as (gateway, client):
        gateway.opened.gateway_protocol_version = theirs
        with pytest.warns(MxGatewayProtocolWarning, match=f"version {theirs or 'unknown'}, this library 3"):
            session = await client.open_session()
        assert session.info.gateway_protocol_version == theirs


async def test_a_warning_that_a_program_makes_an_error_leaves_no_session() -> None:
    async with contradicting() as (gateway, client):
        gateway.opened.gateway_protocol_version = 4
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(MxGatewayProtocolWarning):
                await client.open_session()
        assert gateway.closings == 1


async def test_our_own_protocol_version_is_no_news() -> None:
    async with contradicting() as (_, client):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            await client.open_session()
        assert not [warning for warning in seen if issubclass(warning.category, MxGatewayProtocolWarning)]


async def test_another_protocol_version_can_be_an_error_and_leaves_no_session() -> None:
    async with contradicting() as (gateway, client):
        gateway.opened.gateway_protocol_version = 4
        options = {"endpoint": client.options.endpoint, "plaintext": True}
        async with await GatewayClient.connect(protocol_mismatch="error", **options) as strict:
            with pytest.raises(MxGatewaySessionError, match="version 4, this library 3"):
                await strict.open_session()
        assert gateway.closings == 1
        async with await GatewayClient.connect(protocol_mismatch="ignore", **options) as lenient:
            await lenient.open_session()


async def test_a_reply_to_another_command_is_an_error_that_keeps_it() -> None:
    async with contradicting() as (gateway, client):
        session = await client.open_session()
        gateway.answer = lambda request: pb.MxCommandReply(kind=pb.MX_COMMAND_KIND_REGISTER, protocol_status=OK)
        with pytest.raises(MxGatewayCommandError, match="contradicts itself") as read:
            await session.advise(1, 1)
        assert read.value.reply.kind == pb.MX_COMMAND_KIND_REGISTER
        assert not read.value.outcome_unknown
        with pytest.raises(MxGatewayCommandError, match="outcome unknown: write") as written:
            await session.write(1, 1, 5)
        assert written.value.outcome_unknown
        assert written.value.endpoint == client.options.endpoint


async def test_a_large_value_travels_both_ways(gateway: SimulatedGateway, client: GatewayClient) -> None:
    large = "x" * (15 * MIB)
    async with await client.open_session() as session, session.stream_events() as events:
        server = await session.register("large")
        item = await session.add_item(server, TEXT)
        await session.advise(server, item)
        await anext(events)
        await session.write(server, item, large)
        while (event := await anext(events)).value != large:
            assert not event.failed
    assert gateway.read(TEXT).value == large


async def test_a_value_over_the_limit_is_refused_before_it_is_sent(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    async with await client.open_session() as session:
        server = await session.register("too large")
        item = await session.add_item(server, TEXT)
        with pytest.raises(MxGatewayError, match="larger than max") as caught:
            await session.write(server, item, "x" * (17 * MIB))
        assert not caught.value.outcome_unknown
        await session.ping()


async def test_a_reply_over_the_limit_is_a_transport_error(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with await client.open_session() as session:
        gateway.faults.oversize_next_reply("ping")
        with pytest.raises(MxGatewayTransportError, match="larger than max") as read:
            await session.ping()
        assert not read.value.outcome_unknown
        gateway.faults.oversize_next_reply("write")
        with pytest.raises(MxGatewayTransportError, match="outcome unknown: write") as written:
            await session.write(1, 1, 5)
        assert written.value.outcome_unknown
        await session.ping()


async def test_bytes_that_are_no_message_are_a_transport_error(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    async with await client.open_session() as session:
        gateway.faults.garble_next_reply("ping")
        with pytest.raises(MxGatewayTransportError, match="not a message of the contract") as read:
            await session.ping()
        assert not read.value.outcome_unknown
        gateway.faults.garble_next_reply("write")
        with pytest.raises(MxGatewayTransportError, match="outcome unknown: write") as written:
            await session.write(1, 1, 5)
        assert written.value.outcome_unknown
        gateway.faults.garble_next_reply("StreamEvents")
        server = await session.register("garbled")
        await session.advise(server, await session.add_item(server, INT))
        with pytest.raises(MxGatewayTransportError, match="not a message of the contract"):
            async for _ in session.stream_events():
                pass


async def test_a_live_session_goes_on_after_garbage_on_its_stream(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    async with asyncio.timeout(20), await LiveSession.open(client) as live:
        await live.ready()
        server = await live.session.register("garbled")
        (item,) = await live.subscribe_tags([INT], server)
        await live.first_value(item)
        gateway.faults.garble_next_reply("StreamEvents")
        gateway.faults.drop_streams()
        gateway.set(INT, 41)
        while live[INT].value != 41:
            await live.changed()
        assert live.state is LiveState.LIVE
        assert live.lost_events == 0
