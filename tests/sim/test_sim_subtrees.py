"""Keys of a sub-tree: what they reach, in the galaxy, in commands and in alarms."""

from collections.abc import AsyncIterator

import grpc
import pytest
from sim_wire import DEADLINE, Wire, failing, wire
from test_sim_galaxy import browse, discover, names

from zb_mom_ww_mxgateway.generated import mxaccess_gateway_pb2 as pb
from zb_mom_ww_mxgateway_sim import GatewayKey, ManualClock, SimulatedGateway, TagDefinition, TagError

TANK = GatewayKey("tank", "x", subtrees=frozenset({"plant.tank1"}))
ONE_TAG = GatewayKey("one", "x", subtrees=frozenset({"TestChildObject.TestInt", "Plant.Tank2.Level"}))
ALL = GatewayKey("all", "x")
DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
async def gateway(clock: ManualClock) -> AsyncIterator[SimulatedGateway]:
    async with SimulatedGateway(plaintext=True, clock=clock, api_keys=(TANK, ONE_TAG, ALL)) as running:
        yield running


async def test_the_galaxy_shows_the_sub_tree_and_the_way_to_it(client: Wire) -> None:
    shown = names((await discover(client)).objects)
    assert shown == ["Plant", "Plant.Tank1", "Plant.Tank1.Inlet", "Plant.Tank1.Outlet"]
    reply = await discover(client, page_size=1)
    assert reply.total_object_count == 4
    assert not reply.objects[0].attributes, "of what leads there, the name only"
    assert (await discover(client, root_tag_name="Plant.Tank1")).objects[0].attributes
    top = await browse(client)
    assert (names(top.children), list(top.child_has_children), top.total_child_count) == (["Plant"], [True], 1)
    assert names((await browse(client, parent_tag_name="Plant")).children) == ["Plant.Tank1"]
    for ask, root in ((discover, "root"), (browse, "parent")):
        code, text = await failing(ask(client, **{f"{root}_tag_name": "Plant.Tank2"}))
        assert code is DENIED
        assert "Plant.Tank2" in text


async def test_a_sub_tree_may_be_one_attribute(gateway: SimulatedGateway) -> None:
    async with wire(gateway, ONE_TAG.text) as client:
        reply = await discover(client)
        assert names(reply.objects) == ["Plant", "Plant.Tank2", "TestArea", "TestChildObject"]
        shown = [attribute.full_tag_reference for thing in reply.objects for attribute in thing.attributes]
        assert shown[0] == "Plant.Tank2.Level"
        assert shown[-1] == "TestChildObject.TestInt"
        assert all(name.startswith("Plant.Tank2.Level") for name in shown[:-1])


async def test_what_a_deployment_brings_is_shown_to_whom_it_is_for(gateway: SimulatedGateway, client: Wire) -> None:
    assert "Plant.Tank1.Mixer" not in names((await discover(client)).objects)
    gateway.faults.redeploy([TagDefinition("Plant.Tank1.Mixer.Speed"), TagDefinition("Elsewhere.Speed")])
    shown = names((await discover(client)).objects)
    assert "Plant.Tank1.Mixer" in shown
    assert "Elsewhere" not in shown
    with pytest.raises(TagError, match="already"):
        gateway.faults.redeploy([TagDefinition("Plant.Tank1.Level")])


async def test_a_page_token_of_another_view_is_refused(gateway: SimulatedGateway, client: Wire) -> None:
    token = (await discover(client, page_size=1)).next_page_token
    async with wire(gateway, ALL.text) as other:
        code, _ = await failing(discover(other, page_size=1, page_token=token))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert (await discover(client, page_size=1, page_token=token)).objects


async def test_single_commands_on_what_is_not_reached_are_denied(gateway: SimulatedGateway, client: Wire) -> None:
    async with wire(gateway, ALL.text) as everyone:
        _, item, _ = await everyone.watching("TestChildObject.TestInt")
        client.session_id = everyone.session_id
    fields = {"server_handle": 1, "item_handle": item}
    value = pb.MxValue(int32_value=1)
    commands: list[tuple[str, dict[str, object]]] = [
        ("add_item", {"server_handle": 1, "item_definition": "TestChildObject.TestInt"}),
        ("add_item2", {"server_handle": 1, "item_definition": "TestInt", "item_context": "TestChildObject"}),
        ("add_buffered_item", {"server_handle": 1, "item_definition": "TestChildObject.TestInt"}),
        ("advise", fields),
        ("advise_supervisory", fields),
        ("suspend", fields),
        ("activate", fields),
        ("write", {**fields, "value": value}),
        ("write2", {**fields, "value": value}),
        ("write_secured", {**fields, "value": value}),
        ("write_secured2", {**fields, "value": value}),
        ("un_advise", fields),
        ("remove_item", fields),
    ]
    for kind, command in commands:
        code, text = await failing(client.invoke(kind, **command))
        assert (code, "TestChildObject.TestInt" in text) == (DENIED, True), kind
    assert not gateway.writes


