"""The galaxy: objects in order, filters, pages and their tokens, deployments."""

from typing import Any

import grpc
import pytest
from sim_wire import DEADLINE, Wire, after_restart, failing, wire

from zb_mom_ww_mxgateway.generated import galaxy_repository_pb2 as pb
from zb_mom_ww_mxgateway_sim import ManualClock, SimulatedGateway, TagDefinition


async def discover(client: Wire, **fields: Any) -> pb.DiscoverHierarchyReply:
    request = pb.DiscoverHierarchyRequest(**fields)
    return await client.galaxy.DiscoverHierarchy(request, metadata=client.metadata, timeout=DEADLINE)


async def browse(client: Wire, **fields: Any) -> pb.BrowseChildrenReply:
    request = pb.BrowseChildrenRequest(**fields)
    return await client.galaxy.BrowseChildren(request, metadata=client.metadata, timeout=DEADLINE)


def names(objects: Any) -> list[str]:
    return [thing.tag_name for thing in objects]


async def test_the_connection_is_good_and_the_galaxy_was_deployed(client: Wire, clock: ManualClock) -> None:
    reply = await client.galaxy.TestConnection(pb.TestConnectionRequest(), metadata=client.metadata)
    assert reply.ok
    deployed = await client.galaxy.GetLastDeployTime(pb.GetLastDeployTimeRequest(), metadata=client.metadata)
    assert 0 < deployed.time_of_last_deploy.ToNanoseconds() < clock.now()


async def test_a_lost_galaxy_is_an_answer_not_a_failure(client: Wire, gateway: SimulatedGateway) -> None:
    gateway.faults.lose_galaxy()
    for expected in (False, True):
        reply = await client.galaxy.TestConnection(pb.TestConnectionRequest(), metadata=client.metadata)
        assert reply.ok is expected
        assert (await discover(client)).objects
        gateway.faults.restore_galaxy()


async def test_it_looks_like_a_plant(client: Wire) -> None:
    reply = await discover(client)
    objects = list(reply.objects)
    assert reply.total_object_count == len(objects) >= 40
    assert not reply.next_page_token
    assert sum(thing.is_area for thing in objects) >= 3
    references = [attribute.full_tag_reference for thing in objects for attribute in thing.attributes]
    assert len(references) == len({reference.casefold() for reference in references}) >= 500
    by_id = {thing.gobject_id: thing for thing in objects}
    assert len(by_id) == len(objects)
    seen: set[int] = {0}
    for thing in objects:
        assert thing.parent_gobject_id in seen, "a parent comes before its children"
        seen.add(thing.gobject_id)
        assert thing.is_area == (thing.category_id == 13)
        assert len(thing.template_chain) == 2
        for attribute in thing.attributes:
            assert attribute.full_tag_reference == f"{thing.tag_name}.{attribute.attribute_name}"
            assert attribute.data_type_name


async def test_attributes_say_what_they_are(client: Wire) -> None:
    reply = await discover(client, root_tag_name="testchildobject")
    (thing,) = reply.objects
    found = {attribute.attribute_name: attribute for attribute in thing.attributes}
    types = {"Bool": 1, "Int": 2, "Float": 3, "Double": 4, "String": 5, "Time": 6, "Elapsed": 7, "IntArray": 2}
    for name, number in types.items():
        attribute = found[f"Test{name}"]
        assert attribute.mx_data_type == number
        assert attribute.security_classification == 0
        assert attribute.is_array is attribute.array_dimension_present is (name == "IntArray")
    assert found["TestIntArray"].array_dimension == 10
    assert found["TestElapsed"].data_type_name == "ElapsedTime"
    assert found["Tagname"].security_classification == 6
    level = (await discover(client, root_tag_name="Plant.Tank1", max_depth={"value": 0})).objects[0].attributes
    flags = {attribute.attribute_name: (attribute.is_historized, attribute.is_alarm) for attribute in level}
    assert flags["Level"] == (True, False)
    assert flags["Level.HiHi.InAlarm"] == (False, True)


async def test_browsing_gives_areas_first_then_display_names(clock: ManualClock) -> None:
    # An object beside areas, and names whose case would sort them wrongly.
    tags = [TagDefinition("aardvark.PV"), TagDefinition("zoo.Cage.PV"), TagDefinition("Plant.aLoop.PV")]
    async with SimulatedGateway(plaintext=True, clock=clock, tags=tags) as gateway, wire(gateway) as client:
        reply = await browse(client)
        assert names(reply.children) == ["Packaging", "Plant", "TestArea", "Utilities", "zoo", "aardvark"]
        assert list(reply.child_has_children) == [True, True, True, True, True, False]
        assert reply.total_child_count == 6
        assert reply.cache_sequence == 1
        assert names((await browse(client, parent_gobject_id=0)).children) == names(reply.children)
        plant = await browse(client, parent_tag_name="PLANT")
        shown = [child.browse_name for child in plant.children]
        assert shown == sorted(shown, key=str.casefold)
        assert "aLoop" in shown
        assert plant.children[0].parent_gobject_id == reply.children[1].gobject_id


