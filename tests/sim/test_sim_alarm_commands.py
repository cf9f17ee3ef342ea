"""Alarms of a session: subscribed to, reported as events, and the commands of the alarm kinds."""

import grpc
import pytest
from sim_wire import Events, Wire, failing

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

HI, LO2 = "ZB!Plant.Tank1.Level.Hi", "ZB!Plant.Tank2.Level.Lo"
MINE = "ZB!TestArea.TestChildObject.Mine"
SUBTAG = pb.ALARM_PROVIDER_MODE_SUBTAG
E_FAIL, E_INVALIDARG = 0x80004005 - 2**32, 0x80070057 - 2**32


async def subscribed(client: Wire, expression: str = "", **fields: object) -> Events:
    await client.open()
    reply = await client.done("subscribe_alarms", subscription_expression=expression, **fields)
    assert reply.WhichOneof("payload") is None
    return client.stream()


async def test_a_subscribed_session_hears_of_transitions(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    events = await subscribed(client, r"\\.\Galaxy!Plant")
    gateway.raise_alarm(MINE)
    gateway.set("Plant.Tank1.Level", 85.0)
    await clock.advance(0.2)
    event = await events.next()
    assert event.family == pb.MX_EVENT_FAMILY_ON_ALARM_TRANSITION
    assert event.WhichOneof("body") == "on_alarm_transition"
    assert event.worker_sequence == 1
    assert event.on_alarm_transition.alarm_full_reference == HI
    assert event.on_alarm_transition.transition_kind == pb.ALARM_TRANSITION_KIND_RAISE
    await client.done("unsubscribe_alarms")
    gateway.raise_alarm(LO2)
    await client.done("unsubscribe_alarms")
    assert gateway.sessions[client.session_id].last_sequence == 1
    await client.done("subscribe_alarms")
    gateway.raise_alarm("ZB!A.B.C")
    assert (await events.next()).on_alarm_transition.alarm_full_reference == "ZB!A.B.C"


@pytest.mark.parametrize("expression", ["Plant", r"\\node\Elsewhere!Plant", "nonsense!"])
async def test_an_expression_that_is_none_is_refused(client: Wire, expression: str) -> None:
    await client.open()
    reply = await client.invoke("subscribe_alarms", subscription_expression=expression)
    assert reply.hresult == E_INVALIDARG
    await client.done("subscribe_alarms")
    assert (await client.invoke("subscribe_alarms")).hresult == E_INVALIDARG


async def test_the_providers_mode_is_an_event(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    events = await subscribed(client)
    gateway.faults.fail_alarm_provider("gone")
    gateway.raise_alarm(MINE)
    gateway.faults.restore_alarm_provider()
    down, raised, up = await events.take(3)
    assert down.family == pb.MX_EVENT_FAMILY_ON_ALARM_PROVIDER_MODE_CHANGED
    assert down.WhichOneof("body") == "on_alarm_provider_mode_changed"
    status = down.on_alarm_provider_mode_changed
    assert (status.mode, status.degraded, status.reason) == (SUBTAG, True, "gone")
    assert status.since.ToNanoseconds() == clock.now()
    assert (raised.on_alarm_transition.degraded, raised.on_alarm_transition.source_provider) == (True, SUBTAG)
    assert up.on_alarm_provider_mode_changed.mode == pb.ALARM_PROVIDER_MODE_ALARMMGR


async def test_a_forced_subtag_mode_is_told_at_once(client: Wire, gateway: SimulatedGateway) -> None:
    events = await subscribed(client, forced_mode=SUBTAG)
    gateway.raise_alarm(MINE)
    mode, raised = await events.take(2)
    assert mode.on_alarm_provider_mode_changed.mode == SUBTAG
    assert raised.on_alarm_transition.degraded


async def test_a_watch_list_makes_its_alarms_acknowledgeable_in_subtag_mode(
    client: Wire, gateway: SimulatedGateway
) -> None:
    target = pb.AlarmSubtagTarget(alarm_full_reference=MINE, ack_comment_subtag="TestChildObject.Mine.AckMsg")
    active_only = pb.AlarmSubtagTarget(alarm_full_reference=HI, active_subtag="Plant.Tank1.Level.Hi.InAlarm")
    await subscribed(client, watch_list=[target, active_only])
    gateway.raise_alarm(MINE)
    gateway.raise_alarm(HI)
    gateway.faults.fail_alarm_provider()
    by_name = {"provider_name": "Galaxy", "group_name": "TestArea", "alarm_name": "TestChildObject.Mine"}
    await client.done("acknowledge_alarm_by_name", **by_name)
    guid = str(gateway.alarms[1].guid)
    code, _ = await failing(client.invoke("acknowledge_alarm", alarm_guid=guid))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    await client.close()
    assert not gateway._plant.alarm_book().ack_targets


async def test_alarms_are_acknowledged_by_guid_and_by_name(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    gateway.raise_alarm(MINE)
    gateway.raise_alarm(HI)
    fields = {"comment": "seen", "operator_user": "anna", "operator_node": "PC1"}
    reply = await client.done("acknowledge_alarm", alarm_guid=str(gateway.alarms[0].guid), **fields)
    assert reply.WhichOneof("payload") == "acknowledge_alarm"
    assert reply.acknowledge_alarm.native_status == 0
    by_name = {"provider_name": "ZB", "group_name": "Plant", "alarm_name": "Tank1.Level.Hi"}
    await client.done("acknowledge_alarm_by_name", **by_name, **fields)
    assert [(alarm.acked, alarm.operator, alarm.comment) for alarm in gateway.alarms] == [(True, "anna", "seen")] * 2


@pytest.mark.parametrize(
    ("kind", "fields", "hresult"),
    [
        ("acknowledge_alarm", {"alarm_guid": "6f9619ff-8b86-d011-b42d-00c04fc964ff"}, E_FAIL),
        ("acknowledge_alarm", {"alarm_guid": "nonsense"}, E_INVALIDARG),
        ("acknowledge_alarm", {"alarm_guid": MINE}, E_INVALIDARG),
        ("acknowledge_alarm_by_name", {"alarm_name": "Hi"}, E_INVALIDARG),
        ("acknowledge_alarm_by_name", {"alarm_name": "Tank1.Level.Hi", "group_name": "Nobody"}, E_FAIL),
    ],
)
async def test_what_cannot_be_acknowledged_is_refused_by_mxaccess(
    client: Wire, gateway: SimulatedGateway, kind: str, fields: dict[str, str], hresult: int
) -> None:
    await client.open()
    gateway.raise_alarm(MINE)
    reply = await client.invoke(kind, **fields)
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    assert reply.hresult == hresult
    assert not gateway.alarms[0].acked


async def test_the_active_alarms_of_a_prefix(client: Wire, gateway: SimulatedGateway) -> None:
    await client.open()
    gateway.raise_alarm(MINE)
    gateway.raise_alarm(HI)
    reply = await client.done("query_active_alarms", alarm_filter_prefix="zb!plant")
    assert [alarm.alarm_full_reference for alarm in reply.query_active_alarms.snapshots] == [HI]
    assert len((await client.done("query_active_alarms")).query_active_alarms.snapshots) == 2
    gateway.clear_alarm(MINE)
    gateway.clear_alarm(HI)
    reply = await client.done("query_active_alarms")
    assert reply.WhichOneof("payload") == "query_active_alarms"
    assert not reply.query_active_alarms.snapshots
