"""A gateway with other numbers than the contract spoken here: an error that says so, no value, and no write."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import grpc
import pytest
from library_other_numbers import renumbered
from permuted_contract import GATEWAY

from zb_mom_ww_mxgateway import (
    GatewayClient,
    LiveSession,
    LiveState,
    MxGatewayContractError,
    MxGatewayError,
    Session,
)
from zb_mom_ww_mxgateway.transport import agreement
from zb_mom_ww_mxgateway_sim import SimulatedGateway

INT = "TestChildObject.TestInt"
ALARM, OTHER = "ZB!Plant.Tank1.Level.HiHi", "ZB!Plant.Tank2.Level.HiHi"
COMPARE = "mxgw-py contract compare"
SEEDS = 25


class Plant(NamedTuple):
    """A gateway, and what an honest client has open there."""

    gateway: SimulatedGateway
    session: Session
    server: int
    item: int


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    async with SimulatedGateway(plaintext=True, write_complete_delay=0) as gateway:
        gateway.raise_alarm(ALARM)
        gateway.raise_alarm(OTHER)
        options = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
        async with await GatewayClient.connect(**options) as client, await client.open_session() as session:
            server = await session.register("honest")
            item = await session.add_item(server, INT)
            await session.advise(server, item)
            yield Plant(gateway, session, server, item)


async def first_of(stream: Any) -> Any:
    async with stream as messages:
        return await anext(messages)


# What a client may do first, with a session that it opens or that was opened by another one.
CALLS: dict[str, Callable[[GatewayClient, Session, Plant], Awaitable[Any]]] = {
    "open": lambda client, there, plant: client.open_session(),
    "live": lambda client, there, plant: LiveSession.open(client),
    "ping": lambda client, there, plant: there.ping(),
    "state": lambda client, there, plant: there.get_session_state(),
    "read": lambda client, there, plant: there.read_bulk(plant.server, [INT]),
    "write": lambda client, there, plant: there.write(plant.server, plant.item, 77),
    "write2": lambda client, there, plant: there.write2(plant.server, plant.item, 77, datetime.now(UTC)),
    "secured": lambda client, there, plant: there.write_secured(plant.server, plant.item, 77, 1),
    "acknowledge": lambda client, there, plant: client.acknowledge_alarm(ALARM, OTHER, OTHER),
    "alarms": lambda client, there, plant: first_of(client.query_active_alarms()),
    "feed": lambda client, there, plant: first_of(client.stream_alarms()),
}


def untouched(gateway: SimulatedGateway) -> bool:
    return not gateway.writes and not any(alarm.acked for alarm in gateway.alarms if alarm.active)


async def test_connecting_ends_in_an_error_that_says_what_to_do(plant: Plant) -> None:
    for seed in range(SEEDS):
        async with renumbered(plant.gateway, seed) as endpoint:
            with pytest.raises(MxGatewayContractError, match=COMPARE):
                await GatewayClient.connect(endpoint=endpoint, api_key=plant.gateway.api_key, plaintext=True)
    assert untouched(plant.gateway)


@pytest.mark.parametrize("name", CALLS)
async def test_whatever_is_called_first_gives_no_value_and_writes_nothing(name: str, plant: Plant) -> None:
    # The galaxy's messages are as here, so that connecting gives nothing away.
    for seed in range(SEEDS):
        unread = grpc.StatusCode.UNKNOWN if seed % 2 else grpc.StatusCode.INTERNAL
        async with (
            renumbered(plant.gateway, seed, [GATEWAY], unread=unread) as endpoint,
            await GatewayClient.connect(
                endpoint=endpoint, api_key=plant.gateway.api_key, plaintext=True, call_timeout=10
            ) as client,
        ):
            with pytest.raises(MxGatewayError, match=COMPARE):
                await CALLS[name](client, client.attach(plant.session.session_id), plant)
        assert untouched(plant.gateway), seed


# Of a gateway that differs in these alone, what a client sends arrives as it was meant.
@pytest.mark.parametrize("only", [["MxCommandReply"], ["MxCommandReply", "MxCommandKind"], ["ProtocolStatusCode"]])
@pytest.mark.parametrize("name", ["ping", "state", "read", "write", "write2", "secured"])
async def test_an_answer_by_other_numbers_is_none(name: str, only: list[str], plant: Plant) -> None:
    for seed in range(SEEDS // 5):
        async with (
            renumbered(plant.gateway, seed, [GATEWAY], only) as endpoint,
            await GatewayClient.connect(endpoint=endpoint, api_key=plant.gateway.api_key, plaintext=True) as client,
        ):
            # A status that means something else there may be one that refuses a command that only looks.
            said = "." if only == ["ProtocolStatusCode"] and name in ("ping", "state", "read") else COMPARE
            with pytest.raises(MxGatewayError, match=said):
                await CALLS[name](client, client.attach(plant.session.session_id), plant)
        assert untouched(plant.gateway), seed


async def test_events_of_a_session_with_other_numbers_are_none(plant: Plant) -> None:
    for seed in range(SEEDS):
        async with (
            renumbered(plant.gateway, seed, [GATEWAY]) as endpoint,
            await GatewayClient.connect(endpoint=endpoint, api_key=plant.gateway.api_key, plaintext=True) as client,
        ):
            # The gateway finds no session in the request, or another one.
            with pytest.raises(MxGatewayError, match=COMPARE):
                await first_of(client.attach(plant.session.session_id).stream_events())


async def test_a_live_session_whose_ping_is_invalid_there_ends_with_the_reason(plant: Plant) -> None:
    # The session opens as it should: only its commands mean something else.
    plant.gateway.faults.fail_next("ping", code=grpc.StatusCode.INVALID_ARGUMENT)
    async with await GatewayClient.connect(
        endpoint=plant.gateway.endpoint, api_key=plant.gateway.api_key, plaintext=True
    ) as client:
        with pytest.raises(MxGatewayContractError, match=COMPARE):
            await LiveSession.open(client)


async def test_the_same_numbers_are_no_news(plant: Plant) -> None:
    async with (
        renumbered(plant.gateway, 0, []) as endpoint,
        await GatewayClient.connect(endpoint=endpoint, api_key=plant.gateway.api_key, plaintext=True) as client,
    ):
        there = client.attach(plant.session.session_id)
        await there.write(plant.server, plant.item, 77)
        await client.acknowledge_alarm(ALARM)
    assert plant.gateway.read(INT).value == 77
    assert next(alarm for alarm in plant.gateway.alarms if alarm.reference == ALARM).acked


async def test_a_write_to_an_attached_session_is_preceded_by_one_harmless_command(plant: Plant) -> None:
    gateway = plant.gateway
    options = {"endpoint": gateway.endpoint, "api_key": gateway.api_key, "plaintext": True}
    async with await GatewayClient.connect(**options) as client:
        there, before = client.attach(plant.session.session_id), len(gateway.calls)
        await there.write(plant.server, plant.item, 1)
        await there.write(plant.server, plant.item, 2)
        sent = [call.request.command.WhichOneof("payload") for call in list(gateway.calls)[before:]]  # type: ignore[attr-defined]  # of Invoke
    assert sent == ["ping", "write", "write"]


async def test_a_lost_session_is_not_opened_again_and_again_at_a_gateway_that_has_other_numbers_now(
    gateway: SimulatedGateway, client: GatewayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await LiveSession.open(client) as live:
        await live.ready()
        before = len([call for call in gateway.calls if call.rpc == "OpenSession"])
        monkeypatch.setattr(agreement.wire, "misfit_of_opening", lambda reply: "it names no session", raising=False)
        gateway.faults.lose_session(live.session.session_id)
        while live.state is not LiveState.CLOSED:
            await live.changed()
        assert COMPARE in str(live.lost)
    assert len([call for call in gateway.calls if call.rpc == "OpenSession"]) == before + 1