async def test_an_object_is_found_by_id_tag_name_and_contained_path(client: Wire) -> None:
    (tank,) = (await discover(client, tag_name_glob="plant.tank1")).objects
    expected = ["Plant.Tank1", "Plant.Tank1.Inlet", "Plant.Tank1.Outlet"]
    assert names((await discover(client, root_gobject_id=tank.gobject_id)).objects) == expected
    assert names((await discover(client, root_contained_path="plant/tank1")).objects) == expected
    assert names((await browse(client, parent_contained_path="Plant.Tank1")).children) == expected[1:]
    # An object of an area may have a name of its own.
    reply = await discover(client, root_contained_path="TestArea.TestChildObject")
    assert names(reply.objects) == ["TestChildObject"]


@pytest.mark.parametrize("field", ["gobject_id", "tag_name", "contained_path"])
async def test_an_unknown_root_is_not_found(client: Wire, field: str) -> None:
    value: Any = 9999 if field == "gobject_id" else "Plant.Tank7"
    for call in (discover(client, **{f"root_{field}": value}), browse(client, **{f"parent_{field}": value})):
        code, text = await failing(call)
        assert code is grpc.StatusCode.NOT_FOUND
        assert str(value) in text


async def test_depth_counts_from_the_root(client: Wire) -> None:
    assert all(thing.parent_gobject_id == 0 for thing in (await discover(client, max_depth={"value": 0})).objects)
    one = names((await discover(client, root_tag_name="Plant", max_depth={"value": 1})).objects)
    assert "Plant.Tank1" in one
    assert "Plant.Tank1.Inlet" not in one
    code, _ = await failing(discover(client, max_depth={"value": -1}))
    assert code is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"tag_name_glob": "*.TANK?"}, {"Plant.Tank1", "Plant.Tank2"}),
        ({"tag_name_glob": "Tank1"}, set()),
        ({"tag_name_glob": "plant.lc1"}, {"Plant.LC1"}),
        ({"category_ids": [13]}, {"Plant", "Packaging", "TestArea", "Utilities"}),
        ({"template_chain_contains": ["$tank"]}, {"Plant.Tank1", "Plant.Tank2"}),
        ({"template_chain_contains": ["$Tank", "boiler"], "tag_name_glob": "*1"}, {"Plant.Tank1", "Utilities.Boiler1"}),
        ({"alarm_bearing_only": True}, {"Plant.Tank1", "Plant.Tank2"}),
        ({"historized_only": True, "tag_name_glob": "Plant.*", "category_ids": [10]}, {"Plant.Tank1", "Plant.Tank2"}),
        ({"alarm_bearing_only": True, "category_ids": [13]}, set()),
    ],
)
async def test_filters_are_combined_and_totals_count_what_passes(
    client: Wire, filters: dict[str, Any], expected: set[str]
) -> None:
    reply = await discover(client, page_size=1, **filters)
    assert reply.total_object_count == len(expected)
    assert len(reply.objects) == min(1, len(expected))
    assert set(names((await discover(client, **filters)).objects)) == expected
    children = await browse(client, parent_tag_name="Plant", **filters)
    assert (
        children.total_child_count
        == len(children.children)
        == len({n for n in expected if n.count(".") == 1 and n.startswith("Plant.")})
    )


@pytest.mark.parametrize("ask", [discover, browse])
async def test_attributes_can_be_left_out(client: Wire, ask: Any) -> None:
    def attributes(reply: Any) -> int:
        return sum(len(thing.attributes) for thing in (getattr(reply, "objects", None) or reply.children))

    assert attributes(await ask(client)) == attributes(await ask(client, include_attributes=True)) > 0
    assert attributes(await ask(client, include_attributes=False)) == 0


@pytest.mark.parametrize("ask", [discover, browse])
async def test_pages_follow_each_other_without_overlap(client: Wire, ask: Any) -> None:
    def objects(reply: Any) -> list[str]:
        return names(getattr(reply, "objects", None) or reply.children)

    whole = objects(await ask(client, tag_name_glob="P*"))
    paged: list[str] = []
    token = ""
    while True:
        reply = await ask(client, tag_name_glob="P*", page_size=1 if not paged else 2, page_token=token)
        paged += objects(reply)
        token = reply.next_page_token
        if not token:
            break
    assert paged == whole


