"""Alarms: raised by the plant and by hand, shown, acknowledged, and the provider that fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from sim_wire import DEADLINE, Wire, becomes, failing, wire

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway

LEVEL, HIHI, HI = "Plant.Tank1.Level", "ZB!Plant.Tank1.Level.HiHi", "ZB!Plant.Tank1.Level.Hi"
MINE = "ZB!TestArea.TestChildObject.Mine"
RAISE, ACKNOWLEDGE = pb.ALARM_TRANSITION_KIND_RAISE, pb.ALARM_TRANSITION_KIND_ACKNOWLEDGE
CLEAR, RETRIGGER = pb.ALARM_TRANSITION_KIND_CLEAR, pb.ALARM_TRANSITION_KIND_RETRIGGER
ALARMMGR, SUBTAG = pb.ALARM_PROVIDER_MODE_ALARMMGR, pb.ALARM_PROVIDER_MODE_SUBTAG


class Feed:
    """An alarm stream, read with a deadline."""

    def __init__(self, client: Wire, prefix: str) -> None:
        request = pb.StreamAlarmsRequest(alarm_filter_prefix=prefix)
        self.call = client.stub.StreamAlarms(request, metadata=client.metadata, timeout=DEADLINE)

    async def next(self) -> pb.AlarmFeedMessage:
        message = await self.call.read()
        assert message is not grpc.aio.EOF
        return message

    async def begin(self) -> tuple[list[pb.ActiveAlarmSnapshot], pb.AlarmProviderStatus]:
        """The first messages, in the order that they must have."""
        snapshots = []
        while (message := await self.next()).WhichOneof("payload") == "active_alarm":
            snapshots.append(message.active_alarm)
        assert message.snapshot_complete
        message = await self.next()
        assert message.WhichOneof("payload") == "provider_status"
        return snapshots, message.provider_status

    async def transition(self) -> pb.OnAlarmTransitionEvent:
        message = await self.next()
        assert message.WhichOneof("payload") == "transition"
        return message.transition


@asynccontextmanager
async def feed(client: Wire, prefix: str = "") -> AsyncIterator[Feed]:
    stream = Feed(client, prefix)
    yield stream
    stream.call.cancel()


async def active(client: Wire, prefix: str = "") -> dict[str, pb.ActiveAlarmSnapshot]:
    request = pb.QueryActiveAlarmsRequest(alarm_filter_prefix=prefix)
    call = client.stub.QueryActiveAlarms(request, metadata=client.metadata, timeout=DEADLINE)
    return {alarm.alarm_full_reference: alarm async for alarm in call}


async def acknowledge(client: Wire, reference: str, **fields: str) -> pb.AcknowledgeAlarmReply:
    request = pb.AcknowledgeAlarmRequest(alarm_full_reference=reference, client_correlation_id="c-9", **fields)
    return await client.stub.AcknowledgeAlarm(request, metadata=client.metadata, timeout=DEADLINE)


async def acknowledged(client: Wire, reference: str, **fields: str) -> None:
    reply = await acknowledge(client, reference, **fields)
    assert (reply.protocol_status.code, reply.hresult) == (pb.PROTOCOL_STATUS_CODE_OK, 0)
    assert reply.correlation_id == "c-9"
    assert not reply.HasField("status")


async def test_disabled_alarms_say_so() -> None:
    expected = (grpc.StatusCode.FAILED_PRECONDITION, "alarms are disabled in this gateway's configuration")
    async with SimulatedGateway(plaintext=True, alarms=False) as gateway, wire(gateway) as client:
        assert gateway.alarms == ()
        assert await failing(Feed(client, "").call.read()) == expected
        assert await failing(active(client)) == expected
        assert await failing(acknowledge(client, HIHI)) == expected
        await client.open()
        for kind in ("subscribe_alarms", "unsubscribe_alarms", "query_active_alarms"):
            assert await failing(client.invoke(kind)) == expected
        with pytest.raises(ValueError, match="disabled"):
            gateway.raise_alarm(MINE)


async def test_a_quiet_plant_has_no_alarms(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    await clock.advance(30)
    assert not gateway.alarms
    assert not await active(client)
    async with feed(client) as stream:
        snapshots, status = await stream.begin()
    assert not snapshots
    assert (status.mode, status.degraded) == (ALARMMGR, False)


async def test_a_limit_raises_retriggers_and_clears(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    async with feed(client, "zb!plant.tank1.level.hihi") as stream:
        await stream.begin()
        gateway.set(LEVEL, 97.0)
        await clock.advance(0.2)
        first = raised = await stream.transition()
        assert (raised.alarm_full_reference, raised.transition_kind) == (HIHI, RAISE)
        assert (raised.source_object_reference, raised.alarm_type_name) == ("Plant.Tank1", "HiHiLimit")
        assert (raised.severity, raised.category) == (100, "Process")
        assert "Feed tank" in raised.description
        assert (raised.current_value.double_value, raised.limit_value.double_value) == (97.0, 90.0)
        assert raised.transition_timestamp.ToNanoseconds() == clock.now()
        assert raised.original_raise_timestamp == raised.transition_timestamp
        assert (raised.degraded, raised.source_provider) == (False, ALARMMGR)
        gateway.set(LEVEL, 50.0)
        await clock.advance(0.2)
        assert (await stream.transition()).transition_kind == CLEAR
        assert not await active(client)
        (waiting,) = [alarm for alarm in gateway.alarms if alarm.reference == HIHI]
        assert (waiting.active, waiting.acked) == (False, False)
        gateway.set(LEVEL, 97.0)
        await clock.advance(0.2)
        # It is back before anyone acknowledged that it had been there.
        again = await stream.transition()
        assert again.transition_kind == RETRIGGER
        assert again.original_raise_timestamp == first.original_raise_timestamp
        await acknowledged(client, HIHI, comment="seen", operator_user="anna")
        assert (await stream.transition()).transition_kind == ACKNOWLEDGE
        gateway.set(LEVEL, 50.0)
        await clock.advance(0.2)
        assert (await stream.transition()).transition_kind == CLEAR
        gateway.set(LEVEL, 97.0)
        await clock.advance(0.2)
        assert (await stream.transition()).transition_kind == RAISE


async def test_an_acknowledgement_is_shown_and_sets_the_subtags(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    gateway.set(LEVEL, 85.0)
    await clock.advance(0.2)
    assert (await active(client))[HI].current_state == pb.ALARM_CONDITION_STATE_ACTIVE
    assert gateway.read(f"{LEVEL}.Hi.Acked").value is False
    async with feed(client) as stream:
        snapshots, _ = await stream.begin()
        assert [snapshot.alarm_full_reference for snapshot in snapshots] == [HI]
        await clock.advance(1)
        await acknowledged(client, HI.upper(), comment="on my way", operator_user="anna")
        done = await stream.transition()
    assert (done.transition_kind, done.operator_user, done.operator_comment) == (ACKNOWLEDGE, "anna", "on my way")
    snapshot = (await active(client))[HI]
    assert snapshot.current_state == pb.ALARM_CONDITION_STATE_ACTIVE_ACKED
    assert (snapshot.operator_user, snapshot.operator_comment) == ("anna", "on my way")
    assert snapshot.last_transition_timestamp == done.transition_timestamp
    assert snapshot.original_raise_timestamp.ToNanoseconds() < snapshot.last_transition_timestamp.ToNanoseconds()
    assert gateway.read(f"{LEVEL}.Hi.Acked").value is True
    assert gateway.read(f"{LEVEL}.Hi.AckMsg").value == "on my way"
    # Nothing to tell a second time.
    await acknowledged(client, HI, comment="again")
    assert (await active(client))[HI].operator_comment == "on my way"


async def test_a_written_remark_acknowledges_too(client: Wire, gateway: SimulatedGateway, clock: ManualClock) -> None:
    gateway.set(LEVEL, 85.0)
    await clock.advance(0.2)
    _, item, _ = await client.watching(f"{LEVEL}.Hi.AckMsg")
    await client.write(1, item, string_value="by hand")
    await clock.advance(0.1)
    assert (await active(client))[HI].operator_comment == "by hand"


async def test_an_alarm_by_hand_and_by_guid(client: Wire, gateway: SimulatedGateway) -> None:
    async with feed(client, "ZB!TestArea") as stream:
        await stream.begin()
        gateway.raise_alarm(HI)
        gateway.raise_alarm(MINE, severity=7, type_name="Digital", description="by hand", value=True, limit=2)
        gateway.raise_alarm(MINE)
        raised = await stream.transition()
        assert (raised.alarm_full_reference, raised.severity, raised.alarm_type_name) == (MINE, 7, "Digital")
        assert (raised.current_value.bool_value, raised.limit_value.int32_value) == (True, 2)
        assert [alarm.reference for alarm in gateway.alarms] == [HI, MINE]
        assert set(await active(client, "ZB!TestArea.")) == {MINE}
        guid = str(gateway.alarms[1].guid)
        await acknowledged(client, f"{{{guid.upper()}}}")
        assert (await stream.transition()).transition_kind == ACKNOWLEDGE
        gateway.clear_alarm(MINE)
        assert (await stream.transition()).transition_kind == CLEAR
        assert [alarm.reference for alarm in gateway.alarms] == [HI]
        # Cleared and acknowledged, it is as if it had never been.
        assert (await acknowledge(client, guid)).hresult < 0


async def test_a_plant_alarm_raised_by_hand_follows_the_plant_again_once_cleared(
    gateway: SimulatedGateway, clock: ManualClock
) -> None:
    gateway.raise_alarm(HI)
    await clock.advance(1)
    assert gateway.read(f"{LEVEL}.Hi.InAlarm").value is True
    gateway.clear_alarm(HI)
    await clock.advance(1)
    assert gateway.read(f"{LEVEL}.Hi.InAlarm").value is False
    gateway.set(LEVEL, 85.0)
    await clock.advance(0.2)
    assert any(alarm.active for alarm in gateway.alarms)


@pytest.mark.parametrize("reference", ["", "Level.HiHi", "ZB!Level", "ZB!Plant.Level", "!Plant.Tank1.Hi", "a-b-c", " "])
async def test_an_alarm_name_that_is_neither_a_reference_nor_a_guid_is_an_invalid_request(
    client: Wire, reference: str
) -> None:
    reply = await acknowledge(client, reference)
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_INVALID_REQUEST
    assert reply.diagnostic_message


@pytest.mark.parametrize("reference", [HIHI, "ZB!Nobody.Nothing.Hi", "6f9619ff-8b86-d011-b42d-00c04fc964ff"])
async def test_an_alarm_that_is_not_there_is_refused(client: Wire, reference: str) -> None:
    reply = await acknowledge(client, reference)
    assert reply.protocol_status.code == pb.PROTOCOL_STATUS_CODE_MXACCESS_FAILURE
    assert reply.hresult == 0x80004005 - 2**32
    assert reference in reply.diagnostic_message


async def test_a_failed_provider_is_reported_and_later_alarms_are_degraded(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    gateway.raise_alarm(MINE)
    async with feed(client) as stream:
        await stream.begin()
        await clock.advance(5)
        gateway.faults.fail_alarm_provider("no answer")
        status = (await stream.next()).provider_status
        assert (status.mode, status.degraded, status.reason) == (SUBTAG, True, "no answer")
        assert status.since.ToNanoseconds() == clock.now()
        gateway.raise_alarm(HI)
        raised = await stream.transition()
        assert (raised.degraded, raised.source_provider) == (True, SUBTAG)
        snapshot = (await active(client))[MINE]
        assert (snapshot.degraded, snapshot.source_provider) == (True, SUBTAG)
        code, text = await failing(acknowledge(client, MINE))
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert MINE in text
        async with feed(client) as late:
            assert (await late.begin())[1] == status
        gateway.faults.restore_alarm_provider("it answers")
        status = (await stream.next()).provider_status
        assert (status.mode, status.degraded, status.reason) == (ALARMMGR, False, "it answers")
        await acknowledged(client, MINE)
        assert not (await stream.transition()).degraded


async def test_where_acknowledge_subtags_are_known_subtag_mode_acknowledges(
    client: Wire, gateway: SimulatedGateway
) -> None:
    gateway.raise_alarm(MINE)
    gateway.faults.fail_alarm_provider(ack_subtags=True)
    await acknowledged(client, MINE)


async def test_feeds_end_with_their_clients_and_with_the_gateway(gateway: SimulatedGateway) -> None:
    async with wire(gateway) as client:
        async with feed(client) as stream, feed(client):
            await stream.begin()
            await becomes(lambda: gateway.open_alarm_streams == 2)
        await becomes(lambda: gateway.open_alarm_streams == 0)
        stream = Feed(client, "")
        await stream.begin()
        await gateway.aclose()
        assert (await failing(stream.call.read()))[0] is grpc.StatusCode.UNAVAILABLE


async def test_a_feed_that_is_not_read_is_ended(clock: ManualClock) -> None:
    async with (
        SimulatedGateway(plaintext=True, clock=clock, event_queue_size=3) as gateway,
        wire(gateway) as client,
        feed(client) as stream,
    ):
        await stream.begin()
        # In one go: nothing can be handed to grpc in between.
        for number in range(9):
            gateway.raise_alarm(f"{MINE}{number}")
        code, _ = await failing(_to_the_end(stream))
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def _to_the_end(stream: Feed) -> None:
    while await stream.call.read() is not grpc.aio.EOF:
        pass


async def test_an_alarms_reference_names_the_area_of_its_object(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    gateway.faults.fail_alarm_provider()
    gateway.set(LEVEL, 85.0)
    await clock.advance(0.2)
    (reference,) = await active(client)
    tag = reference.partition("!")[2]
    area = gateway._plant.hierarchy.by_tag_name(tag.partition(".")[0])
    assert area is not None
    assert area.is_area


@pytest.mark.parametrize("in_subtag_mode", [False, True])
async def test_an_acknowledgement_that_is_taken_back_raises_no_transition(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock, in_subtag_mode: bool
) -> None:
    if in_subtag_mode:
        gateway.faults.fail_alarm_provider()
    gateway.set(LEVEL, 85.0)
    await clock.advance(0.2)
    async with feed(client) as stream:
        await stream.begin()
        gateway.set(f"{LEVEL}.Hi.Acked", True)
        done = await stream.transition()
        assert (done.transition_kind, done.alarm_full_reference) == (ACKNOWLEDGE, HI)
        assert (await active(client))[HI].current_state == pb.ALARM_CONDITION_STATE_ACTIVE_ACKED
        gateway.set(f"{LEVEL}.Hi.Acked", False)
        assert (await active(client))[HI].current_state == pb.ALARM_CONDITION_STATE_ACTIVE
        # The next transition is the clearing: none came of the acknowledgement that was taken back.
        gateway.set(LEVEL, 50.0)
        await clock.advance(0.2)
        assert (await stream.transition()).transition_kind == CLEAR
    # It was not acknowledged, so it waits for that.
    assert [(alarm.active, alarm.acked) for alarm in gateway.alarms] == [(False, False)]
