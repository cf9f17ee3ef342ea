"""Alarms without a session: those active, what changes, acknowledging."""

import asyncio

import grpc
import pytest
from library_waiting import eventually

from zb_mom_ww_mxgateway import (
    ActiveAlarm,
    AlarmConditionState,
    AlarmProviderMode,
    AlarmProviderStatus,
    AlarmSnapshotComplete,
    AlarmTransition,
    AlarmTransitionKind,
    EventFamily,
    GatewayClient,
    MxGatewayArgumentError,
    MxGatewayAuthorizationError,
    MxGatewayCommandError,
    MxGatewayTransportError,
)
from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GatewayKey, KeyScope, SimulatedGateway

LEVEL = "Plant.Tank1.Level"


async def active(client: GatewayClient, prefix: str = "") -> list[ActiveAlarm]:
    return [alarm async for alarm in client.query_active_alarms(prefix)]


async def high_alarm(gateway: SimulatedGateway, client: GatewayClient) -> ActiveAlarm:
    """Fills the tank up to its high alarm."""
    gateway.set(LEVEL, 85.0)
    async with asyncio.timeout(30):
        while True:  # the plant judges its limits a few times a second
            for alarm in await active(client):
                if "Tank1" in alarm.reference:
                    return alarm


async def test_active_alarms_are_those_of_the_plant(gateway: SimulatedGateway, client: GatewayClient) -> None:
    gateway.set(LEVEL, 50.0)
    assert not [alarm for alarm in await active(client) if "Tank1" in alarm.reference]
    alarm = await high_alarm(gateway, client)
    assert alarm.reference.startswith("ZB!")
    assert alarm.state is AlarmConditionState.ACTIVE
    assert alarm.source_provider is AlarmProviderMode.ALARMMGR
    assert alarm.raised_at is not None
    assert alarm.severity > 0
    assert await active(client, alarm.reference) == [alarm]
    assert await active(client, "ZB!Elsewhere") == []


async def test_the_stream_begins_with_what_is_active_and_goes_on_with_what_changes(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    alarm = await high_alarm(gateway, client)
    async with asyncio.timeout(30), client.stream_alarms(alarm.reference) as messages:
        assert await anext(messages) == alarm
        assert await anext(messages) == AlarmSnapshotComplete()
        status = await anext(messages)
        assert isinstance(status, AlarmProviderStatus)
        assert (status.mode, status.degraded) == (AlarmProviderMode.ALARMMGR, False)
        await client.acknowledge_alarm(alarm.reference, "seen", "operator")
        acknowledged = await anext(messages)
        assert isinstance(acknowledged, AlarmTransition)
        assert acknowledged.kind is AlarmTransitionKind.ACKNOWLEDGE
        assert (acknowledged.operator, acknowledged.comment) == ("operator", "seen")
        gateway.set(LEVEL, 50.0)
        cleared = await anext(messages)
        assert isinstance(cleared, AlarmTransition)
        assert cleared.kind is AlarmTransitionKind.CLEAR


async def test_an_acknowledged_alarm_says_by_whom(gateway: SimulatedGateway, client: GatewayClient) -> None:
    alarm = await high_alarm(gateway, client)
    await client.acknowledge_alarm(alarm.reference, comment="on my way", operator="anna")
    (after,) = await active(client, alarm.reference)
    assert after.state is AlarmConditionState.ACTIVE_ACKED
    assert (after.operator, after.comment) == ("anna", "on my way")


async def test_a_failover_of_the_provider_is_told(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with asyncio.timeout(30), client.stream_alarms() as messages:
        while not isinstance(await anext(messages), AlarmProviderStatus):
            pass
        gateway.faults.fail_alarm_provider("gone")
        status = await anext(messages)
        assert isinstance(status, AlarmProviderStatus)
        assert (status.mode, status.degraded, status.reason) == (AlarmProviderMode.SUBTAG, True, "gone")
        gateway.faults.restore_alarm_provider()
        back = await anext(messages)
        assert isinstance(back, AlarmProviderStatus)
        assert (back.mode, back.degraded) == (AlarmProviderMode.ALARMMGR, False)


@pytest.mark.parametrize("reference", ["", "Plant.Tank1.Hi", "ZB!Tank1", "ZB!A.B", "ZB!A.B.", "ZB!.B.C", 7, None])
async def test_a_reference_of_another_form_is_refused_here(
    reference: str, gateway: SimulatedGateway, client: GatewayClient
) -> None:
    calls = len(gateway.calls)
    with pytest.raises(MxGatewayArgumentError, match="reference must be Galaxy!Area"):
        await client.acknowledge_alarm(reference)
    assert len(gateway.calls) == calls


async def test_what_the_gateway_refuses_is_raised(gateway: SimulatedGateway, client: GatewayClient) -> None:
    with pytest.raises(MxGatewayCommandError):
        await client.acknowledge_alarm("ZB!No.Such.Alarm")
    with pytest.raises(MxGatewayCommandError):
        await client.acknowledge_alarm("{00000000-0000-0000-0000-000000000000}")


async def test_an_acknowledgement_whose_answer_was_lost_is_unknown(
    gateway: SimulatedGateway, client: GatewayClient
) -> None:
    alarm = await high_alarm(gateway, client)
    gateway.faults.fail_next("AcknowledgeAlarm", code=grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(MxGatewayTransportError, match="outcome unknown") as caught:
        await client.acknowledge_alarm(alarm.reference)
    assert caught.value.outcome_unknown


async def test_acknowledging_wants_the_scope_to_write() -> None:
    key = GatewayKey("reader", "secret", frozenset({KeyScope.EVENTS_READ, KeyScope.METADATA_READ}))
    async with (
        SimulatedGateway(plaintext=True, api_keys=[key]) as gateway,
        await GatewayClient.connect(endpoint=gateway.endpoint, api_key=key.text, plaintext=True) as client,
    ):
        await active(client)
        with pytest.raises(MxGatewayAuthorizationError):
            await client.acknowledge_alarm("ZB!Plant.Tank1.Hi")


async def test_a_gateway_without_alarms_says_so() -> None:
    async with (
        SimulatedGateway(plaintext=True, api_keys=(), alarms=False) as gateway,
        await GatewayClient.connect(endpoint=gateway.endpoint, plaintext=True) as client,
    ):
        with pytest.raises(MxGatewayCommandError, match="FAILED_PRECONDITION"):
            await anext(client.stream_alarms())


async def test_leaving_the_stream_ends_its_call(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async for message in client.stream_alarms():
        if isinstance(message, AlarmSnapshotComplete):
            break
    await eventually(lambda: not client._transport._streams, "the stream is gone")


async def test_alarms_come_as_events_of_a_session_that_asked(gateway: SimulatedGateway, client: GatewayClient) -> None:
    async with (
        asyncio.timeout(30),
        await client.open_session() as session,
        session.stream_events() as events,
    ):
        request = session.request("subscribe_alarms", subscription_expression=r"\ZB!")
        await session.send(request)
        gateway.set(LEVEL, 85.0)
        while (event := await anext(events)).family is not EventFamily.ON_ALARM_TRANSITION:
            pass
        assert isinstance(event.body, AlarmTransition)
        assert event.body.kind is AlarmTransitionKind.RAISE
        reply = await client.invoke(session.request("query_active_alarms", alarm_filter_prefix="ZB!"))
        assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_OK
        assert event.body.reference in [
            snapshot.alarm_full_reference for snapshot in reply.query_active_alarms.snapshots
        ]