@pytest.mark.parametrize("ask", [discover, browse])
async def test_a_page_token_is_good_for_its_own_question_only(
    client: Wire, gateway: SimulatedGateway, ask: Any
) -> None:
    token = (await ask(client, page_size=1)).next_page_token
    other = browse if ask is discover else discover
    root = "root_tag_name" if ask is discover else "parent_tag_name"
    mark, _, offset = token.rpartition(".")
    for call in (
        ask(client, page_size=1, page_token="nonsense"),
        ask(client, page_size=1, page_token=f"{mark}.99999"),
        ask(client, page_size=1, page_token=f"{mark}.-{offset}"),
        ask(client, page_size=1, page_token=token, tag_name_glob="*"),
        ask(client, page_size=1, page_token=token, **{root: "Plant"}),
        other(client, page_size=1, page_token=token),
    ):
        assert (await failing(call))[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert (await ask(client, page_size=1, page_token=token)).next_page_token
    gateway.faults.redeploy()
    assert (await failing(ask(client, page_size=1, page_token=token)))[0] is grpc.StatusCode.INVALID_ARGUMENT
    token = (await ask(client, page_size=1)).next_page_token
    await gateway.restart()
    late = after_restart(lambda: ask(client, page_size=1, page_token=token))
    assert (await failing(late))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_page_has_500_objects_by_default_and_5000_at_most() -> None:
    async with SimulatedGateway(plaintext=True, generated_tags=260_000) as gateway, wire(gateway) as client:
        reply = await discover(client, include_attributes=False)
        assert len(reply.objects) == 500
        assert reply.total_object_count > 5200
        assert len((await discover(client, include_attributes=False, page_size=6000)).objects) == 5000
        for ask in (discover, browse):
            code, _ = await failing(ask(client, page_size=-1))
            assert code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_watcher_hears_the_present_state_then_each_deployment(
    client: Wire, gateway: SimulatedGateway, clock: ManualClock
) -> None:
    call = client.galaxy.WatchDeployEvents(pb.WatchDeployEventsRequest(), metadata=client.metadata, timeout=DEADLINE)
    first = await call.read()
    assert first.sequence == 1
    reply = await discover(client)
    assert first.object_count == reply.total_object_count
    assert first.attribute_count == sum(len(thing.attributes) for thing in reply.objects)
    await clock.advance(5)
    gateway.faults.redeploy()
    gateway.faults.redeploy()
    second, third = await call.read(), await call.read()
    assert (second.sequence, third.sequence) == (2, 3)
    assert second.time_of_last_deploy.ToNanoseconds() == second.observed_at.ToNanoseconds() == clock.now()
    deployed = await client.galaxy.GetLastDeployTime(pb.GetLastDeployTimeRequest(), metadata=client.metadata)
    assert deployed.time_of_last_deploy == second.time_of_last_deploy
    assert (await browse(client)).cache_sequence == 3
    call.cancel()


@pytest.mark.parametrize("ask", [discover, browse])
async def test_a_page_ends_early_rather_than_outgrow_a_message(ask: Any) -> None:
    # Units with many more and longer attributes than any of the plant has: some 20 MiB altogether.
    long = "Attribute_with_quite_a_long_name_" * 16
    tags = [TagDefinition(f"Big.Unit{unit:03d}.{long}{number:04d}") for unit in range(130) for number in range(140)]
    async with SimulatedGateway(plaintext=True, tags=tags) as gateway, wire(gateway) as client:
        root = {"root_tag_name" if ask is discover else "parent_tag_name": "Big"}
        seen: list[str] = []
        token, pages = "", 0
        while True:
            reply = await ask(client, page_size=5000, page_token=token, **root)
            assert reply.ByteSize() < 16 * 1024 * 1024
            seen += names(getattr(reply, "objects", None) or reply.children)
            if ask is browse:
                assert len(reply.child_has_children) == len(reply.children)
            pages += 1
            token = reply.next_page_token
            if not token:
                break
        assert pages == 2
        assert [name for name in seen if name != "Big"] == [f"Big.Unit{unit:03d}" for unit in range(130)]


async def test_a_million_tags_are_paged_through_in_bounded_memory() -> None:
    import tracemalloc

    async with SimulatedGateway(plaintext=True, generated_tags=1_000_000) as gateway, wire(gateway) as client:
        total = (await discover(client, page_size=1)).total_object_count
        assert total > 20_000
        tracemalloc.start()
        try:
            token, seen = "", 0
            while True:
                reply = await discover(client, include_attributes=False, page_size=5000, page_token=token)
                seen += len(reply.objects)
                token = reply.next_page_token
                if not token:
                    break
            await discover(client, page_size=2000)
            assert tracemalloc.get_traced_memory()[1] < 100_000_000
        finally:
            tracemalloc.stop()
        assert seen == total


async def test_after_a_restart_without_its_database_the_galaxy_comes_from_a_copy(
    client: Wire, gateway: SimulatedGateway
) -> None:
    before = names((await browse(client)).children)
    gateway.faults.lose_galaxy()
    await gateway.restart()
    reply = await after_restart(
        lambda: client.galaxy.TestConnection(pb.TestConnectionRequest(), metadata=client.metadata, timeout=60)
    )
    assert not reply.ok
    assert names((await browse(client)).children) == before
    assert (await discover(client)).objects
    deployed = await client.galaxy.GetLastDeployTime(pb.GetLastDeployTimeRequest(), metadata=client.metadata)
    assert deployed.HasField("time_of_last_deploy")