async def test_denied_entries_of_bulk_commands_fail_at_their_own_index(gateway: SimulatedGateway, client: Wire) -> None:
    async with wire(gateway, ALL.text) as everyone:
        _, outside, _ = await everyone.watching("TestChildObject.TestInt")
        inside = await everyone.add(1, "Plant.Tank1.LevelSP")
        await everyone.advise(1, inside)
        client.session_id = everyone.session_id
    handles = [outside, inside]
    value = pb.MxValue(string_value="5")
    anna = await client.done("authenticate_user", server_handle=1, verify_user="anna")
    secured = {"current_user_id": anna.authenticate_user.user_id, "value": value}
    stamp = pb.MxValue(timestamp_value={"seconds": 1_700_000_000})
    timed = {"value": value, "timestamp_value": stamp}
    bulk: list[tuple[str, dict[str, object]]] = [
        ("add_item_bulk", {"tag_addresses": ["TestChildObject.TestInt", "Plant.Tank1.Level"]}),
        ("read_bulk", {"tag_addresses": ["TestChildObject.TestInt", "Plant.Tank1.Level"]}),
        ("subscribe_bulk", {"tag_addresses": ["TestChildObject.TestInt", "Plant.Tank1.Level"]}),
        ("write_bulk", {"entries": [pb.WriteBulkEntry(item_handle=one, value=value) for one in handles]}),
        ("write2_bulk", {"entries": [pb.Write2BulkEntry(item_handle=one, **timed) for one in handles]}),
        ("write_secured_bulk", {"entries": [pb.WriteSecuredBulkEntry(item_handle=one, **secured) for one in handles]}),
        (
            "write_secured2_bulk",
            {"entries": [pb.WriteSecured2BulkEntry(item_handle=one, **(secured | timed)) for one in handles]},
        ),
        ("advise_item_bulk", {"item_handles": handles}),
        ("un_advise_item_bulk", {"item_handles": handles}),
        ("unsubscribe_bulk", {"item_handles": handles}),
    ]
    for kind, command in bulk:
        results = getattr(await client.done(kind, server_handle=1, **command), kind).results
        assert [one.was_successful for one in results] == [False, True], kind
        assert "does not reach" in results[0].error_message, kind


async def test_alarms_of_other_sub_trees_are_neither_shown_nor_acknowledged(
    gateway: SimulatedGateway, client: Wire, clock: ManualClock
) -> None:
    gateway.set("Plant.Tank1.Level", 85.0)
    gateway.set("Plant.Tank2.Level", 85.0)
    await clock.advance(0.2)
    assert len(gateway.alarms) == 2
    call = client.stub.QueryActiveAlarms(pb.QueryActiveAlarmsRequest(), metadata=client.metadata, timeout=DEADLINE)
    assert [alarm.alarm_full_reference async for alarm in call] == ["ZB!Plant.Tank1.Level.Hi"]
    request = pb.AcknowledgeAlarmRequest(alarm_full_reference="ZB!Plant.Tank2.Level.Hi")
    assert (await failing(client.stub.AcknowledgeAlarm(request, metadata=client.metadata)))[0] is DENIED


async def test_an_alarm_feed_has_no_transitions_of_other_sub_trees(gateway: SimulatedGateway) -> None:
    async with wire(gateway, TANK.text) as tank:
        stream = tank.stub.StreamAlarms(pb.StreamAlarmsRequest(), metadata=tank.metadata, timeout=DEADLINE)
        for _ in range(2):  # The end of the snapshot and the provider.
            await stream.read()
        gateway.raise_alarm("ZB!Plant.Tank2.Level.Hi")
        gateway.raise_alarm("ZB!Plant.Tank1.Level.Hi")
        message = await stream.read()
    assert message.transition.alarm_full_reference == "ZB!Plant.Tank1.Level.Hi"
